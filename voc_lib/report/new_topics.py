"""Candidates for new topics on a page: what they are called, how many people, how far beyond the usual, and whether a known code explains them."""

from __future__ import annotations

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import code_name

UNHEARD = 0.5  # people expected, below which the base says next to nothing
DESCRIBING = 5  # terms shown under a name
MOST = 20


def table_new_topics(candidates: pl.DataFrame, most: int = MOST) -> Block:
    """`new_topics` as a table, the new ones first: people, how many times the usual in words, verbatims, and what is known about it."""
    if candidates.is_empty():
        return note("最近两周没有新话题的候选。")
    columns = [{"title": "候选"}, {"title": "人数", "tone": "number"}, {"title": "与平常比"}, {"title": "原声", "tone": "number"}, {"title": "判断"}]
    rows = [[{"text": row["name"], "tone": "strong", "small": _terms(row)}, _count(row, theme.people_text(row["people"])), {"text": lift_text(row)},
             _count(row, f"{theme.count_text(len(row['feedback_ids']))} 条"), {"text": _known(row)}] for row in candidates.head(most).iter_rows(named=True)]
    more = f"共 {candidates.height} 个，这里列出前 {most} 个。" if candidates.height > most else ""
    said = f"人数、原声是最近两周的；转发、模板和官方的话不算。候选只是说的人变多了，读过原声才知道是不是新话题。{more}"
    return Block(kind="table", columns=columns, rows=rows, caption="", note=said)


def say_new_topics(candidates: pl.DataFrame, note: str = "") -> Sentence:
    """How many candidates are new, which is the largest, and how many are known codes that rise; `note` is what could not be looked at."""
    last = f"{note}。" if note else ""
    new, known = (candidates.filter(pl.col("known_code").is_null() == fresh) for fresh in (True, False))
    risen = f"另有 {theme.count_text(known.height)} 个是已知问题在上升。" if new.height and known.height else f"有 {theme.count_text(known.height)} 个说法变多，都属于已知的问题。" if known.height else ""
    if new.is_empty():
        return Sentence("" if note and not risen else "最近两周没有疑似的新话题。", risen, last)
    first = new.sort("people", "name", descending=[True, False]).row(0, named=True)
    return Sentence("最近两周有 ", (f"{theme.count_text(new.height)} 个疑似新话题", "strong"), "，人最多的是", (first["name"], "strong"),
                    f"（{theme.people_text(first['people'])}，{lift_text(first)}）。{risen}要有人读过原声才算数。", last)


def lift_text(row: dict) -> str:
    """People against the expected, in words; no number where next to nobody was expected.

    >>> lift_text({"expected": 0.1, "lift": 120.0}), lift_text({"expected": 2.5, "lift": 9.2})
    ('以前几乎没人说', '约为平常的 9 倍')
    """
    return "以前几乎没人说" if row["expected"] < UNHEARD else f"约为平常的 {theme.count_text(row['lift'])} 倍"


def _count(row: dict, told: str) -> dict:
    """A number of the candidate, withheld together with its people."""
    return {"text": theme.SUPPRESSED, "tone": "suppressed"} if row["people"] < theme.FEWEST else {"text": told, "tone": "number"}


def _terms(row: dict) -> str:
    return "、".join([term for term in row["terms"] if term not in row["name"].split("、")][:DESCRIBING])


def _known(row: dict) -> str:
    return "疑似新话题" if row["known_code"] is None else f"已知问题上升：{code_name(row['known_code'])}"
