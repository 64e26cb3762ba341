"""A store for an SQL client: a `.duckdb` file of views over the Parquet files of one snapshot, which stays readable for as long as the lake does.

Nothing is copied but what only our own code can work out (topics after the ledger's edits). The export is written to the run log like a page,
so that `voc maintain` keeps the files it points to. The paths in the views are absolute: where the lake is moved, export again.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl

from voc_lib.engine import create_views, quote
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.enrich.topic_store import model_in_force
from voc_lib.measure.analyses.topic_weeks import topics_in_force, with_topics
from voc_lib.messages import Told
from voc_lib.store import Store
from voc_lib.store_write import append_run

MADE_BY = "voc export duckdb"
LEFT_OUT = ("identity_keys", "identities", "identity_doubts", "runs", "coders", "topic_models", "vectors")  # keys of persons, a log that belongs to no snapshot, states and vectors nobody reads in SQL
VIEWS = {
    "feedback": "一行一条反馈，带当前状态、客户、重复、首次和末次出现；原话已遮蔽",
    "people": "每条反馈是谁说的：各渠道的键认出的人，否则作者，否则反馈自己；数人用 count(DISTINCT person)",
    "codes": "一行一条反馈 × 一个此快照下有效的问题",
    "feelings": "一行一条反馈 × 一个问题（或全文）的观点，当前模型的",
    "feedback_topics": "每条反馈的主题（合并、改名、移动之后），有主题模型时才有",
    "topics_now": "主题清单（合并、改名之后），有主题模型时才有",
}


class ExportError(Told):
    """The file asked for cannot be written."""


def export_duckdb(store: Store, path: Path) -> dict:
    """Write the views; gives back file, snapshot and the rows of each of `VIEWS`.

    A file that this command wrote before is replaced, unless a program has it open; any other file is left alone. Raises ExportError then.
    """
    started = datetime.now(UTC)
    path = path.absolute()
    _check(path)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        connection = duckdb.connect(str(beside))
        try:
            _write(connection, store, started)
            counts = {name: connection.sql(f"SELECT count(*) AS n FROM {name}").pl()["n"].item() for name in VIEWS if _has(connection, name)}
        finally:
            connection.close()
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    append_run(store.name, {
        "run_id": f"{started:%Y%m%dT%H%M%S%f}", "command": "export duckdb", "snapshot": store.snapshot, "parameters": json.dumps({"out": str(path)}, ensure_ascii=False),
        "manifest": json.dumps(store.versions, sort_keys=True), "versions": json.dumps({"duckdb": version("duckdb")}), "headline": "[]", "outcome": "published",
        "started_at": started, "seconds": (datetime.now(UTC) - started).total_seconds(),
    })
    return {"file": str(path), "store": store.name, "snapshot": store.snapshot, "rows": counts}


def _write(connection: duckdb.DuckDBPyConnection, store: Store, now: datetime) -> None:
    create_views(connection, {name: [file.absolute() for file in files] for name, files in store.files().items()}, store.mixed)
    for name in LEFT_OUT:
        connection.execute(f"DROP VIEW {name}")
    connection.execute("CREATE VIEW people AS SELECT feedback_id, coalesce(person_id, author_key, feedback_id) AS person FROM feedback")
    connection.execute(
        f"CREATE VIEW codes AS SELECT feedback_id, iso_week, code, confidence, source, evidence, is_primary FROM mentions WHERE {codes_in_force(store)} AND code <> {quote(UNMAPPED)}")
    connection.execute(
        "CREATE VIEW feelings AS SELECT feedback_id, code, arg_max(struct_pack(opinion, opinion_confidence), judged_at).opinion AS opinion, "
        "arg_max(opinion_confidence, judged_at) AS opinion_confidence FROM opinions "
        f"WHERE opinion_model = {quote(store.about.get('opinion_model', ''))} GROUP BY feedback_id, code")
    if model_in_force(store) is not None:
        placed = with_topics(store, store.sql("SELECT feedback_id, iso_week FROM feedback_rows")).filter(pl.col("topic_id").is_not_null())
        _keep(connection, "feedback_topics", placed.select("feedback_id", "topic_id", "topic", "similarity", "is_mapped").sort("feedback_id"))
        _keep(connection, "topics_now", topics_in_force(store).drop("x", "y", "parts"))
    about = {
        "made_by": MADE_BY, "store": store.name, "domain": store.about["domain"], "snapshot": store.snapshot, "published_at": str(store.published_at), "exported_at": now.isoformat(timespec="seconds"),
        "files": str(store.path.absolute()), "duckdb": version("duckdb"),
        "请注意": "各视图直接读 files 里此快照的 Parquet 文件，写的是绝对路径：移动或删去库之后要重新导出；以后导入的数据不在内，要看新的也重新导出。voc maintain 会保留这些文件。",
        "打开方式": f"duckdb -readonly 本文件；DBeaver：驱动属性 access_mode = READ_ONLY。DuckDB 版本不低于 {version('duckdb')} 为好。", **VIEWS,
    }
    _keep(connection, "about", pl.DataFrame({"name": list(about), "told": list(about.values())}))


def _keep(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    connection.register("given", rows)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    connection.unregister("given")


def _has(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    return bool(connection.sql(f"SELECT count(*) AS n FROM information_schema.tables WHERE table_name = {quote(name)}").pl()["n"].item())


def _check(path: Path) -> None:
    """Nothing is written over what somebody else made or is reading."""
    if path.suffix != ".duckdb":
        raise ExportError(f"文件名「{path.name}」请以 .duckdb 结尾。")
    if not path.exists():
        return
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            ours = connection.execute(f"SELECT count(*) FROM about WHERE name = 'made_by' AND told = {quote(MADE_BY)}").fetchone()[0]
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise ExportError(f"{path} 已经存在，而且不是 voc 导出的文件，不覆盖它。请换一个文件名。") from None
        raise ExportError(f"{path} 正被别的程序打开，不能替换。请先关闭它，或换一个文件名。") from None
    except duckdb.Error:
        ours = 0
    if not ours:
        raise ExportError(f"{path} 已经存在，而且不是 voc 导出的文件，不覆盖它。请换一个文件名。")
    try:
        duckdb.connect(str(path)).close()
    except duckdb.Error:
        raise ExportError(f"{path} 正被别的程序打开，不能替换。请先关闭它，或换一个文件名。") from None
