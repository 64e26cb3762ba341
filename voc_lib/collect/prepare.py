"""A typed chunk becomes rows of the store: ids, week in the contract's time zone, hashed author and keys."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from voc_lib import schema
from voc_lib.collect.expressions import used_columns
from voc_lib.collect.keys import keyed_hash, normalise
from voc_lib.collect.masking import mask, mask_text
from voc_lib.collect.readers import UNREADABLE, Reject
from voc_lib.contracts import Channel

UNDATED = "undated"
HASHED = ("feedback_id", "thread_id", "parent_id", "author_key", "export_id", "channel", "iso_week", "source_id", "author_kind")
FREE_TEXT = tuple(c.name for c in schema.table("feedback").columns if c.type == pl.String and c.name not in HASHED)


def hashed_id(*parts: pl.Series | str) -> pl.Series:
    """First 128 bits of sha256 over length-prefixed parts, hex; null where the last part is null.

    >>> hashed_id("forum", pl.Series(["1"])).item() != hashed_id("foru", pl.Series(["m1"])).item()
    True
    """
    prefix, sha256 = b"".join(_prefixed(part) for part in parts[:-1]), hashlib.sha256
    values = parts[-1]
    coded = [None if value is None else value.encode() for value in values.to_list()]
    hashed = [None if c is None else sha256(b"%b%d:%b" % (prefix, len(c), c)).hexdigest()[:32] for c in coded]
    return pl.Series(values.name, hashed, dtype=pl.String)


def _prefixed(part: str) -> bytes:
    coded = part.encode()
    return f"{len(coded)}:".encode() + coded


def export_id(path: Path) -> str:
    """First 128 bits of sha256 over name and bytes: the same file is the same export wherever it lies."""
    digest = hashlib.sha256(_prefixed(path.name))
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:32]


def exported_at(path: Path, channel: Channel) -> datetime:
    """The date of the export: from its name where the contract says how, else the file's own time. UTC."""
    zone = ZoneInfo(channel.timezone)
    found = re.search(channel.read.export_date, path.name) if channel.read.export_date else None
    if found:
        digits = re.sub(r"\D", "", found[1 if found.re.groups else 0])[:8]
        try:
            return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            pass
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)


def prepare(typed: pl.DataFrame, channel: Channel, export: str, seen_at: datetime) -> pl.DataFrame:
    """Rows with the columns of `feedback` as far as the contract fills them, plus status, deleted, key_*, seen_at.

    Text is still unmasked: masking is done once per new row, at the door of the store.
    """
    rows = typed.with_columns(source_id=_source_key(typed["source_id"]))
    rows = rows.with_columns(
        hashed_id(channel.channel, rows["source_id"]).alias("feedback_id"),
        pl.lit(channel.channel).alias("channel"), pl.lit(channel.solicited).alias("solicited"),
        pl.lit(export).alias("export_id"), pl.lit(seen_at).cast(schema.UTC_TIME).alias("seen_at"),
    )
    if "author" in rows.columns:
        rows = rows.with_columns(keyed_hash(f"author:{channel.channel}", rows["author"]).alias("author_key")).drop("author")
    if "parent_id" in rows.columns:
        rows = rows.with_columns(hashed_id(channel.channel, _source_key(rows["parent_id"])))
    if "thread_id" in rows.columns:
        rows = rows.with_columns(hashed_id("thread", channel.channel, rows["thread_id"]))
    for name in [n for n in rows.columns if n.startswith("key_")]:
        kind = name.removeprefix("key_")
        plain = pl.Series(name, [normalise(kind, value) for value in rows[name]], dtype=pl.String)
        rows = rows.with_columns(keyed_hash(kind, plain).alias(name))
    if "occurred_at" not in rows.columns:
        return rows.with_columns(pl.lit(UNDATED).alias("iso_week"))
    local = pl.col("occurred_at").dt.convert_time_zone(channel.timezone)
    return rows.with_columns(
        local.dt.date().alias("local_date"), local.dt.strftime("%G-W%V").fill_null(UNDATED).alias("iso_week")
    )


def _source_key(ids: pl.Series) -> pl.Series:
    """Ids as they are; one that holds personal data (a phone number as order id) is replaced by its keyed hash."""
    named = ids.rename("source_id")
    personal = mask(named.to_frame())["source_id"].ne_missing(named)
    if not personal.any():
        return ids
    return pl.select(pl.when(personal).then("k" + keyed_hash("source_id", named)).otherwise(named)).to_series().rename(ids.name)


def mask_feedback(rows: pl.DataFrame) -> pl.DataFrame:
    """The door: every text column of feedback and the status, masked."""
    return mask(rows, [name for name in (*FREE_TEXT, "status") if name in rows.columns])


def quarantined(rejects: list[Reject], channel: Channel, export: str, file: str, contract: str | None = None) -> pl.DataFrame:
    """Refused rows as they may be kept: only columns the contract stores, masked; a line that cannot be split, not at all."""
    rows = []
    for reject in rejects:
        stored = used_columns(list(reject.values), channel, _all_columns(channel))
        shown = {name: mask_text(str(reject.values[name])) for name in stored if reject.values[name] is not None}
        if reject.values is UNREADABLE:
            shown = UNREADABLE
        rows.append({
            "export_id": export, "channel": channel.channel, "contract": contract or channel.fingerprint, "file": mask_text(file), "line": reject.line,
            "reason": mask_text(reject.reason), "values": json.dumps(shown, ensure_ascii=False), "quarantined_at": datetime.now(UTC),
        })
    return pl.DataFrame(rows, schema=schema.table("quarantine").polars_schema)


def _all_columns(channel: Channel) -> dict[str, object]:
    columns = dict(channel.columns)
    for i, variant in enumerate(channel.variants):
        columns |= {f"{name}.{i}": value for name, value in variant.columns.items() if name != "author"}
    return columns
