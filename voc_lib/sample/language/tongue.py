"""Tongue: says what is asked, as people say it in that channel. `Tongue("auto").say(dice, Ask(...))` gives a Saying.

The same dice and the same asking give the same words. How an utterance is built stands in the style files, what is said about a
leaf in the phrase files; here is only the order of decisions: which frame, the words, the title, the roughness.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from voc_lib.sample.language.lines import Line
from voc_lib.sample.language.noise import roughen, tidy
from voc_lib.sample.language.phrases import Leaf, read_leaves
from voc_lib.sample.language.spoken import SILENT_SLOTS, SLOTS
from voc_lib.sample.language.styles import ANSWERS, MOTIVES, ROLES, Style, Turn, band_of, read_styles
from voc_lib.sample.language.telling import Telling

FITTING = 8  # attempts at a text within the channel's limit before the shortest is taken
CAREFUL = ("official", "media")  # accounts that are read over before they post: no slips, no emoji


@dataclass(frozen=True, slots=True)
class Point:
    """A leaf of the phrase files and what is thought of it: -1 complaint, 0 question or neutral remark, 1 praise."""

    leaf: str
    polarity: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be said, by whom, in which mood (-2 furious to 2 delighted), why and with which facts (see spoken.SLOTS)."""

    channel: str
    points: tuple[Point, ...]
    mood: float
    role: str = "owner"
    motive: str = "none"
    slots: Mapping[str, str] = field(default_factory=dict)
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Saying:
    """The words: a body, a title where the channel has one, the turns (客户|坐席|机器人, what) where it is a dialogue."""

    body: str
    title: str | None = None
    turns: tuple[tuple[str, str], ...] = ()


