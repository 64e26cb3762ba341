"""Reading what an analyst wrote: taxonomy.yaml, routing.yaml and the word lists, with line numbers in errors.

A taxonomy file::

    hidden: [影响, 音响]              # words that hide shorter ones: the 响 in 影响 is no noise
    conditions: [怠速, 起步]          # words that say when; they give way to a part with the same symptom
    vague: [质量问题, 毛病]            # words that only say that something is wrong; they give way within their system
    primary:                          # which code of a feedback is its main one: systems or codes by their beginning
      first: [销售服务-宣传]
      last: [售后服务]
    groups:
      方向盘: [方向盘, 转向盘]
    codes:
      转向-方向盘-抖动:
      - 打手抖                        # a phrase
      - <方向盘> + 抖动|颤动|震手      # one word of each group within one clause
      价格-成交价-降价:
        label: 刚买就降价
        except: [降价幅度]
        department: 销售部
        synonyms: [刚买就降价]
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from voc_lib.enrich.domain import DomainError
from voc_lib.messages import yaml_words

FALLBACK_DEPARTMENT = "客户关系部"  # somebody always answers
CODE_FORM = re.compile(r"^[^-\s]+-[^-\s]+-[^-\s]+$")
_REFERENCE = re.compile(r"^<(.+)>$")


@dataclass(frozen=True)
class Entry:
    """One code as written, before routing."""

    code: str
    label: str
    synonyms: tuple[str, ...]
    patterns: tuple[tuple[tuple[str, ...], ...], ...]
    excepts: tuple[str, ...]
    department: str | None


@dataclass(frozen=True)
class Settings:
    title: str
    extends: str | None
    scopes: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class TaxonomyFile:
    hidden: tuple[str, ...]
    conditions: tuple[str, ...]
    vague: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    entries: dict[str, Entry]


@dataclass(frozen=True)
class Routing:
    """Which department answers for a code: by code, then by system, then the default."""

    default: str = ""
    systems: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def department(self, code: str) -> str:
        return self.codes.get(code) or self.systems.get(code.split("-")[0]) or self.default or FALLBACK_DEPARTMENT

    def updated(self, other: Routing) -> Routing:
        return Routing(other.default or self.default, self.systems | other.systems, self.codes | other.codes)


@dataclass(frozen=True)
class Lines:
    """words.txt and stopwords.txt of a lineage: one word per line, # starts a remark."""

    words: tuple[str, ...] = ()
    stopwords: tuple[str, ...] = ()

    def updated(self, folder: Path) -> Lines:
        return Lines(self._added(self.words, folder / "words.txt"), self._added(self.stopwords, folder / "stopwords.txt"))

    @staticmethod
    def _added(known: tuple[str, ...], path: Path) -> tuple[str, ...]:
        if not path.exists():
            return known
        written = (line.split("#")[0].strip() for line in _source(path).splitlines())
        return tuple(dict.fromkeys([*known, *(word for word in written if word)]))


def fail(path: Path, node: yaml.Node | None, message: str):
    """Raise, naming domain/file and line as the analyst's editor shows it."""
    line = f" 第 {node.start_mark.line + 1} 行" if node is not None else ""
    raise DomainError(f"{path.parent.name}/{path.name}{line}：{message}。")


def read_settings(path: Path) -> Settings:
    """domain.yaml: title, the domain it extends, and the scopes of its channels."""
    fields = _fields(path, _root(path), {"title", "extends", "scopes"})
    scopes = {key.value: tuple(_text(path, item) for item in _items(path, node)) for key, node in _pairs(path, fields.get("scopes"))}
    title = _text(path, fields["title"]) if "title" in fields else ""
    return Settings(title, _text(path, fields["extends"]) if "extends" in fields else None, scopes)


def check_scopes(path: Path, scopes: dict[str, tuple[str, ...]], systems: set[str]) -> None:
    """Raise where a scope names a system that the taxonomy does not have."""
    for channel, named in scopes.items():
        unknown = [system for system in named if system not in systems]
        if unknown:
            fail(path, None, f"渠道 {channel} 的范围里有编码表没有的系统：{'、'.join(unknown)}。现有系统：{'、'.join(sorted(systems))}")


def read_routing(path: Path | None) -> Routing:
    if path is None:
        return Routing()
    sections = _fields(path, _root(path), {"default", "systems", "codes"})
    pairs = {
        name: {key.value: _text(path, value) for key, value in _pairs(path, sections[name])} if name in sections else {}
        for name in ("systems", "codes")
    }
    default = _text(path, sections["default"]) if "default" in sections else ""
    return Routing(default, pairs["systems"], pairs["codes"])


