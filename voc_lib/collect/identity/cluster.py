"""Who is who, from keys alone: deterministic rules over hashed keys, with guards. Works on frames; knows no store.

A key that a register gives to one customer names that customer; a vehicle does so only on the days on which it was his. A key that no register knows
takes the customer of the feedback and entries it came with, if they all agree; keys that nobody knows make a person without a customer number where they
came together. A key that two customers claim, that came with too many others, or that hangs in too long a chain links nobody and is listed.
Two customers of a register are never made one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

MOST_PARTNERS = 5    # other keys of one type that a key may come with before it is a fleet's, a shop's, a company's
MOST_KEYS = 12       # keys of one person whom no register knows; more is a chain through several people
ROUNDS = 6           # how far a customer is handed on from key to key
VEHICLE = "vin"
HANDED = "<"         # author:car_forum<: no register gives the account to a customer; it was registered with a phone that one does

RECORD = {"record": pl.UInt32, "key": pl.UInt32, "kind": pl.UInt8, "day": pl.Date}
CLAIM = {"key": pl.UInt32, "customer": pl.UInt32, "valid_from": pl.Date, "valid_to": pl.Date}


@dataclass(frozen=True)
class Clustered:
    """What was found.

    people: record, customer (null: no register knows him), person (a key that stands for him; null with a customer), reason; records that nobody can be
    named for have neither, and their reason says why. doubts: key, record (one of them), why, customers, feedback.
    """

    people: pl.DataFrame
    doubts: pl.DataFrame


def cluster(records: pl.DataFrame, claims: pl.DataFrame, kinds: list[str]) -> Clustered:
    """Link records by their keys.

    `records` has a row a record and key: record, key (numbers without meaning), kind (place in `kinds`), day (of the record; null = undated). `claims` has a
    row for every key a register gives to a customer: key, customer, valid_from, valid_to (null = open). Nothing depends on the order of rows.
    """
    records = records.select(*RECORD).unique()
    vehicle = kinds.index(VEHICLE) if VEHICLE in kinds else -1
    known, shared = _by_register(records, claims, vehicle)
    loose = records.join(claims.select("key").unique(), on="key", how="anti")
    records = records.select("record").unique()    # of ten million rows every table counts: each goes when it is read
    handed, crowds = _handed_on(loose, _agreed(known, "record"))
    told = pl.concat([known.with_columns(pl.lit(False).alias("handed")), handed])
    del known
    people, clash = _told(told, kinds)
    strangers, more = _strangers(loose.join(handed.select("key").unique(), on="key", how="anti").join(crowds, on="key", how="anti").join(told.select("record").unique(), on="record", how="anti"), kinds)
    del told, handed
    stopped = _stopped(loose, shared, crowds, more)
    rest = records.join(people, on="record", how="anti").join(strangers, on="record", how="anti")
    del records, loose
    found = pl.concat([people.with_columns(pl.lit(None, pl.UInt32).alias("person")), strangers, _why(rest, stopped, clash)], how="diagonal")
    return Clustered(found.select("record", "customer", "person", "reason").sort("record"), _doubts(stopped, clash))


def _by_register(records: pl.DataFrame, claims: pl.DataFrame, vehicle: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(record, key, kind, customer) where exactly one customer has the key on that day; (record, key, kind, customers) where several have."""
    claims = claims.with_columns((pl.col("customer").min().over("key") != pl.col("customer").max().over("key")).alias("several"))
    owners = records.join(claims, on="key", how="inner")
    day = pl.col("day")
    # An undated feedback is before and after everything: only a vehicle that never changed hands names its owner.
    his = (pl.col("kind") != vehicle) | day.is_null() | (((day >= pl.col("valid_from")) | pl.col("valid_from").is_null()) & ((day <= pl.col("valid_to")) | pl.col("valid_to").is_null()))
    owners = owners.filter(his).select("record", "key", "kind", "customer", "several")
    # Two registers may give a key to the same customer, each with its own days: that is one owner.
    doubted = owners.filter("several").group_by("record", "key", "kind").agg(pl.col("customer").n_unique().cast(pl.Int64).alias("customers"), pl.col("customer").first())
    alone = doubted.filter(pl.col("customers") == 1).select("record", "key", "kind", "customer")
    return pl.concat([owners.filter(~pl.col("several")).drop("several"), alone]), doubted.filter(pl.col("customers") > 1).drop("customer")


