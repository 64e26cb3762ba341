"""Where a problem sits: the product, region, batch, dealer or version that its people share more often than everybody else."""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.measure.estimate import MIN_PEOPLE
from voc_lib.stats.multiplicity import benjamini_hochberg

SEGMENTS = ("product", "variant", "batch", "software_version", "region", "dealer")
LEAST_RATIO = 1.5  # a share half as large again as elsewhere: below it is nothing to act on
ALARM = 0.01  # false discoveries among all values tried: it is read as a hint at a cause


def concentration(feedback: pl.DataFrame, code: str, most: int = 2) -> list[dict]:
    """The values that people who name `code` share more often than other people heard, the clearest first, at most `most`.

    Each: column, value, people (who name it and have the value), of (who name it and have any), share, share_elsewhere (among
    people who do not name it). Fisher's exact test per value, Benjamini-Hochberg over all values of all columns, one value a
    column; nothing under 10 people. A hint at a cause, and no proof: who owns what is not in it.
    """
    from scipy.stats import fisher_exact

    rows = feedback.select("person", *(name for name in SEGMENTS if name in feedback.columns), pl.col("codes").list.contains(code).alias("said"))
    tables = [_counted(rows, name) for name in SEGMENTS if name in rows.columns]
    tried = pl.concat([table for table in tables if table.height]) if any(table.height for table in tables) else pl.DataFrame()
    if tried.is_empty():
        return []
    p = [fisher_exact([[a, of - a], [b, elsewhere - b]], "greater").pvalue for a, of, b, elsewhere in tried.select("people", "of", "others", "elsewhere").iter_rows()]
    found = tried.with_columns(pl.Series("q", benjamini_hochberg(np.array(p))), (pl.col("people") / pl.col("of")).alias("share"),
                               (pl.col("others") / pl.col("elsewhere")).alias("share_elsewhere"))
    clear = found.filter((pl.col("q") <= ALARM) & (pl.col("people") >= MIN_PEOPLE) & (pl.col("share") >= LEAST_RATIO * pl.col("share_elsewhere")))
    clear = clear.sort("q", "column", "value").unique("column", keep="first", maintain_order=True)
    return clear.head(most).select("column", "value", "people", "of", "share", "share_elsewhere").to_dicts()


def _counted(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """People by value of one column: who name the code (people, of) and who do not (others, elsewhere)."""
    people = rows.drop_nulls(column).group_by("person", column).agg(pl.col("said").any())
    said = people.group_by("person").agg(pl.col("said").any().alias("speaks"))
    people = people.join(said, on="person", how="left").unique(["person", column])
    totals = people.group_by("speaks").agg(pl.col("person").n_unique().alias("total"))
    sizes = dict(totals.iter_rows())
    if not sizes.get(True) or not sizes.get(False):
        return people.clear().select(pl.lit("").alias("column"), pl.lit("").alias("value"), *(pl.lit(0, pl.Int64).alias(name) for name in ("people", "of", "others", "elsewhere")))
    counted = people.group_by(column).agg(pl.col("speaks").sum().cast(pl.Int64).alias("people"), (~pl.col("speaks")).sum().cast(pl.Int64).alias("others"))
    return counted.filter(pl.col("people") > 0).select(
        pl.lit(column).alias("column"), pl.col(column).cast(pl.String).alias("value"), "people",
        pl.lit(sizes[True], pl.Int64).alias("of"), "others", pl.lit(sizes[False], pl.Int64).alias("elsewhere"))
