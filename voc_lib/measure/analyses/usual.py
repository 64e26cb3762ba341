"""What a usual week looks like: the range of a group's people, learnt from the calm weeks of its history.

An incident must not become the yardstick: a week far above or below the others would widen the range for a year and hide
the second half of its own rise. Such weeks are left out, as Noufaily et al. (2013), doi:10.1002/sim.5595, do by weights.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure.compare import FEW_WEEKS
from voc_lib.measure.history import scatter
from voc_lib.stats.dispersion import PRIOR_PHI, count_band, count_tail, shrunk_phi

RANGE = ("band_low", "band_high", "p_usual", "excess")
# A group never heard before still has an expectation: half a person in all of the history (Jeffreys).
NEVER = 0.5
# Standard errors beyond which a past week is an incident (1 in 100 calm weeks by chance), in how many passes they are
# taken out, and the share of weeks that must stay: what happens every other week is usual.
INCIDENT, PASSES, STAY = 2.58, 3, 0.6
CHI_SQUARE_MEDIAN = 0.455  # of one degree of freedom: turns a median of squares into a variance


def usual_range(matrices: dict[str, np.ndarray], labelled: list[str], metric: Metric, period: str) -> list[pl.Series]:
    """band_low, band_high, p_usual, excess for each cell of `history.weekly`; null with under 3 weeks of history.

    band: 95 % range of this week's people given how many were heard; p_usual: two-sided p-value of this week under the
    same distribution; excess: people beyond the expected, as a share of those heard (of the expected, for counts).
    """
    before = [at for at, week in enumerate(labelled) if week != period]
    rows = matrices["people"].shape[0]
    if len(before) < FEW_WEEKS or period not in labelled:
        return [pl.Series(name, [None] * rows, pl.Float64) for name in RANGE]
    past = calm({name: matrix[:, before] for name, matrix in matrices.items()}, metric)
    at = labelled.index(period)
    heard, seen = matrices["heard"][:, at], np.nan_to_num(matrices["people"][:, at])
    expected, chance, known = _expected(past, metric, heard[:, None])
    expected, chance = expected[:, 0], chance[:, 0]
    highest = np.inf if metric.unit == "count" else heard
    spread = chance * expected / (known if metric.unit == "count" else known / heard)
    low, high = count_band(expected, chance, spread)
    told = {
        "band_low": np.minimum(low, highest), "band_high": np.minimum(high, highest),
        "p_usual": count_tail(seen, expected, chance, spread),
        "excess": (seen - expected) / (expected if metric.unit == "count" else heard),
    }
    return [pl.Series(name, value).fill_nan(None) for name, value in told.items()]


def calm(past: dict[str, np.ndarray], metric: Metric) -> dict[str, np.ndarray]:
    """The history with its incidents blanked (NaN): weeks far from what the other weeks predict.

    The first pass measures by medians, which a few huge weeks cannot move; the next by what is left.
    """
    weeks = np.isfinite(past["estimate"]).sum(1)
    for step in range(PASSES):
        expected, chance = _middle(past, metric) if step == 0 else _expected(past, metric, past["heard"])[:2]
        away = np.abs(past["people"] - expected) / np.sqrt(chance * np.maximum(expected, 1))
        out = (away > INCIDENT) & np.isfinite(past["estimate"])
        stay = np.isfinite(past["estimate"]).sum(1) - out.sum(1) >= np.maximum(STAY * weeks, FEW_WEEKS)
        out &= stay[:, None]
        if step and not out.any():
            break
        past = {name: np.where(out, np.nan, matrix) for name, matrix in past.items()}
    return past


def _middle(past: dict[str, np.ndarray], metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """(expected people, variance per expected person) of every past week, by medians over the weeks."""
    counted = metric.unit == "count"
    known = np.isfinite(past["estimate"])
    base = np.ones_like(past["heard"]) if counted else past["heard"]
    rate = np.nan_to_num(_median(np.where(known, past["people"] / base, np.nan)))
    expected = rate * base
    square = (past["people"] - expected) ** 2 / np.maximum(expected, 1)
    phi = np.maximum(_median(np.where(known, square, np.nan)) / CHI_SQUARE_MEDIAN, PRIOR_PHI)
    return expected, np.broadcast_to(phi * (1 if counted else 1 - rate), expected.shape)


def _median(matrix: np.ndarray) -> np.ndarray:
    """Row medians as a column; NaN where a row has no number at all."""
    empty = ~np.isfinite(matrix).any(1)
    return np.where(empty, np.nan, np.nanmedian(np.where(empty[:, None], 0, matrix), axis=1))[:, None]


def _expected(past: dict[str, np.ndarray], metric: Metric, heard: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(expected people, variance per expected person, people heard or weeks known in the past) for weeks of `heard` people."""
    known = np.isfinite(past["estimate"])
    said = np.maximum(np.where(known, past["people"], 0).sum(1), NEVER)
    weeks = np.maximum(known.sum(1), 1)
    phi, _ = shrunk_phi(*scatter(past, metric), said / weeks)
    if metric.unit == "count":
        return np.broadcast_to((said / weeks)[:, None], heard.shape), np.broadcast_to(phi[:, None], heard.shape), weeks
    base = np.where(known, past["heard"], 0).sum(1)
    share = (said / np.where(base > 0, base, np.nan))[:, None]
    return share * heard, np.broadcast_to(phi[:, None] * (1 - share), heard.shape), base
