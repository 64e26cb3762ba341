"""Feedback from the car's screen and barrage of its app: CSV by month, milliseconds since 1970, a device number, a few words."""

from __future__ import annotations

import csv
from datetime import date, timedelta, timezone
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import PLAIN, Voice

VOICE = Voice(share=60, has=0.6, app=0.2, fresh=0.5, young=0.2, anger=0.5, bad=0.3, neutral=0.15, several=0.02, night=0.4, weekend=1.2, motives=PLAIN,
              systems=("车机", "座舱", "智驾", "智能驾驶", "音响", "空调", "导航", "语音", "座椅", "充电", "续航", "钥匙", "屏幕", "方向盘", "应用"))
HEADER = ("id", "ts_ms", "device_id", "kind", "text", "page", "ota_version", "product", "province")
CHINA = timezone(timedelta(hours=8))


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("in_car", "feedback", "csv", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return "ic" + letters(number, 10)


def device_of(author: int, stage: Stage) -> str:
    """The number of the screen in an owner's car."""
    return "d" + letters(int(stage.keys.account("in_car", author)), 9)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        table.writerows(_row(one, stage) for one in in_order(said))


def _row(one: Said, stage: Stage) -> tuple:
    said, dice = one.utterance, stage.dice(one.number)
    kind = dice.choices(("barrage", "voice_to_text", "form"), (6, 2, 2))[0]
    stamp = int(said.when.replace(tzinfo=CHINA).timestamp() * 1000) + dice.randrange(1000)
    return (one.source_id, stamp, device_of(said.author, stage), kind, one.body,
            dice.choice(("首页", "空调", "导航", "音乐", "充电", "设置")), said.slots.get("version", ""), said.slots["product"], said.slots["province"])
