"""Can the correction be trusted, and what would overturn it? From the weighting of one question (`correction`) to its checks, tipping points and the change since the period before.

`goal` is what a figure is held against: an NPS of 0, last year's, a target.
"""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl

from voc_lib.measure import metrics
from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.analyses.silence import WEEKS, correction
from voc_lib.measure.feedback import feedback, monday, week_of
from voc_lib.measure.weighting.benchmarks import covariate_benchmarks, robustness_value
from voc_lib.measure.weighting.changes import change_sensitivity
from voc_lib.measure.weighting.channel_agreement import Agreement, channel_agreement, shared_covariance
from voc_lib.measure.weighting.checks import COLUMNS as TABLE
from voc_lib.measure.weighting.checks import Checked
from voc_lib.measure.weighting.correct import Correction, ranges, weeks_of
from voc_lib.measure.weighting.diagnostics import BALANCE, balance_of_cells
from voc_lib.measure.weighting.margins import COUNT, PERSON, WeightingError
from voc_lib.measure.weighting.sensitivity import FIGURES as RANGES
from voc_lib.measure.weighting.sensitivity import silent_mean, tipping_odds
from voc_lib.measure.weighting.smub import smub
from voc_lib.measure.weighting.unsolicited import odds_from_posts
from voc_lib.store import Store


def check_silence(one: Correction) -> Checked:
    """Whether the weighted speakers behave as all customers do in what was held out of the weighting; see `check_correction`. Undecided where there is no weighting."""
    return one.checked or Checked("undecided", pl.DataFrame(schema=TABLE))


def balance_now(one: Correction) -> pl.DataFrame:
    """Standardised differences of those who answered, before and after weighting, single columns and pairs; no rows where there is no weighting."""
    return balance_of_cells(one.cells, list(one.columns)) if one.refused is None else pl.DataFrame(schema=BALANCE)


def silent_ranges(one: Correction) -> pl.DataFrame:
    """The range of the figure at odds of 1.1, 1.25, 1.5 and 2; see `sensitivity`. No rows where there is no weighting, here and below."""
    return ranges(one) if one.refused is None else pl.DataFrame(schema=RANGES)


def tipping(one: Correction, goal: float) -> pl.DataFrame:
    """The odds by which the discontent would have to speak more or less than their like for the figure to be `goal`; see `tipping_odds`."""
    return tipping_odds(one.people, "around", goal) if one.refused is None else pl.DataFrame()


def silent_need(one: Correction, goal: float) -> pl.DataFrame:
    """The mean that the silent would need for all customers to be at `goal`; see `silent_mean`."""
    return silent_mean(one.people, "y", goal, one.figures["customers"], scale=one.metric.scale, estimate=one.total()["estimate"].item()) if one.refused is None else pl.DataFrame()


def silent_change(store: Store, one: Correction, weeks: int = WEEKS) -> pl.DataFrame:
    """The change since as many weeks before, if who speaks is selected in both alike; see `change_sensitivity`. No rows where either period has no weighting."""
    if one.refused is not None:
        return pl.DataFrame()
    past = week_of(one.base.start - timedelta(days=1))
    before = correction(one.metric, one.channel, store, past, weeks)
    return change_sensitivity(before.people, one.people, "y") if before.refused is None else pl.DataFrame()


def benchmarks(one: Correction, goal: float) -> pl.DataFrame:
    """What overlooking a column as strong as one of those weighed by would do; see `covariate_benchmarks`. No rows for a single column, or where the others cannot be met without it."""
    if one.refused is not None or len(one.columns) < 2 or one.people["weight"].n_unique() < 2 or one.people["y"].n_unique() < 2:
        return pl.DataFrame()
    try:
        return covariate_benchmarks(one.people.drop("calibration"), "y", one.cells.select(*one.columns, COUNT), goal, on_silent="extrapolate")
    except WeightingError:  # without one of the columns the others cannot be met
        return pl.DataFrame()


def robustness(one: Correction, goal: float) -> pl.DataFrame:
    """How strong something overlooked would have to be for the figure to be `goal`; see `robustness_value`."""
    return robustness_value(one.people, "y", goal) if one.refused is None else pl.DataFrame()


def second_opinion(one: Correction) -> pl.DataFrame:
    """SMUB of the question, figures null where the columns say too little about the answer; see `smub`."""
    return smub(one.people, "y") if one.refused is None else pl.DataFrame()


def posted_odds(store: Store, one: Correction) -> pl.DataFrame:
    """How much more the discontent of this question post unasked, where answers link to posts; see `odds_from_posts`. No rows for a metric without a score of discontent."""
    if one.refused is not None or one.metric.low is None:
        return pl.DataFrame()
    asking = [name for name, contract in channels_of(store).items() if contract.solicited]
    posts = feedback(store, weeks_of(one.base.start, one.base.end)).filter(~pl.col("channel").is_in(asking) & pl.col(PERSON).is_not_null())
    return odds_from_posts(one.people.select(PERSON, "y", *one.columns), posts.select(PERSON).unique(), "y", one.metric.low, one.columns[:1])


def channels_agree(store: Store, answers: pl.DataFrame, metric: str) -> Agreement:
    """Whether channels that ask the same of the same base still disagree after weighting, from `answer`; see `channel_agreement`. The base with most such channels counts."""
    rows = answers.filter((pl.col("metric") == metric) & (pl.col("kind") == "weighted") & pl.col("estimate").is_not_null())
    most = rows.group_by("base").len().sort("len", "base", descending=[True, False])["base"].to_list()[:1]
    rows = rows.filter(pl.col("base").is_in(most))
    people = {name: correction(metric, name, store, *_asked(told)).people for name, told in rows.select("channel", "provenance").iter_rows()} if rows.height > 1 else {}
    return channel_agreement(rows.select("channel", "estimate", "std_error", "n"), shared_covariance(people, "y") if people else None, floor=metrics.metric(metric).floor)


def _asked(provenance: str) -> tuple[str, int]:
    """The last week and how many, of an answer."""
    first, last = json.loads(provenance)["filter"]["weeks"]
    return last, (monday(last) - monday(first)).days // 7 + 1
