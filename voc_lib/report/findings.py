"""Page one of a week: its findings as a list, one anomaly, actions, and a section for every issue.

Every entry carries the id of its finding, so that what an analyst wrote about it (notes.yaml) can be put in when the page is rendered:
`notes_merge` picks, orders and completes what is prepared here.
"""

from __future__ import annotations

import polars as pl

from voc_lib.report import theme
from voc_lib.report.bases import BASES, rate_text
from voc_lib.report.blocks import Block, voice
from voc_lib.report.charts import mover_rows
from voc_lib.report.sentences import say_mover
from voc_lib.report.words import VERDICTS, change_tone, code_name, code_path, finding, period_before

SHOWN = 5    # movers and issues on the page
ACTIONS = 3  # actions on page one
QUOTES = 2   # voices under an issue
BASE_UNITS = {"vehicles": "辆在用车", "app_users": "名应用用户", "visits": "次进店", "calls": "次来电", "customers": "名客户", "accounts": "个账户"}
PLACES = {"product": "产品", "variant": "型号", "batch": "批次", "software_version": "软件版本", "region": "地区", "dealer": "门店"}


def list_movers(found: pl.DataFrame) -> Block:
    """`findings` as the list of what changed; each entry's people open their source. Shows five, after the analyst's notes."""
    block = mover_rows(found)
    for row, known in zip(block["rows"], found.iter_rows(named=True), strict=True):
        row |= {"finding": known["finding"], "opens": known["finding"]} | ({"rate": rate_words(known)} if known["rate"] is not None else {})
    if found["rate"].null_count():
        lacking = "每一万里有多少人只在知道基数、且其中十人以上提到时才算" + ("。" if found["rate"].is_not_null().any() else "，本周没有一项够。")
        block["note"] = "；".join(filter(None, (block["note"], lacking)))
    return Block(**block, most=SHOWN)


def rate_words(row: dict) -> str:
    """People heard per 10,000 of the base: 每万辆在用车 1.2 人."""
    return f"每万{BASE_UNITS.get(row['base'], BASES.get(row['base'], row['base']))} {rate_text(row['rate'])} 人" if row["rate"] is not None else ""



def show_anomaly(found: pl.DataFrame, drawn: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """The finding furthest outside what is usual, with where it sits and one voice; a sentence where nothing is."""
    rows = found.filter(pl.col("unusual").is_not_null()).sort(pl.col("unusual") == "below", maintain_order=True)
    items = [_issue(row, drawn.filter(pl.col("code") == row["code"]).head(1), titles) for row in rows.iter_rows(named=True)]
    return Block(kind="anomaly", items=items, none="本周没有一个问题超出全年的正常波动。")


def list_issues(found: pl.DataFrame, drawn: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """A section for every finding that moved, was pinned or written about: 数据, 原声, 归因, 建议. `drawn` are voices by code, from `sample_verbatims`."""
    items, used = [], set()
    for row in found.iter_rows(named=True):
        said = drawn.filter((pl.col("code") == row["code"]) & ~pl.col("feedback_id").is_in(list(used))).head(QUOTES)    # one voice stands under one issue
        used |= set(said["feedback_id"])
        items.append(_issue(row, said, titles))
    return Block(kind="issues", items=items, most=SHOWN)


def list_actions(found: pl.DataFrame) -> Block:
    """What is to be done, by whom, until when: what the notes say; for findings that got worse and have no note yet, whom to ask."""
    worse = [row for row in found.iter_rows(named=True) if row["moved"] and change_tone("code_share", finding(row), row["code"]) == "worse"]
    items = [{"finding": row["finding"], "title": code_name(row["code"]), "what": f"核实「{code_name(row['code'])}」", "owner": _asked(row), "date": ""} for row in worse]
    return Block(kind="actions", items=items, most=ACTIONS)


def list_leftover(found: pl.DataFrame) -> Block:
    """What notes say of findings that are not there this time, and which an analyst left out; nothing without notes."""
    return Block(kind="leftover", known=found["finding"].to_list(), items=[], hidden=[])


def _asked(row: dict) -> str:
    return f"{row['department']}（待指派）" if row["department"] else "待指派"


def _issue(row: dict, said: pl.DataFrame, titles: dict[str, str] | None) -> dict:
    named = period_before(row)
    told = [[f"本周 {theme.people_text(row['people'])}提到", "strong"], [f"（{rate_words(row)}）" if row["rate"] is not None else "", ""],
            [f"，{theme.past_text(named, row['people_baseline'])}。" if row["people_baseline"] else f"，{named}无人提到。", ""]]
    return {"finding": row["finding"], "opens": row["finding"], "title": code_name(row["code"]), "path": code_path(row["code"]), "word": VERDICTS[finding(row)],
            "moved": row["moved"], "tone": change_tone("code_share", finding(row), row["code"]), "data": told + say_mover(row, named).runs,
            "quotes": [voice(one, titles) for one in said.iter_rows(named=True)], "place": place_words(row["place"]),
            "advice": f"请{row['department']}核实，尚未指派负责人。" if row["department"] and row["moved"] else "尚未指派负责人。" if row["moved"] else "变化在误差范围内，不必行动。"}


def place_words(place: list[dict]) -> list[list[str]]:
    """`concentration` in words: what the people of a problem share more often than others; says so where nothing stands out."""
    if not place:
        return [["产品、地区、批次、软件版本、门店里都看不出集中在哪里。", ""]]
    told = []
    for one in place:
        column = PLACES[one["column"]]
        told += [["疑似集中在", ""], [f"{column}「{one['value']}」", "strong"],
                 [f"：知道{column}的 {theme.people_text(one['of'])}里有 {theme.people_text(one['people'])}（{theme.share_text(one['share'])}），"
                  f"说别的问题的人里占 {theme.share_text(one['share_elsewhere'])}。", ""]]
    return [*told, ["集中不等于原因，还没有核实。", "soft"]]

