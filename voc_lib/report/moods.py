"""The emotion curve of a journey: how people feel step by step, and where it turns."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.emotion import FEWEST_STEPS, EmotionError, mood_turns
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.charts import Chart

SURE = 0.8  # of the resamples that have the turn within one step


def turns_or_none(journey: pl.DataFrame) -> pl.DataFrame | None:
    """`mood_turns`, or None where the journey is too short for a curve."""
    try:
        return mood_turns(journey)
    except EmotionError:
        return None


def chart_moods(curve: pl.DataFrame, turns: pl.DataFrame | None) -> Block:
    """The mean mood by step with its band, and a mark where it turns; a note where there is no curve."""
    if curve.height < 2:
        return note(f"没有十个人各说过 {FEWEST_STEPS} 次以上，画不出情绪曲线。")
    alone = curve["people"].max() == 1
    x, y = curve["step"].to_list(), curve["mood"].to_list()
    hover = [f"第 {row['step']} 步<br>情绪 {theme.score_text(row['mood'])}" + ("" if alone else f"（{theme.score_text(row['conf_low'])}～{theme.score_text(row['conf_high'])}）<br>{row['people']} 人") for row in curve.iter_rows(named=True)]
    data = [] if alone else [{"type": "scatter", "mode": "none", "fill": "toself", "hoverinfo": "skip", "fillcolor": theme.LIGHT["band"], "x": [*x, *reversed(x)],
                              "y": [*curve["conf_high"], *reversed(curve["conf_low"].to_list())]}]
    data.append({"type": "scatter", "mode": "lines+markers", "x": x, "y": y, "hovertext": hover, "hoverinfo": "text", "line": {"color": theme.LIGHT["blue"], "width": 2.2}, "marker": {"size": 7, "color": theme.LIGHT["blue"]}})
    layout = theme.chart_layout(280)
    layout["xaxis"] |= {"tickmode": "array", "tickvals": x, "ticktext": [f"第{step}步" for step in x], "showline": True, "range": [0.6, max(x) + 0.4]}
    layout["yaxis"] |= {"range": [-1.15, 1.15], "tickmode": "array", "tickvals": [-1, 0, 1], "ticktext": ["不满", "一般", "满意"], "showgrid": True}
    layout["shapes"] = [{"type": "line", "x0": step - 0.5, "x1": step - 0.5, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": theme.LIGHT["amber"], "width": 2, "dash": "dot"}} for step in ([] if turns is None else turns["step"])]
    return Chart({"data": data, "layout": layout}, "情绪怎样变" if alone else "同一群人，一步一步的情绪", ("" if alone else "浅色为 95% 区间（按人重抽）；") + "虚线是情绪拐弯的地方")


def say_turns(turns: pl.DataFrame | None, journey: pl.DataFrame) -> Sentence:
    """Where the mood turns, which way, and how sure that is."""
    people = journey["person_id"].n_unique() if journey.height else 0
    if turns is None:
        return Sentence("说得够多、又判断得出情绪的人太少，看不出情绪在哪里拐弯。" if people != 1 else f"这位客户判断得出情绪的不足 {FEWEST_STEPS} 次，看不出情绪在哪里拐弯。")
    who = theme.people_text(people) if people != 1 else "这位客户"
    if turns.is_empty():
        return Sentence(f"{who}的情绪没有超出偶然的拐弯。")
    parts: list = [f"{who}的情绪"]
    for place, row in enumerate(turns.iter_rows(named=True)):
        word, tone = ("转坏", "worse") if row["after"] < row["before"] else ("转好", "better")
        parts += ["，" if place else "", (f"第 {theme.count_text(row['step'])} 步{word}", tone), f"（{_change(row)}；重抽 {theme.share_text(row['share'])} 仍在此处上下一步之内，{_where(row)}）"]
    return Sentence(*parts, "。观点由模型判断，未经人工抽检。")


def _change(row: dict) -> str:
    """Mood before and after; thousands of people show a turn that two decimals do not."""
    before, after = theme.score_text(row["before"]), theme.score_text(row["after"])
    return f"{before} → {after}" if before != after else f"都在 {before} 上下，相差不到 0.01"


def _where(row: dict) -> str:
    """Between which steps the turn is, and whether to rely on it."""
    told = [f"第 {theme.count_text(row['earliest'])}～{theme.count_text(row['latest'])} 步之间"] if row["earliest"] != row["latest"] else []
    if row["share"] < SURE:
        return "，".join([*told, "不够稳，只作线索"])
    return "".join(told) or "位置很稳"
