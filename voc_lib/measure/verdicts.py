"""From two numbers to a verdict: tested, adjusted for many tests, held against a floor."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import special

from voc_lib.contracts import Metric
from voc_lib.stats.intervals import newcombe, wilson
from voc_lib.stats.multiplicity import benjamini_hochberg

VERDICTS = ("rise", "fall", "within_error", "too_small", "suppressed")
# A count must move by its relative floor and by at least 5: a fifth of 10 is 2 people.
COUNT_FLOOR = 5
# A change of exactly the floor counts; 0.12 - 0.10 falls short of 0.02 by floating point.
TOLERANCE = 1e-9


def tested(
    now: dict[str, np.ndarray],
    then: dict[str, np.ndarray],
    covariance: np.ndarray,
    phi: np.ndarray,
    degrees: np.ndarray,
    metric: Metric,
    confidence: float,
) -> dict[str, np.ndarray]:
    """estimate, baseline, difference, std_error, conf_low, conf_high, p_value (two-sided, unadjusted) as arrays.

    `now`, `then`: from `solved`. The variance of the difference is phi * (V_now + V_then - 2 covariance). For
    shares the test uses the variance under one common share (a share of 0 has none of its own), tied and
    inflated alike. NaN p where neither period has any spread.
    """
    value, before = now["estimate"], then["estimate"]
    difference = value - before
    variances = now["variance"] + then["variance"]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.clip(1 - 2 * covariance / np.where(variances > 0, variances, np.inf), 0, 2)
        error = np.sqrt(phi * variances * apart)
        quantile = special.stdtrit(degrees, (1 + confidence) / 2)
        if metric.unit == "share":
            sizes = now["effective_n"], then["effective_n"]
            pooled = (value * sizes[0] + before * sizes[1]) / (sizes[0] + sizes[1])
            null_error = np.sqrt(phi * apart * pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
            low, high = _share_range(now, then, covariance, phi, quantile, confidence)
        else:
            null_error = error
            low, high = difference - quantile * error, difference + quantile * error
        z = np.where(difference == 0, 0.0, difference / null_error)
    p_value = np.where(np.isfinite(z), 2 * special.stdtr(degrees, -np.abs(z)), np.nan)
    names = ("estimate", "baseline", "difference", "std_error", "conf_low", "conf_high", "p_value")
    return dict(zip(names, (value, before, difference, error, low, high, p_value)))


def judged(
    table: pl.DataFrame, metric: Metric, alpha: float, floor: float, min_people: int, one_empty: bool, thin: pl.Series
) -> pl.DataFrame:
    """The table with p_adjusted, verdict and the flags few, nothing, out.

    Rows of too few people have no figures at all; rows with nothing to compare keep what each period says by itself.

    Groups that are out (under `min_people` in both periods, or lacking a number in one) are not tested and
    do not burden the others' adjustment. `one_empty`: a whole period is empty, so that even counts of 0 mean
    that nothing was delivered, not that nobody spoke. `thin`: the share or mean of one period rests on fewer than
    `min_people`, so that it would be published by being compared.
    """
    few = ((pl.col("people") < min_people) & (pl.col("people_baseline") < min_people)) | pl.lit(thin)
    nothing = pl.col("difference").is_null() | pl.lit(one_empty)
    table = table.with_columns(few=few, nothing=nothing, out=few | nothing)
    family = np.where(table["out"].to_numpy(), np.nan, table["p_value"].cast(pl.Float64).fill_null(np.nan).to_numpy())
    table = table.with_columns(pl.Series("p_adjusted", benjamini_hochberg(family)).fill_nan(None))
    size = pl.col("difference").abs() + TOLERANCE
    if metric.unit == "count":
        large = (size >= COUNT_FLOOR) & (size >= floor * pl.col("baseline"))
    else:
        large = size >= floor
    verdict = (
        pl.when(pl.col("out")).then(pl.lit("suppressed"))
        .when(~(pl.col("p_adjusted") <= alpha).fill_null(False)).then(pl.lit("within_error"))
        .when(~large).then(pl.lit("too_small"))
        .when(pl.col("difference") > 0).then(pl.lit("rise"))
        .otherwise(pl.lit("fall"))
    )  # fmt: skip
    compared = ["difference", "std_error", "conf_low", "conf_high", "p_value", "dispersion"]
    figures = ["estimate", "baseline", "people", "people_baseline", "n", "n_baseline", "shared_people", "shared_threads"]
    return table.with_columns(verdict.alias("verdict")).with_columns(
        *(pl.when(~pl.col("out")).then(pl.col(name)) for name in compared),
        *(pl.when(~pl.col("few")).then(pl.col(name)) for name in figures),
    )


def _share_range(now, then, covariance, phi, quantile, confidence) -> tuple[np.ndarray, np.ndarray]:
    """Newcombe's range of a difference, its Wilson parts widened by phi and by t."""
    normal = special.ndtri((1 + confidence) / 2)
    worth = (normal / quantile) ** 2 / phi
    parts = [wilson(side["estimate"], side["effective_n"] * worth, confidence) for side in (now, then)]
    geometric = np.sqrt(now["variance"] * then["variance"])
    tie = np.clip(np.divide(covariance, geometric, out=np.zeros_like(geometric), where=geometric > 0), -1, 1)
    return newcombe(now["estimate"], parts[0], then["estimate"], parts[1], tie)