def read_taxonomy(path: Path, inherited: dict[str, tuple[str, ...]]) -> TaxonomyFile:
    """One taxonomy file; `inherited` are the groups of the domains it extends."""
    sections = _fields(path, _root(path), {"hidden", "conditions", "vague", "primary", "groups", "codes"})
    groups = dict(inherited)
    for key, node in _pairs(path, sections.get("groups")):
        groups[key.value] = tuple(word for item in _items(path, node) for word in _group(item.value, item.value, groups, partial(fail, path, item)))
    primary = _fields(path, sections["primary"], {"first", "last"}) if "primary" in sections else {}
    hidden, conditions, vague = (
        tuple(_text(path, item).lower() for item in _items(path, sections.get(name))) for name in ("hidden", "conditions", "vague"))
    first, last = (tuple(_text(path, item) for item in _items(path, primary.get(name))) for name in ("first", "last"))
    entries = {key.value: _entry(path, key, node, groups) for key, node in _pairs(path, sections.get("codes"), "编码")}
    return TaxonomyFile(hidden, conditions, vague, first, last, groups, entries)


def _entry(path: Path, key: yaml.Node, node: yaml.Node, groups: dict) -> Entry:
    code = key.value
    if not CODE_FORM.match(code):
        fail(path, key, f"编码「{code}」应写成 系统-部件-现象 三段，中间用 - 连接")
    parts = _fields(path, node, {"label", "synonyms", "except", "department"}) if isinstance(node, yaml.MappingNode) else {"synonyms": node}
    synonyms, patterns = [], []
    for item in _items(path, parts.get("synonyms")):
        pattern = read_wording(_text(path, item), groups, partial(fail, path, item))
        if len(pattern) == 1:
            synonyms.extend(pattern[0])
        else:
            patterns.append(pattern)
    if not synonyms and not patterns:
        fail(path, key, f"编码「{code}」没有任何说法，请至少写一个")
    excepts = tuple(_text(path, item).lower() for item in _items(path, parts.get("except")))
    label = _text(path, parts["label"]) if "label" in parts else "".join(code.split("-")[1:])
    department = _text(path, parts["department"]) if "department" in parts else None
    return Entry(code, label, tuple(dict.fromkeys(synonyms)), tuple(patterns), excepts, department)


def read_wording(written: str, groups: dict, refuse: Callable[[str], None]) -> tuple[tuple[str, ...], ...]:
    """A line of the taxonomy to its groups of words: one group is a set of phrases, several are a pattern."""
    return tuple(_group(part, written, groups, refuse) for part in written.split("+"))


def _group(part: str, written: str, groups: dict, refuse: Callable[[str], None]) -> tuple[str, ...]:
    """`<name>` or `a|b|<name>` to its words."""
    words: list[str] = []
    for alternative in part.split("|"):
        word = alternative.strip().lower()
        if not word:
            refuse(f"「{written}」里有空的说法，请删去多余的 | 或 +")
        reference = _REFERENCE.match(word)
        if reference is None:
            words.append(word)
        elif reference[1] in groups:
            words.extend(groups[reference[1]])
        else:
            refuse(f"没有词组「{word}」。已有词组：{'、'.join(groups) or '无'}")
    return tuple(dict.fromkeys(words))


def _source(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        fail(path, None, "不是 UTF-8 编码，请用编辑器另存为 UTF-8")


def _root(path: Path) -> yaml.Node | None:
    source = _source(path)
    try:
        return yaml.compose(source, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        line, words = yaml_words(error, source)
        raise DomainError(f"{path.parent.name}/{path.name} 第 {line} 行：YAML 写法不对，{words}。") from error


def _pairs(path: Path, node: yaml.Node | None, what: str = "键") -> list[tuple[yaml.Node, yaml.Node]]:
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return []
    if not isinstance(node, yaml.MappingNode):
        fail(path, node, "这里应是「名称: 内容」的写法")
    seen: dict[str, int] = {}
    for key, _ in node.value:
        if key.value in seen:
            fail(path, key, f"{what}「{key.value}」写了两次（第一次在第 {seen[key.value]} 行），请合并")
        seen[key.value] = key.start_mark.line + 1
    return node.value


def _fields(path: Path, node: yaml.Node | None, allowed: set[str]) -> dict[str, yaml.Node]:
    found = {}
    for key, value in _pairs(path, node):
        if key.value not in allowed:
            fail(path, key, f"不认识「{key.value}」。这里可以写：{'、'.join(sorted(allowed))}")
        found[key.value] = value
    return found


def _items(path: Path, node: yaml.Node | None) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        fail(path, node, "这里应是列表：每行一个，以「- 」开头")
    for item in node.value:
        _text(path, item)
        if item.style is None and "\n" in item.start_mark.buffer[item.start_mark.pointer : item.end_mark.pointer].rstrip():
            fail(path, item, "这一项占了两行：下一行的缩进与它不齐")
    return node.value


def _text(path: Path, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        fail(path, node, "这里应是文字，而且不能为空")
    return node.value.strip()
