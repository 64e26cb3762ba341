"""Weights by which those who spoke stand for all customers: calibration to margins, post-stratification to cells.

No weight repairs what the margins do not explain: people of one level are taken to be alike whether they spoke or not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from voc_lib.measure.weighting.margins import COUNT, Margins, WeightingError, first, read_margins, settle_silent
from voc_lib.measure.weighting.spoken import BASE, everybody, refuse_unknown, spoken, weighted
from voc_lib.stats.calibration import METHODS, NotCalibrated, calibrate_weights

CROSS = " × "
TOUCHED = 1e-6  # relative; nearer to the plane than this lies on it
ALL_SPOKE = "人人都说了话，没有沉默的人，不用加权"


def calibrate(frame: pl.DataFrame, margins: Mapping | pl.DataFrame, method: str = "raking", base_weight: str | None = None, max_weight_ratio: float | None = None, *,
              bounds: tuple[float, float] | None = None, on_silent: str = "raise", missing: str = "raise") -> pl.DataFrame:
    """`frame` (one row per customer who spoke) with a `weight` under which every margin is met to 1e-9; see `margins` for how they are told.

    `method`: `raking` (positive weights), `linear` (GREG, may be negative, cut to `bounds` where given), `logit` (between `bounds`, as a factor of the base weight
    brought to the size of the population) or `cbps` (1 + exp: the inverse of a logit propensity that balances the margins, Imai & Ratkovic 2014; no weight below the
    base). Nothing is trimmed; `max_weight_ratio` is the most that the largest weight may be of the mean one, by bounded logit from 0. `base_weight` names a column of positive weights; their scale does not matter. `missing="level"` counts an empty level as 「未知」, if the margin knows it.
    `on_silent`: what to do with levels in which nobody spoke: `raise`, `collapse` (their people count to the largest level), `extrapolate` (to all levels that spoke, in
    proportion: the other margins speak for them), `exclude` (the figures do not stand for them); all said in the note.

    Adds `weight` (people), and for standard errors `base_weight` (of cbps: weight - base), `calibration` (what was calibrated on) and `weight_note` (what the reader must know, or null).
    Who all spoke stand for themselves. Warns (UnevenWeights) of a design effect over 5 or a weight 50 times the mean. Raises WeightingError: empty or unknown levels, margins that disagree,
    silent levels, nobody spoke, more people than there are, a customer twice, margins that cannot be met. Deville & Sarndal (1992).

    >>> calibrate(pl.DataFrame({"city": ["甲", "甲", "乙"]}), {"city": {"甲": 6, "乙": 4}})["weight"].round(6).to_list()
    [3.0, 3.0, 4.0]
    """
    told = read_margins(margins)
    rows = spoken(frame, told, base_weight, missing)
    refuse_unknown(rows, told)
    told = settle_silent(told, {column: set(rows[column].unique()) for column in told.levels}, on_silent)
    refuse_unknown(rows, told)
    if everybody(rows, told):
        ones = pl.repeat(1.0, rows.height, eager=True)
        return weighted(frame, ones.alias("weight"), ones, rows.select(pl.struct(told.columns).alias("calibration")).to_series(), (*told.notes, ALL_SPOKE))
    weight = solve(rows, told, method, bounds, max_weight_ratio)
    negative = (f"{(weight < 0).sum():,} 位的权重是负数（linear 不保证为正）",) if (weight < 0).any() else ()
    slope = weight - rows[BASE] if method == "cbps" else rows[BASE] * told.size / rows[BASE].sum()
    return weighted(frame, weight, slope, rows.select(pl.struct(told.columns).alias("calibration")).to_series(), (*told.notes, *negative))


def solve(rows: pl.DataFrame, told: Margins, method: str = "raking", bounds: tuple[float, float] | None = None, max_weight_ratio: float | None = None) -> pl.Series:
    """The weight of every row of `spoken` (or cell, its `base_weight` then being its people) under which the margins are met, or WeightingError."""
    method = _checked(rows, method, bounds, max_weight_ratio)
    base = 1.0 if method == "cbps" else told.size / rows[BASE].sum()
    alike = [*told.columns, *([BASE] if max_weight_ratio is not None else [])]  # a cap on the weight itself is another factor for every base weight
    cells = rows.group_by(alike).agg((pl.col(BASE).sum() * base).alias("cell"), ((max_weight_ratio or 1) * rows[BASE].mean() / pl.col(BASE).first()).alias("high")).sort(alike)
    x, totals, names = _design(cells, told)
    try:
        g = calibrate_weights(x, totals, cells["cell"].to_numpy(), method, bounds if max_weight_ratio is None else (0.0, cells["high"].to_numpy()), names)
    except NotCalibrated as failed:
        raise WeightingError(_infeasible(failed, method, bounds, max_weight_ratio, _lacking(failed, told, cells))) from failed
    except ValueError as failed:
        raise WeightingError(f"{failed}。") from failed
    factors = rows.join(cells.select(*alike, pl.Series("g", g)), on=alike, how="left", maintain_order="left")["g"]
    return (factors * rows[BASE] * base).alias("weight")


def poststratify(frame: pl.DataFrame, cells: pl.DataFrame, base_weight: str | None = None, *, on_silent: str = "raise", missing: str = "raise") -> pl.DataFrame:
    """`frame` with the weight under which every cell of the population has its people: weight = base weight * count / sum of base weights in the cell.

    `cells` has a row per cell (or per customer) with columns of levels and `count`. Columns added and errors as in `calibrate`; a cell in which nobody spoke is an
    error or left out (`on_silent="exclude"`); which cells are near enough to be joined only the analyst knows, so there is no "collapse".

    >>> poststratify(pl.DataFrame({"city": ["甲", "甲", "乙"]}), pl.DataFrame({"city": ["甲", "乙"], "count": [6, 4]}))["weight"].to_list()
    [3.0, 3.0, 4.0]
    """
    if not isinstance(cells, pl.DataFrame):
        raise WeightingError("事后分层要一张总体的表：每格一行，有分层的列和 count。只有各列的人数时请用 calibrate。")
    told = read_margins(cells)
    if told.totals:
        raise WeightingError(f"事后分层只用分层的列，「{'、'.join(told.totals)}」是小数。请先分段，或改用 calibrate。")
    if on_silent == "collapse":
        raise WeightingError("事后分层不自动合并格子：哪些格子相近要由人定。请先合并层，或用 on_silent=\"exclude\"，或改用 calibrate。")
    rows = spoken(frame, told, base_weight, missing)
    refuse_unknown(rows, told)
    name = CROSS.join(told.levels)
    cross = pl.concat_str(told.columns, separator=CROSS).alias(name)
    told = read_margins(told.population.select(cross, COUNT))
    rows = rows.select(cross, BASE)
    told = settle_silent(told, {name: set(rows[name].unique())}, on_silent)
    refuse_unknown(rows, told)
    factor = told.size / rows[BASE].sum()
    people = rows[name].replace_strict(told.levels[name], return_dtype=pl.Float64)
    weight = rows.select((pl.col(BASE) * people / pl.col(BASE).sum().over(name)).alias("weight")).to_series()
    return weighted(frame, weight, rows[BASE] * factor, rows.select(pl.struct(name).alias("calibration")).to_series(), told.notes)


def _checked(rows: pl.DataFrame, method: str, bounds: tuple[float, float] | None, ratio: float | None) -> str:
    """The distance to use: a cap on weights is a logit."""
    if method not in METHODS:
        raise WeightingError(f"没有加权方法「{method}」，可用：{'、'.join(METHODS)}。")
    if ratio is None:
        return method
    if method in ("linear", "cbps") or bounds is not None:
        raise WeightingError("max_weight_ratio 用的是有界的 logit，不能和 linear、cbps 或 bounds 同用，请只写一个。")
    steepest = rows[BASE].max() / rows[BASE].mean()
    if not ratio > steepest:
        raise WeightingError(f"max_weight_ratio={ratio:g} 不大于原有权重自己的最大比平均（{steepest:.3g}），没有余地。请放宽。")
    return "logit"


def _design(cells: pl.DataFrame, told: Margins) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A column per level and continuous total, what each should add up to, and its name."""
    wanted = [(column, level, people) for column, given in told.levels.items() for level, people in given.items() if people > 0]
    parts = [(cells[column] == level).to_numpy() for column, level, _ in wanted] or [np.ones(cells.height)]
    x = np.column_stack([*parts, *(cells[column].to_numpy() for column in told.totals)]).astype(float)
    totals = [*(people for *_, people in wanted), *([] if wanted else [told.size]), *told.totals.values()]
    return x, np.array(totals), [*(f"{column}={level}" for column, level, _ in wanted), *([] if wanted else ["人数"]), *told.totals]


