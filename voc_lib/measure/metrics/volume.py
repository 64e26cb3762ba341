"""Feedback received; several of one person count several times, and widen the interval."""

import polars as pl

from voc_lib.contracts import Metric

METRIC = Metric(
    label="反馈条数",
    unit="count",
    definition="收到的反馈条数，同一人多次发声逐条计",
    value=pl.lit(1.0),
    per_person="sum",
    floor=0.2,  # as for people
)
