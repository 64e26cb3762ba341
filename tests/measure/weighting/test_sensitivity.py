"""Sensitivity of weighted frames: hand-countable ends, the interval of the mean at odds 1, planted selection, coverage of the ends, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from voc_lib.measure.weighting.inference import weighted_mean, weighted_share
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.sensitivity import sensitivity, silent_mean, tipping_odds
from voc_lib.measure.weighting.smub import smub
from voc_lib.measure.weighting.weights import calibrate, poststratify


def rows(**columns):
    return pl.DataFrame(columns)


def population(size=4000, seed=1):
    """Customers of three cities and two models, with a score that both explain in part."""
    lots = np.random.default_rng(seed)
    city, model = lots.integers(0, 3, size), lots.integers(0, 2, size)
    score = np.clip(np.rint(6 + city - 2 * model + 1.6 * lots.normal(size=size)), 0, 10)
    return rows(customer_id=np.arange(size), city=city, model=model, score=score)


def speaking(people, seed, odds=3.0, rate=0.12):
    """Who speaks: the rate depends on the city, and the odds are `odds` times as high for scores of 5 and less."""
    lots = np.random.default_rng(seed)
    lean = np.log(rate / (1 - rate)) + 0.4 * people["city"].to_numpy() + np.log(odds) * (people["score"].to_numpy() <= 5)
    return people.filter(pl.Series(lots.random(people.height) < 1 / (1 + np.exp(-lean))))


def margins(people):
    return {column: dict(people.group_by(column).len().sort(column).iter_rows()) for column in ("city", "model")}


def test_two_who_stand_for_ten_each():
    found = sensitivity(rows(score=[0, 1], weight=[10, 10]), "score", odds=[1, 2, math.inf], threshold=0.875)
    assert found["odds"].to_list() == [1, 2, math.inf, pytest.approx(3)] and found["n"].to_list() == [2] * 4
    assert found["low"].to_list() == pytest.approx([0.5, 5.5 / 24.5, 0, 0.125]) and found["high"].to_list() == pytest.approx([0.5, 19 / 24.5, 1, 0.875])
    assert found.columns == ["odds", "low", "high", "conf_low", "conf_high", "n", "note"] and found["conf_low"][2] is None
    assert found["conf_low"][1] >= 0 and found["conf_high"][1] <= 1  # a share


@pytest.mark.parametrize("by", [None, "model"])
@pytest.mark.parametrize("weigh", ["raked", "post-stratified", "plain"])
def test_at_odds_of_one_it_is_the_mean_and_its_interval(by, weigh):
    everyone = population()
    heard = speaking(everyone, 2)
    frame = {"raked": lambda: calibrate(heard, margins(everyone)), "post-stratified": lambda: poststratify(heard, everyone.select("city", "model")),
             "plain": lambda: heard.with_columns(pl.col("score") + 2.0).rename({"customer_id": "id"}).with_columns((pl.col("id") % 7 + 5.0).alias("weight"))}[weigh]()
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) % 9 > 0).then(pl.col("score")).alias("score"))  # some did not answer
    found, usual = sensitivity(frame, "score", odds=[1], by=by), weighted_mean(frame, "score", by)
    for ours, theirs in (("low", "estimate"), ("high", "estimate"), ("conf_low", "conf_low"), ("conf_high", "conf_high"), ("n", "n")):
        assert found[ours].to_list() == pytest.approx(usual[theirs].to_list(), rel=1e-10)
    if by is None:
        tipping = tipping_odds(frame, "score", 3.0).row(0, named=True)
        assert (tipping["conf_low"], tipping["conf_high"]) == (pytest.approx(usual["conf_low"].item()), pytest.approx(usual["conf_high"].item()))


def test_weights_below_one_do_not_move_and_are_said():
    found = sensitivity(rows(score=[0, 1, 1], weight=[0.5, 10, 10]), "score", odds=[1, 5])
    assert found["low"].to_list() == pytest.approx([20 / 20.5, 5.6 / 6.1]) and found["high"].to_list() == pytest.approx([20 / 20.5, 92 / 92.5])
    assert "1 位的权重小于 1，身后没有沉默的人" in found["note"][0]
    # a negative weight of linear calibration stays what it is
    negative = sensitivity(rows(score=[0, 1, 1], weight=[-0.5, 10, 10]), "score", odds=[1, 5])
    assert negative["low"][0] == negative["high"][0] == pytest.approx(20 / 19.5)


def test_size_brings_any_weights_to_customers():
    frame = rows(score=[0, 1, 1], weight=[5, 10, 15])
    relative = frame.with_columns(pl.col("weight") / 10)
    assert sensitivity(relative, "score", size=30).drop("note").equals(sensitivity(frame, "score").drop("note"), null_equal=True)
    assert silent_mean(relative, "score", 0.5, size=30)["silent_mean"].item() == pytest.approx(silent_mean(frame, "score", 0.5)["silent_mean"].item())


def test_groups_are_ranges_of_their_own():
    frame = rows(score=[0, 1, 5, 6], weight=[10, 10, 4, 4], model=["a", "a", "b", "b"])
    found = sensitivity(frame, "score", odds=[2], by="model", threshold=0.75)
    alone = sensitivity(frame.filter(pl.col("model") == "a"), "score", odds=[2], threshold=0.75)
    assert found["model"].to_list() == ["a", "a", "b", "b"] and found["low"][:2].to_list() == alone["low"].to_list()
    assert found["odds"][3] == math.inf  # nobody in b said less than 5


def test_a_planted_selection_is_inside_and_tips_where_it_should():
    """Odds of 3 to 1 deviate from the average by less than 3; with so many people chance plays no part."""
    everyone = population(200_000, 3)
    truth, frame = everyone["score"].mean(), calibrate(speaking(everyone, 4), margins(everyone))
    odds = tipping_odds(frame, "score", truth).row(0, named=True)
    assert not odds["conf_low"] <= truth <= odds["conf_high"] and 1 < odds["odds"] < 3
    found = sensitivity(frame, "score", odds=[2.0, 3.0], threshold=truth)
    assert found["low"][1] < truth < found["high"][1] and found["high"][2] == pytest.approx(truth, rel=1e-9)


def test_the_ends_are_off_by_what_the_error_says():
    """The low end of many self-selected samples of one population scatters about that of everybody: its error is what the interval says."""
    everyone = population(3000, 5)
    ends = []
    for seed in range(200):
        frame = calibrate(speaking(everyone, 100 + seed), margins(everyone))
        ends.append(sensitivity(frame, "score", odds=[1.5]).row(0)[1:5])
    low, high, conf_low, conf_high = np.array(ends).T
    # between samples the ends vary with sd; the interval reaches 1.96 of what each sample says of it
    assert np.mean((low - conf_low) / 1.97) == pytest.approx(low.std(ddof=1), rel=0.2) and np.mean((conf_high - high) / 1.97) == pytest.approx(high.std(ddof=1), rel=0.2)
    assert np.mean((conf_low <= low.mean()) & (high.mean() <= conf_high)) > 0.92  # both ends at once: 90 % if they were unrelated, more as they are


@pytest.mark.parametrize("rate", [0.3, 0.75])
def test_the_error_is_what_leaving_out_each_speaker_in_turn_shows(rate):
    """Of few customers many spoke and some weights are below 1: every part of the linearisation counts. N is fixed and the number who speak is not, so deviations are from the whole."""
    everyone = population(160, 2)
    heard, told = speaking(everyone, 3, odds=2.0, rate=rate).with_columns((pl.col("customer_id") % 3 + 1.0).alias("base")), margins(everyone)
    frame = calibrate(heard, told, base_weight="base")
    assert (frame["weight"] < 1).any()
    apart = frame.with_columns(pl.col("score") + 0.001 * pl.int_range(pl.len()))  # no two alike at the threshold
    whole = sensitivity(apart, "score", odds=[3]).row(0, named=True)
    left_out = np.array([sensitivity(calibrate(apart.filter(pl.int_range(pl.len()) != at), told, base_weight="base"), "score", odds=[3]).row(0)[1:3] for at in range(frame.height)])
    jackknife = np.sqrt(((left_out - [whole["low"], whole["high"]]) ** 2).sum(0))
    quantile = stats.t.ppf(0.975, frame.height - 1)
    assert (whole["low"] - whole["conf_low"]) / quantile == pytest.approx(jackknife[0], rel=0.03)
    assert (whole["conf_high"] - whole["high"]) / quantile == pytest.approx(jackknife[1], rel=0.03)


def test_what_the_silent_would_have_to_think_by_hand():
    frame = rows(score=[2, 4], weight=[4, 6])  # estimate 3.2; two of ten spoke, at 3 on average
    found = silent_mean(frame, "score", 5.0, scale=(0, 10)).row(0, named=True)
    assert (found["estimate"], found["speakers_mean"], found["speaking_share"], found["side"], found["possible"]) == (3.2, 3, 0.2, "above", True)
    assert found["silent_mean"] == pytest.approx((5 - 0.2 * 3) / 0.8) and found["silent_estimate"] == pytest.approx((3.2 - 0.2 * 3) / 0.8)
    beyond = silent_mean(frame, "score", 9.0, scale=(0, 10)).row(0, named=True)
    assert not beyond["possible"] and "要高于 10.5，最高只能是 10：他们怎么想都不会推翻" in beyond["note"]
    below = silent_mean(frame, "score", 0.5, scale=(0, 10)).row(0, named=True)
    assert below["side"] == "below" and not below["possible"] and "最低只能是 0" in below["note"]
    assert silent_mean(frame, "score", 3.2)["side"].item() is None and "量表的两端取自听到的回答" in silent_mean(frame, "score", 3.3)["note"].item()
    spoke = silent_mean(frame, "score", 3.0, size=2).row(0, named=True)
    assert spoke["silent_mean"] is None and "没有沉默的人" in spoke["note"]


def test_a_second_opinion_only_where_the_covariates_say_something():
    everyone = population(20_000, 6)
    frame = calibrate(speaking(everyone, 7, odds=1.0), margins(everyone))
    found = smub(frame, "score")
    rho = found["rho"][0]
    assert rho > 0.4 and found["phi"].to_list() == [0, 0.5, 1]
    # phi 0 is the regression estimate: fitted values of everybody
    city, model, y = (frame[name].to_numpy() for name in ("city", "model", "score"))
    x = np.column_stack([np.ones(len(y)), city == 1, city == 2, model == 1]).astype(float)
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    all_x = np.column_stack([np.ones(everyone.height), everyone["city"] == 1, everyone["city"] == 2, everyone["model"] == 1]).astype(float)
    assert found["estimate"][0] == pytest.approx(float((all_x @ beta).mean()), rel=1e-9)
    # the index of phi 1 is that of phi 0 over rho squared, in between half way of both terms
    assert found["index"][2] == pytest.approx(found["index"][0] / rho**2) and found["index"][1] == pytest.approx(found["index"][0] / rho)
    assert found["estimate"].to_list() == pytest.approx([y.mean() - index * y.std(ddof=1) for index in found["index"]])
    vague = smub(frame.with_columns(pl.Series("noise", np.random.default_rng(1).normal(size=frame.height))), "noise")
    assert vague["index"].null_count() == vague["estimate"].null_count() == 3 and "不到 0.4，不作第二意见" in vague["note"][0]


ONE = rows(score=[1.0, 2.0], weight=[5.0, 5.0])


@pytest.mark.parametrize(("call", "said"), [
    (lambda: sensitivity(ONE, "score", odds=[0.9]), "odds 应是不小于 1 的倍数"),
    (lambda: sensitivity(ONE, "score", odds=[]), "odds 应是"),
    (lambda: sensitivity(ONE, "score", odds=[float("nan")]), "odds 应是"),
    (lambda: sensitivity(ONE, "grade"), "没有列「grade」"),
    (lambda: sensitivity(ONE.drop("weight"), "score"), "请先用 calibrate"),
    (lambda: sensitivity(ONE.with_columns(pl.lit(1.0).alias("weight")), "score"), "看不出还有多少人沉默.*size="),
    (lambda: sensitivity(ONE, "score", size=1), "少于说话的 2 人"),
    (lambda: sensitivity(ONE.with_columns(pl.lit(None, dtype=pl.Float64).alias("score")), "score"), "没有一个回答"),
    (lambda: sensitivity(rows(score=[1.0, math.inf], weight=[5, 5]), "score"), "无穷大"),
    (lambda: sensitivity(rows(score=["1", "2"], weight=[5, 5]), "score"), "不是数"),
    (lambda: sensitivity(rows(score=[1.0, 2.0, None], weight=[-9, 5, 50]), "score"), "负数太多"),
    (lambda: tipping_odds(ONE, "score", 2, by="city"), "没有列「city」"),
    (lambda: smub(ONE, "score"), "没有列「calibration」"),
    (lambda: smub(ONE, "score", phi=[2]), "phi 应在 0 到 1"),
])
def test_bad_input_is_said(call, said):
    with pytest.raises(WeightingError, match=said) as told:
        call()
    assert str(told.value).endswith("。")


def test_a_share_reaches_no_further_than_none_and_all():
    everyone = population(400, 8)
    frame = calibrate(speaking(everyone, 9).with_columns(pl.col("score") <= 1), margins(everyone))
    found = sensitivity(frame, "score", odds=[1, 20])
    assert found["low"][0] == pytest.approx(weighted_share(frame, "score")["estimate"].item()) and found["conf_low"].min() >= 0 and found["conf_high"].max() <= 1
