"""Small planted worlds, made once for all tests of the room; none of them needs the real language."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def standin():
    """The stand-in for the language, loaded by its path (tests are no package)."""
    spec = importlib.util.spec_from_file_location("standin_language", HERE / "standin.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["standin_language"] = module
    spec.loader.exec_module(module)
    return module.Standin


@pytest.fixture(scope="session")
def make(tmp_path_factory):
    """`make("auto", customers=600, weeks=20, ...)` plants a world with the stand-in language and returns its folder."""
    from voc_lib.sample import World, plant

    Standin = standin()
    made: dict[tuple, Path] = {}

    def plant_it(domain: str = "auto", again: int = 0, **settings) -> Path:
        key = (domain, again, *sorted(settings.items()))
        if key not in made:
            out = tmp_path_factory.mktemp("planted") / "世 界"
            plant(World(domain, **({"customers": 600, "weeks": 20} | settings)), out, Standin(domain))
            made[key] = out
        return made[key]

    return plant_it


@pytest.fixture(scope="session")
def truth_of():
    """`truth_of(folder, "ac_noise")` reads a truth."""
    return lambda folder, name: json.loads((folder / "_truth" / f"{name}.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def big(make):
    """Twenty weeks of 8,000 carmaker's customers."""
    return make(customers=8000, weeks=20)
