"""Sentences about what the silent could change, over their whole range; nothing printed of a problem claims a share of customers."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting import changes, sensitivity, unsolicited
from voc_lib.measure.weighting.unsolicited import problem_floor
from voc_lib.report.sensitivity import (
    say_change_sensitivity,
    say_odds_from_posts,
    say_problem_floor,
    say_sensitivity,
    say_silent_mean,
    say_tipping,
    table_benchmarks,
    table_sensitivity,
    times_text,
)

SIZES = [1, 9, 10, 12_345, 3_000_000_000]
ODDS = [1.0, 1.0001, 1.1, 1.5, 2.0, 9.996, 37.4, 12_345.0, 1e12, math.inf]
POINTS = [-100.0, -0.001, 0.0, 0.004, 3.333, 10.0, 100.0]
SHARES = [0.0, 1e-6, 0.0004, 0.05, 0.5, 0.9996, 1.0]
UNITS = [("points", POINTS), ("share", SHARES)]


@pytest.fixture
def law(good):
    """The laws of a printed sentence and those of a page: it ends, names no group under ten by its size."""
    def lawful(sentence):
        text = good(str(sentence))
        assert text.endswith("。") and not re.search(r"(?<![\d,.～])[1-9] 人", text), text
        return text
    return lawful


def row(schema, **columns):
    return pl.DataFrame([{name: columns.get(name) for name in schema}], schema=schema)


@pytest.mark.parametrize(("unit", "values"), UNITS)
def test_the_range_in_words(law, unit, values):
    for n, odds, low, high in itertools.product(SIZES, ODDS[::2] + ODDS[-1:], [*values, None], [*values[::3], None]):
        for known in (True, False):
            found = row(sensitivity.FIGURES, odds=odds, low=low, high=high, conf_low=low if known else None, conf_high=high, n=n)
            text = law(say_sensitivity(found, "平均分", unit, odds if odds < math.inf else 1.5))
            assert ("不足10人" in text) == (n < 10 and odds < math.inf)
            assert ("之间" in text) == (n >= 10 and 1.005 < odds < math.inf and low is not None and high is not None), text


def test_the_range_as_it_is_read(law):
    found = row(sensitivity.FIGURES, odds=1.5, low=5.1056, high=6.4268, conf_low=5.074, conf_high=6.4643, n=20_044)
    assert law(say_sensitivity(found, "平均分")) == "若同类客户中不满意者开口的优势（odds）偏离平均不超过 1.5 倍，全体客户的平均分在 5.11～6.43 之间（连同抽样误差 5.07～6.46）。"
    assert law(say_sensitivity(found, "平均分", odds=2)) == "平均分：没有按 2 倍算过沉默的影响。"


@pytest.mark.parametrize(("unit", "values"), UNITS)
def test_the_tipping_point_in_words(law, unit, values):
    for n, odds, estimate, threshold in itertools.product(SIZES[1:4], ODDS, [*values, None], values[::2]):
        for margin, better in itertools.product((None, 0.0, 0.2), (True, False)):
            ends = {} if margin is None or estimate is None else {"conf_low": estimate - margin, "conf_high": estimate + margin}
            text = law(say_tipping(row(sensitivity.TIPPING, estimate=estimate, threshold=threshold, odds=odds, n=n, **ends), "NPS", "去年的", unit, better))
            if n >= 10 and estimate is not None and estimate != threshold and not (ends and abs(estimate - threshold) <= margin):
                assert ("无论" in text) == (odds == math.inf) and ("除非" in text) == (1.005 < odds < math.inf), text
                assert ("高于" in text) == (estimate > threshold) and ("更爱" in text) == ((estimate < threshold) == better and odds < math.inf), text
            else:
                assert "除非" not in text and "无论" not in text


def test_the_tipping_point_as_it_is_read(law):
    found = row(sensitivity.TIPPING, estimate=5.762, conf_low=5.729, conf_high=5.796, threshold=6.0, odds=1.1512, n=20_044)
    assert law(say_tipping(found, "平均分", "去年的")) == "除非同类客户中不满意者开口的优势（odds）偏离平均 1.15 倍以上（更爱开口），平均分 5.76，低于去年的 6.00。"


@pytest.mark.parametrize(("unit", "values"), UNITS)
def test_what_the_silent_would_have_to_think_in_words(law, unit, values):
    for n, share, needed, side, possible in itertools.product(SIZES, [1e-9, 0.1, 0.9999999, 1.0], [*values, -1e6, None], ("below", "above", None), (True, False)):
        possible = possible and needed != -1e6  # outside of any scale
        found = row(sensitivity.NEEDED, estimate=values[2], threshold=values[3], speaking_share=share, silent_mean=needed, silent_estimate=needed, side=side, possible=possible, n=n)
        text = law(say_silent_mean(found, "满意度", unit=unit))
        assert ("才会推翻" in text) == (n >= 10 and needed is not None and side is not None and possible), text


def test_what_the_silent_would_have_to_think_as_it_is_read(law):
    found = row(sensitivity.NEEDED, estimate=5.76, threshold=6.0, speaking_share=0.1, silent_mean=6.109, silent_estimate=5.84, side="above", possible=True, n=20_044)
    assert law(say_silent_mean(found, "平均分")) == "全体客户的平均分低于目标 6.00；沉默客户的均值须高于 6.11 才会推翻，没有开口的占 90%。按权重估计他们现在是 5.84。"


@pytest.mark.parametrize(("unit", "values"), UNITS)
def test_a_change_in_words(law, unit, values):
    for n, low, width, slack, drifts in itertools.product(SIZES, [*values, *(-value for value in values)], (0.0, 0.01), (0.0, 0.02), ([1.0], [1.0, 1.1, 1.5], [1.2, 2.0])):
        rows = [row(changes.FIGURES, odds=drift, low=low - slack * at, high=low + width + slack * at, conf_low=low - slack * at - 0.001, conf_high=low + width + slack * at + 0.001, n=n, n_before=12_345)
                for at, drift in enumerate(drifts)]
        text = law(say_change_sensitivity(pl.concat(rows), "满意度", unit))
        assert ("站得住" in text) == (n >= 10 and (low > 0.001 or low + width < -0.001)), text
    law(say_change_sensitivity(row(changes.FIGURES, odds=1.0, n=10, n_before=10), "满意度", unit))
    law(say_change_sensitivity(row(changes.FIGURES, n=10, n_before=10).clear(), "满意度", unit))


def test_a_change_as_it_is_read(law):
    rows = [row(changes.FIGURES, odds=odds, low=0.3 - at, high=0.4 + at, conf_low=0.25 - at, conf_high=0.45 + at, n=500, n_before=500) for odds, at in ((1.0, 0.0), (1.1, 0.2), (1.25, 0.3))]
    start = "若两期里谁更爱开口没有变，满意度的变化在 +0.30～+0.40 之间（连同抽样误差 +0.25～+0.45），"
    assert law(say_change_sensitivity(pl.concat(rows), "满意度")) == start + "上升站得住；漂移到 1.1 倍仍然成立，到 1.25 倍就说不准。"
    assert law(say_change_sensitivity(pl.concat([rows[0], rows[2]]), "满意度")) == start + "上升站得住；漂移到 1.25 倍就说不准。"


@pytest.mark.parametrize("people", [0, 1, 9, 10, 12_345, 99_999_500])
def test_the_floor_of_a_problem_in_words(law, people):
    for base, precision, claim in itertools.product((1e9, 3e10), (None, 0.0, 0.8, (0.8, 0.7, 0.9), 1.0), (None, 0.0, 1e-5, 50.0, 9_999.0)):
        found = problem_floor(people, base, precision, claim, people * 2)
        text = law(say_problem_floor(found, "方向盘抖动", "vehicles"))
        assert not re.search(r"%|百分|比例|客户.{0,4}(遇到|有)|占", text), text
        assert "下限" in text or people < 10


@pytest.mark.parametrize("times", [3, 30])
def test_nothing_printed_of_a_planted_problem_claims_a_share_of_customers(law, times):
    """A problem of 2 % of the customers, whose owners speak at 3 and 30 times the odds of the others."""
    lots = np.random.default_rng(times)
    affected = lots.random(400_000) < 0.02
    odds = 0.01 * np.where(affected, times, 1)
    spoke = lots.random(len(affected)) < odds / (1 + odds)
    people, speakers = int((affected & spoke).sum()), int(spoke.sum())
    found = problem_floor(people, len(affected), (0.9, 0.85, 0.95), 200, speakers)
    assert found["floor"].item() < 200 and found["odds"].item() < times  # the floor is one; what was planted is within the tipping odds
    text = law(say_problem_floor(found, "方向盘抖动", "vehicles"))
    assert "这只是下限" in text and not re.search(r"%|百分|比例|占|客户", text)


def test_posts_and_tables_in_words(law):
    for ratio, n in itertools.product([0.001, 0.5, 1.0, 3.22, 30.0, 12_345.0], SIZES[2:]):
        for width in (1.0001, 2.0, 100.0):
            found = row(unsolicited.POSTS, odds_ratio=ratio, conf_low=ratio / width, conf_high=ratio * width, odds=max(ratio, 1 / ratio), n=n)
            assert ("看不出差别" in law(say_odds_from_posts(found))) == (ratio / width <= 1 <= ratio * width)
    law(say_odds_from_posts(row(unsolicited.POSTS, n=12)))
    found = pl.concat([row(sensitivity.FIGURES, odds=odds, low=1.0, high=2.0, conf_low=0.9, n=n) for odds in ODDS for n in SIZES])
    shown = table_sensitivity(found).description["rows"]
    assert [cells[1]["text"] for cells in shown[:3]] == ["不足10人", "不足10人", "1.00～2.00"] and shown[-1][0]["text"] == "不论多少倍"
    assert table_sensitivity(found.clear()).description["kind"] == "note"
    bench = pl.DataFrame({"variable": ["地区", "车型"], "r2_benchmark": [0.2, 0.1], "rho_benchmark": [0.3, 0.0], "bias": [-0.031, 0.0], "times_to_threshold": [2.5, math.inf], "note": [None, None]})
    assert [[cell["text"] for cell in cells] for cells in table_benchmarks(bench, "share").description["rows"]] == [["地区", "−3.1 个百分点", "2.5 倍", "0.20", "0.30"], ["车型", "0.0 个百分点", "到不了", "0.10", "0.00"]]
    assert times_text(None) == "—"
