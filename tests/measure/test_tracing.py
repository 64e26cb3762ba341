"""Every number resolves to its rows: the SQL gives the very feedback that the estimator counted."""

import polars as pl
import pytest

import voc_lib as voc
from voc_lib.measure import metrics

WEEK = "2026-W46"


@pytest.fixture
def lake(enriched, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(enriched))
    return voc.open_store("sample")


@pytest.mark.parametrize("name", metrics.metric_names())
def test_the_sql_of_a_metric_gives_the_rows_of_its_estimate(lake, name):
    frame = voc.feedback(lake, WEEK)
    one = voc.trace(lake, frame, name, "数字")
    found = voc.estimate(frame, name)
    rows = lake.sql(one["sql"])
    assert rows.height == one["n"] == found["n"].item() and rows["person"].n_unique() == one["people"] == found["people"].item()
    assert (one["snapshot"], one["store"], one["definition"]) == (lake.snapshot, "sample", metrics.metric(name).definition)


def test_some_channels_and_some_codes(lake):
    whole = voc.feedback(lake, WEEK)
    some = whole["channel"].unique().sort().to_list()[:2]
    frame = whole.filter(pl.col("channel").is_in(some))
    shares = voc.estimate(frame, "code_share", by="code").drop_nulls("people").sort("people", descending=True)
    top = shares.row(0, named=True)
    one = voc.trace(lake, frame, "people", "code:x", [top["code"]])
    assert lake.sql(one["sql"])["person"].n_unique() == one["people"] == top["people"] and f"'{some[0]}', '{some[1]}'" in one["sql"]
    two = shares["code"].head(2).to_list()
    assert voc.trace(lake, frame, "people", "两个", two)["people"] >= one["people"]
    assert voc.trace(lake, frame, "people", "没有", [])["n"] == 0


def test_voices_are_drawn_by_lot_one_a_person_and_none_of_a_small_group(lake):
    frame = voc.feedback(lake, WEEK)
    drawn = voc.trace(lake, frame, "people", "听到的人")["sample"]
    assert 10 <= drawn.height <= 20 and drawn["person"].n_unique() == drawn.height
    assert drawn.equals(voc.trace(lake, frame.reverse(), "people", "听到的人")["sample"])
    rare = voc.estimate(frame, "code_share", by="code").filter(pl.col("people").is_null())["code"][0]
    assert voc.trace(lake, frame, "people", "少", [rare])["sample"].is_empty()


def test_a_number_that_cannot_be_traced_is_refused(lake):
    frame = voc.feedback(lake, WEEK)
    with pytest.raises(ValueError, match="「华东」追溯不到原始反馈：数字来自 .* 条，查询给出 .* 条"):
        voc.trace(lake, frame.head(3), "people", "华东")


def test_a_voice_is_found_by_the_first_figures_of_its_id(lake):
    from voc_lib.measure.tracing import find_feedback

    whole = voc.feedback(lake, WEEK)["feedback_id"][0]
    assert find_feedback(lake, whole[:12])["feedback_id"] == whole
    assert find_feedback(lake, "") is None and find_feedback(lake, "zz") is None
