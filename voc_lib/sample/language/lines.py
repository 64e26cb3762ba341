"""The little grammar every line is written in: (a|b|) one of these, {slot} a fact, <part> another part, @tag when it may be said.

`(一|刚)开空调就响 @夏` is said in summer only, in one of two ways. An alternative that needs an absent slot is left out; a line
that needs one at its top level is not chosen. Tags: 春 夏 秋 冬 (season), a product (`@S5`), `@mad` / `@mild` (mood below or
above -1), `@new` / `@old` (owned at most 3 / at least 8 months), `@small` / `@middle` / `@big` (price below 1000, up to 5000, from 2000),
`@if:夹|压` (an effect: only after a clause with one of these words), `@full` (has its own circumstance: no other is put before
it), `@any` (season words and 去年 in it are no condition), `5*` in front (weight).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEASONS = "春夏秋冬"
TAG = re.compile(r"\s+@(\S+)$")
WEIGHT = re.compile(r"^(\d+)\*\s*")
# A clause that names its own place or moment takes no second one before it.
CIRCUMSTANCE = re.compile(
    r"时候|早上|晚上|夜里|半夜|下班|上班|高速|地库|车库|一.{1,5}就|只要|每次|每回|冷车|热车|倒车|过坎|过减速带|堵车|下雨|洗完|停了一|停一夜|今天|昨天|上周|"
    r"周末|国庆|春节|过年|刚提|提车|到店|第一次|试驾|开了|跑了|等红灯|红绿灯|起步|跑长途|出门|路上|去检车|等人|洗车|以后|之后|那天|现在|夏天|冬天"
)
SEASON_WORDS = {"夏": re.compile(r"夏天|大热天|三伏|暴晒|高温天|大太阳|大夏天|梅雨"), "冬": re.compile(r"冬天|零下|下雪|大冷天|入冬|数九|结冰|大冬天|冻手|三九天")}

PRICES = {"small": (0, 1000), "middle": (300, 5000), "big": (2000, 1e9)}  # yuan that a wiper, a repair, a subsidy may cost
OLD_WORDS = re.compile(r"去年|以前两天|过了一个夏天|用了一年|快过保")


@dataclass(frozen=True, slots=True)
class Line:
    """A compiled line: nodes are literals (str), ("slot", name), ("part", name) or ("one", alternatives)."""

    text: str
    nodes: tuple
    needs: frozenset[str] = frozenset()
    seasons: str = ""
    products: tuple[str, ...] = ()
    mood: str = ""
    age: str = ""
    full: bool = False
    parts: frozenset[str] = frozenset()
    price: tuple[float, float] | None = None
    only: tuple[str, ...] = ()


def compile_lines(written: str | Iterable[str] | None) -> tuple[Line, ...]:
    """The lines of a block (one a line) or of a list, weights as repetitions; raises ValueError for a bracket left open."""
    if not written:
        return ()
    rows = written.splitlines() if isinstance(written, str) else written
    made: list[Line] = []
    for row in rows:
        row = str(row).strip()
        if row and not row.startswith("#"):
            weight = WEIGHT.match(row)
            line = compile_line(row[weight.end():] if weight else row)
            made += [line] * (int(weight[1]) if weight else 1)
    return tuple(made)


def compile_line(row: str) -> Line:
    """One line with its tags read and its nodes compiled."""
    tags: list[str] = []
    while found := TAG.search(row):
        tags.append(found[1])
        row = row[: found.start()]
    nodes, end = _sequence(row, 0)
    if end != len(row):
        raise ValueError(f"A bracket is closed that was not opened: {row!r}")
    seasons = "".join(tag for tag in tags if tag in SEASONS)
    if not seasons and "any" not in tags:
        seasons = "".join(season for season, words in SEASON_WORDS.items() if words.search(row))
    known = {*PRICES, "mad", "mild", "new", "old", "full", "any", *SEASONS}
    return Line(
        row, nodes, needs_of(nodes), seasons, tuple(tag for tag in tags if tag not in known and not tag.startswith("if:")),
        next((tag for tag in tags if tag in ("mad", "mild")), ""), next((tag for tag in tags if tag in ("new", "old")), "old" if OLD_WORDS.search(row) and "any" not in tags else ""),
        "full" in tags or bool(CIRCUMSTANCE.search(row)), frozenset(re.findall(r"<(\w+)>", row)),
        next((PRICES[tag] for tag in tags if tag in PRICES), None),
        next((tuple(tag[3:].split("|")) for tag in tags if tag.startswith("if:")), ()),
    )


def needs_of(nodes: tuple) -> frozenset[str]:
    """The slots a sequence cannot do without: its own, and those that all alternatives of a choice share."""
    needs: set[str] = set()
    for node in nodes:
        if isinstance(node, tuple):
            if node[0] == "slot":
                needs.add(node[1])
            elif node[0] == "one":
                needs |= frozenset.intersection(*(needed for needed, _ in node[1]))
    return frozenset(needs)


def _sequence(row: str, at: int) -> tuple[tuple, int]:
    nodes: list = []
    start = at
    while at < len(row):
        mark = row[at]
        if mark not in "({<|)":
            at += 1
            continue
        if at > start:
            nodes.append(row[start:at])
        if mark in "|)":
            return tuple(nodes), at
        if mark == "(":
            alternatives: list = []
            while True:
                inner, at = _sequence(row, at + 1)
                alternatives.append((needs_of(inner), inner))
                if at >= len(row):
                    raise ValueError(f"A bracket is left open: {row!r}")
                if row[at] == ")":
                    break
            nodes.append(("one", tuple(alternatives)))
            at += 1
        else:
            close = row.find("}" if mark == "{" else ">", at)
            if close < 0:
                raise ValueError(f"A bracket is left open: {row!r}")
            nodes.append(("slot" if mark == "{" else "part", row[at + 1 : close]))
            at = close + 1
        start = at
    if at > start:
        nodes.append(row[start:at])
    return tuple(nodes), at


def slots_in(nodes: tuple) -> Mapping[str, None]:
    """Every slot a sequence names anywhere, in order of appearance (a dict used as an ordered set)."""
    found: dict[str, None] = {}
    for node in nodes:
        if isinstance(node, tuple):
            if node[0] == "slot":
                found[node[1]] = None
            elif node[0] == "one":
                for _, inner in node[1]:
                    found |= slots_in(inner)
    return found
