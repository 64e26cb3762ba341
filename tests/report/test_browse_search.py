"""Leafing and searching: text stays text in both worlds, keys of persons stay inside, few are not counted aloud."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from voc_lib.report.browse import browse
from voc_lib.report.guide import say_dates, say_top_codes, status_store, table_notebooks
from voc_lib.report.markup import MIME, block_html
from voc_lib.report.search import bars_or_note, cards_found, say_found, say_ratings

HOSTILE = "</script><img src=x onerror=window.pwned=1>"


def feedback(count, words="空调响"):
    return pl.DataFrame({
        "feedback_id": [f"f{at:04d}" for at in range(count)], "channel": ["app"] * count, "person": [f"secret-person-{at}" for at in range(count)],
        "author_key": ["secret-author"] * count, "verbatim": [words] * count, "followup": [None] * count, "rating": [None] * count, "product": ["A7\u202e"] * count,
        "codes": [["空调-运转-异响"]] * count, "local_date": [dt.date(2026, 11, 1) + dt.timedelta(days=at % 9) for at in range(count)],
        "iso_week": ["undated"] * count}, schema_overrides={"followup": pl.String, "rating": pl.Float64})


def test_the_page_gets_our_table_of_the_newest_rows_and_the_lab_a_table_to_search():
    bundle = browse(feedback(30), {"app": "应用商店"})._repr_mimebundle_()
    block = bundle[MIME]
    assert block["kind"] == "table" and len(block["rows"]) == 20 and "共 30 条" in block["note"] and "JupyterLab" in block["note"]
    assert [column["title"] for column in block["columns"]] == ["日期", "渠道", "产品", "问题", "原话"]    # nobody rated, nobody followed up
    assert [cell["text"] for cell in block["rows"][0]] == ["11月9日", "应用商店", "A7", "空调·运转异响", "空调响"]
    assert "itables" in bundle["text/html"] and "itables" not in block_html(block) and json.dumps("检索：") in bundle["text/html"]


def test_no_markup_of_strangers_and_no_key_of_a_person_reaches_either():
    bundle = browse(feedback(3, HOSTILE))._repr_mimebundle_()
    lab = bundle["text/html"]
    assert "<img src=x" not in lab and "&lt;img src=x onerror" in lab
    assert HOSTILE in bundle[MIME]["rows"][0][-1]["text"] and "<img" not in block_html(bundle[MIME])
    for world in (lab, json.dumps(bundle[MIME], ensure_ascii=False)):
        assert "secret-" not in world and "\u202e" not in world and "\\u202e" not in world


def test_nothing_is_loaded_from_the_network():
    lab = browse(feedback(3))._repr_mimebundle_()["text/html"]
    assert "cdn." not in lab and "unpkg" not in lab.replace("unpkg.com/browse", "") and 'src="http' not in lab


def test_nothing_found_is_a_sentence():
    assert browse(feedback(1).clear()).description["note"] == "没有符合条件的反馈。"


@pytest.mark.parametrize(("count", "shown"), [(9, ["不足10人", "不足10人", "2"]), (10, ["10", "10", "2"]), (0, ["0", "0", "0"])])
def test_cards_do_not_count_few(count, shown):
    found = feedback(count)
    assert [item["text"] for item in cards_found(found, found.head(2))] == shown


def test_the_sentence_tells_the_filters_that_were_set_and_what_was_left_out():
    drawn = feedback(2).with_columns(skipped_empty=pl.lit(3), skipped_template=pl.lit(0))
    assert str(say_found(feedback(20), drawn, feedback(100), 词="异响", 产品="", 地区="华东")) == \
        "条件：词「异响」、地区「华东」。找到 20 人，占听到的 100 人的 20%。其中 3 条没有写字，不参加抽签。"
    assert "占" not in str(say_found(feedback(9), drawn, feedback(100)))
    assert "没有找到不等于" in str(say_found(feedback(1).clear(), drawn.clear(), feedback(100), 词="x"))
    assert "都没有写字" in str(say_found(feedback(20), drawn.clear(), feedback(20)))
    assert str(say_ratings([1.0, 2.0])).startswith("评分在 1.0 到 2.0 之间") and "没有评分的也在内" in str(say_ratings([0.0, 5.0]))


def test_bars_or_note(estimates):
    assert bars_or_note(estimates(A=0.2), "太少").description["kind"] == "chart"
    assert bars_or_note(estimates(A=None), "太少").description["runs"] == [["太少", ""]]


def test_what_no_date_means_is_said():
    assert str(say_dates(feedback(1200))).startswith("这 1,200 条反馈都没有日期：分不出哪一周")
    mixed = feedback(10).with_columns(iso_week=pl.Series(["2026-W46"] * 7 + ["undated"] * 3))
    assert "其中 3 条没有日期" in str(say_dates(mixed)) and "还没有" in str(say_dates(mixed.clear()))


def test_top_codes_are_told_with_their_shares(estimates):
    shares = estimates("code", "code_share", **{"空调-运转-异响": 0.3, "制动-刹车-异响": 0.4, "x-y-z": None})
    assert str(say_top_codes(shares)) == "听到的人里，提得最多的是制动·刹车异响（40%）、空调·运转异响（30%）。"
    assert "没有一个问题" in str(say_top_codes(shares.tail(1)))


def test_the_guide_lists_the_notebooks_as_they_title_themselves(home):
    (home / "notebooks" / "made.ipynb").write_text(json.dumps({"cells": [{"source": ["# 新的一页\n", "\n", "问什么？"]}]}), "utf-8")
    rows = {row[0]["text"]: (row[1]["text"], row[2]["text"]) for row in table_notebooks().description["rows"]}
    assert rows["新的一页"] == ("问什么？", "voc report made") and "用户原声" in rows and not any("样板" in title for title in rows)


def test_the_status_of_a_store_says_that_there_are_no_dates():
    class Shelf:
        name, snapshot = "bank", "000002"

    items = status_store(Shelf(), feedback(5)).description["items"]
    assert items[-1] == {"label": "时间", "text": "! 没有日期", "tone": "worse"}
