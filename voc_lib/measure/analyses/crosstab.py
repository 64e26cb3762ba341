"""A number by two segments at once, and which cells differ from the rest of their row by more than noise."""

from __future__ import annotations

import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure import metrics
from voc_lib.measure.answers import columns_by
from voc_lib.measure.compare import compare
from voc_lib.measure.estimate import MIN_PEOPLE, estimate
from voc_lib.measure.feedback import feedback
from voc_lib.measure.selections import within
from voc_lib.messages import Told
from voc_lib.stats.multiplicity import benjamini_hochberg

ALPHA = 0.05
TOLERANCE = 1e-9  # as in verdicts: a difference of exactly the floor counts
MOST_COLUMNS = 30  # a wider table is read by nobody, and its cells are tested a column at a time
NUMBERS = ("estimate", "conf_low", "conf_high", "whole", "difference", "p_adjusted")


class CrosstabError(Told, ValueError):
    """The two segments asked for cannot be crossed."""


def crosstab(frame: pl.DataFrame | str, rows: str, columns: str, metric: str | Metric = "code_share", store=None, selection: str | None = None) -> pl.DataFrame:
    """A metric by two segments: one row per cell somebody was heard in, sorted by rows and columns.

    `frame` is a feedback frame (of feedback, find, search_feedback) or the name of a saved selection; `rows` and `columns` are two of
    its columns, "code" for the entries of `codes`; of a frame, `selection` takes only what a saved selection holds in `store`. Columns: <rows>, <columns>, metric, people, estimate, conf_low, conf_high (as in
    `estimate`, 95 %), whole (the number of the row over all columns), difference, p_adjusted, verdict.

    A cell is held against the rest of its row, people and threads in both accounted for; Benjamini-Hochberg over all cells. verdict:
    above, below (at most 5 % and at least the metric's floor apart), too_small, within_error, suppressed (too few people to compare). With
    columns="code" cells are held against the other rows instead, since one feedback has several codes. A count cannot be more or less
    than the rest of its row: for people and volume the share of the column's people who are in the row is tested, and
    `difference` is that of the shares. Cells under 10 people have no figures, and a count has no `whole` where one of its row is withheld.
    Raises CrosstabError for what cannot be crossed.
    """
    frame = within(feedback(store, selection=frame) if isinstance(frame, str) else frame, selection, store)
    try:
        metric = metrics.metric(metric)
        columns_by(frame, [rows, columns])
    except ValueError as error:  # what the doors of an estimate say, for the command line
        raise CrosstabError(str(error)) from None
    along, across = (columns, rows) if columns == "code" else (rows, columns)
    if (wide := frame[across].n_unique()) > MOST_COLUMNS:
        raise CrosstabError(f"「{across}」有 {wide} 个不同的值，最多比较 {MOST_COLUMNS} 个。" + ("请先筛选。" if columns == "code" else f"请换成 crosstab(…, rows=\"{columns}\", columns=\"{rows}\")，或先筛选。"))
    if frame.is_empty():
        return pl.DataFrame(schema={rows: pl.String, columns: pl.String, "metric": pl.String, "people": pl.Int64} | dict.fromkeys(NUMBERS, pl.Float64) | {"verdict": pl.String})
    cells = estimate(frame, metric, by=[rows, columns]).select(rows, columns, "metric", "people", "estimate", "conf_low", "conf_high")
    whole = estimate(frame, metric, by=rows).select(rows, pl.col("estimate").alias("whole"))
    cells = cells.join(whole, on=rows, how="left", nulls_equal=True, maintain_order="left")
    cells = cells.join(_contrasts(frame, along, across, metric), on=[rows, columns], how="left", nulls_equal=True, maintain_order="left")
    return _judged(cells, rows, metric).select(rows, columns, "metric", "people", *NUMBERS, "verdict")


def _contrasts(frame: pl.DataFrame, along: str, across: str, metric: Metric) -> pl.DataFrame:
    """Every value of `across` against all the others, by `along`: difference, p_value, out (nothing to compare), few_others."""
    values = pl.DataFrame({along: []}, schema={along: pl.String}) if along == "code" else frame.select(pl.col(along).unique().sort()).with_row_index("place")
    by = along
    if metric.unit == "count":
        # The share of people who are in a segment is the share who mention it, were the segment a code.
        metric, by = metrics.metric("code_share"), "code"
        if along != "code":
            frame = frame.join(values, on=along, how="left", nulls_equal=True, maintain_order="left").with_columns(pl.concat_list(pl.col("place").cast(pl.String)).alias("codes"))
    found = []
    for value in frame[across].unique().sort().to_list():
        here = pl.col(across).eq_missing(pl.lit(value, frame.schema[across]))
        compared = compare(frame.filter(here), frame.filter(~here), metric, by=by)
        if by != along:
            compared = compared.join(values.with_columns(pl.col("place").cast(pl.String).alias("code")), on="code")
        found.append(compared.select(
            along, pl.lit(value, frame.schema[across]).alias(across), "difference", "p_value", (pl.col("verdict") == "suppressed").alias("out"),
            pl.col("people_baseline").is_between(1, MIN_PEOPLE - 1).alias("few_others")))
    return pl.concat(found)


def _judged(cells: pl.DataFrame, rows: str, metric: Metric) -> pl.DataFrame:
    out = pl.col("out").fill_null(True) | pl.col("p_value").is_null() | pl.col("estimate").is_null()
    cells = cells.with_columns(out.alias("out"))
    family = cells.select(pl.when(~pl.col("out")).then("p_value").fill_null(float("nan")))["p_value"].to_numpy()
    cells = cells.with_columns(pl.Series("p_adjusted", benjamini_hochberg(family), pl.Float64).fill_nan(None))
    floor = metrics.metric("code_share").floor if metric.unit == "count" else metric.floor
    verdict = (
        pl.when(pl.col("out")).then(pl.lit("suppressed"))
        .when(pl.col("p_adjusted") > ALPHA).then(pl.lit("within_error"))
        .when(pl.col("difference").abs() + TOLERANCE < floor).then(pl.lit("too_small"))
        .when(pl.col("difference") > 0).then(pl.lit("above"))
        .otherwise(pl.lit("below"))
    )  # fmt: skip
    # A difference would give away what is withheld among the others, as a total of counts would.
    shown = ~pl.col("out") & ~pl.col("few_others").fill_null(True)
    told = pl.col("estimate").is_not_null().all().over(rows) if metric.unit == "count" else pl.lit(True)
    return cells.with_columns(
        verdict.alias("verdict"), pl.when(told).then("whole"), *(pl.when(shown).then(pl.col(name)).alias(name) for name in ("difference", "p_adjusted")))
