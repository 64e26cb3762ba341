"""Publish pages as one folder, whole or not at all; what a run leaves when it fails.

The new folder is built beside the old one and takes its place by one rename. Where the system can exchange two
folders in one step (Linux), a reader always finds a page; elsewhere there is a moment between two renames in which
the folder is absent, and a crash in that moment leaves the old pages in `.<name>.old-*`, from where the next
publishing to that folder restores or replaces them.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from voc_lib.report.markup import MIME

MANIFEST = "manifest.json"
FAILED = ".failed"
_EXCHANGE, _HERE = 2, -100    # RENAME_EXCHANGE and AT_FDCWD of renameat2(2)
_HEADLINE_KEYS = ("name", "metric", "value", "text", "unit", "change", "before", "tone", "verdict")


def publish(pages: dict[str, Path], manifest: dict, target: Path) -> Path:
    """Put `pages` (name without suffix -> HTML file; one is named `index`) and `manifest.json` into the folder `target`.

    The manifest gets the pages' sha256 and sorted keys. Nothing changes in `target` unless all of it is ready.
    Returns the path of `index.html`.
    """
    if "index" not in pages:
        raise ValueError(f"要发布的页面里没有 index：{'、'.join(pages) or '一页也没有'}。")
    target.parent.mkdir(parents=True, exist_ok=True)
    _recover(target)
    new = Path(tempfile.mkdtemp(prefix=f".{target.name}.new-", dir=target.parent))
    try:
        sums = {}
        for name, source in sorted(pages.items()):
            shutil.copyfile(source, new / f"{name}.html")
            sums[f"{name}.html"] = hashlib.sha256((new / f"{name}.html").read_bytes()).hexdigest()
        text = json.dumps(manifest | {"pages": sums}, ensure_ascii=False, sort_keys=True, indent=2, default=str)
        (new / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")
        os.chmod(new, 0o755)    # mkdtemp makes it private; a page is to be read
        _swap(new, target)
        _carry(new, target)    # what is under this name now is the old folder
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return target / "index.html"


def _carry(old: Path, target: Path) -> None:
    """What people put into the folder (notes.yaml, a slide) goes on into the new one, and nothing of it is ever replaced.

    A file saved in the moment between is newer and stays; the one it was made from is kept beside it.
    """
    ours = _made(old) | {f"{target.name}.pdf"}    # a PDF of the last page is not one of this
    for path in sorted(old.iterdir()) if old.is_dir() else []:
        if path.name in ours:
            continue
        place = target / path.name
        if place.exists() and place.is_file() and path.is_file() and place.read_bytes() == path.read_bytes():
            continue
        while place.exists():
            place = place.with_name(f"{place.name}.earlier")
        os.replace(path, place)


def _made(folder: Path) -> set[str]:
    """What publishing itself put into a folder, as its manifest says; without a readable one every page."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {MANIFEST, *manifest["pages"]}
    except (OSError, ValueError, KeyError):
        return {MANIFEST, *(path.name for path in folder.glob("*.html"))}


def _swap(new: Path, target: Path) -> None:
    if not target.exists():
        os.rename(new, target)
        return
    if _exchanged(new, target):
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
    os.replace(target, old / "pages")
    try:
        os.rename(new, target)
    except OSError:
        os.replace(old / "pages", target)
        raise
    else:
        _carry(old / "pages", target)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where system or file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def _recover(target: Path) -> None:
    """After a crash: between the two renames the old pages come back before anything else; after them, what people put there."""
    for old in sorted(target.parent.glob(f".{target.name}.old-*")):
        if not target.exists() and (old / "pages").exists():
            os.replace(old / "pages", target)
        _carry(old / "pages", target)
        shutil.rmtree(old, ignore_errors=True)
    for old in sorted(target.parent.glob(f".{target.name}.new-*")):
        if target.exists():
            _carry(old, target)
        shutil.rmtree(old, ignore_errors=True)


def keep_failed(partial: Path, reports: Path, period: str) -> Path:
    """Keep the notebook of a failed run as `<reports>/.failed/<period>/<name>.ipynb`; returns that path."""
    kept = reports / FAILED / period / partial.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    if partial.exists():
        shutil.copyfile(partial, kept)
    return kept


def read_headline(ipynb: Path) -> list[dict]:
    """The numbers of the cell tagged `headline`: name, metric, value, text, unit, change... where present."""
    cells = json.loads(Path(ipynb).read_text(encoding="utf-8"))["cells"]
    tagged = (cell for cell in cells if "headline" in cell.get("metadata", {}).get("tags", []))
    blocks = (output.get("data", {}).get(MIME, {}) for cell in tagged for output in cell.get("outputs", []))
    return [{key: item[key] for key in _HEADLINE_KEYS if key in item}
            for block in blocks if block.get("kind") == "headline" for item in block["items"]]


def read_numbers(ipynb: Path) -> list[dict]:
    """The numbers that open on a page: number, title, n, people, sql; from its blocks of sources."""
    cells = json.loads(Path(ipynb).read_text(encoding="utf-8"))["cells"]
    blocks = (output.get("data", {}).get(MIME, {}) for cell in cells for output in cell.get("outputs", []))
    return [{key: item[key] for key in ("number", "title", "n", "people", "sql")} for block in blocks if block.get("kind") == "sources" for item in block["items"]]
