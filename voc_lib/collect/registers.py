"""Registers: what the company's own systems know beside words. Each is read through a contract of its own, written like a channel's.

    data/domains/<domain>/bases/<base>.yaml           how many vehicles, accounts, users there are   -> exposure
    data/domains/<domain>/customers/<register>.yaml   every customer at the start of a period        -> customers, identities
    data/domains/<domain>/touchpoints/<register>.yaml purchases, visits, claims, updates             -> touchpoints, identities
    data/domains/<domain>/accounts/<register>.yaml    which account, phone, vehicle belong together  -> identities

`identity` names the keys of an entry; `member` is the customer's number, whose keyed hash is the `customer_id`. A key `author:<channel>` is the account under
which that channel's contract knows an author. Every key is hashed before anything is stored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from voc_lib import schema
from voc_lib.collect.contract import load_contract
from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.keys import keyed_hash, normalise
from voc_lib.collect.masking import mask, mask_text
from voc_lib.collect.prepare import exported_at, hashed_id, quarantined
from voc_lib.collect.readers import LINE, read_export
from voc_lib.collect.unread import unread
from voc_lib.contracts import Channel
from voc_lib.engine import quote
from voc_lib.store_write import Writer

FOLDERS = {"bases": "exposure", "customers": "customers", "touchpoints": "touchpoints", "accounts": "identities"}
PREFIX = "base:"  # of such exports in the table `exports`
CELL = ("month", "product", "region", "batch", "supplier")
MEMBER = "member"
FLUSH_ROWS = 500_000  # rows held in memory before they are written
TOUCHED = ("register", "customer_id", "occurred_on", "kind", "order_key", "note")
SAYS = ("register", "entry_id", "key_type", "key_hash", "valid_from", "valid_to")


def load_registers(domains: Path, domain: str) -> list[Channel]:
    """The contracts of a domain's registers, denominators first, then by file name; none is no mistake. Raises ContractError."""
    return [load_contract(path, table) for folder, table in FOLDERS.items() for path in sorted((domains / domain / folder).glob("*.yaml"))]


def ingest_register(writer: Writer, register: Channel, files: list[Path], folder: Path, count) -> None:
    """Append what the files say; a file read before is not read again, a file that does not fit is named in `count`."""
    before = writer.sql(f"SELECT export_id, contract, rows_read FROM exports WHERE channel = {quote(PREFIX + register.channel)}")
    known = {(row["export_id"], row["contract"]): row for row in before.iter_rows(named=True)}
    pending: list[pl.DataFrame] = []
    exports: dict[str, dict] = {}

    def again(facts: dict) -> None:
        count.files_known += 1
        count.rows_read += facts["rows_read"]

    for identity, (rows, refused, facts) in unread(files, folder, register, known, count.failed, again, partial(_read, register)):
        exports[identity] = facts
        writer.append_new("quarantine", refused)
        pending.append(rows)
        if sum(frame.height for frame in pending) >= FLUSH_ROWS:
            pending = _write(writer, register, pending)
    _write(writer, register, pending)
    for facts in exports.values():
        for name in ("rows_read", "rows_filtered", "rows_quarantined"):
            setattr(count, name, getattr(count, name) + facts[name])
    writer.append("exports", pl.DataFrame(list(exports.values()), schema=schema.table("exports").polars_schema))


def _read(register: Channel, path: Path, name: str, identity: str) -> tuple[pl.DataFrame, pl.DataFrame, dict]:
    """(rows that fit, with hashed keys, their export and its date; rows refused; the line of the table `exports`)."""
    moment, frames, rejects, read, filtered = exported_at(path, register), [], [], 0, 0
    for chunk in read_export(path, register.read):
        typed, refused, left_out = apply_contract(chunk.frame, register)
        frames.append(_hashed(typed.drop(LINE)))
        rejects += chunk.rejects + refused
        read += chunk.frame.height + len(chunk.rejects)
        filtered += left_out
    rows = pl.concat(frames, how="diagonal").with_columns(pl.lit(identity).alias("export_id"), pl.lit(moment).cast(schema.UTC_TIME).alias("said_at"))
    facts = {"export_id": identity, "channel": PREFIX + register.channel, "contract": register.fingerprint, "file": mask_text(name), "rows_read": read, "rows_filtered": filtered,
             "rows_quarantined": len(rejects), "rows_repeated": 0, "feedback_stored": 0, "exported_at": moment, "ingested_at": datetime.now(UTC), "cursor": None}
    return rows, quarantined(rejects, register, identity, name), facts


def _write(writer: Writer, register: Channel, pending: list[pl.DataFrame]) -> list[pl.DataFrame]:
    if pending:
        WRITE[register.table](writer, register, pl.concat(pending, how="diagonal"))
    return []


def _denominators(writer: Writer, base: Channel, rows: pl.DataFrame) -> None:
    rows = rows.select(*(pl.col(c) if c in rows.columns else pl.lit("").alias(c) for c in CELL), "in_use", "export_id", pl.col("said_at").alias("exported_at")).with_columns(pl.col(CELL).fill_null(""))
    # An export finer than the store's grain (by dealer, by colour) is added up.
    rows = rows.group_by(*CELL, "export_id", "exported_at", maintain_order=True).agg(pl.col("in_use").sum())
    writer.append_new("exposure", rows.with_columns(pl.lit(base.channel).alias("base")))


