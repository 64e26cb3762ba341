"""Exports of a folder into the store: contract, masking door, then rows that were not there yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from voc_lib import schema
from voc_lib.collect.registers import ingest_register, load_registers
from voc_lib.collect.contract import load_channels
from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.identity.link import link
from voc_lib.collect.masking import mask_text
from voc_lib.collect.prepare import exported_at, mask_feedback, prepare, quarantined
from voc_lib.collect.readers import LINE, Chunk, Reject, read_export
from voc_lib.collect.sniff import SUFFIXES, is_lock, locked_of
from voc_lib.collect.unread import unread
from voc_lib.contracts import Channel
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import STORE_FILE, Store
from voc_lib.store_write import Writer, write_store

NOTICE = "notice.txt"  # beside exports: a line for every page that is made from them, such as that they are synthetic
FLUSH_ROWS = 500_000  # rows held in memory before they are written
MASK_ROWS = 125_000  # rows masked by one thread at a time; copies among them are masked once
THREADS = 2  # most of the work is done outside Python; more threads than this wait for it


@dataclass
class SourceCount:
    """What one channel's exports gave in one run. `failed` maps a masked file name to what is wrong with it.

    `base` marks a register (`table` says what it fills), which stores no feedback. A pull from a database counts as a file, which is known when it brought nothing new; `resumed` says where it began.
    """

    channel: str
    title: str
    files: int = 0
    files_known: int = 0
    rows_read: int = 0
    rows_filtered: int = 0
    rows_quarantined: int = 0
    rows_repeated: int = 0
    feedback_stored: int = 0
    resumed: str = ""
    base: bool = False
    table: str = "feedback"
    failed: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict:
        return asdict(self)


class IngestError(Told):
    """Nothing can be ingested as asked."""


def ingest(store: str, folder: Path, domain: str | None = None) -> list[SourceCount]:
    """Read every export below `folder` that a contract of the store's domain claims; one snapshot at the end.

    A file that does not fit is left out and named; a row that does not fit goes to quarantine. Ingesting the same
    files again stores nothing. Raises IngestError, ContractError or StoreError when nothing can be done at all.
    """
    if folder.is_file():
        raise IngestError(f"「{folder}」是一个文件，不是文件夹。请给出它所在的文件夹。")
    if not folder.is_dir():
        raise IngestError(f"没有文件夹「{folder}」。请给出导出文件所在的文件夹。")
    domain = domain_of(store, domain)
    channels = load_channels(settings().domains, domain)
    bases = load_registers(settings().domains, domain)
    claimed = {contract.path: files_of(contract, folder) for contract in [*channels, *bases]}
    if not any(claimed.values()):
        patterns = "；".join(f"{c.title}：{'、'.join(c.read.glob)}" for c in [*channels, *bases] if c.read.glob)
        if not patterns:
            raise IngestError(f"领域「{domain}」的来源都在数据库里，不读文件。去掉文件夹再运行。")
        raise IngestError(f"「{folder}」里没有任何文件符合领域「{domain}」的合同：{_found_in(folder)}。各来源要找的是：{patterns}。")
    with write_store(store, f"ingest {folder.name}", domain=domain) as writer:
        counts = ingest_channels(writer, [(channel, claimed[channel.path]) for channel in channels if claimed[channel.path]], folder)
        for base in (base for base in bases if claimed[base.path]):
            counts.append(SourceCount(base.channel, base.title, files=len(claimed[base.path]), base=True, table=base.table))
            ingest_register(writer, base, claimed[base.path], folder, counts[-1])
        link(writer)
        told = {"notice": (folder / NOTICE).read_text("utf-8").strip()} if (folder / NOTICE).is_file() else {}
        writer.remember(sources=sorted({*_sources(writer.path), str(folder.resolve())}), **told)
    return counts


def _found_in(folder: Path) -> str:
    files = sorted(mask_text(str(path.relative_to(folder))) for path in folder.rglob("*") if path.is_file())
    return f"那里有 {'、'.join(files[:5])}" + (f" 等 {len(files)} 个文件" if len(files) > 5 else "") if files else "那里一个文件也没有"


def unclaimed(store: str, folder: Path) -> list[str]:
    """Files below `folder` that no contract of the store's domain claims, masked: a misnamed export is not lost in silence."""
    domain = domain_of(store, None)
    channels = [*load_channels(settings().domains, domain), *load_registers(settings().domains, domain)]
    claimed = {path for channel in channels for path in files_of(channel, folder)}
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path not in claimed and not path.is_dir())
    return [mask_text(str(path.relative_to(folder))) for path in found
            if not path.name.startswith(("~$", ".")) and path.name != NOTICE and not path.relative_to(folder).parts[0].startswith("_")]


