"""Customer effort score: mean answer to "how easy was it", 1 to 7, 7 the easiest.

Dixon, Freeman & Toman (2010), Harvard Business Review 88(7). Base: people who answered. Several answers of one person are averaged.
"""

import polars as pl

from voc_lib.contracts import Metric

score = pl.col("ces").cast(pl.Float64)

METRIC = Metric(
    label="办事省心度",
    unit="points",
    definition="每人「办事是否省心」评分的平均，1—7分，越高越省心",
    base_definition="回答了办事省心（1—7分）的反馈",
    base_sql="ces BETWEEN 1 AND 7",
    value=score,
    base=score.is_between(1, 7),
    higher_is_better=True,
    floor=0.12,  # 2 % of the six points from 1 to 7
    scale=(1.0, 7.0),
    low=3.0,
)
