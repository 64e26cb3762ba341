"""`voc trace`: from a number of a published page back to its rows."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, app, out, say_json


@app.command()
def trace(
    report: Annotated[str, typer.Argument(metavar="报告", help="周次（2026-W46）、reports/ 下的文件夹或其中的页面。")],
    number: Annotated[str, typer.Argument(metavar="编号", help="数字的编号，如 听到的人、code:空调-运转-异响；不写则列出全部编号。")] = "",
    most: Annotated[int, typer.Option("--most", metavar="条数", min=1, help="最多列几条原始反馈。")] = 20,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """追溯：页面上的一个数字是哪些反馈数出来的；用那一页的快照和查询语句。"""
    from voc_lib.runs import trace as look

    manifest, one, rows = look(report, number)
    if one is None:
        if as_json:
            say_json({"store": manifest["store"], "snapshot": manifest["snapshot"], "numbers": manifest["numbers"]})
            return
        table = Table("编号", "数字", "反馈", "人")
        for item in manifest["numbers"]:
            table.add_row(item["number"], item["title"], f"{item['n']:,}", "—" if item["people"] is None else "不足10人" if 0 < item["people"] < 10 else f"{item['people']:,}")
        out.print(table)
        return
    if as_json:
        say_json({"store": manifest["store"], "snapshot": manifest["snapshot"], **one, "rows": rows.to_dicts()})
        return
    out.print(one["sql"], markup=False, highlight=False, style="dim")
    if one["people"] is None:
        table = Table(*rows.columns)
        for row in rows.head(most).iter_rows():
            table.add_row(*map(str, row))
        out.print(table)
        out.print(f"{one['title']}：{rows.height:,} 行；库「{manifest['store']}」快照 {manifest['snapshot']}。", markup=False, highlight=False)
        return
    table = Table("编号", "渠道", "日期", "原声")
    for row in rows.head(most).iter_rows(named=True):
        table.add_row(row["feedback_id"][:12], row["channel"], str(row["local_date"] or "无日期"), " ".join((row["verbatim"] or "").split())[:120])
    out.print(table)
    out.print(f"{one['title']}：{rows.height:,} 条反馈，{rows['person'].n_unique():,} 人；库「{manifest['store']}」快照 {manifest['snapshot']}。", markup=False, highlight=False)
