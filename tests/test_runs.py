"""voc runs, voc verify, voc maintain: what was run, whether a page still says what its snapshot says, tidying that loses nothing."""

from __future__ import annotations

import json

import pytest

from voc_lib.pipeline import RunError
from voc_lib.runs import runs, verify
from voc_lib.store import open_store
from voc_lib.store_write import maintain, write_store

WEEK = "2026-W46"


def test_a_page_can_be_verified_after_the_store_has_grown_and_been_tidied(draft):
    drafted = open_store("sample").snapshot
    with write_store("sample", "more") as writer:
        rows = writer.sql("SELECT * FROM feedback_rows WHERE iso_week = '2026-W46'")
        writer.append("feedback", rows.with_columns(feedback_id=rows["feedback_id"] + "x", author_key=rows["feedback_id"] + "y"))
    maintain("sample", keep_days=0)
    assert open_store("sample").snapshot > drafted
    manifest, found = verify(WEEK)
    assert manifest["snapshot"] == drafted and found["equal"].all() and found.height == 3
    assert verify(str(draft / "reports" / WEEK / "index.html"))[1].equals(found)
    found = runs("sample")
    assert found["outcome"].to_list() == ["published"] and found["week"].to_list() == [WEEK]


def test_a_page_that_was_changed_by_hand_is_not_equal(draft):
    path = draft / "reports" / WEEK / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["headline"][0]["value"] += 1
    path.write_text(json.dumps(manifest), "utf-8")
    found = verify(WEEK)[1]
    assert found["equal"].to_list() == [False, True, True]


def test_what_cannot_be_verified_says_why(sample):
    with pytest.raises(RunError, match="没有名为「2026-W40」的报告。还没有发布过报告，先用 voc weekly"):
        verify("2026-W40")
    folder = sample / "reports" / "2026-W40"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(RunError, match="读不出来"):
        verify("2026-W40")
    (folder / "manifest.json").write_text('{"store": "sample"}', "utf-8")
    with pytest.raises(RunError, match="缺少「snapshot」"):
        verify("2026-W40")
