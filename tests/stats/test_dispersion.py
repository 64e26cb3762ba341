"""Weeks that differ by more than chance."""

import numpy as np
import pytest
from scipy import stats

from voc_lib.stats.dispersion import POOL_WEEKS, PRIOR_PHI, PRIOR_WEEKS, count_band, pearson, shrunk_phi, successive

NAN = np.nan


def test_pearson_skips_weeks_without_an_answer():
    # mean of 1, 3 is 2; (1 + 1) / variance 0.5 = 4
    squares, degrees = pearson([[1.0, NAN, 3.0]], [[0.5, 0.5, 0.5]])
    assert squares.tolist() == [4.0] and degrees.tolist() == [1.0]


def test_drift_is_dispersion_around_the_mean_but_not_from_week_to_week():
    drift = np.arange(10.0)[None, :]
    around, df_around = pearson(drift, np.ones_like(drift))
    steps, df_steps = successive(np.diff(drift), np.full((1, 9), 2.0))
    assert (around / df_around).item() == pytest.approx(82.5 / 9)
    assert (steps / df_steps).item() == pytest.approx(0.5)


def test_phi_is_drawn_to_the_typical_group_and_never_below_one():
    squares, degrees = np.array([40.0, 20.0, 0.0]), np.array([10.0, 10.0, 10.0])
    phi, df = shrunk_phi(squares, degrees)
    typical = 2 / (1 - 2 / 90) ** 3  # the middle group's 20 / 10, over the median of chi-square with 10 degrees
    pooled = (30 * typical + PRIOR_WEEKS * PRIOR_PHI) / (30 + PRIOR_WEEKS)
    assert phi[0] == pytest.approx((40 + POOL_WEEKS * pooled) / (10 + POOL_WEEKS))
    assert phi[2] == 1.0 and df.tolist() == [10 + POOL_WEEKS] * 3


def test_one_wild_group_does_not_deafen_a_new_one():
    calm = [10.0] * 9
    phi, _ = shrunk_phi([*calm, 300.0, 0.0], [10.0] * 10 + [0.0])
    assert phi[-1] < 1.3 < 15 < phi[-2]


def test_pool_is_unbiased_where_groups_are_alike():
    rng = np.random.default_rng(2)
    phi, _ = shrunk_phi(3 * rng.chisquare(10, 400), np.full(400, 10.0))
    assert phi.mean() == pytest.approx(3, abs=0.15)


def test_rare_groups_weigh_less():
    often, _ = shrunk_phi([30.0, 8.0], [8.0, 8.0], [50.0, 50.0])
    rarely, _ = shrunk_phi([30.0, 8.0], [8.0, 8.0], [0.1, 50.0])
    assert rarely[0] < often[0]


def test_band_covers_over_dispersed_counts():
    rng = np.random.default_rng(7)
    counts = stats.nbinom.rvs(10, 10 / (10 + 20.0), size=4000, random_state=rng)  # mean 20, variance 60
    low, high = count_band(20.0, 3.0)
    assert 0.94 < ((counts >= low) & (counts <= high)).mean() < 0.985
    narrow = count_band(20.0, 1.0)
    assert ((counts < narrow[0]) | (counts > narrow[1])).mean() > 0.15


def test_band_of_nothing_expected_is_nothing_and_unknown_stays_unknown():
    low, high = count_band(np.array([0.0, NAN]), 2.0)
    assert (low[0], high[0]) == (0, 0) and np.isnan(high[1])
