"""Weighted figures and how far they may be off: means, totals, shares, ratios and NPS, of all or `by` groups, with linearised standard errors.

A figure is linearised to one number z per person (Taylor); what calibration already explains is taken out of z, and what is left varies between people, or
between clusters within strata. `se="taylor"` is what R survey gives. `se="hc3"`, the default, is for samples in which people chose themselves: each residual is
divided by 1 - leverage, as if its person had been left out (MacKinnon & White 1985, doi:10.1016/0304-4076(85)90158-7), so that few people far from the rest do not look certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import BASE
from voc_lib.stats.intervals import logit_interval, t_interval

ALONE = 1e-8  # leverage nearer to 1 than this: the person is the only one of a level
PROMOTER, DETRACTOR = 9, 6
TRIMMED = "weight_kept"  # column of `trim_weights`
RANK = 1e-10


@dataclass(frozen=True)
class Sampling:
    """How the people came into the sample: columns of `strata`, `cluster`, and `fpc` (how many clusters the stratum has in the population, or the share drawn)."""

    se: str = "hc3"
    strata: str | None = None
    cluster: str | None = None
    fpc: str | None = None
    confidence: float = 0.95


SELF_SELECTED = Sampling()


def weighted_mean(frame: pl.DataFrame, column: str, by: str | None = None, sampling: Sampling = SELF_SELECTED) -> pl.DataFrame:
    """Mean of `column`: `[by,] estimate, std_error, conf_low, conf_high, n, effective_n, note`, a row per group.

    `frame` has `weight`; after `calibrate` or `poststratify` its columns are used for the standard error. Empty values did not answer: they are no part of the base,
    but of the sample. `n` answered, `effective_n` is Kish's. Interval: t, clusters - strata degrees of freedom. WeightingError: no weights, not numbers, a stratum of one.

    >>> weighted_mean(pl.DataFrame({"score": [1, 2], "weight": [3, 1]}), "score")["estimate"].item()
    1.25
    """
    return _means(frame, numbers_of(frame, column), by, sampling)


def weighted_share(frame: pl.DataFrame, column: str, by: str | None = None, sampling: Sampling = SELF_SELECTED) -> pl.DataFrame:
    """Share (0 to 1) of true or 1 in `column`; columns as `weighted_mean`. Interval on the logit scale (R: svyciprop, xlogit), Wilson's with `effective_n` at 0 and 1."""
    said = numbers_of(frame, column)
    if not np.isin(said[~np.isnan(said)], (0, 1)).all():
        raise WeightingError(f"份额的列「{column}」只能是 0 和 1（或真假），现在还有别的数。请先写成条件，例如 pl.col(\"评分\") <= 2。")
    found = _means(frame, said, by, sampling)
    share, error, n = (found[name].to_numpy() for name in ("estimate", "std_error", "effective_n"))
    low, high = logit_interval(share, error, n, degrees_of(frame, sampling), sampling.confidence)
    return found.with_columns(pl.Series("conf_low", low).fill_nan(None), pl.Series("conf_high", high).fill_nan(None))


def weighted_nps(frame: pl.DataFrame, column: str, by: str | None = None, sampling: Sampling = SELF_SELECTED, promoter: float = PROMOTER, detractor: float = DETRACTOR) -> pl.DataFrame:
    """Net promoter score, -100 to 100: share of `promoter` and more minus share of `detractor` and less, times 100; columns as `weighted_mean`."""
    score = numbers_of(frame, column)
    return _means(frame, np.where(np.isnan(score), np.nan, 100.0 * (score >= promoter) - 100.0 * (score <= detractor)), by, sampling)


def weighted_ratio(frame: pl.DataFrame, numerator: str, denominator: str, by: str | None = None, sampling: Sampling = SELF_SELECTED) -> pl.DataFrame:
    """Weighted total of one column over that of another, among those who have both; columns as `weighted_mean`."""
    over, under = numbers_of(frame, numerator), numbers_of(frame, denominator)
    answered = ~(np.isnan(over) | np.isnan(under))
    return _estimate(frame, np.where(answered, over, 0), np.where(answered, under, 0), answered, by, sampling)


def weighted_total(frame: pl.DataFrame, column: str, by: str | None = None, sampling: Sampling = SELF_SELECTED) -> pl.DataFrame:
    """Sum of `column` over all customers, in its own unit; who did not answer counts as 0, so fill before; columns as `weighted_mean`."""
    said = numbers_of(frame, column)
    answered = ~np.isnan(said)
    return _estimate(frame, np.where(answered, said, 0), None, answered, by, sampling)


