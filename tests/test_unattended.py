"""A run that nobody watches: one at a time, over in time, and what a crash leaves is where the next one starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from filelock import FileLock

from voc_lib import unattended
from voc_lib.store import StoreError, open_store
from voc_lib.unattended import Busy, OutOfTime, alone, within

WEEKLY = [sys.executable, "-c", "from voc_lib.cli import main; main()", "weekly", "--week", "2026-W46"]


def pages(home):
    return {path: path.stat().st_mtime_ns for path in (home / "reports").rglob("*.html")} if (home / "reports").exists() else {}


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, "the run ended before it got there"
        time.sleep(0.05)


def hang(home, name, body):
    """The notebook's second last cell is `body` instead."""
    path = home / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[-2].source = body
    nbformat.write(notebook, path)


def test_the_second_says_who_runs_and_touches_nothing(home):
    first = f"from voc_lib.unattended import alone; import time\nwith alone('sample'):\n open({str(home / 'up')!r}, 'w'); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", first])
    try:
        wait_for(home / "up", process)
        done = subprocess.run(WEEKLY, capture_output=True, text=True, check=False)
        assert done.returncode == unattended.BUSY == 75 and done.stdout == ""
        assert f"库「sample」的周报正在运行：进程 {process.pid}（" in done.stderr and time.strftime("，从 %Y-%m-%d ") in done.stderr
        assert not (home / "data" / "lake" / "sample").exists() and pages(home) == {}
        with alone_of(home, "other"):  # another store is another matter
            pass
    finally:
        process.kill()
        process.wait()
    with alone("sample"):  # what the killed one left behind is not in the way
        assert json.loads((home / "data" / "lake" / ".weekly-sample.json").read_text("utf-8"))["pid"] == os.getpid()
    assert not (home / "data" / "lake" / ".weekly-sample.json").exists()


def alone_of(home, store):
    (home / "voc.toml").write_text((home / "voc.toml").read_text("utf-8") + f'\n[stores.{store}]\ndomain = "auto"\n', "utf-8")
    os.utime(home / "voc.toml", (1, 1))
    return alone(store)


def test_who_holds_it_is_said_even_before_it_is_known(home):
    (home / "data" / "lake").mkdir()
    with FileLock(str(home / "data" / "lake" / ".weekly-sample.lock"), is_singleton=False):
        (home / "data" / "lake" / ".weekly-sample.json").write_text("{", "utf-8")
        with pytest.raises(Busy, match="刚刚开始"), alone("sample"):
            pass
    with pytest.raises(StoreError, match="没有名为「smaple」的库"), alone("smaple"):
        pass
    assert not list((home / "data" / "lake").glob("*smaple*"))


def test_out_of_time_is_said_whatever_the_interrupt_became():
    before = signal.getsignal(signal.SIGINT)    # a run in the background ignores it
    with pytest.raises(OutOfTime, match="超过了 0.001 分钟.*没有改动"), within(0.001):
        time.sleep(60)  # the interrupt wakes it
    with pytest.raises(OutOfTime), within(0.001):
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise ValueError("what a library makes of it") from None
    with pytest.raises(ValueError, match="its own"), within(10):
        raise ValueError("its own")
    with within(None), within(10):
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_what_does_not_listen_is_ended_all_the_same():
    code = ("from voc_lib import unattended; import time\nunattended.GRACE = 0.2\n"
            "with unattended.within(0.001):\n while True:\n  try: time.sleep(60)\n  except KeyboardInterrupt: pass")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == unattended.TIMED_OUT == 124 and "运行超过了 0.001 分钟" in done.stderr


def test_a_weekly_run_out_of_time_leaves_the_last_page(sample):
    (sample / "reports" / "2026-W46").mkdir(parents=True)
    (sample / "reports" / "2026-W46" / "index.html").write_text("the last page", "utf-8")
    hang(sample, "weekly_brief", "import time; time.sleep(600)")
    before = pages(sample)
    done = subprocess.run([*WEEKLY, "--timeout", "0.25"], capture_output=True, text=True, check=False)
    assert done.returncode == 124 and "运行超过了 0.25 分钟（--timeout），已停下" in done.stderr and pages(sample) == before, done.stderr
    with alone("sample"):
        pass


def test_killed_between_two_notebooks_the_next_run_goes_on_there(knowing_home):
    """kill -9 in the second notebook: the first is not run again, nothing is ingested twice, the lock is free."""
    whole = (knowing_home / "notebooks" / "data_health.ipynb").read_bytes()
    hang(knowing_home, "data_health", f"import time; open({str(knowing_home / 'up')!r}, 'w'); time.sleep(600)")
    process = subprocess.Popen(WEEKLY, stdout=subprocess.DEVNULL)
    try:
        wait_for(knowing_home / "up", process)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL and pages(knowing_home) == {}
    held = open_store("sample").sql("SELECT count(*) AS n FROM feedback")["n"].item()
    (knowing_home / "notebooks" / "data_health.ipynb").write_bytes(whole)
    done = subprocess.run(WEEKLY, capture_output=True, text=True, check=True)
    assert "新增 0 条反馈" in done.stdout and "2 本笔记本跑完（1 本沿用上次的结果）" in done.stdout
    assert open_store("sample").sql("SELECT count(*) AS n FROM feedback")["n"].item() == held == 887
    assert done.stdout.strip().endswith("2026-W46/index.html")
