"""How much the weeks before differed by more than chance, group by group."""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure.answers import answers, labels, lean
from voc_lib.measure.moments import moments, solved
from voc_lib.measure.units import shared_base, units
from voc_lib.stats import dispersion

# A year: enough weeks to know phi to a fifth, with every season in it, and older years are forgotten.
HISTORY_WEEKS = 52
UNDATED = "undated"


def earlier_weeks(history: pl.DataFrame, before: str | None, weeks: int = HISTORY_WEEKS) -> pl.DataFrame:
    """The feedback of the last `weeks` weeks that have any, strictly before the ISO week `before`, dated only."""
    if "iso_week" not in history.columns:
        raise ValueError("历史数据缺少 iso_week 列，无法估计周间波动。请用 voc.feedback(...) 取历史。")
    dated = history.filter(pl.col("iso_week") != UNDATED)
    if before is not None:
        dated = dated.filter(pl.col("iso_week") < before)
    kept = dated["iso_week"].unique().sort().tail(weeks)
    return dated.filter(pl.col("iso_week").is_in(kept.to_list()))


def weekly(history: pl.DataFrame, metric: Metric, by: list[str]) -> tuple[pl.DataFrame, dict[str, np.ndarray], list[str]]:
    """(cells, matrices, week labels): the metric of every group in every week, for the arithmetic of weeks.

    cells: one row per group, cell and its `by` columns. matrices estimate, variance, effective_n, people (of the
    group), heard (in its base): one row per cell, one column per week, NaN where the group's base is empty. A code
    that nobody mentions in a week in which its group was heard counts 0 there.
    """
    labelled = history["iso_week"].unique().sort().to_list()
    numbered = lean(history, metric, by, "iso_week").with_columns(
        pl.col("iso_week").replace_strict(labelled, range(len(labelled)), return_dtype=pl.UInt32).alias("week")
    )
    rows, groups, codes = answers(numbered, metric, by, slices="week")
    base, hits, _ = units(rows, codes, metric, by)
    observed = moments(base, hits).select("group", "code").unique().sort("group", "code").with_row_index("cell")
    grid = rows.select("slice", "group").unique().join(observed, on="group", how="inner")
    table = moments(base, hits, grid).join(observed, on=["group", "code"], how="left")
    at = (table["cell"].to_numpy(), table["slice"].to_numpy())
    members = table["said" if shared_base(metric, by) else "heard"]
    people = {"people": members.to_numpy().astype(float), "heard": table["heard"].to_numpy().astype(float)}
    figures = {**solved(table, metric), **people}
    matrices = {}
    for name in ("estimate", "variance", "effective_n", *people):
        matrices[name] = np.full((observed.height, len(labelled)), np.nan)
        matrices[name][at] = figures[name]
    cells = observed.join(groups, on="group", how="left").join(codes, on="code", how="left")
    return cells.sort("cell").select("cell", *labels(by)), matrices, labelled


def week_to_week(history: pl.DataFrame, metric: Metric, by: list[str], adjacent: bool) -> pl.DataFrame:
    """One row per group seen in history: cell, the `by` columns, squares (X2), degrees, expected (people a week).

    `adjacent`: the periods to compare are neighbouring single weeks, so the yardstick is the step from one
    week to the next; else the scatter around the mean of all weeks, which slow drift widens.
    """
    cells, matrices, _ = weekly(history, metric, by)
    squares, degrees = (_steps if adjacent else scatter)(matrices, metric)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(matrices["estimate"])
        people = np.where(known, matrices["people"], 0).sum(1) / np.maximum(known.sum(1), 1)
    columns = {"squares": squares, "degrees": degrees, "expected": people}
    return cells.with_columns(*(pl.Series(name, value) for name, value in columns.items()))


def _steps(matrices: dict[str, np.ndarray], metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    value, size, variance = _packed(matrices)
    if metric.unit == "count":
        chance = variance[:, 1:] + variance[:, :-1]
    else:
        now, then = size[:, 1:], size[:, :-1]
        if metric.unit == "share":
            pooled = (value[:, 1:] * now + value[:, :-1] * then) / (now + then)
            spread = pooled * (1 - pooled)
        else:
            spread = _spread(size, variance)
        chance = spread * (1 / now + 1 / then)
    return dispersion.successive(np.diff(value, axis=1), chance)


def scatter(matrices: dict[str, np.ndarray], metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """(X2, df) of each cell's weeks around the mean of all of them; `matrices` from `weekly`."""
    value, size, variance = _packed(matrices)
    if metric.unit == "count":
        return dispersion.pearson(value, np.broadcast_to(_mean(variance, np.ones_like(value)), value.shape))
    mean = _mean(value, size)
    spread = mean * (1 - mean) if metric.unit == "share" else _spread(size, variance)
    return dispersion.pearson(value, spread / size)


def _packed(matrices: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weeks of each group pushed together, so that a gap in its source is not a step."""
    order = np.argsort(~np.isfinite(matrices["estimate"]), axis=1, kind="stable")
    names = ("estimate", "effective_n", "variance")
    return tuple(np.take_along_axis(matrices[name], order, axis=1) for name in names)


def _mean(value: np.ndarray, weight: np.ndarray) -> np.ndarray:
    known = np.isfinite(value) & np.isfinite(weight)
    total = np.where(known, weight, 0).sum(1, keepdims=True)
    return np.where(known, value * weight, 0).sum(1, keepdims=True) / np.where(total > 0, total, np.nan)


def _spread(size: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Variance between people, pooled over weeks: steadier than that of a week with three of them."""
    return _mean(variance * size, np.where(np.isfinite(variance), size - 1, np.nan))
