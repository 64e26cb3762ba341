"""The only door to the lake: Delta tables under data/lake/<store>/, read through one pinned snapshot.

A snapshot is a manifest {table: version}, published by atomic rename at the end of a write command. Readers take the
latest manifest, never the latest of each table. Writing lives in `store_write`, and is re-exported here.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from urllib.parse import unquote

import duckdb
import polars as pl
import polars.selectors as cs
from deltalake import DeltaTable

from voc_lib import engine, schema
from voc_lib.messages import Told, sql_words
from voc_lib.settings import settings

SNAPSHOTS = "_snapshots"
STORE_FILE = "store.json"
NAME = re.compile(r"[\w][\w.-]*")


class StoreError(Told):
    """The store, snapshot, table or query asked for is not there or cannot be used."""


class Store:
    """One store at one snapshot. Reading never waits for a writer and never sees half a command.

    >>> store = open_store("sample")                                   # doctest: +SKIP
    >>> store.sql("SELECT channel, count(*) AS n FROM feedback GROUP BY channel")  # doctest: +SKIP
    """

    def __init__(
        self, name: str, path: Path, snapshot: str, versions: dict[str, int], published_at: datetime | None = None, mixed: Collection[str] = ()
    ):
        self.name, self.path, self.snapshot, self.versions = name, path, snapshot, versions
        self.published_at, self.mixed = published_at, {*mixed, "runs"}
        self._made: set[str] = set()
        self._making = Lock()

    def __repr__(self) -> str:
        return f"Store({self.name!r}, snapshot={self.snapshot!r})"

    @cached_property
    def about(self) -> dict:
        """What was written at creation: the domain and the folders its exports came from."""
        path = self.path / STORE_FILE
        return read_facts(path) if path.exists() else {}

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return engine.connect()

    def _prepare(self, wanted: set[str]) -> None:
        """Views of what is wanted, each made when first asked for: most queries read one table of twenty."""
        with self._making:
            wanted = wanted - self._made
            if wanted:
                engine.create_views(self.connection, self.files(wanted), self.mixed, wanted)
                self._made |= wanted

    def files(self, wanted: Collection[str] | None = None) -> dict[str, list[Path]]:
        """The Parquet files of every table at this snapshot (of the run log: the newest), or of the tables whose views are `wanted`."""
        found = {}
        for name in schema.table_names():
            folder = self.path / name
            version = self.versions.get(name) if schema.table(name).in_snapshot else None
            if wanted is not None and engine.view_name(name) not in wanted:
                continue
            if schema.table(name).in_snapshot and version is None or not DeltaTable.is_deltatable(str(folder)):
                continue
            found[name] = table_files(DeltaTable(str(folder), version=version), folder)
        return found

    def read(self, table: str, columns: list[str] | None = None, where: str | None = None) -> pl.LazyFrame:
        """A table (or the view `feedback` with its current status) as a lazy Polars frame.

        Nothing is read before `collect()`, and then only the columns and rows that the rest of the query needs; `where`
        is an SQL predicate: `"iso_week = '2020-W24'"` opens the files of one week only.
        Raises StoreError on an unknown table or column, with the nearest names.
        """
        known = {name: [c.name for c in schema.table(name).columns] for name in schema.table_names()}
        if table not in known:
            raise StoreError(f"没有名为「{table}」的表。现有：{'、'.join(known)}。{_nearest(table, known)}")
        self._prepare(engine.named_in(table))
        fields = [row[0] for row in self.connection.execute(f"DESCRIBE {table}").fetchall()]
        unknown = [name for name in columns or [] if name not in fields]
        if unknown:
            raise StoreError(f"表 {table} 没有列「{unknown[0]}」。{_nearest(unknown[0], fields)}现有：{'、'.join(fields)}。")
        chosen = ", ".join(f'"{name}"' for name in columns) if columns else "*"
        relation = self._relation(f"SELECT {chosen} FROM {table}" + (f" WHERE {where}" if where else ""))
        return _in_utc(relation.pl(lazy=True))

    def sql(self, query: str, **frames: pl.DataFrame) -> pl.DataFrame:
        """The answer of an SQL query over the tables of this snapshot, and over the frames given by name."""
        relation = self._relation(query, frames)
        try:
            return pl.DataFrame() if relation is None else _in_utc(relation.pl())
        except duckdb.Error as error:
            raise self._refused(query, error) from None

    def _relation(self, query: str, frames: dict[str, pl.DataFrame] | None = None) -> duckdb.DuckDBPyRelation | None:
        self._prepare(engine.named_in(query))
        cursor = self.connection.cursor()
        for name, frame in (frames or {}).items():
            cursor.register(name, frame)
        try:
            return cursor.sql(query)
        except duckdb.Error as error:
            raise self._refused(query, error) from None

    def _refused(self, query: str, error: duckdb.Error) -> StoreError:
        return StoreError(f"库「{self.name}」答不了这个查询：{sql_words(error)}。\n查询：{query}")


def open_store(name: str | None = None, snapshot: str | int | None = None) -> Store:
    """Open a store at its latest snapshot, or at a named one, e.g. `snapshot="000012"`.

    Raises StoreError when there is no such store or snapshot, saying which there are and what to do.
    """
    name = check_name(name or settings().store)
    path = settings().lake / name
    if not (path / STORE_FILE).exists():
        names = store_names()
        have = f"现有：{'、'.join(names)}。{_nearest(name, names)}" if names else "目前还没有任何库。"
        raise StoreError(f"没有名为「{name}」的库。{have}{first_step(name)}")
    if snapshot is None:
        manifest = latest_manifest(path)
    else:
        manifest = read_manifest(path, snapshot)
    published = datetime.fromisoformat(manifest["published_at"]) if manifest["published_at"] else None
    return Store(name, path, manifest["snapshot"], manifest["tables"], published, manifest.get("mixed", schema.table_names()))


def first_step(name: str) -> str:
    """What to type to have this store."""
    if name in settings().stores and settings().stores[name].raw is None:
        return f"先导入数据：voc ingest --store {name} 文件夹"
    if name in settings().stores:
        return f"先导入数据：voc weekly --store {name}"
    domains = "、".join(sorted(path.parent.name for path in settings().domains.glob("*/channels")))
    return f"若要新建，先导入数据：voc ingest --store {name} --domain 领域 文件夹（领域有 {domains}）"


def store_names() -> list[str]:
    """The stores in the lake, sorted."""
    return sorted(path.parent.name for path in settings().lake.glob(f"*/{STORE_FILE}"))


def check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise StoreError(f"库名「{name}」不能用：只能含文字、数字、下划线、点和连字符，且以文字或数字开头。")
    return name


def table_files(table: DeltaTable, folder: Path) -> list[Path]:
    """Paths of a table's files. delta-rs percent-encodes its root: cut it off and join the rest to the real one."""
    root = unquote(table.table_uri.removeprefix("file://")).rstrip("/")
    return [folder / unquote(uri.removeprefix("file://")).removeprefix(root).lstrip("/") for uri in table.file_uris()]


