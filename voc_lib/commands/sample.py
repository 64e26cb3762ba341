"""`voc sample` plants a world of synthetic exports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voc_lib.cli import JSON, app, out, say_json


@app.command()
def sample(
    out_folder: Annotated[Path, typer.Option("--out", help="写到哪个文件夹；须是空的或还不存在。导出文件按来源分文件夹，真相在其中的 _truth。")],
    domain: Annotated[str, typer.Option("--domain", help="造哪一行的数据：auto（车企，十一个渠道）或 bank（银行，六个）。")] = "auto",
    customers: Annotated[int, typer.Option("--customers", help="客户名册有多少人；多数人一句话也不说。两万人、120 周约十万条反馈。")] = 20_000,
    weeks: Annotated[int, typer.Option("--weeks", help="多少周；埋的事都在最后十二周，之前要有平常的日子可比，120 周含两个冬天。")] = 120,
    until: Annotated[str, typer.Option("--until", help="最后一周，ISO 周，如 2026-W46。")] = "2026-W46",
    seed: Annotated[int, typer.Option("--seed", help="随机种子；种子和其他选项都相同，文件逐字节相同。")] = 1,
    selection: Annotated[str, typer.Option(
        "--selection", help="谁爱说话：explained 只看车龄、城市、用得多少等看得见的特征；angry 还看满不满意，不满的更爱说；j_shaped 两头都爱说，中间沉默。")] = "explained",
    without: Annotated[list[str] | None, typer.Option("--without", help="不埋哪件事（名字见 _truth 里的文件名，如 ac_noise），可重复；其余一个字节也不变。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """造一个知道真相的世界：按各来源系统的样子写导出文件，再写下埋了什么。全是合成样例数据，没有真实的人和企业。"""
    from voc_lib.sample import World, plant

    planted = plant(World(domain, customers, weeks, until, seed, selection, tuple(without or ())), out_folder)
    if as_json:
        say_json({"out": str(planted.out), "feedback": planted.feedback, "truths": list(planted.truths)})
        return
    out.print(f"写好了 {sum(planted.feedback.values()):,} 条反馈（合成样例数据），在 {planted.out}：", markup=False)
    out.print("、".join(f"{name} {many:,}" for name, many in planted.feedback.items()), style="dim", markup=False)
    out.print(f"埋了 {len(planted.truths)} 件事：{'、'.join(planted.truths)}。", markup=False)
    out.print(f"接着：voc ingest {planted.out} --store 库名 --domain {domain}；voc enrich --store 库名；voc evaluate --store 库名", markup=False)
