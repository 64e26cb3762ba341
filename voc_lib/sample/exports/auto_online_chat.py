"""Online chat in the app: CSV by month, one session a row, the whole log in one cell with speakers and times."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import CALLING, Voice

VOICE = Voice(share=50, has=0.8, bad=0.7, app=0.4, fresh=0.3, anger=0.6, neutral=0.3, several=0.12, night=0.4, motives=CALLING)
HEADER = ("会话编号", "开始时间", "结束时间", "会员号", "渠道入口", "技能组", "会话记录", "机器人解决", "评价星级", "车型", "城市")


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("online_chat", "sessions", "csv", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"S{utterance.when:%y%m%d}-{letters(number, 8)}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        table.writerows(_row(one, stage) for one in in_order(said))


def _row(one: Said, stage: Stage) -> tuple:
    chat, dice = one.utterance, stage.dice(one.number)
    now, lines = chat.when, []
    for speaker, words in one.turns or (("客户", one.body),):
        # The log keeps one line a turn: a line break within a turn would read as another speaker.
        lines.append(f"[{now:%H:%M:%S}] {speaker}: {' '.join(words.split())}")
        now += timedelta(seconds=4 + int(dice.expovariate(1 / 25)))
    robot = all(speaker != "坐席" for speaker, _ in one.turns)
    stars = max(1, min(5, round(3.5 + chat.mood + dice.gauss(0, 0.5)))) if dice.random() < 0.18 else ""
    return (one.source_id, chat.when.strftime("%Y-%m-%d %H:%M:%S"), now.strftime("%Y-%m-%d %H:%M:%S"), stage.frame.customer_id(chat.who) if dice.random() < 0.9 or chat.extra.get("keyed") else "",
            dice.choice(("App", "App", "小程序", "官网")), dice.choice(("售后", "售后", "用车咨询", "商城")), "\n".join(lines), "是" if robot else "否", stars,
            chat.slots["product"], chat.slots["city"])
