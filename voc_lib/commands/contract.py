"""`voc contract`: propose a contract from exports nobody has seen, and check the contracts there are."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, err, out, say_json, store_named
from voc_lib.cli_words import App

contract_app = App(no_args_is_help=True, help="合同：看着没见过的导出文件起草一份，检查写好的合同。")
app.add_typer(contract_app, name="contract")
DOMAIN = typer.Option("--domain", metavar="领域", help="哪个领域（data/domains 下的文件夹名）；不写则取库的领域。")
CELL = 28  # characters of a cell in the preview


@contract_app.command()
def draft(
    files: Annotated[list[Path], typer.Argument(metavar="文件…", help="同一个来源的一个或几个导出文件。")],
    domain: Annotated[str | None, DOMAIN] = None,
    channel: Annotated[str | None, typer.Option("--channel", metavar="渠道", help="渠道名，也是合同的文件名，例如 hotline；不写则照文件名起。")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="工作表", help="取哪张工作表；不写则取最大的。")] = None,
    path: Annotated[Path | None, typer.Option("--out", metavar="路径", help="合同写到哪里；不写则放进领域的 channels 文件夹。")] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """看着导出文件起草一份合同：猜出每一列的意思，预览 20 行（已遮蔽），标出存疑的地方；不覆盖已有的合同。"""
    from voc_lib.collect.draft import draft as propose
    from voc_lib.collect.draft_words import MEANING
    from voc_lib.collect.ingest import domain_of
    from voc_lib.collect.trial import preview

    name = store_named(store)
    made = propose(files, domain or domain_of(name, None), channel, sheet, path)
    shown = preview(made.trials[0]) if made.trials else None
    if as_json:
        say_json({"contract": str(made.path), "domain": made.domain, "channel": made.channel, "columns": made.fields, "left_out": made.left_out, "unused": made.unused,
                  "doubts": [{"line": line, "doubt": words} for line, words in made.doubts], "skipped": made.skipped,
                  "trials": [trial.as_dict() for trial in made.trials], "preview": shown.to_dicts() if shown is not None else []})
        return
    for file, why in made.skipped.items():
        out.print(f"{file}：{why}", style="yellow", markup=False, highlight=False)
    if shown is not None and shown.height:
        table = Table(*(f"{MEANING.get(name, name)}\n{name}" for name in shown.columns), title=f"前 {shown.height} 行读成这样（个人信息已遮蔽）", title_justify="left")
        for row in shown.iter_rows():
            table.add_row(*(_cell(value) for value in row))
        out.print(table)
    for trial in made.trials:
        _say_trial(trial)
    out.print(f"认出的列：{'、'.join(f'{MEANING[field]} {field} ← {head}' for field, head in made.fields.items()) or '无'}", markup=False, highlight=False)
    if made.left_out:
        out.print(f"个人信息，没有读：{'、'.join(made.left_out)}", markup=False, highlight=False)
    if made.unused:
        out.print(f"没有用到的列：{'、'.join(made.unused)}", markup=False, highlight=False)
    out.print(f"存疑 {len(made.doubts)} 处，请打开合同核对：", markup=False, highlight=False)
    for line, words in made.doubts:
        out.print(f"  第 {line} 行：{words}", markup=False, highlight=False)
    out.print(f"合同写在 {made.path}", markup=False, highlight=False)
    target, folder, first = made.path if path else made.channel, shlex.quote(str(files[0].parent)), shlex.quote(str(files[0]))
    out.print("下一步：", markup=False)
    out.print(f"  1. 改好存疑的词，试读一遍：voc contract check {target} --domain {made.domain} --against {first}", markup=False, highlight=False)
    out.print(f"  2. 读进库：voc ingest --store {name} --domain {made.domain} {folder}", markup=False, highlight=False)
    out.print(f"  3. 出第一页：voc weekly --store {name}", markup=False, highlight=False)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return "—"
    text = f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
    return escape(text if len(text) <= CELL else text[: CELL - 1] + "…")


def _say_trial(trial, indent: str = "") -> None:
    from voc_lib.collect.trial import say_lines

    filtered = f"，按约定滤去 {trial.filtered:,} 行" if trial.filtered else ""
    out.print(f"{indent}{trial.file}：试读 {trial.read:,} 行，合格 {trial.fit:,} 行{filtered}，会进隔离区 {sum(map(len, trial.refused.values())):,} 行。", markup=False, highlight=False)
    for reason, lines in trial.refused.items():
        out.print(f"{indent}  {len(lines):,} 行：{reason}（{say_lines(lines)}）", style="yellow", markup=False, highlight=False)


@contract_app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="渠道或合同文件…", help="只检查这些；不写则检查领域里的全部合同。")] = None,
    against: Annotated[Path | None, typer.Option("--against", metavar="文件", help="拿这个导出文件试读；不写则用库的来源文件夹里各渠道最新的文件。")] = None,
    domain: Annotated[str | None, DOMAIN] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """检查合同：哪一行写得不对，拿导出文件的前 1,000 行试读，说有多少行合格、多少行会进隔离区和为什么；什么也不存。"""
    from voc_lib.collect.contract_check import check_contracts

    found = check_contracts(store_named(store), names or [], domain, against)
    bad = [result for result in found if result.wrong]
    if as_json:
        say_json({"contracts": [result.as_dict() for result in found], "wrong": len(bad)})
        raise typer.Exit(1 if bad else 0)
    for result in found:
        state = "有错" if result.error else "不合格的行太多，多半是合同不对" if result.wrong else "个别行不合格" if any(trial.refused for trial in result.trials) else "没有问题"
        out.print(f"{result.name}：{state}" + (f"，存疑 {len(result.doubts)} 处" if result.doubts else ""), markup=False, highlight=False)
        if result.error:
            err.print(f"  {result.error}", style="red", markup=False, highlight=False)
        for line, words in result.doubts:
            out.print(f"  第 {line} 行存疑：{words}", style="dim", markup=False, highlight=False)
        for trial in result.trials:
            _say_trial(trial, "  ")
        for note in result.notes:
            out.print(f"  {note}", style="dim", markup=False, highlight=False)
    out.print(f"检查了 {len(found)} 份合同，{f'{len(bad)} 份有问题。改好后再运行一次。' if bad else '都没有问题。'}", markup=False, highlight=False)
    if bad:
        raise typer.Exit(1)
