"""A language of a few dull sentences, so that tests of the world are quick and do not depend on the words."""

from __future__ import annotations

from dataclasses import dataclass, field

from voc_lib.sample.language.tongue import Saying
from voc_lib.sample.planting import kept_leaves

LEAVES = {
    "auto": ("空调-制冷-不凉", "车机-屏幕-黑屏", "座椅-加热-不热", "App-登录-失败", "售后-服务-态度", "充电-桩-慢", "车身-漆面-掉漆", "智驾-跟车-急刹"),
    "bank": ("App-登录-失败", "客服-人工-接通难", "信用卡-额度-太低", "网点-排队-太久", "理财-收益-下降", "短信-费用-乱扣"),
}


@dataclass(frozen=True)
class Leaf:
    name: str
    weight: float = 1.0
    polarities: tuple[int, ...] = (-1, 0, 1)
    products: tuple[str, ...] | None = None
    months: tuple[int, ...] | None = None
    sides: dict = field(default_factory=dict)


class Standin:
    """Has the same door as Tongue."""

    def __init__(self, domain: str) -> None:
        self.leaves = {name: Leaf(name) for name in (*LEAVES[domain], *sorted(kept_leaves(domain)))}

    def say(self, dice, ask) -> Saying:
        spoken = "，".join(f"{point.leaf.replace('-', '')}{'坏问好'[point.polarity + 1]}" for point in ask.points)
        body = f"{spoken}{dice.randrange(10**6)}"
        return Saying(body, spoken, (("坐席", "您好"), ("客户", body)))
