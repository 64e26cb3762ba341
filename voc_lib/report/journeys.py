"""客户旅程: how many matters the posts are, which went up a level and how soon, told, listed and drawn."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.escalations import SOON, TO_NOWHERE, waiting_curve
from voc_lib.measure.levels import Levels
from voc_lib.report import theme
from voc_lib.report.blocks import SHORT_ID, Block, Sentence, note
from voc_lib.report.charts import Chart
from voc_lib.report.escape import safe_label
from voc_lib.report.words import channel_title, code_name

TOP_CASES = 12
COLOURS = ("blue", "amber", "red", "green")


def say_cases(feedback: pl.DataFrame, cases: pl.DataFrame) -> Sentence:
    """Posts, matters and people of the page in one sentence, and what could not be told apart."""
    if cases.is_empty():
        return Sentence("没有一条反馈既认得出是谁，又说得出什么事：没有旅程可看。要导入客户档案或账号登记，才连得起来。")
    known, posts = feedback.filter(pl.col("person_id").is_not_null()).height, cases["posts"].sum()
    rest = "其余的说不出是哪件事，或认不出是谁，不在这一页里。" if posts < feedback.height else ""
    return Sentence(f"{theme.count_text(feedback.height)} 条反馈里，{theme.count_text(known)} 条认得出是谁；其中 ", (f"{theme.count_text(posts)} 条", "strong"), "归成 ",
                    (f"{theme.count_text(cases.height)} 件事", "strong"), "，", (theme.past_text("属于", cases["person_id"].n_unique()), "strong"), "。", rest)


def say_climbs(cases: pl.DataFrame, times: pl.DataFrame) -> Sentence:
    """How many matters went up a level, and from which level most go on."""
    climbed = cases.filter(pl.col("reached") > pl.col("started"))
    if climbed["person_id"].n_unique() < theme.FEWEST:
        return Sentence(f"走到更高一级的{theme.SUPPRESSED}。" if climbed.height else "没有一件走到更高一级。")
    told = [f"{row['title']}的事，{SOON} 天内 {theme.share_text(row['share'])}（{theme.share_text(row['share_low'])}～{theme.share_text(row['share_high'])}）走到更高一级"
            for row in times.iter_rows(named=True) if row["share_low"] is not None]
    return Sentence((f"{theme.count_text(climbed.height)} 件", "strong"), f"走到更高一级，{theme.people_text(climbed['person_id'].n_unique())}。", "；".join(told) + ("。" if told else ""))


def count_climbed(cases: pl.DataFrame) -> int | None:
    """Matters that went up at least one level; None where they are of 1 to 9 people."""
    climbed = cases.filter(pl.col("reached") > pl.col("started"))
    return None if 0 < climbed["person_id"].n_unique() < theme.FEWEST else climbed.height


def chart_escalations(flows: pl.DataFrame, levels: Levels, titles: dict[str, str] | None = None) -> Block:
    """`transitions` as a Sankey: from where matters go up, and where they go; pairs under 10 people are not drawn, nor what went no higher."""
    shown = flows.filter(pl.col("people").is_not_null() & (pl.col("to") != TO_NOWHERE))
    if shown.is_empty():
        return note("没有一条升级的路有十人以上走过，画不出来；各级合计见下表。")
    heads = {row["from"]: row["from_level"] for row in shown.iter_rows(named=True)} | {row["to"]: row["to_level"] for row in shown.iter_rows(named=True)}
    nodes = sorted(heads, key=lambda name: (heads[name], name))
    colours = [theme.LIGHT[COLOURS[min(heads[name], len(COLOURS) - 1)]] for name in nodes]
    labels = [f"{safe_label(channel_title(name, titles))}" for name in nodes]
    hover = [f"{safe_label(channel_title(row['from'], titles))} → {safe_label(channel_title(row['to'], titles))}<br>{safe_label(theme.people_text(row['people']))}，{theme.count_text(row['cases'])} 件事"
             for row in shown.iter_rows(named=True)]
    trace = {"type": "sankey", "arrangement": "snap", "node": {"label": labels, "color": colours, "pad": 22, "thickness": 16, "line": {"width": 0}, "hoverinfo": "skip"},
             "link": {"source": [nodes.index(name) for name in shown["from"]], "target": [nodes.index(name) for name in shown["to"]], "value": shown["people"].to_list(),
                      "customdata": hover, "hovertemplate": "%{customdata}<extra></extra>", "color": [theme.LIGHT["band"]] * shown.height}}
    hidden = flows.filter(pl.col("people").is_null() & (pl.col("to") != TO_NOWHERE)).height
    layout = theme.chart_layout(max(220, 46 * len(nodes) + 60))
    layout["margin"] |= {"l": 8, "r": 8, "t": 16, "b": 16}
    return Chart({"data": [trace], "layout": {name: value for name, value in layout.items() if name not in ("xaxis", "yaxis")}}, "一件事从哪里升级到哪里",
                 "带子的宽度是人数；从左到右由轻到重：" + "、".join(levels.titles), f"另有 {hidden} 条路{theme.SUPPRESSED}，没有画出。" if hidden else "")


def table_transitions(flows: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """`transitions` as a table: from, to, people, cases."""
    columns = [{"title": "从"}, {"title": "到"}, {"title": "人数", "tone": "number"}, {"title": "件数", "tone": "number"}]
    rows = [[{"text": channel_title(row["from"], titles), "tone": "strong"}, {"text": channel_title(row["to"], titles)}, *(_count(row[name]) for name in ("people", "cases"))]
            for row in flows.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="「到此为止」是没有走到更高一级的，也可能是还没到时候。" if rows else "没有一件事走过带级别的渠道。")


def table_times(times: pl.DataFrame) -> Block:
    """`time_to_next`: for each level how many go on within 30 days, and after how many days those that do."""
    columns = [{"title": "在这一级"}, *({"title": title, "tone": "number"} for title in ("人数", "件数", "走上去的", f"{SOON} 天内走上去", "走上去的：几天后"))]
    rows = [[{"text": row["title"], "tone": "strong"}, *(_count(row[name]) for name in ("people", "cases", "climbed")), _ranged(row, "share", theme.share_text),
             _ranged(row, "median", lambda days: theme.ABSENT if days is None else f"{days:g} 天")] for row in times.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="中位数只算已经走上去的，一人只算最早的一件；还没走上去的在占比里算作仍在观察。")


def chart_climbed(stays: pl.DataFrame, levels: Levels, days: int = 45) -> Block:
    """By days since a matter came to a level: the share that went higher, with its 95 % interval."""
    bands, lines = [], []
    for level, title in enumerate(levels.titles[:-1]):
        curve = waiting_curve(stays, level).drop_nulls("conf_low")
        if curve.is_empty() or stays.filter(pl.col("level") == level)["person_id"].n_unique() < theme.FEWEST:
            continue
        x = _stairs([0.0, *curve["day"]], days)
        share, low, high = (_flat([0.0, *(100 * (1 - curve[name])).to_list()]) for name in ("waiting", "conf_high", "conf_low"))
        colour = theme.LIGHT[COLOURS[level % len(COLOURS)]]
        bands.append({"type": "scatter", "mode": "none", "fill": "toself", "hoverinfo": "skip", "fillcolor": theme.LIGHT["band"], "x": [*x, *reversed(x)], "y": [*high, *reversed(low)]})
        lines += [{"type": "scatter", "mode": "lines", "x": x, "y": share, "line": {"color": colour, "width": 2.2}, "hoverinfo": "text",
                   "hovertext": [f"{safe_label(title)}<br>{day:g} 天内 {value:.1f}%" for day, value in zip(x, share, strict=True)]},
                  {"type": "scatter", "mode": "text", "x": [days], "y": [share[-1]], "text": [f"<b>{safe_label(title)}</b>"], "textposition": "top left", "textfont": {"color": colour}, "hoverinfo": "skip", "cliponaxis": False}]
    data = bands + lines
    if not data:
        return note("没有一级有十人以上走到更高一级，画不出时间。")
    layout = theme.chart_layout(270)
    layout["xaxis"] |= {"range": [0, days * 1.02], "ticksuffix": " 天", "nticks": 6, "showline": True}
    layout["yaxis"] |= {"showgrid": True, "ticksuffix": "%", "rangemode": "tozero", "nticks": 5}
    return Chart({"data": data, "layout": layout}, "走到一级以后，多久走到更高一级", "走上去的占比（Kaplan–Meier）；浅色为 95% 区间")


def _stairs(x: list[float], end: float) -> list[float]:
    """Each day twice but the first: the curve stands still between two events."""
    return [day for pair in zip(x, [*x[1:], end], strict=True) for day in pair]


def _flat(y: list[float]) -> list[float]:
    return [value for value in y for _ in range(2)]


def table_posts_cases_people(counted: pl.DataFrame, most: int = 15) -> Block:
    """`posts_cases_people`: what loud posts are in matters and in people."""
    shown = counted.drop_nulls("people")
    heads = [("heard", "提到的反馈"), ("posts", "归成事的反馈"), ("cases", "件数"), ("people", "人数"), ("climbed", "升级的")]
    heads = [(name, title) for name, title in heads if name in counted.columns]
    rows = [[{"text": code_name(row["code"]), "tone": "strong"}, *(_count(row[name]) for name, _ in heads)] for row in shown.head(most).iter_rows(named=True)]
    hidden = counted.height - shown.height
    remark = (f"按人数列出前 {most} 个，共 {shown.height} 个。" if shown.height > most else "") + (f"另有 {hidden} 个问题{theme.SUPPRESSED}，不列。" if hidden else "")
    return Block(kind="table", columns=[{"title": "问题"}, *({"title": title, "tone": "number"} for _, title in heads)], rows=rows, caption="", note=remark)


def say_posts_cases_people(counted: pl.DataFrame) -> Sentence:
    """The code where posts and people are furthest apart."""
    shown = counted.drop_nulls("people")
    if shown.is_empty():
        return Sentence(f"没有一个问题有 {theme.FEWEST} 人以上，条数和人数不作比较。")
    told = shown.filter(pl.col("posts") > pl.col("people"))
    if told.is_empty():
        return Sentence(f"有 {theme.FEWEST} 人以上的问题都是一人一条，条数和人数没有差别。")
    row = told.sort(pl.col("posts") / pl.col("people"), "people", "code", descending=[True, True, False]).row(0, named=True)
    return Sentence("条数和人数差得最多的是", (code_name(row["code"]), "strong"), f"：{theme.count_text(row['posts'])} 条反馈 ＝ {theme.count_text(row['cases'])} 件事 ＝ {theme.people_text(row['people'])}。")


def table_top_cases(cases: pl.DataFrame, steps: pl.DataFrame, levels: Levels, titles: dict[str, str] | None = None, most: int = TOP_CASES) -> Block:
    """The matters that went furthest, then the longest: whose (pseudonymous), what, and the steps with their days. No words of anybody."""
    shown = cases.filter(pl.col("reached") > pl.col("started")).sort(pl.col("reached") - pl.col("started"), "last_at", "case_id", descending=[True, True, False]).head(most)
    rows = []
    for row in shown.iter_rows(named=True):
        own = steps.filter(pl.col("case_id") == row["case_id"]).sort("step")
        rows.append([{"text": row["person_id"][:SHORT_ID], "tone": "soft"}, {"text": code_name(row["code"]), "tone": "strong"}, {"text": path_text(own, titles)},
                     {"text": levels.titles[row["reached"]]}, {"text": f"{row['days']} 天", "tone": "number"}])
    columns = [{"title": "谁"}, {"title": "什么事"}, {"title": "怎么走的"}, {"title": "走到"}, {"title": "历时", "tone": "number"}]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="「谁」是化名编号；把它填进《一位客户》的 person，就能看全。" if rows else "没有一件事走到更高一级。")


def table_likely(likely: pl.DataFrame, levels: Levels, titles: dict[str, str] | None = None, most: int = TOP_CASES) -> Block:
    """Matters that may have gone up: steps from `case_steps(..., near=...)` of which one rests on time alone, the latest first. To be read by somebody; counted nowhere."""
    guessed = likely.filter(pl.col("case_id").is_in(likely.filter(pl.col("by") == "time")["case_id"].implode()))
    last = guessed.group_by("case_id").agg(pl.col("at").max().alias("last"), pl.col("person_id", "code").first()).sort("last", "case_id", descending=[True, False])
    rows = [[{"text": row["person_id"][:SHORT_ID], "tone": "soft"}, {"text": code_name(row["code"]), "tone": "strong"}, {"text": path_text(guessed.filter(pl.col("case_id") == row["case_id"]).sort("step"), titles)},
             {"text": levels.titles[guessed.filter(pl.col("case_id") == row["case_id"])["level"].max()]}] for row in last.head(most).iter_rows(named=True)]
    remark = f"共 {theme.count_text(last.height)} 件，列出最近的 {most} 件。" if last.height > most else "" if rows else "没有这样的事。"
    return Block(kind="table", columns=[{"title": "谁"}, {"title": "什么事"}, {"title": "怎么走的"}, {"title": "走到"}], rows=rows, caption="", note=remark)


def path_text(steps: pl.DataFrame, titles: dict[str, str] | None = None) -> str:
    """The steps of one case: the day of the first, then the days between.

    >>> from datetime import date
    >>> path_text(pl.DataFrame({"at": [date(2026, 9, 1), date(2026, 9, 8)], "channel": ["forum", "hotline"]}))
    '2026-09-01 forum → 7 天后 hotline'
    """
    parts, before = [], None
    for at, channel in steps.select("at", "channel").iter_rows():
        when = at.isoformat() if before is None else "当天" if at == before else f"{(at - before).days} 天后"
        parts.append(f"{when} {channel_title(channel, titles)}")
        before = at
    return " → ".join(parts)


def _count(value: object) -> dict:
    return {"text": theme.count_text(value), "tone": "number"} if theme.is_number(value) else {"text": theme.SUPPRESSED, "tone": "suppressed"}


def _ranged(row: dict, name: str, written) -> dict:
    if not theme.is_number(row[name]):
        return {"text": theme.ABSENT if theme.is_number(row["people"]) else theme.SUPPRESSED, "tone": "suppressed"}
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return {"text": written(row[name]), "tone": "number", "small": f"{written(low)}～{written(high)}" if theme.is_number(low) and theme.is_number(high) else ""}
