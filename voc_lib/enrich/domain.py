"""A domain: the words, codes and departments of one trade, as its analysts edit them.

`data/domains/<name>/` holds `domain.yaml` (title, extends, scopes: which systems a channel can talk about), `taxonomy.yaml`, `edits.jsonl` (see `edits`),
`routing.yaml`, `words.txt` and `stopwords.txt`; only the first is required. A domain that extends another adds to it and overrides it by code.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from voc_lib.messages import Told

PLAIN_MENTION = "评价"  # the phenomenon of a code that only says "this was talked about"


class DomainError(Told, ValueError):
    """A domain folder that cannot be used: names file, line, what was found and what to do."""


@dataclass(frozen=True)
class Code:
    """A place in the taxonomy, `系统-部件-现象`, with the wordings that lead to it.

    `synonyms` are phrases, each enough by itself; a pattern is a tuple of groups, of which one word each must
    occur in one clause. Words inside one of the `excepts` do not count for this code.
    """

    code: str
    label: str
    synonyms: tuple[str, ...]
    patterns: tuple[tuple[tuple[str, ...], ...], ...]
    department: str
    excepts: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        return self.code.split("-")[0]

    @property
    def is_plain_mention(self) -> bool:
        return self.code.endswith(f"-{PLAIN_MENTION}")


@dataclass(frozen=True)
class Domain:
    """Everything that one trade's coder and reports need; `lineage` lists the names, base first."""

    name: str
    title: str
    lineage: tuple[str, ...]
    taxonomy: tuple[Code, ...]
    words: tuple[str, ...]
    stopwords: tuple[str, ...]
    hidden: tuple[str, ...] = ()  # words that hide shorter ones from every code, e.g. 影响 hides 响
    scopes: tuple[tuple[str, tuple[str, ...]], ...] = ()  # channel, systems it may talk about; others: all
    conditions: tuple[str, ...] = ()  # words that say when, e.g. 怠速: they give way to a part
    vague: tuple[str, ...] = ()  # words that only say that something is wrong, e.g. 质量问题
    first: tuple[str, ...] = ()  # systems or codes that a feedback is about before all others
    last: tuple[str, ...] = ()  # those it is about only where nothing else is named: how it was handled

    def code(self, name: str) -> Code:
        """The code of that name; KeyError with the nearest names where there is none."""
        for code in self.taxonomy:
            if code.code == name:
                return code
        near = difflib.get_close_matches(name, [code.code for code in self.taxonomy], n=3, cutoff=0.4)
        raise KeyError(f"领域 {self.name} 没有编码「{name}」。最接近的：{'、'.join(near) or '无'}")


def load_domain(domains_dir: Path, name: str, pending: tuple[str, dict] | None = None) -> Domain:
    """Read a domain and the domains it extends, with the edit log of each replayed over its taxonomy.

    `pending` is a member of the lineage and an edit that is not in its log yet: what the domain would be with it.

    Raises:
        DomainError: unknown name, circular `extends`, YAML that does not parse, a code listed twice, a code
            not of the form 系统-部件-现象, an empty synonym; always in Chinese, with file and line.
    """
    from voc_lib.enrich.edits import replay_edits
    from voc_lib.enrich.taxonomy import Lines, check_scopes, read_routing, read_settings, read_taxonomy

    domains_dir = Path(domains_dir)
    lineage = _lineage(domains_dir, name)
    title = read_settings(domains_dir / name / "domain.yaml").title or name
    scopes: dict[str, tuple[str, ...]] = {}
    groups: dict[str, tuple[str, ...]] = {}
    listed: dict[str, dict[str, None]] = {name: {} for name in ("hidden", "conditions", "vague", "first", "last")}
    entries: dict = {}
    routing = read_routing(None)
    lines = Lines()
    for member in lineage:
        folder = domains_dir / member
        if (folder / "taxonomy.yaml").exists():
            own = read_taxonomy(folder / "taxonomy.yaml", groups)
            groups |= own.groups
            for kind, words in listed.items():
                words |= dict.fromkeys(getattr(own, kind))
            entries |= own.entries
        entries = replay_edits(folder / "edits.jsonl", entries, groups, pending[1] if pending and pending[0] == member else None)
        if (folder / "routing.yaml").exists():
            routing = routing.updated(read_routing(folder / "routing.yaml"))
        lines = lines.updated(folder)
        scopes |= read_settings(folder / "domain.yaml").scopes
    taxonomy = tuple(
        Code(entry.code, entry.label, entry.synonyms, entry.patterns, entry.department or routing.department(entry.code), entry.excepts)
        for entry in entries.values()
    )
    check_scopes(domains_dir / name / "domain.yaml", scopes, {code.system for code in taxonomy})
    return Domain(name, title, tuple(lineage), taxonomy, lines.words, lines.stopwords, scopes=tuple(scopes.items()), **{kind: tuple(words) for kind, words in listed.items()})


def _lineage(domains_dir: Path, name: str) -> list[str]:
    """Names from the base to `name`."""
    from voc_lib.enrich.taxonomy import read_settings

    lineage: list[str] = []
    current: str | None = name
    while current:
        path = domains_dir / current / "domain.yaml"
        if not path.exists():
            known = sorted(found.parent.name for found in domains_dir.glob("*/domain.yaml"))
            raise DomainError(f"没有领域「{current}」：找不到 {current}/domain.yaml。现有领域：{'、'.join(known) or '无'}。")
        if current in lineage:
            raise DomainError(f"{current}/domain.yaml：extends 绕成了圈（{' → '.join([*lineage, current])}），请改掉其中一个。")
        lineage.append(current)
        current = read_settings(path).extends
    return lineage[::-1]
