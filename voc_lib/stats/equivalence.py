"""Is a difference small enough not to matter? Two one-sided tests, told as an interval against a bound.

A test of "no difference" always fails with many people and always passes with few. Schuirmann (1987), doi:10.1007/BF01068419, turns it round: only an interval
that lies wholly within the bound shows that the difference is small. Lakens (2017), doi:10.1177/1948550617697177.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from voc_lib.stats.intervals import t_interval

ALPHA = 0.05  # of each one-sided test, so that the interval is one of 90 %


@dataclass(frozen=True)
class Equivalence:
    """`verdict` with the interval of 1 - 2 alpha that it is read from, and `p_value` of the two one-sided tests (small: equivalent); NaN where there is no error."""

    verdict: Literal["equivalent", "different", "undecided"]
    conf_low: float
    conf_high: float
    p_value: float


def equivalence(difference: float, std_error: float, degrees: float, bound: float, alpha: float = ALPHA) -> Equivalence:
    """`equivalent`: the interval lies inside (-bound, bound). `different`: wholly outside. `undecided`: it reaches over a bound, or there is no standard error.

    Unit: whatever `difference`, `std_error` and `bound` (> 0) share. `different` is the mirror of the test: the difference is shown to be larger than the bound, by
    an interval that errs on either side in `alpha` of the cases. ValueError for a bound or alpha that makes no sense.

    >>> found = equivalence(0.02, 0.03, 400, 0.1)
    >>> found.verdict, round(found.conf_low, 3), round(found.conf_high, 3)
    ('equivalent', -0.029, 0.069)
    """
    if not bound > 0 or not 0 < alpha < 0.5:
        raise ValueError(f"等效检验：界限应大于 0，alpha 在 0 与 0.5 之间；现在是 {bound}、{alpha}")
    if not np.isfinite([difference, std_error]).all() or std_error < 0 or not degrees > 0:
        return Equivalence("undecided", np.nan, np.nan, np.nan)
    low, high = (float(end) for end in t_interval(difference, std_error, degrees, 1 - 2 * alpha))
    with np.errstate(divide="ignore", invalid="ignore"):
        nearest = float((bound - abs(difference)) / np.float64(std_error))
    p_value = float(stats.t.sf(nearest, degrees)) if not np.isnan(nearest) else 1.0
    verdict = "equivalent" if -bound < low and high < bound else "different" if low > bound or high < -bound else "undecided"
    return Equivalence(verdict, low, high, p_value)
