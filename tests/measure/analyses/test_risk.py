"""The list of who may go on: only what was known then, tested on newer days, said when it is no better than none."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.analyses.journeys import case_steps
from voc_lib.measure.analyses.risk import FARTHEST, risk
from voc_lib.measure.analyses.risk_features import FEATURES, WORDS, landmarks

UNTIL = date(2026, 4, 1)    # day 90


def made(said, levels, seed: int = 2):
    """Two years of public posts; the third that posted twice goes to the hotline two to four weeks later."""
    rng, lines = np.random.default_rng(seed), []
    for at in range(1_200):
        day, twice = int(rng.integers(0, 700)), rng.random() < 1 / 3
        lines += [f"p{at} {day} forum 充电-速度-慢"] + ([f"p{at} {day} forum 充电-速度-慢"] if twice else [])
        if twice:
            lines.append(f"p{at} {day + int(rng.integers(15, 28))} hotline 充电-速度-慢")
    feedback = said(*lines)
    return case_steps(feedback, levels), feedback


def test_a_day_knows_nothing_of_later_days(said, levels):
    steps, feedback = made(said, levels)
    then = date(2026, 1, 1) + timedelta(days=400)
    until = then + timedelta(days=28)
    known = case_steps(feedback.filter(pl.col("local_date") <= then), levels)
    full = landmarks(steps, feedback, levels, until, 30, "climb").filter(pl.col("day") == then)
    past = landmarks(known, feedback, levels, then, 30, "climb").filter(pl.col("day") == then)
    assert full.height > 20 and full.select("case_id", *FEATURES).equals(past.select("case_id", *FEATURES))


def test_what_is_known_of_one_case_on_a_day(said, levels):
    feedback = said("a 0 forum 空调-出风-异味", "a 70 forum 充电-速度-慢", "a 80 hotline 充电-速度-慢", "b 85 workshop 充电-速度-慢").with_columns(
        pl.Series("mood", [None, -1.0, 0.0, -1.0]), pl.Series("wait_seconds", [None, None, 300.0, None]), pl.Series("transfers", [None, None, 2.0, None]))
    customers = pl.DataFrame({"customer_id": ["a"], "purchased_at": [date(2024, 4, 1)]})
    rows = landmarks(case_steps(feedback, levels), feedback, levels, UNTIL, 30, "climb", customers)
    row = rows.filter(pl.col("day") == UNTIL).row(0, named=True)    # b stands on the highest level: nothing above it
    assert rows.filter(pl.col("day") == UNTIL).height == 1
    assert {name: row[name] for name in ("posts", "channels", "level", "displeased", "days_since", "minutes", "passed_on", "earlier", "happened")} == {
        "posts": 2, "channels": 2, "level": 1, "displeased": 1.0, "days_since": 10, "minutes": 5.0, "passed_on": 2.0, "earlier": 1, "happened": None}
    assert row["tenure"] == pytest.approx(2.0, abs=0.01) and WORDS["days_since"](row) == "10 天前刚说过" and WORDS["passed_on"](row) == "被转接 2 次"
    before = rows.filter((pl.col("day") == UNTIL - timedelta(days=14)) & (pl.col("person_id") == "a")).row(0, named=True)
    assert (before["level"], before["posts"], before["public"], before["happened"]) == (0, 1, 1.0, True)    # on day 76; on day 80 it went up


def test_who_left_is_not_looked_at_and_who_leaves_in_time_happened(said, levels):
    feedback = said("a 80 forum 充电-速度-慢", "b 80 forum 充电-速度-慢", "c 0 forum 充电-速度-慢", "c 1 forum 空调-出风-异味")
    left = pl.DataFrame({"person_id": ["a", "c"], "left_at": [date(2026, 3, 30), date(2026, 1, 20)]})
    rows = landmarks(case_steps(feedback, levels), feedback, levels, UNTIL, 30, "churn", left=left)
    assert rows.filter(pl.col("day") == UNTIL)["person_id"].to_list() == ["b"]
    c = rows.filter(pl.col("person_id") == "c")
    assert c["day"].to_list() == [date(2026, 1, 7)] and c["happened"].all()    # one row a person and day


def test_where_something_tells_the_list_is_better_and_the_bins_say_how_often(said, levels):
    found = risk(*made(said, levels), levels)
    assert found.verdict == "better" and found.figures["skill_low"] > 0.1 and found.figures["auc"] > 0.8
    assert found.calibration["n"].sum() == found.figures["tested"] and found.calibration["happened"].sum() == found.figures["events"]
    assert found.calibration["share"][-1] > 0.5 > found.calibration["share"][0] and (found.calibration["conf_low"] <= found.calibration["share"]).all()
    first = found.listed.row(0, named=True)
    assert (first["happened"], first["n"]) == found.calibration.filter(pl.col("bin") == first["bin"]).select("happened", "n").row(0) and found.listed["bin"].is_sorted(descending=True)
    assert any(reason.startswith("已说过") for reason in first["reasons"])
    assert "score" not in found.listed.columns    # never a bare score


def test_where_nothing_tells_it_says_so(said, levels):
    steps, feedback = made(said, levels)
    for seed in range(3):
        days = np.random.default_rng(seed).integers(0, 2_000, 1_200)    # everybody leaves on a day by lot, whatever he said
        left = pl.DataFrame({"person_id": [f"p{at}" for at in range(1_200)], "left_at": [date(2026, 1, 1) + timedelta(days=int(day)) for day in days]})
        found = risk(steps, feedback, levels, "churn", left=left)
        assert found.verdict == "no_better" and found.figures["skill_low"] <= 0 and abs(found.figures["auc"] - 0.5) < 0.15


def test_too_few_are_no_model(said, levels, story):
    found = risk(case_steps(said(*story), levels), said(*story), levels)
    assert found.verdict == "too_few" and found.listed.is_empty() and found.calibration.is_empty() and FARTHEST > 0
    assert risk(case_steps(said(), levels), said(), levels, until=UNTIL).verdict == "too_few"


def test_the_order_of_rows_changes_nothing(said, levels):
    steps, feedback = made(said, levels)
    shuffled = risk(steps.sample(fraction=1, shuffle=True, seed=2), feedback.reverse(), levels)
    assert shuffled.figures == risk(steps, feedback, levels).figures and shuffled.listed.equals(risk(steps, feedback, levels).listed)
