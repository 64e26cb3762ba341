"""Car forum: JSON lines by month, threads with floors and replies (tid, pid, floor, reply_to), badges of certified owners."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters, write_lines
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=200, outside=0.6, replies=2.4, has=0.28, app=0.15, fresh=0.4, young=0.1, anger=0.35, bad=0.0, several=0.3, night=0.45)
CERTIFIED = 0.5  # share of owners who had their car verified by the forum


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("car_forum", "posts", "jsonl", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return "p" + letters(number, 10)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    floors = Counter()  # counted within the month, as the export numbers what it shows
    rows = []
    for one in in_order(said):
        floors[one.thread_id] += 1
        rows.append(_row(one, stage, floors[one.thread_id]))
    write_lines(path, rows)


def _row(one: Said, stage: Stage, floor: int) -> dict:
    post, dice, keys = one.utterance, stage.dice(one.number), stage.keys
    certified = post.role == "owner" and post.who >= 0 and post.author % 100 < CERTIFIED * 100
    badge = {"official": "官方账号", "staff": "经销商" if dice.random() < 0.5 else "", "media": "媒体"}.get(post.role, "认证车主" if certified else "")
    return {
        "tid": one.thread_id, "pid": one.source_id, "floor": floor, "reply_to": one.parent_id,
        "title": one.title if post.parent is None else None, "content": one.body, "post_time": post.when.strftime("%Y-%m-%d %H:%M:%S"),
        "uid": "100001" if post.role == "official" else keys.account("car_forum", post.author),
        "nick": stage.frame.cast.company + "官方" if post.role == "official" else keys.nick("car_forum", post.author),
        "badge": badge, "car": post.slots.get("product", "") if post.role in ("owner", "prospect") else "", "city": post.slots.get("city", ""),
        "views": int(dice.paretovariate(1.0) * 40), "deleted": post.deleted,
    }
