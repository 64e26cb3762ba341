"""Microblog: JSON lines by month, posts and replies (root_id, reply_to), counts, the platform's mark on verified accounts, deletions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters, write_lines
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=210, outside=0.6, replies=1.1, has=0.4, app=0.1, tier=0.2, young=0.25, anger=0.5, bad=0.0, several=0.12, night=0.5, weekend=1.1)
MARKS = {"official": "企业认证", "media": "媒体认证"}
LOCATED = 0.6


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("microblog", "posts", "jsonl", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return "N" + letters(number, 10)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    write_lines(path, (_row(one, stage) for one in in_order(said)))


def _row(one: Said, stage: Stage) -> dict:
    post, dice, keys = one.utterance, stage.dice(one.number), stage.keys
    official = post.role == "official"
    name = stage.frame.cast.company + dice.choice(("", "客服")) if official else keys.nick("microblog", post.author)
    fans = int(dice.paretovariate(1.1) * 30) if not official else 380_000
    return {
        "mid": one.source_id, "root_id": one.thread_id, "reply_to": one.parent_id,
        "created_at": post.when.strftime("%a %b %d %H:%M:%S +0800 %Y"),
        "user": {"uid": "1000001" if official else keys.account("microblog", post.author), "screen_name": name, "verified": MARKS.get(post.role, ""), "followers": fans},
        "text": one.body, "source": dice.choice(("手机客户端", "网页版", "平板客户端")),
        "location": post.slots.get("city", "") if dice.random() < LOCATED and not official else "",
        "reposts": int(dice.paretovariate(1.3)) - 1, "likes": int(dice.paretovariate(0.9)) - 1, "deleted": post.deleted,
    }
