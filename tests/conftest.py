"""A home of its own for every test: its own voc.toml, lake, reports and secret; nothing of the project is touched."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import sys
from functools import cache
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a process per core: threads of numerical libraries would only wait for each other (a fit of topics takes twice the CPU)
PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"
# Three English words in a row; what is typed (voc ingest --store mine) and names of files are not sentences.
ENGLISH = re.compile(r"(?<![\w/.-])[A-Za-z]{2,}(?: [a-z]{2,}){2,}|Traceback|Error\b|Usage|panicked")

# How `make test` shares the files out: those that use one dear fixture go to one process, which makes it once; what takes longest begins first, so that all end together.
DEAR = {"planted_home": "planted_home", "small_world": "small_world", "explored_world": "small_world", "drafted": "drafted", "draft": "drafted"}
LONGEST_FIRST = ("small_world", "planted_home", "tests/test_readme.py", "drafted", "tests/test_cli.py", "tests/test_messages.py")


@cache
def unit_of(file: str) -> str:
    """What is handed to a process as a whole: the files of one dear fixture, else the file alone."""
    given = " ".join(re.findall(r"^def \w+\((.*)\)", (PROJECT / file).read_text("utf-8"), re.M))
    return next((DEAR[name] for name in re.findall(r"\w+", given) if name in DEAR), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    class ByUnit(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid.split("::", 1)[0])

    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # in the order of collection, which is the one below
    return ByUnit(config, log)


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        places = {unit: place for place, unit in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: places.get(unit_of(item.nodeid.split("::", 1)[0]), len(places)))


def make_home(folder: Path) -> Path:
    """A copy of voc.toml, the domains, the hand-written exports (as the raw folder of the store `sample`) and the notebooks."""
    folder.mkdir(parents=True)
    shutil.copy(PROJECT / "voc.toml", folder)
    shutil.copytree(PROJECT / "data" / "domains", folder / "data" / "domains")
    shutil.copytree(PROJECT / "tests" / "exports", folder / "data" / "raw" / "sample")
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints", "scratch"))
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home in a folder whose name has spaces and Chinese."""
    folder = make_home(tmp_path / "工作 台")
    monkeypatch.setenv("VOC_HOME", str(folder))
    return folder


@pytest.fixture
def knowing_home(home, start_known):
    """A home without a store whose lake holds the start model of opinions: commands typed in it need not fit it again."""
    return knows_start(home, start_known)


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    """A home for all tests of a file: each reads stores made once in it, or adds its own. `kept` makes it the home of a test."""
    return make_home(tmp_path_factory.mktemp("kept") / "工作 台")


@pytest.fixture
def kept(kept_home, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(kept_home))
    return kept_home


@pytest.fixture(autouse=True)
def quiet_again():
    """What the command line sets on the loggers of `voc` (levels, a handler) ends with the test that called it."""
    loggers = [logging.getLogger(name) for name in ("voc", "voc.ingest", "voc.store", "voc.search", "voc.progress")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture(scope="session")
def start_known(tmp_path_factory):
    """A folder with the start model of opinions as a lake keeps it: fitted once for all processes of the run, eight seconds each otherwise."""
    from filelock import FileLock

    from voc_lib.enrich.opinions_start import _kept_start_model

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "start_known"
    folder.mkdir(exist_ok=True)
    with FileLock(str(folder / ".lock")):
        _kept_start_model(folder)
    return folder


def knows_start(home: Path, start_known: Path) -> Path:
    (home / "data" / "lake").mkdir()
    for kept in start_known.glob(".opinions-start-*"):
        shutil.copy(kept, home / "data" / "lake")
    return home


@pytest.fixture(scope="session")
def enriched(start_known, tmp_path_factory):
    """A home whose store `sample` is ingested and enriched: made once, never written to by a test."""
    folder = knows_start(make_home(tmp_path_factory.mktemp("enriched") / "样例 库"), start_known)
    before = os.environ.get("VOC_HOME")
    os.environ["VOC_HOME"] = str(folder)
    try:
        from voc_lib.collect.ingest import ingest
        from voc_lib.enrich.run import enrich

        ingest("sample", folder / "data" / "raw" / "sample")
        enrich("sample")
    finally:
        os.environ.pop("VOC_HOME") if before is None else os.environ.update(VOC_HOME=before)
    return folder


@pytest.fixture(scope="session")
def planted_home(start_known, tmp_path_factory):
    """A home whose store `sample` is the planted world that `make report` runs on, ingested, enriched and with topics; never written to."""
    return plant_home(tmp_path_factory.mktemp("planted") / "样例 世界", start_known=start_known)


@pytest.fixture(scope="session")
def small_world(start_known, tmp_path_factory):
    """A planted world of 500 customers and 60 weeks, with topics; never written to."""
    return plant_home(tmp_path_factory.mktemp("small") / "小 世界", 500, 60, start_known)


@pytest.fixture(scope="session")
def explored_world(small_world, tmp_path_factory):
    """The small world with what the notebook `exploration` asks for kept in it: fitting is nine tenths compiling UMAP, anew in every kernel; never written to."""
    folder = shutil.copytree(small_world, tmp_path_factory.mktemp("explored") / "小 世界")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(folder))
        import voc_lib as voc
        from voc_lib.report.parameters import read_parameters

        asked = read_parameters(folder / "notebooks" / "exploration.ipynb")
        lake = voc.open_store("sample")
        voc.explore(lake, voc.feedback(lake, voc.weeks_until(asked["period"], asked["weeks"])), asked["documents"], asked["smallest"], asked["seed"])
    return folder


