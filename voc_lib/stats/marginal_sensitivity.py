"""How far a weighted mean may move when speaking depends on the answer itself: the marginal sensitivity model.

Among customers alike in all that is known, the odds of speaking given the answer may differ from their average by a factor between 1/odds and odds. Somebody of weight w is
himself and w - 1 silent customers; under the model these are (w - 1) z, with any z in [1/odds, odds]. Zhao, Small & Bhattacharya (2019), doi:10.1111/rssb.12327: the extreme
means have one factor below a threshold of the answer and the other above, so that sorting finds them exactly. Only sums by answer matter: people and groups of equal answers give
the same.
"""

from __future__ import annotations

import numpy as np


def odds_range(values, spoken, silent, odds) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of the mean over all factors in [1/odds, odds], for each of `odds` (1 or more; infinite is allowed).

    `values` are answers, of people or of groups with one answer; `spoken` is what of their weight no factor touches (the speakers themselves), `silent` (0 or more) what they
    stand for beyond that. At odds 1 both ends are sum((spoken + silent) * values) / sum(spoken + silent). ValueError: odds below 1, or nothing that weighs.

    >>> low, high = odds_range([0, 1], [1, 1], [9, 9], [1, 3])    # 1 + 9*3 = 28 against 1 + 9/3 = 4
    >>> low.tolist(), high.tolist()
    ([0.5, 0.125], [0.5, 0.875])
    """
    values, spoken, silent, odds = (np.asarray(given, float) for given in (values, spoken, silent, odds))
    if not (odds >= 1).all():
        raise ValueError(f"优势的倍数应是不小于 1 的数，现在是 {np.min(odds):g}")
    if not (silent >= 0).all() or not spoken.sum() + np.where(odds < np.inf, silent.sum() / odds, silent.sum()).min() > 0:
        raise ValueError("没有可用的权重：沉默的部分不能是负数，合计要大于 0")
    order = np.argsort(values, kind="stable")
    answers, own, room = values[order], spoken[order], silent[order]
    middle = float((own + room) @ answers / (own + room).sum())
    answers = answers - middle  # sums of small numbers: a million equal answers keep their mean to the last digits
    below, below_sum = (np.concatenate([[0.0], np.cumsum(part)]) for part in (room, room * answers))
    above, above_sum = below[-1] - below, below_sum[-1] - below_sum
    ends = []
    for factor in np.atleast_1d(odds):
        if np.isinf(factor):
            there = answers[room > 0] if (room > 0).any() else np.zeros(1)
            ends.append((there.min(), there.max()))
            continue
        low = (own @ answers + factor * below_sum + above_sum / factor) / (own.sum() + factor * below + above / factor)
        high = (own @ answers + below_sum / factor + factor * above_sum) / (own.sum() + below / factor + factor * above)
        ends.append((low.min(), high.max()) if factor > 1 else (0.0, 0.0))
    found = middle + np.array(ends)
    return found[:, 0].reshape(odds.shape), found[:, 1].reshape(odds.shape)


def least_odds(values, spoken, silent, threshold: float) -> float:
    """The least odds at which the range of `odds_range` reaches `threshold`; 1 where the mean is there already, infinite where no odds reach it. Exact, in one pass.

    The high end reaches t where sum spoken (y - t) + odds * sum over y > t of silent (y - t) - 1/odds * sum over y < t of silent (t - y) is 0: a quadratic in odds.

    >>> least_odds([0, 1], [1, 1], [9, 9], 0.875), least_odds([0, 1], [1, 1], [9, 9], 1)
    (3.0, inf)
    """
    values, spoken, silent = (np.asarray(given, float) for given in (values, spoken, silent))
    apart = values - threshold
    if ((spoken + silent) @ apart) > 0:
        apart = -apart
    own, gain, loss = float(spoken @ apart), float(silent @ np.maximum(apart, 0)), float(silent @ np.maximum(-apart, 0))
    if own + gain - loss >= 0:
        return 1.0
    root = float(np.sqrt(own**2 + 4 * gain * loss))
    if own > 0:
        return 2 * loss / (own + root)
    return (root - own) / (2 * gain) if gain > 0 else float("inf")


def end_factors(values, odds: float, end: float, lower: bool) -> np.ndarray:
    """The factor of every answer at an end of the range: 1/odds on one side of the mean there, odds on the other, 1 at it.

    >>> end_factors([0, 1, 2], 2.0, 1.0, lower=True).tolist()
    [2.0, 1.0, 0.5]
    """
    side = np.sign(np.asarray(values, float) - end)
    return float(odds) ** (-side if lower else side)
