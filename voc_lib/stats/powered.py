"""A share that a model counted, corrected by a few labels from a person: prediction-powered inference.

The model said f of all N, a person said y of n drawn by lot. estimate = w mean_N(f) + mean_n(y - w f): what the model says of
everybody plus what it gets wrong, measured. PPI++, Angelopoulos, Duchi & Zrnic (2023), arXiv:2311.01453.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

# One error in each direction, half counted, is added to those seen: a hundred labels without a mistake do not show that
# the model makes none. Like Agresti & Coull (1998), doi:10.1080/00031305.1998.10480550, for the residuals.
UNSEEN_ERRORS = 1.0
FEWEST_LABELS = 10


@dataclass(frozen=True)
class PoweredShare:
    """The corrected share with its interval; `heard` is what the model said, `power` its weight w, `effective_n` the labels it is worth."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    heard: float
    power: float
    labels: int
    population: int
    effective_n: float


def powered_share(labels, predicted, predicted_all, confidence: float = 0.95, weights=None) -> PoweredShare:
    """The share of `labels` (0 or 1) in the whole channel, by PPI++ with power tuning.

    `predicted` is the model's answer (0-1) on the labelled, `predicted_all` on all, the labelled included. The power
    w = cov(y, f) / ((1 + n/N) var f), cut to 0-1, makes the variance smallest; a useless model gives w = 0 and the plain share
    of the labels. Interval: Wilson's score interval with the labels that the estimate is worth, t with n - 2 degrees, and
    `UNSEEN_ERRORS`: at 100 labels it covers 95-97 % (bounded by 0 and 1, asymmetric near them). The labelled must be drawn by lot;
    where some had better chances than others, `weights` says how many each stands for (Hajek's ratio; n is then Kish's effective number).

    >>> share = powered_share([1, 1, 0, 0] * 5, [1, 0, 0, 0] * 5, [1, 0, 0, 0] * 100)
    >>> share.heard, round(share.power, 3), round(share.estimate, 3)
    (0.25, 0.668, 0.5)
    """
    y, f, everyone = (np.asarray(given, float) for given in (labels, predicted, predicted_all))
    if len(y) != len(f):
        raise ValueError(f"标注 {len(y)} 个，模型的判断 {len(f)} 个：应一一对应")
    if len(y) < FEWEST_LABELS or len(everyone) < len(y):
        raise ValueError(f"修正份额至少要 {FEWEST_LABELS} 条人工标注，且不多于总数；现有标注 {len(y)} 条，总数 {len(everyone)} 条")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    w, n, population, spread = w / w.sum(), effective_number(w), len(everyone), float(np.var(everyone))
    if n < FEWEST_LABELS:
        raise ValueError(f"修正份额至少要 {FEWEST_LABELS} 条人工标注；{len(y)} 条的代表面相差太大，只抵得上 {n:.1f} 条")
    covariance = float(w @ ((y - w @ y) * (f - w @ f))) * n / (n - 1)
    power = float(np.clip(covariance / ((1 + n / population) * spread), 0, 1)) if spread > 0 else 0.0
    wrong = y - power * f
    share = float(np.clip(power * everyone.mean() + w @ wrong, 0, 1))
    apart = float(w**2 @ (wrong - w @ wrong) ** 2)
    variance = power**2 * spread / population + apart * n / (n - 2) + UNSEEN_ERRORS / (n * (n - 2))
    quantile = float(special.stdtrit(n - 2, (1 + confidence) / 2))
    # The labels it is worth: as many as would give this variance; at 0 or 1 taken a label's breadth inside.
    inside = min(max(share, 1 / (n + 2)), 1 - 1 / (n + 2))
    worth = inside * (1 - inside) / variance
    low, high = _score(share, worth, quantile)
    return PoweredShare(share, float(np.sqrt(variance)), low, high, float(everyone.mean()), power, len(y), population, worth)


def effective_number(weights) -> float:
    """How many equally weighted labels say as much (Kish 1965): the number itself where all weigh alike.

    >>> effective_number([1, 1, 1, 1]), round(effective_number([3, 1]), 3)
    (4.0, 1.6)
    """
    w = np.asarray(weights, float)
    return float(w.sum() ** 2 / (w @ w)) if len(w) else 0.0


def _score(share: float, size: float, quantile: float) -> tuple[float, float]:
    square = quantile**2
    middle = (share + square / (2 * size)) / (1 + square / size)
    half = np.sqrt(square * (share * (1 - share) / size + square / (4 * size**2))) / (1 + square / size)
    return float(max(min(middle - half, share), 0)), float(min(max(middle + half, share), 1))
