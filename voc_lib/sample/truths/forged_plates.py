"""Truth 9c: tolls are taken from people whose number plate somebody else copied; all of them live in one province."""

from __future__ import annotations

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "套牌：被别人的车扣了通行费，集中在一个省"
DOMAIN = "bank"
LEAF, FAILS = "通行-代扣-套牌", "通行-代扣-失败"
CODES = ("etc-通行-办理扣费",)
KEPT = (LEAF,)
PROVINCE = "湖北"
SIZES = {5: 3, 4: 5, 3: 7, 2: 9, 1: 9, 0: 10}   # weeks before the last: people
FAILED = 5                                      # people a week whose toll payment simply failed, everywhere
CHANNELS = {"hotline": 6, "card_complaints": 3, "bank_forum": 3, "app_store": 1}


def plant(stage, speaking) -> Planting:
    world = stage.world

    def say(week):
        failed = picked(stage, customers(stage.frame, week.monday), world.scaled(FAILED), "forged_plates", "failed", week.label)
        yield from weekly(stage, speaking, "forged_plates", week, failed, CHANNELS, (Point(FAILS, -1),), "failed")
        if week.left in SIZES:
            people = picked(stage, customers(stage.frame, week.monday, province=PROVINCE), world.scaled(SIZES[week.left], 3), "forged_plates", "forged", week.label)
            yield from weekly(stage, speaking, "forged_plates", week, people, CHANNELS, (Point(LEAF, -1),), "forged")

    return Planting({"title": TITLE, "leaves": [LEAF, FAILS], "codes": list(CODES), "province": PROVINCE, "begins": world.back(max(SIZES)).label,
                     "sizes": {world.back(back).label: world.scaled(size, 3) for back, size in SIZES.items()}}, say)
