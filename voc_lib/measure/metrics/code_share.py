"""Of the people heard, the share who mention a code (by="code": each code; else: any code).

0 to 1. Heard people speak because they have something to say: the mix of what is heard, never the share
of customers who have the fault. A feedback that no coder has read (`codes` is null) is not in the base.
"""

import polars as pl

from voc_lib.contracts import Metric

codes = pl.col("codes")

METRIC = Metric(
    label="提及占比",
    unit="share",
    definition="听到的人中，提到该问题的人所占比例（一人多次提及只算一次）",
    base_definition="已做归类的反馈的全部作者",
    value=(codes.list.len() > 0).cast(pl.Float64),
    base=codes.is_not_null(),
    per_person="any",
    explode="codes",
)
