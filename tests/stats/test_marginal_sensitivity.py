"""The marginal sensitivity model: hand-countable ends, brute force over all factors, laws, and the closed form of the tipping odds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from voc_lib.stats.marginal_sensitivity import end_factors, least_odds, odds_range


def people(n, seed, levels=None):
    lots = np.random.default_rng(seed)
    values = lots.normal(5, 2, n) if levels is None else lots.integers(0, levels, n).astype(float)
    w = 1 + lots.exponential(9, n) * lots.integers(0, 4, n)
    return values, np.minimum(w, 1), w - 1


def test_one_angry_one_content_of_ten_each():
    # at odds 2 the angry one stands for 1 + 18 and the other for 1 + 4.5: 5.5/24.5; or the other way round
    low, high = odds_range([0, 1], [1, 1], [9, 9], 2)
    assert (low, high) == (pytest.approx(5.5 / 24.5), pytest.approx(19 / 24.5))


def test_odds_of_one_are_the_mean_to_the_last_digits():
    values, spoken, silent = people(1000, 1)
    low, high = odds_range(values, spoken, silent, 1)
    assert low == high == pytest.approx((spoken + silent) @ values / (spoken + silent).sum(), rel=1e-14)
    low, high = odds_range(np.full(1000, 7.3), spoken, silent, [1, 3, np.inf])
    assert low.tolist() == high.tolist() == pytest.approx([7.3] * 3, rel=1e-15)  # who all say the same leaves nothing open


@pytest.mark.parametrize("seed", range(6))
def test_the_ends_are_those_of_every_choice_of_factors(seed):
    values, spoken, silent = people(9, seed, levels=6)
    odds = 1 + np.random.default_rng(seed).exponential(2)
    means = [(spoken + silent * z) @ values / (spoken + silent * z).sum() for z in map(np.array, itertools.product((1 / odds, odds), repeat=9))]
    low, high = odds_range(values, spoken, silent, odds)
    assert (low, high) == (pytest.approx(min(means), rel=1e-12), pytest.approx(max(means), rel=1e-12))  # of a ratio the extremes are at corners


def test_people_and_groups_of_equal_answers_are_the_same():
    values, spoken, silent = people(500, 3, levels=11)
    answers = np.arange(11.0)
    grouped = [np.bincount(values.astype(int), part, 11) for part in (spoken, silent)]
    for one, other in zip(odds_range(values, spoken, silent, [1, 1.5, 4, np.inf]), odds_range(answers, *grouped, [1, 1.5, 4, np.inf]), strict=True):
        assert one == pytest.approx(other, rel=1e-12)
    assert least_odds(values, spoken, silent, 7) == pytest.approx(least_odds(answers, *grouped, 7), rel=1e-12)


def test_laws_of_the_range():
    values, spoken, silent = people(300, 4)
    odds = np.array([1, 1.1, 1.5, 2, 10, 1e6])
    low, high = odds_range(values, spoken, silent, odds)
    assert (np.diff(low) < 0).all() and (np.diff(high) > 0).all() and low[-1] >= values.min() and high[-1] <= values.max()
    turned = odds_range(3 - 2 * values, spoken, silent, odds)
    assert turned[0] == pytest.approx(3 - 2 * high, rel=1e-9) and turned[1] == pytest.approx(3 - 2 * low, rel=1e-9)
    nobody = odds_range(values, spoken, np.zeros(300), odds)  # everybody spoke: nothing is open
    assert nobody[0] == pytest.approx(np.full(6, nobody[1][0]))
    order = np.random.default_rng(1).permutation(300)
    assert odds_range(values[order], spoken[order], silent[order], odds)[0] == pytest.approx(low, rel=1e-12)
    assert odds_range(values, spoken, silent, np.inf) == (values[silent > 0].min(), values[silent > 0].max())


def test_no_end_lies_beyond_the_threshold_that_it_reaches():
    for seed in range(30):
        values, spoken, silent = people(40, seed, levels=11 if seed % 2 else None)
        mean = (spoken + silent) @ values / (spoken + silent).sum()
        for threshold in (mean - 0.8, mean + 1.1, mean + 0.01):
            odds = least_odds(values, spoken, silent, threshold)
            assert odds > 1 and odds_range(values, spoken, silent, odds)[int(threshold > mean)] == pytest.approx(threshold, rel=1e-9)


def test_thresholds_that_are_there_already_or_never():
    values, spoken, silent = np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([9.0, 9.0])
    assert least_odds(values, spoken, silent, 0.5) == 1
    assert least_odds(values, spoken, silent, 1.0) == least_odds(values, spoken, silent, 0.0) == least_odds(values, spoken, silent, -3) == np.inf
    # two ones spoke, of eight silent zeros 8/odds are left where zeros speak more: 2 / (2 + 8/36) = .9
    assert least_odds(values, np.array([0.0, 2.0]), np.array([8.0, 0.0]), 0.9) == pytest.approx(36)
    assert least_odds(values, np.array([0.0, 2.0]), np.array([8.0, 0.0]), 1.0) == np.inf


def test_factors_at_an_end_give_the_end():
    values, spoken, silent = people(200, 7, levels=11)
    for at, lower in ((0, True), (1, False)):
        end = float(odds_range(values, spoken, silent, 1.7)[at])
        z = end_factors(values, 1.7, end, lower)
        assert (spoken + z * silent) @ values / (spoken + z * silent).sum() == pytest.approx(end, rel=1e-12)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="不小于 1"):
        odds_range([1, 2], [1, 1], [1, 1], 0.5)
    with pytest.raises(ValueError, match="不能是负数"):
        odds_range([1, 2], [1, 1], [1, -1], 2)
    with pytest.raises(ValueError, match="大于 0"):
        odds_range([1, 2], [0, 0], [0, 0], 2)
