"""What opens behind the numbers of pages that search, explore or label: which rows each of their numbers stands for."""

from __future__ import annotations

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.measure.analyses.customer import Customer
from voc_lib.measure.weighting.correct import Correction
from voc_lib.measure.tracing import coded_sql, literals, resolved, trace, where_sql
from voc_lib.store import Store, open_store


def trace_found(store: Store, found: pl.DataFrame, asked: list[str]) -> list[dict]:
    """`trace` for the three numbers of what a search found (`cards_found`); `asked` is what was asked for (`asked_for`)."""
    return [trace(store, found, "people", "符合条件的人", asked=asked, definition="符合全部条件的反馈是几个人写的，同一人多次只算一次"),
            trace(store, found, "volume", "符合条件的反馈", asked=asked, definition="符合全部条件的反馈有几条，同一人多次逐条计"),
            trace(store, found, "volume", "抽出的原声", asked=asked, definition="抽签抽出、列在页上的原声有几条；这里是参加抽签的全部反馈")]


def trace_explored(store: Store, points: pl.DataFrame, topics: pl.DataFrame) -> list[dict]:
    """`trace` for the three numbers of an exploration, from the points and topics of `explore`."""
    lake = open_store(store.name, store.snapshot)  # the exploration may have been kept a moment ago
    name = topics["exploration"][0] if topics.height else ""
    kept = lake.sql(f"SELECT 1 FROM explorations WHERE exploration = {quote(name)} LIMIT 1").height > 0
    inside, outside = points.filter(pl.col("topic") >= 0), points.filter(pl.col("topic") < 0)
    told = ((points, "true", "进入探索的反馈", "有文字、够长、被抽中的反馈有几条"), (inside, "topic >= 0", "主题", "分成几个主题；这里是归入主题的全部反馈"),
            (outside, "topic < 0", "没有归入主题", "与哪一团都不够近的反馈有几条"))
    traced = []
    for rows, condition, number, definition in told:
        # A lake that could not be written to has no exploration: then its rows are named one by one.
        ids = f"SELECT feedback_id FROM explorations WHERE exploration = {quote(name)} AND {condition}" if kept else literals(rows["feedback_id"])
        traced.append(resolved(lake, rows, "volume", number, where_sql([f"feedback_id IN ({ids})"]), definition=definition))
    return traced


def trace_studio(store: Store, feedback: pl.DataFrame, labels: pl.DataFrame) -> list[dict]:
    """`trace` for the four numbers of 分类工作台 (`cards_studio`), from all feedback of the store and the labels given."""
    unmapped = feedback.filter(pl.col("codes").list.len() == 0)
    uncoded = where_sql([f"feedback_id NOT IN ({coded_sql(store, f'code <> {quote(UNMAPPED)}')})"])
    traced = [resolved(store, unmapped, "volume", "没有编码的反馈", uncoded, definition="一个编码也没有的反馈有几条，包括没有写字的"),
              resolved(store, unmapped, "volume", "待看的说法", uncoded, definition="在没有编码的反馈里反复出现、在有编码的反馈里少见的说法有几个；这里是没有编码的全部反馈")]
    times = labels.group_by("feedback_id").len()
    for least, number, definition in ((1, "标过的反馈", "有人标过的反馈有几条"), (2, "两人以上标过", "两位以上分析师各自标过的反馈有几条")):
        rows = feedback.join(times.filter(pl.col("len") >= least), on="feedback_id", how="semi")
        told = f"{definition}；标注写在编辑日志里，这里是其中本快照有的"
        traced.append(resolved(store, rows, "volume", number, where_sql([f"feedback_id IN ({literals(rows['feedback_id'])})"]), definition=told))
    return traced


def trace_cases(store: Store, feedback: pl.DataFrame, steps: pl.DataFrame, cases: pl.DataFrame) -> list[dict]:
    """`trace` for the two numbers of 客户旅程 that count matters: the feedback of all cases, and of those that went up a level."""
    told = feedback.join(steps.select("feedback_id"), on="feedback_id", how="semi")
    went = steps.join(cases.filter(pl.col("reached") > pl.col("started")).select("case_id"), on="case_id", how="semi")
    climbed = feedback.join(went.select("feedback_id"), on="feedback_id", how="semi")
    within = [f"iso_week IN ({literals(feedback['iso_week'])})", f"channel IN ({literals(feedback['channel'])})", "person_id IS NOT NULL", "local_date IS NOT NULL"]
    everything = where_sql([*within, f"feedback_id IN ({coded_sql(store, f'code <> {quote(UNMAPPED)}')})"])
    # Of one code the steps of its cases may name others: then the rows are named one by one.
    whole = set(store.sql(everything)["feedback_id"]) == set(told["feedback_id"])
    return [resolved(store, told, "volume", "认得出的事", everything if whole else _named(told), definition="认得出是谁、说得出什么事的反馈归成几件；这里是归进去的全部反馈"),
            resolved(store, climbed, "volume", "升级的事", _named(climbed), definition="走到更高一级的有几件；这里是这些事里的全部反馈")]


def trace_answered(store: Store, feedback: pl.DataFrame, one: Correction) -> list[dict]:
    """`trace` for the three numbers of 沉默的大多数: who answered the question, and of them who stands for all customers."""
    metric = one.metric
    said = feedback.filter((pl.col("channel") == one.channel) & metric.base)
    stood = said if one.people is None else said.filter(pl.col("customer_id").is_in(one.people["customer_id"].implode()))
    told = ((said, "答了这一题的人", "这个渠道里答了这一题的有几人"), (said, f"听到的{metric.label}", metric.definition),
            (stood, f"折算到全体的{metric.label}", f"{metric.definition}；认得出是谁、又在基数里的人加权后的数，这里是他们的反馈"))
    return [resolved(store, rows, metric, number, _named(rows), definition=words) for rows, number, words in told]


def trace_customer(store: Store, feedback: pl.DataFrame, steps: pl.DataFrame, one: Customer) -> list[dict]:
    """`trace` for the three numbers of 一位客户: what he said, the feedback of his matters, of those that are owed."""
    said = feedback.filter(pl.col("person_id") == one.person_id)
    matters, owed = (said.join(steps.join(cases.select("case_id"), on="case_id", how="semi").select("feedback_id"), on="feedback_id", how="semi") for cases in (one.cases, one.owed))
    told = ((said, "说过的话", "这段时间里认得出是他的反馈有几条"), (matters, "几件事", "他的反馈归成几件；这里是归进去的全部反馈"), (owed, "还欠着的", "还没有下文的有几件；这里是这些事里的全部反馈"))
    return [resolved(store, rows, "volume", number, _named(rows), definition=words) for rows, number, words in told]


def _named(rows: pl.DataFrame) -> str:
    return where_sql([f"feedback_id IN ({literals(rows['feedback_id'])})"])
