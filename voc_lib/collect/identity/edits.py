"""What analysts know better than keys: `split` and `join`, a line each in `<store>/identity_edits.jsonl`, replayed after every linking.

    {"action": "split", "feedback": [...], "who", "why", "at"}       these are one person of their own, no longer his whose keys they carry
    {"action": "join", "feedback": [a, b, ...], "who", "why", "at"}  the people of these feedback are one
    {"action": "undo", "of": n, "who", "why", "at"}                  line n counts no longer

Lines name feedback, not people: ids of people without a customer number change as keys come together, those of feedback never do.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from voc_lib.collect.prepare import hashed_id
from voc_lib.messages import Told
from voc_lib.store import Store

LOG = "identity_edits.jsonl"
ACTIONS = ("split", "join", "undo")
NEEDED = {"split": "feedback", "join": "feedback", "undo": "of"}


class EditError(Told):
    """An edit that cannot be made: which line, what was found, what to do."""


def read_log(path: Path) -> list[dict]:
    """The lines of a log, each with its number. Raises EditError naming the line."""
    if not path.exists():
        return []
    lines = []
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not text.strip():
            continue
        where = f"{path.name} 第 {number} 行"
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            raise EditError(f"{where} 不是有效的 JSON。请改回原样；这个文件由 voc identity split 和 join 写，不必手改。") from None
        if not isinstance(line, dict) or line.get("action") not in ACTIONS or not line.get(NEEDED[line["action"]]):
            raise EditError(f"{where} 不是 split、join 或 undo，或缺少{'、'.join(sorted(set(NEEDED.values())))}。请改回原样或删去这一行。")
        lines.append(line | {"line": number})
    return lines


def in_force(lines: list[dict], name: str = LOG) -> list[dict]:
    """Without the lines that were taken back, and without the taking back. Raises EditError where a line takes back one that does not exist."""
    known = {line["line"]: line for line in lines}
    gone = set()
    for line in (line for line in lines if line["action"] == "undo"):
        target = known.get(line["of"])
        if target is None or target["action"] == "undo" or target["line"] > line["line"]:
            raise EditError(f"{name} 第 {line['line']} 行要撤销第 {line['of']} 行，但那一行不存在或不是拆、并。可撤销的行：{_numbers(lines)}。")
        gone.add(target["line"])
    return [line for line in lines if line["action"] != "undo" and line["line"] not in gone]


def _numbers(lines: list[dict]) -> str:
    return "、".join(str(line["line"]) for line in lines if line["action"] != "undo") or "无"


def named(store: Store) -> pl.Series:
    """The feedback that edits in force speak of."""
    return pl.Series(sorted({name for edit in in_force(read_log(store.path / LOG)) for name in edit["feedback"]}), dtype=pl.String)


def replay(store: Store, found: pl.DataFrame) -> pl.DataFrame:
    """The decisions of the rules with the edits of the store's log on top, line by line.

    An edit reaches the feedback it names and, for a join, all feedback of the same people. Raises EditError where a feedback is not in the store or two
    customers would become one.
    """
    edits = in_force(read_log(store.path / LOG))
    if not edits:
        return found
    spoken_of = named(store).to_list()
    there = set(store.sql("SELECT f.feedback_id FROM feedback_rows AS f SEMI JOIN asked USING (feedback_id)", asked=pl.DataFrame({"feedback_id": spoken_of}))["feedback_id"])
    for edit in edits:
        if unknown := [name for name in edit["feedback"] if name not in there]:
            raise EditError(f"{LOG} 第 {edit['line']} 行说的反馈「{unknown[0]}」不在库「{store.name}」里。请核对编号，或用 voc identity undo {edit['line']} 撤销这一行。")
    found = _with_named(store, found, spoken_of)
    for edit in edits:
        found = _split(found, edit) if edit["action"] == "split" else _join(found, edit)
    return found


def _with_named(store: Store, found: pl.DataFrame, named: list[str]) -> pl.DataFrame:
    """Feedback that edits name but that has no key of its own is decided upon too."""
    missing = pl.DataFrame({"feedback_id": named}).join(found, on="feedback_id", how="anti")
    if missing.is_empty():
        return found
    rows = store.sql("SELECT f.feedback_id, f.iso_week FROM feedback_rows AS f SEMI JOIN asked USING (feedback_id)", asked=missing)
    return pl.concat([found, rows], how="diagonal")


def _split(found: pl.DataFrame, edit: dict) -> pl.DataFrame:
    mine = pl.col("feedback_id").is_in(edit["feedback"])
    own = "p" + hashed_id("split", pl.Series(["|".join(sorted(edit["feedback"]))])).item()
    return found.with_columns(
        pl.when(mine).then(pl.lit(own)).otherwise(pl.col("person_id")).alias("person_id"), pl.when(mine).then(pl.lit(None, pl.String)).otherwise(pl.col("customer_id")).alias("customer_id"),
        pl.when(mine).then(pl.lit("edit")).otherwise(pl.col("reason")).alias("reason"), pl.when(mine).then(1.0).otherwise(pl.col("confidence")).alias("confidence"))


def _join(found: pl.DataFrame, edit: dict) -> pl.DataFrame:
    named = found.filter(pl.col("feedback_id").is_in(edit["feedback"]))
    customers = named["customer_id"].drop_nulls().unique().sort().to_list()
    if len(customers) > 1:
        raise EditError(f"{LOG} 第 {edit['line']} 行要把 {len(customers)} 位客户并成一位。客户编号不同的人不能合并：请先核对客户档案，或用 voc identity undo {edit['line']} 撤销这一行。")
    people = named["person_id"].drop_nulls().unique().sort().to_list()
    one = customers[0] if customers else people[0] if people else "p" + hashed_id("join", pl.Series(["|".join(sorted(edit["feedback"]))])).item()
    mine = pl.col("feedback_id").is_in(edit["feedback"]) | pl.col("person_id").is_in(people)
    moved = mine & (pl.col("person_id").fill_null("") != one)
    return found.with_columns(
        pl.when(mine).then(pl.lit(one)).otherwise(pl.col("person_id")).alias("person_id"), pl.when(mine).then(pl.lit(customers[0] if customers else None, pl.String)).otherwise(pl.col("customer_id")).alias("customer_id"),
        pl.when(moved).then(pl.lit("edit")).otherwise(pl.col("reason")).alias("reason"), pl.when(moved).then(1.0).otherwise(pl.col("confidence")).alias("confidence"))


def append_line(path: Path, line: dict) -> int:
    """Add a line and give its number."""
    lines = read_log(path)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return (lines[-1]["line"] if lines else 0) + 1


def edit_people(name: str, edit: dict, who: str, why: str) -> tuple[int, int]:
    """Write an edit to the store's log and link again what it reaches: (its line, how many feedback changed person). EditError where it cannot be made; nothing is written then."""
    from voc_lib.collect.identity.link import link
    from voc_lib.store_write import write_store

    if not why.strip():
        raise EditError("请写原因：--why 为什么。")
    with write_store(name, f"identity {edit['action']}") as writer:
        path = writer.path / LOG
        before = path.read_bytes() if path.exists() else None
        line = append_line(path, edit | {"who": who, "why": why, "at": datetime.now(UTC).isoformat(timespec="seconds")})
        try:
            return line, link(writer, edited=_spoken_of(path, edit)).changed
        except BaseException:
            path.unlink() if before is None else path.write_bytes(before)
            raise


def _spoken_of(path: Path, edit: dict) -> list[str]:
    """The feedback of an edit, or of the line that it takes back. Raises EditError where there is no such line."""
    lines = read_log(path)
    in_force(lines, path.name)
    return edit.get("feedback") or next(line["feedback"] for line in lines if line["line"] == edit["of"])
