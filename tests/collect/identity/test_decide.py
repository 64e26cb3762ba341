"""From texts to people and back: who stands for a person, what is no key, and that the order of rows tells nothing."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.collect.identity.decide import decide

KEYS = {"record": pl.String, "iso_week": pl.String, "day": pl.Date, "key_type": pl.String, "key_hash": pl.String}
CLAIMS = {"customer_id": pl.String, "key_type": pl.String, "key_hash": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}


def named(letter: str, ending: str = "") -> str:
    """An id of 32 digits that begins with a letter's and ends as told."""
    return letter * (32 - len(ending)) + ending


def said(*rows: tuple[str, str, str], week: str | None = "2026-W40") -> pl.DataFrame:
    """(record, key_type, key_hash) a row."""
    return pl.DataFrame([(record, week, None, kind, key) for record, kind, key in rows], schema=KEYS, orient="row")


def stated(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """(customer, key_type, key_hash) a row."""
    return pl.DataFrame([(*row, None, None) for row in rows], schema=CLAIMS, orient="row")


def test_a_customer_a_stranger_and_an_entry_come_back_under_their_names():
    keys = pl.concat([said((named("1"), "phone", named("a")), (named("2"), "phone", named("b")), (named("3"), "author:forum", named("c"))),
                      said((named("9"), "author:forum", named("c")), (named("9"), "phone", named("a")), week=None)])    # an entry binds the account to the phone
    found, doubts = decide(keys, stated((named("d"), "phone", named("a"))))
    assert found.rows() == [(named("1"), "2026-W40", named("d"), named("d"), "phone", 1.0), (named("2"), "2026-W40", "p" + named("b"), None, "phone", 1.0),
                            (named("3"), "2026-W40", named("d"), named("d"), "author:forum<", 1.0)]
    assert doubts.is_empty()


def test_of_a_strangers_keys_the_first_of_all_32_letters_stands_for_him():
    keys = said((named("1"), "phone", named("a", "2")), (named("1"), "vin", named("a", "1")), (named("2"), "phone", named("a", "2")), (named("2"), "vin", named("a", "3")))
    answers = [decide(keys.sample(fraction=1, shuffle=True, seed=seed), stated())[0] for seed in range(5)]
    assert all(answer.equals(answers[0]) for answer in answers) and set(answers[0]["person_id"]) == {"p" + named("a", "1")}


def test_what_is_no_hash_or_stands_under_two_types_links_nobody_and_is_listed_once():
    keys = said((named("1"), "phone", "13800138000"), (named("2"), "phone", None), (named("3"), "phone", named("A")), (named("4"), "phone", named("b")), (named("5"), "vin", named("b")),
                (named("6"), "phone", named("c")))
    found, doubts = decide(keys, stated((named("d"), "phone", named("b")), (named("e"), "phone", "13800138000")))
    assert found["feedback_id"].to_list() == [named("6")]
    assert doubts.select("key_hash", "why").rows() == [("-", "malformed"), ("13800138000", "malformed"), (named("A"), "malformed"), (named("b"), "malformed")]


def test_feedback_whose_keys_disagree_is_listed_by_its_own_name():
    found, doubts = decide(said((named("1"), "phone", named("a")), (named("1"), "vin", named("b"))), stated((named("d"), "phone", named("a")), (named("e"), "vin", named("b"))))
    assert found.select("person_id", "reason").rows() == [(None, "conflict")]
    assert doubts.rows() == [("feedback", named("1"), "conflict", 2, 1)]


def test_a_record_that_is_no_id_is_refused_by_its_name():
    with pytest.raises(ValueError, match="'C1'"):
        decide(said(("C1", "phone", named("a"))), stated())
