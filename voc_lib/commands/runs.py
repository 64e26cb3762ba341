"""`voc status`, `runs`, `verify`, `maintain`: what is in a store, what was run on it, is a page still true, tidying up."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named


@app.command()
def status(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """库里有什么：各表各渠道的行数、快照、新鲜度、隔离行。"""
    from voc_lib.measure.analyses.health import status as look

    found = look(store_named(store))
    if as_json:
        say_json(found)
        return
    out.print(f"库「{found['store']}」，领域 {found['domain']}，快照 {found['snapshot']}，隔离 {found['quarantine']:,} 行")
    table = Table("渠道", "反馈", "无日期", "最早", "最近", "距今天数", "新鲜", "隔离行")
    for row in found["channels"]:
        fresh = {True: "是", False: f"否（应 {row['freshness_days']} 天内）", None: "—"}[row["fresh"]]
        age = "—" if row["days_old"] is None else f"{row['days_old']:,}"
        table.add_row(row["title"], f"{row['feedback']:,}", f"{row['undated']:,}", row["first_day"] or "—", row["last_day"] or "—", age, fresh, f"{row['quarantine']:,}")
    out.print(table)
    out.print("、".join(f"{name} {rows:,}" for name, rows in found["tables"].items()), style="dim")


@app.command()
def runs(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """跑过什么：每次运行的时间、周次、快照、结果。"""
    from voc_lib.runs import runs as look

    found = look(store_named(store))
    if as_json:
        say_json({"store": store_named(store), "runs": found.to_dicts()})
        return
    table = Table("开始", "命令", "周次", "快照", "结果", "秒")
    for row in found.iter_rows(named=True):
        outcome = {"published": "已发布", "failed": "失败"}[row["outcome"]]
        table.add_row(f"{row['started_at']:%Y-%m-%d %H:%M}", row["command"], row["week"] or "—", row["snapshot"], outcome, f"{row['seconds']:.1f}")
    out.print(table if found.height else f"库「{store_named(store)}」还没有跑过。")


@app.command()
def verify(
    report: Annotated[str, typer.Argument(metavar="报告", help="周次（2026-W46）、reports/ 下的文件夹或其中的页面。")],
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """核对一份已发布的报告：用它的快照重算页首数字，说相同或不同。"""
    from voc_lib.runs import verify as check

    manifest, found = check(report)
    same = bool(found["equal"].all()) and found.height > 0
    if as_json:
        say_json({"store": manifest["store"], "snapshot": manifest["snapshot"], "equal": same, "numbers": found.to_dicts()})
    else:
        table = Table("数字", "已发布", "重算", "相同")
        for row in found.iter_rows(named=True):
            shown = ["—" if row[name] is None else f"{row[name]:.6g}" for name in ("published", "recomputed")]
            table.add_row(row["name"], *shown, "是" if row["equal"] else "否")
        out.print(table)
        out.print(f"库「{manifest['store']}」快照 {manifest['snapshot']}：" + ("页首数字全部相同。" if same else "有数字不同，请勿引用这一页。"))
    if not same:
        raise typer.Exit(1)


@app.command()
def maintain(
    store: Annotated[str | None, STORE] = None,
    keep_days: Annotated[float, typer.Option("--keep-days", metavar="天数", help="没有被任何运行引用的快照，保留几天。")] = 7,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """整理一个库：合并小文件，删去没有快照再用到的旧文件；报告引用的快照都留着。"""
    from voc_lib.store_write import maintain as tidy

    removed = tidy(store_named(store), keep_days)
    if as_json:
        say_json({"store": store_named(store), "files_removed": removed})
    else:
        out.print(f"库「{store_named(store)}」：删去 {sum(removed.values()):,} 个不再需要的文件，每份报告的快照都还在。")
