"""From hashed keys to people: every id becomes a number once, `cluster` decides on numbers, and those become texts again where somebody is told.

Texts of 32 letters cost gigabytes wherever ten million of them are joined or sorted; numbers of four bytes do not.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.collect.identity.cluster import Clustered, cluster

HASH = "^[0-9a-f]{32}$"
PEOPLE = {"feedback_id": pl.String, "iso_week": pl.String, "person_id": pl.String, "customer_id": pl.String, "reason": pl.String, "confidence": pl.Float64}
DOUBTS = {"key_type": pl.String, "key_hash": pl.String, "why": pl.String, "customers": pl.Int64, "feedback": pl.Int64}


def decide(keys: pl.DataFrame, claims: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(feedback_id, iso_week, person_id, customer_id, reason, confidence), sorted by feedback, and the doubts, from keys with names.

    `keys`: feedback_id or entry_id as `record`, iso_week (one a record; null for entries), day, key_type, key_hash. `claims`: customer_id, key_type, key_hash,
    valid_from, valid_to. A key that is no hash is listed as malformed; ValueError where a record is no id of 32 hexadecimal digits.
    """
    if keys.is_empty():
        return pl.DataFrame(schema=PEOPLE), pl.DataFrame(schema=DOUBTS)
    kinds = sorted(pl.concat([keys["key_type"].unique(), claims["key_type"].unique()]).unique().drop_nulls())
    hashes = _hashes(keys, claims, kinds)
    spoiled = pl.concat([keys.select("key_type", "key_hash").filter(~hashes["sound"].head(keys.height)),
                         claims.select("key_type", "key_hash").filter(~hashes["sound"].tail(claims.height)).filter(pl.col("key_hash").str.contains(HASH))])
    record, customers = _ranks(_numbers(keys["record"])), claims["customer_id"].unique()
    if record.null_count():
        raise ValueError(f"record {keys['record'].filter(record.is_null())[0]!r} is no id of 32 hexadecimal digits")
    said, stated = hashes.head(keys.height), hashes.tail(claims.height)
    del hashes
    a_row, a_key_row = _a_row(record), _a_row(said["key"])
    out = cluster(said.select(record, "key", "kind", keys["day"], "sound").filter("sound").drop("sound"), _stated(stated, claims, customers), kinds)
    return _people(out, keys, customers, a_row, a_key_row), _doubts(out, keys, kinds, spoiled, a_row, a_key_row)


def _hashes(keys: pl.DataFrame, claims: pl.DataFrame, kinds: list[str]) -> pl.DataFrame:
    """key (the place of its hash among all; null: it is none), kind, sound (a hash of one type: it holds its type, so under two it is neither) of the rows of keys, then of claims."""
    texts = pl.concat([keys.select("key_type", "key_hash"), claims.select("key_type", "key_hash")])
    kind = texts["key_type"].replace_strict(kinds, pl.int_range(len(kinds), eager=True, dtype=pl.UInt8), return_dtype=pl.UInt8)
    hashes = pl.DataFrame({"key": _ranks(_numbers(texts["key_hash"])), "kind": kind})
    twice = hashes.lazy().drop_nulls("key").group_by("key").agg(pl.col("kind").min(), pl.col("kind").max().alias("other")).filter(pl.col("kind") != pl.col("other")).collect(engine="streaming")
    return hashes.with_columns((pl.col("key").is_not_null() & ~pl.col("key").is_in(twice["key"].implode())).alias("sound"))


def _numbers(texts: pl.Series) -> pl.Series:
    """Hashes as numbers of 128 bits, in the order of the texts; null where a text is no hash."""
    text = pl.col(texts.name)
    number = pl.when(text.str.contains(HASH)).then(text).str.decode("hex").bin.reinterpret(dtype=pl.UInt128, endianness="big")
    return texts.to_frame().lazy().select(number).collect(engine="streaming").to_series()


def _ranks(numbers: pl.Series) -> pl.Series:
    """The place of every number among those there are, from 0: the order decides who stands for a person."""
    return (numbers.rank("dense") - 1).cast(pl.UInt32)


def _a_row(places: pl.Series) -> pl.Series:
    """For every place a row where it stands."""
    rows = np.zeros((places.max() or 0) + 1, np.uint32)
    rows[places.drop_nulls().to_numpy()] = places.is_not_null().arg_true().to_numpy()
    return pl.Series(rows)


def _stated(stated: pl.DataFrame, claims: pl.DataFrame, customers: pl.Series) -> pl.DataFrame:
    rows = pl.concat([stated.select("key", "sound"), claims.select("customer_id", "valid_from", "valid_to")], how="horizontal").filter("sound")
    return rows.join(customers.to_frame().with_row_index("customer"), on="customer_id").select("key", "customer", "valid_from", "valid_to")


def _people(out: Clustered, keys: pl.DataFrame, customers: pl.Series, a_row: pl.Series, a_key_row: pl.Series) -> pl.DataFrame:
    rows = a_row.gather(out.people["record"])
    found = pl.DataFrame({"feedback_id": keys["record"].gather(rows), "iso_week": keys["iso_week"].gather(rows), "customer_id": customers.gather(out.people["customer"]),
                          "stands": a_key_row.gather(out.people["person"]), "reason": out.people["reason"]}).drop_nulls("iso_week")
    stranger = "p" + keys["key_hash"].gather(found["stands"])
    return found.select(pl.lit(1.0).alias("confidence"), pl.coalesce("customer_id", stranger).alias("person_id"), "feedback_id", "iso_week", "customer_id", "reason").select(*PEOPLE)


def _doubts(out: Clustered, keys: pl.DataFrame, kinds: list[str], spoiled: pl.DataFrame, a_row: pl.Series, a_key_row: pl.Series) -> pl.DataFrame:
    """key_type, key_hash (of feedback whose keys disagree its own id), why, customers, feedback: of a key one row."""
    found = out.doubts
    names = pl.DataFrame({"key_hash": keys["key_hash"].gather(a_key_row.gather(found["key"])), "own": keys["record"].gather(a_row.gather(found["record"]))})
    names = names.select(pl.coalesce("key_hash", "own"), found["kind"].replace_strict(dict(enumerate(kinds)), default="feedback", return_dtype=pl.String).fill_null("feedback").alias("key_type"))
    doubts = pl.concat([names, found.select("why", "customers", "feedback")], how="horizontal").select(*DOUBTS)
    malformed = spoiled.with_columns(pl.col("key_hash").fill_null("-")).unique().sort("key_hash", "key_type")
    return pl.concat([doubts, malformed.with_columns(pl.lit("malformed").alias("why"))], how="diagonal").unique("key_hash", keep="first", maintain_order=True)
