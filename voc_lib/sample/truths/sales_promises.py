"""Truth 8a: three dealers whose salespeople promise what nobody keeps."""

from __future__ import annotations

import numpy as np

from voc_lib.sample.crowd import picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting
from voc_lib.sample.world import EVENT_WEEKS

TITLE = "销售承诺不兑现：集中在三家经销商"
DOMAIN = "auto"
LEAF, CODES = "销售-承诺-不兑现", ("销售服务-承诺-不兑现",)
DEALERS, WEEKLY = 3, 4  # dealers; people a week and dealer, at the usual size
CHANNELS = {"hotline": 4, "complaint_site": 4, "car_forum": 2, "microblog": 1, "online_chat": 2}


def plant(stage, speaking) -> Planting:
    world, frame = stage.world, stage.frame
    sizes = np.bincount(frame["shop"], minlength=len(frame.cast.shops))
    large = np.argsort(-sizes, kind="stable")[1:1 + 4 * DEALERS]  # the largest types its own phone: see identities
    dealers = sorted(picked(stage, large, DEALERS, "sales_promises"))

    def say(week):
        if week.left >= EVENT_WEEKS:
            return
        on = frame.in_use(week.monday)
        for dealer in dealers:
            people = picked(stage, np.flatnonzero(on & (frame["shop"] == dealer)), world.scaled(WEEKLY), "sales_promises", dealer, week.label)
            yield from weekly(stage, speaking, "sales_promises", week, people, CHANNELS, (Point(LEAF, -1),), str(dealer), slots={"consultant": stage.facts.consultant(dealer)})

    return Planting({"title": TITLE, "leaves": [LEAF], "codes": list(CODES), "dealers": [frame.cast.shops[dealer][1] for dealer in dealers],
                     "a_week_and_dealer": world.scaled(WEEKLY), "begins": world.back(EVENT_WEEKS - 1).label}, say)
