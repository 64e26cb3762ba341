"""Pairs of codes told otherwise than before, counted by hand; the week it began; and nothing where nothing changed."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.told import told_otherwise

LEAK, SQUEAK, LIGHT = "制动-油管-渗漏", "制动-踏板-异响", "灯光-大灯-不亮"
APART, BOTH = [[LEAK], [SQUEAK]], [[LEAK, SQUEAK]]


def said(*weeks):
    """`said` from what was told week by week: W01, W02, ..."""
    texts = [(f"2026-W{at:02}", codes) for at, week in enumerate(weeks, 1) for codes in week]
    return pl.DataFrame([(f"{row:05}", week, code) for row, (week, codes) in enumerate(texts) for code in codes], schema=dict.fromkeys(("text_hash", "iso_week", "code"), pl.String), orient="row")


def test_codes_that_grew_together_with_the_week_and_the_counts():
    (told,) = told_otherwise(said(APART * 15 + [[LEAK]], APART * 5, BOTH * 4, BOTH * 4 + APART), "2026-W01")
    assert (told.rarer, told.common, told.is_apart, told.since) == (SQUEAK, LEAK, False, "2026-W03")
    assert told.counts.tolist() == [[0, 20], [8, 1]]
    assert str(told) == f"「{SQUEAK}」以前少与「{LEAK}」一起说（0 / 20），2026-W03 以来多一起说（8 / 9）"


def test_codes_that_grew_apart():
    (told,) = told_otherwise(said(BOTH * 20, APART * 10 + [[LEAK]]), "2026-W01")
    assert told.is_apart and told.counts.tolist() == [[20, 0], [0, 10]] and "多与" in str(told) and "分开说（0 / 10）" in str(told)


@pytest.mark.parametrize("weeks", [
    (APART * 20, APART * 10),  # as before
    (APART * 20, BOTH * 4),  # four texts tell nothing
    (APART * 20, APART * 6 + BOTH * 4),  # less than half of them
    (APART * 20 + BOTH * 10, BOTH * 20),  # a third were told together before
    (APART * 7, BOTH * 8),  # a code with 15 texts is not common enough
    (APART * 20, APART * 20, BOTH * 20),  # since before the last fit: no news
    ([[LEAK], [LIGHT]] * 20, [[LEAK, LIGHT]] * 20),  # of two systems
    ([[LEAK], ["制动-刹车-评价"]] * 20, [[LEAK, "制动-刹车-评价"]] * 20),  # a mere mention
])
def test_what_is_no_news(weeks):
    assert told_otherwise(said(*weeks), "2026-W03" if len(weeks) == 3 else "2026-W01") == []
    assert told_otherwise(said(), "2026-W01") == []


def test_texts_that_keep_their_codes_and_lose_their_weeks_hardly_ever_look_like_news():
    lots = np.random.default_rng(7)
    codes = [f"制动-部件-{letter}" for letter in "甲乙丙丁戊己庚辛"]
    texts = [sorted(set(lots.choice(codes, 2))) for _ in range(400)]
    begun = [told_otherwise(said(*np.array_split(np.array(texts, dtype=object)[lots.permutation(400)], 12)), "2026-W08") for _ in range(20)]
    assert sum(map(bool, begun)) <= 1


def test_it_needs_more_texts_where_more_pairs_are_asked_about():
    weeks = (APART * 12, [[LEAK]] * 2 + [[SQUEAK]] * 1 + BOTH * 4)
    assert len(told_otherwise(said(*weeks), "2026-W01")) == 1  # 4 of 5 after 0 of 12: p = .002
    many = [[f"灯光-部件-{at}"] for at in range(12)] * 16  # 66 more pairs, none of which changed
    assert told_otherwise(said(weeks[0] + many, weeks[1]), "2026-W01") == []
