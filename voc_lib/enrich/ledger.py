"""The topic ledger: ids that are never renumbered or used again, what happened to each, and what is in force after it all.

Events are lines of the table `topic_events`; everything here is arithmetic on frames, reading and writing is in `topic_store`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import numpy as np
import polars as pl

from voc_lib.messages import Told

MACHINE = "机器"
GOES_ON = 0.5  # of two fits' texts (Dice: twice the common ones over both): as much as this, and it is the same topic
COMES_FROM = 0.5  # of a topic's texts from (or to) one other: a part of it, or taken up by it
_ID = re.compile(r"T(\d{4,})")
EVENTS_SCHEMA = {"action": pl.String, "topic_id": pl.String, "others": pl.String, "name": pl.String, "why": pl.String}
STANDING_SCHEMA = {"topic_id": pl.String, "goes_to": pl.String, "name": pl.String, "is_noise": pl.Boolean}


class LedgerError(Told, ValueError):
    """An edit of topics that cannot be made: what was found, what to do."""


def new_ids(known: Iterable[str], count: int) -> list[str]:
    """`count` ids after the highest that ever was.

    >>> new_ids(["T0001", "T0007"], 2)
    ['T0008', 'T0009']
    """
    highest = max((int(found[1]) for name in known if (found := _ID.fullmatch(name))), default=0)
    return [f"T{highest + step:04d}" for step in range(1, count + 1)]


def match(before: np.ndarray, after: np.ndarray, known: Iterable[str]) -> tuple[dict[int, str], list[dict]]:
    """(id of each group of the new fit, events) from the topics of the same texts before and after.

    `before` holds ids (None for a text without one), `after` group numbers. Groups and topics are paired so that most texts stay
    (Hungarian method); a pair is the same topic from `GOES_ON` on. A group left over is part of the topic most of its texts come
    from (split), else born; a topic left over was taken up by the group most of its texts went to (merge), else it ends (retire).
    """
    from scipy.optimize import linear_sum_assignment

    old, old_at = np.unique(np.array([name or "" for name in before]), return_inverse=True)
    new, new_at = np.unique(after, return_inverse=True)
    common = np.zeros((len(old), len(new)), dtype=int)
    np.add.at(common, (old_at, new_at), 1)
    named = old != ""
    old, common = old[named], common[named]
    had, has = np.array([(before == name).sum() for name in old]), np.bincount(new_at)
    ids: dict[int, str] = {}
    for at, to in zip(*linear_sum_assignment(-common), strict=True):
        if 2 * common[at, to] >= GOES_ON * (had[at] + has[to]):
            ids[int(new[to])] = str(old[at])
    fresh = [group for group in new.tolist() if group not in ids]
    ids |= dict(zip(fresh, new_ids([*known, *old], len(fresh)), strict=True))
    return ids, _told(old, new.tolist(), common, had, has, ids, set(fresh))


def _told(old, new, common, had, has, ids, fresh) -> list[dict]:
    events, parts = [], {}
    for to, group in enumerate(new):
        if group in fresh:
            source = int(common[:, to].argmax()) if len(old) else None
            if source is not None and common[source, to] >= COMES_FROM * has[to]:
                parts.setdefault(str(old[source]), []).append((ids[group], int(common[source, to])))
            else:
                events.append(event("birth", ids[group], why=f"{has[to]} 条文字" + ("，多半不属于以前的任何一个主题" if len(old) else "，第一次拟合")))
    for topic, found in parts.items():
        events.append(event("split", topic, [name for name, _ in found], why=f"原主题的 {sum(many for _, many in found)} 条文字现在自成主题"))
    for at, topic in enumerate(old.tolist()):
        if topic not in ids.values() and topic not in parts:
            to = int(common[at].argmax())
            if common[at, to] >= COMES_FROM * had[at]:
                events.append(event("merge", ids[new[to]], [topic], why=f"{topic} 的 {had[at]} 条文字中有 {common[at, to]} 条归到这里"))
            else:
                events.append(event("retire", topic, why=f"它的 {had[at]} 条文字散到了别的主题"))
    return events


def event(action: str, topic_id: str | None = None, others: Iterable[str] = (), name: str | None = None, why: str = "") -> dict:
    """A line of the ledger, without number, time and who."""
    return {"action": action, "topic_id": topic_id, "others": " ".join(others) or None, "name": name, "why": why}


def replay(events: pl.DataFrame) -> pl.DataFrame:
    """What stands after all events, by topic_id: `topic_id, goes_to, name, is_noise`.

    `goes_to` is the topic it counts as now (itself unless merged, followed to the end); null for one that ended in a split or died out.
    `name` only where an analyst gave one. The same events give the same frame in any grouping; order is that of `event`.
    """
    goes_to: dict[str, str | None] = {}
    names: dict[str, str] = {}
    noise: set[str] = set()
    for row in events.sort("event").iter_rows(named=True):
        action, topic, others = row["action"], row["topic_id"], (row["others"] or "").split()
        if action in ("birth", "confirm"):
            goes_to.setdefault(topic, topic)
        elif action == "split":
            merged = goes_to.get(topic, topic)  # what an analyst had merged or called noise stays so, in its parts
            goes_to |= {part: part if merged in (topic, None) else merged for part in others}
            noise |= set(others) if topic in noise else set()
            goes_to[topic] = goes_to[topic] if topic in others else None
        elif action == "merge":
            ends = {followed(goes_to, name) for name in others} - {topic, None}
            goes_to.setdefault(topic, ends.pop() if len(ends) == 1 and not ends & set(others) else topic)
            noise |= {topic} if others and noise.issuperset(others) else set()
            goes_to |= dict.fromkeys(others, topic)
        elif action == "retire":
            goes_to[topic] = None
        elif action == "noise":
            noise.add(topic)
        if action in ("rename", "confirm") and row["name"]:
            names[topic] = row["name"]
    rows = [{"topic_id": topic, "goes_to": (end := followed(goes_to, topic)), "name": names.get(topic), "is_noise": end in noise} for topic in sorted(goes_to)]
    return pl.DataFrame(rows, schema=STANDING_SCHEMA)


def followed(goes_to: dict[str, str | None], topic: str) -> str | None:
    """Where a topic ends after merges of merges; a circle (which no command writes) ends where it began."""
    seen = {topic}
    while (to := goes_to.get(topic)) is not None and to != topic and to not in seen:
        topic = to
        seen.add(to)
    return topic if goes_to.get(topic) is not None else None


def moves(events: pl.DataFrame) -> pl.DataFrame:
    """Feedback that analysts placed by hand, the last word of each: `feedback_id, topic_id, who`, one row per feedback and analyst."""
    placed = events.filter(pl.col("action") == "move").sort("event").select(pl.col("others").alias("feedback_id"), "topic_id", "who", "event")
    return placed.unique(["feedback_id", "who"], keep="last", maintain_order=True)


def check_edit(standing: pl.DataFrame, action: str, topic_id: str, others: Iterable[str] = (), name: str | None = None, who: str = "", why: str = "") -> None:
    """LedgerError where an edit cannot be made; nothing has been written then."""
    alive = dict(standing.select("topic_id", "goes_to").iter_rows())
    if not who.strip() or not why.strip():
        raise LedgerError(f"修改主题要写明是谁（--who）和原因（--why），现在缺{'谁' if not who.strip() else '原因'}。")
    for topic in [topic_id, *others] if action != "move" else [topic_id]:
        if topic not in alive:
            near = "、".join(difflib.get_close_matches(topic, list(alive), n=3, cutoff=0.5))
            raise LedgerError(f"没有主题「{topic}」。{f'最接近的：{near}。' if near else ''}用 voc topics list 看全部。")
        if alive[topic] != topic:
            raise LedgerError(f"主题「{topic}」已经{f'并入 {alive[topic]}' if alive[topic] else '不再使用'}，请改用{alive[topic] or '现有的主题'}。")
    if action == "merge" and topic_id in others:
        raise LedgerError(f"主题「{topic_id}」不能并入自己。")
    if action == "rename" and not (name or "").strip():
        raise LedgerError("改名要写新的名字（--name）。")
