"""Means of a model over everybody, put right by the weighted residuals of those who spoke (AIPW, GREG and their kin), and how far they may be off.

Robins, Rotnitzky & Zhao (1994), doi:10.1080/01621459.1994.10476818. An answer counts twice: through its weight, and through the model, which it moves wherever the
weighted speakers are not like everybody. Its error is both, as if one person after the other had been left out (HC3): the model then misses
him by residual / (1 - leverage), and the weights of all others move. Rows are people, or groups of people who are alike in everything but their answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ALONE = 1e-8   # leverage nearer to 1 than this: nobody else tells how far the person may be off
RANK = 1e-10


@dataclass(frozen=True)
class Spoken:
    """Rows of those who spoke: `n` people, `total` and `squares` of their answers, `weight` and `slope` (how fast a weight gives way; the base weight) of one of them."""

    n: np.ndarray
    total: np.ndarray
    squares: np.ndarray
    weight: np.ndarray
    slope: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """A model of the answer, linear in it: its mean `predicted` over each group of everybody, and for every row `fitted`, `leverage` and `pull` (rows, groups).

    `pull` is how far the difference of the model's means over everybody and over the weighted speakers moves when one person of the row says 1 more; `spread`
    tells how far sums of fitted values, weighted by columns of any (rows, sums), do.
    """

    predicted: np.ndarray
    fitted: np.ndarray
    leverage: np.ndarray
    pull: np.ndarray
    spread: Callable[[np.ndarray], np.ndarray]


def line(spoken: Spoken, x: np.ndarray, everybody: np.ndarray, inside: np.ndarray) -> Outcome:
    """Least squares of the answers on `x` (rows, columns), of whose columns `everybody` has the means (groups, columns)."""
    inverse = np.linalg.pinv((x * spoken.n[:, None]).T @ x, rcond=RANK, hermitian=True)
    slopes = inverse @ (x.T @ spoken.total)
    gap = everybody - speakers_mean(spoken, x, inside)
    return Outcome(everybody @ slopes, x @ slopes, ((x @ inverse) * x).sum(1), x @ (inverse @ gap.T), lambda shares: x @ (inverse @ (x.T @ shares)))


def speakers_mean(spoken: Spoken, x: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Weighted means of the columns of `x` in each group (groups, columns)."""
    heavy = inside * (spoken.weight * spoken.n)[:, None]
    return (heavy.T @ x) / heavy.sum(0)[:, None]


def augmented(spoken: Spoken, outcome: Outcome, inside: np.ndarray, people: np.ndarray, x: np.ndarray | None, fpc: bool = False, divide: str = "weights") -> tuple[np.ndarray, ...]:
    """(estimate, standard error, its degrees of freedom, effective n, rows whose person is alone in a level) of each group: `inside` (rows, groups), `people` of everybody in it.

    `x` is what the weights were calibrated on, or None: what it explains of the residuals cannot vary. `fpc`: those who spoke are known and no guess; the error is that
    of the mean of these very people (Poisson sampling: w (w - 1) in place of w^2). `divide`: residuals by the sum of "weights" (Hajek) or of "people" (Horvitz-Thompson).
    Degrees as Satterthwaite's for people who differ alike (Imbens & Kolesar 2016, doi:10.1162/REST_a_00552): few where few people carry the error. Effective n is
    Kish's, of what each answer counts.

    >>> spoken = Spoken(*(np.array(column, float) for column in ([2, 1], [3, 6], [5, 36], [2, 2], [1, 1])))
    >>> model = Outcome(np.array([4.0]), np.array([1, 6.0]), np.zeros(2), np.zeros((2, 1)), np.zeros_like)
    >>> augmented(spoken, model, np.ones((2, 1)), np.array([6.0]), None)[0].round(3).tolist()
    [4.333]
    """
    n, w, h = spoken.n, spoken.weight, np.where(outcome.leverage > 1 - ALONE, 0, outcome.leverage)
    off = spoken.total - n * outcome.fitted                                                        # sum of residuals
    spread = np.maximum(spoken.squares - 2 * outcome.fitted * spoken.total + n * outcome.fitted**2, 0)  # of their squares
    whole = inside.T @ (w * n) if divide == "weights" else people
    share = inside / whole
    middle = share.T @ (w * off) if divide == "weights" else np.zeros(len(whole))
    estimate = outcome.predicted + share.T @ (w * off)
    if x is None:
        x, slope = np.ones((len(n), 1)), w
    else:
        slope = spoken.slope
    inverse = np.linalg.pinv((x * (slope * n)[:, None]).T @ x, rcond=RANK, hermitian=True)
    explained = x @ (inverse @ (x.T @ (share * (off[:, None] - n[:, None] * middle) * slope[:, None])))
    leverage = slope * ((x @ inverse) * x).sum(1)
    alone = leverage > 1 - ALONE
    keep = 1 / np.where(alone, 1, 1 - leverage)
    # left out, he is missed by e / (1 - h), and of what the model then says of others, `carried` comes back to him through the weights
    carried = ((x @ inverse) * outcome.spread(x * (slope * n)[:, None])).sum(1)
    lonely = alone | (outcome.leverage > 1 - ALONE)
    own = share * np.where(lonely, 1, keep * (1 - carried) / (1 - h))[:, None]
    moves, shift = outcome.pull / (1 - h)[:, None] + w[:, None] * own, w[:, None] * (share * middle + explained) * keep[:, None]  # e counts moves * e - shift
    if lonely.any():
        usual = spread[~lonely].sum() / max(n[~lonely].sum(), 1)
        off, spread, shift = np.where(lonely, 0, off), np.where(lonely, n * usual, spread), np.where(lonely[:, None], 0, shift)
    if fpc:
        # the speakers' part of the mean is known, and the silent differ from each other as the speakers for whom they stand do
        known, rest = own * whole / people, np.maximum(w - 1, 0)
        variance = _squares(moves - known, shift - known * middle, off, spread, n) + _squares(known * np.sqrt(rest)[:, None], known * middle * np.sqrt(rest)[:, None], off, spread, n)
    else:
        variance = _squares(moves, shift, off, spread, n)
    counts = outcome.pull + w[:, None] * share
    degrees = np.minimum((n @ moves**2) ** 2 / (n @ moves**4), n.sum() - 1)
    return estimate, np.sqrt(variance), degrees, (n @ counts) ** 2 / (n @ counts**2), alone


def _squares(moves: np.ndarray, shift: np.ndarray, off: np.ndarray, spread: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Sum over people of (moves * residual - shift)^2, from the sums of their row."""
    return np.maximum(moves**2 * spread[:, None] - 2 * moves * shift * off[:, None] + shift**2 * n[:, None], 0).sum(0)
