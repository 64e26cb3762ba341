"""Every notebook runs to its end on the planted sample, and its headline says what is kept in git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_the_notebook_runs_and_its_headline_is_the_one_in_git(planted_home, name):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--nbval-lax", "--nbval-cell-timeout=300", name],
        cwd=planted_home / "notebooks", env={**os.environ, "VOC_HOME": str(planted_home)}, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + "\n若是有意改动，运行 make headlines 并在 diff 中核对数字"
