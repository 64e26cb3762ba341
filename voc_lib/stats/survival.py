"""How long until something happens, where for some it has not happened yet: Kaplan-Meier with Greenwood's variance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import polars as pl
from scipy import sparse, stats

CURVE = {"day": pl.Float64, "at_risk": pl.Int64, "events": pl.Int64, "waiting": pl.Float64, "std_error": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64}


def kaplan_meier(days: Sequence[float], happened: Sequence[bool], people: Sequence[Hashable] | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """The share still waiting after each day on which something happened: `day, at_risk, events, waiting, std_error, conf_low, conf_high`.

    `days` until it happened, or until one stopped looking where `happened` is false (censored); who is censored on a day still counts as at risk on it.
    waiting(t) = product of (1 - d/n), from 1 to 0; Kaplan & Meier (1958), doi:10.2307/2281868. Variance by Greenwood (1926): waiting^2 * sum of d / (n (n - d)).
    Interval on the log(-log) scale, inside 0 to 1 (Kalbfleisch & Prentice 1980); null where nobody is left. `people`: who the rows belong to; rows of one person
    are not independent, so influences are summed by person before they are squared, which is Greenwood's where everyone has one row.

    Six people, something happened on days 1 and 3, one was lost on day 2, three wait on: 5/6, then 5/6 * 3/4.

    >>> kaplan_meier([1, 2, 3, 5, 5, 5], [True, False, True, False, False, False])["waiting"].round(3).to_list()
    [0.833, 0.625]
    """
    days, happened = np.asarray(days, float), np.asarray(happened, bool)
    if len(days) != len(happened) or (people is not None and len(people) != len(days)):
        raise ValueError("天数、是否发生、是谁，应一样多")
    if (days < 0).any() or not np.isfinite(days).all():
        raise ValueError("天数应是不小于 0 的数")
    times = np.unique(days[happened])
    if not len(times):
        return pl.DataFrame(schema=CURVE)
    at_risk = len(days) - np.searchsorted(np.sort(days), times, "left")
    events = np.unique(days[happened], return_counts=True)[1]
    waiting = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(_variance_of_log(days, happened, times, at_risk, events, people))
        reach = stats.norm.ppf((1 + confidence) / 2) * spread / np.abs(np.log(waiting))
        low, high = waiting ** np.exp(reach), waiting ** np.exp(-reach)
    alive = waiting > 0
    figures = {"std_error": np.where(alive, waiting * np.where(alive, spread, 0), np.nan), "conf_low": np.where(alive, low, np.nan), "conf_high": np.where(alive, high, np.nan)}
    return pl.DataFrame({"day": times, "at_risk": at_risk, "events": events, "waiting": waiting} | figures, schema=CURVE).with_columns(pl.col(list(figures)).fill_nan(None))


def _variance_of_log(days, happened, times, at_risk, events, people) -> np.ndarray:
    """Variance of log(waiting) at each time. Influence of a row: sum over its times of (its events - d/n) / (n - d)."""
    if people is None:
        return np.cumsum(events / (at_risk * (at_risk - events)))
    kinds, kind = np.unique(np.column_stack([days, happened]), axis=0, return_inverse=True)    # rows of equal days have equal influence
    there = kinds[:, :1] >= times
    own = ((kinds[:, 1:] > 0) & (kinds[:, :1] == times)) - there * (events / at_risk)
    influence = np.cumsum(np.where(there, own / (at_risk - events), 0), axis=1)
    who = np.unique(np.asarray([str(person) for person in people]), return_inverse=True)[1]
    counted = sparse.coo_array((np.ones(len(who)), (who, kind.ravel())), shape=(who.max() + 1, len(kinds))).tocsr()
    return ((counted @ influence) ** 2).sum(0)


def waiting_after(curve: pl.DataFrame, day: float) -> dict:
    """The row of a curve that holds on a day: waiting, conf_low, conf_high; 1 without an interval before anything happened."""
    before = curve.filter(pl.col("day") <= day)
    if before.is_empty():
        return {"waiting": 1.0, "conf_low": None, "conf_high": None}
    return before.row(-1, named=True)


def median_day(curve: pl.DataFrame) -> dict:
    """The first day on which at most half wait, and its interval: `median, conf_low, conf_high`, null where the curve does not come down that far.

    The ends are the first days on which the lower and the upper limit of the curve are at most a half: Brookmeyer & Crowley (1982), doi:10.2307/2530286.
    """
    def first(column: str) -> float | None:
        down = curve.filter(pl.col(column) <= 0.5)
        return down["day"][0] if down.height else None

    return {"median": first("waiting"), "conf_low": first("conf_low"), "conf_high": first("conf_high")}


def median_interval(values: Sequence[float], confidence: float = 0.95) -> dict:
    """The median of independent values with an exact interval from their order: `median, conf_low, conf_high`; no interval under six values.

    The ends are the k-th smallest and largest, k the largest for which a coin falls k - 1 times or less in n throws with at most (1 - confidence) / 2. Conover (1999), section 3.2.

    >>> median_interval([1, 2, 3, 4, 5, 6])
    {'median': 3.5, 'conf_low': 1.0, 'conf_high': 6.0}
    """
    ordered = np.sort(np.asarray(values, float))
    if not len(ordered):
        return {"median": None, "conf_low": None, "conf_high": None}
    k = int(stats.binom.ppf((1 - confidence) / 2, len(ordered), 0.5))
    while k > 0 and stats.binom.cdf(k - 1, len(ordered), 0.5) > (1 - confidence) / 2:
        k -= 1
    low, high = (float(ordered[k - 1]), float(ordered[-k])) if k > 0 else (None, None)
    return {"median": float(np.median(ordered)), "conf_low": low, "conf_high": high}
