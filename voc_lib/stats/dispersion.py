"""Weeks differ by more than chance: how much more, and what range a usual week has.

A fault, a campaign or a holiday moves everyone who speaks in a week together. A binomial or Poisson test
takes people for independent and cries wolf; phi says by how many times the variance is larger.
Arrays have one row per group and one column per week, oldest first; NaN is a week without an answer.
"""

from __future__ import annotations

import numpy as np

# Where little is known yet, phi starts from 1.5 with the strength of 4 weeks: between consecutive weeks of low
# ratings in the three public app stores its median is 1.3 to 2 (tests/bench/bench_compare.py prints it).
PRIOR_PHI, PRIOR_WEEKS = 1.5, 4.0
# A group's own phi is drawn towards the pooled one with the strength of 8 weeks: a week's squared residual
# varies like chi-square with one degree, so that 8 weeks alone know phi only to a factor of about 2.
POOL_WEEKS = 8.0


def pearson(value, variance) -> tuple[np.ndarray, np.ndarray]:
    """(X2, df) of weekly values around their precision-weighted mean; `variance` as chance alone would have it.

    X2/df is the quasi-likelihood phi of McCullagh & Nelder (1989), Generalized Linear Models, 4.5. Slow
    drift counts as dispersion here: for the range of a usual week, not for the step between two weeks.

    >>> pearson([[1.0, 3.0, 5.0]], [[1.0, 1.0, 1.0]])
    (array([8.]), array([2.]))
    """
    value, variance = np.asarray(value, float), np.asarray(variance, float)
    usable = np.isfinite(value) & (variance > 0)
    precision = np.where(usable, 1 / np.where(usable, variance, 1), 0)
    total = precision.sum(1)
    mean = (precision * np.where(usable, value, 0)).sum(1) / np.where(total > 0, total, 1)
    squares = np.where(usable, (np.where(usable, value, 0) - mean[:, None]) ** 2 * precision, 0).sum(1)
    return squares, np.maximum(usable.sum(1) - 1, 0).astype(float)


def successive(difference, variance) -> tuple[np.ndarray, np.ndarray]:
    """(X2, df) of the steps between consecutive weeks; `variance` of each step as chance alone would have it.

    What a comparison with the week before meets: slow drift cancels, jumps stay. The idea of
    von Neumann (1941), doi:10.1214/aoms/1177731677.
    """
    difference, variance = np.asarray(difference, float), np.asarray(variance, float)
    usable = np.isfinite(difference) & (variance > 0)
    squares = np.where(usable, np.where(usable, difference, 0) ** 2 / np.where(usable, variance, 1), 0)
    return squares.sum(1), usable.sum(1).astype(float)


def shrunk_phi(squares, degrees, expected=None) -> tuple[np.ndarray, np.ndarray]:
    """(phi, degrees of freedom) of each group: its own X2/df drawn towards the typical group's, never below 1.

    Typical is the median group, so that one code that always swings does not deafen the others.
    `expected`: mean weekly count of the group; below a few, X2 is noisier than chi-square (the variance of
    a week's term is 2 + 1/expected) and its weeks count for less. The degrees belong to a t quantile,
    because phi is estimated. No history at all gives the prior.

    >>> phi, df = shrunk_phi([0.0], [0.0])
    >>> phi.item(), df.item()
    (1.5, 4.0)
    """
    squares, degrees = np.asarray(squares, float), np.asarray(degrees, float)
    if expected is not None:
        with np.errstate(divide="ignore"):
            worth = 1 / (1 + 0.5 / np.asarray(expected, float))
        squares, degrees = squares * worth, degrees * worth
    pooled = (degrees.sum() * _typical(squares, degrees) + PRIOR_WEEKS * PRIOR_PHI) / (degrees.sum() + PRIOR_WEEKS)
    phi = (squares + POOL_WEEKS * pooled) / (degrees + POOL_WEEKS)
    return np.maximum(phi, 1.0), np.minimum(degrees + POOL_WEEKS, degrees.sum() + PRIOR_WEEKS)


def _typical(squares: np.ndarray, degrees: np.ndarray) -> float:
    """Median of X2/df over groups, weighted by df; each divided by the median of chi-square/df (Wilson-Hilferty)."""
    known = degrees >= 2
    if not known.any():
        return float(squares.sum() / degrees.sum()) if degrees.sum() > 0 else 0.0
    ratio = squares[known] / degrees[known] / (1 - 2 / (9 * degrees[known])) ** 3
    order = np.argsort(ratio, kind="stable")
    weight = np.cumsum(degrees[known][order])
    middle = [np.searchsorted(weight, weight[-1] / 2, side) for side in ("left", "right")]
    return float(np.mean([ratio[order][min(at, order.size - 1)] for at in middle]))


def count_band(expected, phi, uncertainty=0.0, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Range in which a usual week's count falls: negative binomial, variance phi * expected + uncertainty.

    `uncertainty` is the variance of `expected` itself. With phi 1 and no uncertainty it is Poisson. Whole
    numbers, both ends included; NaN in gives NaN.

    >>> low, high = count_band(10.0, 1.0)
    >>> low.item(), high.item()
    (4.0, 17.0)
    """
    from scipy import stats

    tail = (1 - confidence) / 2
    expected, wide, size, success = _predictive(expected, phi, uncertainty)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [
            np.where(wide, stats.nbinom.ppf(q, size, success), stats.poisson.ppf(q, expected)) for q in (tail, 1 - tail)
        ]
    known = np.isfinite(expected) & (expected > 0)
    return tuple(np.where(known, end, np.where(expected == 0, 0.0, np.nan)) for end in ends)


def count_tail(count, expected, phi, uncertainty=0.0) -> np.ndarray:
    """Two-sided p-value of a count against what a usual week has; the distribution of `count_band`.

    Twice the smaller tail, the count itself included, at most 1: conservative for small counts. NaN in gives NaN.

    >>> count_tail(20.0, 10.0, 1.0).round(4).item()
    0.0069
    """
    from scipy import stats

    count = np.asarray(count, float)
    expected, wide, size, success = _predictive(expected, phi, uncertainty)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(wide, stats.nbinom.sf(count - 1, size, success), stats.poisson.sf(count - 1, expected))
        below = np.where(wide, stats.nbinom.cdf(count, size, success), stats.poisson.cdf(count, expected))
    known = np.isfinite(expected) & np.isfinite(count) & (expected > 0)
    return np.where(known, np.minimum(2 * np.minimum(above, below), 1.0), np.nan)


def _predictive(expected, phi, uncertainty) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(expected, overdispersed or not, size, success) of the negative binomial with variance phi * expected + uncertainty."""
    expected = np.asarray(expected, float)
    variance = np.asarray(phi, float) * expected + uncertainty
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = variance > expected * (1 + 1e-9)
        size = np.where(wide, expected**2 / np.where(wide, variance - expected, 1), 1)
        success = np.where(wide, expected / variance, 0.5)
    return expected, wide, size, success
