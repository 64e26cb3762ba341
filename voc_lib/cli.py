"""The `voc` command: its door. The commands are in `commands/`, found by file name; every one takes --json; errors are one clear message."""

from __future__ import annotations

import json
import logging
import sys
from importlib import import_module
from pathlib import Path

import typer
from rich.console import Console

from voc_lib.cli_words import App, usage_words

app = App(
    name="voc", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="客户之声工作台：导入各渠道的导出文件，编码、测量，生成可离线打开的周报。数据不离开本机。",
)
STORE = typer.Option("--store", metavar="库", help="哪个库；不写则用 voc.toml 里的 store。")
JSON = typer.Option("--json", metavar="", help="以 JSON 输出，供程序读取。")
STEPS = {"ingest": "导入", "enrich": "编码与向量", "choose": "周次", "notebooks": "笔记本", "pages": "页面", "actions": "行动"}
INTERRUPTED = 130  # the exit status of Ctrl-C
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)


def store_named(name: str | None) -> str:
    from voc_lib.settings import settings

    return name or settings().store


def say_json(content: object) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1, default=str))


def teller(as_json: bool):
    """What tells a step on the screen; nothing where a program reads."""
    return lambda step, said: None if as_json else out.print(f"{STEPS[step]}：{said}", markup=False, highlight=False)


def exit_if_left_out(left_out: dict[str, str]) -> None:
    """Name what was not read, with its reason; the exit status tells the scheduler."""
    for name, why in left_out.items():
        err.print(f"未读入：{name}：{why}", style="red", markup=False, highlight=False)
    if left_out:
        raise typer.Exit(1)


# The order of the help page: the week first, then what is done now and then, then the rest by name.
FIRST = ["contract", "ingest", "quarantine", "weekly", "schedule", "sign", "runs", "find", "selection", "codes", "topics", "audit"]
_found = sorted(path.stem for path in (Path(__file__).parent / "commands").glob("[a-z]*.py"))
for _name in sorted(_found, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)):
    import_module(f"voc_lib.commands.{_name}")


def main() -> None:
    """Run `voc`; an error we know is one message on standard error and exit status 1."""
    from voc_lib.collect.masking import MaskingLogFilter, mask_text

    handler = logging.StreamHandler()
    handler.addFilter(MaskingLogFilter())
    handler.setFormatter(logging.Formatter("%(message)s"))
    voc_log = logging.getLogger("voc")
    voc_log.addHandler(handler)
    voc_log.setLevel(logging.ERROR)
    logging.getLogger("voc.ingest").setLevel(logging.CRITICAL)  # what it logs, the command says itself
    logging.getLogger("voc.store").setLevel(logging.INFO)  # that it waits for another command
    logging.getLogger("voc.search").setLevel(logging.INFO)  # that a first search takes longer
    logging.getLogger("voc.progress").setLevel(logging.INFO)  # how far it is with a large file
    try:
        status = app(prog_name="voc", standalone_mode=False)
    except typer.TyperException as error:
        if said := usage_words(error):
            err.print(said, style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
    except Exception as error:
        said = _words(error)
        if said is None:
            raise
        err.print(mask_text(said), style="red", markup=False, highlight=False)
        sys.exit(getattr(error, "exit_status", 1))
    if status == INTERRUPTED:
        err.print("已中断。已发布的数据和页面没有改动；重新运行会接着做。", style="red")
    sys.exit(status)


def _words(error: Exception) -> str | None:
    """What the analyst is told; None for a defect, which keeps its traceback."""
    from deltalake.exceptions import DeltaError

    from voc_lib.messages import Told, newer_format, system_words
    from voc_lib.settings import settings

    if isinstance(error, Told):
        return str(error)
    found = system_words(error) if isinstance(error, (OSError, DeltaError)) else None
    if found:
        where = f"（{settings().lake}）" if isinstance(error, DeltaError) else ""  # Delta does not say which disk
        return f"读写文件时出错：{found[0]}{where}。已发布的数据和页面没有改动；{found[1]}后重新运行即可。"
    if isinstance(error, DeltaError) and newer_format(error):
        return "这个库是用更新的版本写的，本版本读不了。请先升级（git pull 后 make report），数据没有改动。"
    return None
