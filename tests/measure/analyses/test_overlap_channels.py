"""People met in two channels, drawn so that one can count them."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.measure.analyses.overlap_channels import identified, overlap_channels


class Keys:
    """The one table that is asked for."""

    def __init__(self, rows):
        self.rows = pl.DataFrame(rows, schema=["feedback_id", "key_type", "key_hash"], orient="row")

    def read(self, table, columns):
        assert table == "identity_keys"
        return self.rows.lazy().select(columns)


def frame(rows):
    names = ["feedback_id", "channel", "customer_id", "author_key"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def met(both, only):
    """`both` phones heard on hotline and at the dealer, `only` more on each."""
    rows, keys = [], []
    for channel in ("dealer", "hotline"):
        for at in range(both + only):
            rows.append((f"{channel}{at}", channel, None, None))
            keys.append((f"{channel}{at}", "phone", f"p{at}" if at < both else f"{channel}{at}"))
    return frame(rows), Keys(keys)


def test_the_same_phone_in_two_channels_is_one_person():
    row = overlap_channels(*met(both=12, only=8)).row(0, named=True)
    assert (row["channel"], row["channel_other"], row["people"], row["people_other"], row["both"]) == ("dealer", "hotline", 20, 20, 12)
    assert row["share"] == row["share_other"] == 0.6 and row["note"] == ""


@pytest.mark.parametrize(("both", "shown"), [(0, 0), (1, None), (9, None), (10, 10)])
def test_fewer_than_ten_are_not_told_but_nobody_is(both, shown):
    row = overlap_channels(*met(both, only=15)).row(0, named=True)
    assert row["both"] == shown and (row["note"] == "") == (shown is not None)


def test_a_channel_without_keys_is_unknown_not_nought():
    rows, keys = met(both=12, only=0)
    silent = frame([("s1", "site", None, None), ("a1", "app", None, "nick")])
    table = overlap_channels(pl.concat([rows, silent]), keys)
    assert table.height == 6    # pairs of four channels
    others = table.filter(pl.col("both").is_null())
    assert others.height == 5 and set(others["note"]) == {"不给任何身份线索，看不出与别的渠道是否同一人"}


def test_keys_chain_and_two_calls_of_one_person_count_once():
    # phone p on the hotline, p and vehicle v in a second call, v alone at the dealer: one person
    rows = frame([("h1", "hotline", None, None), ("h2", "hotline", None, None), ("d1", "dealer", None, None), ("d2", "dealer", "c", None), ("h3", "hotline", "c", None)])
    keys = Keys([("h1", "phone", "p"), ("h2", "phone", "p"), ("h2", "vin", "v"), ("d1", "vin", "v")])
    people = identified(rows, keys)
    groups = {tuple(sorted(part["feedback_id"])) for _, part in people.group_by("individual")}
    assert groups == {("d1", "h1", "h2"), ("d2", "h3")}


def test_authors_join_within_their_channel_only():
    rows = frame([("a1", "app", None, "x"), ("a2", "app", None, "x"), ("s1", "shop", None, "x")])
    people = identified(rows, Keys([("none", "phone", "p")]))
    assert people["individual"].n_unique() == 2


def test_a_fleets_number_does_not_make_one_person_of_its_drivers():
    six = [(f"h{at}", "phone", "fleet") for at in range(6)] + [(f"h{at}", "vin", f"v{at}") for at in range(6)]
    rows = frame([(f"h{at}", "hotline", None, None) for at in range(6)])
    assert identified(rows, Keys(six))["individual"].n_unique() == 6
    five = [key for key in six if key[0] != "h5"]
    assert identified(rows, Keys(five))["individual"].n_unique() == 1
