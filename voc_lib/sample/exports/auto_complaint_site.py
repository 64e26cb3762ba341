"""Complaint site: a list saved every two weeks in GB18030, four weeks back, so that most stand in two saves with a status that has moved on.

Every other save has the Chinese header, slashes in dates and provinces in full, as the hand-written exports do.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from voc_lib.sample.exports import Stage, in_order
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=50, bad=9.0, anger=1.1, fresh=0.3, neutral=0.0, several=0.25, night=0.5, weekend=0.8,
              motives={-1: {"claim": 45, "vent": 25, "warn": 15, "none": 15}, 0: {"none": 1}, 1: {"none": 1}})
CHINESE = ("投诉编号", "品牌", "车系", "车型", "标题", "问题描述", "省份", "城市", "投诉日期", "处理状态")
ENGLISH = ("id", "brand", "car_series", "car_model", "title", "desc", "province", "city", "datetime", "status")
STATUSES = ("信息审核", "厂家受理", "已回复", "已解决")
EPOCH = date(2024, 1, 1)  # a Monday: saves are made on every second Monday after it
EVERY, BACK = 14, 28      # days between saves, days that a save looks back
WITHDRAWN = 0.01
FULL = {"内蒙古": "内蒙古自治区", "广西": "广西壮族自治区", "新疆": "新疆维吾尔自治区", "上海": "上海市", "北京": "北京市", "天津": "天津市", "重庆": "重庆市"}
SERIES = ("星澜{}", "星澜{}", "星澜{}", "星澜 {}", "{}", "星澜{lower}")


def files(day: date) -> tuple[tuple[str, date], ...]:
    """The two saves in which a complaint of the day stands."""
    since = (day - EPOCH).days
    saves = [EPOCH + timedelta(days=(since // EVERY + more) * EVERY) for more in (1, BACK // EVERY)]
    return tuple((f"complaint_site/complaints_{save}.csv", save - timedelta(days=1)) for save in saves)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"T{number % 10**10:010d}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    save = date.fromisoformat(path.stem[-10:])
    if (save - stage.world.last).days > EVERY:
        return  # not saved yet: the world ends before
    chinese = (save - EPOCH).days // EVERY % 2 == 0
    with path.open("w", encoding="gb18030", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(CHINESE if chinese else ENGLISH)
        for one in reversed(in_order(said)):
            row = _row(one, stage, save, chinese)
            if row:
                table.writerow(row)


def _row(one: Said, stage: Stage, save: date, chinese: bool) -> tuple | None:
    complaint, dice, frame = one.utterance, stage.dice(one.number), stage.frame
    city = frame.cast.cities[frame["city"][complaint.who]]
    product = frame.cast.products[frame["product"][complaint.who]]
    age = (save - complaint.when.date()).days
    if dice.random() < WITHDRAWN and age > EVERY:
        return None
    pace = dice.uniform(4, 22)
    status = STATUSES[min(int(age / pace), len(STATUSES) - 1)]
    series = dice.choice(SERIES).format(product.code, lower=product.code.lower())
    province = FULL.get(city.province, city.province + "省") if chinese else city.province
    day = complaint.when.strftime("%Y/%-m/%-d" if chinese else "%Y-%m-%d")
    return (one.source_id, frame.cast.brand, series, product.variants[frame["variant"][complaint.who]], one.title or "", one.body, province,
            city.name + ("市" if dice.random() < 0.2 else ""), day, status + ("  " if dice.random() < 0.04 else ""))
