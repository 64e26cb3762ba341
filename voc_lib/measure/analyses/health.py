"""What the store holds and how fresh it is: rows by table and channel, age of the newest feedback, refused rows."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from voc_lib import schema
from voc_lib.collect.contract import load_channels
from voc_lib.contracts import Channel
from voc_lib.engine import view_name
from voc_lib.settings import settings
from voc_lib.store import Store, open_store


FRESH = ("channel", "feedback", "undated", "first_day", "last_day", "days_old", "freshness_days", "state")


def channels_of(store: Store) -> dict[str, Channel]:
    """The contracts of the store's domain by channel name."""
    return {channel.channel: channel for channel in load_channels(settings().domains, store.about["domain"])}


def channel_titles(store: Store | str | None = None) -> dict[str, str]:
    """Channel name -> title as people say it, from the contracts of the store's domain."""
    store = store if isinstance(store, Store) else open_store(store)
    return {name: channel.title for name, channel in channels_of(store).items()}


def status(store: Store | str | None = None, today: date | None = None) -> dict:
    """Rows by table and channel, snapshot, freshness and quarantine of a store, as plain JSON.

    `fresh` is true while the newest feedback is at most the contract's `freshness_days` old (in days), null where the
    channel has no dates.
    """
    store = store if isinstance(store, Store) else open_store(store)
    today = today or datetime.now(UTC).date()
    tables = {name: store.sql(f"SELECT count(*) AS n FROM {view_name(name)}")["n"].item() for name in schema.table_names()}
    rows = store.sql(
        "SELECT channel, count(*) AS feedback, count(*) FILTER (iso_week = 'undated') AS undated, min(local_date) AS first_day, "
        "max(local_date) AS last_day FROM feedback_rows GROUP BY channel ORDER BY channel"
    )
    found = store.sql("SELECT channel, count(*) AS n FROM refused GROUP BY channel")
    refused = dict(found.iter_rows())
    contracts = channels_of(store)
    return {
        "store": store.name, "domain": store.about["domain"], "snapshot": store.snapshot,
        "published_at": store.published_at.isoformat() if store.published_at else None, "tables": tables,
        "channels": [_channel(row, contracts.get(row["channel"]), refused, today) for row in rows.iter_rows(named=True)],
        "quarantine": sum(refused.values()),
    }


def _channel(row: dict, contract: Channel | None, refused: dict[str, int], today: date) -> dict:
    last, limit = row["last_day"], contract.freshness_days if contract else None
    age = (today - last).days if last else None
    return row | {
        "title": contract.title if contract else row["channel"], "quarantine": refused.get(row["channel"], 0),
        "days_old": age, "freshness_days": limit, "fresh": None if age is None or limit is None else age <= limit,
        "first_day": str(row["first_day"]) if last else None, "last_day": str(last) if last else None,
    }


def freshness(store: Store) -> pl.DataFrame:
    """How old each channel's newest feedback was when the snapshot was published: one row per channel of the domain.

    Columns channel, feedback, undated, first_day, last_day, days_old, freshness_days, state (fresh, stale, undated, empty).
    Measured at the snapshot's own date, so that the same snapshot always gives the same page.
    """
    found = {row["channel"]: row for row in status(store, today=store.published_at.date() if store.published_at else None)["channels"]}
    rows = []
    for name, contract in channels_of(store).items():
        row = found.get(name, {"feedback": 0, "undated": 0})
        state = "empty" if not row["feedback"] else {True: "fresh", False: "stale", None: "undated"}[row["fresh"]]
        rows.append({"channel": name, "freshness_days": contract.freshness_days, "state": state} | {k: row.get(k) for k in FRESH[1:6]})
    return pl.DataFrame(rows, schema=dict.fromkeys(("channel", "first_day", "last_day", "state"), pl.String)
                        | dict.fromkeys(("feedback", "undated", "days_old", "freshness_days"), pl.Int64)).select(FRESH)


def exports_read(store: Store) -> pl.DataFrame:
    """What was read of each channel's exports: files, rows, and where every row went. One row per channel.

    An export read again under a mended contract counts once: its rows as the last reading found them, stored by any of its readings.
    """
    return store.sql(
        "SELECT channel, count(*) AS files, sum(rows_read)::BIGINT AS rows_read, sum(stored)::BIGINT AS feedback_stored, "
        "sum(greatest(rows_read - rows_filtered - rows_quarantined - stored, 0))::BIGINT AS rows_repeated, sum(rows_filtered)::BIGINT AS rows_filtered, "
        "sum(rows_quarantined)::BIGINT AS rows_quarantined FROM (SELECT channel, arg_max(rows_read, ingested_at) AS rows_read, sum(feedback_stored) AS stored, "
        "arg_max(rows_filtered, ingested_at) AS rows_filtered, arg_max(rows_quarantined, ingested_at) AS rows_quarantined "
        "FROM exports WHERE NOT starts_with(channel, 'base:') GROUP BY channel, export_id) GROUP BY channel ORDER BY channel"
    )


def quarantine_reasons(store: Store) -> pl.DataFrame:
    """Rows still refused, by channel and reason, most first: channel, reason, rows, file and line of the first."""
    return store.sql(
        "SELECT channel, reason, count(*) AS rows, min_by(file, (file, line)) AS file, min_by(line, (file, line)) AS line "
        "FROM refused GROUP BY channel, reason ORDER BY rows DESC, channel, reason"
    )


def text_health(feedback: pl.DataFrame) -> pl.DataFrame:
    """What can be made of each channel's words: one row per channel, shares of its feedback (0-1).

    Columns channel, feedback, empty_share (nothing written), repeated_share (words that several feedback share),
    coded_share (at least one code), no_author_share, linked_share, deleted_share (null where the source does not tell).
    """
    written = pl.col("verbatim").is_not_null()
    repeated = written & (pl.len().over("channel", "verbatim") > 1)
    return (
        feedback.with_columns(written.alias("written"), repeated.alias("repeated"))
        .group_by("channel")
        .agg(
            pl.len().alias("feedback"),
            (~pl.col("written")).mean().alias("empty_share"),
            pl.col("repeated").mean().alias("repeated_share"),
            (pl.col("codes").list.len() > 0).mean().alias("coded_share"),
            (pl.col("author_key").is_null() & pl.col("customer_id").is_null()).mean().alias("no_author_share"),
            pl.col("customer_id").is_not_null().mean().alias("linked_share"),
            pl.col("deleted").mean().alias("deleted_share"),
        )
        .sort("channel")
    )
