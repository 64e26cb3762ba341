"""Truth 8c: the company's account and the dealers' staff answer complaints in public, with a delay that differs by platform; the app store too."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from voc_lib.sample.planting import Planting
from voc_lib.sample.utterance import OUTSIDE, Utterance

TITLE = "官方与员工的回复：各平台快慢不同"
CHANCE = {"microblog": {"official": 0.25}, "car_forum": {"official": 0.14, "staff": 0.08}, "bank_forum": {"official": 0.2}}  # of complaints that open a thread
HOURS = {("microblog", "official"): 6.0, ("car_forum", "official"): 30.0, ("car_forum", "staff"): 14.0, ("bank_forum", "official"): 20.0}  # median
SPREAD = 0.8         # standard deviation of the logarithm
IN_STORE = 0.35      # reviews under three stars that the developer answers
AUTHOR = 0           # the account number of the company; not a customer


def plant(stage, speaking) -> Planting:
    delays = defaultdict(list)

    def alter(one):
        if one.channel == "app_store" and one.worst < 0 and stage.world.dice("official_replies", one.key).random() < IN_STORE:
            return replace(one, extra={**one.extra, "answered": True})
        return one

    def answer(root):
        if root.parent is not None or root.worst >= 0 or root.channel not in CHANCE or root.role in ("official", "media"):
            return
        dice = stage.world.dice("official_replies", "answer", root.key)
        for role, chance in CHANCE[root.channel].items():
            if dice.random() >= chance:
                continue
            hours = HOURS[root.channel, role] * math.exp(dice.gauss(0, SPREAD))
            when = root.when + timedelta(hours=hours)
            if not 8 <= when.hour < 22:  # nobody is at the desk
                when = when.replace(hour=9, minute=dice.randrange(60)) + timedelta(days=1 if when.hour >= 22 else 0)
            if when.date() <= stage.world.last:
                delays[f"{root.channel}/{role}"].append(round((when - root.when).total_seconds() / 3600, 1))
            author = AUTHOR if role == "official" else len(stage.frame) + dice.randrange(len(stage.frame))
            yield Utterance(f"official_replies/{root.key}/{role}", root.channel, when, OUTSIDE, author, root.points, 0.3, role, "none", root.slots, role,
                            root.thread, root.key, "official_replies", role)

    def close() -> dict:
        return {"median_hours": {name: sorted(found)[len(found) // 2] for name, found in sorted(delays.items())}, "replies": {name: len(found) for name, found in sorted(delays.items())}}

    return Planting({"title": TITLE, "chance": CHANCE, "answered_in_store": IN_STORE, "leaves": [], "codes": [], "begins": stage.world.calendar[0].label}, alter=alter, answer=answer, close=close)
