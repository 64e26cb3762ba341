"""What a weighted frame says of the silent, and how far a figure that tilts them is off by chance.

A weight w is one who spoke and w - 1 who did not. Tilting multiplies the w - 1; the error of the tilted figure is linearised like that of the figure itself (hc3), with what
calibration explains taken out: dw is tilted where w is, the speakers' own part is not. With nothing tilted it is the standard error of `weighted_mean`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import ALONE, RANK, design_of, weights_of
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import BASE

ROUNDING = 1e-9  # a weight of 1 up to rounding is a weight of 1


def standing_for(frame: pl.DataFrame, size: float | None = None) -> np.ndarray:
    """Weights that add up to `size` customers (None: they do already); WeightingError where they leave no room for anybody silent."""
    w = weights_of(frame)
    if size is not None:
        if not np.isfinite(size) or size < len(w) * (1 - ROUNDING):
            raise WeightingError(f"size={size:,.6g} 少于说话的 {len(w):,} 人。请写全体客户的人数。")
        return w * (size / w.sum())
    if not w.sum() > len(w) * (1 + ROUNDING):
        raise WeightingError(f"权重加起来是 {w.sum():,.6g}，说话的有 {len(w):,} 人：看不出还有多少人沉默。权重若已除以平均数，请用 size= 写全体客户的人数。")
    return w


def split(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(spoken, silent) parts of weights: one each and what is beyond; who stands for less than himself has no silent ones behind him."""
    return np.minimum(w, 1.0), np.maximum(w - 1, 0.0)


def weight_notes(frame: pl.DataFrame, w: np.ndarray) -> list[str]:
    """What the reader must know of these weights."""
    told = [frame["weight_note"][0]] if "weight_note" in frame.columns and frame.height and frame["weight_note"][0] else []
    small = int((w < 1 - ROUNDING).sum())
    return told + ([f"{small:,} 位的权重小于 1，身后没有沉默的人，不随倍数变动"] if small else [])


def error_of(frame: pl.DataFrame, w: np.ndarray) -> Callable[[np.ndarray, np.ndarray, np.ndarray], float]:
    """A function of (score, slope, inside) that gives the standard error of sum(score).

    `score` is what every row adds to the linearised figure, `slope` the derivative of that by his weight (score = w * slope where nothing is tilted), `inside` who counts.
    """
    if "calibration" not in frame.columns:
        def by_weight(score, slope, inside):
            leverage = w * inside / (w * inside).sum()
            return _pushed(w, score, slope, slope, leverage)
        return by_weight
    x, place = covariates(frame["calibration"])
    base = frame[BASE].to_numpy()
    inverse = np.linalg.pinv((x * np.bincount(place, base, len(x))[:, None]).T @ x, rcond=RANK, hermitian=True)
    leverage = base * ((x @ inverse) * x).sum(1)[place]

    def calibrated(score, slope, inside):
        explained = x @ (inverse @ (x.T @ np.bincount(place, base * slope, len(x))))
        return _pushed(w, score, slope, slope - explained[place], leverage)
    return calibrated


def covariates(calibration: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """(x, place): a row of x per combination of what was calibrated on, and which of them every person has. Levels are 0 and 1; columns may depend on each other."""
    told = calibration.struct.unnest()
    if any(kind.is_float() for kind in told.dtypes):  # hardly two people alike
        cells, place = told, np.arange(told.height)
    else:
        cells = told.unique(maintain_order=True)
        place = told.join(cells.with_row_index("_place"), on=told.columns, how="left", maintain_order="left")["_place"].to_numpy()
    return design_of(cells.to_struct("cells")), place


def _pushed(w, score, slope, left, leverage) -> float:
    alone = leverage > 1 - ALONE
    pushed = score - w * slope + w * np.where(alone, slope - (w @ slope) / w.sum(), left / np.where(alone, 1, 1 - leverage))
    return float(np.sqrt(pushed @ pushed))