def opened(folder: Path) -> list[str]:
    """Files that an office program has open, by the locks beside them, masked: what is unsaved there was not read."""
    return sorted({mask_text(str(path.with_name(locked_of(path)).relative_to(folder))) for path in folder.rglob("*") if is_lock(path)})


def domain_of(store: str, given: str | None) -> str:
    """The domain of a store: the one it was made with, else the given one, else that of voc.toml. Raises IngestError."""
    known = Store(store, settings().lake / store, "", {}).about.get("domain")
    if known and given and known != given:
        raise IngestError(f"库「{store}」属于领域「{known}」，不能再用「{given}」导入。另起一个库名，或去掉 --domain。")
    chosen = known or given or (settings().stores[store].domain if store in settings().stores else None)
    if chosen is None:
        have = "、".join(sorted(path.parent.name for path in settings().domains.glob("*/channels")))
        raise IngestError(f"库「{store}」还不存在，请用 --domain 说明领域。现有领域：{have}。")
    return chosen


def _sources(path: Path) -> list[str]:
    return Store(path.name, path, "", {}).about.get("sources", []) if (path / STORE_FILE).exists() else []


def files_of(channel: Channel, folder: Path) -> list[Path]:
    """The exports below the folder that a contract claims, oldest first; marks of office programs are none."""
    found = {path for pattern in channel.read.glob for path in folder.glob(pattern) if path.is_file()}
    return sorted(
        (p for p in found if not p.name.startswith(("~$", "."))), key=lambda p: (exported_at(p, channel), p.name)
    )


def ingest_channel(writer: Writer, channel: Channel, files: list[Path], folder: Path) -> SourceCount:
    """Read one channel's files; what was read under this very contract before is counted and not read again."""
    return ingest_channels(writer, [(channel, files)], folder)[0]


def ingest_channels(writer: Writer, sources: list[tuple[Channel, list[Path]]], folder: Path) -> list[SourceCount]:
    """Read the files of several channels; a count of each, in their order.

    Rows of all channels are written together: a file per channel and week would make a lake of a thousand small files, and every question opens them all.
    """
    counts: list[SourceCount] = []
    pending: list[pl.DataFrame] = []
    exports: dict[tuple[str, str], dict] = {}
    for channel, files in sources:
        counts.append(count := SourceCount(channel.channel, channel.title, files=len(files)))
        before = writer.sql(f"SELECT * FROM exports WHERE channel = '{channel.channel}'")
        known = {(row["export_id"], row["contract"]): row for row in before.iter_rows(named=True)}
        for identity, (name, rows, refused, facts) in unread(files, folder, channel, known, count.failed, partial(_count_known, count), partial(_read_file, channel)):
            exports[channel.channel, identity] = facts
            if refused.height and not rows_in(rows):
                count.failed[mask_text(name)] = _all_refused(refused)
            writer.append("quarantine", refused)
            pending += rows
            if rows_in(pending) >= FLUSH_ROWS:
                store_rows(writer, pending, exports)
                pending = []
    store_rows(writer, pending, exports)
    by_channel = {count.channel: count for count in counts}
    for (name, _), facts in exports.items():
        facts["rows_repeated"] = facts.pop("rows_good") - facts["feedback_stored"]
        for fact in ("rows_read", "rows_filtered", "rows_quarantined", "rows_repeated", "feedback_stored"):
            setattr(by_channel[name], fact, getattr(by_channel[name], fact) + facts[fact])
    writer.append("exports", pl.DataFrame(list(exports.values()), schema=schema.table("exports").polars_schema))
    return counts


def rows_in(frames: list[pl.DataFrame]) -> int:
    return sum(frame.height for frame in frames)


def _all_refused(refused: pl.DataFrame) -> str:
    """A file of which no row could be used says why: most likely its contract is wrong, not its rows."""
    reason, rows = refused["reason"].value_counts(sort=True).row(0)
    most = "" if rows == refused.height else f"其中 {rows:,} 行"
    return f"{refused.height:,} 行全部进了隔离区，{most}因为：{reason}。请对照文件改合同，再运行一次；改过的合同会重新读它。"


def _count_known(count: SourceCount, facts: dict) -> None:
    count.files_known += 1
    count.rows_read += facts["rows_read"]
    count.rows_filtered += facts["rows_filtered"]
    count.rows_repeated += facts["rows_read"] - facts["rows_filtered"] - facts["rows_quarantined"]


