"""`voc export`: a store for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named
from voc_lib.cli_words import App

export_app = App(no_args_is_help=True, help="给别的程序用：导出一个 SQL 客户端能打开的文件。")
app.add_typer(export_app, name="export")


@export_app.callback()
def _group() -> None:
    """Keeps `duckdb` a command of its own while it is the only one."""


@export_app.command()
def duckdb(
    file: Annotated[Path | None, typer.Option("--out", metavar="文件", help="写到哪里，以 .duckdb 结尾；不写则为当前文件夹的 库名.duckdb。")] = None,
    store: Annotated[str | None, STORE] = None,
    snapshot: Annotated[str | None, typer.Option("--snapshot", metavar="编号", help="哪个快照；不写则最新。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """一个只读的 .duckdb 文件：各视图直接看一个快照的数据，供 SQL 客户端用。"""
    from voc_lib.measure.duckdb_file import export_duckdb
    from voc_lib.store import open_store

    lake = open_store(store_named(store), snapshot)
    done = export_duckdb(lake, file or Path(f"{lake.name}.duckdb"))
    if as_json:
        say_json(done)
        return
    out.print(f"库「{lake.name}」快照 {lake.snapshot} 写在 {done['file']}：" + "、".join(f"{name} {count:,}" for name, count in done["rows"].items()) + " 行。", markup=False, highlight=False)
    out.print(f"打开：duckdb -readonly {done['file']}（DBeaver 里设 access_mode = READ_ONLY）；表 about 说明各视图。移动库之后要重新导出。", markup=False, highlight=False)
