"""What moved this week: the codes with the strongest evidence of change, each with its past and usual range."""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure import metrics
from voc_lib.measure.analyses.baseline import last_weeks, match_baseline
from voc_lib.measure.analyses.usual import RANGE, usual_range
from voc_lib.measure.answers import columns_by, lean
from voc_lib.measure.compare import FEW_WEEKS, compare
from voc_lib.measure.history import weekly
from voc_lib.measure.selections import selection_note, within
from voc_lib.measure.units import shared_base
from voc_lib.stats.multiplicity import benjamini_hochberg
from voc_lib.store import Store

RANK = {"rise": 0, "fall": 0, "too_small": 1, "within_error": 2}
# Share of false ones among the groups called unusual. Stricter than the verdict's 5 %: it is read as an alarm.
ALARM = 0.01


def movers(
    current: pl.DataFrame,
    history: pl.DataFrame,
    period: str,
    n: int = 5,
    weeks: int = 12,
    metric: str | Metric = "code_share",
    by: str = "code",
    titles: dict[str, str] | None = None,
    selection: str | None = None,
    store: Store | str | None = None,
) -> pl.DataFrame:
    """The `n` groups of `by` whose number moved most surely against the last comparable week (`match_baseline`).

    One row per group. First what changed or is unusual, by size (share of those heard beyond the week before or beyond
    the usual, whichever is larger); then significant but small, then within error, by p-value. Groups under 10 people in
    both weeks are left out. Columns: metric, <by>, period, baseline_period, people, people_baseline, share, share_baseline, difference, conf_low, conf_high,
    p_value, p_adjusted, dispersion, verdict, unusual, series (people per week), series_weeks, band_low, band_high,
    note.

    `verdict` speaks of the week before, `unusual` ("above", "below" or null) of all of the history: a fault that grows
    over three weeks need not jump in any of them. It is given where this week's people lie outside what the history
    predicts (Benjamini-Hochberg at 1 % over the groups listed) by at least the metric's floor.

    `series` has one entry for each of the last `weeks` calendar weeks, null where the channels compared were not
    heard. band: the range of this week's people, given how many were heard this week, if the group's share were as
    in its history (95 %, over-dispersed, drift included); null with under 3 weeks of history. For a metric of
    its own base per group there is no band.

    `selection`: of the week and of the history only what this saved selection holds in `store`, as in `estimate`; the note says so.
    """
    metric = metrics.metric(metric)
    current, history = within(current, selection, store), within(history, selection, store, past=True)
    columns_by(current, by)
    now, then, past, label, note = match_baseline(current, history, period, titles)
    table = compare(now, then, metric, by, history=past)
    cells, matrices, labelled = weekly(_stacked(past, now, metric, by), metric, [by])
    drawn = _series(cells, matrices, labelled, last_weeks(period, weeks))
    if metric.unit == "count" or shared_base(metric, [by]):
        drawn = drawn.with_columns(usual_range(matrices, labelled, metric, period))
    else:
        drawn = drawn.with_columns(pl.lit(None, pl.Float64).alias(name) for name in RANGE)
    told = [said for said in (selection_note(selection), note) if said]
    if len([week for week in labelled if week != period]) < FEW_WEEKS:
        told.append("不画正常范围")  # the verdict's own note has said that history is short
    listed = table.filter(pl.col("verdict") != "suppressed").join(drawn, on=by, how="left", nulls_equal=True, maintain_order="left")
    apart = [pl.col("difference").abs(), *([] if metric.unit == "count" else [pl.col("excess").abs()])]
    ranked = (
        listed.with_columns(_unusual(listed, metric).alias("unusual"))
        .with_columns(
            pl.when(pl.col("unusual").is_not_null()).then(pl.lit(0, pl.Int8))
            .otherwise(pl.col("verdict").replace_strict(RANK, return_dtype=pl.Int8)).alias("rank"),
            pl.max_horizontal(*apart).alias("size"),
        )
        .sort("rank", pl.when(pl.col("rank") > 0).then("p_value"), "size", by, descending=[False, False, True, False], nulls_last=True)
        .head(n)
    )
    remarks = [pl.when(pl.col("note") != "").then(pl.col("note")), pl.lit("；".join(told) or None, pl.String)]
    return ranked.select(
        "metric",
        by,
        pl.lit(period).alias("period"),
        pl.lit(label, pl.String).alias("baseline_period"),
        "people",
        "people_baseline",
        pl.col("estimate").alias("share"),
        pl.col("baseline").alias("share_baseline"),
        *("difference", "conf_low", "conf_high", "p_value", "p_adjusted", "dispersion", "verdict", "unusual"),
        *("series", "series_weeks", "band_low", "band_high"),
        pl.concat_str(remarks, separator="；", ignore_nulls=True).alias("note"),
    )


def _unusual(listed: pl.DataFrame, metric: Metric) -> pl.Expr:
    adjusted = benjamini_hochberg(listed["p_usual"].fill_null(np.nan).to_numpy())
    out = pl.Series(adjusted <= ALARM) & (listed["excess"].abs() >= metric.floor).fill_null(False)
    word = pl.when(pl.col("excess") > 0).then(pl.lit("above")).otherwise(pl.lit("below"))
    return pl.when(pl.lit(out)).then(word)


def _stacked(past: pl.DataFrame, now: pl.DataFrame, metric: Metric, by: str) -> pl.DataFrame:
    sides = [lean(side, metric, [by], "iso_week") for side in (past, now)]
    return pl.concat(sides, how="diagonal_relaxed")


def _series(cells, matrices, labelled: list[str], wanted: list[str]) -> pl.DataFrame:
    """series and series_weeks per cell; a week that was not heard is null, never 0."""
    people = np.full((cells.height, len(wanted)), np.nan)
    for at, week in enumerate(wanted):
        if week in labelled:
            people[:, at] = matrices["people"][:, labelled.index(week)]
    rows = [[None if np.isnan(value) else value for value in row] for row in people.tolist()]
    return cells.drop("cell").with_columns(
        pl.Series("series", rows, pl.List(pl.Float64)),
        pl.Series("series_weeks", [wanted] * cells.height, pl.List(pl.String)),
    )
