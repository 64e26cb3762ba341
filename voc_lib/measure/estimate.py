"""One estimator for every metric: the number, its interval, and how many people stand behind it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
from scipy import special

from voc_lib.contracts import Metric
from voc_lib.measure import metrics
from voc_lib.measure.answers import answers, columns_by, labels
from voc_lib.measure.moments import moments, solved
from voc_lib.measure.selections import told_selection, within
from voc_lib.measure.units import BASE, HITS, shared_base, units
from voc_lib.stats.intervals import garwood, t_interval, wilson
from voc_lib.store import Store, open_store

# Below this many people a group is not listed: single voices must not be read off a table.
MIN_PEOPLE = 10
SUPPRESSED = f"不足{MIN_PEOPLE}人，不单列"
# Figures are cut to 12 significant digits: the order of rows must not show in the last bits.
DIGITS = 12
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]


def estimate(
    frame: pl.DataFrame,
    metric: str | Metric,
    by: str | list[str] | None = None,
    weights: str | None = None,
    confidence: float = 0.95,
    provenance: dict | None = None,
    selection: str | None = None,
    store: Store | str | None = None,
) -> pl.DataFrame:
    """The metric over the feedback frame, one row per group of `by` ("code" for entries of `codes`), sorted by it.

    Columns: metric, <by>, kind, estimate, std_error, conf_low, conf_high, n (feedback in the base), people,
    effective_n, linked_share, note, provenance (JSON). One person is one unit (`Metric.per_person`); standard
    errors are clustered by person and thread. Shares get Wilson intervals on effective_n (zero and all
    included), means t, counts Garwood. For code_share by code, every share is of all people heard in the
    other groups, and `people` are those who mention the code.

    Groups of `by` under 10 people keep their row; every figure in it is null. Complementary disclosure (a total
    minus its listed parts) is not prevented. `weights`: a column, constant per person; kind is then
    "weighted". `provenance`: store, snapshot, filter of the frame. An empty base gives no rows. `selection`: only the rows that this
    saved selection holds in `store`, where the frame came from (see `selections.within`); its name and words then stand in the filter.
    Raises ValueError in Chinese for an unknown metric, column or weight, SelectionError for a selection that does not fit.
    """
    metric = metrics.metric(metric)
    if selection is not None:
        store = store if isinstance(store, Store) else open_store(store)
        frame, provenance = within(frame, selection, store), _narrowed(provenance, selection, store)
    by = columns_by(frame, by)
    rows, groups, codes = answers(frame, metric, by, weights)
    base, hits, tally = units(rows, codes, metric, by)
    table = moments(base, hits)
    figures = solved(table, metric)
    low, high = interval(figures, metric, confidence)
    shared = shared_base(metric, by)
    table = (
        table.select(*HITS, pl.col("said" if shared else "heard").alias("people"), pl.col("heard").alias("base_people"))
        .with_columns(
            pl.Series("estimate", figures["estimate"]),
            pl.Series("std_error", np.sqrt(figures["variance"])),
            pl.Series("conf_low", low),
            pl.Series("conf_high", high),
            pl.Series("effective_n", figures["effective_n"]),
        )
        .with_columns(pl.col(*NUMBERS, "effective_n").fill_nan(None).round_sig_figs(DIGITS))
        .join(tally, on=BASE if shared else HITS, how="left")
        .join(groups, on="group", how="left")
        .join(codes, on="code", how="left")
        .with_columns((pl.col("linked") / pl.col("n")).alias("linked_share"), _note(metric).alias("note"))
    )
    if by:
        table = suppress(table)
    told = json.dumps(_told(metric, provenance), ensure_ascii=False, sort_keys=True)
    return table.sort(labels(by) or "group", nulls_last=True).select(
        pl.lit(metric.name or metric.label).alias("metric"),
        *labels(by),
        pl.lit("weighted" if weights else "heard").alias("kind"),
        *NUMBERS,
        pl.col("n", "people").cast(pl.Int64),
        "effective_n",
        "linked_share",
        "note",
        pl.lit(told).alias("provenance"),
    )


def interval(figures: dict[str, np.ndarray], metric: Metric, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The interval that suits the metric's unit, from `solved`; NaN for a mean of identical answers."""
    value, size = figures["estimate"], figures["effective_n"]
    if metric.unit == "count":
        low, high = garwood(np.nan_to_num(size), confidence)
        scale = np.divide(value, size, out=np.ones_like(value), where=size > 0)
        return low * scale, high * scale
    if metric.unit == "share":
        return wilson(value, size * few_clusters(size, figures["degrees"], confidence), confidence)
    error = np.sqrt(np.where(figures["variance"] > 0, figures["variance"], np.nan))
    return t_interval(value, error, figures["degrees"], confidence)


def few_clusters(size: np.ndarray, degrees: np.ndarray, confidence: float) -> np.ndarray:
    """Factor on effective_n where the variance rests on few threads: (t with n-1 / t with G-1 degrees)^2.

    1 where people are independent. Korn & Graubard (1998), Survey Methodology 24(2), 193-201.
    """
    tail = (1 + confidence) / 2
    own = special.stdtrit(np.maximum(size - 1, 1), tail)
    return np.minimum((own / special.stdtrit(np.maximum(np.minimum(degrees, size - 1), 1), tail)) ** 2, 1)


def suppress(table: pl.DataFrame) -> pl.DataFrame:
    """Every figure of a group under 10 people becomes null, its n too (it would give the people away)."""
    small = pl.col("people") < MIN_PEOPLE
    hidden = [*NUMBERS, "n", "people", "effective_n", "linked_share"]
    return table.with_columns(
        *(pl.when(~small).then(pl.col(name)).alias(name) for name in hidden),
        pl.when(small).then(pl.lit(SUPPRESSED)).otherwise(pl.col("note")).alias("note"),
    )


def _note(metric: Metric) -> pl.Expr:
    percent = (100 * pl.col("anonymous") / pl.col("n")).round(0).cast(pl.Int64).clip(lower_bound=1)
    parts = [
        pl.when(pl.col("anonymous") > 0).then(
            pl.format("{}%的反馈无作者标识，按条计", percent)
        )
    ]
    if metric.unit == "points":
        parts.append(pl.when(pl.col("conf_low").is_null()).then(pl.lit("各人数值完全相同或只有一人，给不出区间")))
    return pl.concat_str(parts, separator="；", ignore_nulls=True)


def _narrowed(provenance: dict | None, selection: str, store: Store) -> dict:
    """Provenance with the selection in its filter; store and snapshot are those it was replayed on."""
    known = {"store": store.name, "snapshot": store.snapshot} | (provenance or {})
    return known | {"filter": (known.get("filter") or {}) | told_selection(selection, store)}


def _told(metric: Metric, provenance: dict | None) -> dict:
    known = provenance or {}
    return {
        "metric": metric.name or metric.label,
        "definition": metric.definition,
        "base": metric.base_definition,
        **{name: known.get(name) for name in ("filter", "snapshot", "store")},
    }
