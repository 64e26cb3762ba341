"""One odds ratio for many small tables: Mantel & Haenszel, with an interval that holds for few large and for many sparse tables."""

from __future__ import annotations

import numpy as np
from scipy import stats


def common_odds_ratio(a, b, c, d, confidence: float = 0.95) -> tuple[float, float, float, float]:
    """(odds ratio, standard error of its logarithm, conf_low, conf_high) of tables [[a, b], [c, d]], one per stratum: sum(ad/n) / sum(bc/n).

    Variance of the logarithm by Robins, Breslow & Greenland (1986), doi:10.2307/2531052. Strata without two rows and two columns say nothing and add nothing. Where one of the
    sums is 0 the ratio is 0 or infinite and has no error; where both are, everything is NaN. Mantel & Haenszel (1959), doi:10.1093/jnci/22.4.719.

    >>> ratio, error, *_ = common_odds_ratio([8], [2], [4], [6])    # 8*6 / (2*4); error of Woolf: sqrt(1/8 + 1/2 + 1/4 + 1/6)
    >>> round(ratio, 9), round(error, 6)
    (6.0, 1.020621)
    """
    a, b, c, d = (np.asarray(cell, float) for cell in (a, b, c, d))
    n = a + b + c + d
    told = n > 0
    a, b, c, d, n = (cell[told] for cell in (a, b, c, d, n))
    with_it, against = a * d / n, b * c / n
    for_sum, against_sum = float(with_it.sum()), float(against.sum())
    if for_sum == 0 or against_sum == 0:
        ratio = float("nan") if for_sum == against_sum else 0.0 if for_sum == 0 else float("inf")
        return ratio, float("nan"), float("nan"), float("nan")
    same, other = (a + d) / n, (b + c) / n
    variance = (same @ with_it) / (2 * for_sum**2) + (same @ against + other @ with_it) / (2 * for_sum * against_sum) + (other @ against) / (2 * against_sum**2)
    error = float(np.sqrt(variance))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * error
    middle = np.log(for_sum / against_sum)
    return float(np.exp(middle)), error, float(np.exp(middle - half)), float(np.exp(middle + half))