def kish(weights) -> dict[str, float]:
    """How uneven the weights are: `design_effect` (1 or more), `effective_n`, `max_ratio` and `min_ratio` (to the mean). Kish (1965).

    >>> round(kish([1, 1, 2])["effective_n"], 3)
    2.667
    """
    w = np.asarray(weights, float)
    if not len(w) or not np.isfinite(w).all() or not w.sum() > 0:
        raise WeightingError(f"{len(w):,} 个权重里没有可用的：应是有限的数，加起来大于 0。")
    effective = float(w.sum() ** 2 / (w**2).sum())
    return {"design_effect": len(w) / effective, "effective_n": effective, "max_ratio": float(w.max() / w.mean()), "min_ratio": float(w.min() / w.mean())}


def _means(frame, said, by, sampling) -> pl.DataFrame:
    answered = ~np.isnan(said)
    return _estimate(frame, np.where(answered, said, 0), answered.astype(float), answered, by, sampling)


def _estimate(frame, over, under, answered, by, sampling: Sampling) -> pl.DataFrame:
    """Total of `over`, or its ratio to that of `under`, in each group: z = in group * (over - ratio * under) / total of under."""
    for column in (sampling.strata, sampling.cluster, sampling.fpc):
        _whole(frame, column)
    w, groups = weights_of(frame), groups_of(frame, by)
    inside = np.column_stack([there & answered for there in groups.values()])
    weighted = w[:, None] * inside
    total = weighted.T @ over
    with np.errstate(divide="ignore", invalid="ignore"):
        if under is None:
            found, z = total, inside * over[:, None]
        else:
            found = total / (weighted.T @ under)
            z = inside * (over[:, None] - under[:, None] * found) / (weighted.T @ under)
        variance, alone = _variance(frame, z, inside, w, under is not None, sampling)
        effective = weighted.sum(0) ** 2 / (weighted**2).sum(0)
    error = np.where(inside.sum(0) > 1, np.sqrt(variance), np.nan)  # one person says nothing of how far people differ
    low, high = t_interval(found, error, degrees_of(frame, sampling), sampling.confidence)
    notes = [frame["weight_note"][0]] if "weight_note" in frame.columns and frame["weight_note"][0] else []
    notes += [f"{alone:,} 位是自己那一层里唯一说话的人，他们的误差按与其他人一样估计"] if alone else []
    figures = {"estimate": found, "std_error": error, "conf_low": low, "conf_high": high, "n": inside.sum(0), "effective_n": effective}
    answer = pl.DataFrame(({by: list(groups)} if by else {}) | figures).with_columns(pl.col("estimate", "std_error", "conf_low", "conf_high", "effective_n").fill_nan(None))
    return answer.with_columns(pl.lit("；".join(notes) or None, dtype=pl.String).alias("note"))


def _variance(frame, z, inside, w, is_ratio: bool, sampling: Sampling) -> tuple[np.ndarray, int]:
    """Variance of the sum of w * z by column, and how many people are alone in a level of the margins (hc3 only)."""
    if sampling.se not in ("taylor", "hc3"):
        raise WeightingError(f"se 没有「{sampling.se}」，可用：taylor、hc3。")
    left, leverage = z, (w[:, None] * inside / np.maximum((w[:, None] * inside).sum(0), 1e-300) if is_ratio else np.zeros_like(z))
    if "calibration" in frame.columns:
        x, base = design_of(frame["calibration"]), frame[BASE].to_numpy()
        inverse = np.linalg.pinv((x * base[:, None]).T @ x, rcond=RANK, hermitian=True)
        kept = (frame[TRIMMED].to_numpy() if TRIMMED in frame.columns else np.ones(len(w)))[:, None]  # of the calibrated weight, by trimming
        left = z - x @ (inverse @ ((x * base[:, None]).T @ (kept * z))) / kept
        leverage = np.broadcast_to((base * ((x @ inverse) * x).sum(1))[:, None], z.shape)
    if sampling.se == "taylor":
        return _between(frame, w[:, None] * left, sampling), 0
    if sampling.strata or sampling.fpc:
        raise WeightingError("分层抽样和有限总体修正属于按设计抽的样本，请写 se=\"taylor\"；自己选择说话的样本没有这两样。")
    alone = leverage > 1 - ALONE
    middle = (w @ z) / w.sum()
    pushed = w[:, None] * np.where(alone, z - middle, left / np.where(alone, 1, 1 - leverage))
    pushed, clusters = _by_cluster(pushed, frame[sampling.cluster]) if sampling.cluster else (pushed, 0)
    return (pushed**2).sum(0) * (clusters / (clusters - 1) if clusters > 1 else 1), int(alone.all(1).sum()) if "calibration" in frame.columns else 0


