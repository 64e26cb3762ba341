"""How well the weights do their work: how uneven they are, who is missing, and how far those who spoke are from all customers before and after.

Balance is the standardised difference (Austin 2009, doi:10.1002/sim.3697): mean of those who spoke minus mean of all customers, over the standard deviation of all customers. Levels are
0/1 columns; pairs of levels show what weighting on single columns leaves. Below .1 is the usual rule for "near enough".
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import kish
from voc_lib.measure.weighting.margins import COUNT, WeightingError, read_margins
from voc_lib.measure.weighting.propensity import propensity_of_cells
from voc_lib.measure.weighting.spoken import FEWEST, HOPELESS, spoken

NEAR = 0.1  # standard deviations
BALANCE = {"kind": pl.String, "covariate": pl.String, "level": pl.String, "share": pl.Float64, "before": pl.Float64, "after": pl.Float64}


def balance(frame: pl.DataFrame, population: pl.DataFrame, pairs: bool = True) -> pl.DataFrame:
    """The love plot as a table: `kind` (level, pair, line), `covariate`, `level`, `share` of all customers (mean of a line), `before`, `after` (standardised differences), farthest after first.

    `frame` has `weight`; `population` is a frame of all customers or cells with `count`, and may have more columns than the weights were made from. `pairs` adds every pair of
    level columns. Cells that no customer is in do not appear. WeightingError as `calibrate`.
    """
    told = read_margins(population)
    if told.population is None or "weight" not in frame.columns:
        raise WeightingError("平衡检查要加过权的表（有 weight）和总体的表（每格一行，有 count）。")
    rows = spoken(frame, told, None, "raise").with_columns(frame["weight"])
    people = rows.group_by(told.columns).agg(pl.len().cast(pl.Float64).alias("n"), pl.col("weight").sum().alias("w"))
    everyone = told.population.group_by(told.columns).agg(pl.col(COUNT).sum().alias("all"))
    return _balance(everyone.join(people, on=told.columns, how="full", coalesce=True).with_columns(pl.col("all", "n", "w").fill_null(0.0)), list(told.levels), list(told.totals), pairs)


def balance_of_cells(cells: pl.DataFrame, columns: list[str], pairs: bool = True) -> pl.DataFrame:
    """`balance` from weighted cells, over `columns`."""
    table = cells.select(*columns, pl.col(COUNT).alias("all"), pl.col("n").cast(pl.Float64), (pl.col("n") * pl.col("weight").fill_null(0.0)).alias("w"))
    return _balance(table, columns, [], pairs)


def diagnose(frame: pl.DataFrame, population: pl.DataFrame) -> dict:
    """The figures of an appendix: what `diagnose_cells` gives, for a weighted frame and a population frame of levels."""
    told = read_margins(population)
    rows = spoken(frame, told, None, "raise").with_columns(frame["weight"])
    columns = list(told.levels)
    people = rows.group_by(columns).agg(pl.len().alias("n"), pl.col("weight").mean())
    everyone = told.population.group_by(columns).agg(pl.col(COUNT).sum())
    return diagnose_cells(everyone.join(people, on=columns, how="left").with_columns(pl.col("n").fill_null(0)), columns) | kish(frame["weight"])


def diagnose_cells(cells: pl.DataFrame, columns: list[str]) -> dict:
    """Of weighted cells: `customers`, `speakers`, `speak_rate`, Kish's `design_effect`, `effective_n`, `max_ratio`, `min_ratio`; `cells`, `silent_cells`, `silent_share` (of customers, in cells
    with no speaker), `least_propensity` (of a cell with customers, by a ridge logit on single columns), `margin_error` (largest relative miss of a margin), `before` and `after` (largest
    standardised difference of a level), `after_pairs`; `verdict` is `range_only` where the design effect is over 20 or the effective n below 30, else `figure`.
    """
    known = cells.filter(pl.col(COUNT) > 0)
    heard = known.filter((pl.col("n") > 0) & pl.col("weight").is_not_null())
    w, n, size = heard["weight"].to_numpy(), heard["n"].to_numpy().astype(float), float(known[COUNT].sum())
    if not len(w):
        raise WeightingError("没有人说话，没有权重可以检查。请核对渠道、日期和关联。")
    total, effective = float(w @ n), float((w @ n) ** 2 / (w**2 @ n))
    levels, pairs = balance_of_cells(cells, columns, pairs=False), balance_of_cells(cells, columns)
    missed = [abs(row["weight"] / row[COUNT] - 1) for column in columns
              for row in known.group_by(column).agg(pl.col(COUNT).sum(), (pl.col("n") * pl.col("weight").fill_null(0.0)).sum().alias("weight")).iter_rows(named=True)]
    found = {"customers": size, "speakers": int(n.sum()), "speak_rate": float(n.sum() / size), "design_effect": float(n.sum() / effective), "effective_n": effective,
             "max_ratio": float(w.max() * n.sum() / total), "min_ratio": float(w.min() * n.sum() / total), "cells": known.height, "silent_cells": int((known["n"] == 0).sum()),
             "silent_share": float(known.filter(pl.col("n") == 0)[COUNT].sum() / size), "least_propensity": float(propensity_of_cells(known, columns).min()), "margin_error": float(max(missed)),
             "before": _farthest(levels, "before"), "after": _farthest(levels, "after"), "after_pairs": _farthest(pairs, "after")}
    return found | {"verdict": "range_only" if found["design_effect"] > HOPELESS or effective < FEWEST else "figure"}


def _farthest(table: pl.DataFrame, name: str) -> float:
    return float(table[name].abs().max()) if table.height else 0.0


def _balance(table: pl.DataFrame, levels: list[str], lines: list[str], pairs: bool) -> pl.DataFrame:
    size, n, w = table["all"].sum(), table["n"].sum(), table["w"].sum()
    rows = []
    for kind, columns in [*(("level", [one]) for one in levels), *(("pair", list(two)) for two in combinations(levels, 2) if pairs)]:
        met = table.group_by(columns).agg(pl.col("all").sum() / size, pl.col("n").sum() / n, pl.col("w").sum() / w).filter(pl.col("all") > 0).sort(columns)
        spread = (met["all"] * (1 - met["all"])).sqrt()
        level = met.select(pl.concat_str(columns, separator=" × ")).to_series()
        rows += [(kind, " × ".join(columns), *found) for found in zip(level, met["all"], (met["n"] - met["all"]) / spread, (met["w"] - met["all"]) / spread, strict=True)]
    for column in lines:
        x, count = table[column].to_numpy(), table["all"].to_numpy()
        middle = float(x @ count / size)
        spread = float(np.sqrt(((x - middle) ** 2 @ count) / (size - 1)))
        rows.append(("line", column, "", middle, float(x @ table["n"].to_numpy() / n - middle) / spread, float(x @ table["w"].to_numpy() / w - middle) / spread))
    found = pl.DataFrame(rows, schema=BALANCE, orient="row").with_columns(pl.col("before", "after").fill_nan(0.0))
    return found.sort(pl.col("after").abs().round(12), pl.col("before").abs().round(12), "covariate", "level", descending=[True, True, False, False])