def plant_home(folder: Path, customers: int | None = None, weeks: int = 120, start_known: Path | None = None) -> Path:
    from voc_lib.sample import World, plant

    make_home(folder)
    if start_known is not None:
        knows_start(folder, start_known)
    raw = folder / "data" / "raw" / "sample"
    shutil.rmtree(raw)
    plant(World("auto", customers or customers_of_the_sample(), weeks), raw)
    before = os.environ.get("VOC_HOME")
    os.environ["VOC_HOME"] = str(folder)
    try:
        from voc_lib.collect.ingest import ingest
        from voc_lib.enrich.run import enrich
        from voc_lib.enrich.topic_store import fit_topics

        ingest("sample", raw)
        enrich("sample")
        fit_topics("sample")
    finally:
        os.environ.pop("VOC_HOME") if before is None else os.environ.update(VOC_HOME=before)
    return folder


def customers_of_the_sample() -> int:
    """As many as `make report` plants."""
    return int(re.search(r"^CUSTOMERS \?= (\d+)$", (PROJECT / "Makefile").read_text("utf-8"), re.M)[1])


@pytest.fixture
def sample(enriched, tmp_path, monkeypatch):
    """A copy of the enriched home that a test may write to."""
    folder = shutil.copytree(enriched, tmp_path / "样例 台")
    monkeypatch.setenv("VOC_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def drafted(enriched, tmp_path_factory):
    """The enriched home with the draft of 2026-W46; never written to."""
    folder = shutil.copytree(enriched, tmp_path_factory.mktemp("drafted") / "周 报")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(folder))
        from voc_lib import pipeline

        pipeline.weekly("sample", "2026-W46")
    return folder


@pytest.fixture
def draft(drafted, tmp_path, monkeypatch):
    """A copy of the home with a draft that a test may write to: making the week again runs no notebook that has not changed."""
    folder = shutil.copytree(drafted, tmp_path / "周 报")
    monkeypatch.setenv("VOC_HOME", str(folder))
    return folder


@pytest.fixture
def shared():
    """The folder of real data beside the project; tests that need it skip where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("没有旁边的 shared/ 文件夹：真实数据不在本机")
    return SHARED


@pytest.fixture
def type_in(monkeypatch, capsys):
    """Type a command in a home, after something has been done to it; gives exit status, standard output and error."""
    from voc_lib.cli import main

    def typed(home: Path, words: str, steps=()) -> tuple[int, str, str]:
        monkeypatch.chdir(home)
        with monkeypatch.context() as patch:
            for step in steps:
                step(home, patch)
            patch.setattr(sys, "argv", ["voc", *shlex.split(words)])
            with pytest.raises(SystemExit) as end:
                main()
        logging.getLogger("voc").handlers.clear()
        said = capsys.readouterr()
        assert not ENGLISH.search(re.sub(r"voc [a-z]+ [a-z_]+", "", said.err)), said.err
        return end.value.code or 0, said.out, said.err

    return typed
