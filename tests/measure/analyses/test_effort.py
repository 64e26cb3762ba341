"""Waiting, being passed on, calling again: by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from voc_lib.measure.analyses.effort import PASSED_ON, REPEATED, WAIT, calls, case_effort, effort
from voc_lib.measure.analyses.journeys import case_steps

UNTIL = date(2026, 4, 1)    # day 90
LINES = ("a 0 hotline 充电-速度-慢", "a 10 hotline 充电-速度-慢", "a 50 hotline 充电-速度-慢", "b 5 hotline 空调-出风-异味", "b 6 forum 空调-出风-异味", "c 80 hotline 空调-出风-异味", "d 3 hotline -")


@pytest.fixture
def called(said, levels):
    feedback = said(*LINES).with_columns(pl.Series("wait_seconds", [60.0, 180, None, 600, None, 30, 0]), pl.Series("transfers", [0.0, 2, None, 0, None, 0, 1]), pl.col("person_id").alias("person"),
                                         pl.col("feedback_id").alias("thread"), pl.lit(None, pl.String).alias("author_key"), pl.lit(None, pl.String).alias("customer_id"), pl.lit("S5").alias("product"))
    steps = case_steps(feedback, levels)
    return calls(feedback, steps, ["hotline"], UNTIL), steps


def test_a_call_again_is_of_the_same_matter_within_thirty_days(called):
    again = dict(called[0].select("feedback_id", "again").iter_rows())
    # f0 is followed on day 10; f1 only on day 50; f2 by nothing for 40 days; f3 by a post, no call; f5 has been looked at for ten days; f6 is in no case
    assert again == {"f0": True, "f1": False, "f2": False, "f3": False, "f5": None, "f6": None}


def test_every_case_with_what_it_cost(called):
    first = case_effort(*called).row(0, named=True)
    assert (first["person_id"], first["calls"], first["minutes"], first["transfers"], first["again"]) == ("a", 3, 4.0, 2, 1)
    assert case_effort(*called)["calls"].to_list() == [3, 1, 1] and case_effort(called[0].clear(), called[1]).is_empty()


def test_one_person_is_one_unit(called):
    found = {row["metric"]: row for row in effort(called[0]).iter_rows(named=True)}
    # a waited 2 minutes on average, b 10, c half, d 0; a and d were passed on; of a and b (those known) a called again
    assert found[WAIT.label]["estimate"] == pytest.approx((2 + 10 + 0.5 + 0) / 4) and found[PASSED_ON.label]["estimate"] == 0.5 and found[REPEATED.label]["estimate"] == 0.5
    assert (found[WAIT.label]["people"], found[REPEATED.label]["people"]) == (4, 2)
    assert effort(called[0], "product")["estimate"].is_null().all()    # four people: not shown
