"""Units for schedulers: each is read by what would read it, and paths with spaces, quotes and Chinese survive a real shell."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import pytest
import yaml

from voc_lib import schedule
from voc_lib.schedule import Plan, ScheduleError
from voc_lib.store import StoreError

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture
def awkward(tmp_path):
    """A plan whose every path has a space, both quotes, a dollar, a per cent sign, an ampersand and Chinese; its `voc` tells how it was called."""
    home = tmp_path / "客户 之声's \"工作台\" $HOME & 100%"
    home.mkdir()
    voc = home / "voc"
    voc.write_text('#!/bin/sh\nprintf "home=%s\\n" "$VOC_HOME"\nprintf "word=%s\\n" "$@"\nexit ${TOLD:-0}\n', "utf-8")
    voc.chmod(0o755)
    return Plan(voc, home, home / "reports" / ".log" / "weekly-库.log", "库", "2026-W46", 0, 6, 30, 120)


TYPED = ["weekly", "--store", "库", "--since", "2026-W46", "--timeout", "120"]


def called(said, plan):
    """What the stand-in for `voc` wrote: the home it was given and its words."""
    lines = said.splitlines()
    return [line[5:] for line in lines if line.startswith("home=")] == [str(plan.home)] and [line[5:] for line in lines if line.startswith("word=")] == TYPED


def as_cron_does(text):
    """The five fields and the command of the one line that is not a comment, as cron reads them."""
    line, = (line for line in text.splitlines() if line and not line.startswith("#"))
    fields = line.split(" ", 5)
    assert not re.search(r"(?<!\\)%", fields[5])  # that would end the command
    return fields[:5], fields[5].replace(r"\%", "%")


@pytest.mark.parametrize("outer", [True, False])
def test_the_cron_line_runs_in_a_real_shell(awkward, outer):
    if outer and not (shutil.which("flock") and shutil.which("timeout")):
        pytest.skip("flock or timeout is missing")
    fields, command = as_cron_does(schedule.cron(awkward, outer)["crontab"])
    assert fields == ["30", "6", "*", "*", "1"] and ("flock -n -E 75" in command and "timeout -k 60 7500" in command) == outer
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", "HOME": "/"})
    assert (done.stdout, done.stderr) == ("", "") and called(awkward.log.read_text("utf-8"), awkward)
    subprocess.run(["/bin/sh", "-c", command], check=True, env={"PATH": "/usr/bin:/bin", "TOLD": "124"})
    said = awkward.log.read_text("utf-8")
    assert said.count("home=") == 2 and said.endswith("退出码 124\n")


@pytest.mark.skipif(not (shutil.which("flock") and shutil.which("timeout")), reason="flock or timeout is missing")
def test_cron_does_not_start_a_second_one_beside_the_first(awkward):
    awkward.voc.write_text("#!/bin/sh\necho ran; touch up; while [ ! -e stop ]; do sleep .05; done\n", "utf-8")
    command = as_cron_does(schedule.cron(awkward, True)["crontab"])[1]
    first = subprocess.Popen(["/bin/sh", "-c", command], cwd=awkward.home)
    while not (awkward.home / "up").exists():
        assert first.poll() is None
    subprocess.run(["/bin/sh", "-c", command], cwd=awkward.home, check=True)
    (awkward.home / "stop").touch()
    assert first.wait() == 0 and awkward.log.read_text("utf-8").count("ran") == 1 and "退出码 75" in awkward.log.read_text("utf-8")


def test_a_path_too_long_for_cron_is_refused(awkward):
    deep = awkward.home / ("很深的文件夹" * 20)
    with pytest.raises(ScheduleError, match="路径太长.*--systemd"):
        schedule.cron(Plan(deep / "voc", deep, deep / "log", "a", "2026-W46", 0, 6, 30, 120))


@pytest.mark.parametrize("place", ["its quotes", "客户 之声 100%"])
def test_systemd_takes_the_units(awkward, tmp_path, place):
    voc = tmp_path / place / "voc"
    if place != "its quotes":
        voc.parent.mkdir()
        shutil.copy(awkward.voc, voc)
        awkward = replace(awkward, voc=voc)
    files = schedule.systemd(awkward)
    assert ("/bin/sh" in files[f"{awkward.name}.service"]) == (place == "its quotes")  # systemd itself starts what it can
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in files.items():
        assert re.fullmatch(r"voc-weekly-[0-9a-f]{8}\.(service|timer)", name)  # the store's name is Chinese
        assert text.startswith(f"# ~/.config/systemd/user/{name}\n")
        (folder / name).write_text(text, "utf-8")
    units = {name.rpartition(".")[2]: configparser.RawConfigParser(strict=False) for name in files}
    for name, text in files.items():
        units[name.rpartition(".")[2]].read_string(text)
    assert units["timer"]["Timer"]["OnCalendar"] == "Mon *-*-* 06:30:00" and units["timer"]["Timer"]["Persistent"] == "true"
    assert units["service"]["Service"]["TimeoutStartSec"] == "125min" and units["service"]["Service"]["Restart"] == "on-abnormal"
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(folder / name for name in files)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not any(name in done.stderr for name in files), done.stderr  # also: the program of ExecStart is there


def test_the_task_of_windows_is_well_formed_and_its_words_are_quoted(awkward):
    text, = schedule.windows(awkward).values()
    task = ET.fromstring(text)

    def said(path):
        return task.find("/".join(f"{TASK}{part}" for part in path.split("/"))).text

    assert said("Settings/MultipleInstancesPolicy") == "IgnoreNew" and said("Settings/ExecutionTimeLimit") == "PT125M" and said("Settings/StartWhenAvailable") == "true"
    start = said("Triggers/CalendarTrigger/StartBoundary")
    assert date.fromisoformat(start[:10]).weekday() == 0 and start[11:] == "06:30:00" and task.find(f".//{TASK}Monday") is not None
    words = said("Actions/Exec/Arguments")
    quoted = {word.replace("''", "'") for word in re.findall(r"'((?:[^']|'')*)'", words)}
    assert {str(awkward.home), str(awkward.voc), str(awkward.log), *TYPED} <= quoted and words.startswith("-NoProfile")
    assert said("Actions/Exec/WorkingDirectory") == str(awkward.home)


def test_curly_quotes_are_quotes_to_powershell():
    assert schedule._powershell("a’b'c") == "'a’’b''c'"


def test_the_workflow_runs_on_ones_own_machine_and_uploads_nothing(awkward):
    (name, text), = schedule.github(awkward).items()
    flow = yaml.safe_load(text)
    job = flow["jobs"]["weekly"]
    assert name.startswith(".github/workflows/voc-weekly-") and job["runs-on"] == "self-hosted" and job["timeout-minutes"] == 125
    assert flow["permissions"] == {} and flow["concurrency"] == {"group": awkward.name, "cancel-in-progress": False}
    step, = job["steps"]
    assert set(step) == {"name", "shell", "env", "run"}  # no action of anybody's
    environment = {"PATH": "/usr/bin:/bin"} | step["env"]
    done = subprocess.run(["/bin/sh", "-e", "-c", step["run"]], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("", "") and called(awkward.log.read_text("utf-8"), awkward)


@pytest.mark.parametrize(("zone", "day", "cron"), [("UTC", 0, "30 6 * * 1"), ("CST-8", 0, "30 22 * * 0"), ("CST-8", 6, "30 22 * * 6"), ("EST5", 6, "30 11 * * 0")])
def test_github_counts_in_utc(awkward, monkeypatch, zone, day, cron):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        flow = yaml.safe_load(next(iter(schedule.github(replace(awkward, day=day)).values())))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert flow[True]["schedule"] == [{"cron": cron}]  # YAML reads `on` as true


def test_the_plan_is_of_this_machine(home):
    made = schedule.plan("sample", "周日", "6:05", 90)
    assert (made.day, made.hour, made.minute, made.home) == (6, 6, 5, home) and made.voc.is_absolute() and os.access(made.voc, os.X_OK)
    assert made.log == home / "reports" / ".log" / "weekly-sample.log" and re.fullmatch(r"\d{4}-W\d\d", made.since)
    assert schedule.plan("sample", "Monday", "23:59", 90).day == schedule.plan("sample", "星期一", "00:00", 90).day == 0
    assert not (home / "reports").exists()
    for day, time, said in (("foo", "06:30", "mon、tue"), ("mon", "6:5", "写成 06:30"), ("mon", "24:00", "写成 06:30")):
        with pytest.raises(ScheduleError, match=said):
            schedule.plan("sample", day, time, 90)
    with pytest.raises(StoreError, match="没有名为「smaple」的库"):
        schedule.plan("smaple", "mon", "06:30", 90)


@pytest.mark.parametrize("kind", ["cron", "systemd", "windows", "github"])
def test_the_command_prints_it_or_says_it_as_json(home, kind, capsys, monkeypatch):
    from voc_lib.cli import app

    for words in ([], ["--json"]):
        app(["schedule", f"--{kind}", "--day", "fri", "--time", "18:00", *words], standalone_mode=False)
    plain, _, said = capsys.readouterr().out.partition("{\n \"kind\"")
    files = json.loads("{\n \"kind\"" + said)["files"]
    assert plain == "\n".join(files.values()) and str(home) in plain and "每周五 18:00" in plain and "看日志" in plain
