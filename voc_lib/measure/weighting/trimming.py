"""Cutting the largest weights, as trimWeights of R survey does; here to compare with, not to use.

A cut weight no longer meets the margins, and the figure moves back towards those who spoke most. `calibrate(..., max_weight_ratio=...)` keeps the margins and says where it cannot.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import TRIMMED
from voc_lib.measure.weighting.margins import WeightingError

ROUNDS = 100


def trim_weights(frame: pl.DataFrame, upper: float, strict: bool = True) -> pl.DataFrame:
    """The weighted frame with no `weight` above `upper`; what is cut off goes to the others in equal parts, again until none is above (`strict`), the sum being kept.

    Adds `weight_kept`, new weight over old, for standard errors, and says in `weight_note` that the margins are not met. WeightingError where all would be cut.

    >>> trim_weights(pl.DataFrame({"weight": [1.0, 1.0, 4.0]}), 3)["weight"].to_list()
    [1.5, 1.5, 3.0]
    """
    old = frame["weight"].to_numpy()
    if not upper > old.mean():
        raise WeightingError(f"上限 {upper:g} 不大于平均权重 {old.mean():.3g}，没有地方放剪下来的部分。请放宽上限。")
    new = old.copy()
    for _ in range(ROUNDS if strict else 1):
        over = new > upper
        if not over.any():
            break
        spare = (new[over] - upper).sum()
        new = np.where(over, upper, new + spare / (~over).sum())
    cut = int((old > upper).sum())
    note = f"有 {cut:,} 位的权重被剪到 {upper:.3g}，边际不再对得上"
    said = frame["weight_note"] if "weight_note" in frame.columns else pl.Series([None] * frame.height, dtype=pl.String)
    told = note if said.null_count() == frame.height else f"{said[0]}；{note}"
    return frame.with_columns(pl.Series("weight", new), pl.Series(TRIMMED, new / old), pl.lit(told).alias("weight_note"))
