"""Writing to the lake: one lock per store, append only, one manifest per command, all or nothing.

A command killed in the middle leaves commits that no manifest names; the next writer takes them back before it starts,
and no reader ever sees them.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake
from filelock import FileLock, Timeout

from voc_lib import engine, schema
from voc_lib.settings import settings
from voc_lib.store import SNAPSHOTS, STORE_FILE, Store, StoreError, check_name, first_step, latest_manifest, read_facts, table_files

LOCK_SECONDS = 900  # a weekly ingest of millions of rows takes minutes; waiting longer means something hangs
SILENT_SECONDS = 3  # most commands are over by then
PANIC_SECONDS = 0.3  # after an error threads of the Delta library are still at work
KEEP_DAYS = 7  # a snapshot that no run names stays readable this long
LOG_RETENTION = "interval 36500 days"  # Delta must never clean away a version that a manifest may name
SEARCHED = ("customers", "feedback", "identities", "identity_keys", "links")  # tables in which some thousands are looked for among millions of ids of 32 letters, hardly one of them there twice:
HASHED = ("feedback_id", "customer_id", "person_id", "entry_id", "claim_id", "key_hash")  # without a dictionary, lengths apart from letters, they are read in half the time
OF_HASHES = ("identities", "identity_keys", "links")  # hardly anything else is in these: no compression makes them smaller, and undoing it took a seventh of a day's linking
ROW_GROUP = 131_072  # rows that a reader holds at once, for every processor: of a million they were a third of what answering for the silent needs
REKEYING = ".rekey"  # beside the stores while `voc identity rekey` has not finished
log = logging.getLogger("voc.store")


@contextmanager
def write_store(name: str, command: str, domain: str | None = None, timeout: float = LOCK_SECONDS) -> Iterator[Writer]:
    """Hold the store's lock and write; at the end one manifest is published, on any error nothing is.

    `domain` creates the store where it does not exist yet. Raises StoreError when another command holds the lock
    for longer than `timeout` seconds.
    """
    path = settings().lake / check_name(name)
    if domain is None and not (path / STORE_FILE).exists():
        raise StoreError(f"没有名为「{name}」的库。{first_step(name)}")
    if (settings().lake / REKEYING).exists():
        raise StoreError("换密钥还没有做完，库暂时不能写入。请先运行：voc identity rekey --yes")
    path.mkdir(parents=True, exist_ok=True)
    try:
        with locked(path, timeout):
            _take_back_unpublished(path)
            if domain is not None and not (path / STORE_FILE).exists():
                write_atomically(path / STORE_FILE, {"domain": domain, "sources": []})
            writer = Writer(name, path)
            try:
                yield writer
            except BaseException:
                _take_back_unpublished(path)
                raise
            writer._publish(command)
    except Timeout:
        raise StoreError(f"库「{name}」正被另一个命令写入，等了 {timeout:g} 秒。请等它结束后再试。") from None


@contextmanager
def locked(path: Path, timeout: float = LOCK_SECONDS) -> Iterator[None]:
    """The store's lock; whoever waits for it longer than a moment is told why nothing happens."""
    lock = FileLock(str(path / ".lock"))
    try:
        lock.acquire(timeout=min(SILENT_SECONDS, timeout))
    except Timeout:
        if timeout > SILENT_SECONDS:
            log.info("库「%s」正被另一个命令写入，等它结束（最多再等 %d 秒）……", path.name, timeout - SILENT_SECONDS)
        lock.acquire(timeout=max(timeout - SILENT_SECONDS, 0))
    try:
        yield
    finally:
        lock.release()


class Writer:
    """What a write command may do: append rows, append only the new ones, and read what is there so far."""

    def __init__(self, name: str, path: Path):
        manifest = latest_manifest(path)
        self.name, self.path = name, path
        self._published = manifest["snapshot"]
        self._before: dict[str, int] = manifest["tables"]
        self._versions: dict[str, int] = dict(self._before)
        self._mixed = set(manifest.get("mixed", schema.table_names()))  # tables whose older files lack a column: DuckDB has to look into each

    def append(self, table: str, rows: pl.DataFrame) -> int:
        """Append rows, cast to the schema; returns how many."""
        if rows.height == 0:
            return 0
        definition = schema.table(table)
        rows = conform(rows, definition)
        delta = _open_or_create(self.path / table, definition)
        added = set(rows.columns) - {field.name for field in delta.schema().fields}
        with _without_panics():
            write_deltalake(delta, rows, mode="append", schema_mode="merge" if added else None, writer_properties=_encoding(definition))
        self._mixed |= {table} if added else set()
        if definition.in_snapshot:
            self._versions[table] = delta.version()
        return rows.height

    def append_new(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Append only rows whose key is not in the table yet; returns those. Within `rows` the first of a key wins."""
        key = list(schema.table(table).key)
        rows = rows.unique(key, keep="first", maintain_order=True)
        if table in self._versions:
            listed = ", ".join(f'"{name}"' for name in key)
            rows = rows.join(self.sql(f"SELECT {listed} FROM {engine.view_name(table)}"), on=key, how="anti",
                             nulls_equal=True, maintain_order="left")
        self.append(table, rows)
        return rows

    @property
    def versions(self) -> dict[str, int]:
        """The version of every table as this command has it so far."""
        return dict(self._versions)

    def reading(self) -> Store:
        """The store as this command has it so far, for several questions in a row."""
        return Store(self.name, self.path, "working", dict(self._versions), mixed=self._mixed)

    def sql(self, query: str, **frames: pl.DataFrame) -> pl.DataFrame:
        """Read the store as this command has it so far."""
        return self.reading().sql(query, **frames)

    def remember(self, **facts) -> None:
        """Keep facts about the store itself, such as the folders its exports come from."""
        known = read_facts(self.path / STORE_FILE)
        if known | facts != known:
            write_atomically(self.path / STORE_FILE, known | facts)

    def _publish(self, command: str) -> None:
        if self._versions == self._before:
            return
        snapshot = f"{int(self._published) + 1:06d}"
        write_atomically(self.path / SNAPSHOTS / f"{snapshot}.json", {
            "snapshot": snapshot, "tables": self._versions, "mixed": sorted(self._mixed), "command": command,
            "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        })


@contextmanager
def _without_panics() -> Iterator[None]:
    """Where a disk is full, threads of the Delta library print an English panic besides raising the error: only the error is wanted."""
    try:
        kept = os.dup(2)
    except OSError:  # nobody listens (a program without a console)
        yield
        return
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        except Exception:
            time.sleep(PANIC_SECONDS)
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def conform(rows: pl.DataFrame, definition: schema.Table) -> pl.DataFrame:
    """Rows with the schema's columns in its order and types; missing columns are null, unknown ones an error."""
    wanted = definition.polars_schema
    unknown = [name for name in rows.columns if name not in wanted]
    if unknown:
        raise StoreError(f"表 {definition.name} 没有列「{'、'.join(unknown)}」。列的定义见 voc_lib/schema/{definition.name}.py。")
    try:
        rows = rows.select(
            pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, kind).alias(name)
            for name, kind in wanted.items()
        )
    except pl.exceptions.PolarsError as error:
        raise StoreError(f"写入表 {definition.name} 的类型不对：{error}") from None
    for column in definition.columns:
        strange = set(rows[column.name].drop_nulls().unique()) - set(column.allowed) if column.allowed else ()
        if strange:
            raise StoreError(f"{definition.name}.{column.name} 不允许「{sorted(strange)[0]}」。允许：{'、'.join(column.allowed)}。")
    empty = [name for name in (*definition.key, definition.partition) if name and rows[name].null_count()]
    if empty:
        raise StoreError(f"表 {definition.name} 的「{empty[0]}」不能为空（{rows[empty[0]].null_count()} 行为空）。")
    return rows


