"""Every notebook runs to its end on the planted sample, and its headline says what is kept in git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def ran(planted_home, tmp_path_factory):
    """What nbval said of every cell, by notebook: all run by one process, each in a kernel of its own."""
    told = tmp_path_factory.mktemp("nbval") / "cells.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--nbval-lax", "--nbval-cell-timeout=300", f"--junitxml={told}", *(path.name for path in NOTEBOOKS)],
        cwd=planted_home / "notebooks", env={**os.environ, "VOC_HOME": str(planted_home)}, capture_output=True, text=True, check=False,
    )
    assert done.returncode in (0, 1), done.stdout[-4000:] + done.stderr[-2000:]    # 1: some cell differs, said below of its notebook
    cells: dict[str, list] = {}
    for cell in ElementTree.parse(told).iter("testcase"):
        cells.setdefault(f"{cell.get('name', '')} {cell.get('classname', '')}".split(".ipynb")[0].split("/")[-1].split("::")[0].split(" ")[-1], []).append(cell)
    return cells


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_the_notebook_runs_and_its_headline_is_the_one_in_git(ran, name):
    wrong = [part.text for cell in ran[name] for part in cell if part.tag in ("failure", "error")]
    assert not wrong, "\n".join(wrong)[-4000:] + "\n若是有意改动，运行 make headlines 并在 diff 中核对数字"
    assert len(ran[name]) >= 3
