"""各渠道对照 on a page: numbers where they may be told, words where they may not, one hostile name."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.report.channels import chart_channel_codes, count_apart, say_channel_codes, say_overlap, table_channel_codes, table_overlap
from voc_lib.report.markup import block_html

TITLES = {"app": "应用商店", "site": "<img src=x onerror=alert(1)>"}
NUMBERS = dict.fromkeys(("estimate", "conf_low", "conf_high", "others", "difference", "p_adjusted"), pl.Float64)
OVERLAP = {"channel": pl.String, "channel_other": pl.String, "people": pl.Int64, "people_other": pl.Int64, "both": pl.Int64, "share": pl.Float64,
           "share_other": pl.Float64, "note": pl.String}


@pytest.fixture
def cells():
    names = ["code", "channel", "heard", "people", "estimate", "conf_low", "conf_high", "others", "difference", "p_adjusted", "verdict"]
    rows = [("车机-系统-卡顿", "app", 160, 40, 0.25, 0.19, 0.32, 0.05, 0.2, 0.001, "above"), ("车机-系统-卡顿", "site", 90, 0, 0.0, 0.0, 0.04, None, None, None, "below"),
            ("制动-刹车-异响", "app", 160, None, None, None, None, None, None, None, "unread"), ("制动-刹车-异响", "site", 90, None, None, None, None, None, None, None, "within_error")]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"heard": pl.Int64, "people": pl.Int64} | NUMBERS, orient="row")


def test_the_chart_draws_what_may_be_told_and_says_the_rest(cells):
    chart = chart_channel_codes(cells, TITLES)
    app_dots, app_words, site_dots, site_words = chart.figure["data"]
    assert app_dots["x"] == [25.0, None] and site_dots["x"] == [0.0, None]
    assert app_words["text"] == ["<b>25% ↑</b>", "—"] and site_words["text"] == ["<b>0% ↓</b>", "不足10人"]
    assert [round(x, 6) for x in app_dots["error_x"]["array"]] == [7.0, 0] and [round(x, 6) for x in app_dots["error_x"]["arrayminus"]] == [6.0, 0]
    assert chart.figure["layout"]["xaxis"]["range"] == chart.figure["layout"]["xaxis2"]["range"]    # one scale
    labels = " ".join(note["text"] for note in chart.figure["layout"]["annotations"])
    assert "<img" not in labels and "&lt;img" in labels and "160 人" in labels and "车机·系统卡顿" in labels


def test_at_most_five_channels_are_drawn_and_the_others_named(cells):
    many = pl.concat([cells.filter(pl.col("channel") == "app").with_columns(channel=pl.lit(f"c{at}"), heard=pl.lit(100 - at)) for at in range(7)])
    chart = chart_channel_codes(many)
    assert len(chart.figure["data"]) == 10 and chart.description["note"] == "还有c5、c6，见下表。"
    assert chart_channel_codes(cells.clear()).description["kind"] == "note"


def test_the_table_has_intervals_people_and_escapes_titles(cells):
    block = table_channel_codes(cells, TITLES).description
    app, site = block["rows"][0][1:]
    assert app == {"text": "25% ↑", "tone": "strong", "small": "19%～32% · 40 人"} and site["small"] == "0%～4% · 0 人"
    assert [cell["text"] for cell in block["rows"][1][1:]] == ["—", "不足10人"]
    assert "<img" not in block_html(block)


def test_the_sentence_names_the_largest_difference_and_where_it_may_come_from(cells):
    said = str(say_channel_codes(cells, TITLES))
    assert "车机·系统卡顿：应用商店的人里 25% 提到，其他渠道 5%" in said and "比较了 3 处，2 处超出误差" in said and "没有人工抽检" in said
    assert count_apart(cells) == 2
    assert str(say_channel_codes(cells.filter(pl.col("verdict") == "within_error"))) == "比较了 1 处，没有一处渠道之间的差别超出误差。"
    assert "太少" in str(say_channel_codes(cells.clear()))


def test_overlap_is_a_count_a_withheld_count_or_unknown():
    rows = [("app", "site", 20, 0, None, None, None, "不给任何身份线索"), ("app", "shop", 20, 40, 12, 0.6, 0.3, ""), ("shop", "tel", 40, None, None, None, None, "不足10人，不单列")]
    overlap = pl.DataFrame(rows, schema=OVERLAP, orient="row")
    block = table_overlap(overlap, {"shop": "商城"}).description
    assert [[cell["text"] for cell in row] for row in block["rows"]] == [["app", "商城", "12 人", "60%", "30%"], ["商城", "tel", "不足10人", "—", "—"]]
    assert "site没有别的渠道也有的线索" in str(say_overlap(overlap)) and "app没有" not in str(say_overlap(overlap))
    assert table_overlap(overlap.head(1)).description["kind"] == "note" and "只有一个渠道" in str(say_overlap(overlap.clear()))


def test_with_many_channels_only_what_stands_apart_is_listed(cells):
    many = pl.concat([cells.filter(pl.col("channel") == "app").with_columns(channel=pl.lit(f"c{at}"), difference=pl.lit(at / 10)) for at in range(7)])
    rows = [[cell["text"] for cell in row] for row in table_channel_codes(many).description["rows"]]
    # Seven channels, each with one code above the others and one that it is not read for; the largest difference first.
    assert [row[1] for row in rows] == ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]
    assert rows[0] == ["车机·系统卡顿", "c6", "25% ↑", "5%", "↑ 高于其他渠道"]
    quiet = many.with_columns(verdict=pl.lit("within_error"))
    assert table_channel_codes(quiet).description["rows"] == [] and "没有一处" in table_channel_codes(quiet).description["note"]
