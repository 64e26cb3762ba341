"""Calibration: weights as close as possible to those at hand under which known totals of the population are met.

Deville & Sarndal (1992), doi:10.1080/01621459.1992.10475217: w = d F(x'l), and l solves sum of d F(x'l) x = totals. One damped Newton for every distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse, special

METHODS = ("raking", "linear", "logit", "cbps")
MET = 1e-9          # relative; R survey stops at 1e-7
STEPS = 200         # Newton needs 5 to 15, more where nearly everybody is at a bound
SHORTEST = 2.0**-30  # a step this short is no progress
STRIDE = 3.0        # a factor of exp(3) = 20
STEEPEST = 200.0    # exp(200) is far beyond any weight and far from overflow
MISSED = 1e-7       # less than the tolerance of the linear programme is no miss
RANK = 1e-12        # levels of several margins add up to the same people: directions below this say nothing
FALL = 1e-4         # Armijo: the least part of the promised fall that counts as one
FLOOR = 1e-10       # of the height: smaller falls drown in rounding

Curve = tuple[np.ndarray, np.ndarray, np.ndarray]


class NotCalibrated(ValueError):
    """The totals cannot be met. `worst` is the place of the total that has to give way, `wanted` what it should be and `reached` the nearest that can be had.

    `direction` (of unit of every total, or None) is the plane between what is asked and what can be had: rows with x'direction > 0 are what is lacking, those with < 0
    stand at their lower bound. Where all could be met but only at the very edge (weights of 0, or all at their bound), `reached` is where the last step ended.
    """

    def __init__(self, worst: int, name: str, wanted: float, reached: float, steps: int, direction: np.ndarray | None = None) -> None:
        self.worst, self.name, self.wanted, self.reached, self.steps, self.direction = worst, name, wanted, reached, steps, direction
        super().__init__(f"校准没有达到边际：{steps} 步后，「{name}」应为 {wanted:,.6g}，只到 {reached:,.6g}")


def calibrate_weights(x, totals, base, method: str = "raking", bounds: tuple | None = None, names: Sequence[str] | None = None) -> np.ndarray:
    """The factor g = w / base of every row, so that sum of base * g * x equals `totals` to `MET` (relative), or an error.

    Rows are people or cells of equal people; `base` (> 0, any scale) is then the sum of a cell. `x` has shape (rows, totals); columns may depend on each other as
    long as their totals agree. `raking`: g = exp(u), positive; `linear`: g = 1 + u (GREG), may be negative, cut to `bounds` where given; `logit`: between the
    `bounds` (low < 1 < high, numbers or one per row), smooth; `cbps`: g = 1 + exp(u), the inverse of a logit propensity (Imai & Ratkovic 2014). Raises NotCalibrated where the totals cannot be met, ValueError for arrays that do not fit together.

    >>> calibrate_weights([[1, 0], [1, 0], [0, 1]], [6, 4], [1, 1, 1]).round(6).tolist()
    [3.0, 3.0, 4.0]
    """
    x, totals, base = np.asarray(x, float), np.asarray(totals, float), np.asarray(base, float)
    if x.ndim != 2 or x.shape != (len(base), len(totals)) or not len(base):
        raise ValueError(f"校准：x 的形状 {x.shape} 与 {len(base)} 行、{len(totals)} 个合计对不上")
    if not (np.isfinite(x).all() and np.isfinite(totals).all() and np.isfinite(base).all() and (base > 0).all()):
        raise ValueError("校准：只收有限的数，原有权重应大于 0")
    distance = _distance(method, bounds)
    size = np.where(totals != 0, np.abs(totals), np.maximum(base @ np.abs(x), 1e-300))
    x, wanted = x / size, totals / size
    u, steps = _newton(x, wanted, base, distance, _start(x, wanted, base, method), _stride(method, bounds))
    g = distance(u)[1]
    missed = np.abs((base * g) @ x - wanted)
    if missed.max() <= MET:
        return g
    nearest = _nearest(x, wanted, base, method, bounds)
    reached, direction = ((base * g) @ x, None) if nearest is None else (nearest[0], nearest[1] / size)
    worst = int(np.argmax(np.nan_to_num(np.abs(reached - wanted), nan=np.inf)))
    name = names[worst] if names is not None else f"第 {worst + 1} 个合计"
    raise NotCalibrated(worst, name, float(totals[worst]), float(reached[worst] * size[worst]), steps, direction)


def _distance(method: str, bounds: tuple | None) -> Callable[[np.ndarray], Curve]:
    """For every u: a convex curve, its slope F (the factor), and the slope of F."""
    if method not in METHODS:
        raise ValueError(f"没有校准方法「{method}」，可用：{'、'.join(METHODS)}")
    if bounds is not None and method in ("raking", "cbps"):
        raise ValueError(f"{method} 没有上下限，请用 logit 或 linear")
    if bounds is None:
        if method == "logit":
            raise ValueError("logit 要写上下限，例如 bounds=(0, 5)")
        return _exponential if method == "raking" else _propensity if method == "cbps" else lambda u: (u + u**2 / 2, 1 + u, np.ones_like(u))
    low, high = (np.asarray(bound, float) for bound in bounds)
    if not ((low < 1).all() and (high > 1).all() and np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError(f"上下限应写成「小于 1 的数，大于 1 的数」，现在是 {low.max():g}、{high.min():g}")
    return (lambda u: _cut(u, low, high)) if method == "linear" else (lambda u: _logit(u, low, high))


def _exponential(u: np.ndarray) -> Curve:
    e = np.exp(np.clip(u, -STEEPEST, STEEPEST))
    return e, e, e


def _propensity(u: np.ndarray) -> Curve:
    e = np.exp(np.clip(u, -STEEPEST, STEEPEST))
    return u + e, 1 + e, e


def _cut(u: np.ndarray, low: np.ndarray, high: np.ndarray) -> Curve:
    g = np.clip(1 + u, low, high)
    return g * (1 + u) - g**2 / 2, g, (g == 1 + u).astype(float)


def _logit(u: np.ndarray, low: np.ndarray, high: np.ndarray) -> Curve:
    slope = (high - low) / ((1 - low) * (high - 1))
    share = special.expit(slope * u + np.log((1 - low) / (high - 1)))  # of the way from low to high
    return low * u + (high - low) / slope * np.logaddexp(np.log(high - 1), np.log(1 - low) + slope * u), low + (high - low) * share, slope * (high - low) * share * (1 - share)


def _stride(method: str, bounds: tuple | None) -> np.ndarray:
    """How far u may go in a step: beyond the bounds a logit is flat, and from there no slope shows the way back."""
    if method == "linear":
        return np.asarray(np.inf)
    if bounds is None:
        return np.asarray(STRIDE)
    low, high = (np.asarray(bound, float) for bound in bounds)
    return STRIDE * (1 - low) * (high - 1) / (high - low)


def _start(x: np.ndarray, wanted: np.ndarray, base: np.ndarray, method: str) -> np.ndarray:
    """For raking and cbps the right scale at once: exp is far from straight where base weights are 1 and the population counts millions."""
    if method not in ("raking", "cbps"):
        return np.zeros(x.shape[1])
    there = base @ x
    ratio = np.median(wanted[there > 0] / there[there > 0]) if (there > 0).any() else 1.0
    beyond = ratio - 1 if method == "cbps" else ratio
    return np.linalg.lstsq(x, np.full(len(base), np.log(beyond if beyond > 0 else 1.0)), rcond=RANK)[0]


def _newton(x: np.ndarray, wanted: np.ndarray, base: np.ndarray, distance, multipliers: np.ndarray, stride: np.ndarray) -> tuple[np.ndarray, int]:
    """Where Newton ends, met or not: u = x'l of every row and the number of steps.

    The totals are met where the convex sum of base * curve(u) - l * wanted is least: steps are halved until it falls, and near its floor, where
    it cannot be seen to fall any more, until the totals come nearer. Halving by the totals alone gets stuck where weights are at their bounds.
    """
    u = x @ multipliers
    for step in range(STEPS):
        curve, g, slope = distance(u)
        gap = wanted - (base * g) @ x
        if np.abs(gap).max() <= MET / 1e4:
            return u, step
        bend = x.T @ (x * (base * slope)[:, None])
        scale = 1 / np.sqrt(np.maximum(np.diag(bend), 1e-300))
        change = scale * np.linalg.lstsq(bend * np.outer(scale, scale), scale * gap, rcond=RANK)[0]
        move, height, fall = x @ change, np.abs(base * curve).sum(), gap @ change
        length = min(1.0, 1 / max((np.abs(move) / stride).max(), 1e-300))
        shortest = SHORTEST * length
        while length > shortest:
            higher, g, _ = distance(u + length * move)
            rise = base @ (higher - curve) - length * (change @ wanted)
            if rise <= -FALL * length * fall and fall > FLOOR * height:
                break
            if fall <= FLOOR * height and np.linalg.norm(wanted - (base * g) @ x) < np.linalg.norm(gap):
                break
            length /= 2
        else:
            return u, step
        u = u + length * move
    return u, STEPS


def _nearest(x: np.ndarray, wanted: np.ndarray, base: np.ndarray, method: str, bounds: tuple | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Totals within reach with the least sum of misses, so that as few as possible are missed, and the plane between; None where all are within reach after all. A linear programme."""
    from scipy import optimize  # a tenth of a second and 20 MB, only where something cannot be met

    rows, count = x.shape
    free = {"raking": (0, None), "cbps": (1, None)}.get(method, (None, None))
    limits = [free] * rows if bounds is None else np.column_stack([np.broadcast_to(bound, rows) for bound in bounds]).tolist()
    each = sparse.eye_array(count)
    answer = optimize.linprog(np.r_[np.zeros(rows), np.ones(2 * count)], A_eq=sparse.hstack([sparse.csr_array((x * base[:, None]).T), each, -each]), b_eq=wanted,
                              bounds=[*limits, *[(0, None)] * (2 * count)], method="highs")
    if answer.status != 0 or answer.fun <= MISSED:
        return None
    return (base * answer.x[:rows]) @ x, answer.eqlin.marginals
