"""People heard per 10,000 of a channel's base, told, listed and drawn; 没有基数 where no export says how large it is."""

from __future__ import annotations

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.charts import Chart
from voc_lib.report.escape import safe_label
from voc_lib.report.words import channel_title, code_name

BASES = {"vehicles": "在用车辆数", "app_users": "应用的用户数", "visits": "进店次数", "calls": "来电次数", "customers": "客户数", "accounts": "账户数"}


def say_bases(rates: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """Which channels have a base to divide by, who speaks most per 10,000 of it, and what the others would need."""
    told = rates.drop_nulls("estimate").sort("estimate", descending=True)
    lacking = rates.filter(pl.col("in_use").is_null())
    needed = "，".join(f"{channel_title(row['channel'], titles)}要有{BASES.get(row['base'], row['base'] or '基数')}" for row in lacking.iter_rows(named=True))
    missing = f"没有基数、算不出来的：{needed}。在 data/domains 的 bases 文件夹里给出基数的合同，导入后就会算。" if needed else ""
    if told.is_empty():
        return Sentence(("没有基数", "strong"), "，每一万个里有多少人发声现在算不出来。", missing, "在此之前只能看听到的人里的构成，不能比较哪个渠道的客户更不满意。")
    first = told.row(0, named=True)
    return Sentence("每一万", BASES.get(first["base"], first["base"]).removesuffix("数"), f"里，{channel_title(first['channel'], titles)}听到 ",
                    (f"{rate_text(first['estimate'])} 人", "strong"), f"（{rate_text(first['conf_low'])}～{rate_text(first['conf_high'])}）。只数了客户和身份不明的人；",
                    "这是开口的人，不是遇到问题的人。", missing)


def table_bases(rates: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """`base_rates` as a table: the base, people heard, people per 10,000 with the interval; 没有基数 where none is known."""
    columns = [{"title": "渠道"}, {"title": "基数"}, {"title": "听到的人", "tone": "number"}, {"title": "每一万", "tone": "number"}]
    rows = []
    for row in rates.iter_rows(named=True):
        size = {"small": theme.count_text(round(row["in_use"]))} if row["in_use"] is not None else {}
        people = {"text": theme.people_text(row["people"]), "tone": "number"} if row["people"] is not None else {"text": theme.SUPPRESSED, "tone": "suppressed"}
        rate = {"text": row["note"], "tone": "suppressed"}
        if row["estimate"] is not None:
            rate = {"text": rate_text(row["estimate"]), "tone": "number", "small": f"{rate_text(row['conf_low'])}～{rate_text(row['conf_high'])}"}
        rows.append([{"text": channel_title(row["channel"], titles), "tone": "strong"}, {"text": BASES.get(row["base"], row["base"] or theme.ABSENT)} | size, people, rate])
    return Block(kind="table", columns=columns, rows=rows, caption="")


def chart_base_codes(rates: pl.DataFrame, titles: dict[str, str] | None = None, most: int = 10) -> Block:
    """The codes that most people mention per 10,000 of the base, in the channel with most such people; a note without a base."""
    told = rates.drop_nulls("estimate")
    if told.is_empty():
        return note("没有一个渠道既有基数、又有十人以上提到同一个问题。")
    loudest = told.group_by("channel").agg(pl.col("people").sum()).sort("people", "channel", descending=[True, False])["channel"][0]
    shown = told.filter(pl.col("channel") == loudest).sort("estimate", "code", descending=[True, False]).head(most).reverse()
    base = BASES.get(shown["base"][0], shown["base"][0])
    ends = {"array": (shown["conf_high"] - shown["estimate"]).to_list(), "arrayminus": (shown["estimate"] - shown["conf_low"]).to_list()}
    trace = {"type": "scatter", "mode": "markers", "x": shown["estimate"].to_list(), "y": [safe_label(code_name(code)) for code in shown["code"]], "hoverinfo": "text",
             "hovertext": [f"{safe_label(code_name(row['code']))}<br>每一万 {rate_text(row['estimate'])} 人，{safe_label(theme.people_text(row['people']))}" for row in shown.iter_rows(named=True)],
             "marker": {"size": 9, "color": theme.LIGHT["blue"]}, "error_x": {"type": "data", "symmetric": False, "thickness": 2, "width": 0, "color": theme.LIGHT["faint"]} | ends}
    layout = theme.chart_layout(34 * shown.height + 60)
    layout["xaxis"] |= {"rangemode": "tozero"}
    return Chart({"data": [trace], "layout": layout}, f"{channel_title(loudest, titles)}：每一万{base.removesuffix('数')}里有多少人提到", "点为人数，横线为 95% 区间；这是开口的人，不是遇到问题的人")


def rate_text(value: float) -> str:
    """People per 10,000: one decimal, none from a hundred, and never a 0 for somebody.

    >>> rate_text(123.4), rate_text(1.25), rate_text(0.01), rate_text(0)
    ('123', '1.2', '<0.1', '0')
    """
    if 0 < value < 0.05:
        return "<0.1"
    return theme.count_text(value) if value >= 100 or value == 0 else f"{value:.1f}"
