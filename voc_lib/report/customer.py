"""一位客户: everything of one pseudonymous person in order, why each feedback is his, what is still owed, and what the frame says in coarse bands."""

from __future__ import annotations

import polars as pl

from voc_lib.collect.identity.words import reason_words
from voc_lib.measure.analyses.customer import Customer
from voc_lib.measure.levels import Levels
from voc_lib.report import theme
from voc_lib.report.blocks import ID_LENGTH, Block, Sentence, card, note
from voc_lib.report.words import FACT_UNITS, FACTS, channel_title, code_name

LONGEST = 120  # characters of a voice on the timeline
MOOD = {-1.0: ("不满", "worse"), 0.0: ("一般", "flat"), 1.0: ("满意", "better")}
ROLES = {"owner_verified": "核实过的车主或客户", "owner_likely": "平台认证的车主", "prospect": "还没有买的人", "other_brand": "别家的客户", "official": "公司账号", "staff": "门店或员工", "media": "媒体", "unknown": "平台没有说"}


def cards_customer(customer: Customer) -> list[dict]:
    """Voices, matters, what is owed: the numbers of the headline."""
    overdue = customer.owed.filter(pl.col("overdue") > 0).height
    return [card("说过的话", customer.timeline.filter(pl.col("kind") == "说").height, note="这段时间里认得出是他的", opens=True), card("几件事", customer.cases.height, note="同一件事隔多久说都算一件", opens=True),
            card("还欠着的", customer.owed.height, note=f"其中 {overdue} 件已过答复期限" if overdue else "", opens=True)]


def say_customer(customer: Customer, levels: Levels) -> Sentence:
    """Who this is (a pseudonym), and what waits longest."""
    who = f"化名 {customer.person_id[:ID_LENGTH]}，{'客户档案里的客户' if customer.known else '档案里没有的人'}。"
    if customer.owed.is_empty():
        return Sentence(who, ("没有还欠着的事", "better"), "。")
    row = customer.owed.row(0, named=True)
    late = (f"，已超过 {levels.owed_days} 天的期限 {theme.count_text(row['overdue'])} 天", "worse") if row["overdue"] else f"，还在 {levels.owed_days} 天的期限内"
    waited = f"到现在 {theme.count_text(row['waited'])} 天没有下文" if row["waited"] else "当天还没有下文"
    return Sentence(who, "等得最久的是", (code_name(row["code"]), "strong"), f"：{theme.day_label(row['last_at'])}说完，{waited}", late, "。")


def table_owed(customer: Customer, titles: dict[str, str] | None = None) -> Block:
    """Open matters that nobody took up, the longest waiting first."""
    columns = [{"title": "什么事"}, {"title": "在哪里说的"}, *({"title": title, "tone": "number"} for title in ("说过", "最后一次", "等了", "超期"))]
    rows = [[{"text": code_name(row["code"]), "tone": "strong"}, {"text": " → ".join(channel_title(name, titles) for name in row["channels"])}, {"text": f"{row['posts']} 次", "tone": "number"},
             {"text": theme.day_label(row["last_at"]), "tone": "number"}, {"text": f"{row['waited']} 天", "tone": "number"},
             {"text": f"{row['overdue']} 天", "tone": "worse"} if row["overdue"] else {"text": "未到期", "tone": "soft"}] for row in customer.owed.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="" if rows else "没有还欠着的事：都有了答复，或走到了最高一级，或不是不满。")


def table_cases(customer: Customer, levels: Levels, titles: dict[str, str] | None = None) -> Block:
    """The matters of this person, oldest first, by the numbers that the timeline uses."""
    columns = [{"title": "第几件"}, {"title": "什么事"}, {"title": "从哪到哪"}, *({"title": title, "tone": "number"} for title in ("说过", "历时")), {"title": "走到"}, {"title": "现在"}]
    rows = [[{"text": f"第 {place} 件", "tone": "strong"}, {"text": code_name(row["code"])}, {"text": " → ".join(channel_title(name, titles) for name in row["channels"]), "small": f"{row['first_at'].isoformat()} 起"},
             {"text": f"{row['posts']} 次", "tone": "number"}, {"text": f"{row['days']} 天", "tone": "number"}, {"text": levels.titles[row["reached"]] if row["reached"] is not None else theme.ABSENT},
             {"text": "还开着" if row["open"] else "已过去", "tone": "strong" if row["open"] else "soft"}] for place, row in enumerate(customer.cases.iter_rows(named=True), 1)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="" if rows else "没有一句话说得出是什么事。")


