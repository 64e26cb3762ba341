"""Cases that go up a level, counted by hand."""

from __future__ import annotations

from datetime import date

import pytest

from voc_lib.measure.analyses.escalations import TO_NOWHERE, climbs, stays, time_to_next, transitions, waiting_curve
from voc_lib.measure.analyses.journeys import case_steps

UNTIL = date(2026, 6, 1)


def test_each_climb_is_counted_from_the_voice_that_came_to_the_old_level(said, levels, story):
    steps = case_steps(said(*story, "a 22 forum 充电-家桩-坏"), levels)
    found = climbs(steps).sort("at").select("from_channel", "to_channel", "days").rows()
    assert found == [("forum", "hotline", 7), ("hotline", "workshop", 13)]    # the second call and the later post are no climb


def test_a_step_may_leave_a_level_out_and_channels_without_one_do_not_count(said, levels):
    steps = case_steps(said("a 0 forum 充电-速度-慢", "a 1 survey 充电-速度-慢", "a 4 workshop 充电-速度-慢"), levels)
    assert climbs(steps).select("from_level", "to_level", "days").rows() == [(0, 2, 4)] and climbs(case_steps(said(), levels)).is_empty()


def test_who_has_not_gone_up_is_looked_at_for_as_long_as_he_was(said, levels):
    steps = case_steps(said("a 0 forum 充电-速度-慢", "a 7 hotline 充电-速度-慢", "b 100 forum 充电-速度-慢", "c 146 forum 充电-速度-慢"), levels)
    found = stays(steps, levels, UNTIL).sort("person_id", "level").select("person_id", "level", "days", "climbed").rows()
    # 1 June is day 151: b was looked at for the whole window, c for five days
    assert found == [("a", 0, 7, True), ("a", 1, 45, False), ("b", 0, 45, False), ("c", 0, 5, False)]


@pytest.fixture
def twelve(said, levels):
    """Twelve people: those numbered below four go on after 1, 2, 3, 4 days; the others do not."""
    lines = [line for at in range(12) for line in (f"p{at} 0 forum 充电-速度-慢", *([f"p{at} {at + 1} hotline 充电-速度-慢"] if at < 4 else []))]
    return case_steps(said(*lines), levels)


def test_shares_by_hand_and_the_few_are_withheld(twelve, levels):
    held = stays(twelve, levels, UNTIL)
    assert waiting_curve(held, 0)["waiting"].to_list() == pytest.approx([11 / 12, 10 / 12, 9 / 12, 8 / 12])
    public, called = time_to_next(held, levels).rows(named=True)
    assert (public["people"], public["cases"], public["climbed"], public["median"]) == (12, 12, None, None) and public["share"] == pytest.approx(4 / 12)
    assert public["share_low"] < 4 / 12 < public["share_high"] and called["people"] is None and called["share"] is None


def test_where_cases_went(twelve, said, levels):
    flows = transitions(twelve, levels)
    assert flows.select("from", "to", "people", "cases").rows() == [("forum", "hotline", None, None), ("forum", TO_NOWHERE, None, None), ("hotline", TO_NOWHERE, None, None)]
    many = case_steps(said(*(line for at in range(12) for line in (f"p{at} 0 forum 充电-速度-慢", f"p{at} 2 hotline 充电-速度-慢"))), levels)
    assert transitions(many, levels).select("from", "to", "people", "cases").rows() == [("forum", "hotline", 12, 12), ("hotline", TO_NOWHERE, 12, 12)]
    assert transitions(many, levels, "level").select("from", "to").rows() == [("公开说", "找公司"), ("找公司", TO_NOWHERE)]
    with pytest.raises(ValueError, match="channel（渠道）或 level（级）"):
        transitions(many, levels, "dealer")


def test_nothing_is_nothing(said, levels):
    steps = case_steps(said(), levels)
    assert stays(steps, levels, UNTIL).is_empty() and transitions(steps, levels).is_empty() and time_to_next(stays(steps, levels, UNTIL), levels)["people"].to_list() == [None, None]
