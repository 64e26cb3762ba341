"""One customer: what is owed, who is taken where nobody is named, coarse bands, and a page's worth of it from a store."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from voc_lib.measure.analyses.customer import OWED, CustomerError, band, customer, owed, pick_person
from voc_lib.measure.analyses.journeys import case_steps, cases

UNTIL = date(2026, 2, 1)    # day 31
LINES = ("a 20 forum 充电-速度-慢", "b 10 hotline 充电-速度-慢", "c 5 hotline 充电-速度-慢", "d 8 workshop 充电-速度-慢", "e 30 forum 充电-速度-慢", "f 9 forum 充电-速度-慢", "g 9 forum 充电-速度-慢")
MOODS = [-1.0, -1.0, -1.0, -1.0, -1.0, 1.0, None]


@pytest.fixture
def heard(said, levels):
    feedback = said(*LINES).with_columns(pl.Series("mood", MOODS), pl.Series("reply", ["", None, "已处理", None, None, None, None]))
    steps = case_steps(feedback, levels)
    events = pl.DataFrame({"customer_id": ["b", "a"], "occurred_on": [date(2026, 1, 5), date(2026, 1, 25)], "kind": ["进店", "OTA"]})
    return feedback, steps, cases(steps, UNTIL), events


def test_what_is_owed_by_hand(heard, levels):
    feedback, steps, told, events = heard
    waiting = owed(told, steps, feedback, events, levels, UNTIL)
    # c was answered, d stands on the highest level, f was pleased, of g no mood is known; b's visit was before he called, an update is no answer to a
    assert waiting.select("person_id", "waited", "overdue").rows() == [("b", 21, 14), ("a", 11, 4), ("e", 1, 0)] and waiting.schema == OWED
    came = pl.concat([events, pl.DataFrame({"customer_id": ["b"], "occurred_on": [date(2026, 1, 20)], "kind": ["进店"]})])
    assert owed(told, steps, feedback, came, levels, UNTIL)["person_id"].to_list() == ["a", "e"]
    assert "g" in owed(told, steps, feedback.drop("mood"), events, levels, UNTIL)["person_id"]    # without any mood all of them count


def test_an_old_matter_is_owed_no_more(heard, levels):
    feedback, steps, _, events = heard
    assert owed(cases(steps, date(2026, 12, 1)), steps, feedback, events, levels, date(2026, 12, 1)).is_empty()


def test_who_is_taken(heard, levels):
    feedback, steps, told, events = heard
    waiting = owed(told, steps, feedback, events, levels, UNTIL)
    assert pick_person(waiting, told) == "b" and pick_person(waiting.clear(), told.sort("case_id", descending=True)) == "a"    # nothing owed: all cases alike, the smallest id
    named = told.with_columns(pl.format("{}2345678", "person_id").alias("person_id"))
    assert pick_person(waiting, named, "a2345678") == "a2345678"
    for asked, words in (("a2", "至少 8 位"), ("zzzzzzzz", "不是这段时间里认得出的人")):
        with pytest.raises(CustomerError, match=words):
            pick_person(waiting, named, asked)
    with pytest.raises(CustomerError, match="不止对应一个人"):
        pick_person(waiting, told.with_columns(pl.format("12345678{}", "person_id").alias("person_id")), "12345678")
    with pytest.raises(CustomerError, match="没有一个认得出是谁"):
        pick_person(waiting.clear(), told.clear())


@pytest.mark.parametrize(("value", "expected"), [(29, (None, 30)), (30, (None, 30)), (30.5, (30, 40)), (41, (40, None))])
def test_bands_are_coarse_and_hold_their_upper_bound(value, expected):
    assert band(value, [30, 40]) == expected


def test_everything_of_one_person_from_a_store(told, levels):
    from voc_lib.store import open_store
    from voc_lib.store_write import write_store

    told({"channel": "forum", "local_date": UNTIL - timedelta(days=20), "verbatim": "充电慢", "code": "充电-速度-慢"}, {"channel": "hotline", "local_date": UNTIL - timedelta(days=10), "verbatim": "还是慢", "code": "充电-速度-慢"},
         {"channel": "forum", "local_date": UNTIL, "verbatim": "别人的话", "code": "充电-速度-慢"})
    with write_store("told", "test", "auto") as writer:
        writer.append("links", pl.DataFrame([{"feedback_id": f"{at:032x}", "iso_week": "2026-W46", "person_id": who, "customer_id": who, "reason": reason, "confidence": 1.0, "linked_at": pl.Series([UNTIL]).cast(pl.Datetime("us", "UTC"))[0]}
                                             for at, who, reason in ((1, "k" * 32, "author:car_forum<+phone"), (2, "k" * 32, "phone"), (3, "m" * 32, "vin"))]))
        writer.append("touchpoints", pl.DataFrame([{"touchpoint_id": f"t{kind}", "customer_id": "k" * 32, "occurred_on": UNTIL - timedelta(days=15), "kind": kind, "dealer": "某店", "note": None} for kind in ("进店", "应用活跃")],
                                                  schema_overrides={"note": pl.String}))
        writer.append("customers", pl.DataFrame([{"customer_id": "k" * 32, "valid_from": date(2026, 1, 1), "product": "S5", "age": 33.0, "purchased_at": date(2024, 6, 1)}]))
    lake = open_store("told")
    from voc_lib.measure.feedback import feedback

    frame = feedback(lake)
    one = customer(lake, frame, case_steps(frame, levels), levels, "k" * 8, UNTIL)
    assert (one.person_id, one.known, one.cases.height, one.cases["posts"].to_list()) == ("k" * 32, True, 1, [2])
    assert one.timeline.select("kind", "what", "case", "reason").rows() == [("说", "充电慢", 1, "author:car_forum<+phone"), ("进店", "某店", None, None), ("说", "还是慢", 1, "phone")]
    assert one.facts["product"] == "S5" and one.facts["age"] == (30, 40) and one.facts["tenure"] == (1, 3) and "spend" not in one.facts
    stranger = customer(lake, frame, case_steps(frame, levels), levels, "m" * 8, UNTIL)
    assert (stranger.known, stranger.facts, stranger.timeline.height) == (False, {}, 1)
