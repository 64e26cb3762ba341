"""How far the change between two weighted means may be off when both lean the same hidden way: one tilt of the silent by the answer, shared, and a drift on top.

The silent of a week are taken to be like the weighted speakers with every answer made rarer or more frequent by a factor: t(y) in the first week, t(y) d(y) in the second, t in
[1/common, common] and d in [1/drift, drift], any functions of the answer. Only the mix of the silent is tilted, their number is known; a factor common to all answers therefore
changes nothing. Two ranges subtracted would let the selection turn round between the weeks; here what is shared cancels.

The largest change is found exactly: for a given mean of the first week the best tilt solves a linear programme with one equation (its dual is a piecewise linear function of one
number), the second mean is bisected, the first is searched. Tilting by the answer with the rest explained by covariates: Franks, D'Amour & Feller (2020),
doi:10.1080/01621459.2019.1604369.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRID, ROUNDS = 41, 6   # means of the first week that are tried, and how often the best is looked at closer: 20 times each round
HALVINGS = 50          # of the second mean: below rounding


@dataclass(frozen=True)
class Week:
    """Sums by answer (or group of answers near each other) of the silent: `people`, and `points` = people * answer; `silent` their part of all, `spoken` what the speakers add to the
    mean of all.
    """

    people: np.ndarray
    points: np.ndarray
    silent: float
    spoken: float

    def mean(self, tilt) -> float:
        """Mean of all when the silent are tilted."""
        return self.spoken + self.silent * float(tilt @ self.points / (tilt @ self.people)) if self.silent > 0 else self.spoken


def change_range(first: Week, second: Week, common: float, drift: float) -> tuple[tuple[float, np.ndarray, np.ndarray], tuple[float, np.ndarray, np.ndarray]]:
    """(change, tilt of the first week, tilt of the second) at the lower and at the upper end. Both weeks have the same groups; `common` and `drift` are finite, 1 or more.

    >>> week = Week(np.array([5.0, 5.0]), np.array([0.0, 5.0]), .9, .05)
    >>> low, high = change_range(week, week, 3, 1)
    >>> abs(round(low[0], 9)), abs(round(high[0], 9))
    (0.0, 0.0)
    """
    low = _largest(_mirrored(first), _mirrored(second), common, drift)
    return (-low[0], *low[1:]), _largest(first, second, common, drift)


def _mirrored(week: Week) -> Week:
    return Week(week.people, -week.points, week.silent, -week.spoken)


def _largest(first: Week, second: Week, common: float, drift: float) -> tuple[float, np.ndarray, np.ndarray]:
    """The largest second mean - first mean, and where it is."""
    ends = [_extreme(first, common, side) for side in (-1, 1)]
    low, high = ends
    best = None
    for _ in range(ROUNDS if high > low else 1):
        tried = np.linspace(low, high, GRID if high > low else 1)
        reached = _second(first, second, tried, common, drift)
        gains = second.silent * reached - first.silent * tried
        at = int(np.argmax(gains))
        if best is None or gains[at] > best[0]:
            best = (gains[at], tried[at], reached[at])
        step = (high - low) / (GRID - 1)
        low, high = max(ends[0], tried[at] - step), min(ends[1], tried[at] + step)
    tilt = _tilt(first, second, best[1], best[2], common, drift)
    drifted = tilt * float(drift) ** np.sign(second.points - best[2] * second.people)
    return float(second.spoken - first.spoken + best[0]), tilt, drifted


def _extreme(week: Week, odds: float, side: int) -> float:
    """The least (-1) or greatest (1) mean of the silent."""
    if odds == 1 or week.silent <= 0:
        return _average(week)
    answers = np.divide(week.points, week.people, out=np.zeros_like(week.points), where=week.people > 0)
    order = np.argsort(side * answers)
    people, points = week.people[order], week.points[order]
    people, points = (np.concatenate([[0.0], np.cumsum(part)]) for part in (people, points))
    means = (points / odds + odds * (points[-1] - points)) / (people / odds + odds * (people[-1] - people))
    return float(means[np.argmax(side * means)])


def _average(week: Week) -> float:
    return float(week.points.sum() / week.people.sum()) if week.people.sum() > 0 else 0.0


def _second(first: Week, second: Week, means: np.ndarray, common: float, drift: float) -> np.ndarray:
    """The greatest mean of the second week's silent for each mean of the first week's."""
    if second.silent <= 0:
        return np.zeros_like(means)
    answers = np.divide(second.points, second.people, out=np.full_like(second.points, np.nan), where=second.people > 0)
    low, high = np.full(len(means), np.nanmin(answers)), np.full(len(means), np.nanmax(answers))
    equation = first.points - means[:, None] * first.people
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        gain = _gain(second, middle[:, None], drift)
        kinks = _kinks(gain, equation)
        left = gain[:, None, :] - kinks[:, :, None] * equation[:, None, :]
        reachable = (np.maximum(left, 0) * common + np.minimum(left, 0) / common).sum(2).min(1) >= 0
        low, high = np.where(reachable, middle, low), np.where(reachable, high, middle)
    return low


def _gain(second: Week, mean, drift: float) -> np.ndarray:
    """What every answer, at a tilt of 1 and its best drift, adds to the sum by which the second mean exceeds `mean`."""
    apart = second.points - mean * second.people
    return apart * float(drift) ** np.sign(apart)


def _kinks(gain: np.ndarray, equation: np.ndarray) -> np.ndarray:
    """Where the dual may have its minimum: the multiplier at which an answer is neither for nor against."""
    return np.concatenate([np.divide(gain, equation, out=np.zeros_like(gain), where=np.abs(equation) > 1e-300), np.zeros((*gain.shape[:-1], 1))], axis=-1)


def _tilt(first: Week, second: Week, mean: float, reached: float, common: float, drift: float) -> np.ndarray:
    """The tilt under which the means are `mean` and `reached`: at an end everywhere but where the equation has to be balanced."""
    equation, gain = first.points - mean * first.people, _gain(second, reached, drift)
    kinks = _kinks(gain[None], equation[None])[0]
    left = gain - kinks[:, None] * equation
    best = int(np.argmin((np.maximum(left, 0) * common + np.minimum(left, 0) / common).sum(1)))
    scale = np.abs(gain) + np.abs(kinks[best] * equation)
    free = np.abs(left[best]) <= 1e-9 * np.maximum(scale, 1e-300)
    tilt = np.where(free, 1.0, np.where(left[best] > 0, common, 1 / common))
    missing, room = -float(tilt[~free] @ equation[~free]), equation[free]
    if free.any():
        low, high = (float(np.where(room > 0, end, other) @ room) for end, other in ((1 / common, common), (common, 1 / common)))
        part = np.clip((missing - low) / (high - low), 0, 1) if high > low else 0.5
        tilt[free] = np.where(room > 0, 1 / common + part * (common - 1 / common), common - part * (common - 1 / common))
    return tilt
