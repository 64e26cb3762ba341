"""People met in two channels, drawn so that one can count them."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.measure.analyses.overlap_channels import overlap_channels


def frame(rows):
    """(feedback, channel, person, author)"""
    return pl.DataFrame(rows, schema=dict.fromkeys(("feedback_id", "channel", "person_id", "author_key"), pl.String), orient="row")


def met(both, only):
    """`both` people heard on hotline and at the dealer, `only` more on each."""
    return frame([(f"{channel}{at}", channel, f"p{at}" if at < both else f"{channel}{at}", None) for channel in ("dealer", "hotline") for at in range(both + only)])


def test_the_same_person_in_two_channels_is_met():
    row = overlap_channels(met(both=12, only=8)).row(0, named=True)
    assert (row["channel"], row["channel_other"], row["people"], row["people_other"], row["both"]) == ("dealer", "hotline", 20, 20, 12)
    assert row["share"] == row["share_other"] == 0.6 and row["note"] == ""


@pytest.mark.parametrize(("both", "shown"), [(0, 0), (1, None), (9, None), (10, 10)])
def test_fewer_than_ten_are_not_told_but_nobody_is(both, shown):
    row = overlap_channels(met(both, only=15)).row(0, named=True)
    assert row["both"] == shown and (row["note"] == "") == (shown is not None)


def test_a_channel_without_keys_is_unknown_not_nought():
    silent = frame([("s1", "site", None, None), ("a1", "app", None, "nick")])
    table = overlap_channels(pl.concat([met(both=12, only=0), silent]))
    assert table.height == 6    # pairs of four channels
    others = table.filter(pl.col("both").is_null())
    assert others.height == 5 and set(others["note"]) == {"不给任何身份线索，看不出与别的渠道是否同一人"}


def test_two_calls_of_one_person_count_once_and_who_left_no_trace_not_at_all():
    rows = frame([("h1", "hotline", "ann", None), ("h2", "hotline", "ann", None), ("d1", "dealer", "ann", None), ("h3", "hotline", None, None)])
    row = overlap_channels(pl.concat([rows, met(both=12, only=0)])).row(0, named=True)
    assert (row["people"], row["people_other"], row["both"]) == (13, 13, 13)


def test_authors_count_within_their_channel_only():
    same = [(f"{channel}{at}", channel, None, f"x{at}") for channel in ("app", "shop") for at in range(12)]
    row = overlap_channels(frame([*same, ("app-", "app", "ann", None), ("shop-", "shop", "ann", None)])).row(0, named=True)
    assert (row["people"], row["people_other"], row["both"]) == (13, 13, None)    # one in both: fewer than ten
