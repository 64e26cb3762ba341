"""`voc schedule`: prints what a scheduler needs to run `voc weekly` by itself; changes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from voc_lib.cli import JSON, STORE, app, say_json, store_named


@app.command()
def schedule(
    cron: Annotated[bool, typer.Option("--cron", metavar="", help="crontab 的一行（Linux、Mac）。")] = False,
    systemd: Annotated[bool, typer.Option("--systemd", metavar="", help="systemd 的服务和定时器，两个文件（Linux）。")] = False,
    windows: Annotated[bool, typer.Option("--windows", metavar="", help="Windows 任务计划程序的任务（XML）。")] = False,
    github: Annotated[bool, typer.Option("--github", metavar="", help="GitHub Actions 的工作流，跑在自己的机器上。")] = False,
    day: Annotated[str, typer.Option("--day", metavar="星期", help="星期几：mon、tue、wed、thu、fri、sat、sun。")] = "mon",
    time: Annotated[str, typer.Option("--time", metavar="时刻", help="本机时间，如 06:30。")] = "06:30",
    timeout: Annotated[int, typer.Option("--timeout", metavar="分钟", min=1, help="一次最多运行几分钟。")] = 120,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """打印一份定时任务：每周自己跑 voc weekly，一次只跑一份，有时限和日志，错过的周自动补做。只打印，不安装。"""
    from voc_lib import schedule as kinds

    asked = [name for name, wanted in (("cron", cron), ("systemd", systemd), ("windows", windows), ("github", github)) if wanted]
    if len(asked) != 1:
        found = f"写了 {len(asked)} 个" if asked else "没有写"
        raise kinds.ScheduleError(f"要打印哪一种？--cron、--systemd、--windows、--github 里写一个，现在{found}。")
    plan = kinds.plan(store_named(store), day, time, timeout)
    files = getattr(kinds, asked[0])(plan)
    if as_json:
        say_json({"kind": asked[0], "store": plan.store, "files": files, "log": str(plan.log)})
    else:
        print("\n".join(files.values()), end="")
