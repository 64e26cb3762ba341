"""Askings made at random, to read the language aloud and to count repeats; the world has its own, which know who speaks."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from voc_lib.sample.language.tongue import Ask, Point, Saying, Tongue

SEASON = dict(zip(range(1, 13), "冬冬春春春夏夏夏秋秋秋冬", strict=True))
# The default mix of the auto world's channels, in thousandths; other channels share what is left.
MIX = {"microblog": 210, "car_forum": 200, "short_video": 170, "app_store": 60, "complaint_site": 50, "hotline": 60, "online_chat": 50, "dealer_survey": 60, "in_car": 60, "dealer_notes": 30, "warranty": 50}
OPEN = ("microblog", "car_forum", "short_video", "bank_forum")
IN_CAR = ("车机", "座舱", "智驾", "音响", "空调", "座椅", "充电", "续航", "钥匙", "方向盘", "应用")
FACTS = {
    "auto": lambda dice: {"product": "星澜" + dice.choice(["A7", "A7", "S5", "S5", "E3"]), "city": dice.choice(["成都", "沈阳", "佛山", "郑州", "杭州", "兰州", "上海", "大庆", "南宁", "厦门", "西安", "武汉"]),
                          "dealer": dice.choice(["成都星澜高新店", "沈阳星澜浑南店", "佛山星澜禅城店", "杭州星澜滨江店"]), "version": dice.choice(["3.8.5", "3.9.0", "3.9.2"]), "days": str(dice.choice([3, 5, 7, 12, 15, 20, 34])),
                          "times": str(dice.choice([2, 3, 4])), "price": str(dice.choice([380, 899, 1280, 3600, 12000, 15000])), "other": dice.choice(["北辰L6", "云行X3", "驰野H9", "朗途E5"])},
    "bank": lambda dice: {"product": dice.choice(["星澜卡", "手机银行"]), "city": dice.choice(["成都", "沈阳", "佛山"]), "version": "8.2.0", "days": str(dice.choice([3, 7, 15])), "times": str(dice.choice([2, 3])), "price": str(dice.choice([120, 980, 5000]))},
}


def asking(tongue: Tongue, dice: random.Random, channel: str, role: str | None = None, motive: str | None = None) -> Ask:
    """A plausible asking for the channel."""
    month = int(dice.random() * 12) + 1
    facts = FACTS[tongue.domain](dice) | {"month": str(month), "season": SEASON[month]}
    bare = facts["product"].removeprefix("星澜")
    leaves = [leaf for leaf in tongue.leaves.values() if (not leaf.months or month in leaf.months) and (not leaf.products or bare in leaf.products)]
    weights = [leaf.weight for leaf in leaves]
    many = dice.choices([1, 2, 3], [75, 20, 5])[0]
    if role is None:
        role = dice.choices(["owner", "prospect", "other_brand", "staff", "media"], [60, 20, 12, 5, 3])[0] if channel in OPEN else "owner"
    points = []
    for leaf in {leaf.name: leaf for leaf in dice.choices(leaves, weights, k=many)}.values():
        points.append(Point(leaf.name, dice.choices([-1, 0, 1], [60 * (-1 in leaf.polarities), 10, 45 * (1 in leaf.polarities)])[0]))
    if channel == "warranty":
        leaves = [leaf for leaf in leaves if "shop" in leaf.ways.get(-1, {}) and tongue.styles[channel].kind_of(leaf.name) in ("repair", "soft") and not leaf.name.startswith("应用")]
        points = [Point(dice.choice(leaves).name, -1)]
    if channel == "in_car":
        usable = [leaf for leaf in leaves if leaf.name.startswith(IN_CAR)]
        leaf = dice.choices(usable, [leaf.weight for leaf in usable])[0]
        points = [Point(leaf.name, dice.choices([-1, 0, 1], [60, 15, 40 * (1 in leaf.polarities)])[0])]
    if channel == "complaint_site":
        points = [Point(point.leaf, -1) for point in points if -1 in tongue.leaves[point.leaf].polarities] or [Point("空调-出风-异响", -1)]
    lowest, highest = min(point.polarity for point in points), max(point.polarity for point in points)
    mood = dice.uniform(-2, 0.2) if highest <= 0 and lowest < 0 else dice.uniform(0.3, 2) if lowest >= 0 and highest > 0 else dice.uniform(-0.8, 0.8)
    if role == "owner":
        facts |= {"months": str(int(dice.random() * 30)), "date": f"2026-{month:02d}-{dice.randrange(1, 29):02d}", "surname": dice.choice("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")}
        facts["mileage"] = str(int((int(facts["months"]) + 1) * dice.uniform(600, 1800)))
    if motive is None:
        motive = dice.choices(["vent", "warn", "ask", "claim", "help", "tease", "none"], [30, 6, 8, 8, 4, 14, 30])[0] if lowest < 0 else "praise" if highest > 0 else "ask"
    answers = dice.choices(["metoo", "disagree", "official", "staff"], [52, 30, 12, 6])[0] if channel in OPEN and dice.random() < 0.3 else None
    if answers in ("official", "staff"):
        role = answers
    if answers:
        points = points[:1]
    return Ask(channel, tuple(points), mood, role, motive, facts, answers)


def samples(tongue: Tongue, channel: str, many: int, seed: int, role: str | None = None, motive: str | None = None) -> Iterator[tuple[Ask, Saying]]:
    """Askings and what was said."""
    dice = random.Random(f"{seed}/{channel}")
    for _ in range(many):
        ask = asking(tongue, dice, channel, role, motive)
        yield ask, tongue.say(dice, ask)


def repeat_shares(tongue: Tongue, many: int, seed: int) -> Iterator[tuple[str, int, float, float]]:
    """Channel, texts, share of texts equal to an earlier one of the channel (empty ones apart), microseconds a text; last all together."""
    everything: list[str] = []
    spent = 0.0
    for channel in tongue.styles:
        dice = random.Random(f"{seed}/{channel}")
        asks = [asking(tongue, dice, channel) for _ in range(many * MIX.get(channel, 100) // 1000)]
        began = time.perf_counter()
        said = [tongue.say(dice, ask) for ask in asks]
        passed = time.perf_counter() - began
        spent += passed
        bodies = [saying.body for saying in said if saying.body]
        everything += bodies
        if bodies:
            yield channel, len(said), 1 - len(dict.fromkeys(bodies)) / len(bodies), passed / len(said) * 1e6
    yield "all", len(everything), 1 - len(dict.fromkeys(everything)) / len(everything), spent / max(len(everything), 1) * 1e6
