"""Truth 9b: a new instalment page shows the fee by month only; card holders who took it cannot tell what they pay."""

from __future__ import annotations

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "分期手续费：改版以后看不懂"
DOMAIN = "bank"
LEAF, CODES = "分期-手续费-看不懂", ("信用卡-分期-手续费利息", "信用卡-分期-评价")
BEGINS = 6
BEFORE, AFTER = 3, 14   # people a week, at the usual size
CHANNELS = {"hotline": 5, "card_complaints": 5, "bank_forum": 3, "app_store": 2}


def plant(stage, speaking) -> Planting:
    world = stage.world

    def say(week):
        after = week.left <= BEGINS
        people = picked(stage, customers(stage.frame, week.monday, "信用卡"), world.scaled(AFTER if after else BEFORE), "instalment_fees", week.label)
        yield from weekly(stage, speaking, "instalment_fees", week, people, CHANNELS, (Point(LEAF, -1),), "after" if after else "before")

    return Planting({"title": TITLE, "leaves": [LEAF], "codes": list(CODES), "begins": world.back(BEGINS).label, "a_week": {"before": world.scaled(BEFORE), "after": world.scaled(AFTER)}}, say)
