"""`voc quarantine`: the rows that were refused and why, and reading them again after a contract was mended."""

from __future__ import annotations

from typing import Annotated

import typer

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named
from voc_lib.cli_words import App

quarantine_app = App(no_args_is_help=True, help="隔离区：没有进库的行在哪里、为什么；改好合同后重新读入。")
app.add_typer(quarantine_app, name="quarantine")
CHANNEL = typer.Option("--channel", metavar="渠道", help="只看一个渠道；不写则全部。")
EXAMPLE = 120  # characters of an example row
STATES = {
    "unchanged": "合同没有改过，再读也是同样的结果；请先改合同（voc contract check 会说哪里不合）",
    "gone": "在来源文件夹里找不到原文件，或合同的 read.glob 不再认领它；放回原处再试",
    "no_contract": "它的合同已经不在了；放回合同再试",
    "database": "来自数据库：改好合同后运行 voc ingest，会从头取一遍",
}


@quarantine_app.command("list")
def show(
    store: Annotated[str | None, STORE] = None,
    channel: Annotated[str | None, CHANNEL] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="原因", help="只看原因里含有这些字的。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """列出仍被隔离的行：哪个文件第几行、为什么；值已遮蔽。已经重新读入的不再列出。"""
    from voc_lib.collect.refused import refused, settled
    from voc_lib.collect.trial import say_lines
    from voc_lib.store import open_store

    opened = open_store(store_named(store))
    found, done = refused(opened, channel, reason), settled(opened)
    if as_json:
        say_json({"store": opened.name, "rows": found["rows"].sum(), "refused": found.to_dicts(), "settled": done})
        return
    if found.height:
        for row in found.iter_rows(named=True):
            out.print(f"{row['channel']} {row['file']}：{row['rows']:,} 行，{row['reason']}（{say_lines(row['lines'])}）", markup=False, highlight=False)
            out.print(f"  例如（已遮蔽）：{_short(row['example'])}", style="dim", markup=False, highlight=False)
    told = f"共 {found['rows'].sum():,} 行还在隔离区。改好合同后运行：voc quarantine retry --store {opened.name}" if found.height else "没有符合条件的隔离行。" if channel or reason else "没有一行还在隔离区。"
    out.print(told + (f"（另有 {done:,} 行隔离过，后来已读入、滤去，或有了同名的新文件。）" if done else ""), markup=False, highlight=False)


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= EXAMPLE else text[: EXAMPLE - 1] + "…"


@quarantine_app.command()
def retry(store: Annotated[str | None, STORE] = None, channel: Annotated[str | None, CHANNEL] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """改好合同后，把有隔离行的文件重新读一遍：合格的存进库，说清每个文件的结果；不会重复存。"""
    from voc_lib.collect.refused import retry as again

    name = store_named(store)
    results = again(name, channel)
    left = [result for result in results if result.state != "reread" or result.still_refused]
    if as_json:
        say_json({"store": name, "exports": [result.as_dict() for result in results], "left": len(left)})
        raise typer.Exit(1 if left else 0)
    for result in results:
        said = f"{result.channel} {result.file}：原来隔离 {result.refused_before:,} 行，"
        if result.state == "reread":
            filtered = f"按约定滤去 {result.filtered:,} 行，" if result.filtered else ""
            said += f"重新读过：新存 {result.stored:,} 条，{filtered}" + (f"仍隔离 {result.still_refused:,} 行（{result.why}）。" if result.still_refused else "没有一行再被隔离。")
        else:
            said += f"没有读入：{STATES.get(result.state, result.why)}"
        out.print(said, style="green" if result not in left else "yellow", markup=False, highlight=False)
    out.print("没有一行还在隔离区，不用重读。" if not results else f"{len(results) - len(left)} 个文件已全部读入，{len(left)} 个还有行没有进来。" if left else f"{len(results)} 个文件已全部读入。", markup=False)
    if left:
        raise typer.Exit(1)
