"""What if those who stay silent differ from those like them who spoke: the range of a weighted mean, the odds that overturn a conclusion, the mean the silent would need.

Weights make speakers and customers alike in the margins. Whether among customers of equal margins the dissatisfied speak more, no weight can see. `odds` bounds how much: the
factor by which their odds of speaking may differ from the average of their like (Zhao, Small & Bhattacharya 2019, doi:10.1111/rssb.12327). A range is a fact under that bound and
no interval; `conf_low` and `conf_high` add sampling error to its ends. The error of an end is linearised and not from a bootstrap: an end is a weighted mean with the factors
held at their extreme (their own change has no first-order effect), so that it costs one pass and, at odds 1, is the interval that `weighted_mean` prints. Each end gets the
two-sided quantile, as the two ends of the percentile bootstrap of the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import groups_of, numbers_of
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.tilting import error_of, split, standing_for, weight_notes
from voc_lib.stats.intervals import t_interval
from voc_lib.stats.marginal_sensitivity import end_factors, least_odds, odds_range

ODDS = (1.1, 1.25, 1.5, 2.0)
HEADLINE = 1.5  # the odds of the range on a page, for scores that were asked for
FIGURES = {"odds": pl.Float64, "low": pl.Float64, "high": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "n": pl.Int64, "note": pl.String}
TIPPING = {"estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "threshold": pl.Float64, "odds": pl.Float64, "n": pl.Int64, "note": pl.String}
NEEDED = {name: pl.Float64 for name in ("estimate", "speakers_mean", "speaking_share", "threshold", "silent_mean", "silent_estimate")} | {"side": pl.String, "possible": pl.Boolean, "n": pl.Int64, "note": pl.String}


def sensitivity(frame: pl.DataFrame, column: str, odds: Sequence[float] = ODDS, by: str | None = None, threshold: float | None = None, size: float | None = None,
                confidence: float = 0.95) -> pl.DataFrame:
    """Range of the weighted mean of `column` where the odds of speaking, given the answer, are up to `odds` times off: `[by,] odds, low, high, conf_low, conf_high, n, note`.

    `frame` as `calibrate` returns it: one row per customer who spoke, with `weight` in customers; or any positive weights with the `size` they should add up to. A row per group
    and odds (1 or more; at 1 the estimate itself), and with `threshold` one more at the odds that just reach it (infinite: never). An NPS is the mean of a column of 100, 0 and
    -100; empty answers do not count. WeightingError: odds below 1, weights that leave nobody silent. The bound is on the deviation from the average odds of customers with equal
    margins: 3 to 1 between two kinds of answers is less.

    >>> found = sensitivity(pl.DataFrame({"score": [0, 1], "weight": [10, 10]}), "score", odds=[3])
    >>> found["low"].item(), found["high"].item()
    (0.125, 0.875)
    """
    wanted = np.asarray(odds, float).ravel()
    if not len(wanted) or not (wanted >= 1).all():
        raise WeightingError(f"odds 应是不小于 1 的倍数，现在是 {list(np.atleast_1d(odds))}。1 表示同类客户里谁都一样爱开口。")
    rows = []
    for level, y, w, error, notes, degrees in _parts(frame, column, by, size):
        spoken, silent = (np.where(np.isnan(y), 0, part) for part in split(w))
        answer = np.nan_to_num(y)
        mine = wanted if threshold is None else np.append(wanted, least_odds(answer, spoken, silent, threshold))
        for factor, low, high in zip(mine, *_ends(answer, spoken, silent, mine), strict=True):
            outer = _outer(y, w, factor, low, high, error, degrees, confidence)
            rows.append({by: level} | dict(zip(FIGURES, (factor, low, high, *outer, int((~np.isnan(y)).sum()), notes), strict=True)))
    return _table(frame, rows, by, FIGURES)


def tipping_odds(frame: pl.DataFrame, column: str, threshold: float, by: str | None = None, size: float | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """The least odds at which the range of the mean reaches `threshold` (last year's figure, a goal, an NPS of 0): `[by,] estimate, conf_low, conf_high, threshold, odds, n, note`.

    Exact, by a closed form; 1 where the estimate is the threshold, infinite where nothing reaches it. The interval is that of the estimate: where it holds the threshold, there
    was no conclusion to overturn. Frame, errors and source as `sensitivity`.

    >>> tipping_odds(pl.DataFrame({"score": [0, 1], "weight": [10, 10]}), "score", 0.875)["odds"].item()
    3.0
    """
    rows = []
    for level, y, w, error, notes, degrees in _parts(frame, column, by, size):
        answered = ~np.isnan(y)
        spoken, silent = (part[answered] for part in split(w))
        middle = float((w[answered] @ y[answered]) / w[answered].sum())
        low, high = _outer(y, w, 1.0, middle, middle, error, degrees, confidence)
        odds = least_odds(y[answered], spoken, silent, float(threshold))
        rows.append({by: level} | dict(zip(TIPPING, (middle, low, high, float(threshold), odds, int(answered.sum()), notes), strict=True)))
    return _table(frame, rows, by, TIPPING)


def silent_mean(frame: pl.DataFrame, column: str, threshold: float, size: float | None = None, by: str | None = None, scale: tuple[float, float] | None = None,
                estimate: float | None = None) -> pl.DataFrame:
    """The mean that the silent would need for the mean of all to be `threshold`: (threshold - r * speakers' mean) / (1 - r), r the share that spoke.

    `[by,] estimate, speakers_mean, speaking_share, threshold, silent_mean, silent_estimate (what the weights say of the silent), side, possible, n, note`. `side`: the silent
    would have to be `below` or `above` it to overturn the estimate (null: it is the threshold). `possible` is false where that lies outside of `scale` (None: of the answers
    heard): then the conclusion stands whatever the silent think. Needs no model. `estimate`: a better figure than the weighted mean, where one is at hand. Frame and errors as `sensitivity`.

    >>> silent_mean(pl.DataFrame({"score": [8, 8], "weight": [5, 5]}), "score", 6)["silent_mean"].item()    # (6 - .2 * 8) / .8
    5.5
    """
    rows = []
    for level, y, w, _, notes, _ in _parts(frame, column, by, size):
        answered = ~np.isnan(y)
        said, stands = y[answered], w[answered]
        speakers, share = float(said.mean()), len(said) / float(stands.sum())
        figure = float(stands @ said / stands.sum()) if estimate is None else estimate
        least, most = scale if scale is not None else (float(said.min()), float(said.max()))
        if share >= 1 - 1e-12:
            figures = (figure, speakers, share, float(threshold), None, None, None, False, len(said), _joined(notes, "没有沉默的人"))
        else:
            needed, thought = (float((goal - share * speakers) / (1 - share)) for goal in (threshold, figure))
            side = "below" if figure > threshold else "above" if figure < threshold else None
            possible = needed >= least if side == "below" else needed <= most if side == "above" else True
            outside = None if possible else f"沉默的人要{'低于' if side == 'below' else '高于'} {needed:,.4g}，{'最低' if side == 'below' else '最高'}只能是 {least if side == 'below' else most:,.4g}：他们怎么想都不会推翻"
            heard = None if scale is not None else "没有写 scale，量表的两端取自听到的回答"
            figures = (figure, speakers, share, float(threshold), needed, thought, side, possible, len(said), _joined(notes, outside, heard))
        rows.append({by: level} | dict(zip(NEEDED, figures, strict=True)))
    return _table(frame, rows, by, NEEDED)


def _parts(frame: pl.DataFrame, column: str, by: str | None, size: float | None):
    """For every group: its name, answers (NaN outside and where there is none), weights, how to get errors, notes, degrees of freedom."""
    said, w = numbers_of(frame, column), standing_for(frame, size)
    if not np.isfinite(said[~np.isnan(said)]).all():
        raise WeightingError(f"列「{column}」里有无穷大的数，算不出均值。请先改正。")
    error = error_of(frame, w)
    for level, there in groups_of(frame, by).items():
        y = np.where(there, said, np.nan)
        if np.isnan(y).all():
            raise WeightingError(f"列「{column}」里{f'「{level}」' if by else ''}没有一个回答，没有可以估计的。请核对列和筛选。")
        if not w[~np.isnan(y)].sum() > 0 or not split(w[~np.isnan(y)])[0].sum() > 0:
            raise WeightingError(f"{f'「{level}」' if by else '回答的人'}的权重里负数太多，合计不大于 0。请换成 raking，或合并人少的层。")
        yield level, y, w, error, "；".join(weight_notes(frame, w[~np.isnan(y)])) or None, frame.height - 1


def _ends(y, spoken, silent, odds) -> tuple[list[float], list[float]]:
    low, high = odds_range(y, spoken, silent, odds)
    return low.tolist(), high.tolist()


def _outer(y, w, odds: float, low: float, high: float, error, degrees: int, confidence: float) -> tuple[float | None, float | None]:
    """The range with sampling error; null where there is none to tell (one answer, or infinite odds)."""
    inside = ~np.isnan(y)
    if inside.sum() < 2 or not np.isfinite(odds):
        return None, None
    spoken, silent = (np.where(inside, part, 0) for part in split(w))
    answer, outer = np.nan_to_num(y), []
    for end, lower in ((low, True), (high, False)):
        factor = end_factors(answer, odds, end, lower)
        tilted = spoken + factor * silent
        apart = np.where(inside, answer - end, 0) / tilted.sum()
        slope = np.where(w > 1, factor, 1.0) * apart
        outer.append(t_interval(end, error(tilted * apart, slope, inside), degrees, confidence)[0 if lower else 1])
    if np.isin(y[inside], (0, 1)).all():  # a share
        outer = np.clip(outer, 0, 1)
    return tuple(float(end) if np.isfinite(end) else None for end in outer)


def _joined(*notes: str | None) -> str | None:
    return "；".join(note for note in notes if note) or None


def _table(frame: pl.DataFrame, rows: list[dict], by: str | None, figures: dict) -> pl.DataFrame:
    schema = ({by: frame.schema[by]} if by else {}) | figures
    return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)
