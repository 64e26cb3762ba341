"""What only the pages of a week need: its status line, how much moved, every channel's weeks side by side."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block, note, status_line
from voc_lib.report.charts import TICKS, Chart, chart_trend
from voc_lib.report.escape import safe_label
from voc_lib.report.words import channel_title, finding
from voc_lib.store import Store

ROW = 92  # height in pixels of one channel's weeks
MOST_WEEKS = 53


def status_week(store: Store, feedback: pl.DataFrame, baseline: str | None, remark: str = "") -> Block:
    """The facts under the title: snapshot, feedback, channels, and the week it is compared with."""
    compared = f"与{theme.week_label(baseline)}相比" if baseline else "! 没有可比的一周"
    facts = {"快照": store.snapshot, "本周": f"{theme.count_text(feedback.height)} 条，{feedback['channel'].n_unique()} 个渠道", "比较": compared}
    return status_line(**facts, **({"注意": f"! {remark}"} if remark else {}))


def count_moved(movers: pl.DataFrame) -> int:
    """How many groups changed by more than chance and the floor, or stand outside what is usual."""
    return len(codes_moved(movers))


def codes_moved(movers: pl.DataFrame) -> list[str]:
    """The codes that `count_moved` counts."""
    return [row["code"] for row in movers.iter_rows(named=True) if finding(row) in ("rise", "fall", "above", "below")]


def trend_or_note(estimates: pl.DataFrame, missing: str, title: str = "") -> Block:
    """`chart_trend`, or the sentence `missing` where no week has enough people for a number."""
    return chart_trend(estimates, title) if estimates["estimate"].is_not_null().any() else note(missing)


def chart_weeks(feedback: pl.DataFrame, titles: dict[str, str] | None = None, most: int = MOST_WEEKS) -> Block:
    """Feedback per week, one strip per channel on its own scale: a gap is a week without an export.

    Shows the last `most` weeks that any channel was heard in; undated feedback is left out; a note where none has a date.
    """
    dated = feedback.filter(pl.col("iso_week") != "undated")
    if dated.is_empty():
        return note("没有任何带日期的反馈，不能按周画图。")
    counted = dated.group_by("channel", "iso_week").agg(pl.len().alias("n"))
    first, last = (theme.week_monday(week) for week in (counted["iso_week"].min(), counted["iso_week"].max()))
    days = [last - timedelta(weeks=back) for back in reversed(range(most)) if last - timedelta(weeks=back) >= first]
    counted = counted.filter(pl.col("iso_week") >= days[0].strftime("%G-W%V"))
    channels = counted.group_by("channel").agg(pl.col("n").sum()).sort("n", "channel", descending=[True, False])
    layout = theme.chart_layout(ROW * channels.height + 40)
    layout.pop("yaxis")
    shown = [place for place in range(len(days)) if (len(days) - 1 - place) % max(1, -(-len(days) // TICKS)) == 0]
    layout["xaxis"] |= {"type": "date", "tickmode": "array", "tickvals": [days[p].isoformat() for p in shown], "showline": True,
                        "ticktext": [theme.day_label(days[p]) for p in shown], "anchor": f"y{channels.height}" if channels.height > 1 else "y",
                        "range": [(days[0] - timedelta(days=5)).isoformat(), (days[-1] + timedelta(days=5)).isoformat()]}
    layout["annotations"], data = [], []
    for place, name in enumerate(channels["channel"]):
        axis = "y" if place == 0 else f"y{place + 1}"
        top = 1 - place / channels.height
        layout[f"yaxis{place + 1 if place else ''}"] = theme.chart_layout(1)["yaxis"] | {
            "domain": [top - 0.68 / channels.height, top - 0.24 / channels.height], "nticks": 3, "rangemode": "tozero", "showgrid": True, "anchor": "x"}
        layout["annotations"].append({"text": f"<b>{safe_label(channel_title(name, titles))}</b>", "x": 0, "xref": "paper", "xanchor": "left",
                                      "y": top - 0.02 / channels.height, "yref": "paper", "yanchor": "top", "showarrow": False, "font": {"size": 13}})
        volume = {row["iso_week"]: row["n"] for row in counted.filter(pl.col("channel") == name).iter_rows(named=True)}
        values = [volume.get(day.strftime("%G-W%V")) for day in days]
        hover = [f"<b>{safe_label(channel_title(name, titles))}</b><br>{theme.week_label(day.strftime('%G-W%V'))}<br>{theme.count_text(value)} 条" if value else ""
                 for day, value in zip(days, values, strict=True)]
        data.append({"type": "bar", "x": [day.isoformat() for day in days], "y": values, "yaxis": axis, "hovertext": hover, "hoverinfo": "text",
                     "marker": {"color": theme.LIGHT["blue"]}, "width": 5 * 86_400_000})
    return Chart({"data": data, "layout": layout}, "各渠道每周有多少条反馈", "每条用自己的刻度；空着的周没有数据；日期为周一")
