"""Channels that ask the same question of the same base: do they still disagree once each is weighted?

Weights bring every channel to the same customers. If what moves people to speak is explained by the margins, the channels then say the same but for chance. Where they
do not (Cochran's Q), in at least one of them speaking depends on satisfaction itself, or they do not ask the same question: it suggests, and does not prove.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import ALONE, RANK, design_of, numbers_of, weights_of
from voc_lib.measure.weighting.margins import WeightingError, first
from voc_lib.measure.weighting.weights import BASE
from voc_lib.stats.heterogeneity import heterogeneity, pooled_mean

NOMINAL = 0.05
FEWEST = 2  # channels; with fewer there is nothing to hold against each other


@dataclass(frozen=True)
class Agreement:
    """`disagree`, `too_small` (beyond chance, yet the channels lie within the floor of each other), `agree` (nothing seen, which is no proof) or `too_few` channels.

    `figures`: q, degrees, p_value, i2 (0 to 1), tau2, and the mean over channels with its HKSJ interval (estimate, std_error, conf_low, conf_high).
    `table`: a row per channel with its `estimate, std_error, n`, `share` of the mean and `apart`, how far it lies from it.
    """

    verdict: Literal["agree", "disagree", "too_small", "too_few"]
    figures: dict[str, float]
    table: pl.DataFrame


def channel_agreement(estimates: pl.DataFrame, covariance: np.ndarray | None = None, *, floor: float = 0.0, between: str = "pm", confidence: float = 0.95) -> Agreement:
    """Cochran's Q over channels, what lies between them beyond chance, and their mean with an interval that is honest for few of them.

    `estimates`: one row per channel with `channel, estimate, std_error` and, to show, `n`; the same question, the same base, each weighted to it. `covariance`: their
    matrix in the same order, where people speak in several channels (`shared_covariance`). `floor`: the largest difference between two channels that does not matter,
    in the unit of the estimate. Channels without an estimate or error are left out. Cochran (1954); Higgins & Thompson (2002); Hartung & Knapp (2001);
    IntHout et al. (2014), doi:10.1186/1471-2288-14-25. WeightingError: missing columns, a channel twice, a covariance that does not fit.

    >>> told = pl.DataFrame({"channel": ["论坛", "热线", "问卷"], "estimate": [6.0, 6.2, 7.0], "std_error": [0.1, 0.1, 0.1], "n": [400, 400, 400]})
    >>> found = channel_agreement(told)
    >>> found.verdict, round(found.figures["q"], 3), round(found.figures["estimate"], 3)
    ('disagree', 56.0, 6.4)
    """
    if absent := [column for column in ("channel", "estimate", "std_error") if column not in estimates.columns]:
        raise WeightingError(f"比较渠道的表缺列：{first(absent)}；现有：{'、'.join(estimates.columns)}。每个渠道一行，要有 channel、estimate、std_error。")
    if estimates["channel"].n_unique() < estimates.height:
        raise WeightingError("比较渠道的表里有渠道出现两次。请每个渠道只留一行，问题和基数要相同。")
    matrix = np.diag(estimates["std_error"].cast(pl.Float64).fill_null(np.nan).to_numpy() ** 2) if covariance is None else np.asarray(covariance, float)
    if matrix.shape != (estimates.height, estimates.height):
        raise WeightingError(f"协方差是 {matrix.shape}，渠道有 {estimates.height} 个。请按同样的渠道、同样的顺序用 shared_covariance 算。")
    y = estimates["estimate"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    usable = np.isfinite(y) & np.isfinite(np.diag(matrix)) & (np.diag(matrix) > 0)
    table = estimates.filter(pl.Series(usable)).select(column for column in ("channel", "estimate", "std_error", "n") if column in estimates.columns)
    if usable.sum() < FEWEST:
        return Agreement("too_few", {}, table.with_columns(pl.lit(None, pl.Float64).alias("share"), pl.lit(None, pl.Float64).alias("apart")))
    y, matrix = y[usable], matrix[np.ix_(usable, usable)]
    try:
        found = heterogeneity(y, matrix, between)
        mean = pooled_mean(y, matrix, found.tau2, confidence)
    except ValueError as failed:
        raise WeightingError(f"{failed}。请去掉其中一个渠道，或把它们合成一个。") from failed
    figures = {"q": found.q, "degrees": found.degrees, "p_value": found.p_value, "i2": found.i2, "tau2": found.tau2, "estimate": mean.estimate, "std_error": mean.std_error,
               "conf_low": mean.conf_low, "conf_high": mean.conf_high}
    verdict = "agree" if found.p_value >= NOMINAL else "too_small" if np.ptp(y) <= floor else "disagree"
    return Agreement(verdict, figures, table.with_columns(pl.Series("share", mean.shares), pl.Series("apart", y - mean.estimate)))


def shared_covariance(frames: dict[str, pl.DataFrame], column: str, key: str = "customer_id") -> np.ndarray:
    """Covariance of the weighted means of `column` in several channels, in the order of `frames`; unit: that of the column, squared.

    Each frame is weighted, one row per customer. With e the residual that its margins leave, pushed by leverage as in hc3, the covariance of two channels is the sum
    over the people who speak in both of w e / W times w e / W; the diagonal is the square of the standard error of `weighted_mean`. Two channels that people join
    independently share by chance, and their means then share the chance of who these people are: differences between channels vary less than apart.

    >>> one = pl.DataFrame({"customer_id": ["a", "b"], "score": [1, 3], "weight": [1.0, 1.0]})
    >>> shared_covariance({"论坛": one, "热线": one.with_columns(customer_id=pl.Series(["a", "c"]))}, "score").tolist()
    [[2.0, 1.0], [1.0, 2.0]]
    """
    pushed = {}
    for channel, frame in frames.items():
        if key not in frame.columns:
            raise WeightingError(f"渠道「{channel}」的表里没有列「{key}」，不知道谁在几个渠道都说了话。现有：{'、'.join(frame.columns)}。")
        if frame[key].null_count() or frame[key].n_unique() < frame.height:
            raise WeightingError(f"渠道「{channel}」的「{key}」有空值或重复。请先每位客户并成一行。")
        pushed[channel] = frame.select(key, pl.Series(channel, _pushed(frame, column)))
    matrix = np.zeros((len(frames), len(frames)))
    for at, (channel, mine) in enumerate(pushed.items()):
        matrix[at, at] = float((mine[channel] ** 2).sum())
        for other_at, (other, theirs) in enumerate(pushed.items()):
            if other_at > at:
                both = mine.join(theirs, on=key)
                matrix[at, other_at] = matrix[other_at, at] = float((both[channel] * both[other]).sum())
    return matrix


def _pushed(frame: pl.DataFrame, column: str) -> np.ndarray:
    """What each person adds to the error of the weighted mean: w z, residual to the margins, divided by 1 - leverage."""
    said, w = numbers_of(frame, column), weights_of(frame)
    answered = ~np.isnan(said)
    mine = w * answered
    mean = mine @ np.where(answered, said, 0) / mine.sum()
    z = np.where(answered, said - mean, 0) / mine.sum()
    if "calibration" not in frame.columns:
        return w * z / np.where(mine < mine.sum(), 1 - mine / mine.sum(), 1)
    x, base = design_of(frame["calibration"]), frame[BASE].to_numpy()
    inverse = np.linalg.pinv((x * base[:, None]).T @ x, rcond=RANK, hermitian=True)
    left = z - x @ (inverse @ ((x * base[:, None]).T @ z))
    leverage = base * ((x @ inverse) * x).sum(1)
    alone = leverage > 1 - ALONE
    return w * np.where(alone, z - (w @ z) / w.sum(), left / np.where(alone, 1, 1 - leverage))
