"""`voc weekly` and `voc report`: pages for a week, for the weeks that were missed, or of one notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voc_lib.cli import JSON, STORE, app, err, exit_if_left_out, out, say_json, store_named, teller

PDF = typer.Option("--pdf", metavar="", help="用本机的 Chromium、Chrome 或 Edge 把页面另存为 PDF，放在页面旁边。")


@app.command()
def report(
    notebook: Annotated[str, typer.Argument(metavar="笔记本", help="notebooks/ 里的笔记本名，如 data_health。")],
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", metavar="名=值", help="参数，写成 名=值，可重复。")] = None,
    pdf: Annotated[bool, PDF] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """带参数运行一本笔记本，生成一个可离线打开的页面。"""
    from voc_lib.pipeline import RunError, notebook_path, render

    notebook_path(notebook)
    wrong = [pair for pair in parameter or [] if "=" not in pair]
    if wrong:
        raise RunError(f"参数「{wrong[0]}」要写成 名=值，例如 -p period=2020-W24。")
    run = render(notebook.removesuffix(".ipynb"), dict(pair.split("=", 1) for pair in parameter or []), teller(as_json))
    printed, failed = _print([run], pdf)
    if as_json:
        say_json(_facts(run) | printed.get(run.page, {}))
    else:
        _show(run, printed)
    _end(run.left_out, failed)


@app.command()
def weekly(
    week: Annotated[str | None, typer.Option("--week", metavar="周", help="ISO 周，如 2020-W24；不写则取库中最近完整的一周。")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="周", help="补做：从这一周起，有反馈、没有周报的完整各周都做，从早到晚；一周失败不影响其余。")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", metavar="分钟", min=0.01, help="最多运行几分钟；到时停下，已发布的不动，退出码 124。")] = None,
    pdf: Annotated[bool, PDF] = False,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """跑完一周：导入、编码、笔记本、发布 reports/<周>/index.html；最后一行是它的路径。

    一个库同时只跑一份；已有一份在跑时说出是谁，什么也不做，退出码 75。定时运行见 voc schedule。
    """
    from voc_lib.measure.feedback import check_week
    from voc_lib.pipeline import RunError
    from voc_lib.pipeline import weekly as run
    from voc_lib.unattended import alone, within

    name = store_named(store)
    if week and since:
        raise RunError("--week 和 --since 只能写一个：--week 做一周，--since 补做从那周起的各周。")
    for label in filter(None, (week, since)):
        check_week(label)
    with alone(name), within(timeout):
        if since:
            _catch_up(name, since, pdf, as_json)
        else:
            _one(run(name, week, teller(as_json)), pdf, as_json, look_back=week is None)


def _one(run, pdf: bool, as_json: bool, look_back: bool) -> None:
    from voc_lib.catch_up import missing, named

    printed, failed = _print([run], pdf)
    earlier = missing(run.snapshot, run.week) if look_back and run.week else []
    if as_json:
        say_json(_facts(run) | {"missing": earlier} | printed.get(run.page, {}))
    else:
        if earlier:
            out.print(f"{named(earlier)} 没有周报；补做：voc weekly --store {run.store} --since {earlier[0]}", style="yellow", markup=False, highlight=False)
        _show(run, printed)
    _end(run.left_out, failed)


def _catch_up(store: str, since: str, pdf: bool, as_json: bool) -> None:
    from voc_lib.catch_up import catch_up, named

    done = catch_up(store, since, teller(as_json))
    printed, failed = _print(done.runs, pdf)
    if as_json:
        say_json({"store": store, "since": since, "steps": done.gathered.said, "left_out": done.gathered.left_out, "empty": done.empty, "failed": done.failed,
                  "weeks": [_facts(run) | printed.get(run.page, {}) for run in done.runs]})
    else:
        if done.empty:
            out.print(f"没有反馈，跳过：{named(done.empty)}", markup=False, highlight=False)
        if not done.runs and not done.failed:
            out.print(f"从 {since} 起，有反馈的完整各周都已有周报，没有要补的。", markup=False, highlight=False)
        for run in done.runs:
            _show(run, printed)
    _end(done.gathered.left_out, {f"{week} 没有做成": why for week, why in done.failed.items()} | failed)


def _facts(run) -> dict:
    return {"store": run.store, "week": run.week, "snapshot": run.snapshot.snapshot, "parameters": run.parameters,
            "steps": run.said, "left_out": run.left_out, "headline": run.headline, "signed": run.signed, "page": str(run.page)}


def _print(runs: list, asked: bool) -> tuple[dict[Path, dict[str, str]], dict[str, str]]:
    """The PDFs that were asked for: page -> {"pdf": path}, and what went wrong. Those of weeks are linked in the list of weeks."""
    if not asked or not runs:
        return {}, {}
    from voc_lib.report.index import index_page
    from voc_lib.report.pdf import PdfError, print_page
    from voc_lib.settings import settings

    printed, failed = {}, {}
    for run in runs:
        try:
            printed[run.page] = {"pdf": str(print_page(run.page))}
        except PdfError as error:
            failed[run.page.parent.name] = str(error)
    index_page(settings().reports)
    return printed, failed


def _show(run, printed: dict) -> None:
    if run.notes_new:
        out.print(f"意见写在 {run.notes_new}：填好后再运行一次，页面随之改变；定稿用 voc sign {run.target.name} --by 姓名。", markup=False, highlight=False)
    if run.page in printed:
        print(printed[run.page]["pdf"])
    print(run.page)


def _end(left_out: dict[str, str], failed: dict[str, str]) -> None:
    for name, why in failed.items():
        err.print(f"{name}：{why}", style="red", markup=False, highlight=False)
    exit_if_left_out(left_out)
    if failed:
        raise typer.Exit(1)
