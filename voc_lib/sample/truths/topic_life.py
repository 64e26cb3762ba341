"""Truth 7: a topic is born three weeks before the last, one splits in two, two grow into one; and there are weeks in which nothing is new."""

from __future__ import annotations

from voc_lib.sample.crowd import customers, picked, weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "话题的一生：一个新生，一个分裂，两个合并，几周无事"
DOMAIN = "auto"
NEW, SPLIT, MERGE = "车机-方言包-缺失", ("车机-语音-听不懂", "车机-语音-误唤醒"), ("充电-桩-跳枪", "充电-桩-充不满")
KEPT = (NEW, *SPLIT, *MERGE)
CODES = ("车机-语音-误唤醒", "车机-语音-识别差", "充电-充电-跳枪", "充电-充电-充不满")
BORN = {3: 8, 2: 14, 1: 22, 0: 30}   # weeks before the last: people, at the usual size
SPLITS, MERGES = 8, 5                # weeks before the last
VOICE, CHARGING = 14, 10             # people a week
QUIET = (11, 10, 9, 6)               # weeks before the last in which nothing planted begins
CAR = {"in_car": 4, "car_forum": 4, "online_chat": 2, "hotline": 2, "microblog": 2, "short_video": 1}


def plant(stage, speaking) -> Planting:
    world = stage.world

    def crowd(week, many: int, name: str) -> list[int]:
        return picked(stage, customers(stage.frame, week.monday), world.scaled(many), "topic_life", name, week.label)

    def say(week):
        if week.left in BORN:
            yield from weekly(stage, speaking, "topic_life", week, crowd(week, BORN[week.left], "new"), CAR, (Point(NEW, -1),), "new")
        together = tuple(Point(leaf, -1) for leaf in SPLIT)
        voice = crowd(week, VOICE, "voice")
        if week.left > SPLITS:  # one topic: people tell both in one breath
            yield from weekly(stage, speaking, "topic_life", week, voice, CAR, together, "voice_one")
        else:
            half = len(voice) // 2
            yield from weekly(stage, speaking, "topic_life", week, voice[:half], CAR, together[:1], "voice_deaf")
            yield from weekly(stage, speaking, "topic_life", week, voice[half:], CAR, together[1:], "voice_wakes")
        charging = crowd(week, CHARGING, "charging")
        both = tuple(Point(leaf, -1) for leaf in MERGE)
        if week.left > MERGES:
            half = len(charging) // 2
            yield from weekly(stage, speaking, "topic_life", week, charging[:half], CAR, both[:1], "gun_off")
            yield from weekly(stage, speaking, "topic_life", week, charging[half:], CAR, both[1:], "not_full")
        else:
            yield from weekly(stage, speaking, "topic_life", week, charging, CAR, both, "charging_one")

    return Planting({
        "title": TITLE, "leaves": list(KEPT), "codes": list(CODES), "begins": world.back(max(BORN)).label,
        "new": {"leaf": NEW, "week": world.back(max(BORN)).label, "sizes": {world.back(back).label: world.scaled(size) for back, size in BORN.items()}},
        "split": {"leaves": list(SPLIT), "week": world.back(SPLITS).label}, "merge": {"leaves": list(MERGE), "week": world.back(MERGES).label},
        "quiet_weeks": [world.back(back).label for back in QUIET],
    }, say)
