"""`voc actions`: the ledger of what is to be done, and ending an entry of it."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json
from voc_lib.cli_words import App

actions_app = App(no_args_is_help=True, help="行动台账：列出，了结。定稿（voc sign）时自动添上那一周的行动。")
app.add_typer(actions_app, name="actions")


@actions_app.command("list")
def show(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """列出台账：要做什么、谁负责、期限、状态、结果。"""
    from voc_lib.report.actions import STATES
    from voc_lib.respond.actions import actions

    found = actions(store)
    if as_json:
        say_json(found.to_dicts())
        return
    table = Table("编号", "要做什么", "谁负责", "期限", "状态", "结果")
    for row in found.iter_rows(named=True):
        table.add_row(row["id"], row["what"], row["owner"] or "—", str(row["date"] or "—"), STATES[row["state"]], row["result"])
    out.print(table if found.height else "台账里还没有行动。")


@actions_app.command()
def close(
    action: Annotated[str, typer.Argument(metavar="编号", help="行动的编号，见 voc actions list。")],
    result: Annotated[str, typer.Option("--result", metavar="结果", help="一句话：做了什么，结果如何。")],
    dropped: Annotated[bool, typer.Option("--dropped", help="不做了，而不是做完了。")] = False,
    who: Annotated[str | None, typer.Option("--who", metavar="谁", help="谁；不写则用登录名。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """了结一项行动：在台账末尾添一条，前面的不动。"""
    from voc_lib.report.actions import STATES
    from voc_lib.respond.actions import close as end

    ended = end(action, result, who or getpass.getuser(), "dropped" if dropped else "done")
    if as_json:
        say_json(ended)
    else:
        out.print(f"{ended['what']}：{STATES[ended['state']]}。{ended['result']}", markup=False, highlight=False)
