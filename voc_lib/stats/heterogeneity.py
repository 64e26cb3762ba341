"""Do several estimates of one number agree? Cochran's Q, I2, the variance between them, and a pooled mean with an interval that is right for few estimates.

Everything is written for a full covariance V, of which independent estimates are the diagonal case: Q = (y - mu)' V^-1 (y - mu) with mu = 1'V^-1 y / 1'V^-1 1.
Cochran (1954), doi:10.2307/3001666; Higgins & Thompson (2002), doi:10.1002/sim.1186.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from voc_lib.stats.intervals import t_interval

BETWEEN = ("pm", "dl")
WIDEST = 60         # doublings of the bracket in which the variance between estimates is looked for
SYMMETRIC = 1e-8    # relative: more than rounding is a mistake


@dataclass(frozen=True)
class Heterogeneity:
    """`q` with its `degrees` and `p_value`, `i2` (0 to 1: share of the spread that chance does not explain), `tau2` (variance between, unit squared)."""

    q: float
    degrees: int
    p_value: float
    i2: float
    tau2: float


@dataclass(frozen=True)
class Pooled:
    """The mean over estimates that may truly differ, with the weights (sum 1) it gives to each."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    shares: tuple[float, ...]


def heterogeneity(estimates, covariance, between: str = "pm") -> Heterogeneity:
    """Q, I2 and tau2 of two or more estimates; `covariance` is their matrix, or their variances where nobody is in two of them.

    `between`: `pm` (Paule & Mandel 1982: the tau2 at which Q is its degrees of freedom) or `dl` (DerSimonian & Laird 1986, doi:10.1016/0197-2456(86)90046-2: the
    moment of Q, in one step). p: chi-square with k - 1 degrees. ValueError: fewer than two, not finite, no covariance.

    >>> found = heterogeneity([1.0, 3.0], [1.0, 1.0])
    >>> found.q, found.degrees, found.i2, round(found.tau2, 6)
    (2.0, 1, 0.5, 1.0)
    """
    y, v = _checked(estimates, covariance)
    if between not in BETWEEN:
        raise ValueError(f"渠道间方差没有「{between}」的算法，可用：{'、'.join(BETWEEN)}")
    q, degrees = _q(y, v), len(y) - 1
    tau2 = _paule_mandel(y, v) if between == "pm" else _moments(v, q)
    return Heterogeneity(q, degrees, float(stats.chi2.sf(q, degrees)), max(0.0, (q - degrees) / q) if q > 0 else 0.0, tau2)


def pooled_mean(estimates, covariance, tau2: float, confidence: float = 0.95) -> Pooled:
    """Mean over estimates with weights (V + tau2 I)^-1 and the interval of Hartung, Knapp, Sidik and Jonkman: t with k - 1 degrees.

    The interval with the normal quantile is far too narrow for few estimates (IntHout, Ioannidis & Borm 2014, doi:10.1186/1471-2288-14-25). Where by chance the few lie
    closer than their errors, HKSJ would be narrower still, so that its factor is kept at 1 or more (Rover, Knapp & Friede 2015, doi:10.1186/s12874-015-0091-1).

    >>> found = pooled_mean([1.0, 3.0], [1.0, 1.0], 1.0)
    >>> found.estimate, found.std_error, found.shares
    (2.0, 1.0, (0.5, 0.5))
    """
    y, v = _checked(estimates, covariance)
    inverse = np.linalg.inv(v + tau2 * np.eye(len(y)))
    total = inverse.sum()
    mean = float(inverse.sum(0) @ y / total)
    spread = float((y - mean) @ inverse @ (y - mean) / (len(y) - 1))
    error = float(np.sqrt(max(1.0, spread) / total))
    low, high = t_interval(mean, error, len(y) - 1, confidence)
    return Pooled(mean, error, float(low), float(high), tuple((inverse.sum(0) / total).tolist()))


def _q(y: np.ndarray, v: np.ndarray) -> float:
    inverse = np.linalg.inv(v)
    left = y - inverse.sum(0) @ y / inverse.sum()
    return float(left @ inverse @ left)


def _moments(v: np.ndarray, q: float) -> float:
    """E[Q] = k - 1 + tau2 (tr W - 1'WW1 / 1'W1), W = V^-1."""
    inverse = np.linalg.inv(v)
    across = inverse.sum(0)
    return max(0.0, float((q - (len(v) - 1)) / (np.trace(inverse) - across @ across / inverse.sum())))


def _paule_mandel(y: np.ndarray, v: np.ndarray) -> float:
    """Q falls as tau2 grows, so that it meets its degrees of freedom once, or never where it is below them already."""
    def above(tau2: float) -> float:
        return _q(y, v + tau2 * np.eye(len(y))) - (len(y) - 1)

    if above(0.0) <= 0:
        return 0.0
    high = float(np.trace(v)) / len(y)
    for _ in range(WIDEST):
        if above(high) < 0:
            break
        high *= 2
    return float(optimize.brentq(above, 0.0, high, xtol=1e-14 * high, rtol=1e-12))


def _checked(estimates, covariance) -> tuple[np.ndarray, np.ndarray]:
    y, v = np.asarray(estimates, float), np.asarray(covariance, float)
    v = np.diag(v) if v.ndim == 1 else v
    if y.ndim != 1 or len(y) < 2 or v.shape != (len(y), len(y)):
        raise ValueError(f"比较估计至少要两个，协方差的大小要与之相符；现有 {y.size} 个，协方差 {v.shape}")
    if not (np.isfinite(y).all() and np.isfinite(v).all()) or np.abs(v - v.T).max() > SYMMETRIC * np.abs(v).max():
        raise ValueError("比较估计：只收有限的数，协方差应是对称的")
    if np.linalg.eigvalsh(v / np.sqrt(np.abs(np.outer(np.diag(v), np.diag(v))).clip(1e-300))).min() <= SYMMETRIC:
        raise ValueError("比较估计：协方差不是正定的，有两个估计几乎出自同一批人，或有一个没有误差")
    return y, v
