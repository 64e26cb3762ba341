"""A home of its own for every test: its own voc.toml, lake, reports and secret; nothing of the project is touched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A copy of voc.toml, the domains and the notebooks in a folder whose name has spaces and Chinese."""
    folder = tmp_path / "工作 台"
    folder.mkdir()
    shutil.copy(PROJECT / "voc.toml", folder)
    shutil.copytree(PROJECT / "data" / "domains", folder / "data" / "domains")
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    monkeypatch.setenv("VOC_HOME", str(folder))
    return folder


@pytest.fixture
def shared():
    """The folder of real data beside the project; tests that need it skip where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("没有旁边的 shared/ 文件夹：真实数据不在本机")
    return SHARED


def missing(what: str) -> None:
    """Skip because something is not installed; a failure where everything has to be there (VOC_REQUIRE_ALL=1)."""
    if os.environ.get("VOC_REQUIRE_ALL"):
        pytest.fail(f"{what} 没有安装，而 VOC_REQUIRE_ALL=1 要求一切齐备")
    pytest.skip(f"{what} 没有安装")
