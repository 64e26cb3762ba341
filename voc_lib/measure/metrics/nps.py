"""Net promoter score: share of promoters (9-10) minus share of detractors (0-6), in points.

-100 to 100. Reichheld (2003), Harvard Business Review 81(12). Base: people who answered the question; who did not is no passive. Several answers of one
person are averaged. A question about the relationship: asked after a visit it also measures the visit.
"""

import polars as pl

from voc_lib.contracts import Metric

score = pl.col("nps").cast(pl.Float64)

METRIC = Metric(
    label="净推荐值",
    unit="points",
    definition="回答推荐意愿的人中，9—10分的占比减去0—6分的占比，乘以100",
    base_definition="回答了推荐意愿（0—10分）的反馈",
    base_sql="nps BETWEEN 0 AND 10",
    value=100.0 * (score >= 9).cast(pl.Float64) - 100.0 * (score <= 6).cast(pl.Float64),
    base=score.is_between(0, 10),
    higher_is_better=True,
    floor=4.0,  # 2 % of the 200 points from -100 to 100, the house's floor
    scale=(-100.0, 100.0),
    low=-100.0,
)
