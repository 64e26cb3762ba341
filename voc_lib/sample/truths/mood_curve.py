"""Truth 10: some people say something at nine steps of a journey, through channels that carry their keys: content, let down by the workshop, content again.

Every step has days of its own, so that steps of two people never swap. A step goes round all leaves before one comes again, so that no code bursts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

import numpy as np

from voc_lib.sample.crowd import customers, picked
from voc_lib.sample.exports import modules
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting, kept_leaves

TITLE = "旅程的情绪曲线：同一批人九步，先满意，修不好时转坏，之后又转好"
DOMAIN = "auto"
PEOPLE, FEWEST = 60, 30                # at the usual size; in any world
LEANS = (1, 1, 1, -1, -1, -1, 1, 1, 1)
BREAKS = (4, 7)                        # first step after each change, counted from 1
MOODS = {1: 1.2, -1: -1.3}
SINCE = 29                             # weeks before the last in which it begins, if there are so many
EVERY = 17                             # days from step to step; fewer in a world of less than 21 weeks
STARTS, LATER = 8, 3                   # the first step is on one of so many days; every step up to two days later than the rhythm
CHANNELS = {"online_chat": 4, "in_car": 3, "dealer_notes": 2, "hotline": 3}
WORKSHOP = {"warranty": 2}             # only complaints are heard there


def plant(stage, speaking) -> Planting:
    world = stage.world
    begins = world.back(min(SINCE, world.weeks - 1))
    start = begins.monday
    span = STARTS + LATER - 1          # days of a step, all people together
    every = min(EVERY, ((world.last - start).days + 1 - span) // (len(LEANS) - 1))
    people, by_week, days = _people(stage, start, start + timedelta(days=every * (len(LEANS) - 1) + span)), defaultdict(list), {}
    voices = {channel: modules(DOMAIN)[channel].VOICE for channel in (*CHANNELS, *WORKSHOP)}
    can = {channel: _leaves(stage, voice.systems) for channel, voice in voices.items()}
    used, troubles = [Counter() for _ in LEANS], Counter()

    for who in people:
        dice = world.dice("mood_curve", who)
        first, trouble = start + timedelta(days=dice.randrange(STARTS)), _drawn(can["warranty"], troubles, dice)
        days[stage.frame.customer_id(who)] = told = []
        for at, lean in enumerate(LEANS):
            weights = CHANNELS if lean > 0 else CHANNELS | WORKSHOP
            channel = dice.choices(list(weights), list(weights.values()))[0]
            leaf = trouble if lean < 0 else _drawn(can[channel], used[at], dice)
            day = first + timedelta(days=at * every + dice.randrange(LATER))
            told.append(str(day))
            said = speaking.told(f"mood_curve/{who}/{at + 1}", channel, speaking.at(day, channel, dice), who, (Point(leaf, lean),), "mood_curve", f"step {at + 1}", mood=MOODS[lean],
                                 extra={"keyed": True})
            by_week[(day - start).days // 7].append(said)

    windows = [(start + timedelta(days=at * every), start + timedelta(days=at * every + span - 1)) for at in range(len(LEANS))]
    return Planting({
        "title": TITLE, "leaves": [], "codes": [], "begins": begins.label, "steps": len(LEANS), "breaks": list(BREAKS), "leans": list(LEANS),
        "customers": list(days),
        "weeks": [[week.label for week in world.calendar if week.monday <= last and week.day(6) >= first] for first, last in windows],
        "windows": [[str(first), str(last)] for first, last in windows], "days": days,
    }, lambda week: by_week.get(week.index - begins.index, ()))


def _people(stage, start, end) -> list[int]:
    """Customers from before the first step until after the last whose keys are nobody else's: a curve that is not found is then linking's fault."""
    keys = stage.keys
    shared = [who for pair in (*keys.family, *keys.resold) for who in pair]
    there = np.setdiff1d(np.intersect1d(customers(stage.frame, start), customers(stage.frame, end)), shared)
    return picked(stage, there, stage.world.scaled(PEOPLE, FEWEST), "mood_curve")


def _leaves(stage, systems: tuple[str, ...]) -> list[str]:
    """What everybody can both praise and complain of in any month."""
    kept = kept_leaves(DOMAIN)
    usual = [leaf.name for leaf in stage.tongue.leaves.values() if {1, -1} <= set(leaf.polarities) and not leaf.months and not leaf.products and leaf.name not in kept]
    return [leaf for leaf in usual if not systems or leaf.startswith(systems)]


def _drawn(leaves: list[str], used: Counter, dice) -> str:
    """One of the leaves that were used least, by chance."""
    leaf = min(leaves, key=lambda leaf: (used[leaf], dice.random()))
    used[leaf] += 1
    return leaf
