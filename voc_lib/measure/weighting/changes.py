"""Did it change, if who speaks is selected the same hidden way in both weeks? The change of a weighted mean, with its own sensitivity.

Stable selection: in both weeks the silent differ from those like them who spoke by one and the same function of the answer (`shared` bounds its odds), and by a drift of up to
`odds` from one week to the other. The range of the change is over all such functions and drifts; it is much narrower than two ranges subtracted, which would let the angry speak
up in one week and keep still in the next. See `stats/common_tilt`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import numbers_of
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.tilting import error_of, split, standing_for, weight_notes
from voc_lib.stats.common_tilt import Week, change_range
from voc_lib.stats.intervals import t_interval

DRIFTS = (1.0, 1.1, 1.25, 1.5)
SHARED = 1.5     # as the range of a single week
GROUPS = 11      # answers of a rating are as many; more are tilted in groups of neighbours with equal weight: with finer ones the tilt would follow chance
FIGURES = {name: pl.Float64 for name in ("odds", "shared_odds", "change", "low", "high", "conf_low", "conf_high")} | {"n": pl.Int64, "n_before": pl.Int64, "note": pl.String}


def change_sensitivity(before: pl.DataFrame, now: pl.DataFrame, column: str, odds: Sequence[float] = DRIFTS, shared: float = SHARED, size_before: float | None = None,
                       size_now: float | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """Range of the change of a weighted mean (now - before) under stable selection: a row per drift, `odds, shared_odds, change, low, high, conf_low, conf_high, n, n_before, note`.

    `change` is the difference of the two estimates; `low` and `high` are over all tilts by the answer within `shared` common to both weeks and drifts within `odds` (1: none);
    `conf_low`, `conf_high` add sampling error, the weeks taken to be independent. Frames as for `sensitivity`. The tilt is a function of the answer alone; what differs between
    covariates at equal answers belongs to the drift. WeightingError: odds below 1 or infinite, nobody answered.

    >>> week = pl.DataFrame({"score": [0, 1], "weight": [10, 10]})
    >>> change_sensitivity(week, week, "score", odds=[1])["high"].round(9).item()
    0.0
    """
    drifts = np.asarray(odds, float).ravel()
    if not len(drifts) or not ((drifts >= 1) & np.isfinite(drifts)).all() or not 1 <= shared < np.inf:
        raise WeightingError(f"odds 和 shared 应是不小于 1 的有限倍数，现在是 {drifts.tolist()} 和 {shared}。")
    weeks = [(frame, numbers_of(frame, column), standing_for(frame, size)) for frame, size in ((before, size_before), (now, size_now))]
    for name, (_, y, _) in zip(("前一期", "本期"), weeks, strict=True):
        if np.isnan(y).all() or not np.isfinite(y[~np.isnan(y)]).all():
            raise WeightingError(f"{name}的列「{column}」没有一个回答，或有无穷大的数。请核对列和日期。")
    places, count = _together([y for _, y, _ in weeks], [w for *_, w in weeks])
    sums = [_week(y, w, place, count) for (_, y, w), place in zip(weeks, places, strict=True)]
    errors = [error_of(frame, w) for frame, _, w in weeks]
    n_before, n = (int((~np.isnan(y)).sum()) for _, y, _ in weeks)
    change = sums[1].mean(np.ones(count)) - sums[0].mean(np.ones(count))
    note = "；".join(_notes(weeks, count)) or None
    rows = []
    for drift in drifts:
        outer = []
        ends = change_range(*sums, shared, drift)
        for at, (end, *tilts) in enumerate(ends):
            parts = zip(errors, weeks, tilts, places, sums, strict=True)
            variance = sum(_error(error, y, w, tilt[place], week) ** 2 for error, (_, y, w), tilt, place, week in parts) if min(n, n_before) > 1 else np.nan
            outer.append(float(t_interval(end, np.sqrt(variance), n + n_before - 2, confidence)[at]))
        low, high = ends[0][0], ends[1][0]
        rows.append((drift, shared, change, low, high, *(end if np.isfinite(end) else None for end in outer), n, n_before, note))
    return pl.DataFrame(rows, schema=FIGURES, orient="row")


def _together(answers: list[np.ndarray], weights: list[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """The group of every answer, the same groups in both weeks (0 where there is none), and how many groups there are."""
    said = np.concatenate([y[~np.isnan(y)] for y in answers])
    values = np.unique(said)
    if len(values) > GROUPS:
        w = np.concatenate([w[~np.isnan(y)] for y, w in zip(answers, weights, strict=True)])
        order = np.argsort(said)
        reached = np.cumsum(w[order]) / w.sum()
        values = np.unique(said[order][np.minimum(np.searchsorted(reached, np.arange(GROUPS) / GROUPS), len(said) - 1)])
    return [np.clip(np.searchsorted(values, np.nan_to_num(y), side="right") - 1, 0, len(values) - 1) for y in answers], len(values)


def _week(y: np.ndarray, w: np.ndarray, place: np.ndarray, count: int) -> Week:
    answered = ~np.isnan(y)
    spoken, silent = (np.where(answered, part, 0) for part in split(w))
    answer, total = np.nan_to_num(y), w[answered].sum()
    return Week(np.bincount(place, silent, count), np.bincount(place, silent * answer, count), float(silent.sum() / total), float(spoken @ answer / total))


def _error(error, y: np.ndarray, w: np.ndarray, tilt: np.ndarray, week: Week) -> float:
    """Standard error of a week's mean with its silent tilted: their number is held, their mix is not."""
    inside = ~np.isnan(y)
    spoken, silent = (np.where(inside, part, 0) for part in split(w))
    answer, stands = np.nan_to_num(y), np.where(inside, w, 0)
    total, tilted = stands.sum(), (tilt * silent).sum()
    scale = silent.sum() / tilted if tilted > 0 else 0.0
    thought = float((tilt * silent) @ answer / tilted) if tilted > 0 else 0.0
    mean = week.spoken + week.silent * thought
    apart = np.where(inside, answer - thought, 0)
    score = (spoken * apart + scale * tilt * silent * apart - stands * (mean - thought)) / total
    slope = np.where(inside, np.where(w > 1, scale * tilt, 1.0) * apart - (mean - thought), 0) / total
    return error(score, slope, inside)


def _notes(weeks: list, count: int) -> list[str]:
    told = [f"{name}：{note}" for name, (frame, y, w) in zip(("前一期", "本期"), weeks, strict=True) for note in weight_notes(frame, w[~np.isnan(y)])]
    if any(len(np.unique(y[~np.isnan(y)])) > count for _, y, _ in weeks):
        told.append(f"回答的取值很多，按相邻的 {count} 组倾斜")
    return told
