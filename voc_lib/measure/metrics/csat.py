"""Satisfaction: mean answer to "how satisfied are you", 1 to 5.

Base: people who answered. Several answers of one person are averaged.
"""

import polars as pl

from voc_lib.contracts import Metric

score = pl.col("csat").cast(pl.Float64)

METRIC = Metric(
    label="满意度",
    unit="points",
    definition="每人满意度评分的平均，1—5分",
    base_definition="回答了满意度（1—5分）的反馈",
    base_sql="csat BETWEEN 1 AND 5",
    value=score,
    base=score.is_between(1, 5),
    higher_is_better=True,
    floor=0.08,  # 2 % of the four points from 1 to 5
    scale=(1.0, 5.0),
    low=2.0,
)
