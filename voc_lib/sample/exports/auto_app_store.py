"""App store reviews: one CSV a quarter, UTF-8 with a mark, stars, version, the developer's answer; no id and no place."""

from __future__ import annotations

import csv
import hashlib
from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_quarter, in_order
from voc_lib.sample.language.tongue import Ask
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=60, outside=0.04, has=0.8, app=0.5, young=0.1, anger=0.6, bad=0.35, several=0.12, night=0.45, weekend=1.1, neutral=0.05,
              systems=("App", "应用", "手机", "钥匙", "车机", "充电", "会员", "商城", "小程序", "账号", "远程"))
HEADER = ("发表时间", "评级", "标题", "内容", "作者", "版本", "开发者回复", "deleted")
TWICE = 0.01  # rows that stand twice, as the shop's pages overlap


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_quarter("app_store", "reviews", "csv", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    """The shop gives none. The same four columns give the contract its id, written here as there: sha256 over lengths and values."""
    parts = (moment_of(utterance), nick_of(utterance, stage), title or "", body)
    written = "".join(f"{len(part.encode())}:{part}" for part in parts)
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def moment_of(utterance) -> str:
    return utterance.when.strftime("%Y-%m-%d %H:%M:%S")


def nick_of(utterance, stage: Stage) -> str:
    return stage.keys.nick("app_store", utterance.author)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        for one in reversed(in_order(said)):
            row = _row(one, stage)
            table.writerows([row, row] if stage.dice(one.number + 1).random() < TWICE else [row])


def _row(one: Said, stage: Stage) -> tuple:
    review, dice = one.utterance, stage.dice(one.number)
    stars = max(1, min(5, round(3.1 + 1.15 * review.mood + dice.gauss(0, 0.4))))
    return (moment_of(review), stars, one.title or "", one.body, nick_of(review, stage), review.slots.get("app_version", ""),
            answer_of(one, stage), str(review.deleted))


def answer_of(one: Said, stage: Stage) -> str:
    """The developer's answer under a review, where a truth lets it be answered."""
    review = one.utterance
    if not review.extra.get("answered"):
        return ""
    return stage.tongue.say(stage.dice(one.number + 2), Ask(review.channel, review.points, 0.2, "official", "none", review.slots, "official")).body
