"""The week as a list of named steps, each of which finds what is already done and goes on from there.

ingest -> enrich -> notebooks -> pages -> publish. Nothing is published unless every notebook succeeded; a run that
fails leaves the last page as it was, keeps the partial notebook, and is written to the run log.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from deltalake.exceptions import DeltaError

from voc_lib.collect.ingest import IngestError, ingest, known_sources
from voc_lib.collect.pull import pull
from voc_lib.enrich.run import enrich
from voc_lib.measure.feedback import UNDATED, check_present, check_week, monday, weeks, weeks_before
from voc_lib.messages import Told, system_words
from voc_lib.publishing import Run, RunError, manifest_of, notebook_path, publish_pages, published
from voc_lib.respond.actions import LEDGER
from voc_lib.settings import settings
from voc_lib.store import Store, open_store, store_names
from voc_lib.store_write import append_run

SPEAKS_OF_NOTHING = "data_health"    # the one notebook that has something to say of an empty store
MOST_WEEKS = 1_000    # 19 years; a larger number is a slip of the key
UNDATED_NOTEBOOKS = ("overview", "data_health")    # of a store without dates; the first is its index.html


def weekly(store: str, week: str | None = None, tell: Callable[[str, str], None] = lambda step, said: None) -> Run:
    """Ingest what has arrived, enrich it, run the weekly notebooks and publish reports/<week>/index.html.

    Without `week` the last complete week in the store. Raises RunError; nothing is published then.
    """
    if week:
        check_week(week)
    return make_week(gather(store, tell), week, tell)


def gather(store: str, tell: Callable[[str, str], None]) -> Run:
    """The steps that are the same for every week: ingest what has arrived, enrich it. Raises RunError."""
    for name in settings().weekly.notebooks:
        try:
            notebook_path(name)
        except RunError as error:
            raise RunError(f"voc.toml 的 weekly.notebooks 要改：{error}") from None
    run = Run(store, "weekly", settings().weekly.notebooks, {}, settings().reports)
    for name, step in (("ingest", _ingest), ("enrich", _enrich)):
        run.said[name] = step(run)
        tell(name, run.said[name])
    return run


def make_week(gathered: Run, week: str | None, tell: Callable[[str, str], None]) -> Run:
    """Run the weekly notebooks and publish the week, on what has been gathered; `gathered` stays as it is. A signed week is left."""
    run = replace(gathered, week=week, said=dict(gathered.said))
    run.said["choose"] = _choose_week(run)
    tell("choose", run.said["choose"])
    if signed := published(run.target).get("signed"):
        run.page, run.signed = run.target / "index.html", signed
        run.said["pages"] = f"{run.week} 已由{signed['by']}于 {signed['at'][:10]} 定稿，没有改动；要改用 voc sign {run.target.name} --by 姓名 --again"
        tell("pages", run.said["pages"])
        return run
    return finish(run, tell)


def render(notebook: str, given: dict[str, str], tell: Callable[[str, str], None] = lambda step, said: None) -> Run:
    """One notebook with parameters, as reports/pages/<notebook>[-<period>]/index.html. Raises RunError or ParameterError."""
    from voc_lib.report.parameters import validate

    parameters = validate(notebook_path(notebook), given)
    store = str(parameters.get("store") or settings().store)
    period, span = parameters.get("period") or None, parameters.get("weeks", 1)
    if isinstance(span, int) and not 1 <= span <= MOST_WEEKS:
        raise RunError(f"参数「weeks」应在 1 到 {MOST_WEEKS:,} 之间，写的是 {span:,}。")
    label = f"{notebook}-{check_week(str(period))}" if period else notebook
    run = Run(store, f"report {notebook}", (notebook,), parameters, settings().reports / "pages" / label, period)
    run.snapshot = open_store(store, parameters.get("snapshot") or None)
    until = weeks_before(period, int(span or 1) - 1) if period and period != UNDATED else []
    if notebook != SPEAKS_OF_NOTHING and not _held(run.snapshot):
        raise RunError(f"库「{store}」里还没有反馈，做不出页面。先导入数据：voc ingest --store {store} 文件夹")
    check_present(run.snapshot, [*until, period] if period else None, parameters.get("channel") or None)
    return finish(run, tell)


def _ingest(run: Run) -> str:
    sources = [folder for folder in known_sources(run.store) if any(path.is_file() for path in folder.rglob("*"))]
    counts = []
    for name, read in (*((str(folder), partial(ingest, run.store, folder)) for folder in sources), ("数据库", partial(pull, run.store))):
        try:
            found = read()
            run.left_out |= {file: why for count in found for file, why in count.failed.items()}
            counts += found
        except IngestError as error:
            run.left_out[name] = str(error)
    stored, failed = sum(count.feedback_stored for count in counts), list(run.left_out)
    if not sources and known_sources(run.store) and run.store not in store_names():
        empty = "、".join(map(str, known_sources(run.store)))
        raise RunError(f"库「{run.store}」还没有数据，它的导出文件夹里也没有文件：{empty}。把导出文件放进去再运行。")
    if not sources:
        open_store(run.store)  # an unknown store is said before anything else is
    said = f"新增 {stored:,} 条反馈" if sources or counts else "没有可读的导出文件夹，沿用库中已有数据"
    return said + (f"；{len(failed)} 个来源未能读入：{'、'.join(failed)}" if failed else "")


def _enrich(run: Run) -> str:
    done = enrich(run.store)
    return f"新编码 {done.feedback_coded:,} 条，新嵌入 {done.texts_embedded:,} 条文本"


def _choose_week(run: Run) -> str:
    run.snapshot = open_store(run.store)
    known = weeks(run.snapshot)["iso_week"].to_list()
    if not known:
        return _without_weeks(run)
    if run.week is None:
        over = [week for week in known if (datetime.now(UTC).date() - monday(week)).days >= 7]
        run.week = (over or known)[-1]
    check_present(run.snapshot, run.week)
    run.target = settings().reports / _folder(run)
    run.parameters = {"store": run.store, "period": run.week, "snapshot": run.snapshot.snapshot}
    return f"{run.week}，快照 {run.snapshot.snapshot}"


def _without_weeks(run: Run) -> str:
    """A store without a single date gets a page without weeks: reports/undated-<store>."""
    held = _held(run.snapshot)
    if run.week or not held:
        found = f"{held:,} 条反馈都没有日期，没有哪一周可看。不写 --week 就会做一页不分周的总览" if held else "还没有反馈，做不出页面"
        raise RunError(f"库「{run.store}」里{found}。可用 voc report data_health -p store={run.store} 查看它的数据。")
    run.notebooks, run.target = UNDATED_NOTEBOOKS, settings().reports / f"{UNDATED}-{run.store}"
    run.parameters = {"store": run.store, "snapshot": run.snapshot.snapshot}
    return f"没有日期，做不分周的总览，快照 {run.snapshot.snapshot}"


def _held(snapshot: Store) -> int:
    return snapshot.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()


def _folder(run: Run) -> str:
    """reports/<week>; where another store has published that week, reports/<week>-<store>."""
    if published(settings().reports / run.week).get("store") not in (None, run.store):
        return f"{run.week}-{run.store}"
    return run.week


def finish(run: Run, tell: Callable[[str, str], None]) -> Run:
    """Notebooks, pages, run log: what is left once week and snapshot are chosen. Raises RunError; nothing is published then."""
    from voc_lib.report.execute import ExecutionError
    from voc_lib.report.notes import read_notes
    from voc_lib.report.render import PageError
    from voc_lib.report.site import keep_failed

    started, clock = datetime.now(UTC), time.monotonic()
    if run.has_notes:
        read_notes(run.target)    # what is wrong with them is said before anything runs
    try:
        for name, step in (("notebooks", _notebooks), ("pages", publish_pages)):
            run.said[name] = step(run)
            tell(name, run.said[name])
    except (ExecutionError, PageError) as error:
        partial = error.partial if isinstance(error, ExecutionError) else run.work / f"{run.notebooks[0]}.ipynb"
        kept = keep_failed(partial, settings().reports, run.week or run.target.name)
        _log_run(run, "failed", started, time.monotonic() - clock)
        raise RunError(f"{error}\n上一次的页面没有改动；做到一半的笔记本留在 {kept}。") from None
    try:
        _log_run(run, "published", started, time.monotonic() - clock)
    except (OSError, DeltaError) as error:
        if (system := system_words(error)) is None:
            raise
        raise RunError(f"页面已发布在 {run.page}，但这次运行没有记进库：{system[0]}。{system[1]}后重新运行，否则 voc maintain 可能清理掉这一页的快照。") from None
    if run.signed or not run.has_notes:
        shutil.rmtree(run.work, ignore_errors=True)    # of a draft the notebooks stay: a changed word is then a page in a second
    return run


def _notebooks(run: Run) -> str:
    """Run every notebook; one already run on this snapshot with these parameters and this code is kept."""
    from voc_lib.report.execute import execute
    from voc_lib.report.parameters import read_parameters, validate

    kept = 0
    for name in run.notebooks:
        source, out = notebook_path(name), run.work / f"{name}.ipynb"
        known = read_parameters(source)
        parameters = validate(source, {k: v for k, v in run.parameters.items() if k in known or run.command not in ("weekly", "sign")})
        key = _key(source, parameters, run.snapshot.snapshot)
        mark = out.with_suffix(".done")
        if out.exists() and mark.exists() and mark.read_text("utf-8") == key:
            kept += 1
            continue
        mark.unlink(missing_ok=True)
        execute(source, parameters, out, env={"VOC_HOME": str(settings().home)})
        mark.write_text(key, "utf-8")
    return f"{len(run.notebooks)} 本笔记本跑完" + (f"（{kept} 本沿用上次的结果）" if kept else "")


def _key(notebook: Path, parameters: dict, snapshot: str) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode() + snapshot.encode())
    ledger = settings().reports / LEDGER
    for path in (notebook, *sorted(Path(__file__).parent.rglob("*.py")), *([ledger] if ledger.is_file() else [])):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _log_run(run: Run, outcome: str, started: datetime, seconds: float) -> None:
    manifest = manifest_of(run)
    append_run(run.store, {
        "run_id": f"{started:%Y%m%dT%H%M%S%f}", "command": run.command, "week": run.week, "snapshot": manifest["snapshot"],
        "parameters": json.dumps(run.parameters, ensure_ascii=False, sort_keys=True, default=str),
        "manifest": json.dumps(manifest["tables"], sort_keys=True), "versions": json.dumps(manifest["versions"], sort_keys=True),
        "git_commit": manifest["commit"], "headline": json.dumps(run.headline, ensure_ascii=False), "outcome": outcome,
        "started_at": started, "seconds": seconds,
    })
