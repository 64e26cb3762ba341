"""The number, its variance and its people, for every group at once, from the units.

Two-way clustering (stats.clusters): people, and threads where several people meet. A person in several
threads is split over them; a person's own variance is the least that is ever reported.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure.units import HITS
from voc_lib.stats import clusters

LEVELS = {"person": ["person"], "thread": ["thread"], "pair": ["person", "thread"]}


def levels(base: pl.DataFrame) -> dict[str, list[str]]:
    """The levels worth computing: where every thread has one author, people are all there is."""
    pairs = base.select("person", "thread").unique()
    met = pairs["thread"].n_unique() < pairs.height
    return LEVELS if met else {"person": LEVELS["person"]}


def clustered(base: pl.DataFrame, hits: pl.DataFrame, keys: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Base and hits summed over one level: `m` and `y` per key x cluster, hits with the cluster's `m` joined."""
    own = [name for name in base.columns if name in HITS]
    heard = base.group_by([*own, *keys], maintain_order=True).agg(pl.col("m").sum())
    said = hits.group_by([*HITS, *keys], maintain_order=True).agg(pl.col("y").sum())
    return heard, said.join(heard, on=[*own, *keys], how="left", maintain_order="left")


def moments(base: pl.DataFrame, hits: pl.DataFrame, grid: pl.DataFrame | None = None) -> pl.DataFrame:
    """One row per slice x group x code: the sums from which every number of the group follows.

    total (of y), weight (of m), heard (people in the base), said (people with a value), and per level L:
    yy_L, ym_L, mm_L, clusters_L. `grid` lists the rows wanted (default: those observed); one in which nobody
    said anything has total 0, one that nobody answered a null weight.
    """
    own = [name for name in base.columns if name in HITS]
    observed = [hits.select(HITS), base.select(HITS)] if own == HITS else [hits.select(HITS)]
    table = (pl.concat(observed) if grid is None else grid.select(HITS)).unique()
    for level, keys in levels(base).items():
        heard, said = clustered(base, hits, keys)
        y, m = pl.col("y"), pl.col("m")
        more = level == "person"
        said = said.group_by(HITS).agg(
            (y * y).sum().alias(f"yy_{level}"),
            (y * m).sum().alias(f"ym_{level}"),
            *([y.sum().alias("total"), pl.len().alias("said"), (y * y / m).sum().alias("squares")] if more else []),
        )
        heard = heard.group_by(own).agg(
            (m * m).sum().alias(f"mm_{level}"),
            pl.len().alias(f"clusters_{level}"),
            *([m.sum().alias("weight"), pl.len().alias("heard")] if more else []),
        )
        table = table.join(said, on=HITS, how="left").join(heard, on=own, how="left")
    filled = [name for name in table.columns if name.startswith(("yy_", "ym_", "total", "said", "squares", "heard"))]
    return table.with_columns(pl.col(filled).fill_null(0)).sort(HITS)


def solved(table: pl.DataFrame, metric: Metric) -> dict[str, np.ndarray]:
    """estimate, variance, effective_n, degrees of every row of `moments`, as arrays.

    Shares and means: total/weight with its linearised variance. effective_n = people / design effect, at
    most the people heard; for a share of 0 or 1, where the answers cannot tell, people weighted after Kish
    with threads as if all in one agreed. Counts: the total; variance = sum of squared clusters (compound
    Poisson), effective_n = total^2/variance. degrees = clusters - 1, the scarcer of people and threads.
    """
    sums = {name: table[name].to_numpy().astype(float) for name in table.columns if name not in HITS}
    present = [level for level in LEVELS if f"yy_{level}" in sums]
    if metric.unit == "count":
        pieces = {level: sums[f"yy_{level}"] for level in present}
        variance = clusters.two_way(pieces["person"], *_rest(pieces))
        size = clusters.kish_effective_n(sums["total"], variance)
        return {"estimate": sums["total"], "variance": variance, "effective_n": size, "degrees": sums["said"] - 1}
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, weight = sums["total"] / sums["weight"], sums["weight"]
        pieces = {
            level: clusters.linearised_variance(
                sums[f"yy_{level}"], sums[f"ym_{level}"], sums[f"mm_{level}"], mean, weight, sums[f"clusters_{level}"]
            )
            for level in present
        }
        variance = np.maximum(clusters.two_way(pieces["person"], *_rest(pieces)), 0)
        people = sums["heard"]
        spread = mean * (1 - mean) if metric.unit == "share" else sums["squares"] / weight - mean**2
        single = spread / (people - 1)
        kish = np.fmin.reduce([clusters.kish_effective_n(weight, sums[f"mm_{level}"]) for level in present])
        flat = spread <= 1e-12 * np.maximum(1, mean**2)
        effective = np.where(flat | ~(variance > 0), kish, np.minimum(people, people * single / variance))
    degrees = np.minimum.reduce([sums[f"clusters_{level}"] for level in present]) - 1
    return {
        "estimate": mean,
        "variance": np.where(flat, 0.0, variance),
        "effective_n": np.minimum(effective, people),
        "degrees": degrees,
    }


def _rest(pieces: dict[str, np.ndarray]) -> tuple:
    """Thread and pair variances; 0 and 0 where threads have one author each and cancel."""
    return (pieces["thread"], pieces["pair"]) if "thread" in pieces else (0.0, 0.0)
