"""A crosstab on the page: number, interval and verdict in every cell, in words and arrows, never by colour alone."""

from __future__ import annotations

import polars as pl

from voc_lib.report.crosstab import MOST_COLUMNS, say_crosstab, table_crosstab


def cells(*rows: tuple) -> pl.DataFrame:
    names = ["code", "channel", "metric", "people", "estimate", "conf_low", "conf_high", "whole", "difference", "p_adjusted", "verdict"]
    return pl.DataFrame(rows, schema=dict(zip(names, [pl.String] * 3 + [pl.Int64] + [pl.Float64] * 6 + [pl.String], strict=True)), orient="row")


HIGH = ("空调-运转-异响", "app", "code_share", 30, 0.3, 0.2, 0.4, 0.2, 0.15, 0.001, "above")
NOISE = ("空调-运转-异响", "forum", "code_share", 20, 0.15, 0.1, 0.2, 0.2, -0.15, 0.2, "within_error")
FEW = ("车机-系统-卡顿", "app", "code_share", None, None, None, None, 0.1, None, None, "suppressed")
OTHER = ("车机-系统-卡顿", "forum", "code_share", 12, 0.1, 0.05, 0.2, 0.1, None, None, "suppressed")
ALONE = ("制动-刹车-异响", "forum", "code_share", None, None, None, None, None, None, None, "suppressed")


def test_every_cell_says_its_number_interval_and_verdict():
    block = table_crosstab(cells(HIGH, NOISE, FEW, OTHER, ALONE), {"app": "应用商店"})
    assert [column["title"] for column in block.description["columns"]] == ["问题", "forum", "应用商店", "全部"]
    first, second = block.description["rows"]
    assert [part["text"] for part in first] == ["空调·运转异响", "15%", "30%", "20%"]
    assert first[1]["small"] == "10%～20%，≈ 在误差范围内" and first[2]["small"] == "20%～40%，↑ 高于其余" and first[2]["tone"] == "strong"
    assert second[2] == {"text": "不足10人", "tone": "suppressed"} and "还有 1 行没有一格满十人" in block.description["note"] and "制动" not in str(block.description["rows"])


def test_a_wide_table_lists_what_stands_apart():
    wide = [("空调-运转-异响", f"c{at}", "code_share", 30, 0.3, 0.2, 0.4, 0.2, 0.15, 0.001, "above" if at == 3 else "within_error") for at in range(MOST_COLUMNS + 1)]
    block = table_crosstab(cells(*wide))
    assert len(block.description["rows"]) == 1 and block.description["rows"][0][1]["text"] == "c3" and "只列超出误差的 1 格" in block.description["note"]


def test_the_sentence_counts_what_was_compared():
    assert str(say_crosstab(cells(HIGH, NOISE, FEW))) == "比较了 2 格，1 格超出误差。差得最远的是空调·运转异响 × app（↑ 高于其余）。"
    assert str(say_crosstab(cells(NOISE))) == "比较了 1 格，没有一格超出误差：看到的差别都可能只是误差。"
    assert str(say_crosstab(cells(FEW))) == "没有一格有足够的人可以比较。" and table_crosstab(cells(FEW)).description["kind"] == "note" and table_crosstab(cells()).description["kind"] == "note"


def test_strangers_words_in_a_segment_are_escaped():
    from voc_lib.report.markup import block_html

    html = block_html(table_crosstab(cells(("<script>x</script>", *HIGH[1:]))).description)
    assert "<script>" not in html and "&lt;script&gt;" in html
