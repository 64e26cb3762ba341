"""A second oracle beside R: `svy` (Samplics) gives the same weights, means and errors on samples drawn here. Only where it is installed (`pip install -e .[test]`)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.inference import Sampling, weighted_mean, weighted_ratio, weighted_total
from voc_lib.measure.weighting.weights import calibrate, poststratify

svy = pytest.importorskip("svy", reason="没有安装 svy，跳过第二对照")

CITY, MODEL = {"甲": 600.0, "乙": 400.0}, {"纯电": 700.0, "混动": 300.0}
TAYLOR = Sampling(se="taylor")


@pytest.fixture
def people():
    lots = np.random.default_rng(11)
    city = lots.choice(list(CITY), 120, p=[0.3, 0.7])
    return pl.DataFrame({"city": city, "model": lots.choice(list(MODEL), 120), "age": lots.normal(40, 8, 120), "base": lots.uniform(2, 6, 120), "score": 6 + (city == "甲") + lots.normal(0, 2, 120),
                         "cost": lots.gamma(2, 50, 120), "shop": lots.integers(0, 15, 120)})


def estimate(found) -> tuple[float, float]:
    row = found.to_polars().row(0, named=True)
    return row["est"], row["se"]


def test_raking_and_its_error(people):
    theirs = svy.Sample(people, svy.Design(wgt="base")).weighting.rake(controls={"city": CITY, "model": MODEL}, tol=1e-12, max_iter=1000, wgt_name="raked")
    ours = calibrate(people, {"city": CITY, "model": MODEL}, base_weight="base")
    assert ours["weight"].to_list() == pytest.approx(theirs.data["raked"].to_list(), rel=1e-8)
    found = weighted_mean(ours, "score", sampling=TAYLOR).row(0, named=True)
    mean, error = estimate(theirs.estimation.mean("score"))
    assert found["estimate"] == pytest.approx(mean, rel=1e-8) and found["std_error"] == pytest.approx(error, rel=0.02)  # of the error after raking only R agrees to the last digits


def test_linear_calibration_to_a_line(people):
    theirs = svy.Sample(people, svy.Design(wgt="base")).weighting.calibrate(controls={svy.Cat("city"): CITY, "age": 41_000.0}, wgt_name="lined")
    ours = calibrate(people, {"city": CITY, "age": 41_000.0}, "linear", "base")
    assert ours["weight"].to_list() == pytest.approx(theirs.data["lined"].to_list(), rel=1e-8)


def test_post_stratification_mean_total_and_ratio(people):
    theirs = svy.Sample(people, svy.Design(wgt="base")).weighting.poststratify(controls=CITY, cells="city", wgt_name="cells")
    ours = poststratify(people, pl.DataFrame({"city": list(CITY), "count": list(CITY.values())}), "base")
    assert ours["weight"].to_list() == pytest.approx(theirs.data["cells"].to_list(), rel=1e-10)
    for figure, column in ((weighted_mean, theirs.estimation.mean), (weighted_total, theirs.estimation.total)):
        found = figure(ours, "score", sampling=TAYLOR).row(0, named=True)
        assert (found["estimate"], found["std_error"]) == pytest.approx(estimate(column("score")), rel=1e-6)
    found = weighted_ratio(ours, "cost", "age", sampling=TAYLOR).row(0, named=True)
    assert (found["estimate"], found["std_error"]) == pytest.approx(estimate(theirs.estimation.ratio("cost", "age")), rel=1e-6)


def test_clusters_of_a_plain_design(people):
    theirs = svy.Sample(people, svy.Design(wgt="base", psu="shop"))
    found = weighted_mean(people.with_columns(pl.col("base").alias("weight")), "score", sampling=Sampling(se="taylor", cluster="shop")).row(0, named=True)
    assert (found["estimate"], found["std_error"]) == pytest.approx(estimate(theirs.estimation.mean("score")), rel=1e-8)
