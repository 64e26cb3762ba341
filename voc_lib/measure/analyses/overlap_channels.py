"""Who is heard in two channels: people met again by the keys they left, without knowing who they are."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from voc_lib.measure.estimate import MIN_PEOPLE, SUPPRESSED
from voc_lib.store import Store

# A phone number that comes with more than 5 vehicles (or a vehicle with more than 5 numbers) is a fleet's or a
# dealer's: it would make one person of all its customers.
MOST_PARTNERS = 5
NO_KEYS = "不给任何身份线索，看不出与别的渠道是否同一人"
SCHEMA = {"channel": pl.String, "channel_other": pl.String, "people": pl.Int64, "people_other": pl.Int64, "both": pl.Int64,
          "share": pl.Float64, "share_other": pl.Float64, "note": pl.String}


def overlap_channels(frame: pl.DataFrame, store: Store) -> pl.DataFrame:
    """How many people are heard in both of two channels: one row per pair, in the order of the channels' names.

    People are joined by linked customer, hashed keys (phone, VIN, account) and author within a channel; feedback without any of
    them is not counted. Columns: channel, channel_other, people, people_other (identifiable people in each), both,
    share, share_other (0-1: `both` of each), note. Counts of 1-9 are null with the note; where a channel brings no key
    that another channel knows, `both` is null too: not zero, unknown. A shared number counts as one person.
    """
    known = identified(frame, store)
    channels = sorted(frame["channel"].unique())
    heard = {name: set(known.filter(pl.col("channel") == name)["individual"]) for name in channels}
    kinds = {name: set(known.filter(pl.col("channel") == name)["kinds"].explode(empty_as_null=False, keep_nulls=False)) for name in channels}
    rows = [_pair(one, other, heard, kinds) for one, other in combinations(channels, 2)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _pair(one: str, other: str, heard: dict, kinds: dict) -> dict:
    both = len(heard[one] & heard[other])
    sizes = [len(heard[name]) for name in (one, other)]
    if not kinds[one] & kinds[other]:
        both, note = None, NO_KEYS
    else:
        note = SUPPRESSED if 0 < both < MIN_PEOPLE or any(0 < size < MIN_PEOPLE for size in sizes) else ""
    shown = both if not note else None
    people = [None if 0 < size < MIN_PEOPLE else size for size in sizes]
    shares = [shown / size if shown is not None and size else None for size in people]
    return dict(zip(SCHEMA, (one, other, *people, shown, *shares, note), strict=True))


def identified(frame: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Feedback with a key, and whose it is: feedback_id, channel, individual (a number without meaning), kinds.

    `kinds` are the key types that other channels may know (customer, phone, vin, ...). Groups are the connected parts of
    the graph feedback - key; keys that meet more than 5 keys of another type are left out.
    """
    own = frame.select("feedback_id", "channel", "customer_id", "author_key")
    keys = store.read("identity_keys", columns=["feedback_id", "key_type", "key_hash"]).collect()
    keys = own.select("feedback_id", "channel").join(keys, on="feedback_id", how="inner").select("feedback_id", "channel", pl.col("key_type").alias("kind"), pl.col("key_hash").alias("key"))
    customers = own.drop_nulls("customer_id").select("feedback_id", "channel", pl.lit("customer").alias("kind"), pl.col("customer_id").alias("key"))
    authors = own.drop_nulls("author_key").select("feedback_id", "channel", pl.format("author:{}", "channel").alias("kind"), pl.col("author_key").alias("key"))
    links = pl.concat([_without_hubs(keys.unique()), customers, authors]).with_columns(pl.format("{}:{}", "kind", "key").alias("key"))
    links = links.with_columns(pl.col("feedback_id").rank("dense").alias("individual")).sort("feedback_id", "key")
    kinds = links.group_by("feedback_id").agg(pl.col("kind").filter(~pl.col("kind").str.starts_with("author:")).unique().alias("kinds"))
    people = _connected(links.select("feedback_id", "key", "individual"))
    return own.select("feedback_id", "channel").join(people, on="feedback_id", how="inner").join(kinds, on="feedback_id", how="left").sort("feedback_id")


def _without_hubs(keys: pl.DataFrame) -> pl.DataFrame:
    met = keys.join(keys, on="feedback_id", suffix="_met").filter(pl.col("kind") != pl.col("kind_met"))
    partners = met.group_by("kind", "key").agg(pl.col("key_met").n_unique().alias("partners")).filter(pl.col("partners") > MOST_PARTNERS)
    return keys.join(partners, on=["kind", "key"], how="anti")


def _connected(links: pl.DataFrame) -> pl.DataFrame:
    """feedback_id, individual: the smallest number in each connected part, spread until nothing changes."""
    while True:
        spread = links.with_columns(pl.col("individual").min().over("key")).with_columns(pl.col("individual").min().over("feedback_id"))
        if spread["individual"].equals(links["individual"]):
            return links.select("feedback_id", "individual").unique("feedback_id", keep="first", maintain_order=True)
        links = spread
