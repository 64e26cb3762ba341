"""What is still refused, and reading it again after a contract was mended: which rows came in, which did not, and why.

Nothing is deleted: what a later reading took in leaves the view `refused` because that reading no longer refuses it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from voc_lib.collect.registers import PREFIX, ingest_register, load_registers
from voc_lib.collect.contract import load_channels
from voc_lib.collect.identity.link import link
from voc_lib.collect.ingest import SourceCount, files_of, ingest_channel, known_sources
from voc_lib.collect.prepare import export_id
from voc_lib.contracts import Channel
from voc_lib.engine import quote
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import Store, open_store
from voc_lib.store_write import write_store

LINES = 10  # line numbers kept per reason and file: enough to find them, short enough to read
AGAIN, UNCHANGED, GONE, NO_CONTRACT, PULLED, FAILED = "reread", "unchanged", "gone", "no_contract", "database", "failed"


class RefusedError(Told):
    """What is asked of the quarantine is not there."""


@dataclass
class Retried:
    """What became of one export's refused rows: stored, known already, left out by the contract's filter, or still refused."""

    channel: str
    file: str
    refused_before: int
    state: str
    stored: int = 0
    still_refused: int = 0
    filtered: int = 0
    why: str = ""

    def as_dict(self) -> dict:
        return asdict(self)


def refused(store: Store, channel: str | None = None, reason: str | None = None) -> pl.DataFrame:
    """Rows still refused by channel, file and reason, most first: rows, the first lines, and one row's values (masked)."""
    _known_channel(store, channel)
    where = [f"channel = {quote(channel)}"] if channel else []
    where += [f"contains(reason, {quote(reason)})"] if reason else []
    return store.sql(
        "SELECT channel, file, reason, count(*) AS rows, list_sort(list(line)) AS lines, arg_min(\"values\", line) AS example "
        f"FROM refused {'WHERE ' + ' AND '.join(where) if where else ''} GROUP BY channel, file, reason ORDER BY rows DESC, channel, file, reason"
    ).with_columns(pl.col("lines").list.head(LINES))


def settled(store: Store) -> int:
    """Rows that were refused once and no longer are: read in later, or in a newer file of the same name."""
    keys = "export_id, line"
    return store.sql(f"SELECT count(*) AS n FROM (SELECT DISTINCT {keys} FROM quarantine EXCEPT SELECT DISTINCT {keys} FROM refused)")["n"].item()


def _known_channel(store: Store, channel: str | None) -> None:
    have = store.sql("SELECT DISTINCT replace(channel, 'base:', '') AS channel FROM exports ORDER BY channel")["channel"].to_list()
    if channel and channel not in have:
        raise RefusedError(f"库「{store.name}」没有读过渠道「{channel}」的导出。读过的：{'、'.join(have) or '无'}。")


def retry(name: str, channel: str | None = None) -> list[Retried]:
    """Read again the exports with rows still refused whose contract was mended since; one snapshot, nothing stored twice."""
    store = open_store(name)
    _known_channel(store, channel)
    held = store.sql("SELECT channel, file, export_id, any_value(contract) AS contract, count(*) AS rows FROM refused GROUP BY channel, file, export_id ORDER BY channel, file")
    held = held.filter(pl.col("channel") == channel) if channel else held
    domain = store.about["domain"]
    contracts = {c.channel: c for c in load_channels(settings().domains, domain)} | {b.channel: b for b in load_registers(settings().domains, domain)}
    found = {row["export_id"]: _where(row, contracts.get(row["channel"]), name) for row in held.iter_rows(named=True)}
    results = [Retried(row["channel"], row["file"], row["rows"], found[row["export_id"]][0]) for row in held.iter_rows(named=True)]
    again = [(row, found[row["export_id"]]) for row in held.iter_rows(named=True) if found[row["export_id"]][0] == AGAIN]
    if not again:
        return results
    failed: dict[tuple[str, str], str] = {}
    with write_store(name, "quarantine retry") as writer:
        for row, (_, path, folder) in again:
            contract = contracts[row["channel"]]
            count = SourceCount(contract.channel, contract.title)
            if contract.table == "feedback":
                count = ingest_channel(writer, contract, [path], folder)
            else:
                ingest_register(writer, contract, [path], folder, count)
            # A file of which every row is refused is named there too; here its rows are counted below.
            failed |= {(row["channel"], row["file"]): why for why in count.failed.values() if not count.rows_quarantined}
        link(writer)
    return [_outcome(result, open_store(name), contracts, failed) if result.state == AGAIN else result for result in results]


def _where(row: dict, contract: Channel | None, name: str) -> tuple[str, Path | None, Path | None]:
    """Whether the export can be read again, and where it lies."""
    if contract is None:
        return NO_CONTRACT, None, None
    if contract.read.sql or row["file"].startswith("env:"):
        return PULLED, None, None
    if row["contract"] == contract.fingerprint:
        return UNCHANGED, None, None
    for folder in (folder for folder in known_sources(name) if folder.is_dir()):
        for path in files_of(contract, folder):
            if export_id(path) == row["export_id"]:
                return AGAIN, path, folder
    return GONE, None, None


def _outcome(result: Retried, store: Store, contracts: dict[str, Channel], failed: dict[tuple[str, str], str]) -> Retried:
    if why := failed.get((result.channel, result.file)):
        result.state, result.why, result.still_refused = FAILED, why, result.refused_before
        return result
    contract = contracts[result.channel]
    named = result.channel if contract.table == "feedback" else PREFIX + result.channel
    last = store.sql(f"SELECT rows_quarantined, rows_filtered, feedback_stored FROM exports WHERE channel = {quote(named)} AND file = {quote(result.file)} "
                     f"AND contract = {quote(contract.fingerprint)} ORDER BY ingested_at DESC LIMIT 1").row(0, named=True)
    result.still_refused, result.filtered, result.stored = last["rows_quarantined"], last["rows_filtered"], last["feedback_stored"]
    reasons = store.sql(f"SELECT reason, count(*) AS n FROM refused WHERE channel = {quote(result.channel)} AND file = {quote(result.file)} GROUP BY reason ORDER BY n DESC, reason")
    result.why = "；".join(f"{n:,} 行：{reason}" for reason, n in reasons.iter_rows())
    return result
