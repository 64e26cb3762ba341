"""How strong an overlooked covariate would have to be: robustness value, and every covariate at hand left out once as a yardstick.

Had one more covariate been weighted on, the weights would move by an error; the estimate then moves by rho * sd(y) * sqrt(var(w) R2 / (1 - R2)): rho is the correlation of that
error with the answer, R2 its part of the variance of the true weights. Weights have mean 1. Hartman & Huang (2024), doi:10.1017/pan.2023.12; figures as those of the R package
senseweight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import Sampling, numbers_of, weights_of, weighted_mean
from voc_lib.measure.weighting.margins import COUNT, WeightingError, read_margins
from voc_lib.measure.weighting.weights import calibrate

EVERYBODY = "全体客户"  # the only level there is when a covariate is the last one
ROBUSTNESS = {name: pl.Float64 for name in ("estimate", "std_error", "speakers_mean", "speakers_error", "threshold", "robustness_value", "weight_variance", "outcome_variance")} | {"n": pl.Int64, "note": pl.String}
BENCHMARK = {"variable": pl.String, "r2_benchmark": pl.Float64, "rho_benchmark": pl.Float64, "bias": pl.Float64, "times_to_threshold": pl.Float64, "note": pl.String}


@dataclass(frozen=True)
class Answers:
    """Who answered, what, and with which weight (mean 1); the two variances that all of it is made of."""

    answered: np.ndarray
    said: np.ndarray
    weight: np.ndarray
    weight_variance: float
    outcome_variance: float


def robustness_value(frame: pl.DataFrame, column: str, threshold: float = 0.0, sampling: Sampling = Sampling(se="taylor")) -> pl.DataFrame:
    """How much of the variance of the weights and of the answer (the same share of both, 0 to 1) an overlooked covariate must explain to bring the estimate to `threshold`.

    One row: `estimate, std_error, speakers_mean, speakers_error, threshold, robustness_value, weight_variance, outcome_variance, n, note`. RV = (sqrt(a^2 + 4a) - a) / 2 with a =
    (estimate - threshold)^2 / (var(y) var(w)); near 0 little is needed, near 1 nothing will do. Standard error as R survey's. Any positive weights. WeightingError: fewer than
    two answers, or all alike.

    >>> robustness_value(pl.DataFrame({"y": [0, 1], "weight": [1, 3]}), "y", 0.5)["robustness_value"].round(3).item()    # .25^2 / (.5 * .5): a = .25
    0.39
    """
    told = _answers(frame, column)
    row = weighted_mean(frame, column, sampling=sampling).row(0, named=True)
    n, spread = len(told.said), told.outcome_variance * told.weight_variance
    note = row["note"]
    if spread > 0:
        a = (row["estimate"] - threshold) ** 2 / spread
        value = float((np.sqrt(a**2 + 4 * a) - a) / 2) if a < 1e8 else 1.0
    else:
        value, note = None, "权重人人相同，没有可比的变动" if not told.weight_variance > 0 else note
    speakers = float(told.said.mean()), float(np.sqrt(told.outcome_variance / n))
    figures = (row["estimate"], row["std_error"], *speakers, float(threshold), value, told.weight_variance, told.outcome_variance, n, note)
    return pl.DataFrame([figures], schema=ROBUSTNESS, orient="row")


def confounder_bias(frame: pl.DataFrame, column: str, rho: float, r2: float) -> float:
    """How far an overlooked covariate of this strength moves the estimate, in the unit of `column`: rho from -1 to 1, r2 from 0 to below 1.

    >>> round(confounder_bias(pl.DataFrame({"y": [0, 1], "weight": [1, 3]}), "y", rho=1, r2=.5), 3)    # sqrt(.5 * .5)
    0.5
    """
    if not (-1 <= rho <= 1 and 0 <= r2 < 1):
        raise WeightingError(f"rho 应在 −1 到 1 之间，r2 应不小于 0、小于 1；现在是 {rho:g} 和 {r2:g}。")
    told = _answers(frame, column)
    return float(rho * np.sqrt(told.weight_variance * r2 / (1 - r2) * told.outcome_variance))


def covariate_benchmarks(frame: pl.DataFrame, column: str, margins: Mapping | pl.DataFrame, threshold: float = 0.0, method: str = "raking", base_weight: str | None = None, *,
                         on_silent: str = "raise", missing: str = "raise") -> pl.DataFrame:
    """What each covariate would have done had it been overlooked, a row per covariate in the order of the margins: `variable, r2_benchmark, rho_benchmark, bias, times_to_threshold, note`.

    `frame` is the weighted one, the rest as it was given to `calibrate`. `bias`: how far an overlooked covariate as strong as this one moves the estimate; `times_to_threshold`:
    how many times that bias lies between the estimate and `threshold` (below 1: one like it is enough). Left-out weights are made anew without the covariate. WeightingError: as
    `calibrate`.

    >>> voices = calibrate(pl.DataFrame({"y": [0, 0, 1], "city": ["甲", "甲", "乙"]}), {"city": {"甲": 4, "乙": 6}})
    >>> covariate_benchmarks(voices, "y", {"city": {"甲": 4, "乙": 6}})["r2_benchmark"].round(9).item()    # all of the weights are its doing
    0.5
    """
    told = _answers(frame, column)
    if not told.weight_variance > 0 or not told.outcome_variance > 0:
        raise WeightingError("权重人人相同，或回答人人相同：没有可以比照的。请先用 calibrate 加权，或换一列。")
    estimate, rows = float(told.weight @ told.said / told.weight.sum()), []
    for variable in read_margins(margins).columns:
        others, people = _without(margins, variable, frame)
        made = _scaled(calibrate(people, others, method, base_weight, on_silent=on_silent, missing=missing), told.answered)
        moved = made - told.weight
        spread = float(moved.var(ddof=1))
        part = spread / told.weight_variance
        rho = float(np.corrcoef(told.said, moved)[0, 1]) if part > 1e-20 else 0.0
        bias = rho * np.sqrt(spread * told.outcome_variance)
        times = abs(estimate - threshold) / abs(bias) if bias else float("inf")
        rows.append((variable, part / (1 + part), rho, float(bias), float(times), None if part > 1e-20 else "去掉它权重不变"))
    return pl.DataFrame(rows, schema=BENCHMARK, orient="row")


def _answers(frame: pl.DataFrame, column: str) -> Answers:
    said = numbers_of(frame, column)
    answered = ~np.isnan(said)
    if answered.sum() < 2:
        raise WeightingError(f"列「{column}」只有 {int(answered.sum())} 个回答，至少要 2 个。")
    weight = _scaled(frame, answered)
    return Answers(answered, said[answered], weight, float(weight.var(ddof=1)), float(said[answered].var(ddof=1)))


def _scaled(frame: pl.DataFrame, answered: np.ndarray) -> np.ndarray:
    w = weights_of(frame)[answered]
    if not w.sum() > 0:
        raise WeightingError("回答的人的权重合计不大于 0。请换成 raking，或合并人少的层。")
    return w / w.mean()


def _without(margins: Mapping | pl.DataFrame, variable: str, frame: pl.DataFrame) -> tuple[Mapping | pl.DataFrame, pl.DataFrame]:
    """Margins (and people to weight) without one covariate; where no levels are left, only the size of the whole remains known."""
    size = read_margins(margins).size
    if isinstance(margins, pl.DataFrame):
        others = margins.drop(variable)
        levels = [name for name in others.columns if name != COUNT and not others.schema[name].is_float()]
        if levels:
            return others, frame
        others = others if COUNT in others.columns else others.with_columns(pl.lit(1.0).alias(COUNT))
        return others.with_columns(pl.lit(EVERYBODY).alias(EVERYBODY)), frame.with_columns(pl.lit(EVERYBODY).alias(EVERYBODY))
    others = {name: told for name, told in margins.items() if name != variable}
    if any(isinstance(told, Mapping) for told in others.values()):
        return others, frame
    return {EVERYBODY: {EVERYBODY: size}} | others, frame.with_columns(pl.lit(EVERYBODY).alias(EVERYBODY))
