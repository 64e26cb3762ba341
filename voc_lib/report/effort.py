"""What it costs a customer to be heard: minutes, transfers, calls made again."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.effort import AGAIN, METRICS, PASSED_ON, REPEATED, WAIT
from voc_lib.report import theme
from voc_lib.report.blocks import SHORT_ID, Block, Sentence
from voc_lib.report.words import code_name, group_title

MINUTES = {WAIT.label}
MOST = 15


def say_effort(effort: pl.DataFrame) -> Sentence:
    """`effort` without groups in one sentence; what the exports do not tell, or tell of fewer than ten people, is said so."""
    rows = {row["metric"]: row for row in effort.iter_rows(named=True)}
    found = {name: row for name, row in rows.items() if theme.is_number(row["estimate"]) and (row["people"] or 0) >= theme.FEWEST}  # without groups `estimate` withholds nothing
    if not found:
        return Sentence(f"有等待、转接或再来电记录的人{theme.SUPPRESSED}，不说他们费了多少力。" if rows else "来电的导出里没有等待、转接的记录，也认不出再来电的人，看不出客户费了多少力。")
    told = [f"{label} {_value(found[metric.label])}（{_range(found[metric.label], '给不出区间')}）" for metric, label in ((WAIT, "平均等"), (PASSED_ON, "被转接过的占"), (REPEATED, f"{AGAIN} 天内为同一件事再来电的占")) if metric.label in found]
    missing = [metric.label for metric in METRICS if metric.label not in rows]
    few = [metric.label for metric in METRICS if metric.label in rows and metric.label not in found]
    return Sentence("来电的人，", ("；".join(told), "strong"), "。", f"导出里没有：{'、'.join(missing)}。" if missing else "", f"记录{theme.SUPPRESSED}，不单列：{'、'.join(few)}。" if few else "")


def table_effort(effort: pl.DataFrame, by: str, most: int = MOST) -> Block:
    """`effort` by a column: a row per group, a column per metric with its interval; groups under 10 people are counted, not listed."""
    metrics = effort["metric"].unique(maintain_order=True).to_list()
    shown = {(row[by], row["metric"]): row for row in effort.iter_rows(named=True)}
    sizes = effort.filter(pl.col("people").is_not_null()).group_by(by).agg(pl.col("people").max()).sort("people", by, descending=[True, False])
    groups, hidden = sizes[by].to_list(), effort[by].n_unique() - sizes.height
    columns = [{"title": {"dealer": "门店", "product": "产品", "code": "问题"}.get(by, by)}, {"title": "人数", "tone": "number"}, *({"title": metric, "tone": "number"} for metric in metrics)]
    rows = [[{"text": group_title(by, group), "tone": "strong"}, {"text": theme.count_text(people), "tone": "number"}, *(_cell(shown.get((group, metric))) for metric in metrics)]
            for group, people in sizes.head(most).iter_rows()]
    more = f"共 {len(groups)} 组，列出人数最多的 {most} 组。" if len(groups) > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=more + (f"另有 {hidden} 组{theme.SUPPRESSED}，不列。" if hidden > 0 else "") if rows else f"没有一组来电的人{theme.FEWEST} 人以上。")


def table_case_effort(cases: pl.DataFrame, most: int = 10) -> Block:
    """The matters for which people had to call most often."""
    shown = cases.filter(pl.col("calls") > 1).head(most)
    rows = [[{"text": row["person_id"][:SHORT_ID], "tone": "soft"}, {"text": code_name(row["code"]), "tone": "strong"}, {"text": f"{row['calls']}", "tone": "number"},
             {"text": f"{row['minutes']:.0f}" if row["minutes"] else theme.ABSENT, "tone": "number"}, {"text": f"{row['transfers']}" if row["transfers"] else theme.ABSENT, "tone": "number"}] for row in shown.iter_rows(named=True)]
    columns = [{"title": "谁"}, {"title": "什么事"}, *({"title": title, "tone": "number"} for title in ("来电", "共等（分钟）", "转接"))]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="" if rows else "没有一件事要打第二次电话。")


def _value(row: dict) -> str:
    return f"{_minutes(row['estimate'])} 分钟" if row["metric"] in MINUTES else theme.share_text(row["estimate"])


def _minutes(value: float) -> str:
    """Minutes to a tenth, from a hundred on whole; nobody waits less than none."""
    return f"{max(value, 0):.1f}" if value < 100 else theme.count_text(value)


def _range(row: dict, absent: str = theme.ABSENT) -> str:
    low, high = row["conf_low"], row["conf_high"]
    if not theme.is_number(low) or not theme.is_number(high):
        return absent
    return f"{_minutes(low)}～{_minutes(high)}" if row["metric"] in MINUTES else f"{theme.share_text(low)}～{theme.share_text(high)}"


def _cell(row: dict | None) -> dict:
    if row is None or not theme.is_number(row["estimate"]):
        return {"text": theme.ABSENT if row is None else theme.SUPPRESSED, "tone": "suppressed"}
    return {"text": _value(row), "tone": "number", "small": _range(row)}
