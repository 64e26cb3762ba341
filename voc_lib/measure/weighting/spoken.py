"""Those who spoke, as weighting takes them: only the columns that are used, checked against the population, and what a weighted frame looks like.

One row is one customer: a `customer_id` that comes twice, or that the population does not have, is an error, as is a level in which more people spoke than there are.
"""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl

from voc_lib.measure.weighting.margins import PERSON, Margins, WeightingError, as_level, counted, first

MISSING = "未知"  # the level of people whose level is not known, where missing="level"
BASE = "base_weight"
ROUNDED = 1e-9    # relative; counts that are equal but for rounding
UNEVEN = 5.0      # design effect from which a reader must be warned
STEEP = 50.0      # largest weight, times the mean one, from which he must be
HOPELESS = 20.0   # design effect beyond which no single figure is given
FEWEST = 30       # effective number of people below which none is given
HEAVIEST = 3      # cells named in a warning


class UnevenWeights(UserWarning):
    """The weights are so uneven that few people speak for many."""


def spoken(frame: pl.DataFrame, told: Margins, base_weight: str | None, missing: str) -> pl.DataFrame:
    """Only the columns that are used, levels as text, with the base weight."""
    absent = [column for column in [*told.columns, *([base_weight] if base_weight else [])] if column not in frame.columns]
    if absent:
        raise WeightingError(f"表里没有列：{'、'.join(absent)}；现有：{'、'.join(frame.columns)}。边际的列名要和表里一样。")
    if missing not in ("raise", "level"):
        raise WeightingError(f"missing 没有「{missing}」，可用：raise、level。")
    if not frame.height:
        raise WeightingError("没有人说话：表是空的，没有可以加权的人。请核对渠道和日期。")
    if frame.height > told.size * (1 + ROUNDED):
        raise WeightingError(f"说话的有 {frame.height:,} 人，总体只有 {told.size:,.6g} 人。请核对两边数的是不是同一批客户；若边际写的是份额，请改成人数。")
    _known(frame, told)
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


def refuse_unknown(rows: pl.DataFrame, told: Margins) -> None:
    """Levels of the sample of which the population has nobody, or fewer than spoke."""
    found, crowded = {}, []
    for column, given in told.levels.items():
        for level, count in rows.group_by(column).len().sort(column).iter_rows():
            if not given.get(level, 0) > 0:
                found[f"{column}={level}"] = count
            elif count > given[level] * (1 + ROUNDED):
                crowded.append(f"{column}={level} 说话的 {count:,} 人，总体 {given[level]:,.6g} 人")
    if found:
        known = "；".join(f"{column}：{first(list(given))}" for column, given in told.levels.items() if any(name.startswith(f"{column}=") for name in found))
        raise WeightingError(f"样本里有边际没有（或人数为 0）的层：{counted(found)}。边际里的层——{known}。请统一写法，或补上边际。")
    if crowded:
        raise WeightingError(f"说话的人比总体还多：{first(crowded, '；')}。请核对两边数的是不是同一批客户、同一个时间；若边际写的是份额，请改成人数。")


def everybody(rows: pl.DataFrame, told: Margins) -> bool:
    """Whether everybody spoke, in every level: then there is nobody to stand for."""
    return rows.height >= told.size * (1 - ROUNDED)


def weighted(frame: pl.DataFrame, weight: pl.Series, base: pl.Series, covariates: pl.Series | None, notes: tuple[str, ...]) -> pl.DataFrame:
    """The frame with its weight, what standard errors need (`covariates`: what was calibrated on, if anything), and the note; warns (UnevenWeights) where few people carry it all, naming them."""
    said = uneven(weight, covariates)
    if said:
        warnings.warn(said, UnevenWeights, stacklevel=3)
    notes = (*notes, said) if said else notes
    known = [] if covariates is None else [covariates]
    return frame.with_columns(weight, base.alias(BASE), *known, pl.lit("；".join(notes) or None, dtype=pl.String).alias("weight_note"))


def uneven(weight: pl.Series, covariates: pl.Series | None, people: pl.Series | None = None) -> str:
    """What must be said of weights of a design effect over 5 or a largest one over 50 times the mean; empty where they are even enough. Of cells, `people` of each have the weight."""
    people = pl.ones(len(weight), dtype=pl.Int64, eager=True) if people is None else people
    total = (weight * people).sum()
    effect, steepest = people.sum() * (weight**2 * people).sum() / total**2, weight.max() * people.sum() / total
    if effect <= UNEVEN and steepest <= STEEP:
        return ""
    verdict = "，不给单一的数，只给区间" if effect > HOPELESS else ""
    return f"权重很不均匀（设计效应 {effect:.1f}，最大为平均的 {steepest:.0f} 倍{verdict}）" + _heaviest(weight, covariates, people)


def _heaviest(weight: pl.Series, covariates: pl.Series | None, people: pl.Series) -> str:
    if covariates is None:
        return ""
    cells = pl.DataFrame([weight.alias("weight"), covariates.alias("cell"), people.alias("len")]).group_by("cell").agg(pl.col("weight").mean(), pl.col("len").sum()).sort("weight", "len", descending=True).head(HEAVIEST)
    return "，最重的是 " + "；".join(f"{'、'.join(f'{column}={level}' for column, level in row['cell'].items())}（{row['len']:,} 人，各代表 {row['weight']:,.0f} 人）" for row in cells.iter_rows(named=True))


def _known(frame: pl.DataFrame, told: Margins) -> None:
    if PERSON not in frame.columns:
        return
    twice = frame.filter(pl.col(PERSON).is_duplicated() & pl.col(PERSON).is_not_null())
    if twice.height:
        raise WeightingError(f"{PERSON} 有重复：{twice[PERSON].n_unique():,} 位客户占了 {twice.height:,} 行。一人一行：请先把同一人的几条合成一条（例如取平均）。")
    if told.people is not None:
        strange = frame[PERSON].filter(~frame[PERSON].is_in(told.people.cast(frame.schema[PERSON]).implode()).fill_null(False))
        if len(strange):
            raise WeightingError(f"有 {len(strange):,} 位说话的人不在总体里，例如 {first([str(one) for one in strange.head(3)])}。没有关联到客户的请先去掉，或补全总体。")
