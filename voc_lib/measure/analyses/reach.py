"""Whom to ask next of a channel's base: an outreach plan from the store, and what a probe by lot would take."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.weighting.correct import Correction
from voc_lib.measure.weighting.frame import everyone_in
from voc_lib.measure.weighting.margins import PERSON, WeightingError
from voc_lib.measure.weighting.outreach import OutreachPlan, outreach_plan
from voc_lib.measure.weighting.probe import probe_size
from voc_lib.measure.weighting.propensity import propensity_of_cells
from voc_lib.store import Store

YEAR = 365
NOBODY = OutreachPlan(pl.DataFrame(schema={"customers": pl.Int64, "n": pl.Int64, "held_out": pl.Int64, "invite": pl.Int64, "expected": pl.Float64}), pl.DataFrame(schema={PERSON: pl.String, "trigger": pl.String, "day": pl.Date}))


def reach(store: Store, one: Correction, budget: int = 200) -> OutreachPlan:
    """Whom of the base to invite after the period of a weighting, at most `budget`, so that it would stand best for all; see `outreach_plan`. Empty where there is no weighting.

    Who answered or was asked before (any feedback in a solicited channel within a year) counts for the fatigue cap; how likely somebody answers is read off those who did, by kind.
    """
    if one.refused is not None:
        return NOBODY
    columns = list(one.columns)
    customers = everyone_in(store, one.base).select(PERSON, *columns).join(one.people.select(PERSON, pl.lit(True).alias("spoke")), on=PERSON, how="left").with_columns(pl.col("spoke").fill_null(False))
    likely = one.cells.select(*columns).with_columns(propensity_of_cells(one.cells, columns))
    asking = [name for name, contract in channels_of(store).items() if contract.solicited]
    today = one.base.end + timedelta(days=1)
    since = today - timedelta(days=YEAR)
    rows = store.sql(f"SELECT customer_id, local_date AS asked_on FROM feedback WHERE customer_id IS NOT NULL AND local_date >= DATE '{since}' AND channel IN ({', '.join(repr(name) for name in asking)})")
    met = store.sql(f"SELECT customer_id, kind, occurred_on FROM touchpoints WHERE occurred_on < DATE '{today}'")
    try:
        return outreach_plan(customers.join(likely, on=columns, how="left"), rows, met, columns, today=today, budget=budget)
    except WeightingError:  # nobody is left who may be asked
        return NOBODY


def probe(one: Correction, margin: float, contact_rate: float = 0.6, response_rate: float = 0.4) -> pl.DataFrame:
    """How many of the base a lot would have to draw so that the interval of this question reaches `margin` to either side; see `probe_size`. No row where there is no weighting; only a `note` where the base
    is too small for it.
    """
    if one.refused is not None:
        return pl.DataFrame()
    try:
        return probe_size(margin, float(one.people["y"].std()), contact_rate=contact_rate, response_rate=response_rate, population=one.figures["customers"])
    except WeightingError as error:
        return pl.DataFrame({"note": [str(error)]})
