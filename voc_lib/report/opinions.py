"""How large a part of each channel speaks displeasure, told and listed: corrected where it was audited, 未经人工抽检 where not."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.audited import NOT_AUDITED
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence
from voc_lib.report.words import channel_title

FEWEST = 10  # feedback of a channel below which no share is shown
WORDS = {"negative_share": "不满", "positive_share": "满意", "neutral_share": "中性", "mixed_share": "好坏都说", "code_precision": "编码正确"}


def say_opinions(shares: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """Which channels a person has read samples of, what that changed most, and which shares are the model's alone."""
    known, raw = shares.filter(pl.col("labels") > 0, pl.col("conf_low").is_not_null()), shares.filter(pl.col("conf_low").is_null())
    if shares.is_empty():
        return Sentence("这段时间没有判断过观点的反馈。")
    if known.is_empty():
        return Sentence((NOT_AUDITED, "strong"), "：下面的份额是模型自己数的，可能偏得很多，渠道之间不能比。运行 voc audit，每个渠道读一百条，就能修正。")
    row = known.sort((pl.col("estimate") - pl.col("heard")).abs(), "channel", descending=[True, False]).row(0, named=True)
    rest = f"{NOT_AUDITED}的：{'、'.join(channel_title(name, titles) for name in raw['channel'].unique(maintain_order=True))}。" if raw.height else ""
    return Sentence(channel_title(row["channel"], titles), f"的{WORDS[row['metric']]}份额按 {theme.count_text(row['labels'])} 条人工标注修正为 ", (theme.share_text(row["estimate"]), "strong"),
                    f"（{theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])}），模型自己数出 {theme.share_text(row['heard'])}。", rest)


def table_opinions(shares: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """`audited_shares` as a table, a row per channel and opinion: the share with its interval, or what the model counted and 未经人工抽检."""
    columns = [{"title": "渠道"}, {"title": "观点"}, {"title": "份额", "tone": "number"}, {"title": "模型数出", "tone": "number"}, {"title": "人工标注", "tone": "number"}, {"title": "说明"}]
    rows = [[{"text": channel_title(row["channel"], titles), "tone": "strong"}, {"text": WORDS[row["metric"]]}, _share(row),
             {"text": theme.share_text(row["heard"]) if row["n"] >= FEWEST else theme.SUPPRESSED, "tone": "number"},
             {"text": f"{row['labels']:,}" if row["labels"] else theme.ABSENT, "tone": "number"}, {"text": _note(row)}] for row in shares.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="" if rows else "这段时间没有判断过观点的反馈。")


def _share(row: dict) -> dict:
    if row["conf_low"] is None or row["n"] < FEWEST:
        return {"text": theme.ABSENT, "tone": "suppressed"}
    return {"text": theme.share_text(row["estimate"]), "tone": "number", "small": f"{theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])}"}


def _note(row: dict) -> str:
    return NOT_AUDITED if row["conf_low"] is None else "已按人工标注修正"
