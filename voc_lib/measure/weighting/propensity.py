"""Weights as the inverse of how likely somebody like this speaks: a logit of speaking on what is known of all customers (ipw).

The likelihood needs of those who spoke only the sum of their columns, of the others only how many there are of each kind: the sum over speakers of x'b minus the
sum over all customers of log(1 + exp(x'b)). A ridge on everything but the intercept keeps it finite where a kind of customer hardly ever speaks. Steps of Newton
(iterated least squares) are halved until the likelihood rises: with rare speakers a whole step overshoots.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import polars as pl
from scipy import special

from voc_lib.measure.weighting.margins import COUNT, Margins, WeightingError, as_level, read_margins, settle_silent
from voc_lib.measure.weighting.spoken import BASE, everybody, refuse_unknown, spoken, weighted

STEPS = 60           # Newton needs 6 to 12
SETTLED = 1e-12      # relative change of the likelihood by a step
SHORTEST = 2.0**-20  # of a step; shorter ones are no progress
STEADY = 1e-8        # the score, relative to the sum of the speakers' columns: what "converged" means
RARE = 1e-4          # a propensity below this makes one person stand for ten thousand and more
DEPENDENT = 1e-12    # relative; levels of several columns add up to the same people


def ipw(frame: pl.DataFrame, population: Mapping | pl.DataFrame, ridge: float = 0.0, interactions: bool = False, *, on_silent: str = "raise", missing: str = "raise") -> pl.DataFrame:
    """`frame` (one row per customer who spoke) with `weight` = 1 / propensity, at least 1, and `propensity` (0 to 1).

    `population`: a frame of all customers or of cells with `count`, see `margins`; its Float columns enter as straight lines, brought to one standard deviation. `ridge` is half
    the penalty on the sum of squares of all coefficients but the intercept (0 = maximum likelihood, as glm in R; 1 is a mild one); `interactions` adds every pair of level columns, for
    which a ridge above 0 is needed. Weights need not add up to the population: divide by their sum (`weighted_mean` does). Standard errors take the weights as given, which is
    conservative. `on_silent`, `missing` and errors as `calibrate`; also WeightingError where the likelihood has no maximum. Rosenbaum & Rubin (1983), doi:10.1093/biomet/70.1.41.

    >>> ipw(pl.DataFrame({"city": ["甲", "甲", "乙"]}), pl.DataFrame({"city": ["甲", "乙"], "count": [6, 4]}))["weight"].round(6).to_list()
    [3.0, 3.0, 4.0]
    """
    told = read_margins(population)
    if told.population is None:
        raise WeightingError("逆概率加权要一张总体的表：每人或每格一行，有列和 count。只有各列的人数时请用 calibrate。")
    if ridge < 0 or (interactions and not ridge > 0):
        raise WeightingError(f"ridge 现在是 {ridge:g}：不能是负数；带两两交互（interactions=True）时应大于 0，例如 1，否则人少的格没有解。")
    rows = spoken(frame, told, None, missing)
    refuse_unknown(rows, told)
    told = settle_silent(told, {column: set(rows[column].unique()) for column in told.levels}, on_silent)
    if everybody(rows, told):
        one = pl.repeat(1.0, rows.height, eager=True)
        return _result(frame, one, told.notes)
    everyone = told.population.group_by(told.columns).agg(pl.col(COUNT).sum()).sort(told.columns).filter(pl.col(COUNT) > 0)
    if on_silent in ("collapse", "extrapolate"):
        everyone = everyone.filter(pl.all_horizontal(pl.lit(True), *(pl.col(column).is_in(list(given)) for column, given in told.levels.items())))
    design = Design(told, everyone, interactions)
    coefficients = _fitted(design, rows, everyone, ridge)
    rare = special.expit(design.rows(rows) @ coefficients)
    return _result(frame, pl.Series(rare), told.notes)


def propensity_of_cells(cells: pl.DataFrame, columns: list[str], ridge: float = 1.0) -> pl.Series:
    """How likely a customer of each cell speaks (0 to 1), by the logit of `ipw` on `columns`; cells with `count` and `n`, in their order, silent ones too."""
    told = read_margins(cells.select(*columns, COUNT))
    everyone = told.population.group_by(columns).agg(pl.col(COUNT).sum()).sort(columns).filter(pl.col(COUNT) > 0)
    design = Design(told, everyone, interactions=False)
    rows = cells.filter(pl.col("n") > 0).select(*(as_level(column) for column in columns), pl.col("n").cast(pl.Float64).alias(BASE))
    return pl.Series("propensity", special.expit(design.rows(cells.select(as_level(column) for column in columns)) @ _fitted(design, rows, everyone, ridge)))


class Design:
    """Columns of the logit: 1, each level but the first, pairs of them, lines by their mean and standard deviation in the population."""

    def __init__(self, told: Margins, everyone: pl.DataFrame, interactions: bool) -> None:
        self.levels = {column: list(everyone[column].unique().sort())[1:] for column in told.levels}
        weight = everyone[COUNT].to_numpy()
        self.lines = {}
        for column in told.totals:
            values = everyone[column].to_numpy()
            middle = np.average(values, weights=weight)
            self.lines[column] = (middle, np.sqrt(np.average((values - middle) ** 2, weights=weight)) or 1.0)
        self.pairs = list(combinations(self.levels, 2)) if interactions else []

    def rows(self, table: pl.DataFrame) -> np.ndarray:
        """The design, a row per row of the table."""
        own = {column: np.column_stack([(table[column] == level).to_numpy() for level in levels] or [np.empty((table.height, 0))]).astype(float) for column, levels in self.levels.items()}
        crossed = [(own[a][:, :, None] * own[b][:, None, :]).reshape(table.height, -1) for a, b in self.pairs]
        lines = [((table[column].to_numpy() - middle) / spread)[:, None] for column, (middle, spread) in self.lines.items()]
        return np.column_stack([np.ones(table.height), *own.values(), *crossed, *lines])


def _fitted(design: Design, rows: pl.DataFrame, everyone: pl.DataFrame, ridge: float) -> np.ndarray:
    """The coefficients where the penalised likelihood is greatest; WeightingError where they run away."""
    x, size = design.rows(everyone), everyone[COUNT].to_numpy()
    counted = rows.group_by([*design.levels, *design.lines]).agg(pl.col(BASE).sum())
    said = design.rows(counted).T @ counted[BASE].to_numpy()
    penalty = np.r_[0.0, np.full(x.shape[1] - 1, 2 * ridge)]
    b = np.r_[special.logit(min(rows[BASE].sum() / size.sum(), 1 - 1e-9)), np.zeros(x.shape[1] - 1)]

    def height(at: np.ndarray) -> float:
        return float(said @ at - size @ np.logaddexp(0, x @ at) - 0.5 * penalty @ at**2)

    now = height(b)
    for _ in range(STEPS):
        likely = special.expit(x @ b)
        score = said - x.T @ (size * likely) - penalty * b
        bend = (x * (size * likely * (1 - likely))[:, None]).T @ x + np.diag(penalty)
        scale = 1 / np.sqrt(np.maximum(np.diag(bend), 1e-300))
        change = scale * np.linalg.lstsq(bend * np.outer(scale, scale), scale * score, rcond=DEPENDENT)[0]
        length, level = 1.0, now - SETTLED * abs(now)  # at the top the likelihood cannot tell a step up from a step down any more, the score can
        while (after := height(b + length * change)) < level and length > SHORTEST:
            length /= 2
        if after < level:
            break
        b, gain, now = b + length * change, after - now, after
        if gain <= SETTLED * abs(now):
            break
    likely = special.expit(x @ b)
    gap = np.abs(said - x.T @ (size * likely) - penalty * b)
    named = everyone.row(int(np.argmin(likely)), named=True)
    if gap.max() > STEADY * max(np.abs(said).max(), 1) or not np.isfinite(b).all():
        where = "、".join(f"{column}={level}" for column, level in named.items() if column != COUNT)
        raise WeightingError(f"说话的概率算不出来：有的客户几乎从不或必定说话，最小的是 {where}（{likely.min():.2g}）。请合并人少的层，或写 ridge=1。")
    return b


def _result(frame: pl.DataFrame, likely: pl.Series, notes: tuple[str, ...]) -> pl.DataFrame:
    weight = (1 / likely).alias("weight")
    rare = int((likely < RARE).sum())
    notes = (*notes, f"{rare:,} 位的开口概率不到万分之一，一人代表上万人") if rare else notes
    return weighted(frame, weight, weight, None, notes).with_columns(likely.alias("propensity"))
