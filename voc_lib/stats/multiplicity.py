"""Many tests at once: how many of the small p-values would chance have produced anyway?"""

from __future__ import annotations

import numpy as np


def benjamini_hochberg(p_values) -> np.ndarray:
    """Adjusted p-values that hold the expected share of false findings; NaN (not tested) stays NaN.

    Reject where the result is at most the share of false findings you accept. Valid for independent and
    positively dependent tests. Benjamini & Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.

    >>> benjamini_hochberg([0.01, 0.02, 0.03, 0.5]).round(3).tolist()
    [0.04, 0.04, 0.04, 0.5]
    """
    return _step(p_values, lambda p, count: np.minimum.accumulate((p * count / np.arange(1, count + 1))[::-1])[::-1])


def holm(p_values) -> np.ndarray:
    """Adjusted p-values that hold the chance of even one false finding, whatever the dependence.

    Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70. NaN stays NaN.

    >>> holm([0.01, 0.02, 0.03, 0.5]).round(3).tolist()
    [0.04, 0.06, 0.06, 0.5]
    """
    return _step(p_values, lambda p, count: np.maximum.accumulate(p * np.arange(count, 0, -1)))


def _step(p_values, adjust) -> np.ndarray:
    p_values = np.asarray(p_values, float)
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    if order.size:
        adjusted[order] = np.minimum(adjust(p_values[order], order.size), 1.0)
    return adjusted
