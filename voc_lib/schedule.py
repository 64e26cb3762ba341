"""`voc weekly` as a unit for a scheduler: cron, systemd, the Task Scheduler of Windows, or a runner of GitHub Actions on this machine.

Each catches up what was missed (`--since`), runs one at a time, ends in time and writes a log on this machine. Paths are those of
this machine and survive spaces, quotes and Chinese; every unit says where to put it and how to read its log.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.unattended import BUSY, TIMED_OUT, known

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHINESE_DAYS = "一二三四五六日"
DAY_NAMES = {name: place for names in (DAYS, [f"周{day}" for day in CHINESE_DAYS], [f"星期{day}" for day in CHINESE_DAYS]) for place, name in enumerate(names)}
WINDOWS_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SPARE = 5    # minutes the scheduler waits longer than `voc weekly --timeout`, which stops by itself and says so
LONGEST_LINE = 998    # bytes: cron cuts a longer command off without a word
CODES = f"退出码：0 做成；1 有没做成的，原因在上文；{BUSY} 上一次还在运行；{TIMED_OUT} 超时"


class ScheduleError(Told):
    """Day, time, or what is to be printed cannot be used; says what to write."""


@dataclass(frozen=True)
class Plan:
    """What runs when: the command and the home of this machine, a day (0 Monday) and a time, minutes it may take."""

    voc: Path
    home: Path
    log: Path
    store: str
    since: str
    day: int
    hour: int
    minute: int
    timeout: int

    @property
    def name(self) -> str:
        """A name for files and tasks: schedulers take plain letters only."""
        plain = re.fullmatch(r"[A-Za-z0-9_-]+", self.store)
        return f"voc-weekly-{self.store if plain else hashlib.sha256(self.store.encode()).hexdigest()[:8]}"

    @property
    def words(self) -> list[str]:
        return [str(self.voc), "weekly", "--store", self.store, "--since", self.since, "--timeout", str(self.timeout)]

    @property
    def when(self) -> str:
        return f"每周{CHINESE_DAYS[self.day]} {self.hour:02d}:{self.minute:02d}"


def plan(store: str, day: str, time: str, timeout: int) -> Plan:
    """The plan of this machine; weeks are caught up from the last complete one on. Raises ScheduleError."""
    known(store)
    if (place := DAY_NAMES.get(day.strip().lower()[:3])) is None:
        raise ScheduleError(f"「--day」的值「{day}」不是星期几。请写 {'、'.join(DAYS)} 之一。")
    clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", time)
    if not clock:
        raise ScheduleError(f"「--time」的值「{time}」不是一天里的时刻。请写成 06:30 这样。")
    since = (datetime.now() - timedelta(weeks=1)).strftime("%G-W%V")
    log = settings().reports / ".log" / f"weekly-{store}.log"
    return Plan(_voc(), settings().home, log, store, since, place, int(clock[1]), int(clock[2]), timeout)


def _voc() -> Path:
    """The `voc` of the environment that runs this, by its full path."""
    beside = Path(sys.executable).with_name("voc.exe" if sys.platform == "win32" else "voc")
    found = beside if beside.is_file() else shutil.which("voc")
    if not found:
        raise ScheduleError(f"没有找到 voc 命令（应在 {beside}）。请先在项目文件夹里运行 make report，再用它的 .venv/bin/voc。")
    return Path(found).absolute()


def cron(plan: Plan, outer: bool | None = None) -> dict[str, str]:
    """One line for `crontab -e`. `outer`: flock and timeout around it, which Linux has and a Mac has not."""
    outer = bool(shutil.which("flock") and shutil.which("timeout")) if outer is None else outer
    lock = plan.log.with_suffix(".lock")
    around = ["flock", "-n", "-E", str(BUSY), str(lock), "timeout", "-k", "60", str((plan.timeout + SPARE) * 60)] if outer else []
    run = f"VOC_HOME={shlex.quote(str(plan.home))} {shlex.join([*around, *plan.words])}"
    line = f"mkdir -p {shlex.quote(str(plan.log.parent))}; {{ date; {run} || echo \"退出码 $?\"; }} >> {shlex.quote(str(plan.log))} 2>&1"
    line = line.replace("%", r"\%")    # an unescaped % ends the command of a cron line
    if len(line.encode()) > LONGEST_LINE:
        raise ScheduleError(f"文件夹的路径太长，cron 的一行放不下（{len(line.encode()):,} 字节，最多 {LONGEST_LINE}）。请改用 --systemd，或把项目放到路径短一些的地方。")
    clock = f"{plan.minute} {plan.hour} * * {(plan.day + 1) % 7}"
    return {"crontab": "\n".join([
        f"# 客户之声周报（库 {plan.store}），{plan.when}；错过的周下一次自动补做（--since）。",
        "# 放到哪里：运行 crontab -e，把下面这一行贴到最后，保存。合同用到的环境变量（env:…）写在它前面，一行一个 名=值。",
        f"# 看日志：tail -n 50 {shlex.quote(str(plan.log))}",
        f"# {CODES}。cron 不唤醒关着的电脑。",
        f"{clock} {line}", ""])}


def systemd(plan: Plan) -> dict[str, str]:
    """A service and its timer for the user's own systemd; a week missed because the machine was off is made when it is on again."""
    folder, name = "~/.config/systemd/user", plan.name
    # The first word may hold no quote, backslash or dollar, however it is written: then a shell starts it.
    through = ["/bin/sh", "-c", '"exec \\"$$0\\" \\"$$@\\""'] if re.search(r"[\"'\\$]", str(plan.voc)) else []
    service = "\n".join([
        f"# {folder}/{name}.service",
        f"# 客户之声周报（库 {plan.store}）。两个文件都放进 {folder}/，然后运行：",
        f"#   systemctl --user daemon-reload && systemctl --user enable --now {name}.timer",
        "#   loginctl enable-linger      （没有人登录时也运行）",
        f"# 看日志：journalctl --user -u {name}；马上跑一次：systemctl --user start {name}",
        f"# {CODES}。合同用到的环境变量（env:…）各加一行 Environment=。",
        "[Unit]",
        f"Description=客户之声周报（库 {plan.store}）",
        "StartLimitIntervalSec=1d",
        "StartLimitBurst=3",
        "",
        "[Service]",
        "Type=oneshot",
        f"Environment={_systemd(f'VOC_HOME={plan.home}')}",
        "Environment=PYTHONUNBUFFERED=1",
        f"ExecStart={' '.join([*through, *(_systemd(word).replace('$', '$$') for word in plan.words)])}",
        f"TimeoutStartSec={plan.timeout + SPARE}min",
        "# 被杀掉或崩溃后从停下的地方接着做；说得出原因的失败（退出码不是 0）不重试",
        "Restart=on-abnormal",
        "RestartSec=5min",
        "Nice=10", ""])
    timer = "\n".join([
        f"# {folder}/{name}.timer",
        "[Unit]",
        f"Description={plan.when}出客户之声周报（库 {plan.store}）",
        "",
        "[Timer]",
        f"OnCalendar={DAYS[plan.day].capitalize()} *-*-* {plan.hour:02d}:{plan.minute:02d}:00",
        "# 到点时电脑关着，开机后补跑",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target", ""])
    return {f"{name}.service": service, f"{name}.timer": timer}


def _systemd(word: str) -> str:
    """A word in double quotes as systemd reads it; % would be a specifier."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def windows(plan: Plan) -> dict[str, str]:
    """A task of the Task Scheduler as XML; without a declaration, since PowerShell hands it over as text of another encoding."""
    first = datetime.now().replace(hour=plan.hour, minute=plan.minute, second=0, microsecond=0)
    first += timedelta(days=(plan.day - first.weekday()) % 7)
    run = " ".join(["&", _powershell(plan.words[0]), *map(_powershell, plan.words[1:])])
    script = (f"$env:VOC_HOME = {_powershell(str(plan.home))}; $env:PYTHONUTF8 = '1'; [Console]::OutputEncoding = [Text.Encoding]::UTF8; "
              f"New-Item -ItemType Directory -Force -Path {_powershell(str(plan.log.parent))} | Out-Null; "
              f"& {{ Get-Date -Format s; {run} 2>&1 }} | ForEach-Object {{ [string]$_ }} | Out-File -Append -Encoding utf8 -LiteralPath {_powershell(str(plan.log))}; exit $LASTEXITCODE")
    comment = "\n".join([
        f"客户之声周报（库 {plan.store}），{plan.when}；到点时电脑关着，开机后补跑；错过的周自动补做。",
        f"放到哪里：存成 {plan.name}.xml（UTF-8），在 PowerShell 里运行：",
        f"  Register-ScheduledTask -TaskName {plan.name} -Xml (Get-Content {plan.name}.xml -Raw -Encoding UTF8)",
        f"看日志：Get-Content -Tail 50 -Encoding UTF8 {_powershell(str(plan.log))}",
        f"{CODES}（任务计划程序的“上次运行结果”）。"]).replace("--", "- -")    # two hyphens may not stand in a comment of XML
    return {f"{plan.name}.xml": f"""<!--
{comment}
-->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(f"客户之声周报（库 {plan.store}），{plan.when}")}</Description></RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>{first.isoformat()}</StartBoundary>
      <Enabled>true</Enabled>
      <ScheduleByWeek><DaysOfWeek><{WINDOWS_DAYS[plan.day]} /></DaysOfWeek><WeeksInterval>1</WeeksInterval></ScheduleByWeek>
    </CalendarTrigger>
  </Triggers>
  <Principals><Principal id="Author"><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT{plan.timeout + SPARE}M</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>powershell.exe</Command>
      <Arguments>{escape(f'-NoProfile -NonInteractive -WindowStyle Hidden -Command "{script}"')}</Arguments>
      <WorkingDirectory>{escape(str(plan.home))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""}


def _powershell(word: str) -> str:
    """A word in single quotes; PowerShell takes the curly ones for quotes as well."""
    return "'" + re.sub("(['‘’‚‛])", r"\1\1", word) + "'"


def github(plan: Plan) -> dict[str, str]:
    """A workflow for a runner of one's own: the data never leaves the machine, nothing is uploaded, the log stays beside the pages."""
    local = datetime.now().astimezone().replace(hour=plan.hour, minute=plan.minute) + timedelta(days=plan.day - datetime.now().weekday())
    moved = local - local.utcoffset()
    run = f"mkdir -p {shlex.quote(str(plan.log.parent))}\n{{ date; {shlex.join(plan.words)}; }} >> {shlex.quote(str(plan.log))} 2>&1"
    return {f".github/workflows/{plan.name}.yml": "\n".join([
        f"# .github/workflows/{plan.name}.yml",
        f"# 客户之声周报（库 {plan.store}），本机时间{plan.when}；错过的周下一次自动补做（--since）。",
        "# 只在自己的机器上跑（self-hosted，须装在有数据的这台机器上）：数据不离开它，不上传任何产物，日志也只写在它上面。",
        f"# 看日志（在那台机器上）：tail -n 50 {shlex.quote(str(plan.log))}",
        f"# {CODES}。合同用到的环境变量（env:…）写进 env。",
        f"name: {json.dumps(f'客户之声周报 {plan.store}', ensure_ascii=False)}",
        "on:",
        "  schedule:",
        f'    - cron: "{moved.minute} {moved.hour} * * {(moved.weekday() + 1) % 7}"   # GitHub 按 UTC 计时；有夏令时的地方换季后差一小时',
        "  workflow_dispatch:",
        "permissions: {}",
        "concurrency:",
        f"  group: {plan.name}",
        "  cancel-in-progress: false",
        "jobs:",
        "  weekly:",
        "    runs-on: self-hosted",
        f"    timeout-minutes: {plan.timeout + SPARE}",
        "    steps:",
        "      - name: 周报",
        "        shell: sh",
        "        env:",
        f"          VOC_HOME: {json.dumps(str(plan.home), ensure_ascii=False)}",
        f"        run: {json.dumps(run, ensure_ascii=False)}", ""])}
