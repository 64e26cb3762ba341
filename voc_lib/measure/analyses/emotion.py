"""How people feel along a journey: the mean mood step by step, and where it turns.

Mood of a voice: -1 displeased, 0 neither or both, +1 pleased; where the model abstains the step keeps its number and has no mood. Turns are found by
`ruptures` (Truong, Oudre & Vayatis 2020, doi:10.1016/j.sigpro.2019.107299): the piecewise constant line that costs least, each turn costing a penalty.
Penalty: the variance of a step's mean times the gain that the best single turn has in nineteen of twenty series of that length that are nothing but chance.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from voc_lib.engine import quote
from voc_lib.measure.audited import WHOLE
from voc_lib.messages import Told
from voc_lib.store import Store

MOODS = {"negative": -1.0, "neutral": 0.0, "mixed": 0.0, "positive": 1.0}
FEWEST_STEPS = 6  # a journey shorter than that has no shape
FEWEST_PEOPLE = 10  # behind the mean of a step of a group
SHORTEST = 2  # steps between two turns
RESAMPLES = 500
CHANCE = 0.95  # of series without a turn in which none is found
LEAST_VARIANCE = 0.02  # of one step: five identical moods do not show that a sixth must be the same
SEED = 20_261  # figures are the same every time
CURVE = {"step": pl.Int64, "mood": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "people": pl.Int64}
TURNS = {"step": pl.Int64, "before": pl.Float64, "after": pl.Float64, "share": pl.Float64, "earliest": pl.Int64, "latest": pl.Int64}


class EmotionError(Told, ValueError):
    """A mood curve cannot be drawn: says why and what to do."""


def moods(store: Store, feedback: pl.DataFrame) -> pl.DataFrame:
    """The feedback with `mood`: of the text as a whole by the opinion model in force; null where it abstains or has not judged."""
    model = store.about.get("opinion_model", "")
    judged = store.sql(f"SELECT feedback_id, arg_max(coalesce(opinion, ''), judged_at) AS opinion FROM opinions WHERE code = {quote(WHOLE)} AND opinion_model = {quote(model)} GROUP BY feedback_id")
    told = judged.select("feedback_id", pl.col("opinion").replace_strict(MOODS, default=None, return_dtype=pl.Float64).alias("mood"))
    return feedback.join(told, on="feedback_id", how="left", maintain_order="left")


def journey(feedback: pl.DataFrame, person: str | None = None, least: int = FEWEST_STEPS) -> pl.DataFrame:
    """Voices numbered by time: person_id, step (1, 2, ...), at, channel, mood, feedback_id.

    Of everyone with at least `least` voices the first `least`, so that the same people stand behind every step; of one `person` all.
    """
    rows = feedback.filter(pl.col("person_id").is_not_null() & pl.col("local_date").is_not_null())
    rows = rows if person is None else rows.filter(pl.col("person_id") == person)
    rows = rows.sort("person_id", "local_date", "occurred_at" if "occurred_at" in rows.columns else "feedback_id", "feedback_id", nulls_last=True)
    rows = rows.filter(pl.len().over("person_id") >= least)
    numbered = rows.select("person_id", pl.int_range(1, pl.len() + 1).over("person_id").cast(pl.Int64).alias("step"), pl.col("local_date").alias("at"), "channel", "mood", "feedback_id")
    return numbered if person is not None else numbered.filter(pl.col("step") <= least)


def mood_curve(journey: pl.DataFrame, resamples: int = RESAMPLES) -> pl.DataFrame:
    """The mean mood (-1 to 1) by step with its 95 % interval, over people (bootstrap): columns of `CURVE`, one row per step with at least 10 people.

    Of one person's journey: his moods themselves, people 1, no interval.
    """
    matrix, _ = _matrix(journey)
    if not matrix.size:
        return pl.DataFrame(schema=CURVE)
    people = np.isfinite(matrix).sum(0)
    if matrix.shape[0] == 1:
        rows = {"step": np.arange(matrix.shape[1]) + 1, "mood": matrix[0], "conf_low": np.nan, "conf_high": np.nan, "people": people}
        return pl.DataFrame(rows, schema=CURVE).filter(pl.col("people") > 0).with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("conf_low", "conf_high"))
    keep = _long_enough(people)
    if not keep:
        return pl.DataFrame(schema=CURVE)
    drawn = _resampled(matrix[:, :keep], resamples)
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return pl.DataFrame({"step": np.arange(keep) + 1, "mood": np.nanmean(matrix[:, :keep], axis=0), "conf_low": low, "conf_high": high, "people": people[:keep]}, schema=CURVE)


def mood_turns(journey: pl.DataFrame, resamples: int = RESAMPLES) -> pl.DataFrame:
    """Where the mood turns: one row per turn, `step` the first of the new mood, before and after (mean mood of the stretches beside it), and how sure that is.

    share: part of the resamples (people drawn anew; for one person his departures from the line) that have a turn within one step; earliest and latest hold 95 % of
    those turns. Empty where the line does not turn beyond chance. Raises EmotionError under six steps.
    """
    matrix, _ = _matrix(journey)
    alone = matrix.shape[0] == 1
    keep = (matrix.shape[1] if alone else _long_enough(np.isfinite(matrix).sum(0))) if matrix.size else 0
    if keep < FEWEST_STEPS:
        raise EmotionError(f"情绪曲线至少要 {FEWEST_STEPS} 步，{'这位客户只有' if alone else f'每步有 {FEWEST_PEOPLE} 人以上的只有'} {keep} 步；请放宽时间或换一群人。")
    matrix = matrix[:, :keep]
    steps = np.flatnonzero(np.isfinite(matrix[0])) + 1 if alone else np.arange(keep) + 1
    line = matrix[0][np.isfinite(matrix[0])] if alone else np.nanmean(matrix, axis=0)
    if len(line) < FEWEST_STEPS:
        raise EmotionError(f"这位客户能判断情绪的只有 {len(line)} 步，至少要 {FEWEST_STEPS} 步。")
    variance = max(_of_one(line), LEAST_VARIANCE) if alone else _of_group(matrix)
    penalty = variance * chance_gain(len(line))
    found = _turns(line, penalty)
    again = [_turns(one, penalty) for one in (_shaken(line, found, resamples) if alone else _resampled(matrix, resamples))]
    edges = [0, *found, len(line)]
    rows = []
    for place, turn in enumerate(found):
        near = [min(turns, key=lambda other: abs(other - turn)) for turns in again if any(abs(other - turn) <= 1 for other in turns)]
        around = np.quantile(near, [0.025, 0.975], method="nearest").astype(int) if near else (turn, turn)
        before, after = (line[edges[place + side] : edges[place + side + 1]].mean() for side in (0, 1))
        rows.append((int(steps[turn]), before, after, len(near) / resamples, int(steps[around[0]]), int(steps[around[1]])))
    return pl.DataFrame(rows, schema=TURNS, orient="row")


def _matrix(journey: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Moods, one row per person and one column per step; NaN where there is none."""
    if journey.is_empty():
        return np.empty((0, 0)), []
    people = journey["person_id"].unique().sort().to_list()
    at = journey["person_id"].replace_strict(dict(zip(people, range(len(people)), strict=True)), return_dtype=pl.Int64).to_numpy()
    matrix = np.full((len(people), journey["step"].max()), np.nan)
    matrix[at, journey["step"].to_numpy() - 1] = journey["mood"].fill_null(np.nan).to_numpy()
    return matrix, people


