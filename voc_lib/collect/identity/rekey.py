"""A new secret for the keys of people: every stored hash passes through it, old hashes and the snapshots that hold them go.

Nobody has the phone numbers any more, so a stored hash is hashed once more with the new secret; what is read later passes through all secrets in turn. All
stores are rewritten beside the lake first, then put in place; whatever stops it halfway is finished by running it again, and until then nothing else writes.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from voc_lib import engine, schema
from voc_lib.collect.keys import SECRET_BYTES, generation_path, passed_on, secrets_in_force
from voc_lib.collect.prepare import hashed_id
from voc_lib.collect.registers import with_claim_ids, with_touchpoint_id
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import SNAPSHOTS, STORE_FILE, Store, open_store, read_facts, store_names
from voc_lib.store_write import REKEYING, Writer, locked, write_atomically

KEYED = ("author_key", "key_hash", "customer_id", "order_key")   # columns that are such a hash, in whatever table
PEOPLE = "person_id"                                             # a customer, or 'p' and a hash of a key
PERSONAL_ID = r"^k[0-9a-f]{32}$"                                 # a source_id that was personal
READY, OLD = "ready.json", "old"


class RekeyError(Told):
    """The secret cannot be changed as asked."""


@dataclass(frozen=True)
class Rekeyed:
    """The generation of the secret now in force, its file, and the stores rewritten."""

    generation: int
    secret: str
    stores: tuple[str, ...]


def rekey(sure: bool = False) -> Rekeyed:
    """Change the secret of all stores. RekeyError unless `sure`: earlier snapshots are removed, pages made from them stay but cannot be made again."""
    work = settings().lake / REKEYING
    names = store_names()
    if not sure and not work.exists():
        raise RekeyError(f"换密钥会重写 {len(names)} 个库（{'、'.join(names) or '无'}）并删除旧快照：已发布的页面还在，但不能再按原快照重做。确认请加 --yes；先备份 {settings().secret.parent}。")
    with ExitStack() as held:
        for name in names:
            held.enter_context(locked(settings().lake / name))
        if not (work / READY).exists():
            work.mkdir(parents=True, exist_ok=True)
            key = _new_secret(work / "secret")
            for name in names:
                _rewrite(open_store(name), work / "stores" / name, key)
            write_atomically(work / READY, {"number": len(secrets_in_force()) + 1, "stores": names})
        ready = read_facts(work / READY)
        if (work / "secret").exists():
            os.replace(work / "secret", generation_path(ready["number"]))
        for name in ready["stores"]:
            _put_in_place(name, work)
        shutil.rmtree(work)
    return Rekeyed(ready["number"], str(generation_path(ready["number"])), tuple(ready["stores"]))


def _new_secret(path: Path) -> bytes:
    """Random bytes of the owner's own; those of a run that was stopped are used again."""
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
    return path.read_bytes()


def _put_in_place(name: str, work: Path) -> None:
    path, fresh, old = settings().lake / name, work / "stores" / name, work / OLD / name
    if fresh.exists():
        if path.exists():
            old.parent.mkdir(exist_ok=True)
            os.replace(path, old)
        os.replace(fresh, path)


def _rewrite(store: Store, target: Path, key: bytes) -> None:
    """The store's present state as a new folder, each hash under one more secret."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in store.path.iterdir():    # facts of the store, selections, edits
        if file.is_file() and not file.name.startswith("."):
            shutil.copy2(file, target / file.name)
    again = _Again(key)
    ids = _new_ids(store, again)
    writer = Writer(store.name, target)
    for name in schema.table_names():
        definition = schema.table(name)
        view = engine.view_name(name)
        weeks = store.sql(f"SELECT DISTINCT {definition.partition} AS week FROM {view} ORDER BY 1")["week"].to_list() if definition.partition else [None]
        for week in weeks:
            rows = store.sql(f"SELECT * FROM {view}" + (f" WHERE {definition.partition} = {engine.quote(week)}" if week is not None else ""))
            writer.append(name, _renamed(_keyed(name, rows, again), ids))
    manifest = read_facts(store.path / SNAPSHOTS / f"{store.snapshot}.json")
    write_atomically(target / SNAPSHOTS / f"{int(store.snapshot) + 1:06d}.json", manifest | {
        "snapshot": f"{int(store.snapshot) + 1:06d}", "tables": writer.versions, "mixed": [], "command": "identity rekey", "published_at": datetime.now(UTC).isoformat(timespec="seconds")})


class _Again:
    """A hash under the new secret, each computed once."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def __call__(self, values: pl.Series) -> pl.Series:
        unique = values.unique().drop_nulls()
        if unique.is_empty():
            return values
        fresh = pl.Series([passed_on(self.key, value) for value in unique], dtype=pl.String)
        return values.replace_strict(unique, fresh, default=None, return_dtype=pl.String)


def _keyed(name: str, rows: pl.DataFrame, again: _Again) -> pl.DataFrame:
    if name == "identity_doubts":    # of a feedback whose keys disagree it is the feedback, no key
        plain = rows.filter(pl.col("key_type") == "feedback")
        rest = rows.filter(pl.col("key_type") != "feedback")
        return pl.concat([plain, rest.with_columns(again(rest["key_hash"]))])
    people = {PEOPLE: rows[PEOPLE]} if PEOPLE in rows.columns else {}
    if people:
        strangers = people[PEOPLE].str.starts_with("p")
        bare = again(people[PEOPLE].str.strip_prefix("p"))
        people = {PEOPLE: pl.select(pl.when(strangers).then("p" + bare).otherwise(bare)).to_series().rename(PEOPLE)}
    rows = rows.with_columns(*(again(rows[column]) for column in KEYED if column in rows.columns), *people.values())
    if name == "identities":
        return with_claim_ids(rows)
    return with_touchpoint_id(rows) if name == "touchpoints" else rows


def _new_ids(store: Store, again: _Again) -> pl.DataFrame:
    """Feedback whose id in the source was personal: its hash changes, and with it the feedback's own id. Columns old, new, source_id, fresh_id."""
    rows = store.sql(f"SELECT feedback_id AS old, channel, source_id FROM feedback_rows WHERE regexp_matches(source_id, '{PERSONAL_ID}')")
    fresh = "k" + again(rows["source_id"].str.strip_prefix("k"))
    rows = rows.with_columns(fresh.alias("fresh_id"))
    parts = [part.with_columns(hashed_id(part["channel"][0], part["fresh_id"]).alias("new")) for part in rows.partition_by("channel")]
    return pl.concat(parts) if parts else rows.with_columns(pl.lit(None, pl.String).alias("new"))


def _renamed(rows: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """Rows with the new ids of such feedback wherever they stand."""
    if ids.is_empty():
        return rows
    texts = [name for name, kind in rows.schema.items() if kind == pl.String and name not in ("source_id", "verbatim")]
    rows = rows.with_columns(pl.col(name).replace(ids["old"], ids["new"]) for name in texts)
    return rows.with_columns(pl.col("source_id").replace(ids["source_id"], ids["fresh_id"])) if "source_id" in rows.columns else rows
