"""Who is heard in two channels: people met again by the keys they left, without knowing who they are."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from voc_lib.measure.estimate import MIN_PEOPLE, SUPPRESSED

NO_KEYS = "不给任何身份线索，看不出与别的渠道是否同一人"
SCHEMA = {"channel": pl.String, "channel_other": pl.String, "people": pl.Int64, "people_other": pl.Int64, "both": pl.Int64,
          "share": pl.Float64, "share_other": pl.Float64, "note": pl.String}


def overlap_channels(frame: pl.DataFrame) -> pl.DataFrame:
    """How many people are heard in both of two channels: one row per pair, in the order of the channels' names.

    A person is who the keys lead to (`person_id`, see `collect.identity`), else the author within the channel; feedback without either is
    not counted. Columns: channel, channel_other, people, people_other (identifiable people in each), both,
    share, share_other (0-1: `both` of each), note. Counts of 1-9 are null with the note; where in a channel nobody could be linked
    by a key, `both` is null too: not zero, unknown.
    """
    known = frame.with_columns(pl.coalesce("person_id", pl.format("author:{}:{}", "channel", "author_key")).alias("individual")).drop_nulls("individual")
    channels = sorted(frame["channel"].unique())
    heard = {name: set(known.filter(pl.col("channel") == name)["individual"]) for name in channels}
    linked = set(frame.drop_nulls("person_id")["channel"])
    rows = [_pair(one, other, heard, {one, other} <= linked) for one, other in combinations(channels, 2)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _pair(one: str, other: str, heard: dict, comparable: bool) -> dict:
    both = len(heard[one] & heard[other])
    sizes = [len(heard[name]) for name in (one, other)]
    if not comparable:
        both, note = None, NO_KEYS
    else:
        note = SUPPRESSED if 0 < both < MIN_PEOPLE or any(0 < size < MIN_PEOPLE for size in sizes) else ""
    shown = both if not note else None
    people = [None if 0 < size < MIN_PEOPLE else size for size in sizes]
    shares = [shown / size if shown is not None and size else None for size in people]
    return dict(zip(SCHEMA, (one, other, *people, shown, *shares, note), strict=True))
