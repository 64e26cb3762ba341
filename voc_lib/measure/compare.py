"""Did a number change between two periods, more than chance and than weeks usually do, and enough to matter?"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure import metrics
from voc_lib.measure.answers import answers, columns_by, labels, lean
from voc_lib.measure.coverage import say_uneven, uneven
from voc_lib.measure.estimate import DIGITS, MIN_PEOPLE, SUPPRESSED
from voc_lib.measure.history import UNDATED, earlier_weeks, week_to_week
from voc_lib.measure.moments import moments, solved
from voc_lib.measure.overlap import covariance, overlap
from voc_lib.measure.selections import selection_note, within
from voc_lib.measure.units import BASE, HITS, shared_base, units
from voc_lib.measure.verdicts import judged, tested
from voc_lib.stats.dispersion import shrunk_phi
from voc_lib.store import Store

# Neighbouring weeks; a week without feedback in between still leaves a step, a longer gap leaves drift.
ADJACENT_DAYS = 14
# With fewer weeks the dispersion is mostly the prior's, and the reader is told.
FEW_WEEKS = 3
FIGURES = ["estimate", "baseline", "difference", "std_error", "conf_low", "conf_high", "p_value", "p_adjusted"]
COUNTS = ["people", "people_baseline", "n", "n_baseline", "shared_people", "shared_threads"]


def compare(
    a: pl.DataFrame,
    b: pl.DataFrame,
    metric: str | Metric,
    by: str | list[str] | None = None,
    history: pl.DataFrame | None = None,
    confidence: float = 0.95,
    floor: float | None = None,
    min_people: int = MIN_PEOPLE,
    selection: str | None = None,
    store: Store | str | None = None,
) -> pl.DataFrame:
    """Current period `a` against baseline `b`, one row per group of `by`, sorted by it.

    Columns: metric, <by>, estimate, baseline, difference (a - b), std_error, conf_low, conf_high, p_value,
    p_adjusted (Benjamini-Hochberg over the rows), people, people_baseline, n, n_baseline, shared_people,
    shared_threads, dispersion (phi), verdict, note. `people` as in `estimate`.

    Shares: pooled two-sample test on effective n, Newcombe interval; means and counts: difference over its
    linearised error. Customers and threads in both periods enter as covariance. All variances are multiplied by
    phi, learnt from `history` (feedback with iso_week; only weeks before `a` are used), t-distributed as phi
    is estimated; without history phi is 1 and the note says so. A mean or share that one period lacks is not judged.

    verdict: rise, fall (p_adjusted at most 1 - confidence and at least the floor); too_small (significant,
    below the floor: Metric.floor, for counts relative to the baseline and at least 5); within_error;
    suppressed (under `min_people` in both periods, a share or mean of fewer than that in one: figures null; or
    nothing to compare: each period's own number stays, the difference is null). A code few named in one period only shows both: its growth is the finding. Counts are not judged where
    the exports cover different numbers of days (`coverage`).

    `selection`: of both periods and of the history only what this saved selection holds in `store`, as in `estimate`; the note says so.
    """
    metric = metrics.metric(metric)
    a, b = (within(side, selection, store) for side in (a, b))
    history = None if history is None else within(history, selection, store, past=True)
    by = columns_by(a if a.width else b, by)
    stacked = pl.concat(
        [lean(side, metric, by).with_columns(pl.lit(at).alias("slice")) for at, side in enumerate((a, b))],
        how="diagonal_relaxed",
    )
    rows, groups, codes = answers(stacked, metric, by, slices="slice")
    base, hits, tally = units(rows, codes, metric, by)
    together = shared_base(metric, by)
    observed = [hits.select("group", "code")] if together else [frame.select("group", "code") for frame in (hits, base)]
    cells = pl.concat(observed).unique().sort("group", "code")
    if cells.is_empty():
        return _nothing(metric, by, selection_note(selection))
    now, then = (_side(base, hits, cells, at) for at in (0, 1))
    shared = overlap(base, hits, cells)
    table = cells.join(groups, on="group", how="left", maintain_order="left")
    table = table.join(codes, on="code", how="left", maintain_order="left")
    past = None if history is None else earlier_weeks(history, min(weeks_of(a), default=None))
    phi, degrees = _dispersion(table, past, adjacent(a, b), metric, by)
    tie = covariance(shared, now, then, metric)
    figures = tested(solved(now, metric), solved(then, metric), tie, phi, degrees, metric, confidence)
    people = "said" if together else "heard"
    table = table.with_columns(
        *(pl.Series(name, value).fill_nan(None).round_sig_figs(DIGITS) for name, value in figures.items()),
        now[people].cast(pl.Int64).alias("people"),
        then[people].cast(pl.Int64).alias("people_baseline"),
        pl.Series("dispersion", phi).round_sig_figs(DIGITS),
        shared["shared_people"],
        shared["shared_threads"],
    )
    for at, name in enumerate(("n", "n_baseline")):
        on = (BASE if together else HITS)[1:]
        counted = tally.filter(pl.col("slice") == at).select(*on, pl.col("n").cast(pl.Int64).alias(name))
        table = table.join(counted, on=on, how="left", maintain_order="left").with_columns(pl.col(name).fill_null(0))
    days = uneven(a, b) if metric.unit == "count" else None
    one_empty = rows["slice"].n_unique() < 2 or days is not None
    thin = (now["heard"] < min_people) | (then["heard"] < min_people) if metric.unit != "count" else now["heard"] < 0
    table = judged(table, metric, 1 - confidence, metric.floor if floor is None else floor, min_people, one_empty, thin)
    table = table.with_columns(_note(weeks_of(a), weeks_of(b), metric, past, days, selection_note(selection)).alias("note"))
    return table.sort(labels(by) or "group", nulls_last=True).select(
        pl.lit(metric.name or metric.label).alias("metric"), *labels(by), *FIGURES, *COUNTS, "dispersion", "verdict", "note"
    )


def _nothing(metric: Metric, by: list[str], told: str = "") -> pl.DataFrame:
    """What is said where neither period has a single answer: one suppressed row, or none for no groups."""
    types = {"metric": pl.String} | dict.fromkeys(by, pl.String) | dict.fromkeys(FIGURES, pl.Float64) | dict.fromkeys(COUNTS, pl.Int64)
    types |= {"dispersion": pl.Float64, "verdict": pl.String, "note": pl.String}
    row = dict.fromkeys(types) | {"metric": metric.name or metric.label, "verdict": "suppressed", "note": "；".join(filter(None, ["两期都没有可用的回答", told]))}
    return pl.DataFrame([] if by else [row], schema=types)


def adjacent(a: pl.DataFrame, b: pl.DataFrame) -> bool:
    """True where both frames are single ISO weeks at most two weeks apart."""
    weeks = [weeks_of(side) for side in (a, b)]
    if any(len(found) != 1 for found in weeks):
        return False
    starts = [date.fromisoformat(f"{found[0]}-1") for found in weeks]
    return abs((starts[0] - starts[1]).days) <= ADJACENT_DAYS


def weeks_of(frame: pl.DataFrame) -> list[str]:
    """The ISO weeks of the dated feedback, oldest first; none where the frame has no iso_week."""
    if "iso_week" not in frame.columns:
        return []
    return [week for week in frame["iso_week"].drop_nulls().unique().sort() if week != UNDATED]


def _side(base: pl.DataFrame, hits: pl.DataFrame, cells: pl.DataFrame, at: int) -> pl.DataFrame:
    """The moments of one period for every cell, in the order of the cells, observed or not."""
    grid = cells.with_columns(pl.lit(at, pl.UInt32).alias("slice"))
    return moments(base, hits, grid).sort("group", "code")


def _dispersion(table, past, neighbours, metric: Metric, by: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """phi and its degrees of freedom for every row; 1 and infinite where no history was given."""
    if past is None:
        return np.ones(table.height), np.full(table.height, np.inf)
    known = week_to_week(past, metric, by, neighbours).drop("cell")
    if by:
        known = table.select(labels(by)).join(known, on=by, how="left", nulls_equal=True, maintain_order="left")
    elif known.is_empty():
        known = pl.DataFrame({"squares": [0.0], "degrees": [0.0], "expected": [0.0]})
    known = known.select(pl.col("squares", "degrees", "expected").cast(pl.Float64).fill_null(0))
    return shrunk_phi(*(known[name].to_numpy() for name in known.columns))


def _note(now: list[str], then: list[str], metric: Metric, past: pl.DataFrame | None, days, told: str = "") -> pl.Expr:
    parts = [
        pl.when(pl.col("few")).then(pl.lit(SUPPRESSED)),
        pl.when(~pl.col("few") & pl.col("nothing")).then(pl.lit(say_uneven(days) if days else "有一期没有可比的反馈，不下结论")),
        pl.when(~pl.col("few") & pl.col("p_value").is_null() & ~pl.col("nothing")).then(
            pl.lit("两期内部各人数值完全相同，无法检验")
        ),
    ]
    said = []
    if metric.unit == "count" and len(now) != len(then):
        said.append(f"两期长度不同（{len(now)}周对{len(then)}周），数量不可直接相比")
    if past is None:
        said.append("未给历史数据，未计周间波动")
    elif past["iso_week"].n_unique() < FEW_WEEKS:
        said.append(f"历史不足{FEW_WEEKS}周，周间波动按经验值估计")
    parts += [pl.when(~pl.col("out")).then(pl.lit("；".join(said) or None, pl.String)), pl.lit(told or None, pl.String)]
    return pl.concat_str(parts, separator="；", ignore_nulls=True)
