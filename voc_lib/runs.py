"""What was run: the list of runs, and whether a published page still says what its snapshot says."""

from __future__ import annotations

import difflib
import json
import math
import tempfile
from pathlib import Path

import polars as pl

from voc_lib.pipeline import RunError, notebook_path
from voc_lib.settings import settings
from voc_lib.store import open_store

SAME = 1e-6  # relative: the last bits of a sum may differ on a rebuilt lake


def runs(store: str, most: int = 20) -> pl.DataFrame:
    """The latest runs of a store, newest first: run_id, command, week, snapshot, outcome, started_at, seconds, git_commit."""
    columns = ["run_id", "command", "week", "snapshot", "outcome", "started_at", "seconds", "git_commit"]
    return open_store(store).read("runs", columns).sort("run_id", descending=True).head(most).collect()


def verify(report: str) -> tuple[dict, pl.DataFrame]:
    """Run a published page's first notebook again on the snapshot its manifest names, and compare the headline.

    `report` is a week ("2026-W46"), a folder of reports/ or a page in it. Returns the manifest and one row per number:
    name, published, recomputed, equal. Raises RunError when there is no such report or its snapshot is gone.
    """
    from voc_lib.report.execute import execute
    from voc_lib.report.parameters import read_parameters, validate
    from voc_lib.report.site import read_headline

    manifest = _manifest(report)
    store, snapshot = manifest["store"], manifest["snapshot"]
    open_store(store, snapshot)
    notebook = notebook_path(manifest["notebook"])
    given = manifest["parameters"] | ({"snapshot": snapshot} if "snapshot" in read_parameters(notebook) else {})
    with tempfile.TemporaryDirectory(prefix="voc-verify-") as folder:
        done = execute(notebook, validate(notebook, given), Path(folder) / notebook.name, env={"VOC_HOME": str(settings().home)})
        found = {item["name"]: item.get("value") for item in read_headline(done)}
    published = {item["name"]: item.get("value") for item in manifest["headline"]}
    rows = [
        {"name": name, "published": published.get(name), "recomputed": found.get(name),
         "equal": name in published and name in found and _same(published[name], found[name])}
        for name in dict.fromkeys([*published, *found])
    ]
    types = {"name": pl.String, "published": pl.Float64, "recomputed": pl.Float64, "equal": pl.Boolean}
    return manifest, pl.DataFrame(rows, schema=types)


def trace(report: str, number: str = "") -> tuple[dict, dict | None, pl.DataFrame]:
    """The manifest of a published page, one of its numbers (None without `number`) and the rows that the number counts, at the page's snapshot.

    Raises RunError for a number that the page does not have, with the nearest, and where the rows are not as many as published.
    """
    manifest = _manifest(report)
    known = {item["number"]: item for item in manifest.get("numbers", [])}
    if not known:
        raise RunError(f"报告「{report}」里没有可以追溯的数字：是旧版本写的，或这本笔记本还没有列来源。")
    if not number:
        return manifest, None, pl.DataFrame()
    if number not in known:
        near = difflib.get_close_matches(number, known, 1, 0.4)
        raise RunError(f"报告「{report}」里没有编号「{number}」。{f'是否想写「{near[0]}」？' if near else ''}不写编号会列出全部。")
    from voc_lib.measure.tracing import rows_of

    rows = rows_of(open_store(manifest["store"], manifest["snapshot"]), known[number]["sql"])
    if rows.height != known[number]["n"]:
        raise RunError(f"「{number}」发布时是 {known[number]['n']:,} 条，现在查出 {rows.height:,} 条：这一页的快照已不完整，请勿引用。")
    return manifest, known[number], rows


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SAME, abs_tol=SAME)


def _manifest(report: str) -> dict:
    asked = Path(report)
    folders = [asked, asked.parent, settings().reports / report, settings().reports / "pages" / report]
    for folder in folders:
        path = folder / "manifest.json"
        if not path.is_file():
            continue
        try:
            manifest = json.loads(path.read_text("utf-8"))
        except ValueError:
            raise RunError(f"清单 {path} 读不出来，无法核对。请重新生成这一页。") from None
        missing = [key for key in ("store", "snapshot", "parameters", "headline", "notebook") if key not in manifest]
        if missing:
            raise RunError(f"清单 {path} 缺少「{missing[0]}」，是旧版本写的，无法核对。请重新生成这一页。")
        return manifest
    have = sorted(path.parent.name for path in settings().reports.glob("**/manifest.json"))
    listed = f"现有：{'、'.join(have)}。写周次（2026-W46）、文件夹或页面的路径都可以。" if have else "还没有发布过报告，先用 voc weekly 做一份。"
    raise RunError(f"没有名为「{report}」的报告。{listed}")
