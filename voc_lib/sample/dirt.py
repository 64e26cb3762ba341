"""A few bad rows, as real exports have them; they must end in quarantine and are listed in _truth/quarantine.json."""

from __future__ import annotations

from pathlib import Path

from voc_lib.sample.world import World


def spoil(world: World, out: Path) -> list[dict]:
    """Break the last hotline file in two places; returns where and how."""
    files = sorted((out / "hotline").glob("*.jsonl"))
    if not files:
        return []
    with files[-1].open("a", encoding="utf-8", newline="\n") as file:
        lines = len(files[-1].read_text("utf-8").splitlines())
        file.write('{"call_id": "CC00000000X1", "start_time": "2026-13-45T10:00:00+08:00", "phone": null, "summary": "日期写错的一行。", "turns": []}\n')
        file.write('{"call_id": "CC00000000X2", "start_time": "2026-1\n')
    name = str(files[-1].relative_to(out))
    return [{"file": name, "line": lines + 1, "why": "日期不存在"}, {"file": name, "line": lines + 2, "why": "JSON 断在半截"}]
