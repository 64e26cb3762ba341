"""Back-ends that a line of voc.toml chooses: modules `<kind>_<name>.py` beside this one with `FORM` and `load(rest, store)`."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType


def backend_names(kind: str) -> list[str]:
    """Names there are modules for.

    >>> backend_names("opinions")
    ['fitted', 'hub', 'labels', 'start']
    """
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name.removeprefix(f"{kind}_") for module in modules if module.name.startswith(f"{kind}_"))


def backend_forms(kind: str) -> list[str]:
    """How a line of voc.toml may look, one example per back-end."""
    return [backend(kind, name).FORM for name in backend_names(kind)]


def backend(kind: str, name: str) -> ModuleType:
    return importlib.import_module(f"voc_lib.enrich.{kind}_{name}")


def load_backend(line: str, store: str | None, kind: str, title: str, setting: str, error: type[Exception]):
    """What the back-end of `line` (`name` or `name:rest`) loads; `error`, in the words of `title` and `setting`, where there is none."""
    name, colon, rest = (part.strip() for part in line.partition(":"))
    names = backend_names(kind)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"是否想写「{near[0]}」？" if near else ""
        raise error(f"没有叫「{name}」的{title}。{hint}现有：{'、'.join(backend_forms(kind))}。请检查 voc.toml 里的 {setting}。")
    module = backend(kind, name)
    if bool(rest) != (":" in module.FORM) or bool(colon) != bool(rest):
        raise error(f"{title}「{line}」的写法不对，应写成「{module.FORM}」。请检查 voc.toml 里的 {setting}。")
    return module.load(rest, store)
