"""Mean rating, every scale stretched to five points.

0 to 5. Base: people who rated, on a scale that is known. Several ratings of one person are averaged.
"""

import polars as pl

from voc_lib.contracts import Metric

rating, scale = pl.col("rating").cast(pl.Float64), pl.col("rating_scale").cast(pl.Float64)

METRIC = Metric(
    label="平均评分",
    unit="points",
    definition="每人打分的平均，统一折算到5分制",
    base_definition="打了分且满分已知的反馈",
    base_sql="NOT isnan(rating) AND rating_scale > 0",
    value=5 * rating / scale,
    base=rating.is_not_nan() & (scale > 0),
    higher_is_better=True,
    floor=0.1,  # 2 % of five points, the house's floor
    scale=(0.0, 5.0),
    low=2.0,
)
