"""`voc selection`: what is being looked at, kept by name for find, similar, crosstab and pages."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named
from voc_lib.cli_words import App

selection_app = App(no_args_is_help=True, help="存好的选取：给一组条件起名，以后按名字用；存的是条件，不是名单。")
app.add_typer(selection_app, name="selection")
NAME = typer.Argument(metavar="名字", help="选取的名字。")


@selection_app.command()
def save(
    name: Annotated[str, NAME],
    query: Annotated[str, typer.Option("--find", metavar="检索式", help="写法同 voc find。")] = "",
    period: Annotated[str, typer.Option("--period", metavar="周", help="截至哪一周；不写则不限，用的时候再定。")] = "",
    weeks: Annotated[int, typer.Option("--weeks", metavar="周数", min=1, help="连同往前共几周。")] = 1,
    channel: Annotated[list[str] | None, typer.Option("--channel", metavar="渠道", help="渠道；可以写几次。")] = None,
    code: Annotated[str, typer.Option("--code", metavar="问题", help="问题或它的上级，如 空调。")] = "",
    product: Annotated[str, typer.Option("--product", metavar="产品", help="产品。")] = "",
    region: Annotated[str, typer.Option("--region", metavar="地区", help="地区。")] = "",
    lowest: Annotated[float, typer.Option("--rating-from", metavar="分", help="评分下限，按五分制。")] = 0.0,
    highest: Annotated[float, typer.Option("--rating-to", metavar="分", help="评分上限，按五分制。")] = 5.0,
    why: Annotated[str, typer.Option("--why", metavar="原因", help="为什么存它，写给以后看的人。")] = "",
    who: Annotated[str, typer.Option("--who", metavar="谁", help="谁；不写则用登录名。")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="已有同名的，用这一个替换它。")] = False,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """存一个选取，记进领域的 selections.yaml。"""
    from voc_lib.measure.selections import definition_words, save_selection

    done = save_selection(name, query, period, weeks, channel or [], code, product, region, (lowest, highest), why, who, replace, store_named(store))
    if as_json:
        say_json(done)
    else:
        out.print(f"已存为「{name}」：{definition_words(done)}。用法：voc find 检索式 --selection {name}；页面：voc report verbatims -p selection={name}", markup=False, highlight=False)


@selection_app.command("list")
def show(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """列出存好的选取。"""
    from voc_lib.measure.selections import selections

    found = selections(store_named(store))
    if as_json:
        say_json({"store": store_named(store), "selections": found.to_dicts()})
        return
    table = Table("名字", "条件", "谁", "何时", "为什么")
    for row in found.iter_rows():
        table.add_row(*map(escape, row))
    out.print(table if found.height else "还没有存过选取。用 voc selection save 存一个。")


@selection_app.command()
def remove(name: Annotated[str, NAME], store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """删去一个选取。"""
    from voc_lib.measure.selections import definition_words, remove_selection

    gone = remove_selection(name, store_named(store))
    if as_json:
        say_json({"removed": gone})
    else:
        out.print(f"已删去「{name}」：{definition_words(gone)}。", markup=False, highlight=False)
