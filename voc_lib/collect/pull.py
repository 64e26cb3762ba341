"""From databases to the store: the same contract, masking door and quarantine as files, and a mark where the next pull begins.

The mark lives in the table `exports` of the snapshot that holds the rows it speaks of: what is not published is read again.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import polars as pl

from voc_lib import schema
from voc_lib.collect.contract import ContractError, load_channels
from voc_lib.collect.databases import Database, open_database
from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.identity.link import link
from voc_lib.collect.ingest import IngestError, SourceCount, domain_of, store_rows
from voc_lib.collect.masking import mask_text
from voc_lib.collect.prepare import hashed_id, mask_feedback, prepare, quarantined
from voc_lib.collect.readers import LINE, ExportError
from voc_lib.collect.sql_source import BrokenPull, Piece, read_database
from voc_lib.contracts import Channel
from voc_lib.engine import quote
from voc_lib.settings import settings
from voc_lib.store_write import Writer, write_store

FLUSH_ROWS = 100_000  # rows held in memory before they are written
log = logging.getLogger("voc.ingest")


def pull(store: str, domain: str | None = None, needed: bool = False) -> list[SourceCount]:
    """Read what is new in every database that a contract of the store's domain names; one snapshot per channel.

    With a cursor only rows from the last mark on are read, without one all of them; rows that say nothing new are
    counted as repeated and leave no trace. A connection that breaks leaves the rows up to its last complete piece
    (with a cursor) or nothing, and is named in `failed`. Raises IngestError when a database is `needed` and none is named.
    """
    domain = domain_of(store, domain)
    channels = [channel for channel in load_channels(settings().domains, domain) if channel.read.sql]
    if needed and not channels:
        raise IngestError(f"没有给出文件夹。领域「{domain}」的来源都从文件读取，请写：voc ingest --store {store} 文件夹")
    return [_pull_channel(store, domain, channel) for channel in channels]


def _pull_channel(store: str, domain: str, channel: Channel) -> SourceCount:
    count = SourceCount(channel.channel, channel.title, files=1)
    try:
        with write_store(store, f"ingest {channel.channel}", domain=domain) as writer:
            _pull(writer, channel, open_database(channel), count)
            link(writer)
    except (ExportError, ContractError) as error:
        _failed(count, channel, str(error))
    return count


def _failed(count: SourceCount, channel: Channel, why: str) -> None:
    name = f"{channel.channel}（{channel.read.connection}）"
    count.failed[name] = mask_text(why)
    log.error("%s：%s", name, count.failed[name])


def _pull(writer: Writer, channel: Channel, database: Database, count: SourceCount) -> None:
    # Another contract, or another database behind the variable, starts from the beginning.
    contract = f"{channel.fingerprint}-{database.identity}"
    before = writer.sql(f"SELECT export_id, contract, cursor FROM exports WHERE channel = {quote(channel.channel)} ORDER BY ingested_at, export_id")
    earlier = before.filter(pl.col("contract") == contract)
    mark = earlier["cursor"].drop_nulls().last() if earlier["cursor"].count() else None
    identity = hashed_id("pull", channel.channel, contract, pl.Series([str(earlier.height)])).item()
    facts = {
        "export_id": identity, "channel": channel.channel, "contract": contract, "file": channel.read.connection, "rows_read": 0,
        "rows_filtered": 0, "rows_quarantined": 0, "rows_good": 0, "feedback_stored": 0, "exported_at": datetime.now(UTC), "cursor": mark,
    }
    count.resumed = f"从上次读到的 {mark.partition(':')[2]} 接着读" if mark else ""
    known = _known(writer, channel, contract) if before.height else None
    pending: list[pl.DataFrame] = []
    news = 0
    try:
        for piece in read_database(database, channel, mark):
            rows, refused = _fit(piece, channel, facts)
            rows, refused = _without_repeats(rows, refused, piece.again, known)
            facts["rows_quarantined"] += writer.append("quarantine", refused.drop("again"))
            news += rows.height + refused.height
            pending.append(rows.drop(LINE))
            if sum(frame.height for frame in pending) >= FLUSH_ROWS:
                store_rows(writer, pending, {(channel.channel, identity): facts})
                pending = []
            facts["cursor"] = piece.mark
    except BrokenPull as error:
        if facts["cursor"] == mark:
            raise BrokenPull(f"{error}。这次读到的没有存入，库中已有的数据没有改动；再运行一次会{'接着上次的位置' if mark else '从头'}读取。") from None
        reached = facts["cursor"].partition(":")[2]
        _failed(count, channel, f"{error}。断开前完整的 {facts['rows_read']:,} 行已存好；再运行一次会从 {reached} 接着读，不会遗漏，也不会重复。")
    if any(frame.height for frame in pending):
        store_rows(writer, pending, {(channel.channel, identity): facts})
    facts["rows_repeated"] = facts.pop("rows_good") - facts["feedback_stored"]
    for name in ("rows_read", "rows_filtered", "rows_quarantined", "rows_repeated", "feedback_stored"):
        setattr(count, name, facts[name])
    if news or facts["cursor"] != mark:
        row = facts | {"ingested_at": datetime.now(UTC)}
        writer.append("exports", pl.DataFrame([row], schema=schema.table("exports").polars_schema))
    else:
        count.files_known = 1


def _fit(piece: Piece, channel: Channel, facts: dict) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that fit, and the refused ones as quarantine keeps them with `again`; both counted in `facts`."""
    typed, rejects, filtered = apply_contract(piece.frame, channel)
    rows = prepare(typed, channel, facts["export_id"], facts["exported_at"])
    # The order of the cursor is the order of events: of two rows about one feedback the later one is seen later.
    rows = rows.with_columns(pl.col("seen_at") + pl.duration(microseconds=pl.col(LINE)))
    refused = quarantined(rejects, channel, facts["export_id"], facts["file"], facts["contract"])
    facts["rows_read"] += piece.frame.height
    facts["rows_filtered"] += filtered
    facts["rows_good"] += rows.height
    return rows, refused.with_columns(again=pl.col("line").is_in(piece.again))


