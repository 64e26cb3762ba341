"""The quarantine after a contract or a file was mended: only what is still refused is listed, and what became of the rest is told."""

from __future__ import annotations

import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.collect.refused import RefusedError, refused, retry, settled
from voc_lib.measure.analyses.health import exports_read, quarantine_reasons, status
from voc_lib.store import open_store

ROWS = ("1,抖,2020/06/07,信息审核", "2,响,2020-06-08,信息审核", "3,电话13800138000,2020/06/08,信息审核", "4,漏,八月,信息审核")


def mend(home, old, new):
    path = home / "data" / "domains" / "test" / "channels" / "site.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_what_is_refused_is_listed_with_its_lines_and_masked(site):
    ingest("s", site("2020-06-08.csv", *ROWS), "test")
    row = refused(open_store("s")).row(0, named=True)
    assert (row["channel"], row["file"], row["rows"], row["lines"]) == ("site", "site/2020-06-08.csv", 3, [2, 4, 5])
    assert "抖" in row["example"] and "13800138000" not in str(refused(open_store("s")).to_dicts())
    assert refused(open_store("s"), reason="编号").is_empty() and refused(open_store("s"), "site", "不是时间").height == 1
    with pytest.raises(RefusedError, match="没有读过渠道「forum」.*读过的：site"):
        refused(open_store("s"), "forum")


def test_retry_stores_what_fits_now_and_says_what_is_left(site, home):
    site("2020-06-01.csv", "9,静,2020-06-01,信息审核")
    ingest("s", site("2020-06-08.csv", *ROWS), "test")
    (unchanged,) = retry("s")
    assert (unchanged.state, unchanged.refused_before) == ("unchanged", 3)
    mend(home, '["%Y-%m-%d"]', '["%Y-%m-%d", "%Y/%m/%d"]')
    (done,) = retry("s", "site")
    assert (done.state, done.refused_before, done.stored, done.still_refused, done.why) == ("reread", 3, 2, 1, "1 行：occurred_at 不是时间")
    store = open_store("s")
    assert refused(store).select("rows", "lines").row(0) == (1, [5]) and settled(store) == 2
    assert store.read("quarantine").collect().height == 4  # three, then the one again: nothing is deleted
    assert status(store)["quarantine"] == 1 and quarantine_reasons(store)["rows"].to_list() == [1]
    whole = exports_read(store).row(0, named=True)  # the file read twice counts once, where every row went
    assert (whole["files"], whole["rows_read"], whole["feedback_stored"], whole["rows_quarantined"], whole["rows_repeated"]) == (2, 5, 4, 1, 0)
    mend(home, 'formats: ["%Y-%m-%d", "%Y/%m/%d"]}', 'formats: ["%Y-%m-%d", "%Y/%m/%d"]}\n  title: "CAST(NULL AS VARCHAR)"')
    assert (retry("s")[0].stored, retry("s")[0].state) == (0, "unchanged")
    assert [r.state for r in retry("s")] == ["unchanged"] and refused(open_store("s"))["rows"].to_list() == [1]


def test_a_mended_contract_read_by_the_next_ingest_counts_as_well(site, home):
    folder = site("2020-06-08.csv", *ROWS[:3])
    ingest("s", folder, "test")
    mend(home, '["%Y-%m-%d"]', '["%Y-%m-%d", "%Y/%m/%d"]')
    ingest("s", folder)
    assert refused(open_store("s")).is_empty() and settled(open_store("s")) == 2 and retry("s") == []


def test_a_mended_file_of_the_same_name_settles_the_old_one(site):
    ingest("s", site("2020-06-08.csv", *ROWS), "test")
    folder = site("2020-06-08.csv", *(row.replace("/", "-").replace("八月", "2020-06-07") for row in ROWS))
    ingest("s", folder)
    assert refused(open_store("s")).is_empty() and open_store("s").read("feedback").collect().height == 4


def test_an_export_that_is_no_longer_there_is_said(site, home):
    folder = site("2020-06-08.csv", *ROWS)
    ingest("s", folder, "test")
    (folder / "site" / "2020-06-08.csv").unlink()
    mend(home, '["%Y-%m-%d"]', '["%Y-%m-%d", "%Y/%m/%d"]')
    assert [r.state for r in retry("s")] == ["gone"] and refused(open_store("s"))["rows"].sum() == 3
