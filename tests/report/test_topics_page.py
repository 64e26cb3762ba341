"""The page 大家在说什么: a dot per feedback, a row per topic, a tree without crossings; strangers' words stay words."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from voc_lib.report.markup import block_html
from voc_lib.report.topics import chart_topic_map, chart_topic_tree, count_outside, count_topics, quote_topics, say_topics, table_topics

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def topics():
    """0 and 1 join into 3, then with 2 into 4."""
    rows = [(0, 3, 0.0, 30, "座椅、后排"), (1, 3, 0.0, 12, f"刹车、{HOSTILE}"), (2, 4, 0.0, 9, "导航"), (3, 4, 0.4, 42, "座椅、刹车"), (4, None, 1.0, 51, "")]
    return pl.DataFrame(rows, ["node", "parent", "distance", "documents", "words"], orient="row").with_columns(exploration=pl.lit("abcdef0123456789"))


@pytest.fixture
def points():
    topic = [0] * 30 + [1] * 12 + [2] * 9 + [-1] * 9
    count = len(topic)
    return pl.DataFrame({
        "feedback_id": [f"f{at:02d}" for at in range(count)], "topic": topic, "x": [float(at % 7) for at in range(count)], "y": [float(at % 5) for at in range(count)],
        "probability": [1.0] * count, "text_hash": [str(at) for at in range(count)], "person": [str(at) for at in range(count)], "channel": ["app"] * count,
        "codes": [["座椅-坐垫-硬"] if at % 2 else [] for at in range(count)], "verbatim": [HOSTILE + "太硬"] * count, "followup": [None] * count,
        "product": ["A7"] * count, "region": ["华东"] * count, "local_date": [dt.date(2026, 11, 9)] * count}, schema_overrides={"followup": pl.String})


def test_numbers_and_the_sentence(points, topics):
    assert (count_topics(topics), count_outside(points)) == (3, 9)
    said = str(say_topics(points.vstack(points), points, topics))
    # 60 of 120 texts entered; 9 of 60 in no topic
    assert "所选 120 条反馈中，60 条" in said and "3 个主题" in said and "15% 没有归入" in said and "不能拿来做跨周比较" in said


def test_the_table_withholds_small_topics(points, topics):
    rows = [[cell["text"] for cell in row] for row in table_topics(points, topics).description["rows"]]
    assert [row[2] for row in rows] == ["30", "12", "不足10人"] and [row[4] for row in rows] == ["50%", "50%", "不足10人"]
    assert HOSTILE not in block_html(table_topics(points, topics).description)


def test_the_map_draws_every_point_once_and_escapes_words(points, topics):
    chart = chart_topic_map(points, topics)
    assert sum(len(trace["x"]) for trace in chart.figure["data"]) == 60
    assert "<img" not in json.dumps(chart.figure)
    few = chart_topic_map(points, topics, most=20)
    assert sum(len(trace["x"]) for trace in few.figure["data"]) == 20 and "抽签的 20 条" in few.description["subtitle"]


def test_the_tree_has_a_line_per_join_and_a_name_per_topic(topics):
    chart = chart_topic_tree(topics)
    names = chart.figure["layout"]["yaxis"]["ticktext"]
    assert len(chart.figure["data"]) == 2 and len(names) == 3
    assert abs(names.index(next(n for n in names if n.startswith("0"))) - names.index(next(n for n in names if n.startswith("1")))) == 1    # they join first: neighbours


def test_quotes_stand_under_their_topic(points, topics):
    quoted = quote_topics(points, topics, 1)
    assert quoted["code"].to_list()[0].startswith("主题 0") and quoted.height == 3


def test_nothing_explored_is_a_sentence(points, topics):
    none, empty = points.clear(), topics.clear()
    assert "文字太少" in str(say_topics(points, none, empty)) and chart_topic_map(none, empty).description["kind"] == "note"
    assert table_topics(none, empty).description["kind"] == "note" and chart_topic_tree(empty).description["kind"] == "note"
