"""Credit card complaints: CSV by quarter in GB18030 from the complaints system, with the status at the end of the quarter."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_quarter, in_order
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=100, bad=9.0, of_product="信用卡", anger=1.1, neutral=0.0, several=0.2, night=0.4, weekend=0.8,
              motives={-1: {"claim": 50, "vent": 25, "warn": 10, "none": 15}, 0: {"none": 1}, 1: {"none": 1}}, systems=("信用卡", "分期", "通行", "短信", "客服", "催收"))
HEADER = ("投诉单号", "受理时间", "客户号", "卡产品", "来源", "标题", "投诉内容", "分行", "城市", "状态", "补偿金额")
STATUSES = ("受理中", "处理中", "已答复", "已办结")


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_quarter("card_complaints", "complaints", "csv", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"KC{utterance.when:%y%m}{number % 10**8:08d}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        table.writerows(_row(one, stage) for one in in_order(said))


def _row(one: Said, stage: Stage) -> tuple:
    complaint, dice, frame = one.utterance, stage.dice(one.number), stage.frame
    city = frame.cast.cities[frame["city"][complaint.who]]
    return (one.source_id, complaint.when.strftime("%Y/%m/%d %H:%M:%S"), frame.customer_id(complaint.who), complaint.slots["product"], dice.choice(("电话", "网点", "监管转办", "App")),
            one.title or "", one.body, city.region + "分行", city.name, dice.choices(STATUSES, (1, 2, 3, 8))[0], dice.choice(("", "", "", "50", "100", "200")))