def latest_manifest(path: Path) -> dict:
    published = sorted((path / SNAPSHOTS).glob("*.json"))
    if not published:
        return {"snapshot": "000000", "tables": {}, "mixed": [], "published_at": None, "command": ""}
    return read_facts(published[-1])


def read_manifest(path: Path, snapshot: str | int) -> dict:
    label = f"{int(snapshot):06d}" if str(snapshot).isdigit() else str(snapshot)
    file = path / SNAPSHOTS / f"{label}.json"
    if not file.exists():
        have = sorted(p.stem for p in (path / SNAPSHOTS).glob("*.json"))
        raise StoreError(f"库「{path.name}」没有快照「{label}」。现有：{'、'.join(have[-10:]) or '无'}（最近十个）。")
    return read_facts(file)


def read_facts(path: Path) -> dict:
    """A file of the store that only the library writes, whole or not at all; a damaged one was touched by something else."""
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        raise StoreError(f"库的文件 {path} 已损坏，不是有效的 JSON。请从备份恢复它；是快照时，也可删去它，退回上一个快照。") from None


def _in_utc(frame):
    """DuckDB names its UTC Etc/UTC, which Polars takes for another zone."""
    return frame.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC"))


def _nearest(word: str, known) -> str:
    close = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"是否想写「{close[0]}」？" if close else ""
