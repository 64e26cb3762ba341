"""Robustness value and benchmarks: by hand, against a planted overlooked covariate, and by their laws."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.benchmarks import confounder_bias, covariate_benchmarks, robustness_value
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate


def survey(size=2000, seed=1):
    lots = np.random.default_rng(seed)
    region, age, model = lots.integers(0, 3, size), lots.normal(45, 9, size), lots.integers(0, 2, size)
    everyone = pl.DataFrame({"region": region, "model": model, "age": age})
    everyone = everyone.with_columns((pl.col("region") - pl.col("model") + 0.02 * pl.col("age") + pl.Series(lots.normal(size=size))).alias("score"))
    heard = everyone.filter(pl.Series(lots.random(size) < 1 / (1 + np.exp(2 - 0.6 * region + 0.5 * model - 0.02 * (age - 45)))))
    return everyone, heard


def margins(everyone, *columns):
    return {column: float(everyone[column].sum()) if column == "age" else dict(everyone.group_by(column).len().sort(column).iter_rows()) for column in columns}


def test_by_hand():
    # weights .5 and 1.5 of mean 1: estimate .75, both variances .5; a = (.25)^2/.25
    frame = pl.DataFrame({"y": [0, 1, None], "weight": [2, 6, 99]})
    found = robustness_value(frame, "y", 0.5).row(0, named=True)
    assert (found["estimate"], found["speakers_mean"], found["weight_variance"], found["outcome_variance"], found["n"]) == (0.75, 0.5, 0.5, 0.5, 2)
    assert found["robustness_value"] == pytest.approx((math.sqrt(0.25**2 + 4 * 0.25) - 0.25) / 2) and found["speakers_error"] == pytest.approx(0.5)
    assert confounder_bias(frame, "y", -0.5, 0.2) == pytest.approx(-0.5 * math.sqrt(0.5 * 0.25 * 0.5))


def test_a_covariate_as_strong_as_the_robustness_value_reaches_the_threshold():
    everyone, heard = survey()
    frame = calibrate(heard, margins(everyone, "region", "model"))
    for threshold in (0.0, 0.9, 3.0):
        row = robustness_value(frame, "score", threshold).row(0, named=True)
        rv = row["robustness_value"]
        assert confounder_bias(frame, "score", math.sqrt(rv), rv) == pytest.approx(abs(row["estimate"] - threshold))
    assert robustness_value(frame, "score", row["estimate"])["robustness_value"].item() == pytest.approx(0, abs=1e-12)
    rescaled = frame.with_columns(pl.col("weight") / 7, pl.col("base_weight") / 7)
    assert robustness_value(rescaled, "score", 1)["robustness_value"].item() == pytest.approx(robustness_value(frame, "score", 1)["robustness_value"].item())


def test_the_bias_of_a_covariate_is_what_leaving_it_out_does():
    """rho sd(y) sd(error) is the covariance of answer and error, and so n / (n - 1) short of the difference of both estimates."""
    everyone, heard = survey()
    told = margins(everyone, "region", "model", "age")
    frame = calibrate(heard, told)
    found = covariate_benchmarks(frame, "score", told, threshold=1.0)
    assert found["variable"].to_list() == ["region", "model", "age"] and (found["r2_benchmark"] > 0).all() and (found["r2_benchmark"] < 1).all()
    estimate = (frame["score"] * frame["weight"]).sum() / frame["weight"].sum()
    for row in found.iter_rows(named=True):
        without = calibrate(heard, {column: levels for column, levels in told.items() if column != row["variable"]})
        apart = (without["score"] * without["weight"]).sum() / without["weight"].sum() - estimate
        assert row["bias"] == pytest.approx(apart * heard.height / (heard.height - 1), rel=1e-9) and row["times_to_threshold"] == pytest.approx(abs(estimate - 1) / abs(row["bias"]))


def test_a_population_frame_says_what_its_margins_say():
    everyone, heard = survey()
    told, frame = margins(everyone, "region", "model", "age"), calibrate(heard, everyone.select("region", "model", "age"))
    one, other = covariate_benchmarks(frame, "score", everyone.select("region", "model", "age")), covariate_benchmarks(frame, "score", told)
    assert one.sort("variable")["bias"].to_list() == pytest.approx(other.sort("variable")["bias"].to_list(), rel=1e-6)


@pytest.mark.parametrize("as_frame", [True, False])
def test_the_last_covariate_with_levels_can_be_left_out_too(as_frame):
    everyone, heard = survey()
    told = everyone.select("region", "age") if as_frame else margins(everyone, "region", "age")
    found = covariate_benchmarks(calibrate(heard, told), "score", told)
    assert found["variable"].to_list() == ["region", "age"]
    only = margins(everyone, "region")
    assert covariate_benchmarks(calibrate(heard, only), "score", only)["r2_benchmark"].item() == pytest.approx(0.5)  # without it all weights are alike


def test_a_covariate_that_changes_nothing():
    frame = pl.DataFrame({"y": [0.0, 1, 1, 0, 1, 0], "city": ["a", "a", "b", "b", "b", "b"], "noise": ["u", "v", "u", "v", "u", "v"]})
    told = {"city": {"a": 50, "b": 50}, "noise": {"u": 50, "v": 50}}
    row = covariate_benchmarks(calibrate(frame, told), "y", told).row(1, named=True)
    assert (row["r2_benchmark"], row["bias"], row["times_to_threshold"]) == (pytest.approx(0, abs=1e-12), 0, math.inf) and row["note"] == "去掉它权重不变"


def test_bad_input_is_said():
    plain = pl.DataFrame({"y": [0, 1], "weight": [1, 1]})
    assert robustness_value(plain, "y")["robustness_value"].item() is None and "权重人人相同" in robustness_value(plain, "y")["note"].item()
    for call, said in ((lambda: robustness_value(plain.head(1), "y"), "只有 1 个回答"), (lambda: confounder_bias(plain, "y", 1, 1), "r2 应不小于 0、小于 1"), (lambda: confounder_bias(plain, "y", 2, 0), "rho 应在"),
                       (lambda: covariate_benchmarks(plain, "y", {"y": {0: 5, 1: 5}}), "没有可以比照的"), (lambda: robustness_value(plain, "z"), "没有列「z」")):
        with pytest.raises(WeightingError, match=said):
            call()
