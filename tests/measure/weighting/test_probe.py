"""Probes: sizes by hand, what an answer at call-back stands for, the tilt of those who never answer, and how often the range has the truth."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.probe import probe_estimate, probe_size


def probe(**groups):
    """`first=[...], call_back=[...]` with scores, `no_answer=3, not_followed=2` with how many."""
    said = [(name, float(score)) for name, scores in groups.items() if isinstance(scores, list) for score in scores]
    quiet = [(name, None) for name, count in groups.items() if isinstance(count, int) for _ in range(count)]
    return pl.DataFrame(said + quiet, schema={"disposition": pl.String, "score": pl.Float64}, orient="row")


def kinds(found):
    return {row["kind"]: row for row in found.iter_rows(named=True)}


def test_the_size_that_everybody_knows():
    # 1.96^2 x .25 / .05^2 = 384.1; with 2,000 in all: 384.1 / (1 + 383.1 / 2,000) = 322.4
    assert probe_size(0.05)["invitations"].item() == 385 and probe_size(0.05, population=2000)["invitations"].item() == 323
    assert probe_size(0.05, design_effect=2)["invitations"].item() == 769 and probe_size(0.2, 2.0)["answers"].item() == 385
    row = probe_size(0.05).row(0, named=True)
    assert row["unheard_share"] == 0 and row["range_margin"] == row["margin"] and row["call_backs"] == 0


def test_invitations_when_few_answer_and_nobody_is_called_again():
    row = probe_size(0.05, contact_rate=0.5, response_rate=0.5, sub_sample=0).row(0, named=True)
    assert (row["invitations"], row["contacts"], row["answers"]) == (1537, 768, 385) and row["unheard_share"] == 0.75
    assert row["range_margin"] == pytest.approx(0.05 + 0.75 * np.log(1.5) / np.sqrt(2 * np.pi))
    assert probe_size(0.2, 2.0, response_rate=0.25, sub_sample=0)["range_margin"].item() == pytest.approx(0.2 + 0.75 * np.log(1.5) * 2)
    assert probe_size(0.05, response_rate=0.25, sub_sample=0, odds_ratio=1)["range_margin"].item() == 0.05


def test_call_backs_by_hand():
    # 40 % at once, all 60 % at call-back, a half called (k = 2): variance S^2/n (1 + (2 - 1) .6): 384.1 x 1.6 = 614.7 to invite; Hansen & Hurwitz
    row = probe_size(0.05, response_rate=0.4, sub_sample=0.5, call_back_rate=1.0).row(0, named=True)
    assert row["invitations"] == 615 and (row["first_answers"], row["call_backs"], row["call_back_answers"]) == (246, 185, 184) and row["unheard_share"] == pytest.approx(0)
    # cheapest: k = sqrt(5 x .4 / 1)
    assert probe_size(0.05, response_rate=0.4, call_back_rate=1.0)["sub_sample"].item() == pytest.approx(1 / np.sqrt(2))


def test_the_cheapest_part_is_the_cheapest():
    def cost(part):
        row = probe_size(0.01, response_rate=0.3, call_back_rate=0.4, call_back_cost=6, sub_sample=part).row(0, named=True)
        return row["invitations"] + 6 * row["call_backs"]

    best = probe_size(0.01, response_rate=0.3, call_back_rate=0.4, call_back_cost=6)["sub_sample"].item()
    assert best == pytest.approx(np.sqrt(0.4 / (6 * 0.3))) and cost(best) <= min(cost(best * 0.8), cost(best * 1.2)) and probe_size(0.05, response_rate=0.05)["sub_sample"].item() == 1


def test_calling_again_makes_the_range_narrower():
    quiet, called = (probe_size(0.1, 2.0, response_rate=0.3, sub_sample=part).row(0, named=True) for part in (0, 0.5))
    assert called["range_margin"] < quiet["range_margin"] and called["unheard_share"] == pytest.approx(0.35)


def test_everybody_answers():
    frame = probe(first=[3, 5, 7, 9])
    found = kinds(probe_estimate(frame, "score"))
    plain = weighted_mean(frame.with_columns(pl.lit(1.0).alias("weight")), "score").row(0, named=True)
    for kind in ("heard", "weighted"):
        assert all(found[kind][name] == pytest.approx(plain[name]) for name in ("estimate", "std_error", "conf_low", "conf_high", "n"))
    assert found["range"]["estimate"] is None and (found["range"]["conf_low"], found["range"]["conf_high"]) == (pytest.approx(plain["conf_low"]), pytest.approx(plain["conf_high"]))
    assert found["range"]["unheard_share"] == 0 and found["range"]["odds_ratio"] == 1.5 and found["weighted"]["odds_ratio"] is None


def test_who_is_called_stands_for_those_who_are_not():
    # 12 at once with 8; of 24 others 12 called, 10 answer with 5, 2 do not: (12 x 8 + 24 x 5) / 36 = 6
    found = kinds(probe_estimate(probe(first=[8] * 12, call_back=[5] * 10, no_answer=2, not_followed=12), "score"))
    assert found["heard"]["estimate"] == pytest.approx((12 * 8 + 10 * 5) / 22) and found["weighted"]["estimate"] == pytest.approx(6)
    assert found["range"]["unheard_share"] == pytest.approx(24 * 2 / 12 / 36) and found["weighted"]["note"] is None


def test_those_who_never_answer_are_tilted():
    # 8 zeros and 8 tens answer, as many do not; at odds 1.5 per s.d. (5 points) the silent tens weigh 1.5^-1, the zeros 1.5: share of tens 1/(1 + 2.25)
    frame, wide = probe(first=[0, 10] * 800, not_followed=1600), 1.5
    found = kinds(probe_estimate(frame, "score", odds_ratio=wide))
    low, high = 0.5 * 5 + 0.5 * 10 / (1 + wide**2), 0.5 * 5 + 0.5 * 10 * wide**2 / (1 + wide**2)
    assert found["range"]["conf_low"] == pytest.approx(low - 1.96 * 0.125, abs=0.02) and found["range"]["conf_high"] == pytest.approx(high + 1.96 * 0.125, abs=0.02)
    assert found["weighted"]["estimate"] == pytest.approx(5)
    alone = kinds(probe_estimate(frame, "score", odds_ratio=1))
    assert (alone["range"]["conf_low"], alone["range"]["conf_high"]) == (alone["weighted"]["conf_low"], alone["weighted"]["conf_high"])


def test_larger_odds_and_more_silence_widen_the_range_and_the_unit_does_not():
    def width(frame, odds=1.5):
        row = kinds(probe_estimate(frame, "score", odds_ratio=odds))["range"]
        return row["conf_high"] - row["conf_low"]

    said = [2, 4, 4, 5, 6, 6, 7, 9] * 5
    assert width(probe(first=said, not_followed=40), 1.25) < width(probe(first=said, not_followed=40)) < width(probe(first=said, not_followed=120)) < width(probe(first=said, not_followed=120), 2)
    assert width(probe(first=[10 * score - 3 for score in said], not_followed=40)) == pytest.approx(10 * width(probe(first=said, not_followed=40)))
    called = probe(first=said, call_back=[5, 6, 4, 7] * 10, no_answer=20)
    assert width(called) < width(probe(first=said, not_followed=60))


def test_few_at_call_back_are_joined_by_those_who_answered_at_once():
    found = kinds(probe_estimate(probe(first=[8] * 12, call_back=[2] * 3, no_answer=9, not_followed=12), "score"))
    assert found["weighted"]["estimate"] == pytest.approx((12 * 8 + 3 * 2) / 15) and "不足10人" in found["range"]["note"]
    assert found["range"]["unheard_share"] == pytest.approx(21 / 36)


def test_an_answer_without_this_question_is_none():
    found = kinds(probe_estimate(probe(first=[6, 8, 7, 5], not_followed=2).with_columns(pl.when(pl.int_range(pl.len()) > 0).then("score").alias("score")), "score"))
    assert found["weighted"]["n"] == 3 and found["range"]["unheard_share"] == pytest.approx(3 / 6) and "没有答这一题" in found["weighted"]["note"]


def test_unequal_chances_of_being_drawn_and_the_frame():
    frame = probe(first=[8, 8, 2, 2], not_followed=4).with_columns(pl.Series("stands_for", [3.0, 3, 1, 1, 2, 2, 2, 2]), pl.Series("city", ["甲", "甲", "乙", "乙"] * 2))
    assert kinds(probe_estimate(frame, "score", base_weight="stands_for"))["weighted"]["estimate"] == pytest.approx((6 * 8 + 2 * 2) / 8)
    raked = kinds(probe_estimate(frame, "score", pl.DataFrame({"city": ["甲", "乙"], "count": [20, 80]})))
    assert raked["weighted"]["estimate"] == pytest.approx(0.2 * 8 + 0.8 * 2) and raked["heard"]["estimate"] == 5
    assert kinds(probe_estimate(frame, "score", 1000))["weighted"]["estimate"] == 5


def test_nobody_among_few_is_not_certainty():
    found = kinds(probe_estimate(probe(first=[0] * 30, not_followed=30), "score"))
    assert found["weighted"]["estimate"] == 0 and (found["weighted"]["conf_low"], found["weighted"]["conf_high"]) == (0, pytest.approx(1.96**2 / (30 + 1.96**2), abs=1e-4))
    most = kinds(probe_estimate(probe(first=[1] * 29 + [0], not_followed=30), "score"))["range"]
    assert 0.5 < most["conf_low"] < most["conf_high"] < 1


def test_a_share_leans_as_far_as_the_score_it_is_cut_from():
    """A normal score, answered with odds x 1.5 per s.d. by a half; the share above a cut, common or rare, moves as far as its range says."""
    score = np.linspace(-4, 4, 200_001)
    density, answers = np.exp(-(score**2) / 2), 1 / (1 + 1.5**-score)
    for cut in (0.0, 1.5):
        heard, silent = ((density * part)[score > cut].sum() / (density * part).sum() for part in (answers, 1 - answers))
        frame = probe(first=[1] * round(4000 * heard) + [0] * round(4000 * (1 - heard)), not_followed=4000)
        row = kinds(probe_estimate(frame, "score"))["range"]
        assert row["conf_low"] + 0.5 * 1.96 * np.sqrt(heard * (1 - heard) / 4000) < (heard + silent) / 2 < row["conf_low"] + 1.96 * np.sqrt(heard * (1 - heard) / 4000) + 0.01


def test_odds_may_run_along_another_column():
    scores = [9, 9, 10, 5, 3, 7, 8, 6] * 10
    frame = probe(first=scores, not_followed=160).with_columns(pl.when(pl.col("score") >= 9).then(100.0).when(pl.col("score") <= 6).then(-100.0).when(pl.col("score").is_not_null()).then(0.0).alias("nps"))
    along, itself = (kinds(probe_estimate(frame, "nps", along=column))["range"] for column in ("score", None))
    assert along["conf_low"] < 0 < along["conf_high"] and along["conf_low"] != itself["conf_low"]


def test_the_range_has_the_truth():
    """500 answers: of all who are asked, and at 25 % with odds x .7 and x 1.4 per s.d.: a skewed score of 0 to 10."""
    lots = np.random.default_rng(17)
    y = np.clip(np.rint(lots.normal(7, 2.2, 50_000)), 0, 10)
    z = (y - y.mean()) / y.std()
    for odds, rate, kind, least, most in ((1.0, 1.0, "weighted", 0.91, 0.985), (0.7, 0.25, "range", 0.95, 1), (1.4, 0.25, "range", 0.95, 1)):
        chance = np.ones(len(y)) if rate == 1 else 1 / (1 + np.exp(1.12 - np.log(odds) * z))
        hits = 0
        for _ in range(150):
            drawn = lots.choice(len(y), int(500 / rate), replace=False)
            answered = lots.random(len(drawn)) < chance[drawn]
            frame = pl.DataFrame({"disposition": np.where(answered, "first", "not_followed"), "score": np.where(answered, y[drawn], np.nan)})
            row = kinds(probe_estimate(frame, "score"))[kind]
            hits += row["conf_low"] <= y.mean() <= row["conf_high"]
        assert least <= hits / 150 <= most, (odds, hits)


GOOD = probe(first=[1, 2, 3], not_followed=2)


@pytest.mark.parametrize(("ask", "said"), [
    (lambda: probe_size(0), "margin 应是大于 0"), (lambda: probe_size(0.1, -1), "spread 应是大于 0"), (lambda: probe_size(0.1, contact_rate=0), "contact_rate 应是 0 到 1"),
    (lambda: probe_size(0.1, response_rate=25), "response_rate 应是 0 到 1"), (lambda: probe_size(0.1, sub_sample=2), "sub_sample 应是"), (lambda: probe_size(0.1, odds_ratio=0.8), "0.8 请写成 1/0.8"),
    (lambda: probe_size(0.01, response_rate=0.1, population=5000), "总体只有 5,000 位"),
    (lambda: probe_estimate(GOOD.drop("disposition"), "score"), "没有列「disposition」"), (lambda: probe_estimate(GOOD, "scores"), "没有列「scores」"),
    (lambda: probe_estimate(GOOD.with_columns(pl.lit("late").alias("disposition")), "score"), "不认识的写法：late 5 行"), (lambda: probe_estimate(GOOD, "disposition"), "不是数"),
    (lambda: probe_estimate(probe(first=[1], not_followed=4), "score"), "抽到 5 位，回答的只有 1 位"), (lambda: probe_estimate(GOOD, "score", odds_ratio=0.8), "不小于 1"),
    (lambda: probe_estimate(GOOD.with_columns(pl.lit(0).alias("w")), "score", base_weight="w"), "5 行不是大于 0"),
    (lambda: probe_estimate(GOOD.with_columns(pl.lit("丁").alias("city")), "score", pl.DataFrame({"city": ["甲", "乙"], "count": [20, 80]})), "样本里有边际没有")])
def test_what_cannot_be_said_is_said(ask, said):
    with pytest.raises(WeightingError, match=said):
        ask()
