"""Taking back a line of the edit log: another line, so that the log keeps what was done and that it was taken back.

An `undo` names a line by its id, a hash of what stands in it; numbers would shift where two analysts' logs are put together. A line
taken back is skipped by every replay; to take back the undo restores it. A line that later edits build on cannot be taken back.
"""

from __future__ import annotations

from pathlib import Path

from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.edits import LABEL, LOG, NEW, UNDO, EditError, append_edit, line_id, now, read_edits, standing
from voc_lib.enrich.labels import replay_labels


def log_lines(domains_dir: Path, name: str) -> list[dict]:
    """The lines of a domain's own log in their order: `number, id, stands, edit`."""
    load_domain(domains_dir, name)  # says which line of the log is wrong, if one is
    numbered = [(int(place.rsplit(" ", 2)[-2]), edit) for place, edit in read_edits(Path(domains_dir) / name / LOG)]
    upright = {id(edit) for _, edit in standing([(str(number), edit) for number, edit in numbered], undos=True)}
    return [{"number": number, "id": line_id(edit), "stands": id(edit) in upright, "edit": edit} for number, edit in numbered]


def undo_edit(domains_dir: Path, name: str, *, who: str, line: int | None = None, store: str | None = None) -> tuple[dict, list[str]]:
    """Take back line `line` of the log, or the last step of `who` (of labels only those on `store`); gives the line written and what follows.

    Raises:
        EditError: no such line, nothing to take back, taken back already, or later lines build on it (named); nothing is written.
    """
    who, lines = who.strip(), log_lines(domains_dir, name)
    if not who:
        raise EditError("撤销要写明是谁撤的：请先写上您的名字")
    target = _line(lines, line, name) if line is not None else _last(lines, who, store)
    written = {"action": UNDO, "of": target["id"], "who": who, "at": now()}
    before = _labels_counted(domains_dir, name, None)
    try:
        for other in _users(domains_dir, name):
            load_domain(domains_dir, other, (name, written))
    except EditError as error:
        raise EditError(f"撤不了第 {target['number']} 行：后面的修改建立在它上面。照撤销后的编码表，{str(error).removeprefix(NEW + '：')}。请先撤销那一行") from None
    after = _labels_counted(domains_dir, name, written)
    append_edit(Path(domains_dir) / name / LOG, written)
    lost = before - after
    return written | {"line": target["number"], "edit": target["edit"]}, [f"{lost} 条标注用的编码不再存在，不再计入"] if lost > 0 and target["edit"]["action"] != LABEL else []


def _line(lines: list[dict], number: int, name: str) -> dict:
    found = next((line for line in lines if line["number"] == number), None)
    if found is None:
        raise EditError(f"{name}/{LOG} 没有第 {number} 行，共 {lines[-1]['number'] if lines else 0} 行；用 voc codes log 查看各行的行号")
    if not found["stands"]:
        raise EditError(f"第 {number} 行已经撤销过了；要恢复它，请撤销那一行撤销（voc codes log 里写着“撤销”的）")
    return found


def _last(lines: list[dict], who: str, store: str | None) -> dict:
    own = [line for line in lines if line["stands"] and line["edit"]["who"].strip() == who and line["edit"]["action"] != UNDO
           and (store is None or line["edit"].get("store", store) == store)]
    if not own:
        raise EditError(f"日志里没有 {who} 可以撤销的一步；别人的行，请用 voc codes edit undo --line 行号")
    return own[-1]


def _users(domains_dir: Path, name: str) -> list[str]:
    """The domain and all that extend it."""
    others = sorted(path.parent.name for path in Path(domains_dir).glob("*/domain.yaml"))
    return [name, *(other for other in others if other != name and name in load_domain(domains_dir, other).lineage)]


def _labels_counted(domains_dir: Path, name: str, pending: dict | None) -> int:
    """Labels of all stores that count under the domain as it would be."""
    domain = load_domain(domains_dir, name, (name, pending) if pending else None)
    edits = []
    for member in domain.lineage:
        own = read_edits(Path(domains_dir) / member / LOG) + ([(NEW, pending)] if pending and member == name else [])
        edits += [edit for _, edit in standing(own)]
    edits.sort(key=lambda edit: edit["at"])
    known = {code.code for code in domain.taxonomy}
    return sum(len(replay_labels(edits, store, known)) for store in {edit["store"] for edit in edits if edit["action"] == LABEL})
