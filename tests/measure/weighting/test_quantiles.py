"""Quantiles by hand, and errors by weighting again that agree with linearised ones where both are right."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import voc_lib as voc
from voc_lib.measure.weighting.inference import Sampling, weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate

MARGINS = {"city": {"甲": 600, "乙": 400}}


def people(n=120, seed=2):
    lots = np.random.default_rng(seed)
    city = lots.choice(["甲", "乙"], n, p=[0.3, 0.7])
    return pl.DataFrame({"city": city, "days": np.round(lots.gamma(2, 5, n) + 5 * (city == "甲"), 2), "shop": lots.integers(0, 30, n)})


def test_a_quantile_counts_weights_not_rows():
    frame = pl.DataFrame({"days": [1.0, 2.0, 3.0, None], "weight": [1.0, 1.0, 2.0, 9.0]})
    found = voc.weighted_quantile(frame, "days", [0.25, 0.5, 0.51, 0.9])
    assert found["estimate"].to_list() == [1, 2, 3, 3] and found["n"].to_list() == [3] * 4


def test_the_interval_holds_the_median_and_has_the_width_that_drawing_again_finds():
    frame = people(400)
    woodruff = voc.weighted_quantile(calibrate(frame, MARGINS), "days", 0.5).row(0, named=True)
    again = voc.bootstrap(frame, lambda drawn: voc.weighted_quantile(drawn, "days")["estimate"].item(), MARGINS, replicates=200).row(0, named=True)
    assert woodruff["conf_low"] <= woodruff["estimate"] == again["estimate"] <= woodruff["conf_high"]
    assert again["std_error"] == pytest.approx(woodruff["std_error"], rel=0.35)


def test_the_bootstrap_of_a_mean_sees_what_calibration_takes_away():
    frame = people(400).with_columns((10.0 * (pl.col("city") == "甲") + pl.col("days") / 100).alias("score"))
    linear = weighted_mean(calibrate(frame, MARGINS), "score")["std_error"].item()
    again = voc.bootstrap(frame, lambda drawn: float((drawn["score"] * drawn["weight"]).sum() / drawn["weight"].sum()), MARGINS, replicates=200)
    assert again["std_error"].item() == pytest.approx(linear, rel=0.2) and frame["score"].std() / 20 > 5 * linear
    assert again.equals(voc.bootstrap(frame, lambda drawn: float((drawn["score"] * drawn["weight"]).sum() / drawn["weight"].sum()), MARGINS, replicates=200))


def test_leaving_one_out_agrees_with_linearising():
    frame = people()
    left_out = voc.jackknife(frame, "days", MARGINS).row(0, named=True)
    linear = weighted_mean(calibrate(frame, MARGINS), "days").row(0, named=True)
    assert left_out["estimate"] == pytest.approx(linear["estimate"]) and left_out["std_error"] == pytest.approx(linear["std_error"], rel=0.02)
    plain = voc.jackknife(frame, "days").row(0, named=True)
    assert plain["std_error"] == pytest.approx(frame["days"].std() / np.sqrt(frame.height))  # the textbook's
    shops = Sampling(se="taylor", cluster="shop")
    assert voc.jackknife(frame, "days", sampling=shops)["std_error"].item() == pytest.approx(weighted_mean(frame.with_columns(weight=1.0), "days", sampling=shops)["std_error"].item(), rel=0.05)


@pytest.mark.parametrize(("call", "said"), [
    (lambda: voc.weighted_quantile(people(), "days"), "weight 和至少一个回答"),
    (lambda: voc.weighted_quantile(people().with_columns(weight=1.0), "days", 1.5), "0 和 1 之间，现在是 1.5"),
    (lambda: voc.jackknife(people().head(1), "days"), "至少要两个抽样单位"),
    (lambda: voc.bootstrap(pl.DataFrame({"city": ["甲"] * 9 + ["乙"], "days": range(10)}), lambda drawn: 1.0, MARGINS, replicates=40), "有的层人太少"),
])
def test_bad_input_is_said(call, said):
    with pytest.raises(WeightingError, match=said):
        call()
