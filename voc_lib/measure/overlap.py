"""Two periods share customers and threads: what that takes from the variance of their difference."""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure.moments import clustered, levels
from voc_lib.stats.clusters import shared_covariance

GROUP = ["group", "code"]


def overlap(base: pl.DataFrame, hits: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Per group x code of `cells`, over what answered in slice 0 and in slice 1: sums of products, and counts.

    yy_L, ym_L (said in 0, heard in 1), my_L, mm_L for each level L of `levels`; shared_people and
    shared_threads (of the row's people: who mention the code where codes share a base). 0 where nothing is shared.
    """
    own = [name for name in base.columns if name in GROUP]
    table = cells.select(GROUP)
    for level, keys in levels(base).items():
        heard, said = clustered(base, hits, keys)
        heard_now, heard_then = (_slice(heard, at) for at in (0, 1))
        said_now, said_then = (_slice(said, at).drop("m") for at in (0, 1))
        products = {
            "yy": (said_now, said_then, GROUP, "y", "y"),
            "ym": (said_now, heard_then, own, "y", "m"),
            "my": (said_then, heard_now, own, "y", "m"),
            "mm": (heard_now, heard_then, own, "m", "m"),
        }
        for name, (left, right, on, first, second) in products.items():
            other = right.select(*on, *keys, pl.col(second).alias("other"))
            met = left.join(other, on=[*on, *keys], how="inner")
            to = own if name == "mm" else GROUP
            sums = met.group_by(to).agg((pl.col(first) * pl.col("other")).sum().alias(f"{name}_{level}"))
            table = table.join(sums, on=to, how="left", maintain_order="left")
    members = base if own == GROUP else hits
    for name in ("person", "thread"):
        now, then = (_slice(members, at).select(*GROUP, name).unique() for at in (0, 1))
        both = now.join(then, on=[*GROUP, name], how="inner").group_by(GROUP)
        title = "shared_people" if name == "person" else "shared_threads"
        counted = both.agg(pl.len().cast(pl.Int64).alias(title))
        table = table.join(counted, on=GROUP, how="left", maintain_order="left")
    return table.with_columns(pl.exclude(GROUP).fill_null(0))


def covariance(shared: pl.DataFrame, now: pl.DataFrame, then: pl.DataFrame, metric: Metric) -> np.ndarray:
    """Covariance of the two periods' numbers; `now` and `then` are `moments` in the order of `shared`."""
    pieces = {}
    for level in ("person", "thread", "pair"):
        if f"yy_{level}" not in shared.columns:
            pieces[level] = 0.0
            continue
        sums = [shared[f"{name}_{level}"].to_numpy().astype(float) for name in ("yy", "ym", "my", "mm")]
        if metric.unit == "count":
            pieces[level] = sums[0]
            continue
        weights = [side["weight"].to_numpy().astype(float) for side in (now, then)]
        means = [side["total"].to_numpy() / weight for side, weight in zip((now, then), weights)]
        counts = [side[f"clusters_{level}"].to_numpy().astype(float) for side in (now, then)]
        pieces[level] = np.nan_to_num(shared_covariance(*sums, means, weights, counts))
    return pieces["person"] + pieces["thread"] - pieces["pair"]


def _slice(frame: pl.DataFrame, at: int) -> pl.DataFrame:
    return frame.filter(pl.col("slice") == at).select(pl.exclude("slice"))
