"""数据体检 on what was removed and what is late: the direction is computed, the small are withheld, a hostile name is escaped."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.measure.analyses.removed import LATE, REMOVED
from voc_lib.report.markup import block_html
from voc_lib.report.removed import say_late, say_removed, table_late, table_removed

TITLES = {"app": "应用商店", "x": "<img src=x onerror=alert(1)>"}


def row(tilt, kept=0.475, gone=0.17, channel="app", product=None, **more):
    numbers = {"people": 1_000, "rows_share": 0.24, "deleted_share": 0.22, "deleted_low": 0.2, "deleted_high": 0.24, "kept_share": kept, "kept_low": 0.4, "kept_high": 0.5,
               "gone_share": gone, "gone_low": 0.1, "gone_high": 0.2, "whole_share": 0.35, "difference": kept - gone if kept is not None and gone is not None else None}
    return {"channel": channel, "product": product, "tilt": tilt} | numbers | more


def frame(*rows):
    return pl.DataFrame(list(rows), schema=REMOVED)


@pytest.mark.parametrize(("given", "said"), [
    (row("more"), "应用商店：平台删去了 24% 的反馈；按人算，留下的里低分 47.5%，删去的里 17%：只看留下的会高估低分（合在一起是 35%）。"),
    (row("fewer", 0.1, 0.3), "应用商店：平台删去了 24% 的反馈；按人算，留下的里低分 10%，删去的里 30%：只看留下的会低估低分（合在一起是 35%）。"),
    (row("within_error", 0.3, 0.31), "差别在误差范围内，看不出删评让画面偏向哪一边。"),
    (row("too_small", 0.3, 0.31), "差别太小，不影响判断。"),
    (row("suppressed", 0.3, None, whole_share=None), "应用商店：平台删去了 24% 的反馈；打过分的人在留下或删去的一边不足10人，看不出偏向哪一边。"),
    (row("suppressed", 0.3, None, deleted_share=0.0, rows_share=0.0), "应用商店：没有反馈被平台删除。"),
    (row("suppressed", None, None, deleted_share=None), "应用商店：不足10人，不说删评。"),
])
def test_the_sentence_says_how_much_is_gone_and_which_way_it_tilts(given, said):
    assert str(say_removed(frame(given), TITLES)).endswith(said)


def test_the_product_that_tilts_most_is_named_where_there_are_several():
    told = str(say_removed(frame(row("more"), row("fewer", 0.2, 0.3, product="甲"), row("more", 0.6, 0.2, product="乙")), TITLES))
    assert told.count("平台删去了") == 2 and "其中乙" in told
    assert "没有一个来源标明" in str(say_removed(frame())) and table_removed(frame()).description["kind"] == "note"


def test_the_table_withholds_the_small_and_escapes_names():
    block = table_removed(frame(row("suppressed", 0.3, None, channel="x", whole_share=None), row("more", channel="x", product="<b>")), TITLES)
    first, second = block.description["rows"]
    assert [cell["text"] for cell in first[1:]] == ["1,000", "24%", "22%", "30%", "不足10人", "—", "打分的人太少"] and second[0]["text"] == "　<b>" and second[-1]["text"] == "↑ 高估低分"
    drawn = block_html(block.description)
    assert "<img" not in drawn and "<b>" not in drawn


def test_what_is_late_is_said_with_the_slowest_first():
    rows = [("app", 100, 5, 20, 0.2, 3.0), ("x", 50, 0, 0, 0.0, 1.0), ("site", 4, 9, None, None, None)]
    found = pl.DataFrame(rows, schema=LATE, orient="row")
    assert str(say_late(found, TITLES, 14)).startswith("晚于 14 天才到的反馈：应用商店 20%。")
    assert "没有一条晚于 14 天才到" in str(say_late(found.filter(pl.col("channel") == "x"))) and "不到 10 条" in str(say_late(found.filter(pl.col("channel") == "site")))
    cells = [[cell["text"] for cell in line] for line in table_late(found, TITLES).description["rows"]]
    assert cells[0][1:] == ["100", "20", "20%", "3.0", "5"] and cells[2][1:] == ["4", "—", "—", "—", "9"]
