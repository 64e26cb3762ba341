"""Intervals for a share, a count and a mean. All take arrays, all return (low, high)."""

from __future__ import annotations

import numpy as np
from scipy import special  # not scipy.stats: its distributions are these very functions, and it takes half a second to load for every page

Interval = tuple[np.ndarray, np.ndarray]


def wilson(share, effective_n, confidence: float = 0.95) -> Interval:
    """Score interval of a share, bounded by 0 and 1, sensible when nobody or everybody says yes.

    `effective_n` may be fractional: a clustered or weighted share enters with the number of independent
    answers it is worth (Korn & Graubard 1998 use the same device). Unit: share, 0 to 1. NaN where
    `effective_n` is not positive. Wilson (1927), doi:10.1080/01621459.1927.10502953.

    >>> low, high = wilson(0.5, 20)
    >>> round(float(low), 3), round(float(high), 3)
    (0.299, 0.701)
    """
    share, size = np.asarray(share, float), np.asarray(effective_n, float)
    z2 = special.ndtri((1 + confidence) / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(size > 0, size, np.nan)
        middle = (share + z2 / (2 * size)) / (1 + z2 / size)
        half = np.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    # Cancellation may leave 1e-17 where the bound is exactly the share itself (none or all).
    return np.clip(np.minimum(middle - half, share), 0, 1), np.clip(np.maximum(middle + half, share), 0, 1)


def garwood(count, confidence: float = 0.95) -> Interval:
    """Exact interval of the expected number behind an observed Poisson count; (0, 3.69) for 0 at 95 %.

    `count` may be fractional (an effective count). Garwood (1936), doi:10.1093/biomet/28.3-4.437.

    >>> low, high = garwood(10)
    >>> round(float(low), 2), round(float(high), 2)
    (4.8, 18.39)
    """
    count, tail = np.asarray(count, float), (1 - confidence) / 2
    low = np.where(count > 0, special.gammaincinv(np.where(count > 0, count, 1), tail), 0.0)
    return low, special.gammaincinv(count + 1, 1 - tail)


def t_interval(estimate, std_error, degrees, confidence: float = 0.95) -> Interval:
    """Estimate plus and minus t times its standard error; NaN where there are no degrees of freedom.

    >>> low, high = t_interval(3.0, 1.0, 10)
    >>> round(float(high), 3)
    5.228
    """
    degrees = np.asarray(degrees, float)
    quantile = special.stdtrit(np.where(degrees > 0, degrees, np.nan), (1 + confidence) / 2)
    half = quantile * np.asarray(std_error, float)
    return np.asarray(estimate, float) - half, np.asarray(estimate, float) + half


def logit_interval(share, std_error, effective_n, degrees, confidence: float = 0.95) -> Interval:
    """Interval of a share on the logit scale (R survey: svyciprop, xlogit), inside 0 to 1; Wilson's with `effective_n` at 0 and 1, where a logit has no error.

    >>> low, high = logit_interval(0.1, 0.03, 100, 99)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0542, 0.1771)
    """
    share, std_error = np.asarray(share, float), np.asarray(std_error, float)
    inside = (share > 0) & (share < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (1 / (1 + np.exp(-end)) for end in t_interval(np.log(share / (1 - share)), std_error / (share * (1 - share)), degrees, confidence))
    edge_low, edge_high = wilson(np.where(inside, 0.5, np.clip(share, 0, 1)), effective_n, confidence)
    return np.where(inside, low, edge_low), np.where(inside, high, edge_high)


def newcombe(share_a, interval_a: Interval, share_b, interval_b: Interval, correlation=0.0) -> Interval:
    """Interval of the difference a - b of two shares from their own intervals (square and add).

    Stays inside -1 to 1 and needs no normal approximation near 0; `correlation` of the two estimates is
    not 0 when some people answered in both. Newcombe (1998), methods 10 of both papers,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    >>> low, high = newcombe(56 / 70, wilson(56 / 70, 70), 48 / 80, wilson(48 / 80, 80))
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    (low_a, high_a), (low_b, high_b) = interval_a, interval_b
    below_a, above_a = share_a - low_a, high_a - share_a
    below_b, above_b = share_b - low_b, high_b - share_b
    down = below_a**2 - 2 * correlation * below_a * above_b + above_b**2
    up = above_a**2 - 2 * correlation * above_a * below_b + below_b**2
    difference = share_a - share_b
    return difference - np.sqrt(np.maximum(down, 0)), difference + np.sqrt(np.maximum(up, 0))
