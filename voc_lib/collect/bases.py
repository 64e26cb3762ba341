"""Denominators: exports of how many vehicles, accounts or users there are, read through a contract of their own.

`data/domains/<domain>/bases/<base>.yaml` is written like a channel's contract: title, owner, cannot_tell, read, aliases,
where and columns (`month` as 2026-11, `in_use`, and what the export tells of product, region, batch, supplier).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from voc_lib import schema
from voc_lib.collect.contract import ContractError, load_contract
from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.masking import mask_text
from voc_lib.collect.prepare import export_id, exported_at, quarantined
from voc_lib.collect.readers import ExportError, read_export
from voc_lib.contracts import Channel
from voc_lib.engine import quote
from voc_lib.messages import system_words
from voc_lib.store_write import Writer

TABLE = "exposure"
PREFIX = "base:"  # of such exports in the table `exports`
CELL = ("month", "product", "region", "batch", "supplier")
log = logging.getLogger("voc.ingest")


def load_bases(domains: Path, domain: str) -> list[Channel]:
    """The contracts of a domain's denominators, by file name; none is no mistake. Raises ContractError."""
    return [load_contract(path, TABLE) for path in sorted((domains / domain / "bases").glob("*.yaml"))]


def ingest_base(writer: Writer, base: Channel, files: list[Path], folder: Path, count) -> None:
    """Append what the files say; a file read before is not read again, a file that does not fit is named in `count`."""
    known = writer.sql(f"SELECT export_id, contract, rows_read FROM exports WHERE channel = {quote(PREFIX + base.channel)}")
    for path in files:
        name = str(path.relative_to(folder))
        try:
            identity = export_id(path)
            before = known.filter((pl.col("export_id") == identity) & (pl.col("contract") == base.fingerprint))
            if before.height:
                count.files_known += 1
                count.rows_read += before["rows_read"].item()
                continue
            _read(writer, base, path, name, identity, count)
        except (ExportError, ContractError, OSError) as error:
            system = system_words(error)
            count.failed[mask_text(name)] = mask_text(f"打不开：{system[0]}。{system[1]}后重试。" if system else str(error))
            log.error("%s：%s", name, error)


def _read(writer: Writer, base: Channel, path: Path, name: str, identity: str, count) -> None:
    moment, frames, rejects, read, filtered = exported_at(path, base), [], [], 0, 0
    for chunk in read_export(path, base.read):
        typed, refused, left_out = apply_contract(chunk.frame, base)
        frames.append(typed.select(pl.col(c) if c in typed.columns else pl.lit("").alias(c) for c in (*CELL, "in_use")))
        rejects += chunk.rejects + refused
        read += chunk.frame.height + len(chunk.rejects)
        filtered += left_out
    rows = pl.concat(frames).with_columns(pl.col(CELL).fill_null(""))
    # An export finer than the store's grain (by dealer, by colour) is added up.
    rows = rows.group_by(CELL, maintain_order=True).agg(pl.col("in_use").sum())
    facts = {"export_id": pl.lit(identity), "exported_at": pl.lit(moment), "base": pl.lit(base.channel)}
    writer.append_new(TABLE, rows.with_columns(value.alias(column) for column, value in facts.items()))
    writer.append_new("quarantine", quarantined(rejects, base, identity, name))
    row = {"export_id": identity, "channel": PREFIX + base.channel, "contract": base.fingerprint, "file": mask_text(name), "rows_read": read, "rows_filtered": filtered,
           "rows_quarantined": len(rejects), "rows_repeated": 0, "feedback_stored": 0, "exported_at": moment, "ingested_at": datetime.now(UTC), "cursor": None}
    writer.append("exports", pl.DataFrame([row], schema=schema.table("exports").polars_schema))
    count.rows_read += read
    count.rows_filtered += filtered
    count.rows_quarantined += len(rejects)
