"""Links in the store: keys of feedback and of registers through `cluster`, decisions appended where they changed. Only what new rows touch is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.collect.identity.cluster import cluster
from voc_lib.collect.identity.edits import named, replay
from voc_lib.collect.identity.report import NOW
from voc_lib.engine import quote
from voc_lib.store import Store
from voc_lib.store_write import Writer

WHOLE = 0.2     # of the feedback with keys: with more news than this everything is looked at afresh
STEPS = 12      # how often the reach of new rows is followed from key to feedback to key
# The keys of a feedback: what its contract hashes (weak ones, such as a nickname, link nobody by rule), and its author where a register knows accounts of that channel.
KEYS = """
SELECT feedback_id, key_type, key_hash FROM identity_keys WHERE key_type NOT LIKE 'weak:%'
UNION ALL
SELECT feedback_id, 'author:' || channel, author_key FROM feedback_rows
WHERE author_key IS NOT NULL AND author_key IN (SELECT key_hash FROM identities WHERE key_type LIKE 'author:%')
"""
LAST_SAID = """
SELECT entry_id, customer_id, key_type, key_hash, unnest(arg_max(struct_pack(valid_from, valid_to), said_at)) FROM identities {which}
GROUP BY entry_id, customer_id, key_type, key_hash
"""
HASH = "^[0-9a-f]{32}$"


@dataclass(frozen=True)
class Linked:
    """What a run of linking did: feedback looked at, decisions that changed, whether everything was looked at."""

    looked_at: int
    changed: int
    whole: bool


def link(writer: Writer, everything: bool = False) -> Linked:
    """Decide whose every feedback is that has keys, and append the decisions that changed.

    Without `everything` only what is new since the last run, and what that reaches. The edit log of the store is replayed last.
    Raises EditError where the log names what does not exist; nothing is written then.
    """
    store = writer.reading()
    fresh = None if everything else _fresh(store)
    if fresh is not None and not len(fresh):
        return Linked(0, 0, False)
    # An edit speaks of people, so those it names are looked at with every piece of news.
    keys, claims = _all(store) if fresh is None else _reached(store, pl.concat([fresh, named(store)]).unique())
    if keys.is_empty():
        return Linked(0, 0, fresh is None)
    found, doubts = decide(keys, claims)
    found = replay(store, found)
    if fresh is None:
        found = pl.concat([found, _released(store, found)], how="diagonal")
    now = datetime.now(UTC)
    changed = _changed(store, found)
    writer.append("links", changed.with_columns(pl.lit(now).alias("linked_at")))
    _write_doubts(writer, store, doubts, keys, now, fresh is None)
    return Linked(found.height, changed.height, fresh is None)


def decide(keys: pl.DataFrame, claims: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(feedback_id, iso_week, person_id, customer_id, reason, confidence) and the doubts, from keys with names.

    `keys`: feedback_id or entry_id as `record`, iso_week (null for entries), day, key_type, key_hash. `claims`: customer_id, key_type, key_hash, valid_from, valid_to.
    """
    is_hash = pl.col("key_hash").str.contains(HASH).fill_null(False)
    sound = keys.filter(is_hash)
    names = pl.concat([sound.select("key_type", "key_hash"), claims.filter(is_hash).select("key_type", "key_hash")]).unique()
    twice = names.filter(pl.col("key_hash").is_duplicated())    # a hash holds its type: under two types it is neither
    malformed = pl.concat([keys.filter(~is_hash).select("key_type", pl.col("key_hash").fill_null("-")), twice]).unique()
    if twice.height:
        sound, names = sound.join(twice, on="key_hash", how="anti"), names.join(twice, on="key_hash", how="anti")
    kinds = sorted(names["key_type"].unique().drop_nulls().to_list())
    names = names.select("key_hash").sort(_beginning()).with_row_index("key")    # the order decides who stands for a person
    who = claims.select("customer_id").unique().sort("customer_id").with_row_index("customer")
    records = sound.select("record").unique().with_row_index("number")
    numbered = sound.join(names, on="key_hash").join(records, on="record").select(
        pl.col("number").alias("record"), "key", pl.col("key_type").replace_strict(dict(zip(kinds, range(len(kinds)), strict=True)), return_dtype=pl.UInt8).alias("kind"), "day")
    stated = claims.join(names, on="key_hash").join(who, on="customer_id").select("key", "customer", "valid_from", "valid_to")
    out = cluster(numbered, stated, kinds)
    people = out.people.join(records, left_on="record", right_on="number", how="left").rename({"record": "number", "record_right": "record"}).join(who, on="customer", how="left").join(
        names.rename({"key": "person", "key_hash": "stands"}), on="person", how="left")
    people = people.with_columns(pl.coalesce("customer_id", "p" + pl.col("stands")).alias("person_id"), pl.lit(1.0).alias("confidence"))
    feedback = sound.drop_nulls("iso_week").select("record", "iso_week").unique("record")
    found = feedback.join(people, on="record", how="left").select(
        pl.col("record").alias("feedback_id"), "iso_week", "person_id", "customer_id", "reason", "confidence").sort("feedback_id")
    doubts = out.doubts.join(names, on="key", how="left").join(records.rename({"record": "own"}), left_on="record", right_on="number", how="left").with_columns(
        pl.coalesce("key_hash", "own").alias("key_hash"), pl.col("kind").replace_strict(dict(enumerate(kinds)), default="feedback", return_dtype=pl.String).fill_null("feedback").alias("key_type"))
    doubts = pl.concat([doubts.select("key_type", "key_hash", "why", "customers", "feedback"),
                        malformed.with_columns(pl.lit("malformed").alias("why"), pl.lit(None, pl.Int64).alias("customers"), pl.lit(None, pl.Int64).alias("feedback"))])
    return found, doubts.unique("key_hash", keep="first", maintain_order=True)


