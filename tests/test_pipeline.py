"""The week from exports to page: resumable, repeatable to the byte, and never half published."""

from __future__ import annotations

import hashlib
import json
import re

import nbformat
import pytest

from voc_lib import pipeline
from voc_lib.pipeline import RunError
from voc_lib.report.parameters import ParameterError
from voc_lib.store import open_store

WEEK = "2026-W46"


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.html"))}


def break_notebook(home, name="weekly_brief"):
    path = home / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[-2].source = "voc.no_such_name"
    nbformat.write(notebook, path)


def test_the_second_run_does_nothing_again_and_gives_the_same_bytes(sample):
    first = pipeline.weekly("sample", WEEK)
    assert first.page == sample / "reports" / WEEK / "index.html" and first.page.is_file() and first.notes_new == first.page.with_name("notes.yaml")
    once = sums(first.page.parent)
    again = pipeline.weekly("sample", WEEK)
    assert again.said["ingest"] == "新增 0 条反馈" and again.said["enrich"] == "新编码 0 条，新嵌入 0 条文本"
    assert sums(again.page.parent) == once and set(once) == {"index.html", "data_health.html"}
    assert again.snapshot.snapshot == first.snapshot.snapshot
    manifest = json.loads((first.page.parent / "manifest.json").read_text("utf-8"))
    assert manifest["snapshot"] == first.snapshot.snapshot and manifest["parameters"]["period"] == WEEK
    assert [item["name"] for item in manifest["headline"]] == ["听到的人", "低分占比", "超出误差的变化"]
    assert {"duckdb", "polars", "voc-workbench"} <= set(manifest["versions"]) and "commit" in manifest
    runs = open_store("sample").read("runs").collect()
    assert runs["outcome"].to_list() == ["published"] * 2 and runs["snapshot"].n_unique() == 1
    assert f'href="{WEEK}/index.html"' in (sample / "reports" / "index.html").read_text("utf-8")


def test_the_page_is_one_file_that_asks_for_nothing(draft):
    html = (draft / "reports" / WEEK / "index.html").read_text("utf-8")
    assert "合成样例数据" in html and "default-src 'none'" in html
    assert html.count("* plotly.js v") == 1 and html.count("<figure") == 3
    markup = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", markup)
    assert "import voc_lib" not in markup  # code is hidden


def test_a_failed_run_leaves_the_last_page_and_keeps_the_partial_notebook(draft):
    page = draft / "reports" / WEEK / "index.html"
    before = sums(page.parent)
    break_notebook(draft)
    with pytest.raises(RunError, match="(?s)no_such_name.*没有改动.*weekly_brief.ipynb"):
        pipeline.weekly("sample", WEEK)
    assert sums(page.parent) == before
    partial = nbformat.read(draft / "reports" / ".failed" / WEEK / "weekly_brief.ipynb", 4)
    assert any(output.output_type == "error" for cell in partial.cells for output in cell.get("outputs", []))
    assert open_store("sample").read("runs").collect().sort("run_id")["outcome"].to_list() == ["published", "failed"]


def test_nothing_is_published_when_a_later_notebook_fails_and_what_ran_is_kept(sample, monkeypatch):
    path = sample / "notebooks" / "data_health.ipynb"
    mended = path.read_bytes()
    break_notebook(sample, "data_health")
    with pytest.raises(RunError):
        pipeline.weekly("sample", WEEK)
    assert not (sample / "reports" / WEEK).exists()
    path.write_bytes(mended)
    assert "1 本沿用" in pipeline.weekly("sample", WEEK).said["notebooks"]


def test_an_old_snapshot_gives_the_old_page(sample):
    first = pipeline.render("data_health", {"store": "sample"})
    old = first.snapshot.snapshot
    once = first.page.read_bytes()
    from voc_lib.store_write import write_store

    with write_store("sample", "more") as writer:
        rows = writer.sql("SELECT * FROM feedback_rows LIMIT 1")
        writer.append("feedback", rows.with_columns(feedback_id=rows["feedback_id"] + "x"))
    newer = pipeline.render("data_health", {"store": "sample"})
    assert newer.snapshot.snapshot > old and newer.page.read_bytes() != once
    again = pipeline.render("data_health", {"store": "sample", "snapshot": old})
    assert again.page.read_text("utf-8").replace(f"snapshot={old}", "snapshot=None").encode() == once


def test_what_cannot_be_run_says_why_and_writes_nothing(sample):
    for call, said in (
        (lambda: pipeline.weekly("sample", "2026-W30"), "没有任何反馈.*2026-W39"),
        (lambda: pipeline.weekly("sample", "2026-46"), "不是一周"),
        (lambda: pipeline.render("weekly_breif", {}), "是否想写「weekly_brief」"),
    ):
        with pytest.raises((RunError, ValueError), match=said):
            call()
    for given in ({"perid": "2026-W46"}, {"period": "2026-W46", "snapshots": "1"}):
        with pytest.raises(ParameterError, match="是否想写"):
            pipeline.render("weekly_brief", given)
    assert not list((sample / "reports").glob("[0-9]*")) and not (sample / "reports" / "pages").exists() if (sample / "reports").exists() else True


def test_another_store_does_not_overwrite_the_week_of_the_first(draft):
    from voc_lib.collect.ingest import ingest
    from voc_lib.enrich.run import enrich

    first = draft / "reports" / WEEK
    before = sums(first)
    ingest("second", draft / "data" / "raw" / "sample", "auto")
    enrich("second")
    second = pipeline.weekly("second", WEEK)
    assert sums(first) == before and second.page.parent.name == f"{WEEK}-second"
    assert json.loads((first / "manifest.json").read_text("utf-8"))["store"] == "sample"


def test_without_a_week_the_last_complete_one_is_taken(draft):
    assert pipeline.weekly("sample").week == WEEK
