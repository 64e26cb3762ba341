"""The `voc` command: ingest, enrich, report, weekly, status. Every command takes --json; errors are one clear message."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from voc_lib.cli_audit import audit
from voc_lib.cli_codes import codes_app
from voc_lib.cli_topics import topics_app
from voc_lib.cli_words import App, usage_words

app = App(
    name="voc", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="客户之声工作台：导入各渠道的导出文件，编码、测量，生成可离线打开的周报。数据不离开本机。",
)
app.add_typer(codes_app, name="codes")
app.add_typer(topics_app, name="topics")
STORE = typer.Option("--store", metavar="库", help="哪个库；不写则用 voc.toml 里的 store。")
JSON = typer.Option("--json", metavar="", help="以 JSON 输出，供程序读取。")
COUNTS = {"rows_read": "读入行", "feedback_stored": "新存反馈", "rows_repeated": "重复行", "rows_filtered": "按约定滤去", "rows_quarantined": "隔离行"}
STEPS = {"ingest": "导入", "enrich": "编码与向量", "choose": "周次", "notebooks": "笔记本", "pages": "页面"}
INTERRUPTED = 130  # the exit status of Ctrl-C
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)


def _store(name: str | None) -> str:
    from voc_lib.settings import settings

    return name or settings().store


def _say_json(content: object) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1, default=str))


@app.command()
def ingest(
    folder: Annotated[Path | None, typer.Argument(metavar="文件夹", help="导出文件所在的文件夹；不写则只读合同里的数据库。")] = None,
    store: Annotated[str | None, STORE] = None,
    domain: Annotated[str | None, typer.Option("--domain", metavar="领域", help="库的领域（data/domains 下的文件夹名），新建库时必写。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """把导出文件和数据库里的新反馈读进库：按合同取列、遮蔽个人信息、只存新的反馈；不合格的行进隔离区。"""
    from voc_lib.collect.ingest import ingest as run
    from voc_lib.collect.ingest import unclaimed
    from voc_lib.collect.pull import pull
    from voc_lib.store import open_store

    name = _store(store)
    counts = (run(name, folder, domain) if folder else []) + pull(name, domain, needed=folder is None)
    failed = {file: why for count in counts for file, why in count.failed.items()}
    snapshot, others = open_store(name).snapshot, unclaimed(name, folder) if folder else []
    if as_json:
        sources = [count.as_dict() for count in counts]
        _say_json({"store": name, "snapshot": snapshot, "sources": sources, "failed": failed, "unclaimed": others})
    else:
        table = Table("来源", "文件", *COUNTS.values(), title=f"导入到库「{name}」", title_justify="left")
        for count in (count for count in counts if not count.base):
            facts = count.as_dict()
            files = f"{count.files}" + (f"（{count.files_known} 份已读过）" if count.files_known else "")
            table.add_row(count.title, files, *(f"{facts[key]:,}" for key in COUNTS))
        out.print(table)
        for count in counts:
            if count.resumed:
                out.print(f"{count.title}：{count.resumed}", style="dim", markup=False, highlight=False)
        for count in (count for count in counts if count.base):
            out.print(f"基数「{count.title}」：{count.files} 份，{count.rows_read:,} 行，隔离 {count.rows_quarantined:,} 行", markup=False, highlight=False)
        stored = sum(count.feedback_stored for count in counts)
        out.print(f"新存 {stored:,} 条反馈，快照 {snapshot}。" if stored else f"没有新的反馈：新增 0 条，快照仍是 {snapshot}。")
        if others:
            listed = "、".join(others[:8]) + (" 等" if len(others) > 8 else "")
            out.print(f"没有合同认领的文件 {len(others)} 个：{listed}。要读入，请按合同 read.glob 的写法改名或移动。", style="dim", markup=False)
    _exit_if_left_out(failed)


@app.command()
def enrich(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """给反馈编码（系统-部件-现象）并计算句向量；只做缺的部分。"""
    from voc_lib.enrich.run import enrich as run

    done = run(_store(store))
    if as_json:
        _say_json({"store": _store(store)} | done.as_dict())
        return
    if not done.feedback:
        out.print(f"库「{_store(store)}」里还没有反馈，没有可编码的。先用 voc ingest 导入。")
        return
    if done.labels_looked_at or done.labels_waiting:
        waiting = f"还有 {done.labels_waiting:,} 条标注没有学到，要马上用上请运行 voc codes refit。" if done.labels_waiting else ""
        out.print(f"照标注看了 {done.labels_looked_at:,} 条没有编码的反馈。{waiting}")
    out.print(f"新编码 {done.feedback_coded:,} 条（全库 {done.feedback:,} 条，{done.coded_share:.0%} 至少有一个编码）；新嵌入 {done.texts_embedded:,} 条文本（共 {done.texts:,} 条不同的文本）。")
    for note in filter(None, (done.embedder_note, done.topics_note)):
        out.print(note)


@app.command()
def report(
    notebook: Annotated[str, typer.Argument(metavar="笔记本", help="notebooks/ 里的笔记本名，如 data_health。")],
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", metavar="名=值", help="参数，写成 名=值，可重复。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """带参数运行一本笔记本，生成一个可离线打开的页面。"""
    from voc_lib.pipeline import RunError, notebook_path, render

    notebook_path(notebook)
    wrong = [pair for pair in parameter or [] if "=" not in pair]
    if wrong:
        raise RunError(f"参数「{wrong[0]}」要写成 名=值，例如 -p period=2020-W24。")
    run = render(notebook.removesuffix(".ipynb"), dict(pair.split("=", 1) for pair in parameter or []), _tell(as_json))
    _end(run, as_json)


@app.command()
def weekly(
    week: Annotated[str | None, typer.Option("--week", metavar="周", help="ISO 周，如 2020-W24；不写则取库中最近完整的一周。")] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """跑完一周：导入、编码、笔记本、发布 reports/<周>/index.html；最后一行是它的路径。"""
    from voc_lib.pipeline import weekly as run

    _end(run(_store(store), week, _tell(as_json)), as_json)


@app.command()
def status(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """库里有什么：各表各渠道的行数、快照、新鲜度、隔离行。"""
    from voc_lib.measure.analyses.health import status as look

    found = look(_store(store))
    if as_json:
        _say_json(found)
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

    found = look(_store(store))
    if as_json:
        _say_json({"store": _store(store), "runs": found.to_dicts()})
        return
    table = Table("开始", "命令", "周次", "快照", "结果", "秒")
    for row in found.iter_rows(named=True):
        outcome = {"published": "已发布", "failed": "失败"}[row["outcome"]]
        table.add_row(f"{row['started_at']:%Y-%m-%d %H:%M}", row["command"], row["week"] or "—", row["snapshot"], outcome, f"{row['seconds']:.1f}")
    out.print(table if found.height else f"库「{_store(store)}」还没有跑过。")


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
        _say_json({"store": manifest["store"], "snapshot": manifest["snapshot"], "equal": same, "numbers": found.to_dicts()})
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

    removed = tidy(_store(store), keep_days)
    if as_json:
        _say_json({"store": _store(store), "files_removed": removed})
    else:
        out.print(f"库「{_store(store)}」：删去 {sum(removed.values()):,} 个不再需要的文件，每份报告的快照都还在。")


app.command()(audit)


def _tell(as_json: bool):
    return lambda step, said: None if as_json else out.print(f"{STEPS[step]}：{said}", markup=False, highlight=False)


def _end(run, as_json: bool) -> None:
    if as_json:
        _say_json({"store": run.store, "week": run.week, "snapshot": run.snapshot.snapshot, "parameters": run.parameters,
                   "steps": run.said, "left_out": run.left_out, "headline": run.headline, "page": str(run.page)})
    else:
        print(run.page)
    _exit_if_left_out(run.left_out)


def _exit_if_left_out(left_out: dict[str, str]) -> None:
    """Name what was not read, with its reason; the exit status tells the scheduler."""
    for name, why in left_out.items():
        err.print(f"未读入：{name}：{why}", style="red", markup=False, highlight=False)
    if left_out:
        raise typer.Exit(1)


from voc_lib import cli_evaluate, cli_sample  # noqa: E402, F401  (register `voc evaluate` and `voc sample` on the app above)


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
        sys.exit(1)
    if status == INTERRUPTED:
        err.print("已中断。已发布的数据和页面没有改动；重新运行会接着做。", style="red")
    sys.exit(status)


def _words(error: Exception) -> str | None:
    """What the analyst is told; None for a defect, which keeps its traceback."""
    from deltalake.exceptions import DeltaError

    from voc_lib.messages import newer_format, system_words
    from voc_lib.settings import settings

    if _known(error):
        return str(error)
    found = system_words(error) if isinstance(error, (OSError, DeltaError)) else None
    if found:
        where = f"（{settings().lake}）" if isinstance(error, DeltaError) else ""  # Delta does not say which disk
        return f"读写文件时出错：{found[0]}{where}。已发布的数据和页面没有改动；{found[1]}后重新运行即可。"
    if isinstance(error, DeltaError) and newer_format(error):
        return "这个库是用更新的版本写的，本版本读不了。请先升级（git pull 后 make report），数据没有改动。"
    return None


def _known(error: Exception) -> bool:
    """Errors that carry a message for the analyst; anything else is a defect and keeps its traceback."""
    from voc_lib.collect.contract import ContractError
    from voc_lib.collect.ingest import IngestError
    from voc_lib.collect.keys import SecretError
    from voc_lib.enrich.domain import DomainError
    from voc_lib.enrich.ledger import LedgerError
    from voc_lib.enrich.topic_store import TopicError
    from voc_lib.evaluate import EvaluateError
    from voc_lib.measure.auditing import AuditError
    from voc_lib.measure.feedback import PeriodError
    from voc_lib.pipeline import RunError
    from voc_lib.report.parameters import ParameterError
    from voc_lib.sample import WorldError
    from voc_lib.settings import SettingsError
    from voc_lib.store import StoreError

    return isinstance(error, (ContractError, IngestError, SecretError, DomainError, AuditError, PeriodError, RunError, ParameterError, SettingsError, StoreError, EvaluateError, WorldError,
                              LedgerError, TopicError))