def table_timeline(customer: Customer, titles: dict[str, str] | None = None, most: int = 60) -> Block:
    """All that was said and done, newest last: masked words, mood, which matter, and why a feedback is taken to be his."""
    columns = [{"title": "日期"}, {"title": "在哪里"}, {"title": "说了或做了什么"}, {"title": "情绪"}, {"title": "哪件事"}, {"title": "凭什么认作他"}]
    rows = [_event(row, titles) for row in customer.timeline.tail(most).iter_rows(named=True)]
    hidden = customer.timeline.height - len(rows)
    return Block(kind="table", columns=columns, rows=rows, caption="", note=f"只列最近 {most} 条，另有 {hidden} 条更早。" if hidden else "")


def _event(row: dict, titles: dict[str, str] | None) -> list[dict]:
    day = {"text": row["at"].isoformat(), "tone": "number"}
    if row["kind"] != "说":
        return [day, {"text": row["kind"], "tone": "strong"}, {"text": row["what"] or theme.ABSENT}, {"text": ""}, {"text": ""}, {"text": "会员号"}]
    words = " ".join((row["what"] or "").split())
    mood, tone = MOOD.get(row["mood"], (theme.ABSENT, "soft"))
    sure = f"把握 {theme.share_text(row['confidence'])}" if row["confidence"] is not None and row["confidence"] < 1 else ""
    return [day, {"text": channel_title(row["channel"], titles), "tone": "strong"}, {"text": words if len(words) <= LONGEST else words[: LONGEST - 1] + "…", "small": "、".join(code_name(code) for code in row["codes"] or [])},
            {"text": mood, "tone": tone}, {"text": f"第 {row['case']} 件" if row["case"] else theme.ABSENT}, {"text": reason_words(row["reason"]) or theme.ABSENT, "small": sure}]


def table_roles(customer: Customer, titles: dict[str, str] | None = None) -> Block:
    """As whom this person spoke, channel by channel, as the channel's own marks tell."""
    rows = [[{"text": channel_title(row["channel"], titles), "tone": "strong"}, {"text": ROLES.get(row["author_kind"] or "unknown", ROLES["unknown"])}, {"text": f"{row['n']} 条", "tone": "number"}]
            for row in customer.roles.iter_rows(named=True)]
    return Block(kind="table", columns=[{"title": "在哪里"}, {"title": "以什么身份"}, {"title": "说过", "tone": "number"}], rows=rows, caption="", note="" if rows else "这段时间没有说过话。")


def table_facts(customer: Customer) -> Block:
    """What the register knew of this customer, numbers in coarse bands only; a note for somebody it does not know."""
    if not customer.facts:
        return note("客户档案里没有这个人：只知道他用哪些账号说过话。")
    told = [(name, value) for name, value in customer.facts.items() if name in FACTS]
    rows = [[{"text": FACTS[name], "tone": "strong"}, {"text": band_text(value, FACT_UNITS[name]) if isinstance(value, tuple) else str(value)}] for name, value in told]
    return Block(kind="table", columns=[{"title": "项目"}, {"title": "档案里"}], rows=rows, caption="", note=f"截至 {customer.facts['valid_from'].isoformat()} 的档案；数字只给粗档。")


def band_text(band: tuple[float | None, float | None], unit: str) -> str:
    """A coarse band in words; the upper bound is inside.

    >>> band_text((None, 30), "岁"), band_text((30, 40), "岁"), band_text((50, None), "岁")
    ('30 岁及以下', '30 岁以上至 40 岁', '50 岁以上')
    """
    low, high = ((f"{value:g} {unit}".strip() if value is not None else None) for value in band)
    return f"{high}及以下" if low is None else f"{low}以上" if high is None else f"{low}以上至 {high}"
