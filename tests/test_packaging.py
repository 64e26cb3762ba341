"""One set of dependencies: pyproject, constraints and environment.yml agree, and what runs here is what is pinned."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = [*PYPROJECT["dependencies"], *PYPROJECT["optional-dependencies"]["dev"]]


def name_of(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")


def pins():
    lines = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name_of(name): pin for name, pin in found}


def test_environment_yml_agrees_with_pyproject():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text("utf-8"))["dependencies"]
    conda = [entry for entry in environment if isinstance(entry, str)]
    (by_pip,) = (entry["pip"] for entry in environment if isinstance(entry, dict))
    assert [entry.split("=")[0] for entry in conda] == ["python", "pip"]
    assert by_pip[0] == "-c constraints.txt" and by_pip[-1] == "-e ."
    assert sorted(by_pip[1:-1]) == sorted(DEPENDENCIES)


def test_every_dependency_is_pinned_exactly():
    pinned = pins()
    wanted = {name_of(r) for r in [*DEPENDENCIES, *PYPROJECT["optional-dependencies"]["cluster"]]}
    assert wanted <= set(pinned), sorted(wanted - set(pinned))
    assert pinned["torch"] == "2.13.0"
    assert set(PYPROJECT["optional-dependencies"]) == {"dev", "cluster"}
    assert PYPROJECT["scripts"] == {"voc": "voc_lib.cli:main"}


def here(requirement):
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate()


@pytest.mark.parametrize("name", sorted(name_of(r) for r in DEPENDENCIES if here(r)))
def test_what_is_installed_is_what_is_pinned(name):
    assert version(name).split("+")[0] == pins()[name]