def _long_enough(people: np.ndarray) -> int:
    """How many steps from the first on have enough people."""
    few = np.flatnonzero(people < FEWEST_PEOPLE)
    return int(few[0]) if len(few) else len(people)


def _resampled(matrix: np.ndarray, resamples: int) -> np.ndarray:
    """Means by step of people drawn anew; a step that nobody drawn has keeps its mean."""
    drawn = np.random.default_rng(SEED).multinomial(len(matrix), np.full(len(matrix), 1 / len(matrix)), resamples)
    there, sums = drawn @ np.isfinite(matrix).astype(float), drawn @ np.nan_to_num(matrix)
    return np.where(there > 0, sums / np.maximum(there, 1), np.nanmean(matrix, axis=0))


def _shaken(line: np.ndarray, turns: list[int], resamples: int) -> np.ndarray:
    level = np.concatenate([np.full(end - start, line[start:end].mean()) for start, end in zip([0, *turns], [*turns, len(line)], strict=True)])
    return level + np.random.default_rng(SEED).choice(line - level, (resamples, len(line)))


def _of_group(matrix: np.ndarray) -> float:
    """Variance of a step's mean, averaged over steps."""
    people = np.isfinite(matrix).sum(0)
    return float(np.mean(np.maximum(np.nanvar(matrix, axis=0, ddof=1), LEAST_VARIANCE) / people))


def _of_one(line: np.ndarray) -> float:
    """Variance of one person's steps from the differences of neighbours, which a few turns hardly touch: von Neumann (1941), doi:10.1214/aoms/1177731677."""
    return float(np.mean(np.diff(line) ** 2) / 2)


@cache
def chance_gain(length: int) -> float:
    """What the best single turn gains in squared deviations, in units of the variance, in 95 % of chance series of `length` steps."""
    noise = np.random.default_rng(SEED).standard_normal((4_000, length))
    whole = noise.sum(1)
    places = np.arange(SHORTEST, length - SHORTEST + 1)
    left = noise.cumsum(1)[:, places - 1]
    gains = left**2 / places + (whole[:, None] - left) ** 2 / (length - places) - (whole**2 / length)[:, None]
    return float(np.quantile(gains.max(1), CHANCE))


def _turns(line: np.ndarray, penalty: float) -> list[int]:
    """Positions at which a new stretch begins."""
    import ruptures

    return [int(end) for end in ruptures.Pelt(model="l2", min_size=SHORTEST, jump=1).fit(line.reshape(-1, 1)).predict(pen=penalty)][:-1]
