"""Blocks of the page 主题: hand-countable frames, small topics withheld, hostile names escaped."""

from datetime import UTC, datetime

import polars as pl
import pytest

from voc_lib.report.markup import block_html
from voc_lib.report.topic_ledger import (
    chart_ledger_map, chart_model_changed, chart_systems, count_told, people_by_topic, quote_changes, say_ledger, say_model_changed, table_events, table_model_changed)

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def topics():
    return pl.DataFrame({"topic_id": ["T0001", "T0002", "T0003"], "name": [HOSTILE, "空调、霉味", "广告"], "label": [f"T0001 {HOSTILE}", "T0002 空调、霉味", "T0003 广告"],
                         "system": ["制动", "空调", None], "x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 2.0], "is_noise": [False, False, True], "version": ["topics-1-abc"] * 3})


@pytest.fixture
def told(topics):
    """Twelve people on T0001, one of them twice; three on T0002; one text below its threshold, one without words."""
    rows = [("T0001", f"p{at % 12}", True) for at in range(13)] + [("T0002", f"q{at}", True) for at in range(3)] + [("T0002", "r", False), (None, "s", None)]
    labels = dict(topics.select("topic_id", "label").iter_rows())
    return pl.DataFrame({
        "feedback_id": [f"f{at}" for at in range(len(rows))], "topic_id": [topic for topic, _, _ in rows], "topic": [labels.get(topic) for topic, _, _ in rows],
        "person": [person for _, person, _ in rows], "is_mapped": [is_mapped for _, _, is_mapped in rows], "similarity": [0.9 - at / 100 for at in range(len(rows))],
        "verbatim": [f"话{at}" for at in range(len(rows))], "codes": [[labels[topic]] if is_mapped else None if topic is None else [] for topic, _, is_mapped in rows]})


def test_people_are_counted_once_and_small_topics_do_not_count(told, topics):
    assert people_by_topic(told).rows() == [(f"T0001 {HOSTILE}", 12, 13), ("T0002 空调、霉味", 3, 3)]
    assert count_told(told) == 1
    said = str(say_ledger(told, topics))
    assert "18 条反馈中，17 条有文字可归类" in said and "2 个主题" in said and "5.9%" in said


def test_charts_leave_small_topics_and_noise_out_and_escape_names(told, topics):
    for chart in (chart_ledger_map(told, topics), chart_systems(told, topics)):
        assert len(chart.figure["data"][0]["x"]) == 1
        assert HOSTILE not in str(chart.figure)
    assert "还没有主题模型" in str(chart_ledger_map(told, topics.clear()).description)


def test_what_the_model_moved_is_said_apart_from_customers():
    changed = pl.DataFrame({"topic_id": ["T0001", "T0002"], "label": ["T0001 刹车", "T0002 空调"], "before": [60, 40], "moved_in": [0, 5], "moved_out": [5, 0], "after": [55, 45], "earlier": [30, 45]})
    assert "5%" in str(say_model_changed(changed))
    rows = table_model_changed(changed).description["rows"]
    assert [[cell["text"] for cell in row] for row in rows] == [["T0001 刹车", "60", "5", "0", "55"], ["T0002 空调", "40", "0", "5", "45"]]
    few = changed.with_columns(before=pl.lit(9), after=pl.lit(4), earlier=pl.lit(2), moved_out=pl.lit(5), moved_in=pl.lit(0))
    assert "rows" not in table_model_changed(few).description and not hasattr(chart_model_changed(few), "figure")
    one = table_model_changed(changed, 1).description
    assert len(one["rows"]) == 1 and "共 2 个" in one["note"]
    chart = chart_model_changed(changed)
    assert [(bar["y"], bar["x"]) for bar in chart.figure["data"]] == [(["T0002 空调", "T0001 刹车"], [0, 25]), (["T0002 空调", "T0001 刹车"], [5, -5])]
    assert "一个版本" in str(chart_model_changed(changed.clear()).description)
    assert "一个版本" in str(table_model_changed(changed.clear()).description) and "只有一个版本" in str(say_model_changed(changed.clear()))


def test_many_births_of_one_fit_are_one_line():
    at = datetime(2026, 11, 2, tzinfo=UTC)
    births = [{"event": number, "at": at, "who": "机器", "action": "birth", "topic_id": f"T{number:04d}", "others": None, "name": None, "why": "9 条文字", "version": "v1"} for number in range(1, 8)]
    last = {"event": 8, "at": at, "who": HOSTILE, "action": "rename", "topic_id": "T0001", "others": None, "name": "刹车", "why": "太长", "version": "v1"}
    block = table_events(pl.DataFrame([last, *births[::-1]]))
    assert [[cell["text"] for cell in row][2:] for row in block.description["rows"]] == [["改名", "T0001，「刹车」", "太长"], ["新生", "T0001—T0007", "7 个主题一起新生"]]
    assert HOSTILE not in block_html(block.description)


def test_quotes_stand_under_the_topics_that_changed(told):
    quoted = quote_changes(told, pl.DataFrame({"code": ["T0002 空调、霉味"]}), 2)
    assert quoted["verbatim"].to_list() == ["话13", "话14"] and set(quoted["code"]) == {"T0002 空调、霉味"}
