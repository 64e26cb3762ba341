"""A weekly run that nobody watches: alone on its store, and over in time.

The lock is the operating system's and ends with its process: what a crash leaves behind is never in the way. Beside it
stands who holds it, for whoever comes second.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import check_name, open_store, store_names
from voc_lib.store_write import write_atomically

BUSY = 75         # exit status EX_TEMPFAIL of sysexits.h: nothing is wrong, try again later
TIMED_OUT = 124   # exit status, as timeout(1) gives it
GRACE = 60        # seconds from being told to stop to being stopped: a kernel is shut down, unpublished rows are taken back


class Busy(Told):
    """Another weekly run holds the store; nothing was touched."""

    exit_status = BUSY


class OutOfTime(Told):
    """The run took longer than it was given; what is published stays as it was."""

    exit_status = TIMED_OUT


@contextmanager
def alone(store: str) -> Iterator[None]:
    """Hold the weekly run of a store; raises Busy, naming who runs since when, where somebody else does."""
    known(store)
    settings().lake.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(str(settings().lake / f".weekly-{store}.lock")), settings().lake / f".weekly-{store}.json"
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise Busy(f"库「{store}」的周报正在运行：{_who(holder)}。这一次什么也没有做；等它结束后再运行，或先结束那个进程。") from None
    try:
        write_atomically(holder, {"pid": os.getpid(), "host": socket.gethostname(), "started": datetime.now().astimezone().isoformat(timespec="seconds")})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def known(store: str) -> None:
    """Raise StoreError where there is no such store and voc.toml names none: said before anything is made for it."""
    if check_name(store) not in {*store_names(), *settings().stores}:
        open_store(store)


def _who(holder: Path) -> str:
    try:
        found = json.loads(holder.read_text("utf-8"))
        return f"进程 {found['pid']}（{found['host']}），从 {datetime.fromisoformat(found['started']).astimezone():%Y-%m-%d %H:%M} 开始"
    except (OSError, ValueError, KeyError, TypeError):  # between taking the lock and saying so
        return "刚刚开始"


@contextmanager
def within(minutes: float | None) -> Iterator[None]:
    """Stop what is inside after so many minutes, as Ctrl-C would, and raise OutOfTime; None is no limit.

    What does not listen to that (a database that never answers) is ended with its process after GRACE seconds more.
    """
    if minutes is None:
        yield
        return
    said = f"运行超过了 {minutes:g} 分钟（--timeout），已停下。已发布的数据和页面没有改动；重新运行会接着做。"
    late, ended = threading.Event(), threading.Event()

    def stop() -> None:
        late.set()
        _interrupt()
        if not ended.wait(GRACE):
            sys.stderr.write(said + "\n")
            sys.stderr.flush()
            os._exit(TIMED_OUT)

    timer = threading.Timer(minutes * 60, stop)
    timer.daemon = True
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with `&` ignores Ctrl-C
    timer.start()
    try:
        yield
    except BaseException:  # an interrupt, or what a library makes of one
        if late.is_set():
            raise OutOfTime(said) from None
        raise
    finally:
        timer.cancel()
        ended.set()
        signal.signal(signal.SIGINT, before)


def _interrupt() -> None:
    """Ctrl-C for the main thread; a real signal, where there are any, also wakes it from waiting."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()
