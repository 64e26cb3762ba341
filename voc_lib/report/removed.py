"""The tables and sentences of 数据体检 on what platforms removed, which way that tilts the picture, and what arrives late."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.removed import LATE_DAYS
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import channel_title

TILTS = {"more": ("↑ 高估低分", "strong"), "fewer": ("↓ 低估低分", "strong"), "too_small": ("≈ 差别太小", "flat"),
         "within_error": ("≈ 在误差范围内", "flat"), "suppressed": ("打分的人太少", "suppressed")}


def table_removed(removed: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """`removed` as a table: a row per channel, and below it one per product."""
    if removed.is_empty():
        return note("没有一个来源标明哪些反馈被平台删除。")
    columns = [{"title": "渠道"}, *({"title": title, "tone": "number"} for title in ("人数", "被删的反馈", "被删的人", "留下的：低分", "删去的：低分", "全部：低分")), {"title": "只看留下的"}]
    rows = []
    for row in removed.iter_rows(named=True):
        word, tone = TILTS[row["tilt"]]
        name = {"text": channel_title(row["channel"], titles), "tone": "strong"} if row["product"] is None else {"text": f"　{row['product']}"}
        people = {"text": theme.count_text(row["people"]), "tone": "number"} if theme.is_number(row["people"]) else {"text": theme.SUPPRESSED, "tone": "suppressed"}
        rows.append([name, people, {"text": theme.share_text(row["rows_share"]), "tone": "number"}, *(_share(row, part) for part in ("deleted", "kept", "gone")),
                     {"text": theme.share_text(row["whole_share"]), "tone": "number"}, {"text": word, "tone": tone}])
    return Block(kind="table", columns=columns, rows=rows, caption="")


def _share(row: dict, part: str) -> dict:
    if not theme.is_number(row[f"{part}_share"]):
        return {"text": theme.SUPPRESSED, "tone": "suppressed"}
    return {"text": theme.share_text(row[f"{part}_share"]), "tone": "number",
            "small": f"{theme.share_text(row[f'{part}_low'])}～{theme.share_text(row[f'{part}_high'])}"}


def say_removed(removed: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """For every channel that tells: how much is gone, and whether what is left rates lower, higher or alike. Where its products differ, the one that tilts most."""
    if removed.is_empty():
        return Sentence("没有一个来源标明哪些反馈被平台删除，看不出删评让画面偏向哪一边。")
    parts: list = []
    for channel in removed.filter(pl.col("product").is_null())["channel"]:
        rows = removed.filter(pl.col("channel") == channel)
        whole = rows.filter(pl.col("product").is_null()).row(0, named=True)
        parts += _told(whole, channel_title(channel, titles))
        tilted = rows.filter(pl.col("product").is_not_null() & pl.col("tilt").is_in(["more", "fewer"])).sort(pl.col("difference").abs(), "product", descending=[True, False])
        if tilted.height and rows.height > 2:
            parts += _told(tilted.row(0, named=True), f"其中{tilted['product'][0]}")
    return Sentence(*parts)


def _told(row: dict, name: str) -> list:
    if not theme.is_number(row["deleted_share"]):
        return [f"{name}：{theme.SUPPRESSED}，不说删评。"]
    gone = f"{name}：平台删去了 {theme.share_text(row['rows_share'])} 的反馈"
    if row["deleted_share"] == 0:
        return [f"{name}：没有反馈被平台删除。"]
    if row["tilt"] == "suppressed":
        return [f"{gone}；打过分的人在留下或删去的一边{theme.SUPPRESSED}，看不出偏向哪一边。"]
    shares = f"；按人算，留下的里低分 {theme.share_text(row['kept_share'])}，删去的里 {theme.share_text(row['gone_share'])}："
    if row["tilt"] == "within_error":
        return [gone, shares, "差别在误差范围内，看不出删评让画面偏向哪一边。"]
    if row["tilt"] == "too_small":
        return [gone, shares, "差别太小，不影响判断。"]
    word = "高估" if row["tilt"] == "more" else "低估"
    return [gone, shares, (f"只看留下的会{word}低分", "strong"), f"（合在一起是 {theme.share_text(row['whole_share'])}）。"]


def table_late(late: pl.DataFrame, titles: dict[str, str] | None = None, days: int = LATE_DAYS) -> Block:
    """`late` as a table."""
    if late.is_empty():
        return note("没有带日期的反馈，说不出到得晚不晚。")
    columns = [{"title": "渠道"}, *({"title": title, "tone": "number"} for title in ("首次导出以后说的", f"晚于 {days} 天才到", "占比", "一般隔几天到", "首次导出带来的旧话"))]
    rows = [[{"text": channel_title(row["channel"], titles), "tone": "strong"}, {"text": theme.count_text(row["feedback"]), "tone": "number"},
             {"text": theme.count_text(row["late"]), "tone": "number"}, {"text": theme.share_text(row["late_share"]), "tone": "number"},
             {"text": f"{row['median_days']:.1f}" if theme.is_number(row["median_days"]) else theme.ABSENT, "tone": "number"},
             {"text": theme.count_text(row["before"]), "tone": "number"}] for row in late.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="")


def say_late(late: pl.DataFrame, titles: dict[str, str] | None = None, days: int = LATE_DAYS) -> Sentence:
    """Which channels are still filling up weeks that were published."""
    known = late.filter(pl.col("late_share").is_not_null())
    if known.is_empty():
        return Sentence("各渠道在首次导出以后说的话还不到 10 条，看不出到得晚不晚；再导入几次就有了。")
    slow = known.filter(pl.col("late") > 0).sort("late_share", "channel", descending=[True, False])
    if slow.is_empty():
        return Sentence("首次导出以后说的话，", (f"没有一条晚于 {days} 天才到", "better"), "。")
    named = "、".join(f"{channel_title(row['channel'], titles)} {theme.share_text(row['late_share'])}" for row in slow.head(5).iter_rows(named=True))
    return Sentence((f"晚于 {days} 天才到的反馈", "strong"), f"：{named}。它们到来之前发布的周报里没有这些话，最近几周的数字还会增加。")
