"""From answers to units: the unit is the person, and people in one thread answer together.

- base: one row per key x person x thread, `m` = the person's weight, split over his threads;
- hits: one row per slice x group x code x person x thread, `y` = his weighted value there.

Sum of y over sum of m is the number; their sums over people and over threads give its variance.
"""

from __future__ import annotations

import polars as pl

from voc_lib.contracts import Metric

BASE = ["slice", "group"]
HITS = ["slice", "group", "code"]


def shared_base(metric: Metric, by: list[str]) -> bool:
    """True where every code is measured against all people heard, not only those who mention it."""
    return metric.explode == "codes" and "code" in by


def units(
    rows: pl.DataFrame, codes: pl.DataFrame, metric: Metric, by: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """(base, hits, tally) of the rows and codes from `answers`.

    The base is keyed by slice x group where codes share it, else by slice x group x code (0 without codes).
    tally: per key of the base, the feedback `n`, and of those `linked` and `anonymous`.
    """
    shared = shared_base(metric, by)
    if "code" in by:
        answered = rows.explode("codes", empty_as_null=False, keep_nulls=False)
        answered = answered.rename({"codes": "code_name"}).join(codes, on="code_name", how="left")
    else:
        answered = rows.with_columns(pl.lit(0, pl.UInt32).alias("code"))
    everyone = rows if shared else answered
    keys = BASE if shared else HITS
    tally = everyone.group_by(keys).agg(pl.len().alias("n"), pl.col("linked").sum(), pl.col("anonymous").sum())
    return _base(everyone, keys, metric), _hits(answered, metric, shared), tally


def _base(rows: pl.DataFrame, keys: list[str], metric: Metric) -> pl.DataFrame:
    person = [*keys, "person"]
    pairs = rows.group_by([*person, "thread"], maintain_order=True).agg(pl.len().alias("size"), pl.col("w").first())
    # For a mean, a thread holds as much of the person as he wrote there. For yes or no, his threads share
    # equally, so that posting the same twice in one of them changes nothing.
    size = pl.col("size") if metric.per_person == "mean" else pl.lit(1.0)
    whole = pl.col("size").sum() if metric.per_person == "mean" else pl.len()
    return pairs.with_columns((pl.col("w") * size / whole.over(person)).alias("m")).drop("size", "w")


def _hits(rows: pl.DataFrame, metric: Metric, shared: bool) -> pl.DataFrame:
    person = [*HITS, "person"]
    value = pl.lit(1.0) if shared else pl.col("x").sum()
    pairs = rows.group_by([*person, "thread"], maintain_order=True).agg(
        value.alias("x"), pl.len().alias("size"), pl.col("w").first()
    )
    if metric.per_person == "any":
        pairs = pairs.filter(pl.col("x") > 0)
        value = 1 / pl.len().over(person)
    elif metric.per_person == "mean":
        value = pl.col("x") / pl.col("size").sum().over(person)
    else:
        value = pl.col("x")
    return pairs.with_columns((pl.col("w") * value).alias("y")).drop("x", "size", "w")
