"""Weights by which those who spoke stand for all customers: calibration to margins, post-stratification to cells.

No weight repairs what the margins do not explain: people of one level are taken to be alike whether they spoke or not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from voc_lib.measure.weighting.margins import COUNT, Margins, WeightingError, as_level, counted, first, read_margins, settle_silent
from voc_lib.stats.calibration import METHODS, NotCalibrated, calibrate_weights

MISSING = "未知"  # the level of people whose level is not known, where missing="level"
CROSS = " × "
BASE = "base_weight"


def calibrate(frame: pl.DataFrame, margins: Mapping | pl.DataFrame, method: str = "raking", base_weight: str | None = None, max_weight_ratio: float | None = None, *,
              bounds: tuple[float, float] | None = None, on_silent: str = "raise", missing: str = "raise") -> pl.DataFrame:
    """`frame` (one row per customer who spoke) with a `weight` under which every margin is met to 1e-9; see `margins` for how they are told.

    `method`: `raking` (positive weights), `linear` (GREG, may be negative, cut to `bounds` where given) or `logit` (between `bounds`, as a factor of the base weight
    brought to the size of the population). Nothing is trimmed; `max_weight_ratio` is the most that the largest weight may be of the mean one, by bounded logit from 0.
    `base_weight` names a column of positive weights; their scale does not matter. `missing="level"` counts an empty level as 「未知」, if the margin knows it.
    `on_silent` (raise, collapse, exclude): what to do with levels in which nobody spoke.

    Adds `weight` (people), and for standard errors `base_weight`, `calibration` (what was calibrated on) and `weight_note` (what the reader must know, or null).
    Raises WeightingError: empty or unknown levels, margins that disagree, silent levels, nobody or everybody spoke, margins that cannot be met. Deville & Sarndal (1992).

    >>> calibrate(pl.DataFrame({"city": ["甲", "甲", "乙"]}), {"city": {"甲": 6, "乙": 4}})["weight"].round(6).to_list()
    [3.0, 3.0, 4.0]
    """
    told = read_margins(margins)
    rows = _speakers(frame, told, base_weight, missing)
    _unknown(rows, told)
    told = settle_silent(told, {column: set(rows[column].unique()) for column in told.levels}, on_silent)
    _unknown(rows, told)
    method = _checked(rows, method, bounds, max_weight_ratio)
    base = told.size / rows[BASE].sum()
    alike = [*told.columns, *([BASE] if max_weight_ratio is not None else [])]  # a cap on the weight itself is another factor for every base weight
    cells = rows.group_by(alike).agg((pl.col(BASE).sum() * base).alias("cell"), ((max_weight_ratio or 1) * rows[BASE].mean() / pl.col(BASE).first()).alias("high")).sort(alike)
    x, totals, names = _design(cells, told)
    try:
        g = calibrate_weights(x, totals, cells["cell"].to_numpy(), method, bounds if max_weight_ratio is None else (0.0, cells["high"].to_numpy()), names)
    except NotCalibrated as failed:
        raise WeightingError(_infeasible(failed, method, bounds, max_weight_ratio)) from failed
    except ValueError as failed:
        raise WeightingError(f"{failed}。") from failed
    factors = rows.join(cells.select(*alike, pl.Series("g", g)), on=alike, how="left", maintain_order="left")["g"]
    weight = (factors * rows[BASE] * base).alias("weight")
    negative = (f"{(weight < 0).sum():,} 位的权重是负数（linear 不保证为正）",) if (weight < 0).any() else ()
    return _result(frame, weight, rows[BASE] * base, rows.select(pl.struct(told.columns).alias("calibration")).to_series(), (*told.notes, *negative))


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
    rows = _speakers(frame, told, base_weight, missing)
    _unknown(rows, told)
    name = CROSS.join(told.levels)
    cross = pl.concat_str(told.columns, separator=CROSS).alias(name)
    told = read_margins(told.population.select(cross, COUNT))
    rows = rows.select(cross, BASE)
    told = settle_silent(told, {name: set(rows[name].unique())}, on_silent)
    _unknown(rows, told)
    factor = told.size / rows[BASE].sum()
    people = rows[name].replace_strict(told.levels[name], return_dtype=pl.Float64)
    weight = rows.select((pl.col(BASE) * people / pl.col(BASE).sum().over(name)).alias("weight")).to_series()
    return _result(frame, weight, rows[BASE] * factor, rows.select(pl.struct(name).alias("calibration")).to_series(), told.notes)


def _speakers(frame: pl.DataFrame, told: Margins, base_weight: str | None, missing: str) -> pl.DataFrame:
    """Only the columns that are used, levels as text, with the base weight."""
    absent = [column for column in [*told.columns, *([base_weight] if base_weight else [])] if column not in frame.columns]
    if absent:
        raise WeightingError(f"表里没有列：{'、'.join(absent)}；现有：{'、'.join(frame.columns)}。边际的列名要和表里一样。")
    if missing not in ("raise", "level"):
        raise WeightingError(f"missing 没有「{missing}」，可用：raise、level。")
    if not frame.height:
        raise WeightingError("没有人说话：表是空的，没有可以加权的人。请核对渠道和日期。")
    if frame.height >= told.size * (1 - 1e-9):
        raise WeightingError(f"说话的有 {frame.height:,} 人，总体只有 {told.size:,.6g} 人：人人都说了话，不需要加权。若边际写的是份额，请改成人数。")
    levels = [as_level(column) for column in told.levels]
    try:
        rows = frame.select(*levels, pl.col(list(told.totals)).cast(pl.Float64), (pl.col(base_weight).cast(pl.Float64) if base_weight else pl.lit(1.0)).alias(BASE))
    except pl.exceptions.PolarsError as error:
        raise WeightingError(f"连续的边际和原有权重应是数，列「{'、'.join([*told.totals, *([base_weight] if base_weight else [])])}」里有不是数的值。") from error
    if missing == "level":
        rows = rows.with_columns(pl.col(column).fill_null(MISSING) for column in told.levels if MISSING in told.levels[column])
    infinite = {column: int((~rows[column].fill_null(np.nan).is_finite()).sum()) for column in told.totals}
    empty = {column: rows[column].null_count() for column in told.levels} | infinite
    if any(empty.values()):
        raise WeightingError(f"用来加权的列有空值：{counted({column: count for column, count in empty.items() if count})}。请补全；或边际里有「{MISSING}」这一层时写 missing=\"level\"。")
    bad = int((~(rows[BASE].fill_null(np.nan).is_finite() & (rows[BASE].fill_null(0) > 0))).sum())
    if bad:
        raise WeightingError(f"原有权重「{base_weight}」有 {bad:,} 行不是大于 0 的数。请改正或去掉这些行。")
    return rows


def _unknown(rows: pl.DataFrame, told: Margins) -> None:
    """Levels of the sample of which the population has nobody."""
    found = {}
    for column, given in told.levels.items():
        for level, count in rows.group_by(column).len().sort(column).iter_rows():
            if not given.get(level, 0) > 0:
                found[f"{column}={level}"] = count
    if found:
        known = "；".join(f"{column}：{first(list(given))}" for column, given in told.levels.items() if any(name.startswith(f"{column}=") for name in found))
        raise WeightingError(f"样本里有边际没有（或人数为 0）的层：{counted(found)}。边际里的层——{known}。请统一写法，或补上边际。")


def _checked(rows: pl.DataFrame, method: str, bounds: tuple[float, float] | None, ratio: float | None) -> str:
    """The distance to use: a cap on weights is a logit."""
    if method not in METHODS:
        raise WeightingError(f"没有加权方法「{method}」，可用：{'、'.join(METHODS)}。")
    if ratio is None:
        return method
    if method == "linear" or bounds is not None:
        raise WeightingError("max_weight_ratio 用的是有界的 logit，不能和 linear 或 bounds 同用，请只写一个。")
    steepest = rows[BASE].max() / rows[BASE].mean()
    if not ratio > steepest:
        raise WeightingError(f"max_weight_ratio={ratio:g} 不大于原有权重自己的最大比平均（{steepest:.3g}），没有余地。请放宽。")
    return "logit"


def _design(cells: pl.DataFrame, told: Margins) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A column per level and continuous total, what each should add up to, and its name."""
    wanted = [(column, level, people) for column, given in told.levels.items() for level, people in given.items() if people > 0]
    x = np.column_stack([*((cells[column] == level).to_numpy() for column, level, _ in wanted), *(cells[column].to_numpy() for column in told.totals)]).astype(float)
    return x, np.array([*(people for *_, people in wanted), *told.totals.values()]), [*(f"{column}={level}" for column, level, _ in wanted), *told.totals]


def _infeasible(failed: NotCalibrated, method: str, bounds: tuple[float, float] | None, ratio: float | None) -> str:
    limit = f"每人的权重不超过平均的 {ratio:g} 倍时" if ratio is not None else f"每人的权重在原有的 {bounds[0]:g} 到 {bounds[1]:g} 倍之间时" if bounds else f"用 {method} "
    remedy = "放宽上下限，或合并人少的层" if bounds or ratio is not None else "合并人少的层，或改正、去掉这个边际"
    return f"边际不能同时满足：差得最多的是「{failed.name}」，应为 {failed.wanted:,.6g}，{limit}只能到 {failed.reached:,.6g}。没有给出权重；请{remedy}。"


def _result(frame: pl.DataFrame, weight: pl.Series, base: pl.Series, covariates: pl.Series, notes: tuple[str, ...]) -> pl.DataFrame:
    return frame.with_columns(weight, base.alias(BASE), covariates, pl.lit("；".join(notes) or None, dtype=pl.String).alias("weight_note"))