def _beginning() -> pl.Expr:
    """The first 64 bits of a hash as a number: sorted in a tenth of the time that texts take."""
    return pl.col("key_hash").str.head(16).str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")


def _fresh(store: Store) -> pl.Series | None:
    """Feedback that came, or whose keys a register spoke of, since the last decision; None where so much is new that all is looked at."""
    done = store.sql("SELECT max(linked_at) AS last, count(*) AS n FROM links").row(0, named=True)
    if not done["n"]:
        return None
    since = f"{quote(str(done['last']))}::TIMESTAMPTZ"
    new = store.sql(f"SELECT feedback_id FROM feedback_rows WHERE ingested_at > {since}")["feedback_id"]
    entries = store.sql(f"SELECT DISTINCT entry_id FROM identities WHERE added_at > {since}")
    if entries.height:
        said = store.sql("SELECT DISTINCT key_hash FROM identities SEMI JOIN asked USING (entry_id)", asked=entries)
        touched = store.sql(f"SELECT DISTINCT k.feedback_id FROM ({KEYS}) AS k SEMI JOIN asked USING (key_hash)", asked=said)["feedback_id"]
        new = pl.concat([new, touched]).unique()
    return None if new.len() > WHOLE * done["n"] else new


def _all(store: Store) -> tuple[pl.DataFrame, pl.DataFrame]:
    keys = store.sql(f"SELECT k.feedback_id AS record, f.iso_week, f.local_date AS day, k.key_type, k.key_hash FROM ({KEYS}) AS k JOIN feedback_rows AS f USING (feedback_id)")
    return _with_entries(keys, store.sql(LAST_SAID.format(which='')), store)


