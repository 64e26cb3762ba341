"""Inverse propensities: one margin is post-stratification, the planted logit is found, and what has no maximum is said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import special

import voc_lib as voc
from voc_lib.measure.weighting.cells import cells_of
from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.propensity import ipw, propensity_of_cells


def planted(customers=40_000, seed=7):
    lots = np.random.default_rng(seed)
    city, age = lots.choice(["甲", "乙"], customers), lots.normal(40, 10, customers)
    eta = -2 + 0.8 * (city == "乙") - 0.05 * (age - 40)
    everyone = pl.DataFrame({"city": city, "age": age, "score": 5 + 2.0 * (city == "乙") + 0.1 * age})
    return everyone.filter(pl.Series(lots.random(customers) < special.expit(eta))), everyone


def test_one_column_of_levels_is_people_over_speakers():
    frame = pl.DataFrame({"city": ["甲", "甲", "乙"]})
    assert voc.ipw(frame, pl.DataFrame({"city": ["甲", "乙"], "count": [6, 4]}))["weight"].to_list() == pytest.approx([3, 3, 4])


def test_the_planted_propensity_is_found_and_takes_the_bias_away():
    frame, everyone = planted()
    found = ipw(frame, everyone.select("city", "age"))
    true = special.expit(-2 + 0.8 * (frame["city"] == "乙").to_numpy() - 0.05 * (frame["age"].to_numpy() - 40))
    assert np.abs(special.logit(found["propensity"].to_numpy()) - special.logit(true)).max() < 0.3
    truth, naive = everyone["score"].mean(), frame["score"].mean()
    assert abs(weighted_mean(found, "score")["estimate"].item() - truth) < 0.1 * abs(naive - truth)


def test_a_likelihood_that_is_flat_to_the_last_digit_is_a_top():
    lots = np.random.default_rng(5)
    for _ in range(60):  # one in fifty of such draws was refused when a last step had to show in the likelihood
        everyone = pl.DataFrame({f"x{at}": lots.normal(size=1000) for at in range(4)})
        speaks = lots.random(1000) < 1 / (1 + np.exp(everyone.to_numpy() @ [1, -0.5, 0.25, 0.1]))
        found = ipw(everyone.filter(speaks), everyone)
        assert found["weight"].sum() == pytest.approx(1000, rel=0.25)


def test_a_ridge_pulls_towards_everybody_alike_and_a_huge_one_all_the_way():
    frame, everyone = planted(4000)
    spread = [ipw(frame, everyone.select("city", "age"), ridge)["propensity"].std() for ridge in (0.0, 50.0, 1e9)]
    assert spread[0] > spread[1] > spread[2] and spread[2] < 1e-5
    assert ipw(frame, everyone.select("city", "age"), 1e9)["propensity"][0] == pytest.approx(frame.height / everyone.height, rel=1e-4)


def test_all_pairs_of_levels_find_a_selection_that_single_columns_miss():
    lots = np.random.default_rng(5)
    everyone = pl.DataFrame({"a": lots.choice(["x", "y"], 20_000), "b": lots.choice(["u", "v"], 20_000)})
    eager = (pl.col("a") == "y") & (pl.col("b") == "v")
    frame = everyone.filter(pl.Series(lots.random(20_000)) < pl.when(eager).then(0.4).otherwise(0.05))
    single, crossed = ipw(frame, everyone), ipw(frame, everyone, 0.1, interactions=True)
    assert crossed.filter(eager)["weight"].unique().item() == pytest.approx(2.5, rel=0.1) and crossed.filter(pl.col("a") == "x")["weight"].to_numpy() == pytest.approx(20, rel=0.1)
    assert single.filter(eager)["weight"].unique().item() > 2.6


def test_a_level_of_which_everybody_spoke_stands_for_itself():
    frame = pl.DataFrame({"city": ["甲"] * 5 + ["乙"]})
    assert ipw(frame, pl.DataFrame({"city": ["甲", "乙"], "count": [5, 9]}))["weight"].to_list() == pytest.approx([1] * 5 + [9], rel=1e-6)


def test_propensities_of_cells_are_those_of_the_people():
    frame, everyone = planted(4000)
    banded = [one.with_columns((pl.col("age") > 40).alias("old")) for one in (frame, everyone)]
    cells = cells_of(banded[0], "score", banded[1].select("city", "old"))
    people = ipw(banded[0], banded[1].select("city", "old"), 1.0).with_columns(pl.col("old").cast(pl.String)).group_by("city", "old").agg(pl.col("propensity").first()).sort("city", "old")
    assert propensity_of_cells(cells, ["city", "old"]).to_list() == pytest.approx(people["propensity"].to_list(), rel=1e-8)


@pytest.mark.parametrize(("frame", "population", "more", "said"), [
    (pl.DataFrame({"city": ["甲"]}), {"city": {"甲": 3}}, {}, "要一张总体的表"),
    (pl.DataFrame({"city": ["甲"]}), pl.DataFrame({"city": ["甲", "乙"], "count": [3, 3]}), {}, "「city」的「乙」3 位"),
    (pl.DataFrame({"city": ["甲"]}), pl.DataFrame({"city": ["甲"], "count": [3]}), {"ridge": -1}, "不能是负数"),
    (pl.DataFrame({"city": ["甲"]}), pl.DataFrame({"city": ["甲"], "count": [3]}), {"interactions": True}, "应大于 0"),
])
def test_bad_input_is_said(frame, population, more, said):
    with pytest.raises(WeightingError, match=said):
        ipw(frame, population, **more)
