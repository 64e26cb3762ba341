"""notes.yaml of a week: what an analyst concludes, by finding. Written once by the first run, read ever after, never overwritten.

Two analysts may share the file through git, or each keep one (`notes.wang.yaml`): all `notes*.yaml` of the folder count together, and
where two say different things in one place the page is not made until they agree.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from datetime import date
from pathlib import Path

import yaml

from voc_lib.collect.masking import mask_text
from voc_lib.messages import Told, yaml_words
from voc_lib.report.escape import neutral

NOTES = "notes.yaml"
PATTERN = "notes*.yaml"
TOP = ("week", "conclusion", "findings")
TEXTS = ("conclusion", "cause", "recommendation", "owner")
FLAGS = ("pinned", "hidden")
FIELDS = (*TEXTS, "date", *FLAGS, "quotes")
LONGEST = 2_000  # characters of one text: two pages of print; longer is a slip, or belongs into a document of its own
QUOTE = re.compile(r"[0-9a-f]{8,64}")
CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.M)
MINE = {"conclusion": "意味着什么", "cause": "原因（写明是核实过的还是推测）", "recommendation": "要做什么", "owner": "谁负责", "date": "期限，如 2026-11-20",
        "pinned": "true 为置顶", "hidden": "true 为这一页不列", "quotes": "要引用的原声的编号（在页面里点开数字就能看到），如 [3fa9c0d21b7e]"}


class NotesError(Told):
    """notes.yaml says something that cannot be put on a page; nothing was changed."""


def read_notes(folder: Path) -> dict:
    """All notes of a week: `conclusion`, `findings` {id: {field: value}}, `digest` (sha256, "" without notes), `files`.

    Empty fields are left out; texts are masked like any other. Raises NotesError with file and line: YAML that does not parse, marks of a
    git conflict, an unknown or repeated name, a value of the wrong kind, two files that disagree.
    """
    notes: dict = {"conclusion": "", "findings": {}, "digest": "", "files": []}
    where: dict[tuple[str, str], str] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.glob(PATTERN)) if folder.is_dir() else []:
        for finding, field, value, line in _entries(path):
            place = f"{path.name} 第 {line} 行"
            home = notes["findings"].setdefault(finding, {}) if finding else notes
            if home.get(field) not in (None, "") and home[field] != value:
                raise NotesError(f"{folder.name}：「{finding or '页首'}」的 {field} 有两种说法：{where[finding, field]} 和 {place}。商量后只留一种；两份文件都没有改动。")
            home[field], where[finding, field] = value, place
        digest.update(path.read_bytes())
        notes["files"].append(path.name)
    return notes | {"digest": digest.hexdigest() if notes["files"] else ""}


def _entries(path: Path) -> list[tuple[str, str, object, int]]:
    """(finding or "", field, value, line) of everything filled in."""
    try:
        source = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise NotesError(f"{path.parent.name}/{path.name} 不是 UTF-8 编码。用编辑器另存为 UTF-8；文件没有改动。") from None
    if conflict := CONFLICT.search(source):
        raise _wrong(path, source.count("\n", 0, conflict.start()) + 1, "有 git 合并冲突的标记，两个人改了同一处。留下要的那一份，删去带 <<<<<<<、=======、>>>>>>> 的行")
    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        line, words = yaml_words(error, source)
        raise _wrong(path, line, f"{words}。注意冒号后面要有空格，文字里有冒号或引号时整段加双引号") from None
    if root is None:
        return []
    found = []
    for name, node in _fields(path, root, TOP):
        if name == "conclusion":
            found.append(("", name, _text(path, name, node), node.start_mark.line + 1))
        if name == "findings":
            for finding, inner in _fields(path, node, None):
                found += [(finding, field, _value(path, field, value), value.start_mark.line + 1) for field, value in _fields(path, inner, FIELDS)]
                found.append((finding, "noted", True, inner.start_mark.line + 1))
    return [entry for entry in found if entry[2] not in ("", None, False, [])]


def _wrong(path: Path, line: int, what: str) -> NotesError:
    return NotesError(f"{path.parent.name}/{path.name} 第 {line} 行：{what}。上一次的页面没有改动，这个文件也没有改动。")


def _fields(path: Path, node: yaml.Node, known: tuple[str, ...] | None) -> list[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node.start_mark.line + 1, "这里要写成「名: 值」，一行一项，缩进对齐")
    seen: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            raise _wrong(path, line, f"「{name}」写了两遍，只留一遍")
        if known and name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            raise _wrong(path, line, f"不认识「{name}」。{f'是否想写「{near[0]}」？' if near else ''}可用：{'、'.join(known)}")
        seen[name] = value
    return list(seen.items())


def _value(path: Path, field: str, node: yaml.Node) -> object:
    line = node.start_mark.line + 1
    if field in TEXTS:
        return _text(path, field, node)
    if field == "quotes":
        items = node.value if isinstance(node, yaml.SequenceNode) else [node] if isinstance(node, yaml.ScalarNode) and node.value else []
        quotes = [str(item.value).strip().lower() for item in items]
        for quote in quotes:
            if not QUOTE.fullmatch(quote):
                raise _wrong(path, line, f"quotes 里的「{quote}」不是原声的编号。编号是页面里每条原声后面那一串（至少 8 位的 0-9、a-f），原声不能手打")
        return quotes
    value = yaml.SafeLoader("").construct_object(node)
    if field == "date":
        if value is None or isinstance(value, date):
            return value
        raise _wrong(path, line, f"date 要写成年-月-日，如 2026-11-20；写的是「{node.value}」")
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _wrong(path, line, f"{field} 只能是 true 或 false；写的是「{node.value}」")


def _text(path: Path, field: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(path, node.start_mark.line + 1, f"{field} 要写成一段文字；有冒号、井号或方括号时整段加双引号")
    text = "" if node.tag == "tag:yaml.org,2002:null" else neutral(node.value).strip()
    if len(text) > LONGEST:
        raise _wrong(path, node.start_mark.line + 1, f"{field} 有 {len(text):,} 个字，最多 {LONGEST:,} 个")
    return text if field == "owner" else mask_text(text)


def write_first(folder: Path, week: str, title: str, findings: list[dict]) -> Path | None:
    """Write `notes.yaml` with the machine's findings ({finding, says}) where the folder has no notes yet; None where it has."""
    if any(folder.glob(PATTERN)):
        return None
    lines = [f"# {title}的意见。机器只在第一次写下这个文件，以后再也不改它；留空的项不上页面。",
             f"# 改好后运行 voc weekly --week {week} 看草稿，定稿用 voc sign {week} --by 姓名。", "# 每一项的意思："]
    lines += [f"#   {field}：{meaning}" for field, meaning in MINE.items()]
    lines += [f"week: {week}", 'conclusion: ""   # 全周的结论，一两句话，放在页首', "findings:" if findings else "findings: {}"]
    for one in findings:
        lines += entry(one)
    try:
        with (folder / NOTES).open("x", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError:
        return None
    return folder / NOTES


def add_findings(folder: Path, findings: list[dict]) -> list[str]:
    """Put findings that the notes do not name at the end of notes.yaml, as text: `findings` has to be the last part of the file. Returns their ids."""
    path = folder / NOTES
    if not findings:
        return []
    source = path.read_text("utf-8-sig") if path.is_file() else ""
    rows = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    top = [line for line in rows if not line[0].isspace()]
    if not top or not top[-1].startswith("findings:") or "{" in top[-1]:
        raise NotesError(f"{path.parent.name}/{path.name} 里 findings 不是最后一部分，不能在末尾添。把「findings:」一段移到文件最后再运行；文件没有改动。")
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(("" if source.endswith("\n") else "\n") + "\n".join(line for one in findings for line in entry(one)) + "\n")
    return [one["finding"] for one in findings]


def entry(finding: dict) -> list[str]:
    """The lines of one finding, to be filled in."""
    says = " ".join(neutral(finding["says"]).split())
    empty = {field: '""' for field in TEXTS} | {"date": "", **{flag: "false" for flag in FLAGS}, "quotes": "[]"}
    return [f"  {_key(finding['finding'])}:", f"    # 机器：{says}", *(f"    {field}: {value}".rstrip() for field, value in empty.items())]


def _key(finding: str) -> str:
    """A finding's id as a YAML key: bare where YAML reads it back as it stands."""
    try:
        bare = yaml.safe_load(f"{finding}: 1") == {finding: 1}
    except yaml.YAMLError:
        bare = False
    return finding if bare else '"' + finding.replace("\\", "\\\\").replace('"', '\\"') + '"'