def _customers(writer: Writer, register: Channel, rows: pl.DataFrame) -> None:
    _claims(writer, register, rows, valid_from="purchased_at", valid_to="churned_at")
    writer.append_new("customers", mask(_told(rows, "customers"), [c.name for c in schema.table("customers").columns if c.type == pl.String and c.name not in ("customer_id", "export_id")]))


def _touchpoints(writer: Writer, register: Channel, rows: pl.DataFrame) -> None:
    _claims(writer, register, rows.filter(pl.col("key_order").is_not_null()) if "key_order" in rows.columns else rows.clear())
    rows = with_touchpoint_id(_told(rows.rename({"key_order": "order_key"}, strict=False).with_columns(pl.lit(register.channel).alias("register")), "touchpoints"))
    writer.append_new("touchpoints", mask(rows, ["kind", "dealer", "note"]))


def with_touchpoint_id(rows: pl.DataFrame) -> pl.DataFrame:
    """Touchpoints with their id, from what they say: the same event in two exports is one."""
    missing = [pl.lit(None, pl.String).alias(name) for name in TOUCHED if name not in rows.columns]
    return rows.with_columns(*missing).with_columns(_hash_of(rows.with_columns(*missing), "touchpoint", TOUCHED).alias("touchpoint_id"))


def _accounts(writer: Writer, register: Channel, rows: pl.DataFrame) -> None:
    _claims(writer, register, rows)


WRITE = {"exposure": _denominators, "customers": _customers, "touchpoints": _touchpoints, "identities": _accounts}


def _hashed(rows: pl.DataFrame) -> pl.DataFrame:
    """Keys normalised and hashed; `customer_id` is the hash of the member number."""
    for name in [n for n in rows.columns if n.startswith("key_")]:
        kind = name.removeprefix("key_")
        values = rows[name].unique().drop_nulls()
        plain = pl.Series([normalise(kind, value) for value in values], dtype=pl.String)
        codes = rows[name].replace_strict(values, keyed_hash(kind, plain), default=None, return_dtype=pl.String) if values.len() else rows[name]
        rows = rows.with_columns(codes.alias(name))
    return rows.rename({f"key_{MEMBER}": "customer_id"}) if f"key_{MEMBER}" in rows.columns else rows


def _told(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """The columns of a table that speaks of customers."""
    return rows.select(c.name for c in schema.table(table).columns if c.name in rows.columns)


def _claims(writer: Writer, register: Channel, rows: pl.DataFrame, valid_from: str = "valid_from", valid_to: str = "valid_to") -> None:
    """Append what the register says of keys and has not said before. Only a vehicle has an owner for a time; other keys are his as long as they stand there."""
    keys = [name for name in rows.columns if name.startswith("key_")]
    if rows.is_empty() or not keys:
        return
    given = rows.columns
    day = lambda name: pl.col(name).cast(pl.Date) if name in rows.columns else pl.lit(None, pl.Date)  # noqa: E731
    who = pl.col("customer_id") if "customer_id" in rows.columns else pl.lit(None, pl.String)
    rows = rows.select(*keys, "export_id", "said_at", who.alias("customer_id"), day(valid_from).alias("valid_from"), day(valid_to).alias("valid_to"))
    rows = rows.with_row_index("row").with_columns(pl.lit(register.channel).alias("register"))
    long = rows.unpivot(keys, index=["row", *(name for name in rows.columns if name not in (*keys, "row"))], variable_name="key_type", value_name="key_hash")
    long = long.filter(pl.col("key_hash").is_not_null()).with_columns(pl.col("key_type").str.strip_prefix("key_"))
    if "customer_id" in given:    # of a customer only vehicles have a time
        long = long.filter(pl.col("customer_id").is_not_null()).with_columns(pl.when(pl.col("key_type") == "vin").then(pl.col("valid_from", "valid_to")))
    writer.append_new("identities", with_claim_ids(long.with_columns(pl.lit(datetime.now(UTC)).alias("added_at"))))


def with_claim_ids(long: pl.DataFrame) -> pl.DataFrame:
    """Claims with the ids of their entry and of themselves, from what they say; `row` (or `entry_id`) tells which belong together, and leaves.

    An entry of a register that knows customers is the customer; another is what its keys and its day are.
    """
    together = "row" if "row" in long.columns else "entry_id"
    long = long.with_columns(pl.format("{}:{}", "key_type", "key_hash").sort().str.join("|").over(together).alias("keys"))
    entry = pl.coalesce("customer_id", _hash_of(long, "entry", ("register", "keys", "valid_from")))
    long = long.with_columns(entry.alias("entry_id")).drop("keys", *(["row"] if together == "row" else []))
    return long.with_columns(_hash_of(long, "claim", SAYS).alias("claim_id"))


def _hash_of(rows: pl.DataFrame, what: str, names: tuple[str, ...]) -> pl.Series:
    parts = pl.concat_str([pl.col(name).cast(pl.String).fill_null("-") for name in names], separator="|")
    return hashed_id(what, rows.select(parts).to_series())
