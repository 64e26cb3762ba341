"""The range of a change under one common tilt: brute force over fine grids, laws and limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from voc_lib.stats.common_tilt import Week, change_range


def weeks(groups, seed):
    lots = np.random.default_rng(seed)
    answers = np.sort(lots.uniform(0, 10, groups))
    return [Week(people, people * answers, lots.uniform(0.5, 1), lots.uniform(0, 2)) for people in lots.exponential(1, (2, groups))]


def brute(first, second, common, drift, steps):
    """The least and the greatest change over a grid of tilts and every drift that is one of two values."""
    grid = np.exp(np.linspace(-np.log(common), np.log(common), steps))
    groups = len(first.people)
    tilts = np.array(list(itertools.product(grid, repeat=groups)))
    drifts = np.array(list(itertools.product((1 / drift, drift), repeat=groups)))
    before = first.spoken + first.silent * (tilts @ first.points) / (tilts @ first.people)
    after = np.array([second.spoken + second.silent * ((tilts * d) @ second.points) / ((tilts * d) @ second.people) for d in drifts])
    return (after - before).min(), (after - before).max()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("groups", "steps"), [(2, 301), (3, 41)])
def test_the_ends_are_those_of_every_tilt(seed, groups, steps):
    first, second = weeks(groups, seed)
    common, drift = 1 + np.random.default_rng(seed).exponential(0.8), (1.0, 1.3)[seed % 2]
    least, most = brute(first, second, common, drift, steps)
    (low, *at_low), (high, *at_high) = change_range(first, second, common, drift)
    assert low <= least + 1e-6 and high >= most - 1e-6                       # nothing on the grid is beyond
    assert low == pytest.approx(least, abs=3e-3) and high == pytest.approx(most, abs=3e-3)
    for change, (before, after) in ((low, at_low), (high, at_high)):         # and the ends are reached by tilts that are allowed
        assert second.mean(after) - first.mean(before) == pytest.approx(change, abs=1e-9)
        assert (before <= common * (1 + 1e-12)).all() and (before >= 1 / common * (1 - 1e-12)).all()
        assert (after / before <= drift * (1 + 1e-12)).all() and (after / before >= 1 / drift * (1 - 1e-12)).all()


def test_nothing_open_is_the_change_itself_and_the_same_week_twice_has_none():
    first, second = weeks(6, 9)
    for end, *_ in change_range(first, second, 1, 1):
        assert end == pytest.approx(second.mean(np.ones(6)) - first.mean(np.ones(6)), abs=1e-12)
    for end, *_ in change_range(first, first, 3, 1):
        assert end == pytest.approx(0, abs=1e-9)


def test_a_drift_alone_is_the_range_of_the_second_week():
    first, second = weeks(5, 4)
    (low, *_), (high, *_) = change_range(first, second, 1, 2)
    _, least, most = None, *brute(second, second, 1, 2, 1)  # the second week against itself untilted: only the drift moves
    mean = second.mean(np.ones(5)) - first.mean(np.ones(5))
    assert (low, high) == (pytest.approx(mean + least, abs=1e-9), pytest.approx(mean + most, abs=1e-9))


def test_wider_bounds_are_wider_ranges_and_both_weeks_turned_round_are_the_range_turned_round():
    first, second = weeks(7, 5)
    ranges = [[end[0] for end in change_range(first, second, common, drift)] for common, drift in ((1, 1), (1.5, 1), (1.5, 1.2), (3, 1.2), (3, 2))]
    assert all(wide[0] <= narrow[0] + 1e-9 and wide[1] >= narrow[1] - 1e-9 for narrow, wide in itertools.pairwise(ranges))
    back = [end[0] for end in change_range(second, first, 1.5, 1)]
    assert back == [pytest.approx(-end, abs=1e-6) for end in reversed(ranges[1])]


def test_a_common_tilt_leaves_far_less_open_than_two_ranges():
    first = Week(np.array([3.0, 2, 5]), np.array([0.0, 10, 50]), 0.9, 0.5)
    second = Week(np.array([2.5, 2, 5.5]), np.array([0.0, 10, 55]), 0.9, 0.55)
    (low, *_), (high, *_) = change_range(first, second, 1.5, 1)
    apart = [end[0] for end in change_range(first, second, 1, 1.5)]  # even the range of one week alone
    assert 0 < low < high and high - low < 0.2 * (apart[1] - apart[0])


def test_an_answer_that_only_one_week_has_and_a_week_without_silent():
    first = Week(np.array([1.0, 0, 2]), np.array([0.0, 0, 20]), 0.8, 1)
    second = Week(np.array([0.0, 1, 2]), np.array([0.0, 5, 20]), 0.8, 1)
    (low, *_), (high, *_) = change_range(first, second, 2, 1.1)
    assert (low, high) == (pytest.approx(brute(first, second, 2, 1.1, 41)[0], abs=1e-2), pytest.approx(brute(first, second, 2, 1.1, 41)[1], abs=1e-2))
    everybody = Week(np.zeros(3), np.zeros(3), 0.0, 6.0)
    assert [end[0] for end in change_range(everybody, everybody, 2, 1.1)] == [0, 0]
    assert change_range(everybody, second, 2, 1)[1][0] == pytest.approx(1 + 0.8 * (2 * 20 + 0.5 * 5) / (2 * 2 + 0.5) - 6)
