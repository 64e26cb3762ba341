"""The edit log of a taxonomy, `data/domains/<domain>/edits.jsonl`: what analysts changed, who, when and why.

One line of JSON an edit, replayed over taxonomy.yaml whenever the domain is loaded; lines are only ever added, so that
any week can be read with the taxonomy it had. Actions and what they take:

    add_synonym  code, wording             a phrase, or a pattern as in taxonomy.yaml: <方向盘> + 抖|颤
    move         code, wording, to         a phrase goes from one code to another
    merge        code, to                  all wordings go to the other code, the code is gone
    rename       code, to [, label]        the code gets another name, and with it another place
    label        store, feedback_id, codes [, source]    an analyst's codes for one feedback: changes no code, see `labels`
    undo         of                        an earlier line, by its id, counts no longer: see `undo`
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from voc_lib.enrich.domain import DomainError, load_domain
from voc_lib.enrich.taxonomy import CODE_FORM, Entry, read_wording

LOG = "edits.jsonl"
ACTIONS = {
    "add_synonym": ("code", "wording"),
    "move": ("code", "wording", "to"),
    "merge": ("code", "to"),
    "rename": ("code", "to"),
}
LABEL, UNDO = "label", "undo"
SAID = {"code": "编码", "wording": "说法", "to": "目标编码", "who": "修改人", "why": "原因", "at": "时间", "label": "显示名",
        "store": "库", "feedback_id": "反馈编号", "of": "撤销哪一行"}
NEW = "（待写入的修改）"


class EditError(DomainError):
    """An edit that cannot be made: which line, what was found, what to do."""


def edit_codes(domains_dir: Path, name: str, action: str, *, code: str, who: str, why: str, wording: str = "", to: str = "", label: str = "") -> dict:
    """Check an edit against the domain and all that extend it, append it to the log, and give the line written.

    Raises:
        EditError: unknown action or code, a wording that is there already or not there, a missing reason; nothing is written.
    """
    given = {"code": code, "wording": wording, "to": to, "label": label}
    edit = {"action": action, **{key: value.strip() for key, value in given.items() if value.strip()}, "who": who.strip(), "why": why.strip(), "at": now()}
    domains_dir = Path(domains_dir)
    if action == LABEL:
        raise EditError(f"{NEW}：标注一条反馈不改编码表，请用 voc codes label")
    if action == UNDO:
        raise EditError(f"{NEW}：撤销不是改一个编码，请用 voc codes edit undo，后面写 --line 行号，或什么也不写")
    load_domain(domains_dir, name, (name, edit))
    for other in sorted(path.parent.name for path in domains_dir.glob("*/domain.yaml")):
        if other != name and name in load_domain(domains_dir, other).lineage:
            load_domain(domains_dir, other, (name, edit))
    append_edit(domains_dir / name / LOG, edit)
    return edit


def now() -> str:
    """The time a line carries: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append_edit(path: Path, edit: dict) -> None:
    """One more line at the end of a log, on the disk when this returns."""
    line = json.dumps(edit, ensure_ascii=False) + "\n"
    broken = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    with path.open("ab") as log:  # one write in append mode: two analysts' lines do not mix
        log.write((("\n" if broken else "") + line).encode())
        log.flush()
        os.fsync(log.fileno())


def read_edits(path: Path) -> list[tuple[str, dict]]:
    """The edits of a log with the place of each (file and line); empty where there is no log."""
    if not path.exists():
        return []
    edits = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1):
        place = f"{path.parent.name}/{path.name} 第 {number} 行"
        if line.strip():
            try:
                edit = json.loads(line)
            except json.JSONDecodeError as error:
                raise EditError(f"{place}：不是一行完整的 JSON（第 {error.colno} 个字符起），请改正或删去这一行") from None
            if not isinstance(edit, dict):
                raise EditError(f"{place}：应写成 {{\"action\": …, \"code\": …}}，请改正或删去这一行")
            edits.append((place, edit))
    return edits


