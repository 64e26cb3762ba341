"""The everyday voice of the world: who speaks in a week, in which channel, about what. Planted truths come on top of it.

Who speaks depends on covariates; with `selection` also on satisfaction itself. Leaves that truths plant are not spoken of here, so that
switching a truth off leaves the rest as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np

from voc_lib.sample.customers import Frame
from voc_lib.sample.facts import Facts
from voc_lib.sample.language.tongue import Point, Tongue
from voc_lib.sample.outsiders import role_of
from voc_lib.sample.utterance import OUTSIDE, Utterance
from voc_lib.sample.voice import Voice
from voc_lib.sample.world import Week, World

OUTSIDERS = 1.0       # people outside who might speak, for every customer
REPLY_HOURS = 9.0     # median hours after which one person answers another
REPLY_DAYS = 20       # no thread lives longer
ONLY_COMPLAINTS = 5.0  # from this log-odds of complaining on, a channel hears nothing else
SPAM = 0.02           # share of posts from outside that are advertising, near-identical within a fortnight
HOLIDAYS = {1: 1.0, 40: 0.72, 41: 0.9, 5: 0.8, 6: 0.75, 7: 0.85}  # ISO weeks of National Day and Spring Festival: fewer calls, fewer visits


class Speaking:
    """Draws the utterances of a week, channel by channel; remembers nothing but weights."""

    def __init__(self, world: World, frame: Frame, facts: Facts, tongue: Tongue, voices: dict[str, Voice], kept: frozenset[str]) -> None:
        self.world, self.frame, self.facts, self.tongue, self.voices = world, frame, facts, tongue, voices
        self._leaves = [leaf for leaf in tongue.leaves.values() if leaf.name not in kept]
        self._tables: dict[tuple, tuple[list[str], list[float]]] = {}
        self._weights: dict[tuple[str, date], np.ndarray] = {}

    def week(self, week: Week, visits: tuple[np.ndarray, np.ndarray]) -> Iterator[Utterance]:
        """All everyday utterances that begin in the week; replies may fall into later weeks."""
        for channel, voice in self.voices.items():
            if voice.share:
                yield from self._visited(week, channel, voice, visits) if voice.of_visits else self._posted(week, channel, voice)

    def visits(self, week: Week) -> tuple[np.ndarray, np.ndarray]:
        """Service visits of the week: who, and on which day (0 Monday). One person once."""
        stream = self.world.stream("visits", week.label)
        rate = self.frame["visits"] / 52 * self.frame.in_use(week.monday) * HOLIDAYS.get(week.monday.isocalendar().week, 1)
        came = np.flatnonzero(stream.random(len(self.frame)) < rate)
        return came, stream.integers(0, 7, len(came))

    def weights(self, channel: str, day: date) -> np.ndarray:
        """Cumulated odds of speaking in the channel, from the state of the month's first day."""
        month = day.replace(day=1)
        if (channel, month) not in self._weights:
            self._weights = {key: kept for key, kept in self._weights.items() if key[1] == month}
            self._weights[channel, month] = np.cumsum(self.odds(channel, month))
        return self._weights[channel, month]

    def odds(self, channel: str, day: date) -> np.ndarray:
        """Odds of speaking of every customer, relative to one another: covariates, frailty and, if so chosen, satisfaction."""
        frame, voice = self.frame, self.voices[channel]
        owned = (day.toordinal() - frame["bought"]) / 365
        tier = np.array([city.tier for city in frame.cast.cities])[frame["city"]]
        score = voice.app * (frame["app_days"] - 9) / 8 + voice.tier * (2 - tier) + voice.fresh * np.clip(1 - owned, -2, 1)
        score = score + voice.young * (38 - frame["age"]) / 9
        satisfaction = frame["satisfaction"]
        if self.world.selection == "angry":
            score = score - voice.anger * satisfaction
        elif self.world.selection == "j_shaped":
            # The angry more than the delighted, the middle least: a J.
            score = score + voice.anger * np.where(satisfaction < 0, -1.2 * satisfaction, 0.8 * satisfaction)
        member = (frame["account"] * 7919 + len(channel) * 0.37) % 1 < voice.has
        if voice.of_product:
            member = member & (frame["product"] == [product.code for product in frame.cast.products].index(voice.of_product))
        return frame.in_use(day) * member * frame["frailty"] * np.exp(score)

    def speakers(self, channel: str, day: date, stream: np.random.Generator, many: int) -> np.ndarray:
        """Rows of the frame, drawn by their odds."""
        weights = self.weights(channel, day)
        return np.searchsorted(weights, stream.random(many) * weights[-1], side="right").clip(max=len(weights) - 1)

    def _posted(self, week: Week, channel: str, voice: Voice) -> Iterator[Utterance]:
        stream = self.world.stream("speaking", channel, week.label)
        calm = 1 if voice.outside else HOLIDAYS.get(week.monday.isocalendar().week, 1)
        active = float(self.frame.in_use(week.monday).sum())
        roots = int(stream.poisson(voice.weekly * active * calm / (1 + voice.replies)))
        who = self.speakers(channel, week.monday, stream, roots)
        outside = stream.random(roots) < voice.outside
        days = stream.choice(7, roots, p=_days(voice))
        answers = stream.geometric(1 / (1 + voice.replies), roots) - 1 if voice.replies else np.zeros(roots, int)
        for at in range(roots):
            dice = self.world.dice("speaking", channel, week.label, at)
            key = f"{channel}/{week.label}/{at}"
            when = moment(week.day(int(days[at])), voice, dice)
            root = self.utterance(key, channel, when, OUTSIDE if outside[at] else int(who[at]), dice)
            yield root
            if answers[at]:
                yield from self._thread(root, int(answers[at]), week, dice)

    def _visited(self, week: Week, channel: str, voice: Voice, visits: tuple[np.ndarray, np.ndarray]) -> Iterator[Utterance]:
        """Of those who came, so many speak (or are written about) that the channel gets its share."""
        came, days = visits
        if not len(came):
            return
        stream = self.world.stream("speaking", channel, week.label)
        odds = self.odds(channel, week.monday)[came] if voice.has < 1 or voice.anger else np.ones(len(came))
        odds = np.sqrt(odds / max(float(odds.mean()), 1e-9)) if self.world.selection == "explained" or not voice.anger else odds / max(float(odds.mean()), 1e-9)
        wanted = voice.weekly * float(self.frame.in_use(week.monday).sum())
        chance = np.minimum(odds * wanted / odds.sum(), 0.95)
        for at in np.flatnonzero(stream.random(len(came)) < chance).tolist():
            yield self.after_visit(week, channel, int(came[at]), int(days[at]))

    def after_visit(self, week: Week, channel: str, who: int, day: int) -> Utterance:
        """What the visitor says in the channel if he says anything: the same whether or not he does."""
        dice = self.world.dice("speaking", channel, week.label, who)
        return self.utterance(f"{channel}/{week.label}/{who}", channel, moment(week.day(day), self.voices[channel], dice), who, dice)

    def _thread(self, root: Utterance, many: int, week: Week, dice) -> Iterator[Utterance]:
        voice, stream = self.voices[root.channel], self.world.stream("thread", root.key)
        who = self.speakers(root.channel, week.monday, stream, many)
        before = [root]
        for at in range(many):
            parent = before[0] if dice.random() < 0.65 else before[int(dice.random() * len(before))]
            when = parent.when + timedelta(hours=REPLY_HOURS * math.exp(dice.gauss(0, 1.3)))
            if 1 <= when.hour < 7:
                when += timedelta(hours=6.5)  # asleep
            if when - root.when > timedelta(days=REPLY_DAYS):
                continue
            someone = OUTSIDE if dice.random() < voice.outside else int(who[at])
            said = self.reply(f"{root.key}/{at}", root, parent, when, someone, dice)
            before.append(said)
            yield said

    def reply(self, key: str, root: Utterance, parent: Utterance, when: datetime, who: int, dice) -> Utterance:
        """Somebody joins in, objects, or is the author coming back."""
        if dice.random() < 0.12:  # the author answers under the own post
            who, author, role = root.who, root.author, root.role
        else:
            author, role = self._author(who, dice)
        answers = dice.choices((None, "metoo", "disagree"), (30, 48, 22))[0] if root.points else None
        points = root.points[:1] if answers else self.points(root.channel, who, when.date(), dice)[:1]
        if answers == "disagree" and points:
            points = (Point(points[0].leaf, -points[0].polarity),)
        mood = _mood(self._satisfaction(who, dice), points, dice)
        motive = "none" if answers else self._motive(root.channel, points, dice)
        return Utterance(key, root.channel, when, who, author, points, mood, role, motive, self.facts.of(who, author, when.date(), dice, role),
                         answers, root.thread or root.key, parent.key)

    def utterance(self, key: str, channel: str, when: datetime, who: int, dice) -> Utterance:
        """A post, a call, an answer: of a customer, or of somebody outside."""
        author, role = self._author(who, dice)
        if who == OUTSIDE and dice.random() < SPAM:
            slots = self.facts.of(who, author, when.date(), dice, role) | {"campaign": str(when.toordinal() // 14)}
            return Utterance(key, channel, when, who, author, (), 1.0, "owner", "spam", slots, None, key if self.voices[channel].replies else None)
        points = self.points(channel, who, when.date(), dice)
        threads = key if self.voices[channel].replies else None
        return Utterance(key, channel, when, who, author, points, _mood(self._satisfaction(who, dice), points, dice), role,
                         self._motive(channel, points, dice), self.facts.of(who, author, when.date(), dice, role), None, threads, None)

    def told(self, key: str, channel: str, when: datetime, who: int, points: tuple[Point, ...], truth: str, part: str = "", **changes) -> Utterance:
        """What a truth lets somebody say: `changes` are fields of Utterance; `slots` among them are added to what the speaker knows."""
        dice = self.world.dice(truth, key)
        author, role = self._author(who, dice)
        role = changes.pop("role", role)
        slots = self.facts.of(who, author, when.date(), dice, role) | changes.pop("slots", {})
        motive = changes.pop("motive", None) or self._motive(channel, points, dice)
        mood = changes.pop("mood", None)
        threads = key if self.voices[channel].replies else None
        return Utterance(key, channel, when, who, author, points, _mood(self._satisfaction(who, dice), points, dice) if mood is None else mood, role, motive, slots,
                         **({"thread": threads, "truth": truth, "part": part} | changes))

    def at(self, day: date, channel: str, dice) -> datetime:
        """A second of the day at which that channel speaks."""
        return moment(day, self.voices[channel], dice)

    def points(self, channel: str, who: int, day: date, dice) -> tuple[Point, ...]:
        """One leaf, sometimes two or three, each with a polarity that follows the person's satisfaction."""
        voice = self.voices[channel]
        product = self.frame.cast.products[self.frame["product"][who] if who >= 0 else int(dice.random() * len(self.frame.cast.products))]
        names, cumulated = self._table(channel, day.month, product.code)
        many = 1 if dice.random() > voice.several else 2 if dice.random() < 0.8 else 3
        chosen = dict.fromkeys(dice.choices(names, cum_weights=cumulated, k=many))
        return tuple(Point(name, self._polarity(name, voice, who, dice)) for name in chosen)

    def _table(self, channel: str, month: int, product: str) -> tuple[list[str], list[float]]:
        key = (channel, month, product)
        if key not in self._tables:
            systems = self.voices[channel].systems
            wanted = [leaf for leaf in self._leaves if -1 in leaf.polarities or self.voices[channel].bad < ONLY_COMPLAINTS]
            fitting = [leaf for leaf in wanted if not systems or leaf.name.startswith(systems)] or wanted
            usable = [leaf for leaf in fitting if (not leaf.months or month in leaf.months) and (not leaf.products or product in leaf.products)]
            weights = np.cumsum([leaf.weight for leaf in usable or fitting]).tolist()
            self._tables[key] = ([leaf.name for leaf in usable or fitting], weights)
        return self._tables[key]

    def _polarity(self, name: str, voice: Voice, who: int, dice) -> int:
        can = self.tongue.leaves[name].polarities
        if voice.bad >= ONLY_COMPLAINTS and -1 in can:
            return -1
        if 0 in can and dice.random() < voice.neutral:
            return 0
        bad = 1 / (1 + math.exp(-voice.bad + 0.9 * self._satisfaction(who, dice)))
        wanted = -1 if dice.random() < bad else 1
        return wanted if wanted in can else -wanted if -wanted in can else 0

    def _satisfaction(self, who: int, dice) -> float:
        return float(self.frame["satisfaction"][who]) if who >= 0 else dice.gauss(-0.1, 0.8)

    def _author(self, who: int, dice) -> tuple[int, str]:
        if who != OUTSIDE:
            return who, "owner"
        author = len(self.frame) + int(dice.random() ** 1.6 * len(self.frame) * OUTSIDERS)
        return author, role_of(author)

    def _motive(self, channel: str, points: tuple[Point, ...], dice) -> str:
        lowest = min((point.polarity for point in points), default=0)
        table = self.voices[channel].motives[-1 if lowest < 0 else max((point.polarity for point in points), default=0)]
        return dice.choices(list(table), list(table.values()))[0]


def moment(day: date, voice: Voice, dice) -> datetime:
    """A second of the day: office hours, or the evening."""
    hour = dice.uniform(18, 23.9) if dice.random() < voice.night else dice.uniform(8.5, 18)
    return datetime(day.year, day.month, day.day) + timedelta(seconds=int(hour * 3600))


def _days(voice: Voice) -> np.ndarray:
    weights = np.array([1.05, 1, 1, 1, 1, voice.weekend, voice.weekend])
    return weights / weights.sum()


def _mood(satisfaction: float, points: tuple[Point, ...], dice) -> float:
    lean = sum(point.polarity for point in points) / max(len(points), 1)
    return max(-2.0, min(2.0, 0.5 * satisfaction + 0.9 * lean + dice.gauss(0, 0.5)))
