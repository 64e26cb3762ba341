"""`voc sign`, `voc notes`: a week's page from 草稿 to 定稿, and what is not yet in the analyst's notes."""

from __future__ import annotations

from typing import Annotated

import typer

from voc_lib.cli import JSON, app, out, say_json, teller


@app.command()
def sign(
    week: Annotated[str, typer.Argument(metavar="周", help="已发布的一周，如 2026-W46；或 reports/ 下它的文件夹名。")],
    by: Annotated[str, typer.Option("--by", metavar="姓名", help="谁定稿；印在页首和目录里。")],
    again: Annotated[bool, typer.Option("--again", help="已经定稿的再定一次：意见文件有了改动时用。")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """定稿：用这一页自己的快照和 notes.yaml 重写一遍，印上谁和何时；行动记进台账。此后只有 --again 能改它。"""
    from voc_lib.publishing import published
    from voc_lib.settings import settings
    from voc_lib.signing import sign as run
    from voc_lib.unattended import alone

    with alone(published(settings().reports / week).get("store") or settings().store):
        done = run(week, by, again, teller(as_json))
    if as_json:
        say_json({"week": done.week, "signed": done.signed, "signed_before": done.signed_before, "steps": done.said, "page": str(done.page)})
    else:
        print(done.page)


@app.command()
def notes(
    week: Annotated[str, typer.Argument(metavar="周", help="已发布的一周，如 2026-W46。")],
    add: Annotated[bool, typer.Option("--add", help="把 notes.yaml 里还没有的发现添到它的末尾；已写的一个字也不动。")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """意见：这一周机器的发现里，哪些在 notes.yaml 里写了，哪些还没有，哪些意见这次没有对应的发现。"""
    from voc_lib.signing import notes_state

    state = notes_state(week, add)
    if as_json:
        say_json(state)
        return
    for name, title in (("written", "写了意见"), ("empty", "还没有写"), ("missing", "notes.yaml 里没有"), ("gone", "意见还在，发现已不在")):
        for finding in state[name]:
            out.print(f"{title}：{finding}", markup=False, highlight=False)
    if state["added"]:
        out.print(f"添进 {state['file']}：{len(state['added'])} 项。", markup=False)
    elif state["missing"]:
        out.print(f"要写意见，用 voc notes {week} --add 把它们添到文件末尾。", markup=False)
