"""Share of ratings at or below 40 % of their scale: 1 and 2 of 5, 1 to 4 of 10.

0 to 1. Base: people who rated, on a scale that is known. Several ratings of one person are averaged, so
that writing often does not count twice.
"""

import polars as pl

from voc_lib.contracts import Metric

rating, scale = pl.col("rating").cast(pl.Float64), pl.col("rating_scale").cast(pl.Float64)

# The lowest two of five stars; a hair above, so that 2 of 5 is not lost to floating point.
LOW = 0.4 + 1e-9

METRIC = Metric(
    label="低分占比",
    unit="share",
    definition="打分的人中，打分不高于满分40%（5分制为1—2分）的比例",
    base_definition="打了分且满分已知的反馈",
    base_sql="NOT isnan(rating) AND rating_scale > 0",
    value=(rating <= LOW * scale).cast(pl.Float64),
    base=rating.is_not_nan() & (scale > 0),
    higher_is_better=False,
)
