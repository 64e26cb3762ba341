"""Shares of opinions on a page: corrected with their interval, or 未经人工抽检."""

import polars as pl

from voc_lib.report.opinions import say_opinions, table_opinions

AUDITED = {"metric": "negative_share", "channel": "app_store", "kind": "heard", "estimate": 0.17, "std_error": 0.03, "conf_low": 0.11, "conf_high": 0.25, "n": 500,
           "effective_n": 150.0, "heard": 0.33, "labels": 100, "note": "…"}
RAW = AUDITED | {"channel": "<b>", "estimate": 0.4, "std_error": None, "conf_low": None, "conf_high": None, "heard": 0.4, "labels": 0}


def words(block):
    return [[cell["text"] for cell in row] for row in block.description["rows"]]


def test_what_was_audited_has_an_interval_and_the_rest_says_so():
    shares = pl.DataFrame([AUDITED, RAW], infer_schema_length=None)
    assert words(table_opinions(shares, {"app_store": "应用商店"})) == [
        ["应用商店", "不满", "17%", "33%", "100", "已按人工标注修正"], ["<b>", "不满", "—", "40%", "—", "未经人工抽检"]]
    said = str(say_opinions(shares, {"app_store": "应用商店"}))
    assert "17%" in said and "未经人工抽检" in said


def test_nothing_audited_and_nothing_judged():
    assert "voc audit" in str(say_opinions(pl.DataFrame([RAW], infer_schema_length=None)))
    none = pl.DataFrame([AUDITED]).clear()
    assert "没有判断过观点" in table_opinions(none).description["note"] and "没有判断过观点" in str(say_opinions(none))


def test_a_channel_of_nine_has_no_share():
    assert words(table_opinions(pl.DataFrame([RAW | {"n": 9}], infer_schema_length=None)))[0][3] != "40%"