def _agreed(said: pl.DataFrame, by: str) -> pl.DataFrame:
    """(by, customer) where all that is said names one customer."""
    found = said.lazy().group_by(by).agg(pl.col("customer").min(), pl.col("customer").max().alias("other"))
    return found.filter(pl.col("customer") == pl.col("other")).drop("other").collect(engine="streaming")


def _handed_on(loose: pl.DataFrame, named: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keys no register knows take the one customer of the records they stand on: (record, key, kind, customer, handed), and (key, customers) of those that met several."""
    taken, known = pl.DataFrame(schema={"key": pl.UInt32, "customer": pl.UInt32}), named
    for _ in range(ROUNDS):
        met = loose.join(known, on="record", how="inner").select("key", "customer")
        before, taken = taken, _agreed(met, "key").sort("key")
        if taken.equals(before):
            break
        # Records are named afresh from what every key says now: one that turns out to be a crowd takes its word back.
        known = pl.concat([named, _agreed(loose.join(taken, on="key", how="inner").join(named, on="record", how="anti"), "record")])
    handed = loose.join(taken, on="key", how="inner").select("record", "key", "kind", "customer", pl.lit(True).alias("handed"))
    crowds = met.join(taken, on="key", how="anti").group_by("key").agg(pl.col("customer").n_unique().cast(pl.Int64).alias("customers"))
    return handed, crowds


def _told(told: pl.DataFrame, kinds: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(record, customer, reason) of records whose keys name one customer, and (record, many) of those whose keys name several."""
    found = _with_reason(told, kinds, pl.col("customer").min(), pl.col("customer").max().alias("other"))
    clash = found.filter(pl.col("customer") != pl.col("other")).select("record")
    many = told.join(clash, on="record", how="semi").group_by("record").agg(pl.col("customer").n_unique().alias("many"))
    return found.filter(pl.col("customer") == pl.col("other")).drop("other"), many


def _with_reason(said: pl.DataFrame, kinds: list[str], *more: pl.Expr) -> pl.DataFrame:
    """record, `more` of it, and reason: the kinds of keys that named the person, those handed on with a mark: phone+vin, author:car_forum<. At most 64 kinds."""
    bit = pl.col("kind").replace_strict({place: 1 << place for place in range(len(kinds))}, return_dtype=pl.UInt64)    # a set of kinds is a number; words are joined once a set
    sets = [pl.when(pl.col("handed") == handed).then(bit).otherwise(0).bitwise_or().alias(name) for name, handed in (("own", False), ("taken", True))]
    found = said.lazy().group_by("record").agg(*more, *sets).collect(engine="streaming")
    words = found.select("own", "taken").unique()
    words = words.with_columns(pl.Series("reason", ["+".join(sorted(_members(own, kinds, "") + _members(taken, kinds, HANDED))) for own, taken in words.iter_rows()], pl.String))
    return found.join(words, on=["own", "taken"]).drop("own", "taken")


def _members(number: int, kinds: list[str], mark: str) -> list[str]:
    return [kind + mark for place, kind in enumerate(kinds) if number >> place & 1]


def _strangers(loose: pl.DataFrame, kinds: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """People whom no register knows, as the connected parts of keys that came together: (record, person, reason), and (key, why) of keys left out."""
    # Only a key whose records carry more others than that can have met them: the rest need not be paired.
    beside = loose.join(loose.group_by("record").agg((pl.len() - 1).alias("others")), on="record").group_by("key").agg(pl.col("others").sum())
    busy = loose.join(beside.filter(pl.col("others") > MOST_PARTNERS), on="key", how="semi")
    met = busy.join(loose, on="record", suffix="_met").filter(pl.col("kind") != pl.col("kind_met"))
    hubs = met.group_by("key", "kind_met").agg(pl.col("key_met").n_unique().alias("partners")).filter(pl.col("partners") > MOST_PARTNERS)
    hubs = hubs.group_by("key").agg(pl.col("partners").max().cast(pl.Int64).alias("customers"))
    rest = loose.join(hubs, on="key", how="anti")
    if rest.is_empty():
        return pl.DataFrame(schema={"record": pl.UInt32, "person": pl.UInt32, "reason": pl.String}), hubs.with_columns(pl.lit("crowd").alias("why"))
    rest = rest.with_columns(_parts(rest).alias("part"))
    sizes = rest.group_by("part").agg(pl.col("key").n_unique().alias("keys"), pl.col("key").min().alias("person"))
    chains = rest.join(sizes.filter(pl.col("keys") > MOST_KEYS), on="part", how="inner").group_by("key").agg(pl.col("keys").first().cast(pl.Int64).alias("customers"))
    found = rest.join(sizes.filter(pl.col("keys") <= MOST_KEYS), on="part", how="inner").with_columns(pl.lit(False).alias("handed"))
    people = _with_reason(found, kinds, pl.col("person").first())
    more = pl.concat([hubs.with_columns(pl.lit("crowd").alias("why")), chains.with_columns(pl.lit(None, pl.Int64).alias("customers"), pl.lit("chain").alias("why"))])
    return people, more


def _parts(edges: pl.DataFrame) -> pl.Series:
    """The number of the connected part of every row of the graph record - key."""
    record, key = edges["record"].rank("dense").to_numpy() - 1, edges["key"].rank("dense").to_numpy() - 1
    records, size = int(record.max()) + 1, int(record.max() + key.max()) + 2
    graph = coo_matrix((np.ones(len(record), dtype=np.int8), (record, key + records)), shape=(size, size))
    return pl.Series(connected_components(graph, directed=False)[1][record])


def _stopped(loose: pl.DataFrame, shared: pl.DataFrame, crowds: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """record, key, kind, why, customers: every place where a key could not speak. A vehicle that changed hands is silent only on the days it is unclear."""
    met = crowds.with_columns(pl.when(pl.col("customers") > MOST_PARTNERS).then(pl.lit("crowd")).otherwise(pl.lit("shared")).alias("why"))
    keys = pl.concat([met, more.select("key", "customers", "why")])
    return pl.concat([shared.with_columns(pl.lit("shared").alias("why")), loose.join(keys, on="key").select("record", "key", "kind", "customers", "why")])


def _doubts(stopped: pl.DataFrame, clash: pl.DataFrame) -> pl.DataFrame:
    """key or record, kind, why, customers, feedback (how many records): what links nobody."""
    keys = stopped.group_by("key").agg(pl.col("kind").first(), pl.col("why").sort().first(), pl.col("customers").max(), pl.col("record").n_unique().cast(pl.Int64).alias("feedback"))
    alone = clash.select("record", pl.col("many").cast(pl.Int64).alias("customers"), pl.lit("conflict").alias("why"), pl.lit(1, pl.Int64).alias("feedback"))
    return pl.concat([keys, alone], how="diagonal").select("key", "record", "kind", "why", "customers", "feedback").sort("key", "record")


def _why(rest: pl.DataFrame, stopped: pl.DataFrame, clash: pl.DataFrame) -> pl.DataFrame:
    """Records of nobody, each with its reason: conflict, shared, crowd, chain, or "period" where a vehicle was nobody's on that day."""
    spoiled = stopped.group_by("record").agg(pl.col("why").sort().first().alias("reason"))
    known = pl.concat([clash.select("record", pl.lit("conflict").alias("reason")), spoiled]).unique("record", keep="first", maintain_order=True)
    return rest.join(known, on="record", how="left").with_columns(pl.col("reason").fill_null("period"))
