"""Short video: comments under videos of the brand and of others, CSV by month, no threads, a place by province at most."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=170, outside=0.6, has=0.5, tier=-0.1, young=0.15, anger=0.4, bad=-0.1, several=0.03, night=0.6, weekend=1.2)
HEADER = ("评论ID", "视频ID", "视频标题", "评论内容", "用户ID", "昵称", "IP属地", "点赞数", "评论时间", "是否作者", "已删除")
VIDEOS = ("{product}提车日记", "{product}三个月真实感受", "{product}到底值不值", "试驾{product}", "{product}用车小技巧", "聊聊{product}的优缺点", "{product}长途实测")


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("short_video", "comments", "csv", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return "c" + letters(number, 10)


def user_of(author: int, stage: Stage) -> str:
    """The account, as the platform shows it."""
    return "u" + stage.keys.account("short_video", author)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        table.writerows(_row(one, stage) for one in in_order(said))


def _row(one: Said, stage: Stage) -> tuple:
    said, dice, keys = one.utterance, stage.dice(one.number), stage.keys
    video = dice.randrange(40)
    place = next((city.province for city in stage.frame.cast.cities if city.name == said.slots.get("city")), "")
    official = said.role == "official"
    return (
        one.source_id, f"sv{said.when:%Y%m}{video:02d}", VIDEOS[video % len(VIDEOS)].format(product=said.slots.get("product", stage.frame.cast.brand)), one.body,
        "u000001" if official else user_of(said.author, stage), stage.frame.cast.company if official else keys.nick("short_video", said.author),
        place if dice.random() < 0.9 else "未知", int(dice.paretovariate(0.9)) - 1, said.when.strftime("%Y-%m-%d %H:%M"),
        "是" if official else "否", "是" if said.deleted else "否",
    )
