"""Plants a world: week by week the utterances are drawn, put into words, sorted into export files; a file is written when it is full."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

from voc_lib.sample import dirt, exports, persons, records, selection
from voc_lib.sample.customers import make_frame
from voc_lib.sample.exports import Stage
from voc_lib.sample.facts import Facts
from voc_lib.sample.identities import make_keys
from voc_lib.sample.language.tongue import Ask, Saying, Tongue
from voc_lib.sample.planting import Notes, Planting, kept_leaves, plantings, write_truth
from voc_lib.sample.speakers import Speakers
from voc_lib.sample.speaking import Speaking
from voc_lib.sample.utterance import Said, Utterance
from voc_lib.sample.visitors import Visitors
from voc_lib.sample.world import World, WorldError

ATTEMPTS = 4  # to find words for one utterance


@dataclass(frozen=True)
class Planted:
    """What was written: feedback by channel (as the exports have it) and the names of the truths."""

    out: Path
    feedback: dict[str, int]
    truths: tuple[str, ...]


@dataclass
class Desk:
    """Takes utterances, finds their words, holds them until their file is complete."""

    stage: Stage
    tongue: Tongue
    channels: dict[str, ModuleType]
    out: Path
    notes: Notes = field(default_factory=Notes)
    counts: Counter = field(default_factory=Counter)
    open: dict[str, tuple[date, ModuleType, list[Said]]] = field(default_factory=dict)

    def take(self, one: Utterance) -> Said | None:
        """None for what is said after the last day of the world."""
        if one.when.date() > self.stage.world.last:
            return None
        module = self.channels[one.channel]
        said = self._put(one, module)
        for name, last in module.files(one.when.date()):
            if name not in self.open:
                self.open[name] = (last, module, [])
            self.open[name][2].append(said)
        self.counts[one.channel] += 1
        if one.truth:
            self.notes.take(said)
        return said

    def close(self, before: date) -> None:
        """Write the files in which nothing of `before` or later can stand."""
        for name in sorted(name for name, (last, _, _) in self.open.items() if last < before):
            _, module, said = self.open.pop(name)
            path = self.out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            module.write(path, said, self.stage)

    def _put(self, one: Utterance, module: ModuleType) -> Said:
        number = self.number(one.key)
        ask = Ask(one.channel, one.points, one.mood, one.role, one.motive, one.slots, one.answers)
        saying = self._said(one, ask)
        thread = module.source_id(self.number(one.thread), one, "", None, self.stage) if one.thread else None
        parent = module.source_id(self.number(one.parent), one, "", None, self.stage) if one.parent else None
        return Said(one, saying.body, saying.title, saying.turns, number, module.source_id(number, one, saying.body, saying.title, self.stage), thread, parent)

    def _said(self, one: Utterance, ask: Ask) -> Saying:
        """Words; asked again where a reply came out empty."""
        for attempt in range(ATTEMPTS):
            saying = self.tongue.say(self.stage.world.dice("words", one.key, attempt), ask)
            if saying.body:
                break
        return saying

    def number(self, key: str) -> int:
        """64 bits by which the source names an utterance."""
        return int.from_bytes(hashlib.sha256(f"{self.stage.world.seed}/{key}".encode()).digest()[:8])


def plant(world: World, out: Path, tongue: Tongue | None = None) -> Planted:
    """Write all exports and the truth below `out`, an empty or new folder.

    Raises:
        WorldError: the folder is not empty, or a truth to be left out does not exist.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WorldError(f"「{out}」已经有东西了。请给一个空文件夹或新名字，免得新旧两个世界混在一起。")
    tongue = tongue or Tongue(world.domain)
    frame = make_frame(world)
    keys = make_keys(world, frame)
    stage = Stage(world, frame, keys, Facts(world, frame, keys), tongue)
    channels = {name: module for name, module in exports.modules(world.domain).items() if hasattr(module, "VOICE")}
    speaking = Speaking(world, frame, stage.facts, tongue, {name: module.VOICE for name, module in channels.items()}, kept_leaves(world.domain))
    planted = plantings(stage, speaking)
    out.mkdir(parents=True, exist_ok=True)
    (out / "notice.txt").write_text("合成样例数据\n", "utf-8")  # stands on every page made from these exports
    desk = Desk(stage, tongue, channels, out)
    asked = frozenset().union(*(planting.asked for planting in planted.values()))
    book, heard, speakers, visitors = records.Book(stage, out, asked), selection.Heard(stage), Speakers(stage), Visitors(stage, speaking, channels)
    for week in world.calendar:
        visits = speaking.visits(week)
        book.visits(week, visits)
        visitors.take(week, visits, desk.number)
        for one in _week(speaking.week(week, visits), planted, week):
            if said := desk.take(one):
                heard.take(one)
                book.take(said)
                speakers.take(said)
        desk.close(week.monday + timedelta(days=7))
        book.close(week)
        speakers.close()
    desk.close(date.max)
    spoiled = dirt.spoil(world, out)
    _write_truths(stage, planted, desk.notes, out)
    heard.write(out)
    speakers.write(out)
    visitors.write(out)
    keys_written = persons.write_identities(stage, heard.accounts(), heard.bits, out, book.bindings.accidents() if book.bindings else {})
    write_truth(out, "quarantine", {"title": "故意埋下的坏行，应进隔离区", "rows": spoiled})
    write_truth(out, "world", {
        "domain": world.domain, "customers": world.customers, "weeks": world.weeks, "first": str(world.first), "last": str(world.last), "until": world.until,
        "seed": world.seed, "selection": world.selection, "without": list(world.without), "feedback": dict(sorted(desk.counts.items())), "identities": keys_written,
    })
    return Planted(out, dict(sorted(desk.counts.items())), tuple(planted))


def _week(everyday: Iterable[Utterance], planted: dict[str, Planting], week) -> Iterable[Utterance]:
    """Everyday and planted utterances, altered, each followed by what is answered to it."""
    alters = [planting.alter for planting in planted.values() if planting.alter]
    answers = [planting.answer for planting in planted.values() if planting.answer]
    for source in (everyday, *(planting.say(week) for planting in planted.values())):
        for one in source:
            for alter in alters:
                one = alter(one)
            yield one
            for answer in answers:
                yield from answer(one)


def _write_truths(stage: Stage, planted: dict[str, Planting], notes: Notes, out: Path) -> None:
    for name, planting in planted.items():
        feedback = notes.feedback.get(name, ())
        later = planting.close() if planting.close else {}
        write_truth(out, name, {"truth": name, **planting.facts, **later, "size": len(feedback)}, notes.rows(name, stage))
