"""The settings of a planted world, its calendar and its chance.

Every draw comes from a stream that carries a name (`world.stream("speaking", "hotline", "2026-W46")`), seeded by sha256 of the seed and
the name. So the same seed gives the same bytes, and switching one truth off moves no other draw.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from voc_lib.messages import Told

DOMAINS = ("auto", "bank")
SELECTIONS = ("explained", "angry", "j_shaped")
EVENT_WEEKS = 12  # planted events lie in the last so many weeks
FEWEST_CUSTOMERS, FEWEST_WEEKS = 200, EVENT_WEEKS + 4  # below this no planted event has a before
USUAL_CUSTOMERS = 20_000  # sizes of truths that grow with the world are given for so many
SEASONS = dict(zip(range(1, 13), "冬冬春春春夏夏夏秋秋秋冬", strict=True))


class WorldError(Told, ValueError):
    """A world cannot be planted as asked; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Week:
    """One ISO week: its label, its Monday, its place from the first week (0) and how many weeks follow it."""

    label: str
    monday: date
    index: int
    left: int

    def day(self, weekday: int) -> date:
        """Monday is 0."""
        return self.monday + timedelta(days=weekday)


@dataclass(frozen=True)
class World:
    """What is planted: domain, how many customers over how many weeks up to `until`, who tends to speak, which truths are left out.

    Raises:
        WorldError: an unknown domain, selection or week, or a world too small to hold its truths.
    """

    domain: str = "auto"
    customers: int = USUAL_CUSTOMERS
    weeks: int = 120
    until: str = "2026-W46"
    seed: int = 1
    selection: str = "explained"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, value, known in (("领域", self.domain, DOMAINS), ("发声方式", self.selection, SELECTIONS)):
            if value not in known:
                raise WorldError(f"没有名为「{value}」的{what}。可选：{'、'.join(known)}。")
        if self.customers < FEWEST_CUSTOMERS:
            raise WorldError(f"客户数 {self.customers} 太少，埋不下要埋的事。至少 {FEWEST_CUSTOMERS}。")
        if self.weeks < FEWEST_WEEKS:
            raise WorldError(f"周数 {self.weeks} 太少：最后 {EVENT_WEEKS} 周用来埋事件，之前还要有平常的周。至少 {FEWEST_WEEKS}。")
        monday_of(self.until)

    @cached_property
    def calendar(self) -> tuple[Week, ...]:
        """All weeks, oldest first."""
        last = monday_of(self.until)
        mondays = [last - timedelta(weeks=back) for back in range(self.weeks - 1, -1, -1)]
        return tuple(Week(label_of(monday), monday, at, self.weeks - 1 - at) for at, monday in enumerate(mondays))

    @property
    def first(self) -> date:
        """The first day."""
        return self.calendar[0].monday

    @property
    def last(self) -> date:
        """The last day, a Sunday."""
        return self.calendar[-1].day(6)

    @cached_property
    def months(self) -> tuple[date, ...]:
        """First days of the months that the weeks touch."""
        return tuple(date(number // 12, number % 12 + 1, 1) for number in range(month_number(self.first), month_number(self.last) + 1))

    @property
    def quarters(self) -> tuple[date, ...]:
        """First days of the quarters that the weeks touch."""
        return tuple(dict.fromkeys(date(month.year, (month.month - 1) // 3 * 3 + 1, 1) for month in self.months))

    def back(self, weeks: int) -> Week:
        """The week so many weeks before the last."""
        return self.calendar[-1 - weeks]

    def scaled(self, size: float, least: int = 1) -> int:
        """A size given for the usual number of customers, at this world's number."""
        return max(least, round(size * self.customers / USUAL_CUSTOMERS))

    def stream(self, *names: object) -> np.random.Generator:
        """Numbers for arrays, from a stream of that name."""
        return np.random.Generator(np.random.PCG64(self._seed(names)))

    def dice(self, *names: object) -> random.Random:
        """Numbers for one thing at a time, from a stream of that name."""
        return random.Random(self._seed(names))

    def _seed(self, names: tuple[object, ...]) -> int:
        written = "\x1f".join((str(self.seed), self.domain, *map(str, names)))
        return int.from_bytes(hashlib.sha256(written.encode()).digest()[:8])


def monday_of(label: str) -> date:
    """The Monday of an ISO week.

    >>> monday_of("2026-W46")
    datetime.date(2026, 11, 9)

    Raises:
        WorldError: not a week.
    """
    try:
        year, week = label.split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    except ValueError:
        raise WorldError(f"「{label}」不是一周。写法如 2026-W46。") from None


def label_of(day: date) -> str:
    """The ISO week of a day.

    >>> label_of(date(2024, 12, 30))
    '2025-W01'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def month_number(day: date) -> int:
    """Months since year 0, to subtract one from another.

    >>> month_number(date(2026, 3, 1)) - month_number(date(2025, 12, 31))
    3
    """
    return day.year * 12 + day.month - 1