def append_run(name: str, row: dict) -> None:
    """Add one row to the run log, which speaks about snapshots and is part of none."""
    path = settings().lake / check_name(name)
    with locked(path, LOCK_SECONDS):
        Writer(name, path).append("runs", pl.DataFrame([row], schema=schema.table("runs").polars_schema))


def maintain(name: str, keep_days: float = KEEP_DAYS) -> dict[str, int]:
    """Compact small files, then remove files that no kept snapshot needs; returns files removed by table.

    Kept are the latest snapshot, every snapshot that a run names, and those younger than `keep_days`.
    """
    with write_store(name, "maintain") as writer:
        for table in list(writer._versions):
            delta = DeltaTable(str(writer.path / table))
            with _without_panics():
                delta.optimize.compact(writer_properties=_encoding(schema.table(table)))
            writer._versions[table] = delta.version()
    with write_store(name, "vacuum") as writer:
        kept = _kept_manifests(writer, keep_days)
        removed = {}
        for table in writer._versions:
            versions = sorted({m["tables"][table] for m in kept.values() if table in m["tables"]})
            removed[table] = len(DeltaTable(str(writer.path / table)).vacuum(
                retention_hours=0, enforce_retention_duration=False, dry_run=False, keep_versions=versions,
            ))
        for file in (writer.path / SNAPSHOTS).glob("*.json"):
            if file.stem not in kept:
                file.unlink()
    return removed


def _kept_manifests(writer: Writer, keep_days: float) -> dict[str, dict]:
    manifests = {f.stem: read_facts(f) for f in sorted((writer.path / SNAPSHOTS).glob("*.json"))}
    named = set(writer.sql("SELECT DISTINCT snapshot FROM runs")["snapshot"])
    oldest = datetime.now(UTC) - timedelta(days=keep_days)
    return {
        label: m for label, m in manifests.items()
        if label in named or label == max(manifests) or datetime.fromisoformat(m["published_at"]) >= oldest
    }


def _take_back_unpublished(path: Path) -> None:
    published = latest_manifest(path)["tables"]
    for name in schema.table_names():
        folder = path / name
        if not schema.table(name).in_snapshot or not DeltaTable.is_deltatable(str(folder)):
            continue
        delta = DeltaTable(str(folder))
        target = published.get(name, 0)
        if delta.version() > target and set(table_files(delta, folder)) != _files_at(folder, target):
            delta.restore(target)


def _files_at(folder: Path, version: int) -> set[Path]:
    return set(table_files(DeltaTable(str(folder), version=version), folder))


def _encoding(definition: schema.Table) -> WriterProperties:
    """How the columns of a table are laid down in its files."""
    hashes = ColumnProperties(dictionary_enabled=False, encoding="DELTA_LENGTH_BYTE_ARRAY")
    columns = [name for name in HASHED if name in definition.polars_schema] if definition.name in SEARCHED else []
    return WriterProperties(max_row_group_size=ROW_GROUP, compression="UNCOMPRESSED" if definition.name in OF_HASHES else "SNAPPY", column_properties=dict.fromkeys(columns, hashes))


def _open_or_create(folder: Path, definition: schema.Table) -> DeltaTable:
    if DeltaTable.is_deltatable(str(folder)):
        return DeltaTable(str(folder))
    return DeltaTable.create(
        str(folder), schema=pl.DataFrame(schema=definition.polars_schema).to_arrow().schema,
        partition_by=[definition.partition] if definition.partition else None,
        configuration={"delta.logRetentionDuration": LOG_RETENTION},
    )


def write_atomically(path: Path, content: dict) -> None:
    """Write JSON beside the target, flush it to disk, and rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