def _between(frame: pl.DataFrame, scores: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Sum over strata of (1 - share drawn) n / (n - 1) times squares about the stratum's mean, clusters being the units."""
    strata = frame[sampling.strata].to_list() if sampling.strata else [0] * frame.height
    variance, places = np.zeros(scores.shape[1]), {}
    for at, stratum in enumerate(strata):
        places.setdefault(stratum, []).append(at)
    for stratum, rows in places.items():
        sums, n = _by_cluster(scores[rows], frame[sampling.cluster][rows]) if sampling.cluster else (scores[rows], len(rows))
        if n < 2:
            raise WeightingError(f"层「{stratum}」只有一个抽样单位，算不出误差。请把它并入相近的层。")
        drawn = share_drawn(frame[sampling.fpc][rows], n, stratum) if sampling.fpc else 0.0
        variance += (1 - drawn) * n / (n - 1) * ((sums - sums.mean(0)) ** 2).sum(0)
    return variance


def share_drawn(told: pl.Series, n: int, stratum: object) -> float:
    size = told[0]
    if told.null_count() or told.n_unique() > 1 or not (0 <= size <= 1 or size >= n):
        raise WeightingError(f"层「{stratum}」的 fpc 应是同一个数：抽到的比例，或总体里的单位数（不少于抽到的 {n}）；现在是 {told.unique().to_list()[:3]}。")
    return float(size if size <= 1 else n / size)


def _by_cluster(scores: np.ndarray, cluster: pl.Series) -> tuple[np.ndarray, int]:
    place = cluster.rank("dense").to_numpy() - 1
    return np.column_stack([np.bincount(place, column) for column in scores.T]), int(place.max()) + 1


def degrees_of(frame: pl.DataFrame, sampling: Sampling) -> int:
    units = frame.select(*{name for name in (sampling.strata, sampling.cluster) if name}).n_unique() if sampling.cluster else frame.height
    return units - (frame[sampling.strata].n_unique() if sampling.strata else 1)


def design_of(covariates: pl.Series) -> np.ndarray:
    """Everybody, levels as 0 and 1, continuous columns brought to a like size; columns may depend on each other."""
    columns = covariates.struct.unnest()
    parts = [np.ones(len(covariates))]
    for column in columns:
        if column.dtype.is_float():
            parts.append(column.to_numpy() / max(column.abs().max(), 1e-300))
        else:
            parts += [(column == level).to_numpy() for level in column.unique().sort()]
    return np.column_stack(parts).astype(float)


def _whole(frame: pl.DataFrame, column: str | None) -> None:
    """A column of the design has no holes."""
    if column is not None:
        check_there(frame, column)
        if frame[column].null_count():
            raise WeightingError(f"抽样设计的列「{column}」有 {frame[column].null_count():,} 个空值。请补全，每人都要知道属于哪一个。")


def groups_of(frame: pl.DataFrame, by: str | None) -> dict:
    if by is None:
        return {None: np.ones(frame.height, bool)}
    check_there(frame, by)
    return {level: (frame[by] == level).to_numpy() for level in frame[by].drop_nulls().unique().sort()}


def weights_of(frame: pl.DataFrame) -> np.ndarray:
    check_there(frame, "weight")
    w = frame["weight"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    if not len(w) or not np.isfinite(w).all():
        raise WeightingError(f"{len(w):,} 行里没有可用的权重，或有空的权重。请先用 calibrate 或 poststratify 加权。")
    return w


def numbers_of(frame: pl.DataFrame, column: str) -> np.ndarray:
    """Numbers, NaN where there is no answer."""
    check_there(frame, column)
    if not (frame.schema[column].is_numeric() or frame.schema[column] == pl.Boolean):
        raise WeightingError(f"列「{column}」不是数（{frame.schema[column]}），算不出加权的结果。请先换成数或条件。")
    return frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()


def check_there(frame: pl.DataFrame, column: str) -> None:
    if column not in frame.columns:
        raise WeightingError(f"表里没有列「{column}」；现有：{'、'.join(frame.columns)}。" + ("请先用 calibrate 或 poststratify 加权。" if column == "weight" else ""))
