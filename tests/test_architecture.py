"""The house stays as it was drawn: imports point left, files stay small, the map in the README names every file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
LIBRARY = PROJECT / "voc_lib"
ROOMS = ["collect", "enrich", "measure", "report", "respond"]
APART = ["sample", "evaluate"]  # the planted world knows no room; evaluation knows all of them
COMMON = ["schema", "contracts", "settings", "engine", "stats", "store", "store_write", "messages"]
TOP = ["__init__", "pipeline", "publishing", "signing", "catch_up", "unattended", "schedule", "runs", "cli", "cli_words", "commands"]
LONGEST = 300
HEAVY = {"bertopic", "sentence_transformers", "torch", "transformers", "sklearn", "umap", "hdbscan"}
MODULES = sorted(LIBRARY.rglob("*.py"))


def room_of(path):
    return path.relative_to(LIBRARY).with_suffix("").parts[0]


def imported(tree, everywhere=True):
    nodes = ast.walk(tree) if everywhere else tree.body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_rooms_are_those_of_the_plan():
    found = {room_of(path) for path in MODULES}
    assert found <= {*ROOMS, *APART, *COMMON, *TOP}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_point_left(path):
    here = room_of(path)
    for name in imported(ast.parse(path.read_text("utf-8"))):
        there = name.split(".")[1] if name.startswith("voc_lib.") else None
        if there is None or there == here:
            continue
        if here in COMMON:
            assert there in COMMON, f"{here} is common ground and imports {name}"
        if here in ROOMS and there in ROOMS:
            assert ROOMS.index(there) < ROOMS.index(here), f"{here} imports {name} from the right"
        assert here in TOP or there not in ("pipeline", "runs", "cli", *APART), f"{here} imports {name}"


@pytest.mark.parametrize("path", [*MODULES, *sorted((PROJECT / "tests").rglob("*.py"))], ids=lambda p: str(p.relative_to(PROJECT)))
def test_files_are_small(path):
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_heavy_libraries_are_imported_inside_functions(path):
    assert not {name.split(".")[0] for name in imported(ast.parse(path.read_text("utf-8")), everywhere=False)} & HEAVY


def test_every_module_says_what_it_is_for():
    silent = [str(path) for path in MODULES if path.read_text("utf-8").strip() and not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_the_map_in_the_readme_names_every_file():
    blocks = re.findall(r"```text\n(.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.S)
    words = set(re.findall(r"[\w.]+", "\n".join(blocks)))
    missing = [str(p.relative_to(PROJECT)) for p in MODULES if p.stem not in words and p.stem not in ("__init__", "__main__")]
    assert missing == []
    named = {word.removesuffix(".ipynb") for word in words}
    assert {p.stem for p in (PROJECT / "notebooks").glob("*.ipynb")} <= named


def test_importing_the_library_loads_nothing_heavy():
    code = "import sys, voc_lib; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not any(f"'{name}'" in loaded for name in (*HEAVY, "polars", "duckdb", "plotly", "papermill"))


def test_no_module_prints_but_the_command_line():
    for path in MODULES:
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
        assert not calls or path.stem == "cli" or path.parent.name == "commands", path
