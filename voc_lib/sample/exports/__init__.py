"""The exports of the source systems, one file a channel: `auto_hotline.py` writes hotline/ as the call centre would give it.

A channel module holds: VOICE (how much, by whom, in which temper), `files(day)` (the export files in which something of that day stands,
each with the last day that can be in it), `source_id(number, utterance, body, title, stage)` and `write(path, said, stage)`.
Months are written as soon as they are over, so that never more than some weeks are held.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType

from voc_lib.sample.customers import Frame
from voc_lib.sample.facts import Facts
from voc_lib.sample.identities import Keys
from voc_lib.sample.language.tongue import Tongue
from voc_lib.sample.utterance import Said
from voc_lib.sample.world import World

LETTERS = "0123456789abcdefghjkmnprstvwyz"  # no q, x: an id must not read like a WeChat or QQ number (wx, vx, qq), which is masked


@dataclass(frozen=True)
class Stage:
    """What an export may look up: the world, its customers, their keys and what they know."""

    world: World
    frame: Frame
    keys: Keys
    facts: Facts
    tongue: Tongue

    def dice(self, number: int):
        """Chance for the details of one row."""
        return self.world.dice("row", number)


@cache
def modules(domain: str) -> dict[str, ModuleType]:
    """The export modules of a domain by channel."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name.startswith(f"{domain}_"))
    return {name.removeprefix(f"{domain}_"): importlib.import_module(f"{__name__}.{name}") for name in names}


def letters(number: int, many: int) -> str:
    """The last digits of a number in base 30, as ids of posts look.

    >>> letters(901, 4)
    '0101'
    """
    out = []
    for _ in range(many):
        number, digit = divmod(number, len(LETTERS))
        out.append(LETTERS[digit])
    return "".join(reversed(out))


def month_end(day: date) -> date:
    """The last day of the month.

    >>> month_end(date(2026, 2, 3))
    datetime.date(2026, 2, 28)
    """
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def by_month(folder: str, stem: str, suffix: str, day: date) -> tuple[tuple[str, date], ...]:
    """One file a calendar month."""
    return ((f"{folder}/{stem}_{day:%Y-%m}.{suffix}", month_end(day)),)


def by_quarter(folder: str, stem: str, suffix: str, day: date) -> tuple[tuple[str, date], ...]:
    """One file a calendar quarter."""
    last = date(day.year, (day.month - 1) // 3 * 3 + 3, 1)
    return ((f"{folder}/{stem}_{day.year}Q{(day.month - 1) // 3 + 1}.{suffix}", month_end(last)),)


def write_lines(path: Path, rows: Iterable[dict]) -> None:
    """JSON lines."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def in_order(said: Iterable[Said]) -> list[Said]:
    """By time, then by id."""
    return sorted(said, key=lambda one: (one.utterance.when, one.source_id))