class Tongue:
    """The language of one domain. Raises ValueError for a domain without words."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.leaves: Mapping[str, Leaf] = read_leaves(domain)
        self.styles: Mapping[str, Style] = read_styles(domain)
        self._pools: dict = {}

    def say(self, dice: random.Random, ask: Ask) -> Saying:
        """One utterance; 150 microseconds on average, a dialogue up to 500.

        Raises:
            ValueError: an unknown channel, leaf, role, motive, answer or slot (the message names those there are).
        """
        style = self._checked(ask)
        facts = {name: str(value) for name, value in ask.slots.items() if value is not None and value != ""}
        points = [(self.leaves[point.leaf], point.polarity) for point in ask.points]
        sign = sign_of(ask.points)
        mood = _agreeing(ask.mood, sign, ask.motive)
        kind = style.kind_of(next((point.leaf for point in ask.points if point.polarity < 0), ask.points[0].leaf if ask.points else ""))
        kind, *more = kind.split("+")
        keys = (ask.role, sign, band_of(mood), ask.motive, kind, *more)
        ways = _frame_keys(ask, sign, kind, style.record)

        def telling() -> Telling:
            return Telling(style, dice, points, facts, mood, keys, ask.role, self._pools)

        if style.scripts and points and not ask.answers:
            return self._dialogue(style, telling, ways, facts, ask, keys)
        body = self._body(style, telling, ways, facts, keys[2], ask.motive == "spam")
        title = None
        if style.titles and not ask.answers and points:
            title = tidy(telling().say(_first(style.titles, ways))) or None
        return Saying(body, title)

    def _body(self, style: Style, telling, ways: tuple[str, ...], facts: dict[str, str], band: str, spam: bool) -> str:
        frames = _first(style.frames, ways)
        limit = style.noise.get("limit", 0)
        best = ""
        for attempt in range(FITTING if limit else 1):
            told = telling()
            if spam:
                if "campaign" in facts:
                    frames = (frames[int(facts["campaign"]) % len(frames)],)
                return tidy(told.say(frames))
            text = tidy(told.say(frames))
            if text and style.endings:
                mark = style.endings[int(told.dice.random() * len(style.endings))]
                text = _ended(text, "" if mark == "！" and told.keys[1] == "even" else mark)
            rates = style.noise if told.role not in CAREFUL else {}
            text = roughen(text, told.dice, rates, style.typos, _emoji(style, told, band), facts.get("author"))
            if not limit or len(text) <= limit:
                return text
            best = text if not best or len(text) < len(best) else best
        return best

    def _dialogue(self, style: Style, telling, ways: tuple[str, ...], facts: dict[str, str], ask: Ask, keys: tuple[str, ...]) -> Saying:
        told = telling()
        scripts = _first(style.scripts, ways)
        scripts = [script for script in scripts if len(told.points) > 1 or not any("next" in turn.line.parts and not turn.optional for turn in script)] or scripts
        dice = told.dice
        script = _unfold(style, scripts[int(dice.random() * len(scripts))], told)
        told.talk, told.register = True, "spoken"
        told.each = any("next" in turn.line.parts for turn in script)
        turns: list[tuple[str, str]] = []
        for turn in script:
            if turn.optional and dice.random() < 0.5 or not told.fits(turn.line):
                continue
            waiting = "next" in turn.line.parts
            if waiting and told.at + 1 >= len(told.points):
                continue
            text = tidy(told.write(turn.line))
            if not text:
                continue
            if turn.speaker == "客户":
                text = roughen(text, dice, style.noise, style.typos, (), facts.get("author"))
            turns.append((turn.speaker, text))
        if style.noise.get("summary"):
            record = telling()
            record.registers, record.register, record.record = ("formal",), "formal", True
            record.keys = ("agent", *record.keys[1:])
            ways = _frame_keys(ask, keys[1], keys[4], record=True)
            return Saying(_ended(tidy(record.say(_first(style.frames, ways))), "。"), None, tuple(turns))
        return Saying(" ".join(text for speaker, text in turns if speaker == "客户"), None, tuple(turns))

    def _checked(self, ask: Ask) -> Style:
        for what, value, known in (("channel", ask.channel, self.styles), ("role", ask.role, ROLES), ("motive", ask.motive, MOTIVES), ("answer", ask.answers or "metoo", ANSWERS)):
            if value not in known:
                raise ValueError(f"No {what} named {value!r} in the language of {self.domain}. There are: {', '.join(known)}.")
        for point in ask.points:
            if point.leaf not in self.leaves:
                raise ValueError(f"No leaf named {point.leaf!r} in phrases/{self.domain}. Leaves are the keys of its YAML files.")
        for name in ask.slots:
            if name not in SLOTS and name not in SILENT_SLOTS:
                raise ValueError(f"No slot named {name!r}. There are: {', '.join(SLOTS)}; silent: {', '.join(SILENT_SLOTS)}.")
        return self.styles[ask.channel]


def _agreeing(mood: float, sign: str, motive: str) -> float:
    """The mood kept on the side of what is said: no fury in praise, no delight in complaint, nothing shrill in a mixed verdict."""
    if motive == "tease":
        return mood
    lowest, highest = {"bad": (-2.0, 0.4), "good": (0.6, 2.0), "mixed": (-0.45, 0.45), "even": (-0.45, 0.45)}.get(sign, (-2.0, 2.0))
    return min(max(mood, lowest), highest)


def sign_of(points: tuple[Point, ...]) -> str:
    """bad, good, even or mixed; none for no points."""
    lows, highs = any(point.polarity < 0 for point in points), any(point.polarity > 0 for point in points)
    return "mixed" if lows and highs else "bad" if lows else "good" if highs else "even" if points else "none"


def _frame_keys(ask: Ask, sign: str, kind: str, record: bool = False) -> tuple[str, ...]:
    if ask.motive == "spam":
        return ("spam",)
    if sign == "none":
        return (f"idle.{ask.role}", "idle")
    plain = (f"{sign}.{kind}", sign, "bad") if sign == "mixed" else (f"{sign}.{kind}", sign)
    if ask.answers:
        role = f"{ask.answers}.{ask.role}"
        return (f"{role}.{sign}", role, f"{ask.answers}.{sign}", ask.answers)
    if record and ask.role in ("owner", *CAREFUL, "staff"):
        return (f"claim.{kind}", "claim.bad", *plain) if ask.motive == "claim" and sign == "bad" else plain
    if ask.role != "owner":
        return (f"{ask.role}.{ask.motive}", f"{ask.role}.{sign}", ask.role, *plain)
    if ask.motive == "tease" and sign in ("bad", "mixed"):
        return ("tease", *plain)
    return (f"{ask.motive}.{kind}", f"{ask.motive}.{sign}", ask.motive, *plain) if ask.motive not in ("none", "tease") else plain


def _unfold(style: Style, script: tuple[Turn, ...], told: Telling) -> tuple[Turn, ...]:
    """The script with every block put in: one of those for the kind of matter or, as often, of the general ones."""
    turns: list[Turn] = []
    for turn in script:
        if turn.speaker != "+":
            turns.append(turn)
        elif not turn.optional or told.dice.random() < 0.5:
            name = turn.line.text
            able = [block for block in style.blocks.get(f"{name}.{told.keys[4]}", ()) + style.blocks.get(name, ()) if block[0] not in turns]
            turns += able[int(told.dice.random() * len(able))] if able else ()
    return tuple(turns)


def _first(groups: Mapping[str, tuple], keys: tuple[str, ...]) -> tuple:
    for key in keys:
        if key in groups:
            return groups[key]
    return groups[next(iter(groups))]


def _ended(text: str, mark: str) -> str:
    text = text.rstrip("，、；：")
    return text if not mark or not text or text[-1] in "。！？…～~!?”#" else text + mark


def _emoji(style: Style, told: Telling, band: str) -> tuple[str, ...]:
    return style.emoji.get("tease" if told.keys[3] == "tease" else band, ()) if told.role not in CAREFUL else ()


__all__ = ["Ask", "Leaf", "Line", "Point", "Saying", "Tongue", "sign_of"]
