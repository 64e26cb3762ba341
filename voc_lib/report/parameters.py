"""The parameters of a notebook: read from its `parameters` cell, checked before anything runs or is written.

papermill itself runs with a misspelt or ill-typed parameter and only warns; and it turns `-p week 01` into 1. Here the
type of the default decides, and an unknown name is an error.
"""

from __future__ import annotations

import ast
import difflib
import json
from pathlib import Path

from voc_lib.messages import Told

KINDS = {bool: "true 或 false", int: "整数", float: "数字", str: "文字", list: "用逗号分开的列表"}
TRUTH = {"true": True, "false": False, "是": True, "否": False}


class ParameterError(Told, ValueError):
    """A parameter that the notebook does not have or cannot use; the message says which, and what there is."""


def read_parameters(notebook: Path) -> dict[str, object]:
    """Name and default of every parameter, in the order of the cell tagged `parameters` (empty without one).

    Only literals are allowed there; anything else raises ParameterError with the line.
    """
    try:
        cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise ParameterError(f"{Path(notebook).name} 不是完整的笔记本文件。请从 git 取回，或用 JupyterLab 重新保存。") from None
    defaults: dict[str, object] = {}
    for cell in cells:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            for statement in _statements("".join(cell["source"]), Path(notebook)):
                name, value = _assignment(statement, Path(notebook))
                defaults[name] = value
    return defaults


def title_of(notebook: Path) -> str:
    """The title a notebook gives itself: its first heading, else its name."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    lines = "".join(cells[0]["source"]).splitlines() if cells else []
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), notebook.stem)


def _statements(source: str, notebook: Path) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(f"{notebook.name} 的参数格第 {error.lineno} 行不是有效的 Python：{(error.text or '').strip()}。") from None


def _assignment(statement: ast.stmt, notebook: Path) -> tuple[str, object]:
    target = None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    try:
        if not isinstance(target, ast.Name):
            raise ValueError
        return target.id, ast.literal_eval(statement.value)
    except ValueError:
        raise ParameterError(f"{notebook.name} 的参数格第 {statement.lineno} 行「{ast.unparse(statement)}」不是「名字 = 字面值」。") from None


def validate(notebook: Path, given: dict[str, object]) -> dict[str, object]:
    """All parameters of the notebook, the given ones converted to the type of their default.

    Raises ParameterError on an unknown name (with the nearest and the list) or a value of another type.
    """
    defaults = read_parameters(notebook)
    return defaults | {name: _typed(name, value, _default(name, defaults, Path(notebook))) for name, value in given.items()}


def _default(name: str, defaults: dict[str, object], notebook: Path) -> object:
    if name in defaults:
        return defaults[name]
    near = difflib.get_close_matches(name, defaults, n=1, cutoff=0.5)
    guess = f"是否想写「{near[0]}」？" if near else ""
    known = f"可用的参数：{'、'.join(defaults)}。" if defaults else "它没有任何参数。"
    raise ParameterError(f"笔记本「{notebook.stem}」没有参数「{name}」。{guess}{known}")


def _typed(name: str, value: object, default: object) -> object:
    if not isinstance(value, str):
        if default is None or type(value) is type(default):
            return value
        if type(value) is int and type(default) is float:
            return float(value)
        raise _ill_typed(name, value, default)
    if default is None:
        return None if value in ("", "None", "null") else value
    try:
        return _parsed(value, default)
    except (ValueError, KeyError):
        raise _ill_typed(name, value, default) from None


def _parsed(text: str, default: object) -> object:
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return TRUTH[text.strip().lower()]
    if isinstance(default, list):
        parts = [part.strip() for part in text.strip().strip("[]").split(",")]
        example = default[0] if default else ""
        return [_parsed(part.strip("'\""), example) for part in parts if part]
    if isinstance(default, int | float):
        return type(default)(text)
    raise ValueError(text)


def _ill_typed(name: str, value: object, default: object) -> ParameterError:
    example = f"，例如 -p {name}={','.join(map(str, default))}" if isinstance(default, list) and default else ""
    return ParameterError(f"参数「{name}」的值「{value}」类型不对：应为{KINDS.get(type(default), type(default).__name__)}{example}。")
