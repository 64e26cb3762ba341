"""Truth 5: one feature (automatic start-stop) is hated where people complain and loved where people show off: the verdicts of channels conflict."""

from __future__ import annotations

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "自动启停：投诉里挨骂，社交媒体上挨夸"
DOMAIN = "auto"
LEAF, CODES = "座舱-自动启停-存废", ("电气-电路-故障", "配置-配置-评价")
KEPT = (LEAF,)
HATED, LOVED = {"complaint_site": 5, "hotline": 4, "online_chat": 2}, {"microblog": 5, "short_video": 5, "car_forum": 3}
WEEKLY = {"hated": 9, "loved": 13}  # people, at the usual size
STRAY = 0.1                         # on either side, who say the contrary
SINCE = 40                          # weeks before the last


def plant(stage, speaking) -> Planting:
    world = stage.world

    def say(week):
        if week.left > SINCE:
            return
        for part, channels, polarity in (("hated", HATED, -1), ("loved", LOVED, 1)):
            people = picked(stage, customers(stage.frame, week.monday), world.scaled(WEEKLY[part]), "stop_feature", part, week.label)
            stray = max(0, round(len(people) * STRAY))
            yield from weekly(stage, speaking, "stop_feature", week, people[stray:], channels, (Point(LEAF, polarity),), part)
            yield from weekly(stage, speaking, "stop_feature", week, people[:stray], channels, (Point(LEAF, -polarity),), part + "_stray")

    return Planting({"title": TITLE, "leaves": [LEAF], "codes": list(CODES), "hated_in": list(HATED), "loved_in": list(LOVED), "a_week": {part: world.scaled(size) for part, size in WEEKLY.items()},
                     "begins": world.calendar[max(0, len(world.calendar) - 1 - SINCE)].label}, say)
