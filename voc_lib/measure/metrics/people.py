"""Distinct people heard: the linked customer, else the author, else (no author key) the single feedback."""

import polars as pl

from voc_lib.contracts import Metric

METRIC = Metric(
    label="发声人数",
    unit="count",
    definition="发声的人数，同一人多次发声只算一次",
    value=pl.lit(1.0),
    per_person="any",
    floor=0.2,  # a fifth up or down; counts of small groups swing that much for nothing
)
