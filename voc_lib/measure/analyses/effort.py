"""What it costs a customer to be heard: minutes waited, times passed on, calls made again for the same matter."""

from __future__ import annotations

from datetime import date

import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.estimate import estimate
from voc_lib.store import Store

BASE = "calls"
AGAIN = 30  # days within which a further call of the same case counts as made again
CALLS = "来电（合同里以来电为基数的渠道）"
WAIT = Metric(label="等待分钟", unit="points", definition="每人来电等待的分钟，一人多次取平均", base_definition=CALLS, floor=0.5,
              value=pl.col("wait_seconds") / 60, base=pl.col("wait_seconds").is_not_null(), higher_is_better=False)
PASSED_ON = Metric(label="被转接的人", unit="share", definition="来电的人里，至少被转接过一次的", base_definition=CALLS, per_person="any",
                   value=(pl.col("transfers") > 0).cast(pl.Float64), base=pl.col("transfers").is_not_null(), higher_is_better=False)
REPEATED = Metric(label="同一件事再来电的人", unit="share", definition=f"来电的人里，{AGAIN} 天内为同一件事再来过电的", base_definition=f"{CALLS}里，认得出是谁、什么事，且之后满 {AGAIN} 天的",
                  per_person="any", value=pl.col("again").cast(pl.Float64), base=pl.col("again").is_not_null(), higher_is_better=False)
METRICS = (WAIT, PASSED_ON, REPEATED)
CASE = {"case_id": pl.String, "person_id": pl.String, "code": pl.String, "calls": pl.Int64, "minutes": pl.Float64, "transfers": pl.Int64, "again": pl.Int64}


def call_channels(store: Store) -> list[str]:
    """The channels whose contract counts calls (base: calls)."""
    return [name for name, channel in channels_of(store).items() if channel.base == BASE]


def calls(feedback: pl.DataFrame, steps: pl.DataFrame, channels: list[str], until: date | None = None, days: int = AGAIN) -> pl.DataFrame:
    """The calls of a feedback frame (what came over `channels`) with `case_id` and `again`: whether another call of the same case followed within `days` days.

    `again` is null where the call is in no case, or where
    fewer than `days` days have been looked at since and none has come yet.
    """
    told = feedback.filter(pl.col("channel").is_in(channels))
    until = until or feedback["local_date"].max()
    rows = told.join(steps.select("feedback_id", "case_id", "step"), on="feedback_id", how="left", maintain_order="left").sort("case_id", "step", "feedback_id", nulls_last=True)
    gap = (pl.col("local_date").shift(-1).over("case_id") - pl.col("local_date")).dt.total_days()
    followed = gap <= days
    seen = (pl.lit(until) - pl.col("local_date")).dt.total_days() >= days
    again = pl.when(pl.col("case_id").is_null()).then(None).when(followed.fill_null(False)).then(True).when(seen).then(False)
    return rows.with_columns(again.alias("again")).drop("step")


def effort(calls: pl.DataFrame, by: str | None = None) -> pl.DataFrame:
    """Minutes waited, people passed on, people who had to call again: an estimate frame of three metrics, by dealer, product or any column.

    Columns as `estimate`; `metric` is the label. One person is one unit, intervals are t (minutes) and Wilson (shares); groups under 10 people are null.
    """
    return pl.concat([estimate(calls, metric, by=by) for metric in METRICS], how="vertical_relaxed")


def case_effort(calls: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """What every case with a call cost its person: calls, minutes waited, times passed on, again (calls after the first within 30 days of the one before). The most calls first."""
    named = steps.select("case_id", "person_id", "code").unique("case_id")
    told = calls.filter(pl.col("case_id").is_not_null()).group_by("case_id").agg(
        pl.len().cast(pl.Int64).alias("calls"), (pl.col("wait_seconds").sum() / 60).alias("minutes"), pl.col("transfers").sum().cast(pl.Int64), pl.col("again").sum().cast(pl.Int64))
    return told.join(named, on="case_id", how="left").select(pl.col(name).cast(kind) for name, kind in CASE.items()).sort("calls", "minutes", "case_id", descending=[True, True, False])
