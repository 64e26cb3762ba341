"""The outcome side: what the silent would have said, as those like them did (`mrp`), and that put right by the weighted residuals of those who spoke (`dr`).

`mrp` smooths: every cell of the population is predicted from its levels and their pairs, shrunk as far as few people ask for (multilevel regression and
post-stratification; Gelman & Little 1997; Park, Gelman & Bafumi 2004, doi:10.1093/pan/mph024; Ghitza & Gelman 2013). It is for segments. `dr` is for the headline:
right if either the model or the weights are. Its weights are calibrated, not inverse estimated propensities, which go wild where both are slightly wrong
(Kang & Schafer 2007, doi:10.1214/07-STS227). Neither sees what the covariates do not tell.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.measure.weighting.cells import cells_of, checked, levels_of
from voc_lib.measure.weighting.margins import COUNT, Margins, WeightingError, as_level, read_margins, settle_silent
from voc_lib.measure.weighting.propensity import ipw
from voc_lib.measure.weighting.spoken import BASE, ROUNDED, refuse_unknown, spoken
from voc_lib.measure.weighting.weights import ALL_SPOKE, calibrate
from voc_lib.stats.augmented import Outcome, Spoken, augmented, line, speakers_mean
from voc_lib.stats.intervals import t_interval
from voc_lib.stats.mixed import CellFit, fit_cells, influence, leverage, uneven, variance

OUTCOMES = ("mrp", "linear")
WEIGHTINGS = ("raking", "ipw")
DIVIDE = ("weights", "people")
MET = 1e-6     # relative: weights that meet the margins of the population so closely are calibrated on them
FIGURES = ("estimate", "std_error", "conf_low", "conf_high")


def mrp(frame: pl.DataFrame, column: str, population: pl.DataFrame, by: str | None = None, confidence: float = 0.95, missing: str = "raise") -> pl.DataFrame:
    """Mean of `column` over all customers, or each level of `by`: `[by,] estimate, std_error, conf_low, conf_high, n, effective_n, note`; in the unit of `column`.

    `frame` has a row per customer who spoke, `population` a row per customer or cell, levels only; `by` is one of its columns. Those who answered count as they did, the others
    as their cell is predicted. `std_error` is the posterior standard deviation, given the variances, and no less than how unevenly people differ asks for. `effective_n` is Kish's of what each
    answer counts: in a small segment it may exceed `n`, since others are heard too. Errors as `cells_of`.

    >>> frame = pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "score": [1, 3, 7, 9]})
    >>> mrp(frame, "score", pl.DataFrame({"city": ["甲", "乙"], "count": [10, 10]}))["estimate"].round(6).item()
    5.0
    """
    return mrp_cells(cells_of(frame, column, population, missing), by, confidence)


def mrp_cells(cells: pl.DataFrame, by: str | None = None, confidence: float = 0.95, fit: CellFit | None = None) -> pl.DataFrame:
    """`mrp` of what the cells hold (columns of levels, `count`, `n`, `total`, `squares`); the same figures as from the people themselves. `fit`: what `smooth` gave for these cells."""
    groups, inside = _groups(checked(cells), levels_of(cells), by)
    size, n, total = (cells[name].to_numpy().astype(float) for name in (COUNT, "n", "total"))
    fit = fit or smooth(cells)
    people = inside.T @ size
    silent = inside * np.maximum(size - n, 0)[:, None] / people
    estimate = (inside.T @ total) / people + fit.fitted @ silent
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = influence(fit, silent)
        error = np.sqrt(variance(fit, silent) + uneven(fit, pull, n, total, cells["squares"]) + fit.within * silent.sum(0) / people)
        counts = pull + inside / people
        effective = (n @ counts) ** 2 / (n @ counts**2)
    if n.sum() < 2:
        error[:] = np.nan  # one person says nothing of how far people differ
    spoke = (inside.T @ n).astype(int)
    notes = [[ALL_SPOKE] * bool(n.sum() >= size.sum() * (1 - ROUNDED)) + _doubts(fit) + ["这一段没有人说话，全由相近的客户推算"] * int(heard == 0) for heard in spoke]
    return _table(by, groups, estimate, error, spoke, effective, notes, n.sum() - 1, confidence)


def dr(frame: pl.DataFrame, column: str, population: pl.DataFrame, by: str | None = None, outcome: str | None = None, weighting: str = "raking", confidence: float = 0.95, *,
       weighted: pl.DataFrame | None = None, fpc: bool = True, divide: str = "weights", on_silent: str = "raise", missing: str = "raise") -> pl.DataFrame:
    """Mean of `column` over all customers, or each level of `by`: of the model over everybody, plus the weighted mean of the speakers' residuals. Columns as `mrp`; the headline figure.

    `outcome`: "mrp" (levels only) or "linear" (least squares; takes continuous, that is Float, columns of `population`, and is the default where there are any).
    `weighting`: "raking" or "ipw"; or give people `weighted` by any means, with the weights in `weight` (`frame` is then not looked at). The error is that about these very
    customers, as `mrp`'s is: those who spoke are known (Poisson sampling); `fpc=False` takes them for a draw from more of their kind, which shows where many spoke.
    `divide="people"` divides residuals by the population instead of the sum of weights. Linearised, HC3; t interval, of few degrees where few people carry the error. Errors as `calibrate`.

    >>> frame = pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "score": [1, 3, 7, 9]})
    >>> dr(frame, "score", pl.DataFrame({"city": ["甲", "乙"], "count": [10, 30]}), outcome="linear").select("estimate", pl.col("std_error").round(6)).row(0)
    (6.5, 1.072381)
    """
    told = read_margins(population)
    outcome = _checked(told, outcome, weighting, divide)
    people = _answered(frame if weighted is None else weighted, column)
    if weighted is None:
        known = spoken(people, told, None, missing)
        refuse_unknown(known, told)
        if on_silent == "exclude":
            told = settle_silent(told, {name: set(known[name].unique()) for name in told.levels}, on_silent)
        people = (calibrate if weighting == "raking" else ipw)(people, told.population, on_silent=on_silent, missing=missing)
    rows = _rows(people, column, told, missing)
    notes = [*told.notes, *people["weight_note"].head(1).drop_nulls()] if "weight_note" in people.columns else []
    cells = cells_of(people, column, told.population, missing) if outcome == "mrp" else None
    return _dr(rows, told, cells, by, outcome, confidence, fpc, divide, list(dict.fromkeys(notes)))


def dr_cells(cells: pl.DataFrame, weight_per_cell, by: str | None = None, outcome: str = "mrp", confidence: float = 0.95, *, fpc: bool = True, divide: str = "weights",
             fit: CellFit | None = None) -> pl.DataFrame:
    """`dr` of what the cells hold, with the weight of one person of each cell (not read where nobody spoke); the same figures as from people of these weights. `fit`: as `mrp_cells`."""
    told = read_margins(checked(cells).select(*levels_of(cells), COUNT))
    outcome = _checked(told, outcome, "raking", divide)
    rows = cells.with_columns(pl.Series("weight", weight_per_cell, dtype=pl.Float64), pl.lit(1.0).alias(BASE)).filter(pl.col("n") > 0)
    return _dr(rows, told, cells, by, outcome, confidence, fpc, divide, [], fit)


def about_everybody(people: pl.DataFrame, column: str, cells: pl.DataFrame, fit: CellFit | None = None) -> pl.Series:
    """Each answer less what the model predicts of its cell, plus what it predicts of everybody: with the weights its mean is `dr`'s figure, so that a range of it is a range of that figure.

    `people`: a row per customer who answered, with the columns of `cells` (levels, `count`, `n`, `total`, `squares`), in whose order `fit` is what `smooth` gave.
    """
    levels, fitted = levels_of(cells), (fit or smooth(cells)).fitted
    everybody = float(fitted @ cells[COUNT].to_numpy() / cells[COUNT].sum())
    told = people.select(as_level(name) for name in levels).join(cells.select(levels).with_columns(pl.Series("predicted", fitted)), on=levels, how="left", maintain_order="left")
    return (people[column].cast(pl.Float64) - told["predicted"] + everybody).alias("around")


def smooth(cells: pl.DataFrame) -> CellFit:
    """The crossed effects behind `mrp_cells` and `dr_cells`: made once where several figures are taken from the same cells."""
    levels = levels_of(cells)
    codes = cells.select(pl.col(levels).rank("dense").cast(pl.Int64) - 1).to_numpy()
    return fit_cells(codes, *(cells[name].to_numpy() for name in ("n", "total", "squares")))


def _dr(rows: pl.DataFrame, told: Margins, cells: pl.DataFrame | None, by: str | None, outcome: str, confidence: float, fpc: bool, divide: str, notes: list[str],
        fit: CellFit | None = None) -> pl.DataFrame:
    groups, inside = _groups(rows, list(told.levels), by, told)
    said = Spoken(*(rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("n", "total", "squares", "weight", BASE)))
    if not np.isfinite(said.weight).all() or not (said.weight * said.n).sum() > 0:
        raise WeightingError(f"{len(said.weight):,} 行里有空的、无限的或加起来不大于 0 的权重。请先用 calibrate、poststratify 或 ipw 加权。")
    people = np.array([told.size] if by is None else [told.levels[by][level] for level in groups])
    n = (inside.T @ said.n).astype(int)
    if said.n.sum() >= told.size * (1 - ROUNDED):
        return _table(by, groups, inside.T @ said.total / n, np.zeros(len(n)), n, n.astype(float), [[*dict.fromkeys([*notes, ALL_SPOKE])]] * len(n), said.n.sum() - 1, confidence)
    columns = _columns(told)
    x = rows.select(columns).to_numpy()
    everybody = _everybody(told, columns, by, groups)
    met = np.abs((said.weight * said.n) @ x - told.size * _everybody(told, columns, None, [None])[0]).max() <= MET * told.size
    with np.errstate(divide="ignore", invalid="ignore"):
        if outcome == "linear":
            model = line(said, x, everybody, inside)
        else:
            fit = fit or smooth(cells)
            model = _smoothed(fit, cells, rows, said, list(told.levels), inside, by, groups)
            notes = notes + _doubts(fit)
        estimate, error, degrees, effective, alone = augmented(said, model, inside, people, x if met else None, fpc, divide)
    if alone.any():
        notes = [*notes, f"{said.n[alone].sum():,.0f} 位是自己那一层里唯一说话的人，他们的误差按与其他人一样估计"]
    error = np.where(n > 1, error, np.nan)
    return _table(by, groups, estimate, error, n, effective, [notes + ["这一段没有人说话，请看 mrp"] * int(heard == 0) for heard in n], degrees, confidence)


def _smoothed(fit: CellFit, cells: pl.DataFrame, rows: pl.DataFrame, said: Spoken, levels: list[str], inside: np.ndarray, by: str | None, groups: list) -> Outcome:
    """The crossed effects as a model for `augmented`."""
    place = rows.select(levels).join(cells.select(levels).with_row_index("place"), on=levels, how="left", maintain_order="left")["place"].to_numpy()
    size = cells[COUNT].to_numpy().astype(float)
    share = _groups(cells, levels, by)[1] * size[:, None]
    share = share / share.sum(0)
    heavy = inside * (said.weight * said.n)[:, None]
    heavy = heavy / heavy.sum(0)

    def by_cell(shares: np.ndarray) -> np.ndarray:
        return np.column_stack([np.bincount(place, column, len(size)) for column in shares.T])

    once, back = np.unique(place, return_inverse=True)

    def spread(shares: np.ndarray) -> np.ndarray:
        return influence(fit, by_cell(shares))[place]

    return Outcome(fit.fitted @ share, fit.fitted[place], leverage(fit, once)[back], influence(fit, share - by_cell(heavy))[place], spread)


def _doubts(fit: CellFit) -> list[str]:
    return [] if fit.converged else [f"模型算了 {fit.steps} 步还没有稳定，误差仅供参考"]


def _columns(told: Margins) -> list[pl.Expr]:
    """1, every level but the first of its column, and continuous columns by their mean and standard deviation."""
    count = told.population[COUNT].to_numpy()
    lines = []
    for name in told.totals:
        values = told.population[name].to_numpy()
        middle = np.average(values, weights=count)
        lines.append(((pl.col(name) - middle) / (np.sqrt(np.average((values - middle) ** 2, weights=count)) or 1.0)).alias(f"={name}"))
    levels = [(name, level) for name, given in told.levels.items() for level in [level for level, people in given.items() if people > 0][1:]]
    return [pl.lit(1.0).alias("="), *((pl.col(name) == level).cast(pl.Float64).alias(f"{name}={level}") for name, level in levels), *lines]


def _everybody(told: Margins, columns: list[pl.Expr], by: str | None, groups: list) -> np.ndarray:
    """Means of the columns over everybody, by group."""
    means = [((column * pl.col(COUNT)).sum() / pl.col(COUNT).sum()).alias(f"{at}") for at, column in enumerate(columns)]
    if by is None:
        return told.population.select(means).to_numpy()
    return pl.DataFrame({by: groups}).join(told.population.group_by(by).agg(means), on=by, how="left", maintain_order="left").drop(by).to_numpy()


def _rows(people: pl.DataFrame, column: str, told: Margins, missing: str) -> pl.DataFrame:
    """Those who answered, alike ones together: levels, continuous columns, weight, base weight; `n`, `total`, `squares`."""
    if "weight" not in people.columns:
        raise WeightingError("weighted 里没有列「weight」。请先用 calibrate、poststratify 或 ipw 加权。")
    known = spoken(people, told, None, missing).drop(BASE)
    refuse_unknown(known, told)
    base = people[BASE] if BASE in people.columns else people["weight"].alias(BASE)
    alike = known.with_columns(people["weight"].cast(pl.Float64), base.cast(pl.Float64))
    return alike.with_columns(people[column].cast(pl.Float64).alias("y")).group_by(alike.columns).agg(
        pl.len().alias("n"), pl.col("y").sum().alias("total"), (pl.col("y") ** 2).sum().alias("squares")).sort(alike.columns)


def _answered(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    if column not in frame.columns or not (frame.schema[column].is_numeric() or frame.schema[column] == pl.Boolean):
        raise WeightingError(f"列「{column}」应是数或真假，现有的列：{'、'.join(frame.columns)}。")
    said = frame.filter(pl.col(column).cast(pl.Float64).is_finite().fill_null(False))
    if not said.height:
        raise WeightingError("没有人回答过这个问题，没有可以折算的。请核对渠道、日期和关联。")
    return said


def _checked(told: Margins, outcome: str | None, weighting: str, divide: str) -> str:
    """The model to use."""
    if told.population is None:
        raise WeightingError("dr 和 mrp 要一张总体的表：每人或每格一行，有列和 count。只有各列的人数时请用 calibrate。")
    for name, value, known in (("outcome", outcome, OUTCOMES), ("weighting", weighting, WEIGHTINGS), ("divide", divide, DIVIDE)):
        if value is not None and value not in known:
            raise WeightingError(f"{name} 没有「{value}」，可用：{'、'.join(known)}。")
    if outcome == "mrp" and told.totals:
        raise WeightingError(f"outcome=\"mrp\" 只用分层的列，「{'、'.join(told.totals)}」是小数。请先分段，或写 outcome=\"linear\"。")
    return outcome or ("linear" if told.totals else "mrp")


def _groups(rows: pl.DataFrame, levels: list[str], by: str | None, told: Margins | None = None) -> tuple[list, np.ndarray]:
    """Levels of `by` that the population has, and which rows belong to which."""
    if by is None:
        return [None], np.ones((rows.height, 1))
    if by not in levels:
        raise WeightingError(f"总体的表里没有分层的列「{by}」，不能按它分组；现有：{'、'.join(levels)}。")
    known = told.levels[by].items() if told else rows.group_by(by).agg(pl.col(COUNT).sum()).iter_rows()
    groups = sorted(level for level, people in known if people > 0)
    return groups, np.column_stack([(rows[by] == level).to_numpy() for level in groups]).astype(float)


def _table(by, groups, estimate, error, n, effective, notes, degrees, confidence: float) -> pl.DataFrame:
    low, high = t_interval(estimate, error, degrees, confidence)
    low, high = np.where(error == 0, estimate, low), np.where(error == 0, estimate, high)
    figures = dict(zip(FIGURES, (estimate, error, low, high))) | {"n": n, "effective_n": effective}
    found = pl.DataFrame(({by: groups} if by else {}) | figures).with_columns(pl.col(*FIGURES, "effective_n").fill_nan(None))
    return found.with_columns(pl.Series("note", ["；".join(said) or None for said in notes], dtype=pl.String))
