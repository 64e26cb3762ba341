"""A forum of card holders: JSON lines by month with threads, floors and replies."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters, write_lines
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import Voice

VOICE = Voice(share=250, outside=0.6, replies=2.0, has=0.25, app=0.2, fresh=0.2, young=0.2, anger=0.35, bad=0.2, several=0.25, night=0.5)


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("bank_forum", "posts", "jsonl", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return "b" + letters(number, 10)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    floors = Counter()  # counted within the month, as the export numbers what it shows
    rows = []
    for one in in_order(said):
        floors[one.thread_id] += 1
        rows.append(_row(one, stage, floors[one.thread_id]))
    write_lines(path, rows)


def _row(one: Said, stage: Stage, floor: int) -> dict:
    post, keys = one.utterance, stage.keys
    official = post.role == "official"
    return {
        "topic_id": one.thread_id, "post_id": one.source_id, "quote_id": one.parent_id, "floor": floor,
        "subject": one.title if post.parent is None else None, "content": one.body, "time": post.when.strftime("%Y-%m-%d %H:%M"),
        "user_id": "200001" if official else keys.account("bank_forum", post.author), "user_name": stage.frame.cast.company + "官方" if official else keys.nick("bank_forum", post.author),
        "group": {"official": "官方", "staff": "行内员工", "media": "媒体"}.get(post.role, ""), "deleted": post.deleted,
    }
