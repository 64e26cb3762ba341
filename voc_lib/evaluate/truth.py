"""Reads the truth of a planted world: `_truth/*.json` beside the exports a store was fed from."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = "_truth"


def truth_folder(folders: list[Path]) -> Path | None:
    """The first of the folders that has a truth."""
    return next((folder / FOLDER for folder in folders if (folder / FOLDER).is_dir()), None)


def read_truths(folder: Path) -> list[dict]:
    """Planted truths by name; files about the world as a whole (selection, identities, quarantine) are not among them."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json")) if path.stem != "identities"]
    return [truth for truth in found if "truth" in truth]
