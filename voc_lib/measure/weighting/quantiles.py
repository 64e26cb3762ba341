"""Weighted quantiles, and errors by weighting again: Woodruff's interval, the delete-one jackknife, the bootstrap with re-calibration.

A quantile is no mean: its error comes from that of the share below it, read back on the scale of the answers (Woodruff 1952, doi:10.1080/01621459.1952.10483443), or from samples drawn
again. A sample drawn again is weighted again to the same margins, else the error would miss what calibration takes away (Kolenikov 2010, Stata Journal 10(2)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from scipy import stats

from voc_lib.measure.weighting.inference import SELF_SELECTED, Sampling, degrees_of, share_drawn, weighted_mean
from voc_lib.measure.weighting.margins import WeightingError, read_margins, settle_silent
from voc_lib.measure.weighting.spoken import BASE, refuse_unknown, spoken
from voc_lib.measure.weighting.weights import solve

REPLICATES = 500
SEED = 20_261
LOST = 0.1    # more samples than this that cannot be weighted: what is left is no picture of the error
SMALLEST = 1e-9  # relative: weights are sums, a share that is q but for rounding counts as q


def weighted_quantile(frame: pl.DataFrame, column: str, probability: float | list[float] = 0.5, sampling: Sampling = SELF_SELECTED) -> pl.DataFrame:
    """`probability, estimate, std_error, conf_low, conf_high, n`: the least answer at or below which a weighted share of `probability` (0 to 1) lies, with Woodruff's interval.

    As svyquantile of R survey (interval "mean", rule "math"): the share below the quantile plus and minus t standard errors, both ends read back as quantiles;
    `std_error` is the length of the interval over 2 t. `frame` has `weight`; empty answers are no answers. WeightingError where nobody answered.

    >>> weighted_quantile(pl.DataFrame({"days": [1, 2, 3, 4], "weight": [1, 1, 1, 5]}), "days")["estimate"].item()
    4.0
    """
    answered = frame.filter(pl.col(column).cast(pl.Float64).is_finite().fill_null(False)) if column in frame.columns else frame
    if column not in frame.columns or "weight" not in frame.columns or not answered.height:
        raise WeightingError(f"算「{column}」的分位数要有这一列、weight 和至少一个回答；现有的列：{'、'.join(frame.columns)}，有回答的 {answered.height:,} 行。")
    values, weight = answered[column].cast(pl.Float64).to_numpy(), answered["weight"].to_numpy()
    order = np.argsort(values, kind="stable")
    rows = []
    t = float(stats.t.ppf((1 + sampling.confidence) / 2, max(degrees_of(frame, sampling), 1)))
    for share in [probability] if isinstance(probability, float | int) else probability:
        if not 0 < share < 1:
            raise WeightingError(f"分位数应在 0 和 1 之间，现在是 {share:g}。")
        middle = _read(values[order], weight[order], share)
        below = frame.with_columns((pl.col(column).cast(pl.Float64) <= middle).cast(pl.Float64).alias("_below"))
        found = weighted_mean(below, "_below", None, sampling)
        error = found["std_error"].item()
        low, high = (None, None) if error is None else (_read(values[order], weight[order], found["estimate"].item() + sign * t * error) for sign in (-1, 1))
        rows.append((float(share), middle, None if low is None else (high - low) / (2 * t), low, high, answered.height))
    return pl.DataFrame(rows, schema={name: pl.Float64 for name in ("probability", "estimate", "std_error", "conf_low", "conf_high")} | {"n": pl.Int64}, orient="row")


def jackknife(frame: pl.DataFrame, column: str, margins: Mapping | pl.DataFrame | None = None, method: str = "raking", base_weight: str | None = None, sampling: Sampling = SELF_SELECTED) -> pl.DataFrame:
    """`estimate, std_error, total, total_std_error, n`: mean and total with one person (or one `sampling.cluster`) left out at a time and everything weighted again.

    JK1 of R survey: (n - 1) / n times the squares about the mean of the replicates, times 1 - share drawn where `sampling.fpc` says it. `frame` is the sample before weighting; `margins` as for `calibrate`, without them only `base_weight`.
    """
    units = frame[sampling.cluster] if sampling.cluster else pl.Series(range(frame.height))
    names = units.unique().sort()
    if len(names) < 2:
        raise WeightingError(f"刀切法至少要两个抽样单位，现在是 {len(names)} 个。请改用线性化的误差。")
    answers = frame[column].cast(pl.Float64).to_numpy()
    place = (units.rank("dense") - 1).cast(pl.Int64).to_numpy()
    weigh = _weigher(frame, margins, method, base_weight)

    def figures(kept: np.ndarray) -> np.ndarray:
        w = weigh(kept * len(names) / (len(names) - 1) if kept.min() == 0 else kept)
        return np.array([w @ answers / w.sum(), w @ answers])

    whole = figures(np.ones(frame.height))
    parts = np.array([figures((place != at).astype(float)) for at in range(len(names))])
    left = 1 - (share_drawn(frame[sampling.fpc], len(names), "全部") if sampling.fpc else 0.0)
    errors = np.sqrt(left * (len(names) - 1) / len(names) * ((parts - parts.mean(0)) ** 2).sum(0))
    return pl.DataFrame({"estimate": [whole[0]], "std_error": [errors[0]], "total": [whole[1]], "total_std_error": [errors[1]], "n": [frame.height]})


def bootstrap(frame: pl.DataFrame, figure: Callable[[pl.DataFrame], float], margins: Mapping | pl.DataFrame, method: str = "raking", replicates: int = REPLICATES, confidence: float = 0.95,
              seed: int = SEED) -> pl.DataFrame:
    """`estimate, std_error, conf_low, conf_high, n, replicates` of any `figure` of a weighted frame (a quantile, a ratio of two means), by the percentile interval.

    Every replicate counts each person as often as a Poisson draw of mean 1 says and is weighted again to the margins; replicates that cannot be (a level drew nobody) are left out and
    counted. The same seed gives the same figures. WeightingError where more than a tenth had to be left out.
    """
    dice = np.random.default_rng(seed)
    weigh = _weigher(frame, margins, method, None)
    whole = figure(frame.with_columns(pl.Series("weight", weigh(np.ones(frame.height)))))
    drawn = []
    for _ in range(replicates):
        times = dice.poisson(1.0, frame.height).astype(float)
        try:
            weight = weigh(times)
        except WeightingError:
            continue
        drawn.append(figure(frame.with_columns(pl.Series("weight", weight)).filter(pl.col("weight") != 0)))
    if len(drawn) < (1 - LOST) * replicates:
        raise WeightingError(f"自助法重抽 {replicates} 次，有 {replicates - len(drawn)} 次满足不了边际：有的层人太少。请合并这些层。")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return pl.DataFrame({"estimate": [float(whole)], "std_error": [float(np.std(drawn, ddof=1))], "conf_low": [low], "conf_high": [high], "n": [frame.height], "replicates": [len(drawn)]})


def _weigher(frame: pl.DataFrame, margins: Mapping | pl.DataFrame | None, method: str, base_weight: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """Weights of everybody (0 for who is left out) when each counts as often as told."""
    if margins is None:
        own = frame[base_weight].cast(pl.Float64).to_numpy() if base_weight else np.ones(frame.height)
        return lambda times: own * times
    told = read_margins(margins)
    rows = spoken(frame, told, base_weight, "raise")
    refuse_unknown(rows, told)

    def weigh(times: np.ndarray) -> np.ndarray:
        kept = times > 0
        drawn = rows.filter(pl.Series(kept)).with_columns(pl.col(BASE) * pl.Series(times[kept]))
        there = settle_silent(replace(told, population=None), {column: set(drawn[column].unique()) for column in told.levels}, "raise")
        weight = np.zeros(len(times))
        weight[kept] = solve(drawn, there, method).to_numpy()
        return weight

    return weigh


def _read(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """The least value at or below which `share` of the weight lies; values sorted."""
    there = np.cumsum(weight) / weight.sum()
    return float(values[min(int(np.searchsorted(there, min(max(share, 0.0), 1.0) - SMALLEST)), len(values) - 1)])