def _with_entries(keys: pl.DataFrame, said: pl.DataFrame, store: Store) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Entries of registers without customers are records like feedback; what registers say of customers are claims."""
    entries = said.filter(pl.col("customer_id").is_null()).select(
        pl.col("entry_id").alias("record"), pl.lit(None, pl.String).alias("iso_week"), pl.col("valid_from").alias("day"), "key_type", "key_hash")
    claims = said.filter(pl.col("customer_id").is_not_null()).select("customer_id", "key_type", "key_hash", "valid_from", "valid_to")
    return pl.concat([keys, entries]), pl.concat([claims, _members(keys, entries)]).join(_bought(store, claims), on="customer_id", how="left").with_columns(
        pl.when(pl.col("key_type") == "vin").then(pl.coalesce("bought", "valid_from")).otherwise(pl.col("valid_from")).alias("valid_from")).drop("bought")


def _members(keys: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """A member number is the customer himself."""
    return pl.concat([keys, entries]).filter(pl.col("key_type") == "member").select(
        pl.col("key_hash").alias("customer_id"), "key_type", "key_hash", pl.lit(None, pl.Date).alias("valid_from"), pl.lit(None, pl.Date).alias("valid_to")).unique()


def _bought(store: Store, claims: pl.DataFrame) -> pl.DataFrame:
    """The day of purchase, where a register of touchpoints knows it better than the month."""
    bought = store.sql("SELECT customer_id, min(occurred_on) AS bought FROM touchpoints WHERE kind IN ('购车', '开户') GROUP BY customer_id")
    return bought.join(claims.select("customer_id").unique(), on="customer_id", how="semi")


def _reached(store: Store, fresh: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keys and claims of the fresh feedback and of all that hangs on it by keys that no register gives to a customer."""
    seen, wave = pl.Series([], dtype=pl.String), fresh
    parts: list[pl.DataFrame] = []
    entries: list[pl.DataFrame] = []
    followed = pl.DataFrame(schema={"key_hash": pl.String})
    for _ in range(STEPS):
        asked = wave.to_frame("record")
        mine = store.sql(f"SELECT k.feedback_id AS record, k.key_type, k.key_hash FROM ({KEYS}) AS k SEMI JOIN asked ON asked.record = k.feedback_id", asked=asked)
        theirs = store.sql(LAST_SAID.format(which="SEMI JOIN asked ON asked.record = entry_id WHERE customer_id IS NULL"), asked=asked)
        parts.append(mine)
        entries.append(theirs)
        seen = pl.concat([seen, wave])
        hashes = pl.concat([mine["key_hash"], theirs["key_hash"]]).unique().to_frame("key_hash")
        owned = store.sql("SELECT DISTINCT key_hash FROM identities SEMI JOIN asked USING (key_hash) WHERE customer_id IS NOT NULL", asked=hashes)
        loose = hashes.join(owned, on="key_hash", how="anti").join(followed, on="key_hash", how="anti")
        followed = pl.concat([followed, loose])
        if loose.is_empty():
            break
        more = store.sql(f"SELECT k.feedback_id AS record FROM ({KEYS}) AS k SEMI JOIN asked USING (key_hash) UNION "
                         "SELECT entry_id FROM identities SEMI JOIN asked USING (key_hash) WHERE customer_id IS NULL", asked=loose)["record"]
        wave = more.filter(~more.is_in(seen.implode()))
        if wave.is_empty():
            break
    keys = pl.concat(parts).unique()
    weeks = store.sql("SELECT f.feedback_id AS record, f.iso_week, f.local_date AS day FROM feedback_rows AS f SEMI JOIN asked ON asked.record = f.feedback_id", asked=keys.select("record").unique())
    keys = keys.join(weeks, on="record", how="inner").select("record", "iso_week", "day", "key_type", "key_hash")
    said = pl.concat(entries)
    hashes = pl.concat([keys["key_hash"], said["key_hash"]]).unique().to_frame("key_hash")
    stated = store.sql(LAST_SAID.format(which="SEMI JOIN asked USING (key_hash) WHERE customer_id IS NOT NULL"), asked=hashes)
    return _with_entries(keys, pl.concat([said, stated]).unique(), store)


def _released(store: Store, found: pl.DataFrame) -> pl.DataFrame:
    """Feedback without a key that an edit gave to somebody, and that no edit speaks of any more."""
    held = store.sql(f"SELECT feedback_id, iso_week FROM ({NOW}) WHERE reason = 'edit' AND person_id IS NOT NULL")
    return held.join(found, on="feedback_id", how="anti")


def _changed(store: Store, found: pl.DataFrame) -> pl.DataFrame:
    weeks = ", ".join(map(quote, found["iso_week"].unique().sort()))
    there = store.sql("SELECT feedback_id, unnest(arg_max(struct_pack(person_id, customer_id, reason, confidence), linked_at)) FROM links SEMI JOIN asked USING (feedback_id) "
                      f"WHERE iso_week IN ({weeks}) GROUP BY feedback_id", asked=found.select("feedback_id"))
    return found.join(there, on=["feedback_id", "person_id", "customer_id", "reason", "confidence"], how="anti", nulls_equal=True)


def _write_doubts(writer: Writer, store: Store, doubts: pl.DataFrame, keys: pl.DataFrame, now: datetime, whole: bool) -> None:
    there = store.sql("SELECT key_hash, unnest(arg_max(struct_pack(key_type, why, customers, feedback), found_at)) FROM identity_doubts GROUP BY key_hash").filter(pl.col("why").is_not_null())
    fresh = doubts.join(there, on=["key_hash", "why", "customers", "feedback"], how="anti", nulls_equal=True)
    looked_at = there if whole else there.join(pl.concat([keys["key_hash"], keys["record"]]).unique().to_frame("key_hash"), on="key_hash", how="semi")
    over = looked_at.join(doubts, on="key_hash", how="anti").with_columns(pl.lit(None, pl.String).alias("why"))
    writer.append("identity_doubts", pl.concat([fresh, over.select(fresh.columns)]).with_columns(pl.lit(now).alias("found_at")))
