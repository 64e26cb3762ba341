"""`voc weekly` and `voc report`: pages for a week, or of one notebook."""

from __future__ import annotations

from typing import Annotated

import typer

from voc_lib.cli import JSON, STORE, app, exit_if_left_out, out, say_json, store_named

STEPS = {"ingest": "导入", "enrich": "编码与向量", "choose": "周次", "notebooks": "笔记本", "pages": "页面", "actions": "行动"}


@app.command()
def report(
    notebook: Annotated[str, typer.Argument(metavar="笔记本", help="notebooks/ 里的笔记本名，如 data_health。")],
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", metavar="名=值", help="参数，写成 名=值，可重复。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """带参数运行一本笔记本，生成一个可离线打开的页面。"""
    from voc_lib.pipeline import RunError, notebook_path, render

    notebook_path(notebook)
    wrong = [pair for pair in parameter or [] if "=" not in pair]
    if wrong:
        raise RunError(f"参数「{wrong[0]}」要写成 名=值，例如 -p period=2020-W24。")
    run = render(notebook.removesuffix(".ipynb"), dict(pair.split("=", 1) for pair in parameter or []), teller(as_json, STEPS))
    _end(run, as_json)


@app.command()
def weekly(
    week: Annotated[str | None, typer.Option("--week", metavar="周", help="ISO 周，如 2020-W24；不写则取库中最近完整的一周。")] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """跑完一周：导入、编码、笔记本、发布 reports/<周>/index.html；最后一行是它的路径。"""
    from voc_lib.pipeline import weekly as run

    _end(run(store_named(store), week, teller(as_json, STEPS)), as_json)


def teller(as_json: bool, steps: dict[str, str]):
    """What tells a step on the screen; nothing where a program reads."""
    return lambda step, said: None if as_json else out.print(f"{steps[step]}：{said}", markup=False, highlight=False)


def _end(run, as_json: bool) -> None:
    if as_json:
        say_json({"store": run.store, "week": run.week, "snapshot": run.snapshot.snapshot, "parameters": run.parameters,
                   "steps": run.said, "left_out": run.left_out, "headline": run.headline, "signed": run.signed, "page": str(run.page)})
    else:
        if run.notes_new:
            out.print(f"意见写在 {run.notes_new}：填好后再运行一次，页面随之改变；定稿用 voc sign {run.target.name} --by 姓名。", markup=False, highlight=False)
        print(run.page)
    exit_if_left_out(run.left_out)
