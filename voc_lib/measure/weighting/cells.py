"""Weighted figures from cells alone: how many customers, how many who answered, the sum of their answers and of their squares.

People of one cell weigh the same, so nothing more is needed: what calibration leaves of an answer y in cell c is y - f(c), and the sum of its squares is
squares - 2 f total + n f^2. A million people who spoke become a few thousand rows; figures and standard errors are those of `inference` on the people themselves.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import ALONE, RANK, design_of
from voc_lib.measure.weighting.margins import COUNT, PERSON, WeightingError, read_margins, settle_silent
from voc_lib.measure.weighting.spoken import BASE, ROUNDED, refuse_unknown, spoken
from voc_lib.measure.weighting.weights import ALL_SPOKE, solve
from voc_lib.stats.intervals import t_interval

OWN = (COUNT, "n", "total", "squares", "weight")


def cells_of(frame: pl.DataFrame, column: str, population: pl.DataFrame, missing: str = "raise") -> pl.DataFrame:
    """A row per combination of levels that the population has: the levels (text), `count` customers, `n` who answered `column`, `total` and `squares` of their answers; sorted.

    `frame` has one row per customer who spoke; empty answers are no answers. Only people who answered speak here, so weights made on these cells are weights for this
    question. Raises WeightingError as `calibrate`, for continuous columns, and where more people of a cell spoke than there are.
    """
    told = read_margins(population)
    if told.totals or told.population is None:
        raise WeightingError(f"格子只由分层的列组成，「{'、'.join(told.totals) or '各列的人数'}」不行。请给总体的表，并把小数分段（如年龄段）。")
    if column not in frame.columns or not (frame.schema[column].is_numeric() or frame.schema[column] == pl.Boolean):
        raise WeightingError(f"列「{column}」应是数或真假，现有的列：{'、'.join(frame.columns)}。")
    answered = frame.filter(pl.col(column).cast(pl.Float64).is_finite().fill_null(False))
    rows = spoken(answered, told, None, missing)
    refuse_unknown(rows, told)
    y = answered[column].cast(pl.Float64).alias("y")
    heard = rows.select(told.columns).with_columns(y).group_by(told.columns).agg(pl.len().cast(pl.Int64).alias("n"), pl.col("y").sum().alias("total"), (pl.col("y") ** 2).sum().alias("squares"))
    cells = told.population.group_by(told.columns).agg(pl.col(COUNT).sum()).filter(pl.col(COUNT) > 0).join(heard, on=told.columns, how="full", coalesce=True)
    return checked(cells.with_columns(pl.col(COUNT, "total", "squares").fill_null(0.0), pl.col("n").fill_null(0)).sort(told.columns))


def checked(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells themselves. WeightingError: nobody answered, people in cells that the population does not have or has fewer of, sums that cannot be."""
    if not cells["n"].sum():
        raise WeightingError("没有人回答过这个问题，没有可以折算的。请核对渠道、日期和关联。")
    crowded = cells.filter(pl.col("n") > pl.col(COUNT) * (1 + ROUNDED)).sort("n", descending=True)
    if crowded.height:
        row = crowded.row(0, named=True)
        where = "、".join(f"{name}={row[name]}" for name in levels_of(cells))
        raise WeightingError(f"有 {crowded.height:,} 个格里说话的人比总体还多，例如 {where}：说话的 {row['n']:,} 人，总体 {row[COUNT]:,.0f} 人。请核对两边是不是同一批客户、同一个时间。")
    return cells


def levels_of(cells: pl.DataFrame) -> list[str]:
    """The columns that make the cells."""
    return [name for name in cells.columns if name not in (*OWN, PERSON)]


