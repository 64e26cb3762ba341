"""The ledger of actions: `reports/actions.yaml`, one entry an action, added to when a week is signed; fit for git and for an editor.

An entry is never rewritten by the machine: a later entry with the same id replaces an earlier one when the ledger is read.
"""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path

import polars as pl
import yaml

from voc_lib.collect.masking import mask_text
from voc_lib.measure.feedback import PeriodError, monday
from voc_lib.messages import Told, yaml_words
from voc_lib.report.actions import STATES
from voc_lib.settings import settings

LEDGER = "actions.yaml"
FIELDS = ("id", "store", "week", "finding", "what", "owner", "date", "state", "result", "by")
NEEDED = ("id", "store", "week", "finding", "what")
SCHEMA = {"id": pl.String, "store": pl.String, "week": pl.String, "finding": pl.String, "what": pl.String, "owner": pl.String, "date": pl.Date, "state": pl.String,
          "result": pl.String, "by": pl.String}
HEADER = """# 行动台账。voc sign 定稿时在末尾添上那一周的行动；同一个 id 以最后一条为准，机器从不改前面的。
# 办完了：把 state 改成 done（不做了写 dropped），在 result 里写一句结果；或用 voc actions close。
"""


class ActionError(Told):
    """actions.yaml cannot be read, or names something that is not there."""


def actions(store: str | None = None) -> pl.DataFrame:
    """The ledger as it stands, the last entry of every id, in the order they were opened: id, store, week, finding, what, owner, date, state, result, by."""
    found = {entry["id"]: entry for entry in _entries(_path())}
    rows = [entry for entry in found.values() if store is None or entry["store"] == store]
    return pl.DataFrame([{name: entry.get(name) for name in SCHEMA} for entry in rows], schema=SCHEMA)


def actions_due(store: str, period: str, weeks: int = 8) -> pl.DataFrame:
    """What was opened in the `weeks` weeks before `period`, and whatever older is still open: newest first."""
    rows = actions(store)
    age = [(monday(period) - monday(week)).days // 7 for week in rows["week"]]
    rows = rows.with_columns(pl.Series("age", age, pl.Int64)).filter((pl.col("age") > 0) & ((pl.col("age") <= weeks) | (pl.col("state") == "open")))
    return rows.sort("age", maintain_order=True).drop("age")


def record(store: str, week: str, by: str, items: list[dict]) -> int:
    """Add the actions of a signed week ({finding, what, owner, date}); what stands there already in the same words is left. Returns how many were added."""
    have = {row["id"]: row for row in actions().iter_rows(named=True)}
    new = []
    for item in items:
        made = {"id": f"{store}/{week}/{item['finding']}", "store": store, "week": week, "finding": item["finding"], "what": item["what"], "owner": item.get("owner") or "",
                "date": item.get("date") or None, "by": by}
        old = have.get(made["id"])
        if old is None or any((old[name] or None) != (made[name] or None) for name in ("what", "owner", "date")):
            new.append(made | {"state": old["state"] if old else "open", "result": old["result"] or "" if old else ""})
    _append(new)
    return len(new)


def close(action: str, result: str, by: str, state: str = "done") -> dict:
    """Add an entry that ends an action. Raises ActionError on an unknown id, with the nearest."""
    have = {row["id"]: row for row in actions().iter_rows(named=True)}
    if action not in have:
        near = difflib.get_close_matches(action, have, 1, 0.5)
        raise ActionError(f"台账里没有行动「{action}」。{f'是否想写「{near[0]}」？' if near else ''}用 voc actions list 看全部。")
    ended = have[action] | {"state": state, "result": mask_text(result), "by": by}
    _append([ended])
    return ended


def _path() -> Path:
    return settings().reports / LEDGER


def _append(entries: list[dict]) -> None:
    if not entries:
        return
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    start = HEADER if not path.exists() else "" if path.read_text("utf-8").endswith("\n") else "\n"
    text = yaml.safe_dump([{name: entry.get(name) for name in FIELDS} for entry in entries], allow_unicode=True, sort_keys=False, width=1_000)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(start + text)


def _entries(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    source = path.read_text("utf-8-sig")
    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        line, words = yaml_words(error, source)
        raise ActionError(f"行动台账 {path.name} 第 {line} 行：{words}。改好后重新运行；文件没有改动。") from None
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise ActionError(f"行动台账 {path.name} 应是一条一条的清单，每条以「- id: 」开头。文件没有改动。")
    return [_checked(path, node) for node in root.value]


def _checked(path: Path, node: yaml.Node) -> dict:
    where = f"行动台账 {path.name} 第 {node.start_mark.line + 1} 行"
    entry = yaml.SafeLoader("").construct_document(node)
    if not isinstance(entry, dict):
        raise ActionError(f"{where}：每条行动要写成「名: 值」，以「- id: 」开头。文件没有改动。")
    unknown, missing = [name for name in entry if name not in FIELDS], [name for name in NEEDED if not entry.get(name)]
    if unknown:
        raise ActionError(f"{where}：不认识「{unknown[0]}」，可用：{'、'.join(FIELDS)}。文件没有改动。")
    if missing:
        raise ActionError(f"{where}：缺少 {missing[0]}。文件没有改动。")
    if (entry.get("state") or "open") not in STATES:
        raise ActionError(f"{where}：state「{entry['state']}」不对，可用：{'、'.join(STATES)}。文件没有改动。")
    if entry.get("date") is not None and not isinstance(entry["date"], date):
        raise ActionError(f"{where}：date 要写成年-月-日，如 2026-11-20；写的是「{entry['date']}」。文件没有改动。")
    try:
        monday(entry["week"])
    except PeriodError as error:
        raise ActionError(f"{where}：{error}文件没有改动。") from None
    texts = {name: mask_text(str(entry.get(name) or "")) for name in ("what", "result")}
    return entry | texts | {"state": entry.get("state") or "open", "owner": str(entry.get("owner") or ""), "by": str(entry.get("by") or "")}