def _read_file(channel: Channel, path: Path, name: str, identity: str) -> tuple[str, list[pl.DataFrame], pl.DataFrame, dict]:
    seen_at = exported_at(path, channel)
    rows, rejects, read, filtered = [], [], 0, 0

    def fit(chunk: Chunk) -> tuple[Chunk, pl.DataFrame, list[Reject], int]:
        typed, refused, left_out = apply_contract(chunk.frame, channel)
        return chunk, prepare(typed, channel, identity, seen_at).drop(LINE), refused, left_out

    for chunk, fitting, refused, left_out in in_threads(fit, read_export(path, channel.read)):
        rows.append(fitting)
        rejects += chunk.rejects + refused
        read += chunk.frame.height + len(chunk.rejects)
        filtered += left_out
    facts = {
        "export_id": identity, "channel": channel.channel, "contract": channel.fingerprint, "file": mask_text(name),
        "rows_read": read, "rows_filtered": filtered, "rows_quarantined": len(rejects),
        "rows_good": rows_in(rows), "feedback_stored": 0,
        "exported_at": seen_at, "ingested_at": datetime.now(UTC),
    }
    return name, rows, quarantined(rejects, channel, identity, name), facts


def store_rows(writer: Writer, pending: list[pl.DataFrame], exports: dict[tuple[str, str], dict]) -> None:
    """New feedback, and what every row adds to a feedback already there: a sighting, a status. `exports`: facts by channel and export_id."""
    if not pending:
        return
    rows = pl.concat(pending, how="diagonal")
    there = writer.sql("SELECT feedback_id, iso_week FROM feedback_rows").join(rows, on="feedback_id", how="semi")
    fresh = rows.unique("feedback_id", keep="first", maintain_order=True).join(there, on="feedback_id", how="anti", maintain_order="left")
    fields = [c.name for c in schema.table("feedback").columns if c.name in fresh.columns]
    fresh = pl.concat(in_threads(mask_feedback, fresh.iter_slices(MASK_ROWS))) if fresh.height else fresh
    writer.append("feedback", fresh.select(fields).with_columns(pl.lit(datetime.now(UTC)).alias("ingested_at")))
    for channel, identity, stored in fresh.group_by("channel", "export_id").len().iter_rows():
        exports[channel, identity]["feedback_stored"] += stored
    # The week under which a feedback is stored never changes, even where a later export moves its date.
    weeks = pl.concat([there, fresh.select("feedback_id", "iso_week")])
    seen = rows.drop("iso_week").join(weeks, on="feedback_id", how="left", maintain_order="left")
    _store_sightings(writer, seen)
    if "status" in seen.columns:
        _store_statuses(writer, seen)
    keys = [name for name in fresh.columns if name.startswith("key_")]
    if keys:
        long = fresh.select("feedback_id", "channel", *keys).unpivot(keys, index=["feedback_id", "channel"], variable_name="key_type", value_name="key_hash")
        writer.append("identity_keys", long.filter(pl.col("key_hash").is_not_null()).with_columns(pl.col("key_type").str.strip_prefix("key_")))


def _store_sightings(writer: Writer, seen: pl.DataFrame) -> None:
    wanted = ["feedback_id", "iso_week", "export_id", "seen_at", *(["deleted"] if "deleted" in seen.columns else [])]
    rows = seen.select(wanted).unique(["feedback_id", "export_id"], keep="first", maintain_order=True)
    listed = ", ".join(f"'{value}'" for value in rows["export_id"].unique())
    there = writer.sql(f"SELECT feedback_id, export_id FROM sightings WHERE export_id IN ({listed})")
    writer.append("sightings", rows.join(there, on=["feedback_id", "export_id"], how="anti", maintain_order="left"))


def _store_statuses(writer: Writer, seen: pl.DataFrame) -> None:
    columns = ["feedback_id", "iso_week", "status", "seen_at"]
    given = mask_feedback(seen.select(columns).filter(pl.col("status").is_not_null()))
    if given.is_empty():
        return
    there = writer.sql("SELECT feedback_id, iso_week, status, seen_at FROM status_history").join(given, on="feedback_id", how="semi")
    # A status is a row when it differs from the one seen before it; what is stored stays.
    merged = pl.concat([there.with_columns(old=True), given.with_columns(old=False)]).sort(
        "feedback_id", "seen_at", "old", descending=[False, False, True], maintain_order=True)
    changed = pl.col("status").ne_missing(pl.col("status").shift(1).over("feedback_id"))
    fresh = merged.filter(changed & ~pl.col("old")).select(columns)
    writer.append_new("status_history", fresh)


def in_threads(work: Callable, items: Iterable) -> Iterator:
    """Results in the order of the items, worked on by a few threads; at most twice as many items are held at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= 2 * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def known_sources(store: str) -> list[Path]:
    """The folders a store was fed from, or the one voc.toml names for it."""
    kept = _sources(settings().lake / store)
    named = settings().stores[store].raw if store in settings().stores else None
    return [Path(p) for p in dict.fromkeys([*([str((settings().home / named).resolve())] if named else []), *kept])]
