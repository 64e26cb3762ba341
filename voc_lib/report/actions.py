"""Earlier actions on a page: who, until when, and whether the number moved."""

from __future__ import annotations

from datetime import date

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence
from voc_lib.report.words import VERDICTS, change_tone

STATES = {"open": "进行中", "done": "已完成", "dropped": "不做了"}


def table_follow_up(followed: pl.DataFrame, period: str) -> Block:
    """`follow_up` as a table: what was to be done, its state (逾期 where the day has passed), people then and now with the verdict."""
    if followed.is_empty():
        return Sentence("台账里还没有更早的行动；定稿（voc sign）会把这一周的行动添进去。")
    columns = [{"title": "行动"}, {"title": "负责"}, {"title": "状态"}, {"title": "当时到现在"}]
    end = date.fromisocalendar(int(period[:4]), int(period[6:]), 7)
    rows = [[{"text": row["what"], "small": theme.week_short(row["week"]), "tone": "strong"}, {"text": row["owner"] or "待指派"}, _state(row, end), _moved(row)]
            for row in followed.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption=str(say_follow_up(followed)), note="人数少了不等于是行动起了作用：季节、渠道和偶然都会让它变。")


def _state(row: dict, end: date) -> dict:
    late = row["state"] == "open" and row["date"] is not None and row["date"] <= end
    day = theme.day_label(row["date"]) if row["date"] else ""
    return {"text": "逾期" if late else STATES[row["state"]], "tone": "worse" if late else "", "small": row["result"] or (f"期限 {day}" if day else "没有期限")}


def _moved(row: dict) -> dict:
    if row["verdict"] is None:
        return {"text": row["why"] or "没有可比的数字", "tone": "soft"}
    if row["verdict"] == "suppressed":
        return {"text": f"两周都{theme.SUPPRESSED}，不比较", "tone": "suppressed"}
    now, then = theme.people_text(row["people_now"]), theme.people_text(row["people_then"])
    return {"text": f"{then} → {now}", "small": VERDICTS[row["verdict"]], "tone": change_tone("code_share", row["verdict"], row["finding"].removeprefix("code:"))}


def say_follow_up(followed: pl.DataFrame) -> Sentence:
    """How many earlier actions there are, how many of them are late or done, and in how many the number fell by more than chance."""
    if followed.is_empty():
        return Sentence("台账里还没有更早的行动。")
    fell = followed.filter(pl.col("verdict") == "fall").height
    done = followed.filter(pl.col("state") == "done").height
    return Sentence("此前的行动 ", (f"{theme.count_text(followed.height)} 项", "strong"), f"，已完成 {theme.count_text(done)} 项；", f"{theme.count_text(fell)} 项的人数确有下降。" if fell else "还没有一项的人数降到误差范围以外。")
