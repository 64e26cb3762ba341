"""Who is likely to go up a level within 30 days, or to leave within 90: a list that says how often its likes did, why, and whether that is better than no list.

Open cases are looked at every fortnight as they stood that day: what is known then, and whether it happened afterwards. The older days teach a logistic
regression, the newer ones test it (parted on the day by which three fifths of what happened had happened; days whose future reaches over it are in neither part). Nobody gets a bare score: the list shows how many of the tested
cases with a score like that went on, with an interval. Where the Brier score is not surely better than saying the average of all, the list says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from voc_lib.engine import quote
from voc_lib.measure.analyses.risk_features import FEATURES, WORDS, landmarks
from voc_lib.measure.levels import Levels
from voc_lib.stats.intervals import wilson
from voc_lib.store import Store

LEFT = ("流失", "销户")  # kinds of touchpoints
HORIZON = {"climb": 30, "churn": 90}  # days ahead
TAUGHT = 0.6  # of what happened, the older part
FEWEST_EVENTS = 20  # in the part that teaches, and half as many in the part that tests: below it a model learns chance
BINS = 5
FARTHEST = 3.0  # standard deviations: one person with seventy matters must not be the surest of all
RESAMPLES = 500
REASONS = 3  # named for each
SEED = 20_261
CALIBRATION = {"bin": pl.Int64, "score_low": pl.Float64, "score_high": pl.Float64, "n": pl.Int64, "people": pl.Int64, "happened": pl.Int64, "expected": pl.Float64, "share": pl.Float64,
               "conf_low": pl.Float64, "conf_high": pl.Float64}
LISTED = {"case_id": pl.String, "person_id": pl.String, "code": pl.String, "channel": pl.String, "level": pl.Int64, "posts": pl.Int64, "last_at": pl.Date, "bin": pl.Int64,
          "happened": pl.Int64, "n": pl.Int64, "share": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "reasons": pl.List(pl.String)}


@dataclass(frozen=True)
class Risk:
    """The list, how its scores held on newer days, and the verdict: `better` (the interval of the skill is above 0), `no_better` or `too_few`."""

    outcome: str
    verdict: str
    listed: pl.DataFrame
    calibration: pl.DataFrame
    figures: dict


def risk_list(store: Store, steps: pl.DataFrame, feedback: pl.DataFrame, levels: Levels, outcome: str = "climb", until: date | None = None) -> Risk:
    """`risk` with what the store's registers say of its customers: since when they are, and when they left."""
    left = store.sql(f"SELECT customer_id AS person_id, occurred_on AS left_at FROM touchpoints WHERE kind IN ({', '.join(map(quote, LEFT))})")
    return risk(steps, feedback, levels, outcome, store.read("customers", columns=["customer_id", "purchased_at"]).collect(), left, until)


def risk(steps: pl.DataFrame, feedback: pl.DataFrame, levels: Levels, outcome: str = "climb", customers: pl.DataFrame | None = None, left: pl.DataFrame | None = None,
         until: date | None = None) -> Risk:
    """Open cases of today by how likely they go on, most likely first.

    `steps` as `case_steps`, `feedback` with `mood` where known (`moods`), `customers` the frame (tenure), `left` person_id and the day he left (churn). Calibration: five groups of
    equal size by score on the days tested: happened of n, Wilson interval on the people. `figures`: trained, tested, events, base_share, brier, brier_base,
    skill (1 - brier / brier_base) with skill_low and skill_high (bootstrap over people), auc, until, cut.
    """
    horizon = HORIZON[outcome]
    until = until or steps["at"].max()
    days = landmarks(steps, feedback, levels, until, horizon, outcome, customers, left)
    known = days.filter(pl.col("happened").is_not_null())
    when = known.filter("happened")["day"].sort()
    cut = when[int(when.len() * TAUGHT)] if when.len() else until
    older = known.filter(pl.col("day") + timedelta(days=horizon) < cut)
    newer = known.filter(pl.col("day") >= cut)
    figures = {"trained": older.height, "tested": newer.height, "events": int(newer["happened"].sum()), "taught": int(older["happened"].sum()), "until": until, "cut": cut, "horizon": horizon}
    if figures["taught"] < FEWEST_EVENTS or figures["events"] < FEWEST_EVENTS // 2:
        return Risk(outcome, "too_few", pl.DataFrame(schema=LISTED), pl.DataFrame(schema=CALIBRATION), figures)
    model = _fitted(older)
    tested = newer.with_columns(pl.Series("score", _scores(model, newer)))
    figures |= _checked(tested, float(older["happened"].mean()))
    calibration, edges = _calibration(tested)
    now = days.filter(pl.col("day") == pl.lit(until))
    listed = _listed(now, model, calibration, edges)
    return Risk(outcome, "better" if figures["skill_low"] > 0 else "no_better", listed, calibration, figures)