def _infeasible(failed: NotCalibrated, method: str, bounds: tuple[float, float] | None, ratio: float | None, lacking: str) -> str:
    limit = f"每人的权重不超过平均的 {ratio:g} 倍时" if ratio is not None else f"每人的权重在原有的 {bounds[0]:g} 到 {bounds[1]:g} 倍之间时" if bounds else f"用 {method} "
    remedy = "放宽上下限，或合并人少的层" if bounds or ratio is not None else "合并人少的层，或改正、去掉这个边际"
    return f"边际不能同时满足：差得最多的是「{failed.name}」，应为 {failed.wanted:,.6g}，{limit}只能到 {failed.reached:,.6g}。{lacking}没有给出权重；请{remedy}。"


def _lacking(failed: NotCalibrated, told: Margins, cells: pl.DataFrame) -> str:
    """The cells behind the plane: of the population those that would be needed and have too few speakers, without one the speakers' that would have to weigh less than they may."""
    if failed.direction is None:
        return ""
    known = told.population is not None
    rows = told.population.group_by(told.columns).agg(pl.col(COUNT).sum().alias("cell")).sort(told.columns) if known else cells.select(*told.columns, "cell")
    rows = rows.filter(pl.all_horizontal(pl.lit(True), *(pl.col(column).is_in(list(given)) for column, given in told.levels.items())))
    beyond = (_design(rows, told)[0] @ failed.direction) * rows["cell"].to_numpy() * (1 if known else -1)
    listed = [rows.row(int(at), named=True) for at in np.argsort(-beyond, kind="stable") if beyond[at] > TOUCHED * max(abs(beyond).max(), 1e-300)]
    named = first(["、".join(f"{column}={row[column]}" for column in told.columns) for row in listed], "；")
    return "" if not named else f"总体里缺不了、说话的人却太少或没有的格：{named}。" if known else f"权重已压到最低、还是太多的格：{named}。"