def weigh_cells(cells: pl.DataFrame, columns: list[str] | None = None, method: str = "raking", on_silent: str = "raise", max_weight_ratio: float | None = None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The cells with the `weight` of one person of each (null where nobody spoke), calibrated to the margins of `columns` (all if not told), and what must be said of it.

    Weights are those that `calibrate` gives every person. Where all spoke, every weight is 1.
    """
    told = read_margins(cells.select(*(columns or levels_of(cells)), COUNT))
    heard = cells.filter(pl.col("n") > 0)
    told = settle_silent(told, {column: set(heard[column].unique()) for column in told.levels}, on_silent)
    if on_silent == "exclude":
        heard = heard.filter(pl.all_horizontal(pl.lit(True), *(pl.col(column).is_in(list(given)) for column, given in told.levels.items())))
    if heard["n"].sum() >= told.size * (1 - ROUNDED):
        return cells.with_columns(pl.when(pl.col("n") > 0).then(1.0).alias("weight")), (*told.notes, ALL_SPOKE)
    rows = heard.select(*told.levels, pl.col("n").cast(pl.Float64).alias(BASE))
    bounds = None if max_weight_ratio is None else (0.0, max_weight_ratio)
    weight = solve(rows, told, method if bounds is None else "logit", bounds) / rows[BASE]
    joined = cells.join(heard.select(*levels_of(cells)).with_columns(weight.alias("weight")), on=levels_of(cells), how="left", maintain_order="left")
    return joined, told.notes


def mean_of_cells(cells: pl.DataFrame, by: str | None = None, se: str = "hc3", confidence: float = 0.95, columns: list[str] | None = None, fpc: bool = False) -> pl.DataFrame:
    """Weighted mean of what the cells hold: `[by,] estimate, std_error, conf_low, conf_high, n, effective_n`, as `weighted_mean` gives it for the people.

    `cells` with `weight`; `columns` are the margins it was calibrated on (all columns of levels if not told), `by` one of the columns of levels. `se`: hc3 or taylor.
    `fpc`: the error about these very customers, of whom those who spoke are known (Poisson sampling, w (w - 1) in place of w^2); worth it where more than 15 % spoke. With hc3 only.
    """
    heard = cells.filter((pl.col("n") > 0) & pl.col("weight").is_not_null())
    n, total, squares, w = (heard[name].to_numpy().astype(float) for name in ("n", "total", "squares", "weight"))
    groups = {None: np.ones(heard.height, bool)} if by is None else {level: (heard[by] == level).to_numpy() for level in heard[by].unique().sort()}
    x = design_of(heard.select(columns or levels_of(heard)).to_struct("levels"))
    inverse = np.linalg.pinv((x * n[:, None]).T @ x, rcond=RANK, hermitian=True)
    leverage = ((x @ inverse) * x).sum(1)
    alone = leverage > 1 - ALONE
    people = n.sum()
    rows = []
    for level, inside in groups.items():
        size = (w * n)[inside].sum()
        mean = (w * total)[inside].sum() / size
        centre = np.where(inside, total - n * mean, 0) / size                                 # sum of z in the cell
        spread = np.where(inside, squares - 2 * mean * total + n * mean**2, 0) / size**2      # sum of z^2
        fitted = x @ (inverse @ (x.T @ centre))
        middle = (w @ centre) / (w @ n)                                                       # of z, for people alone in a level
        taken = np.where(alone & (se == "hc3"), middle, fitted)
        left = np.maximum(spread - 2 * taken * centre + n * taken**2, 0)
        if se == "taylor":
            # R survey: n / (n - 1) times the squares about their mean
            residual = (w * (centre - n * fitted)).sum() / people
            variance = people / (people - 1) * ((w**2 * left).sum() - people * residual**2)
        else:
            variance = (w * (np.maximum(w - 1, 0) if fpc else w) * left / np.where(alone, 1, 1 - leverage) ** 2).sum()
        answered = n[inside].sum()
        error = np.sqrt(variance) if answered > 1 else np.nan
        low, high = t_interval(mean, error, people - 1, confidence)
        rows.append((level, mean, error, float(low), float(high), int(answered), size**2 / (w**2 * n)[inside].sum()))
    names = ["by", "estimate", "std_error", "conf_low", "conf_high", "n", "effective_n"]
    found = pl.DataFrame(rows, schema=dict.fromkeys(names) | {"by": pl.String}, orient="row").with_columns(pl.col(names[1:5]).fill_nan(None))
    return found.drop("by") if by is None else found.rename({"by": by})
