"""Cells: figures from sums are those of the people, and every weight is the one a person gets."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.cells import cells_of, mean_of_cells, weigh_cells
from voc_lib.measure.weighting.inference import Sampling, weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate

COLUMNS = ["city", "model", "age"]


def world(seed=3, customers=3000):
    """Customers in three columns of levels; the young of 乙 speak more, and are less content."""
    lots = np.random.default_rng(seed)
    city, model, age = lots.choice(["甲", "乙", "丙"], customers, p=[0.5, 0.3, 0.2]), lots.choice(["纯电", "混动"], customers), lots.integers(0, 4, customers)
    score = np.clip(np.round(7 - 2 * (city == "乙") + age + lots.normal(0, 2, customers)), 0, 10)
    spoke = lots.random(customers) < 0.03 + 0.1 * (city == "乙") * (age < 2)
    everyone = pl.DataFrame({"city": city, "model": model, "age": age, "score": score})
    return everyone.filter(pl.Series(spoke)), everyone.select(COLUMNS)


def test_two_cells_by_hand():
    frame = pl.DataFrame({"city": ["甲", "甲", "乙"], "score": [1, 3, 6]})
    cells, notes = weigh_cells(cells_of(frame, "score", pl.DataFrame({"city": ["甲", "乙", "丙"], "count": [6, 4, 0]})))
    assert cells.select("city", "count", "n", "total", "squares").rows() == [("乙", 4, 1, 6, 36), ("甲", 6, 2, 4, 10)] and notes == ()
    assert cells["weight"].to_list() == pytest.approx([4, 3])
    assert mean_of_cells(cells)["estimate"].item() == pytest.approx((6 * 2 + 4 * 6) / 10)


@pytest.mark.parametrize("se", ["hc3", "taylor"])
@pytest.mark.parametrize("by", [None, "city", "age"])
def test_figures_of_cells_are_those_of_the_people(se, by):
    frame, everyone = world()
    people = weighted_mean(calibrate(frame, everyone), "score", by, Sampling(se=se))
    cells = mean_of_cells(weigh_cells(cells_of(frame, "score", everyone))[0], by, se)
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n", "effective_n"):
        assert cells[name].to_list() == pytest.approx(people[name].to_list(), rel=1e-9), name


@pytest.mark.parametrize("method", ["raking", "linear", "cbps"])
def test_a_cell_weighs_what_its_people_weigh(method):
    frame, everyone = world()
    people = calibrate(frame, everyone, method).with_columns(pl.col("age").cast(pl.String)).group_by(COLUMNS).agg(pl.col("weight").first()).sort(COLUMNS)
    cells = weigh_cells(cells_of(frame, "score", everyone), method=method)[0].filter(pl.col("n") > 0)
    assert cells["weight"].to_list() == pytest.approx(people["weight"].to_list(), rel=1e-9)


def test_a_cap_on_weights_is_kept_and_the_margins_are_met():
    frame, everyone = world()
    free, capped = (weigh_cells(cells_of(frame, "score", everyone), max_weight_ratio=ratio)[0].filter(pl.col("n") > 0) for ratio in (None, 2.5))
    assert free["weight"].max() > 2.6 * everyone.height / frame.height
    assert capped["weight"].max() <= 2.5 * everyone.height / frame.height
    assert (capped["weight"] * capped["n"]).sum() == pytest.approx(everyone.height)


def test_the_error_about_these_very_customers_is_smaller_by_the_share_that_spoke():
    everyone = pl.DataFrame({"city": ["甲"] * 200})
    frame = everyone.head(50).with_columns(pl.Series("score", np.random.default_rng(1).normal(0, 1, 50)))
    cells, _ = weigh_cells(cells_of(frame, "score", everyone))
    plain, known = (mean_of_cells(cells, fpc=fpc)["std_error"].item() for fpc in (False, True))
    assert known == pytest.approx(plain * np.sqrt(1 - 50 / 200))


def test_only_who_answered_speaks():
    frame, everyone = world()
    holes = frame.with_columns(pl.when(pl.col("city") == "甲").then(None).otherwise("score").alias("score"))
    cells = cells_of(holes, "score", everyone)
    assert cells["n"].sum() == frame.filter(pl.col("city") != "甲").height
    with pytest.raises(WeightingError, match="「city」的「甲」"):
        weigh_cells(cells)
    left, notes = weigh_cells(cells, on_silent="exclude")
    assert left.filter(pl.col("city") == "甲")["weight"].null_count() == left.filter(pl.col("city") == "甲").height and "不代表" in notes[0]
    assert (left["weight"] * left["n"]).sum() == pytest.approx(everyone.filter(pl.col("city") != "甲").height)


def test_who_all_answered_are_their_own_mean():
    frame = pl.DataFrame({"city": ["甲", "甲", "乙"], "score": [1, 3, 8]})
    cells, notes = weigh_cells(cells_of(frame, "score", pl.DataFrame({"city": ["甲", "乙"], "count": [2, 1]})))
    assert cells["weight"].to_list() == [1, 1] and "人人都说了话" in notes[0] and mean_of_cells(cells)["estimate"].item() == 4


@pytest.mark.parametrize(("frame", "population", "said"), [
    (pl.DataFrame({"city": ["甲"] * 3, "score": [1, 2, 3]}), pl.DataFrame({"city": ["甲", "乙"], "model": ["纯电", "纯电"], "count": [2, 9]}), "没有列：model"),
    (pl.DataFrame({"city": ["甲"] * 3, "model": ["纯电"] * 3, "score": [1, 2, 3]}), pl.DataFrame({"city": ["甲", "甲"], "model": ["纯电", "混动"], "count": [2, 9]}), "model=纯电 说话的 3 人，总体 2 人"),
    (pl.DataFrame({"city": ["甲", "乙", "甲"], "model": ["纯电", "混动", "混动"], "score": [1, 2, 3]}),
     pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "model": ["纯电", "混动", "纯电", "混动"], "count": [9.0, 0.5, 3.0, 6.5]}), "有 1 个格里说话的人比总体还多，例如 city=甲、model=混动：说话的 1 人"),
    (pl.DataFrame({"city": ["甲"], "score": [None]}, schema={"city": pl.String, "score": pl.Float64}), pl.DataFrame({"city": ["甲"], "count": [2]}), "没有人说话"),
    (pl.DataFrame({"city": ["甲"], "score": ["好"]}), pl.DataFrame({"city": ["甲"], "count": [2]}), "「score」应是数"),
    (pl.DataFrame({"city": ["甲"], "age": [1.5], "score": [1]}), pl.DataFrame({"city": ["甲"], "age": [2.5], "count": [2]}), "「age」不行.*分段"),
])
def test_bad_cells_are_said(frame, population, said):
    with pytest.raises(WeightingError, match=said):
        cells_of(frame, "score", population)
