"""Weighted figures: hand-countable means and errors, laws between ways to say the same, honest intervals, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.inference import Sampling, kish, weighted_mean, weighted_nps, weighted_ratio, weighted_share, weighted_total
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate, poststratify

TAYLOR = Sampling(se="taylor")


def rows(**columns):
    return pl.DataFrame(columns)


def speakers(people=80, seed=2):
    lots = np.random.default_rng(seed)
    city = lots.choice(["北京", "上海"], people, p=[0.3, 0.7])
    age = lots.normal(40, 8, people)
    return pl.DataFrame({"city": city, "age": age, "score": (age / 10 + 2 * (city == "北京") + lots.normal(0, 1, people)), "dealer": lots.integers(0, 12, people)})


MARGINS = {"city": {"北京": 600, "上海": 400}, "age": 41_000}


def test_mean_of_three_and_its_error():
    # mean (3*1 + 1*2 + 1*4)/5 = 1.8; z = (score - 1.8)/5; w z = -0.48, 0.04, 0.44; squares add to 0.4256, times 3/2
    found = weighted_mean(rows(score=[1, 2, 4], weight=[3, 1, 1]), "score", sampling=TAYLOR).row(0, named=True)
    assert found["estimate"] == pytest.approx(1.8) and found["std_error"] == pytest.approx(math.sqrt(1.5 * 0.4256)) and found["n"] == 3
    assert found["effective_n"] == pytest.approx(25 / 11) and found["conf_high"] - 1.8 == pytest.approx(4.302653 * found["std_error"], rel=1e-6)


def test_equal_weights_give_the_textbook_error():
    scores = [1, 4, 4, 7, 9]
    found = weighted_mean(rows(score=scores, weight=[2.0] * 5), "score", sampling=TAYLOR).row(0, named=True)
    assert found["std_error"] == pytest.approx(np.std(scores, ddof=1) / math.sqrt(5))
    hc3 = weighted_mean(rows(score=scores, weight=[2.0] * 5), "score").row(0, named=True)
    assert hc3["std_error"] == pytest.approx(np.std(scores, ddof=1) / 2)  # each residual over 1 - 1/5: sqrt(5/4) wider


def test_nps_of_two_promoters_one_passive_one_detractor():
    frame = rows(nps=[10, 9, 7, 3, None], weight=[1, 1, 1, 1, 1])
    assert weighted_nps(frame, "nps")["estimate"].item() == 25 and weighted_nps(frame, "nps")["n"].item() == 4  # who did not answer is no passive


def test_total_ratio_and_share_by_hand():
    frame = rows(calls=[2, 0, 1], visits=[4, 2, 2], angry=[True, False, True], weight=[10, 20, 30])
    assert weighted_total(frame, "calls")["estimate"].item() == 50
    assert weighted_ratio(frame, "calls", "visits")["estimate"].item() == pytest.approx(50 / 140)
    assert weighted_share(frame, "angry")["estimate"].item() == pytest.approx(40 / 60)


def test_a_ratio_to_one_is_a_mean_and_a_group_is_a_mean_of_its_own_people():
    frame = calibrate(speakers(), MARGINS).with_columns(pl.lit(1).alias("one"))
    assert weighted_ratio(frame, "score", "one").equals(weighted_mean(frame, "score"))
    apart, city = weighted_mean(frame, "score", "city"), frame.filter(pl.col("city") == "北京")
    assert apart["city"].to_list() == ["上海", "北京"] and apart["n"].sum() == frame.height
    assert apart["estimate"][1] == pytest.approx((city["score"] * city["weight"]).sum() / city["weight"].sum())


def test_what_the_margins_explain_has_no_error():
    frame = calibrate(speakers(), MARGINS)
    for se in ("taylor", "hc3"):
        age, city = weighted_mean(frame, "age", sampling=Sampling(se=se)), weighted_share(frame.with_columns(pl.col("city") == "北京"), "city", sampling=Sampling(se=se))
        assert (age["estimate"].item(), age["std_error"].item()) == (pytest.approx(41), pytest.approx(0, abs=1e-9))
        assert (city["estimate"].item(), city["std_error"].item()) == (pytest.approx(0.6), pytest.approx(0, abs=1e-9))


def test_post_stratified_error_is_the_strata_taken_together():
    """Weights equal within a cell: e = w (y - mean of the cell); counted by hand from the two cells."""
    frame = poststratify(rows(city=["甲", "甲", "乙", "乙"], score=[1.0, 3.0, 5.0, 9.0]), rows(city=["甲", "乙"], count=[60, 40]))
    # w = 30, 20; z = y/100 after means: residuals -1 1 -2 2 -> w e/100 = -.3 .3 -.4 .4; 4/3 * (2*.09 + 2*.16)
    assert weighted_mean(frame, "score", sampling=TAYLOR)["std_error"].item() == pytest.approx(math.sqrt(4 / 3 * 0.5))


def test_leverage_is_the_jackknife_of_the_linear_estimate():
    """Leaving out one person moves a GREG total by exactly w e / (1 - h)."""
    frame = speakers(40)
    x = np.column_stack([np.ones(40), frame["city"] == "北京", frame["age"]])
    totals, y = np.array([1000, 600, 41_000.0]), frame["score"].to_numpy()

    def greg(kept):
        return totals @ np.linalg.lstsq(x[kept], y[kept], rcond=None)[0]

    everyone = np.arange(40)
    left_out = np.array([greg(everyone != at) for at in everyone])
    jackknife = math.sqrt(((left_out - greg(everyone)) ** 2).sum())
    assert weighted_total(calibrate(frame, MARGINS, "linear"), "score")["std_error"].item() == pytest.approx(jackknife, rel=1e-8)


def test_scale_and_order_change_no_mean():
    frame = calibrate(speakers(), MARGINS)
    for sampling in (TAYLOR, Sampling(), Sampling(cluster="dealer")):
        told = weighted_mean(frame, "score", "city", sampling).drop("note").to_numpy()[:, 1:].astype(float)
        for other in (frame.sample(fraction=1, shuffle=True, seed=5), frame.with_columns(pl.col("weight", "base_weight") * 1e4)):
            assert weighted_mean(other, "score", "city", sampling).drop("note").to_numpy()[:, 1:].astype(float) == pytest.approx(told, rel=1e-8)


def test_people_of_one_dealer_count_as_one_where_they_are_alike():
    once = rows(score=[1.0, 4.0, 7.0], dealer=[1, 2, 3], weight=[1.0] * 3)
    thrice = pl.concat([once] * 3)
    for se in ("taylor", "hc3"):
        one = weighted_mean(once, "score", sampling=Sampling(se="taylor"))["std_error"].item()
        assert weighted_mean(thrice, "score", sampling=Sampling(se="taylor", cluster="dealer"))["std_error"].item() == pytest.approx(one)
        assert weighted_mean(thrice, "score", sampling=Sampling(se=se, cluster="dealer"))["std_error"].item() >= one * 0.999


def test_strata_and_finite_population_by_hand():
    frame = rows(score=[1.0, 3.0, 10.0, 14.0], layer=["a", "a", "b", "b"], size=[4, 4, 8, 8], weight=[2.0, 2.0, 4.0, 4.0])
    # totals: a 2*(1+3), squares about the mean 2*(±1) -> 2/1*8/... = 2*(4+4) * (1-2/4) = 8; b 4*(±2): 2*(64+64) * (1-2/8) = 192
    design = Sampling(se="taylor", strata="layer", fpc="size")
    assert weighted_total(frame, "score", sampling=design)["std_error"].item() == pytest.approx(math.sqrt(8 + 192))
    everybody = frame.with_columns(pl.lit(2).alias("size"))
    assert weighted_total(everybody, "score", sampling=design)["std_error"].item() == 0


def test_the_interval_of_a_share_stays_between_0_and_1():
    frame = rows(said=[1] * 39 + [0], weight=[1.0] * 40)
    near = weighted_share(frame, "said").row(0, named=True)
    assert 0.8 < near["conf_low"] < 0.975 < near["conf_high"] < 1
    for said, end in ((0, "conf_low"), (1, "conf_high")):
        edge = weighted_share(rows(said=[said] * 40, weight=[1.0] * 40), "said").row(0, named=True)
        assert edge["estimate"] == said == edge[end] and 0.05 < edge["conf_high"] - edge["conf_low"] < 0.1  # Wilson: 3.84 / 43.84


def test_one_person_says_nothing_of_how_far_people_differ():
    found = weighted_mean(rows(score=[3.0, 4.0, 8.0, None], city=["甲", "乙", "乙", "丙"], weight=[1.0] * 4), "score", "city")
    assert found["city"].to_list() == ["丙", "乙", "甲"] and found["estimate"].to_list() == [None, 6, 3]
    assert [error is None for error in found["std_error"]] == [True, False, True] and found["n"].to_list() == [0, 2, 1]


def test_who_is_alone_in_a_level_is_not_certain():
    frame = calibrate(rows(city=["甲"] * 6 + ["乙"], score=[1.0, 2, 3, 4, 5, 6, 9]), {"city": {"甲": 60, "乙": 40}})
    taylor, hc3 = weighted_mean(frame, "score", sampling=TAYLOR).row(0, named=True), weighted_mean(frame, "score").row(0, named=True)
    assert hc3["std_error"] > 2 * taylor["std_error"] and "1 位是自己那一层里唯一说话的人" in hc3["note"] and taylor["note"] is None


def test_a_note_of_the_weights_reaches_the_figure():
    frame = calibrate(rows(city=["甲", "甲"], score=[1.0, 2.0]), {"city": {"甲": 60, "乙": 40}}, on_silent="collapse")
    assert "city=乙 没有人说话" in weighted_mean(frame, "score")["note"].item()


def test_kish():
    assert kish([1, 1, 2]) == pytest.approx({"design_effect": 9 / 8, "effective_n": 8 / 3, "max_ratio": 1.5, "min_ratio": 0.75})
    assert kish([5.0] * 7)["effective_n"] == pytest.approx(7)
    with pytest.raises(WeightingError, match="没有可用的"):
        kish([])


def test_intervals_contain_the_truth_as_often_as_they_say():
    """Drawn by unequal lot from 3,000 whose score follows the margin; 400 drawings tell 95 % to about 1 point."""
    lots = np.random.default_rng(11)
    city = lots.choice(["甲", "乙"], 3000, p=[0.8, 0.2])
    score = lots.normal(2, 2, 3000) + 3 * (city == "乙")
    chance, hits = np.where(city == "乙", 3.0, 1.0), 0
    for _ in range(400):
        drawn = lots.choice(3000, 60, replace=False, p=chance / chance.sum())
        frame = calibrate(rows(city=city[drawn], score=score[drawn]), {"city": dict(zip(*(part.tolist() for part in np.unique(city, return_counts=True)), strict=True))})
        found = weighted_mean(frame, "score").row(0, named=True)
        hits += found["conf_low"] <= score.mean() <= found["conf_high"]
    assert 0.92 <= hits / 400 <= 0.98


GOOD = rows(score=[1.0, 2.0, 3.0], city=["甲", "甲", "乙"], size=[10, 10, 1], weight=[1.0, 1.0, 1.0])


@pytest.mark.parametrize(("ask", "said"), [
    (lambda: weighted_mean(GOOD.drop("weight"), "score"), "没有列「weight」.*请先用 calibrate"),
    (lambda: weighted_mean(GOOD, "scores"), "没有列「scores」；现有：score"),
    (lambda: weighted_mean(GOOD, "city"), "不是数"),
    (lambda: weighted_mean(GOOD, "score", "town"), "没有列「town」"),
    (lambda: weighted_mean(GOOD.with_columns(pl.lit(None, dtype=pl.Float64).alias("weight")), "score"), "空的权重"),
    (lambda: weighted_mean(GOOD.clear(), "score"), "0 行"),
    (lambda: weighted_share(GOOD, "score"), "只能是 0 和 1"),
    (lambda: weighted_mean(GOOD, "score", sampling=Sampling(se="hc1")), "se 没有「hc1」"),
    (lambda: weighted_mean(GOOD, "score", sampling=Sampling(strata="city")), "请写 se=.taylor"),
    (lambda: weighted_mean(GOOD, "score", sampling=Sampling(se="taylor", strata="city")), "层「乙」只有一个抽样单位"),
    (lambda: weighted_mean(GOOD, "score", sampling=Sampling(se="taylor", fpc="size")), "fpc 应是同一个数"),
    (lambda: weighted_mean(GOOD, "score", sampling=Sampling(se="taylor", cluster="shop")), "没有列「shop」"),
    (lambda: weighted_mean(GOOD.with_columns(pl.lit(None).alias("shop")), "score", sampling=Sampling(cluster="shop")), "「shop」有 3 个空值")])
def test_what_cannot_be_answered_is_said(ask, said):
    with pytest.raises(WeightingError, match=said):
        ask()
