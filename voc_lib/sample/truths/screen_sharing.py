"""Truth 9a: among the many whose transfer failed, a few were talked into sharing their screen: a new fraud script inside an old topic."""

from __future__ import annotations

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "屏幕共享：藏在转账失败里的新骗术"
DOMAIN = "bank"
LEAF, AROUND = "转账-诈骗-屏幕共享", "转账-到账-失败"
CODES = ("账户-盗刷-欺诈", "账户-转账-失败到账慢")
KEPT = (LEAF,)
SIZES = {3: 3, 2: 5, 1: 9, 0: 16}   # weeks before the last: people; never fewer, a script begins small
FAILED = 9                          # people a week whose transfer simply failed, all the time
CHANNELS = {"hotline": 6, "bank_forum": 3, "app_store": 2}


def plant(stage, speaking) -> Planting:
    world = stage.world

    def say(week):
        pool = customers(stage.frame, week.monday)
        failed = picked(stage, pool, world.scaled(FAILED), "screen_sharing", "failed", week.label)
        yield from weekly(stage, speaking, "screen_sharing", week, failed, CHANNELS, (Point(AROUND, -1),), "failed")
        if week.left in SIZES:
            people = picked(stage, pool, max(SIZES[week.left], world.scaled(SIZES[week.left])), "screen_sharing", "script", week.label)
            yield from weekly(stage, speaking, "screen_sharing", week, people, CHANNELS, (Point(AROUND, -1), Point(LEAF, -1)), "script", motive="warn")

    return Planting({"title": TITLE, "leaves": [LEAF, AROUND], "codes": list(CODES), "begins": world.back(max(SIZES)).label,
                     "sizes": {world.back(back).label: max(size, world.scaled(size)) for back, size in SIZES.items()}}, say)
