"""Calibration: hand-countable factors, totals that are met by every distance, and an error where they cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from voc_lib.stats.calibration import MET, NotCalibrated, calibrate_weights

LOTS = np.random.default_rng(3)
DISTANCES = [("raking", None), ("linear", None), ("linear", (0.2, 4)), ("logit", (0.2, 4)), ("logit", (0, 3.5))]


def sample(people=400):
    """Three regions, two models, an age; totals of a population that differs from the sample but can be reached."""
    region, model, age = LOTS.choice(3, people, p=[0.6, 0.3, 0.1]), LOTS.choice(2, people, p=[0.7, 0.3]), LOTS.normal(40, 9, people)
    x = np.column_stack([*(region == at for at in range(3)), *(model == at for at in range(2)), age]).astype(float)
    tilt = np.exp(0.5 * (region == 2) + 0.4 * model + 0.01 * (age - 40))
    return x, (12 * tilt) @ x, LOTS.uniform(0.8, 1.2, people) * 12 * tilt.mean()


@pytest.mark.parametrize(("method", "bounds"), DISTANCES)
def test_totals_are_met_though_levels_of_two_margins_depend_on_each_other(method, bounds):
    x, totals, base = sample()
    g = calibrate_weights(x, totals, base, method, bounds)
    assert np.abs((base * g) @ x / totals - 1).max() <= MET
    if bounds:
        assert g.min() >= bounds[0] and g.max() <= bounds[1]
    if method == "raking":
        assert g.min() > 0


def test_raking_is_what_proportional_fitting_gives():
    x, totals, base = sample()
    g, margins = calibrate_weights(x[:, :5], totals[:5], base), (x[:, :3], x[:, 3:5])
    wanted, fitted = (totals[:3], totals[3:5]), base.copy()
    for _ in range(500):
        for columns, people in zip(margins, wanted, strict=True):
            fitted = fitted * (columns @ (people / (fitted @ columns)))
    assert base * g == pytest.approx(fitted, rel=1e-9)


def test_linear_is_the_closed_form_of_greg():
    x, totals, base = sample()
    greg = 1 + x @ np.linalg.pinv((x * base[:, None]).T @ x) @ (totals - base @ x)
    assert calibrate_weights(x, totals, base, "linear") == pytest.approx(greg, rel=1e-8)


@pytest.mark.parametrize(("method", "bounds"), DISTANCES)
def test_cells_of_equal_people_give_what_the_people_give(method, bounds):
    cells = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]], float)
    count = np.array([30, 20, 10, 40])
    totals = np.array([60, 90, 70.0])
    of_cells = calibrate_weights(cells, totals, count * 1.4, method, bounds)
    of_people = calibrate_weights(np.repeat(cells, count, 0), totals, np.full(100, 1.4), method, bounds)
    assert of_people == pytest.approx(np.repeat(of_cells, count), rel=1e-9)


@pytest.mark.parametrize("factor", [1e-6, 1, 1e6])
def test_raking_starts_from_any_scale(factor):
    x, totals, base = sample()
    assert factor * calibrate_weights(x, totals * factor, base) == pytest.approx(factor * factor * calibrate_weights(x, totals, base), rel=1e-8)


@pytest.mark.parametrize("seed", range(60))
def test_what_can_be_met_between_bounds_is_met_though_most_are_at_a_bound(seed):
    """Totals of a sample whose factors lie between the bounds by construction, most of them close to one: halving by the totals alone gets stuck here."""
    lots = np.random.default_rng(seed)
    people, low, high = int(lots.integers(15, 120)), lots.uniform(0, 0.6), lots.uniform(1.3, 6)
    x = np.column_stack([code == level for code in (lots.choice(levels, people) for levels in lots.integers(2, 6, 3)) for level in np.unique(code)]).astype(float)
    base = lots.uniform(0.5, 2, people)
    totals = (base * (low + (high - low) * np.clip(lots.beta(0.3, 0.3, people), 1e-3, 1 - 1e-3))) @ x
    for method in ("logit", "linear"):
        g = calibrate_weights(x, totals, base, method, (low, high))
        assert np.abs((base * g) @ x / totals - 1).max() <= MET and low <= g.min() and g.max() <= high


def test_nothing_to_do_is_a_factor_of_one():
    x, _, base = sample()
    for method, bounds in DISTANCES:
        assert calibrate_weights(x, base @ x, base, method, bounds) == pytest.approx(np.ones(len(base)), abs=1e-9)


def test_what_cannot_be_met_names_the_worst_and_how_far_it_came():
    x, base = np.array([[1, 0], [1, 0], [0, 1]], float), np.array([2, 2, 2.0])
    with pytest.raises(NotCalibrated, match="「b」应为 5，只到 3") as told:  # one person, at most 1.5 times its weight of 2
        calibrate_weights(x, [4, 5], base, "logit", (0.5, 1.5), ["a", "b"])
    assert told.value.worst == 1 and told.value.wanted == 5 and told.value.reached == pytest.approx(3, rel=1e-6)


@pytest.mark.parametrize("method", ["raking", "linear"])
def test_totals_that_contradict_each_other_are_never_answered(method):
    everybody = np.ones((5, 1))
    with pytest.raises(NotCalibrated):
        calibrate_weights(np.hstack([everybody, everybody]), [10, 20], np.ones(5), method)


def test_positive_weights_cannot_leave_a_level_empty():
    with pytest.raises(NotCalibrated, match="应为 -3"):
        calibrate_weights([[1, 0], [1, 0], [0, 1]], [6, -3], [1, 1, 1], "raking", None, ["a", "b"])


@pytest.mark.parametrize(("change", "said"), [
    ({"base": [1, -1, 1]}, "原有权重应大于 0"), ({"x": [[1, 0], [1, np.nan], [0, 1]]}, "只收有限的数"), ({"totals": [1]}, "对不上"), ({"method": "ipf"}, "没有校准方法「ipf」"),
    ({"method": "logit"}, "logit 要写上下限"), ({"bounds": (0, 2)}, "raking 没有上下限"), ({"method": "logit", "bounds": (1.2, 2)}, "小于 1 的数，大于 1 的数")])
def test_what_does_not_fit_together_is_said(change, said):
    with pytest.raises(ValueError, match=said):
        calibrate_weights(**({"x": [[1, 0], [1, 0], [0, 1]], "totals": [6, 4], "base": [1, 1, 1]} | change))
