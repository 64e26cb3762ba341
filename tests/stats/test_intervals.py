"""Intervals against published values and their laws."""

import numpy as np
import pytest

from voc_lib.stats.intervals import garwood, newcombe, t_interval, wilson


def test_wilson_of_81_in_263_as_newcombe_1998_table_1():
    low, high = wilson(81 / 263, 263)
    assert (round(float(low), 4), round(float(high), 4)) == (0.2553, 0.3662)


def test_wilson_of_none_and_all_mirror_each_other():
    low, high = wilson(np.array([0.0, 1.0]), 20)
    # z^2 / (n + z^2) = 3.8415 / 23.8415
    assert low[0] == 0 and high[0] == pytest.approx(0.1611, abs=1e-4)
    assert high[1] == 1 and low[1] == pytest.approx(1 - high[0])


def test_wilson_without_answers_is_unknown():
    assert np.isnan(wilson(0.5, 0.0)).all()


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0, 3.6889), (1, 0.0253, 5.5716), (100, 81.36, 121.63)])
def test_garwood_as_tabulated(count, low, high):
    assert garwood(count) == (pytest.approx(low, abs=5e-3), pytest.approx(high, abs=5e-3))


def test_t_interval_needs_degrees():
    low, high = t_interval(np.array([10.0, 10.0]), 2.0, np.array([4, 0]))
    assert high[0] == pytest.approx(10 + 2.7764 * 2, abs=1e-3) and np.isnan(low[1])


def test_newcombe_of_nobody_against_nobody_is_symmetric_and_turns_with_its_arguments():
    none = wilson(0.0, 10)
    low, high = newcombe(0.0, none, 0.0, none)
    assert low == pytest.approx(-0.2775, abs=1e-4) and high == -low
    a, b = wilson(0.3, 50), wilson(0.1, 80)
    low, high = newcombe(0.3, a, 0.1, b, 0.2)
    assert newcombe(0.1, b, 0.3, a, 0.2) == (pytest.approx(-high), pytest.approx(-low))
    assert low < 0.2 < high
