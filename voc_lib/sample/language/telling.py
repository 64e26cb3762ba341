"""One utterance in the making: picks lines that fit the facts, the mood and the season, fills parts and slots, joins several points.

Parts known to every style: <clause> (all points, joined), <next> (dialogues: the next point), <again> (another way to say the point),
<when>, <effect>, <find>, <fix>, <tip>, <tease>, <thing>, <fault>, <gain>, <topics> (nouns of all points), <first>/<second>/<before> (in joins: the two clauses, the noun of the first).
"""

from __future__ import annotations

import functools
import random

from voc_lib.sample.language.lines import Line
from voc_lib.sample.language.phrases import Leaf
from voc_lib.sample.language.spoken import SLOTS
from voc_lib.sample.language.styles import Style

TRIES = 6  # blind draws before the pool is filtered: most lines fit most askings
OWN_QUESTIONS = 0.72  # share of questions in the leaf's own words where it has some; the others are asked with its noun


@functools.cache
def pairs_of(line: Line) -> frozenset[str]:
    """Neighbouring characters of a line: what two lines of the trade share tells whether they speak of the same part."""
    return frozenset(line.text[at : at + 2] for at in range(len(line.text) - 1))


class Telling:
    """The state of one utterance. `register` is how facts are written; `points` are (leaf, polarity)."""

    __slots__ = ("style", "dice", "points", "facts", "have", "mood", "keys", "register", "registers", "at", "used", "clauses", "first", "second", "each", "season", "product", "months", "role", "pools", "record", "talk", "joining")

    def __init__(self, style: Style, dice: random.Random, points: list[tuple[Leaf, int]], facts: dict[str, str], mood: float, keys: tuple[str, ...], role: str, pools: dict) -> None:
        self.style, self.dice, self.points, self.facts, self.mood, self.keys, self.role, self.pools = style, dice, points, facts, mood, keys, role, pools
        self.have = facts.keys()
        self.registers = style.registers
        self.register = style.registers[0]
        self.at, self.used, self.each, self.talk, self.record, self.joining = 0, [], False, False, style.record, 0
        self.clauses: dict[int, tuple[Line, str]] = {}
        self.first = self.second = ""
        self.season, self.product = facts.get("season", ""), facts.get("product", "")
        self.months = int(facts["months"]) if facts.get("months") else -1

    def fits(self, line: Line) -> bool:
        """Whether the facts, season, product, mood and time of ownership allow the line and it was not said already."""
        if line.needs and not line.needs <= self.have:
            return False
        if line.seasons and (not self.season or self.season not in line.seasons):
            return False
        if line.products and not any(product in self.product for product in line.products):
            return False
        if line.mood and (line.mood == "mad") != (self.mood < -1):
            return False
        if line.age and (self.months < 0 or (self.months > 3 if line.age == "new" else self.months < 8)):
            return False
        if line.price and not line.price[0] <= float(self.facts.get("price") or -1) <= line.price[1]:
            return False
        return line not in self.used

    def pick(self, pool: tuple[Line, ...]) -> Line | None:
        """A line of the pool that fits, or None."""
        size = len(pool)
        if not size:
            return None
        chance = self.dice.random
        for _ in range(TRIES):
            line = pool[int(chance() * size)]
            if self.fits(line):
                return line
        fitting = [line for line in pool if self.fits(line)]
        return fitting[int(chance() * len(fitting))] if fitting else None

    def write(self, line: Line | None) -> str:
        """The line with its slots and parts filled; an empty string for None."""
        if line is None:
            return ""
        out: list[str] = []
        self._fill(line.nodes, out)
        return "".join(out)

    def say(self, pool: tuple[Line, ...]) -> str:
        """A fitting line of the pool, written and remembered, so that it is not said twice."""
        line = self.pick(pool)
        if line is not None:
            self.used.append(line)
        return self.write(line)

    def _fill(self, nodes: tuple, out: list[str]) -> None:
        for node in nodes:
            if node.__class__ is str:
                out.append(node)
                continue
            kind, name = node
            if kind == "one":
                needs, inner = name[int(self.dice.random() * len(name))]
                if needs and not needs <= self.have:
                    able = [inner for needs, inner in name if needs <= self.have]
                    inner = able[int(self.dice.random() * len(able))] if able else ()
                self._fill(inner, out)
            elif kind == "slot":
                out.append(SLOTS[name](self.facts[name], self.dice, self.register))
            else:
                out.append(self.part(name))

    def part(self, name: str) -> str:
        """The text of a part: one of those every style has, else a line of the channel's or the shared parts."""
        own = PARTS.get(name)
        return own(self) if own else self.say(self.pool(name))

    def pool(self, name: str) -> tuple[Line, ...]:
        """All lines of a part for this role, sign, mood band and motive; looked up once, then remembered."""
        key = (self.style.channel, name, *self.keys)
        found = self.pools.get(key)
        if found is None:
            parts = self.style.parts
            role, *others = self.keys
            if role != "owner" and f"{name}.{role}" in parts:
                found = parts[f"{name}.{role}"]
            else:
                found = tuple(line for key_ in (name, *(f"{name}.{other}" for other in others)) for line in parts.get(key_, ()))
            self.pools[key] = found
        return found

    def leaf(self, polarity: int | None = None) -> tuple[Leaf, int]:
        """The point in hand, or the first of that polarity if there is one."""
        if polarity is not None:
            for point in self.points:
                if point[1] == polarity:
                    return point
        return self.points[min(self.at, len(self.points) - 1)]

    def one(self, at: int) -> str:
        """The clause of one point, chosen once."""
        if at not in self.clauses:
            ways = self._ways(at)
            if self.record or self.role != "owner":  # who speaks of somebody else's car does not say 我
                ways = tuple(line for line in ways if "我" not in line.text) or ways
            line = self.pick(ways)
            if line is None:
                line = self.pick(self._ways(at, widest=True)) or self.pick(self.pool("wonder"))
            if line is not None:
                self.used.append(line)
            keep, self.at = self.at, at
            self.clauses[at] = (line, self.write(line))
            self.at = keep
        return self.clauses[at][1]

    def _ways(self, at: int, widest: bool = False) -> tuple[Line, ...]:
        leaf, polarity = self.points[at]
        ways = leaf.ways.get(polarity)
        if polarity > 0 and not ways:
            return self.pool("fixed")
        if polarity == 0 and (not ways or self.dice.random() > OWN_QUESTIONS or self.role != "owner"):
            return self.pool("wonder")
        if widest:
            return tuple(line for register in ("plain", "social", "short", "formal", "shop") for line in ways.get(register, ()))
        register = self.registers[int(self.dice.random() * len(self.registers))]
        return ways.get(register) or ways.get("plain") or next(iter(ways.values()))

    def clause(self) -> str:
        """All points joined (or, where a script takes them one by one, the first)."""
        if self.each:
            return self.one(0)
        told = self.one(0)
        many = len(self.points)
        for at in range(1, many):
            before, now = self.points[at - 1][1], self.points[at][1]
            name = "pair.ask" if now == 0 else "pair.after_ask" if before == 0 and "pair.after_ask" in self.style.parts else "pair.turn_bad" if now < 0 < before else "pair.turn_good" if before < 0 < now else "pair.bad" if now < 0 else "pair.good"
            joins = self.style.parts[name]
            if many > 2:
                joins = tuple(line for line in joins if line.nodes[0] == ("part", "first"))
            self.first, self.second, self.joining = told, self.one(at), at
            told = self.say(joins)
        self.at = many - 1
        return told

    def more(self) -> str:
        """The next point of a dialogue; empty when all are told."""
        if self.at + 1 >= len(self.points):
            return ""
        self.at += 1
        return self.one(self.at)

    def again(self) -> str:
        """The point in hand in other words."""
        ways = self._ways(min(self.at, len(self.points) - 1))
        return self.say(ways)

    def when(self) -> str:
        """A circumstance of the leaf, unless the clause has its own."""
        at = min(self.at, len(self.points) - 1)
        self.one(at)
        line = self.clauses[at][0]
        leaf, polarity = self.points[at]
        if line is None or polarity >= 0 or line.full and not self.talk:
            return ""
        return self.say(leaf.sides["when"]) or (self.say(self.pool("whens")) if self.talk else "")

    def effect(self) -> str:
        """What it does to the speaker's day; only for a complaint that was the last thing said."""
        at = min(self.at, len(self.points) - 1)
        leaf, polarity = self.points[at]
        if polarity >= 0:
            return ""
        told = self.one(at)
        return self.say(tuple(line for line in leaf.sides["effect"] if not line.only or any(word in told for word in line.only)) or self.pool("effects"))

    def shop(self, name: str) -> str:
        """What the shop found, or did, about every complaint: of the leaf's lines those that share most words with what was said before."""
        told: list[str] = []
        for at, (leaf, polarity) in enumerate(self.points):
            if polarity < 0:
                self.one(at)
                lines = leaf.sides[name]
                if not lines:
                    told.append(self.say(self.pool({"find": "finds", "fix": "fixes"}[name])))
                    continue
                context = (self.clauses[at][0], *(line for line in self.used if line in leaf.sides["find"]))
                shared = [sum(len(pairs_of(line) & pairs_of(other)) for other in context if other) for line in lines]
                most = max(shared)
                line = self.pick(tuple(line for line, count in zip(lines, shared, strict=True) if count >= most * 0.7)) or self.pick(lines)
                if line is not None:
                    self.used.append(line)
                told.append(self.write(line))
        return "；".join(text for text in dict.fromkeys(told) if text)

    def side(self, name: str, polarity: int | None) -> str:
        """One of the leaf's nouns or shop lines, or the shared part of that name."""
        leaf, _ = self.leaf(polarity)
        lines = leaf.sides[name]
        if lines:
            return self.write(self.pick(lines) or (lines[0] if name in ("thing", "fault", "gain") else None))
        if name in ("thing", "fault"):
            return leaf.name.split("-", 1)[1].replace("-", "")
        return self.say(self.pool({"gain": "gains", "tip": "tips", "tease": "teases"}[name]))

    def noun(self, at: int) -> str:
        """What a point is about, as a noun: the trouble, the good of it, or just the thing."""
        keep, self.at = self.at, at
        polarity = self.points[at][1]
        noun = self.side("fault" if polarity < 0 else "gain" if polarity > 0 else "thing", None)
        self.at = keep
        return noun

    def topics(self) -> str:
        """The nouns of all points, joined as people list things."""
        nouns: list[str] = []
        for at in range(len(self.points)):
            noun = self.noun(at)
            if noun not in nouns:
                nouns.append(noun)
        return nouns[0] if len(nouns) == 1 else "、".join(nouns[:-1]) + ("和" if self.dice.random() < 0.6 else "还有") + nouns[-1]


PARTS = {
    "clause": Telling.clause, "next": Telling.more, "again": Telling.again, "when": Telling.when, "effect": Telling.effect, "topics": Telling.topics,
    "first": lambda telling: telling.first, "second": lambda telling: telling.second, "before": lambda telling: telling.noun(telling.joining - 1),
    "thing": lambda telling: telling.side("thing", None), "fault": lambda telling: telling.side("fault", -1), "gain": lambda telling: telling.side("gain", 1),
    "find": lambda telling: telling.shop("find"), "fix": lambda telling: telling.shop("fix"), "tip": lambda telling: telling.side("tip", -1),
    "tease": lambda telling: telling.side("tease", -1),
}