def _known(writer: Writer, channel: Channel, contract: str) -> dict[str, pl.DataFrame]:
    """What the store says of the channel's feedback before this pull: ids, statuses, deletions, refused rows."""
    ids = f"SELECT feedback_id FROM feedback_rows WHERE channel = {quote(channel.channel)}"
    # Rows near the mark may hold an old status, which is no news; a full pull shows the present, where going back is.
    ever = "SELECT DISTINCT feedback_id, {0} FROM {1} WHERE {0} IS NOT NULL AND feedback_id IN ({2})"
    last = "SELECT feedback_id, arg_max({0}, seen_at) AS {0} FROM {1} WHERE {0} IS NOT NULL AND feedback_id IN ({2}) GROUP BY feedback_id"
    told = ever if channel.read.cursor else last
    return {
        "ids": writer.sql(ids), "status": writer.sql(told.format("status", "status_history", ids)),
        "deleted": writer.sql(told.format("deleted", "sightings", ids)),
        "refused": writer.sql(f'SELECT DISTINCT reason, "values" FROM quarantine WHERE channel = {quote(channel.channel)} AND coalesce(contract, {quote(contract)}) = {quote(contract)}'),
    }


def _without_repeats(
    rows: pl.DataFrame, refused: pl.DataFrame, again: list[int], known: dict[str, pl.DataFrame] | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Without the rows read again that say nothing the store does not hold: reading twice leaves no trace."""
    if known is None or not again:
        return rows, refused
    told = [name for name in ("status", "deleted") if name in rows.columns]
    repeated = mask_feedback(rows.filter(pl.col(LINE).is_in(again)).select(LINE, "feedback_id", *told))
    repeated = repeated.join(known["ids"], on="feedback_id", how="semi")
    for name in told:
        same = repeated.join(known[name], on=["feedback_id", name], how="semi")
        repeated = pl.concat([repeated.filter(pl.col(name).is_null()), same])
    held = refused.filter("again").join(known["refused"], on=["reason", "values"], how="semi")
    return rows.filter(~pl.col(LINE).is_in(repeated[LINE].implode())), refused.filter(~pl.col("line").is_in(held["line"].implode()))
