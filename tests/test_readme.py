"""What the READMEs print is what works: both give the same commands, and every one of them is run as printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"```sh\n(.*?)```", re.S)
STAMP = Path(sys.prefix) / ".installed"


def commands(readme: str) -> list[str]:
    lines = "\n".join(BLOCK.findall((PROJECT / readme).read_text("utf-8"))).splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What a newcomer sees after `git clone`, with exports of his own, in a folder of its own."""
    folder = tmp_path_factory.mktemp("clone") / "客户之声"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "voc.toml", "README.md", "README.zh-CN.md"):
        shutil.copy(PROJECT / name, folder)
        os.utime(folder / name, (0, 0))  # older than the environment at hand: nothing is installed from here
    for name in ("notebooks", "tests"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copytree(PROJECT / "data" / "domains", folder / "data" / "domains")
    shutil.copytree(PROJECT / "tests" / "exports", folder / "path" / "to" / "exports")
    return folder


def test_both_readmes_print_the_same_commands():
    assert commands("README.md") == commands("README.zh-CN.md") and commands("README.md")[:2] == ["make report", "make test"]


# In the order printed: each finds what the ones before it made.
@pytest.mark.parametrize("command", commands("README.md"))
def test_the_command_works_as_printed(clone, command):
    if command.startswith("make") and not STAMP.exists():
        pytest.skip("this environment was not made by make")
    # Called from `make test`, an inner make would think itself a part of it and talk about folders.
    variables = {name: value for name, value in os.environ.items() if name not in ("VOC_HOME", "MAKELEVEL", "MFLAGS")}
    # make: with the environment that is already there, and few customers; make test: tests are found (some of the top folder), but not run inside this one.
    variables |= {"MAKEFLAGS": f"VENV={sys.prefix} CUSTOMERS=300", "PYTEST_ADDOPTS": "--collect-only -q -p no:cacheprovider --ignore-glob=tests/*/* --ignore-glob=tests/test_[!rs]*", "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    done = subprocess.run(command, shell=True, cwd=clone, env=variables, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    if command in ("make report", "voc weekly --store mine --week 2026-W46"):
        page = Path(done.stdout.strip().splitlines()[-1])
        assert page.name == "index.html" and page.is_relative_to(clone) and "客户之声周报" in page.read_text("utf-8")


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_what_a_readme_points_to_is_there(readme):
    targets = re.findall(r"\]\(([^)#]+)\)", (PROJECT / readme).read_text("utf-8"))
    assert len(targets) >= 4 and [target for target in targets if not (PROJECT / target).is_file()] == []


def test_both_maps_name_the_same_files():
    maps = [re.search(r"```text\n(.*?)```", (PROJECT / name).read_text("utf-8"), re.S)[1] for name in ("README.md", "README.zh-CN.md")]
    names = [re.findall(r"^ {0,18}([\w/*.]+)(?= {2,}|$)", text, re.M) for text in maps]
    assert names[0] == names[1] and len(names[0]) > 15
