"""What 数据体检 says of who is who: how much of each channel is linked to a person, how many people are met again, and which keys link nobody."""

from __future__ import annotations

import polars as pl

from voc_lib.collect.identity.words import WHYS, key_words, reason_words
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import channel_title

NOBODY = "没有一条反馈带着认得出人的键：渠道合同没有写 identity，或还没有在册资料。"


def table_links(rates: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """`link_rates` as a table: a row per channel."""
    if rates.is_empty():
        return note("库里还没有反馈。")
    columns = [{"title": "渠道"}, *({"title": title, "tone": "number"} for title in ("反馈", "带键", "认得出是谁", "占比", "是在册客户", "占比"))]
    rows = [[{"text": channel_title(row["channel"], titles), "tone": "strong"}, *({"text": theme.count_text(row[name]), "tone": "number"} for name in ("n", "keyed", "person")),
             {"text": theme.share_text(row["person_share"]), "tone": "number"}, {"text": theme.count_text(row["customer"]), "tone": "number"},
             {"text": theme.share_text(row["customer_share"]), "tone": "number"}] for row in rates.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="")


def say_links(rates: pl.DataFrame, sizes: pl.DataFrame) -> Sentence:
    """How much is linked in all, which channels cannot be, and how many people are heard in more than one channel (`link_rates`, `people_sizes`)."""
    total, known = rates["n"].sum(), rates["person"].sum()
    if not total or not known:
        return Sentence(NOBODY if total else "库里还没有反馈。")
    people, several = sizes["people"].sum(), sizes["several"].sum()
    silent = rates.filter(pl.col("person") == 0).height
    met = f"他们是 {theme.people_text(people)}，" + (f"其中 {theme.people_text(several)}在两个以上渠道说过话。" if several else "没有人在两个渠道都说过话。")
    return Sentence((f"{theme.share_text(known / total)} 的反馈认得出是谁", "strong"), "，", met, f"有 {silent} 个渠道一个人也认不出：那里的同一个人会被当成几个人。" if silent else "")


def table_doubts(doubts: pl.DataFrame, most: int = 20) -> Block:
    """`doubts_now` as a table: keys that link nobody, those on most feedback first; the key itself is a hash."""
    if doubts.is_empty():
        return note("没有认不了人的键。")
    columns = [{"title": "键"}, {"title": "为什么不用它认人"}, {"title": "会连起几个人", "tone": "number"}, {"title": "反馈", "tone": "number"}]
    rows = [[{"text": key_words(row["key_type"]), "small": f"{row['key_hash'][:10]}…"}, {"text": WHYS.get(row["why"], row["why"])},
             {"text": theme.count_text(row["customers"]) if row["customers"] else theme.ABSENT, "tone": "number"},
             {"text": theme.count_text(row["feedback"]) if row["feedback"] else theme.ABSENT, "tone": "number"}] for row in doubts.head(most).iter_rows(named=True)]
    more = f"共 {theme.count_text(doubts.height)} 个，列出反馈最多的 {most} 个。" if doubts.height > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=more)


def say_reasons(reasons: pl.DataFrame, most: int = 4) -> Sentence:
    """On what the links rest, the most frequent first (`reasons`)."""
    linked = reasons.filter(pl.col("linked"))
    if linked.is_empty():
        return Sentence("还没有关联任何反馈。")
    told = "；".join(f"{reason_words(row['reason'])} {theme.count_text(row['n'])} 条" for row in linked.head(most).iter_rows(named=True))
    lost = reasons.filter(~pl.col("linked"))["n"].sum()
    return Sentence("凭什么认人：", told, "等" if linked.height > most else "", "。", f"另有 {theme.count_text(lost)} 条带着键，但键认不了人。" if lost else "")
