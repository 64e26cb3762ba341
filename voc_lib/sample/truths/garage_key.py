"""Truth 2: after an OTA the Bluetooth key fails in underground garages. A forum post and me-too replies come nine days before the hotline's own rise."""

from __future__ import annotations

from datetime import timedelta

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.facts import OTA_BACK
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting
from voc_lib.sample.utterance import OUTSIDE

TITLE = "蓝牙钥匙：OTA 之后在地库失灵，论坛比热线早九天"
DOMAIN = "auto"
LEAF, CODES = "钥匙-蓝牙钥匙-地库失灵", ("车机-数字钥匙-失灵",)
KEPT = (LEAF,)
LEAD_DAYS = 9
METOO = 36                                        # replies under the one post
CALLS = {5: 10, 4: 18, 3: 20, 2: 15, 1: 11, 0: 8}  # weeks before the last: people on the telephone, at the usual size
AROUND = {6: 4, 5: 8, 4: 10, 3: 10, 2: 8, 1: 6, 0: 5}  # in the app store and in public, as the word spreads


def plant(stage, speaking) -> Planting:
    world = stage.world
    bad = (Point(LEAF, -1),)
    sent = world.back(OTA_BACK).day(3)
    posted = world.back(OTA_BACK).day(5)          # Saturday; nine days later is a Monday
    pool = customers(stage.frame, sent)
    people = picked(stage, pool, len(pool), "garage_key")
    first, repliers = people[0], people[1:1 + world.scaled(METOO, 8)]
    rest = people[len(repliers) + 1:]
    crowds = {}
    for name, sizes in (("hotline", CALLS), ("around", AROUND)):
        for back, size in sizes.items():
            many = world.scaled(size)
            crowds[name, back], rest = rest[:many], rest[many:]
    version = {"version": stage.facts.software[-1].version.removeprefix("OTA ")}

    def thread():
        dice = world.dice("garage_key", "thread")
        when = speaking.at(posted, "car_forum", dice)
        root = speaking.told("garage_key/post", "car_forum", when, first, bad, "garage_key", "post", motive="ask", slots=version)
        yield root
        for at, who in enumerate(repliers):
            later = when + timedelta(hours=1 + dice.expovariate(1 / 90))
            if later.hour < 7:
                later += timedelta(hours=7.5)  # asleep
            yield speaking.told(f"garage_key/post/{at}", "car_forum", later, OUTSIDE if dice.random() < 0.2 else who, bad, "garage_key", "metoo", role="owner", motive="none",
                                answers="metoo", thread=root.key, parent=root.key, slots=version)

    def say(week):
        if week.left == OTA_BACK:
            yield from thread()
        yield from weekly(stage, speaking, "garage_key", week, crowds.get(("hotline", week.left), ()), {"hotline": 1}, bad, "hotline", slots=version)
        yield from weekly(stage, speaking, "garage_key", week, crowds.get(("around", week.left), ()), {"app_store": 4, "microblog": 2, "online_chat": 3, "in_car": 1}, bad, "around", slots=version)

    return Planting({
        "title": TITLE, "leaves": [LEAF], "codes": list(CODES), "ota": stage.facts.software[-1].version, "ota_day": str(sent), "posted": str(posted),
        "hotline_rises": str(posted + timedelta(days=LEAD_DAYS)), "lead_days": LEAD_DAYS, "begins": world.back(OTA_BACK).label,
        "sizes": {world.back(back).label: len(crowds["hotline", back]) for back in CALLS},
    }, say)