def line_id(edit: dict) -> str:
    """What an `undo` calls a line by: a hash of what stands in it, however it is spaced."""
    return hashlib.sha256(json.dumps(edit, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]


def standing(edits: list[tuple[str, dict]], undos: bool = False) -> list[tuple[str, dict]]:
    """The lines that count, in their order: neither taken back nor (unless `undos`) an undo themselves.

    Read from the end, since an undo speaks of an earlier line; of lines that are all alike the last one is meant.
    """
    kept, gone = [], []
    for place, edit in reversed(edits):
        if line_id(edit) in gone:
            gone.remove(line_id(edit))
            continue
        if edit.get("action") == UNDO:
            for key in ("of", "who", "at"):
                if not isinstance(edit.get(key), str) or not edit[key].strip():
                    raise EditError(f"{place}：undo 要写明{SAID[key]}（{key}），现在是空的")
            gone.append(edit["of"])
        if edit.get("action") != UNDO or undos:
            kept.append((place, edit))
    if gone:
        lost = next(place for place, edit in edits if edit.get("action") == UNDO and edit["of"] in gone)
        raise EditError(f"{lost}：要撤销的那一行（{gone[0]}）不在它前面：可能被改过或删去了。日志只能增加行，请从备份恢复，或删去这一行 undo")
    return kept[::-1]


def replay_edits(path: Path, entries: dict[str, Entry], groups: dict, pending: dict | None = None) -> dict[str, Entry]:
    """The entries of a taxonomy after the edits of its log, and after one that is not in it yet."""
    edits = read_edits(path) + ([(NEW, pending)] if pending is not None else [])
    for place, edit in standing(edits):
        entries = _applied(edit, entries, groups, place)
    return entries


def _applied(edit: dict, entries: dict[str, Entry], groups: dict, place: str) -> dict[str, Entry]:
    def refuse(said: str):
        raise EditError(f"{place}：{said}")

    action = edit.get("action")
    if action == LABEL:
        _check_label(edit, refuse)
        return entries
    if action not in ACTIONS:
        refuse(f"没有修改动作「{action}」，可用：{'、'.join(ACTIONS)}")
    for key in (*ACTIONS[action], "who", "why", "at"):
        if not isinstance(edit.get(key), str) or not edit[key].strip():
            refuse(f"{action} 要写明{SAID[key]}（{key}），现在是空的")
    unknown = set(edit) - {*ACTIONS[action], "action", "who", "why", "at", *(("label",) if action == "rename" else ())}
    if unknown:
        refuse(f"{action} 用不上「{'、'.join(sorted(unknown))}」，请删去")
    code, to = edit["code"], edit.get("to", "")
    for known in [code] + ([to] if action in ("move", "merge") else []):
        if known not in entries:
            near = difflib.get_close_matches(known, list(entries), n=3, cutoff=0.3)
            refuse(f"没有编码「{known}」。最接近的：{'、'.join(near) or '无'}")
    if code == to:
        refuse("两个编码相同，没有可改的")
    changed = dict(entries)
    if action == "rename":
        return _renamed(changed, code, to, edit.get("label"), refuse)
    if action == "merge":
        gone = changed.pop(code)
        changed[to] = _joined(changed[to], gone.synonyms, gone.patterns, gone.excepts)
        return changed
    wording = read_wording(edit["wording"], groups, refuse)
    if action == "move":
        changed[code] = _without(changed[code], wording, refuse)
        changed[to] = _joined(changed[to], *_as_parts(wording))
        return changed
    _check_new(wording, edit["wording"], code, entries, refuse)
    changed[code] = _joined(changed[code], *_as_parts(wording))
    return changed


def _check_label(edit: dict, refuse) -> None:
    """The form only: its codes were checked when it was written, and may have been merged or renamed since."""
    for key in ("store", "feedback_id", "who", "at"):
        if not isinstance(edit.get(key), str) or not edit[key].strip():
            refuse(f"label 要写明{SAID[key]}（{key}），现在是空的")
    codes = edit.get("codes")
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) and code for code in codes):
        refuse("label 的 codes 应是编码的列表，至少一个，主要的写在最前")


def _as_parts(wording: tuple) -> tuple[tuple, tuple]:
    return (wording[0], ()) if len(wording) == 1 else ((), (wording,))


def _joined(entry: Entry, synonyms: tuple, patterns: tuple, excepts: tuple = ()) -> Entry:
    merged = {"synonyms": synonyms, "patterns": patterns, "excepts": excepts}
    return replace(entry, **{name: tuple(dict.fromkeys([*getattr(entry, name), *added])) for name, added in merged.items()})


def _check_new(wording: tuple, written: str, code: str, entries: dict[str, Entry], refuse) -> None:
    if len(wording) > 1:
        if wording in entries[code].patterns:
            refuse(f"「{written}」已经是「{code}」的说法")
        return
    short = [word for word in wording[0] if len(word) < 2]
    if short:
        refuse(f"只有一个字的说法「{'、'.join(short)}」会到处命中，请写成“部件 + 现象”，如 <方向盘> + 抖")
    for other in entries.values():
        there = [word for word in wording[0] if word in other.synonyms]
        if there and other.code == code:
            refuse(f"「{'、'.join(there)}」已经是「{code}」的说法")
        if there:
            refuse(f"「{'、'.join(there)}」已经是「{other.code}」的说法，请用 move 把它移过来，以免一句话算两个编码")


def _without(entry: Entry, wording: tuple, refuse) -> Entry:
    synonyms, patterns = _as_parts(wording)
    missing = [word for word in synonyms if word not in entry.synonyms] + [pattern for pattern in patterns if pattern not in entry.patterns]
    if missing:
        refuse(f"「{entry.code}」没有这个说法。它的短语：{'、'.join(entry.synonyms[:12]) or '无'}；搭配要照 taxonomy.yaml 里的写法写全")
    left = replace(entry, synonyms=tuple(w for w in entry.synonyms if w not in synonyms), patterns=tuple(p for p in entry.patterns if p not in patterns))
    if not left.synonyms and not left.patterns:
        refuse(f"移走后「{entry.code}」就没有说法了，请改用 merge 并入目标编码")
    return left


def _renamed(entries: dict[str, Entry], code: str, to: str, label: str | None, refuse) -> dict[str, Entry]:
    if not CODE_FORM.match(to):
        refuse(f"编码「{to}」应写成 系统-部件-现象 三段，中间用 - 连接")
    if to in entries:
        refuse(f"已有编码「{to}」，要合在一起请用 merge")
    old_label = "".join(code.split("-")[1:])
    entry = entries[code]
    shown = label or ("".join(to.split("-")[1:]) if entry.label == old_label else entry.label)
    renamed = replace(entry, code=to, label=shown)
    return {renamed.code if key == code else key: renamed if key == code else kept for key, kept in entries.items()}
