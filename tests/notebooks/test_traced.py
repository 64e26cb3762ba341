"""Every number on a page's head opens, and what it opens are the rows that it counts: published, then asked for again as `voc trace` does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import voc_lib as voc
from voc_lib import pipeline
from voc_lib.measure.selections import save_selection
from voc_lib.runs import trace

PAGES = {
    "verbatims": {"weeks": 4, "word": "异响 OR 空调 OR 车"}, "questions": {"find": "车 OR 空调"}, "exploration": {}, "taxonomy_studio": {}, "channels": {},
    "topics": {}, "overview": {}, "journeys": {}, "customer_360": {}, "silent_customers": {},
}
# What a card counts where that is neither the feedback nor the people behind it.
COUNTS_OTHER_THINGS = {"抽出的原声", "主题", "待看的说法", "渠道", "超出误差的差别", "说到的主题", "能归入主题", "超出误差的变化", "说到具体问题的人", "认得出的事", "升级的事", "几件事", "还欠着的", "听到的净推荐值", "折算到全体的净推荐值"}


@pytest.fixture(scope="module")
def desk(explored_world, tmp_path_factory):
    """A small world that pages may be made of, with a saved selection and two labels."""
    folder = shutil.copytree(explored_world, tmp_path_factory.mktemp("traced") / "小 世界")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(folder))
        from voc_lib.enrich.labels import label_feedback
        from voc_lib.store import open_store

        lake = open_store("sample")
        save_selection("空调", "空调", store=lake)
        some = lake.sql("SELECT feedback_id FROM feedback_rows ORDER BY feedback_id LIMIT 11")["feedback_id"].to_list()
        for who, until in (("甲", 11), ("乙", 3)):
            for one in some[:until]:
                label_feedback(lake, one, ["未归类"], who=who)
        yield folder


def published(name: str, **given) -> dict:
    run = pipeline.render(name, {key: str(value) for key, value in given.items()})
    return json.loads((run.page.parent / "manifest.json").read_text("utf-8")) | {"folder": str(run.page.parent)}


@pytest.mark.parametrize("name", PAGES)
def test_every_number_on_the_head_of_a_page_resolves_to_its_rows(desk, name):
    told = published(name, **PAGES[name])
    known = {one["number"]: one for one in told["numbers"]}
    assert {item["name"] for item in told["headline"]} <= set(known)
    for item in told["headline"]:
        _, one, rows = trace(told["folder"], item["name"])
        assert rows.height == one["n"] == known[item["name"]]["n"]
        if one["people"] is None:
            continue
        assert rows["feedback_id"].n_unique() == rows.height and rows["person"].n_unique() == one["people"]
        if item["name"] not in COUNTS_OTHER_THINGS and item["value"] is not None:
            assert item["value"] in (one["n"], one["people"]), item["name"]


def test_a_page_of_a_selection_says_so_and_traces_only_what_it_holds(desk):
    told = published("verbatims", weeks=8, word="", selection="空调")
    page = (Path(told["folder"]) / "index.html").read_text("utf-8")
    assert "只看选取" in page and "检索「空调」" in page and "条件：选取「空调」。" in page
    assert "没有用存好的选取" not in page
    rows = trace(told["folder"], "符合条件的反馈")[2]
    held = voc.feedback("sample", voc.weeks_until("2026-W46", 8), selection="空调")
    assert 10 < rows.height < voc.feedback("sample", voc.weeks_until("2026-W46", 8)).height and rows["feedback_id"].to_list() == held["feedback_id"].sort().to_list()


def test_labels_open_to_the_feedback_that_carries_them(desk):
    told = published("taxonomy_studio")
    value = {item["name"]: item["value"] for item in told["headline"]}
    assert (value["标过的反馈"], value["两人以上标过"]) == (11, 3)
    assert trace(told["folder"], "标过的反馈")[2].height == 11 and trace(told["folder"], "两人以上标过")[2].height == 3


def test_an_exploration_that_could_not_be_kept_is_traced_by_its_rows(desk):
    lake = voc.open_store("sample")
    points, topics = voc.explore(lake, voc.feedback(lake, voc.weeks_until("2026-W46", 8)))
    kept = voc.trace_explored(lake, points, topics)
    lost = voc.trace_explored(lake, points, topics.with_columns(pl.lit("nowhere").alias("exploration")))
    assert [one["n"] for one in kept] == [one["n"] for one in lost] and "explorations" in kept[0]["sql"] and "explorations" not in lost[0]["sql"]
    assert kept[0]["n"] == points.height == kept[1]["n"] + kept[2]["n"]
    assert [one["n"] for one in voc.trace_explored(lake, points.clear(), topics.clear())] == [0, 0, 0]
