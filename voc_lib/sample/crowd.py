"""Picking the people of a truth: customers in use on a day who fit, each once, by a stream of the truth's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np

from voc_lib.sample.customers import Frame
from voc_lib.sample.exports import Stage
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.utterance import Utterance
from voc_lib.sample.world import Week


def customers(frame: Frame, day: date, product: str | None = None, region: str | None = None, province: str | None = None) -> np.ndarray:
    """Rows in use on the day, of that product, sales region, province."""
    fits = frame.in_use(day)
    if product:
        fits &= frame["product"] == [one.code for one in frame.cast.products].index(product)
    if region or province:
        named = np.array([(not region or city.region == region) and (not province or city.province == province) for city in frame.cast.cities])
        fits &= named[frame["city"]]
    return np.flatnonzero(fits)


def picked(stage: Stage, pool: np.ndarray, many: int, *names: object) -> list[int]:
    """So many of the pool without repetition (all of it if it is smaller)."""
    stream = stage.world.stream(*names)
    return stream.permutation(pool)[:many].tolist()


def weekly(stage: Stage, speaking, truth: str, week: Week, who: Iterable[int], channels: dict[str, float], points: tuple[Point, ...], part: str = "", **changes) -> Iterator[Utterance]:
    """Each of them says these points once in the week, in a channel drawn by weight."""
    for at, one in enumerate(who):
        dice = stage.world.dice(truth, part, week.label, at)
        channel = dice.choices(list(channels), list(channels.values()))[0]
        when = speaking.at(week.day(int(dice.random() * 7)), channel, dice)
        yield speaking.told(f"{truth}/{part}/{week.label}/{at}", channel, when, one, points, truth, part, **changes)