def _fitted(rows: pl.DataFrame) -> dict:
    from sklearn.linear_model import LogisticRegression

    given = rows.select(FEATURES).to_numpy()
    centre, spread = given.mean(0), given.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1.0, max_iter=1_000).fit(((given - centre) / spread).clip(-FARTHEST, FARTHEST), rows["happened"].to_numpy())
    return {"centre": centre, "spread": spread, "weights": model.coef_[0], "start": float(model.intercept_[0])}


def _parts(model: dict, rows: pl.DataFrame) -> np.ndarray:
    """What each feature adds to the log odds, against the average case."""
    return ((rows.select(FEATURES).to_numpy() - model["centre"]) / model["spread"]).clip(-FARTHEST, FARTHEST) * model["weights"]


def _scores(model: dict, rows: pl.DataFrame) -> np.ndarray:
    return 1 / (1 + np.exp(-(model["start"] + _parts(model, rows).sum(1)))) if rows.height else np.empty(0)


def _checked(tested: pl.DataFrame, base: float) -> dict:
    """Brier score against that of the share known before, and the area under the curve; intervals by drawing people anew."""
    from sklearn.metrics import roc_auc_score

    happened, score = tested["happened"].to_numpy().astype(float), tested["score"].to_numpy()
    ours, theirs = (score - happened) ** 2, (base - happened) ** 2
    _, who = np.unique(tested["person_id"].to_numpy(), return_inverse=True)
    sums = [np.bincount(who, weights=values) for values in (ours, theirs)]
    drawn = np.random.default_rng(SEED).multinomial(len(sums[0]), np.full(len(sums[0]), 1 / len(sums[0])), RESAMPLES)
    skills = 1 - (drawn @ sums[0]) / (drawn @ sums[1])
    low, high = np.quantile(skills, [0.025, 0.975])
    return {"base_share": base, "brier": float(ours.mean()), "brier_base": float(theirs.mean()), "skill": float(1 - ours.mean() / theirs.mean()),
            "skill_low": float(low), "skill_high": float(high), "auc": float(roc_auc_score(happened, score))}


def _calibration(tested: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """The tested days in groups of equal size by score, and the scores between them."""
    score = tested["score"].to_numpy()
    edges = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[1:-1]))
    table = tested.with_columns(pl.Series("bin", np.searchsorted(edges, score, "right") + 1)).group_by("bin").agg(
        pl.col("score").min().alias("score_low"), pl.col("score").max().alias("score_high"), pl.len().cast(pl.Int64).alias("n"), pl.col("person_id").n_unique().alias("people"),
        pl.col("happened").sum().cast(pl.Int64), pl.col("score").mean().alias("expected"), pl.col("happened").mean().alias("share")).sort("bin")
    low, high = wilson(table["share"].to_numpy(), table["people"].to_numpy())
    return table.with_columns(pl.Series("conf_low", low), pl.Series("conf_high", high)).select(pl.col(name).cast(kind) for name, kind in CALIBRATION.items()), edges


def _listed(now: pl.DataFrame, model: dict, calibration: pl.DataFrame, edges: np.ndarray) -> pl.DataFrame:
    if now.is_empty():
        return pl.DataFrame(schema=LISTED)
    score, parts = _scores(model, now), _parts(model, now)
    reasons = [_reasons(row, part) for row, part in zip(now.iter_rows(named=True), parts, strict=True)]
    told = now.with_columns(pl.Series("score", score), pl.Series("bin", np.searchsorted(edges, score, "right") + 1, dtype=pl.Int64), pl.Series("reasons", reasons, dtype=pl.List(pl.String)))
    told = told.join(calibration.select("bin", "happened", "n", "share", "conf_low", "conf_high"), on="bin", how="left", suffix="_of_bin").sort("score", "case_id", descending=[True, False])
    return told.drop("happened").rename({"happened_of_bin": "happened"}).select(pl.col(name).cast(kind) for name, kind in LISTED.items())


def _reasons(row: dict, parts: np.ndarray) -> list[str]:
    """The features that raise this case most above the average, in words; none where nothing does."""
    order = np.argsort(-parts, kind="stable")[:REASONS]
    return [words for place in order if parts[place] > 0.1 and (words := WORDS[FEATURES[place]](row))]
