"""Truth 1: a noise from the air vents of one model in one region, 3 people, then 6, then 20; before it a burst elsewhere that is only chance."""

from __future__ import annotations

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "空调异响：一个车型在一个大区的小爆发，和一次纯属巧合的小爆发"
DOMAIN = "auto"
LEAF, CODES = "空调-出风-异响", ("空调-运转-异响",)
BURST = {2: 3, 1: 6, 0: 20}   # weeks before the last: people. Never scaled: the point is that it begins tiny
CHANCE = {8: 4, 7: 3}         # the same words, another model and region, no common cause, and it ends
PRODUCT, REGION, OTHER_PRODUCT, OTHER_REGION = "A7", "华东", "S5", "西南"
CHANNELS = {"hotline": 5, "complaint_site": 3, "car_forum": 3, "online_chat": 2, "dealer_notes": 1, "in_car": 1}


def plant(stage, speaking) -> Planting:
    world = stage.world
    bad = (Point(LEAF, -1),)

    def burst(name: str, sizes: dict[int, int], product: str, region: str) -> dict[int, list[int]]:
        pool = customers(stage.frame, world.back(max(sizes)).monday, product, region)
        people = picked(stage, pool, sum(sizes.values()), "ac_noise", name)
        return {back: [people.pop() for _ in range(min(size, len(people)))] for back, size in sizes.items()}

    parts = {"burst": burst("burst", BURST, PRODUCT, REGION), "chance": burst("chance", CHANCE, OTHER_PRODUCT, OTHER_REGION)}

    def say(week):
        for part, people in parts.items():
            yield from weekly(stage, speaking, "ac_noise", week, people.get(week.left, ()), CHANNELS, bad, part, slots={"season": "冬"} if week.monday.month in (11, 12) else {})

    return Planting({
        "title": TITLE, "leaves": [LEAF], "codes": list(CODES), "product": PRODUCT, "region": REGION, "begins": world.back(2).label,
        "sizes": {world.back(back).label: size for back, size in BURST.items()},
        "chance": {"product": OTHER_PRODUCT, "region": OTHER_REGION, "sizes": {world.back(back).label: size for back, size in CHANCE.items()}},
    }, say)
