"""One odds ratio for many tables: single tables as scipy has them, the textbook sums, and coverage in sparse strata."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats.contingency import odds_ratio

from voc_lib.stats.odds_ratio import common_odds_ratio


@pytest.mark.parametrize("table", [[[8, 2], [4, 6]], [[30, 170], [10, 290]], [[1, 9], [5, 5]]])
def test_one_table_is_that_of_scipy(table):
    (a, b), (c, d) = table
    known = odds_ratio(table, kind="sample")
    ratio, error, low, high = common_odds_ratio([a], [b], [c], [d])
    assert ratio == pytest.approx(known.statistic) and error == pytest.approx(math.sqrt(1 / a + 1 / b + 1 / c + 1 / d))  # of one table it is Woolf's
    assert (low, high) == (pytest.approx(known.confidence_interval().low), pytest.approx(known.confidence_interval().high))


def test_two_tables_by_hand():
    # n = 10 and 20: R = 3*4/10 + 6*8/20 = 3.6, S = 1*2/10 + 4*2/20 = .6; P = .7, .7; Q = .3, .3
    ratio, error, *_ = common_odds_ratio([3, 6], [1, 4], [2, 2], [4, 8])
    assert ratio == pytest.approx(6)
    assert error == pytest.approx(math.sqrt(0.7 * 3.6 / (2 * 3.6**2) + (0.7 * 0.6 + 0.3 * 3.6) / (2 * 3.6 * 0.6) + 0.3 * 0.6 / (2 * 0.6**2)))


def test_laws():
    lots = np.random.default_rng(1)
    a, b, c, d = lots.integers(1, 30, (4, 12))
    ratio, error, low, high = common_odds_ratio(a, b, c, d)
    turned = common_odds_ratio(c, d, a, b)
    assert turned == (pytest.approx(1 / ratio), pytest.approx(error), pytest.approx(1 / high), pytest.approx(1 / low))
    silent = [np.append(cell, extra) for cell, extra in zip((a, b, c, d), ([7, 0], [9, 0], [0, 0], [0, 0]), strict=True)]  # one row only, and nobody at all
    assert common_odds_ratio(*silent)[:2] == (pytest.approx(ratio), pytest.approx(error))
    assert common_odds_ratio([5], [0], [0], [5])[0] == math.inf and common_odds_ratio([0], [5], [5], [0])[0] == 0 and math.isnan(common_odds_ratio([5], [5], [0], [0])[0])


def test_the_interval_holds_the_ratio_where_strata_are_small():
    """200 strata of eight people, every one with a rate of its own: a single table of all would be off."""
    lots, inside = np.random.default_rng(3), []
    for _ in range(300):
        base = lots.uniform(0.05, 0.6, 200)
        exposed = lots.binomial(8, base)  # what raises the rate also goes with the group
        odds = base / (1 - base)
        a, c = lots.binomial(exposed, 3 * odds / (1 + 3 * odds)), lots.binomial(8 - exposed, base)
        _, _, low, high = common_odds_ratio(a, exposed - a, c, 8 - exposed - c)
        inside.append(low <= 3 <= high)
    assert 0.92 <= np.mean(inside) <= 0.98
