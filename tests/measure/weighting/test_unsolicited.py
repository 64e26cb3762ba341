"""What unasked posts can say: a floor that is never above the truth, the odds that a claim needs, and the odds ratio that links of survey and posts show."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.sensitivity import tipping_odds
from voc_lib.measure.weighting.unsolicited import odds_from_posts, problem_floor


def test_the_floor_by_hand():
    found = problem_floor(120, 400_000, (0.8, 0.7, 0.9)).row(0, named=True)
    assert (found["heard"], found["floor"], found["conf_low"], found["conf_high"]) == (pytest.approx(3), pytest.approx(2.4), pytest.approx(2.1), pytest.approx(2.7))
    unknown = problem_floor(120, 400_000).row(0, named=True)
    assert unknown["floor"] is None and unknown["heard"] == pytest.approx(3) and "没有抽检过" in unknown["note"]
    assert problem_floor(0, 10)["heard"].item() == 0


def test_the_odds_of_a_claim_are_those_of_the_weighted_speakers():
    # 60 of 300 heard, 20 % of them; the affected are 100 per 10,000 only if they speak far more than the average
    found = problem_floor(60, 30_000, claim=100, speakers=300)["odds"].item()
    frame = pl.DataFrame({"affected": [1.0] * 60 + [0.0] * 240, "weight": [100.0] * 300})
    assert found == pytest.approx(tipping_odds(frame, "affected", 0.01)["odds"].item()) and 3 < found < 10
    assert problem_floor(60, 30_000, claim=3_000, speakers=300)["odds"].item() == 1    # fewer than that even among those heard
    assert problem_floor(60, 30_000, claim=15, speakers=300)["odds"].item() == math.inf  # fewer than were heard


@pytest.mark.parametrize("times", [3, 30])
def test_the_floor_lies_below_what_was_planted_and_the_tipping_odds_within_it(times):
    lots = np.random.default_rng(times)
    affected = lots.random(300_000) < 0.03
    odds = 0.02 * np.where(affected, times, 1)
    spoke = lots.random(len(affected)) < odds / (1 + odds)
    truth = 10_000 * affected.mean()
    found = problem_floor(int((affected & spoke).sum()), len(affected), 1.0, claim=truth, speakers=int(spoke.sum())).row(0, named=True)
    assert found["floor"] < truth / 2 and 1 < found["odds"] <= times
    assert {"estimate", "share"}.isdisjoint(found)  # there is no column that could be read as a share of customers


def linked(odds, size=20_000, seed=5):
    """People who answered a survey, and the posts of some: at a given region, low scores post at `odds` times the odds of the others; regions differ in both."""
    lots = np.random.default_rng(seed)
    region = lots.integers(0, 4, size)
    score = np.clip(np.rint(7.5 - region + 2 * lots.normal(size=size)), 0, 10)
    lean = -3.5 + 0.7 * region + np.log(odds) * (score <= 6)
    posted = lots.random(size) < 1 / (1 + np.exp(-lean))
    who = pl.Series("customer_id", np.flatnonzero(posted))
    return pl.DataFrame({"customer_id": np.arange(size), "score": score, "region": region}), pl.concat([who, who.head(500), pl.Series("customer_id", [-1, None], dtype=pl.Int64)]).to_frame()


@pytest.mark.parametrize("odds", [1, 3, 10])
def test_the_planted_ratio_is_found_within_regions_and_not_without(odds):
    survey, posts = linked(odds)
    found = odds_from_posts(survey, posts, "score", 6, ["region"]).row(0, named=True)
    assert found["conf_low"] <= odds <= found["conf_high"] and found["strata"] == 4 and found["n"] == 20_000
    assert odds_from_posts(survey, posts, "score", 6)["conf_low"].item() > odds  # regions mixed
    assert 1 <= found["odds_low"] <= found["odds"] <= found["odds_high"] and (found["odds"] < odds or odds == 1)
    assert (found["odds_low"] == 1) == (odds == 1)


def test_against_the_average_by_hand():
    # 40 low of whom 20 posted (odds 1), 60 others of whom 12 (odds 1/4): together 32 of 100, odds 8/17
    survey = pl.DataFrame({"customer_id": range(100), "score": [1.0] * 40 + [9.0] * 60})
    posts = pl.DataFrame({"customer_id": [*range(20), *range(40, 52)]})
    found = odds_from_posts(survey, posts, "score", 5).row(0, named=True)
    assert found["odds_ratio"] == pytest.approx(4) and found["odds"] == pytest.approx(17 / 8)  # the low: 1 against 8/17; the others only 32/17
    assert (found["low_n"], found["posted"], found["low_posted"]) == (40, 32, 20)
    missing = survey.with_columns(pl.when(pl.col("customer_id") < 95).then(pl.col("score")).alias("score"))
    assert odds_from_posts(missing, posts, "score", 5)["n"].item() == 95  # who gave no score is not counted


def test_too_few_say_so_and_nothing_else():
    survey, posts = linked(3)
    few = odds_from_posts(survey.head(60), posts, "score", 6, ["region"]).row(0, named=True)
    assert few["odds_ratio"] is None and few["odds"] is None and "不足 10 人" in few["note"] and few["n"] == 60
    assert odds_from_posts(survey.head(0), posts, "score", 6)["note"].item() == few["note"]


SURVEY = pl.DataFrame({"customer_id": [1, 1, 2], "score": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize(("call", "said"), [
    (lambda: problem_floor(11, 10), r"听到的人（11）应在 0 和基数（10）之间"),
    (lambda: problem_floor(-1, 10), "应在 0 和基数"),
    (lambda: problem_floor(1, float("nan")), "应在 0 和基数"),
    (lambda: problem_floor(1, 10, 1.2), "precision 应是 0 到 1"),
    (lambda: problem_floor(1, 10, (0.5, 0.6, 0.7)), "precision 应是"),
    (lambda: problem_floor(5, 10, claim=1), "请写 speakers="),
    (lambda: problem_floor(5, 10, claim=1, speakers=4), "请写 speakers="),
    (lambda: odds_from_posts(SURVEY, SURVEY, "score", 2), "重复的客户：1 行"),
    (lambda: odds_from_posts(SURVEY, SURVEY, "score", 2, ["city"]), "没有列「city」"),
    (lambda: odds_from_posts(SURVEY, SURVEY.drop("customer_id"), "score", 2), "没有列「customer_id」"),
])
def test_bad_input_is_said(call, said):
    with pytest.raises(WeightingError, match=said):
        call()
