"""The tables and sentences of 数据体检: how fresh, how complete, what was refused, whom a channel cannot speak for."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.health import channels_of
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.tables import table
from voc_lib.report.words import channel_title
from voc_lib.store import Store

STATES = {"fresh": ("✓ 及时", "better"), "stale": ("! 过期", "worse"), "undated": ("无日期", "soft"), "empty": ("! 没有数据", "worse")}


def table_freshness(freshness: pl.DataFrame, titles: dict[str, str]) -> Block:
    """`freshness` as a table: the age in days beside what the contract promises."""
    columns = [{"title": "渠道"}, {"title": "反馈（条）", "tone": "number"}, {"title": "起止"}, {"title": "距快照", "tone": "number"}, {"title": "状态"}]
    rows = []
    for row in freshness.iter_rows(named=True):
        word, tone = STATES[row["state"]]
        undated = f"其中 {theme.count_text(row['undated'])} 条无日期" if row["undated"] and row["state"] != "undated" else ""
        age = theme.ABSENT if row["days_old"] is None else f"{theme.count_text(row['days_old'])} 天"
        rows.append([
            {"text": channel_title(row["channel"], titles), "tone": "strong"},
            {"text": theme.count_text(row["feedback"]), "tone": "number", "small": undated},
            {"text": f"{row['first_day']} 至 {row['last_day']}" if row["last_day"] else theme.ABSENT},
            {"text": age, "tone": "number", "small": f"应在 {row['freshness_days']} 天内" if row["days_old"] is not None else ""},
            {"text": word, "tone": tone},
        ])
    return Block(kind="table", columns=columns, rows=rows, caption="")


def say_freshness(freshness: pl.DataFrame, titles: dict[str, str]) -> Sentence:
    """Which channels are late or missing."""
    late = [channel_title(name, titles) for name in freshness.filter(pl.col("state") == "stale")["channel"]]
    missing = [channel_title(name, titles) for name in freshness.filter(pl.col("state") == "empty")["channel"]]
    if not late and not missing:
        return Sentence("按各渠道合同约定的期限，", ("没有一个渠道过期", "better"), "。")
    said = [f"{'、'.join(late)}的最近一条已超过合同约定的期限" if late else "", f"{'、'.join(missing)}还没有任何数据" if missing else ""]
    return Sentence(("；".join(part for part in said if part), "worse"), "。缺了来源的一周，变化可能只是缺数。")


def say_quarantine(exports: pl.DataFrame) -> Sentence:
    """How many rows were refused, of how many read."""
    read, refused = int(exports["rows_read"].sum() or 0), int(exports["rows_quarantined"].sum() or 0)
    if not read:
        return Sentence("还没有读过任何导出文件。")
    if not refused:
        return Sentence(f"读入的 {theme.count_text(read)} 行全部合格，", ("没有一行被隔离", "better"), "。")
    return Sentence(f"读入 {theme.count_text(read)} 行，", (f"隔离 {theme.count_text(refused)} 行", "worse"), "：没有进入任何数字，也没有丢，改好合同或文件后重新导入即可。")


def table_exports(exports: pl.DataFrame, titles: dict[str, str]) -> Block:
    """`exports_read` as a table: where every row went."""
    heads = {"channel": "渠道", "files": "文件", "rows_read": "读入行", "feedback_stored": "成为反馈", "rows_repeated": "重复",
             "rows_filtered": "按合同滤去", "rows_quarantined": "隔离"}
    return table(_titled(exports, titles), heads)


def table_quarantine(reasons: pl.DataFrame, titles: dict[str, str]) -> Block:
    """`quarantine_reasons` as a table, or a sentence where nothing was refused."""
    if reasons.is_empty():
        return note("没有一行被隔离。")
    return table(_titled(reasons, titles), {"channel": "渠道", "reason": "为什么", "rows": "行数", "file": "例如在文件", "line": "第几行"})


def table_text_health(health: pl.DataFrame, titles: dict[str, str]) -> Block:
    """`text_health` as a table."""
    heads = {"channel": "渠道", "feedback": "反馈（条）", "empty_share": "没写字", "repeated_share": "文字重复", "coded_share": "有编码",
             "no_author_share": "无作者", "linked_share": "可关联客户", "deleted_share": "已被平台删除"}
    return table(_titled(health, titles), heads)


def _titled(frame: pl.DataFrame, titles: dict[str, str]) -> pl.DataFrame:
    return frame.with_columns(pl.col("channel").replace(titles))


def table_limits(store: Store) -> Block:
    """What each channel cannot tell, in the words of its contract."""
    asked = {True: "受邀", False: "主动"}
    heard = set(store.sql("SELECT DISTINCT channel FROM feedback_rows")["channel"])
    rows = [[{"text": c.title, "tone": "strong"}, {"text": asked[c.solicited]}, {"text": c.cannot_tell}]
            for name, c in channels_of(store).items() if name in heard]
    return Block(kind="table", columns=[{"title": "渠道"}, {"title": "发声"}, {"title": "看不出什么"}], rows=rows, caption="")
