"""Links in the store: keys of feedback and of registers through `cluster`, decisions appended where they changed. Only what new rows touch is looked at again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.collect.identity.decide import decide
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
PAIRS = f"SELECT hash(feedback_id) AS record, hash(key_hash) AS key FROM ({KEYS}) UNION ALL SELECT hash(entry_id), hash(key_hash) FROM identities WHERE customer_id IS NULL"
OWNED = "SELECT hash(key_hash) AS key FROM identities WHERE customer_id IS NOT NULL"
LAST_SAID = """
SELECT entry_id, customer_id, key_type, key_hash, unnest(arg_max(struct_pack(valid_from, valid_to), said_at)) FROM identities {which}
GROUP BY entry_id, customer_id, key_type, key_hash
"""


@dataclass(frozen=True)
class Linked:
    """What a run of linking did: feedback looked at, decisions that changed, whether everything was looked at."""

    looked_at: int
    changed: int
    whole: bool


def link(writer: Writer, everything: bool = False, edited: Collection[str] = ()) -> Linked:
    """Decide whose every feedback is that has keys, and append the decisions that changed.

    Without `everything` only what is new since the last run, the feedback of which an edit just made or undone speaks (`edited`), and what these reach.
    The edit log of the store is replayed last.
    Raises EditError where the log names what does not exist; nothing is written then.
    """
    store = writer.reading()
    fresh = None if everything else _fresh(store)
    if fresh is not None and not len(fresh) and not edited:
        return Linked(0, 0, False)
    # An edit speaks of people, so those it names are looked at with every piece of news.
    keys, claims = _all(store) if fresh is None else _reached(store, pl.concat([fresh, pl.Series(edited, dtype=pl.String), named(store)]).unique())
    found, doubts = decide(keys, claims)
    found = replay(store, found)
    if fresh is None or edited:
        found = pl.concat([found, _released(store, found, None if fresh is None else edited)], how="diagonal")
    now = datetime.now(UTC)
    changed = _changed(store, found)
    writer.append("links", changed.with_columns(pl.lit(now).alias("linked_at")))
    _write_doubts(writer, store, doubts, keys, now, fresh is None)
    return Linked(found.height, changed.height, fresh is None)


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
    records = _hanging(store, fresh)
    keys = store.sql(f"SELECT k.feedback_id AS record, k.key_type, k.key_hash FROM ({KEYS}) AS k SEMI JOIN asked ON asked.record = hash(k.feedback_id)", asked=records).unique()
    weeks = store.sql("SELECT f.feedback_id AS record, f.iso_week, f.local_date AS day FROM feedback_rows AS f SEMI JOIN asked ON asked.record = f.feedback_id", asked=keys.select("record").unique())
    keys = keys.join(weeks, on="record", how="inner").select("record", "iso_week", "day", "key_type", "key_hash")
    entries = store.sql(LAST_SAID.format(which="SEMI JOIN asked ON asked.record = hash(entry_id) WHERE customer_id IS NULL"), asked=records)
    hashes = pl.concat([keys["key_hash"], entries["key_hash"]]).unique().to_frame("key_hash")
    stated = store.sql(LAST_SAID.format(which="SEMI JOIN asked USING (key_hash) WHERE customer_id IS NOT NULL"), asked=hashes)
    return _with_entries(keys, pl.concat([entries, stated]).unique(), store)


def _hanging(store: Store, fresh: pl.Series) -> pl.DataFrame:
    """Records that hang on the fresh feedback, hashed to 64 bits: every text is read once, then followed as a number.

    Two texts that meet in one number (of ten million keys some day in 10^8) let one record too many be looked at, or one too few.
    """
    pairs, owned = store.sql(PAIRS), store.sql(OWNED)
    wave = store.sql("SELECT DISTINCT hash(feedback_id) AS record FROM asked", asked=fresh.to_frame("feedback_id"))
    seen, followed = wave.clear(), pairs.select("key").clear()
    for _ in range(STEPS):
        seen = pl.concat([seen, wave])
        keys = pairs.join(wave, on="record", how="semi").select("key").unique().join(followed, on="key", how="anti")
        loose = keys.join(owned.join(keys, on="key", how="semi"), on="key", how="anti")
        followed = pl.concat([followed, loose])
        wave = pairs.join(loose, on="key", how="semi").select("record").unique().join(seen, on="record", how="anti")
        if wave.is_empty():
            break
    return seen


def _released(store: Store, found: pl.DataFrame, among: Collection[str] | None) -> pl.DataFrame:
    """Feedback (all, or `among` these) without a key that an edit gave to somebody, and that no edit speaks of any more."""
    only = "true" if among is None else f"feedback_id IN ({', '.join(map(quote, among))})"
    held = store.sql(f"SELECT feedback_id, iso_week FROM ({NOW}) WHERE reason = 'edit' AND person_id IS NOT NULL AND {only}")
    return held.join(found, on="feedback_id", how="anti")


def _changed(store: Store, found: pl.DataFrame) -> pl.DataFrame:
    weeks = ", ".join(map(quote, found["iso_week"].unique().sort())) or "NULL"
    # The id of a person tells the customer: it is the customer's, or 'p' and a hash.
    there = store.sql("SELECT feedback_id, unnest(arg_max(struct_pack(person_id, reason, confidence), linked_at)) FROM links SEMI JOIN asked USING (feedback_id) "
                      f"WHERE iso_week IN ({weeks}) GROUP BY feedback_id", asked=found.select("feedback_id"))
    return found.join(there, on=["feedback_id", "person_id", "reason", "confidence"], how="anti", nulls_equal=True)


def _write_doubts(writer: Writer, store: Store, doubts: pl.DataFrame, keys: pl.DataFrame, now: datetime, whole: bool) -> None:
    there = store.sql("SELECT key_hash, unnest(arg_max(struct_pack(key_type, why, customers, feedback), found_at)) FROM identity_doubts GROUP BY key_hash").filter(pl.col("why").is_not_null())
    fresh = doubts.join(there, on=["key_hash", "why", "customers", "feedback"], how="anti", nulls_equal=True)
    looked_at = there if whole else there.join(pl.concat([keys["key_hash"], keys["record"]]).unique().to_frame("key_hash"), on="key_hash", how="semi")
    over = looked_at.join(doubts, on="key_hash", how="anti").with_columns(pl.lit(None, pl.String).alias("why"))
    writer.append("identity_doubts", pl.concat([fresh, over.select(fresh.columns)]).with_columns(pl.lit(now).alias("found_at")))
