"""The page 主题: which topics there are, which moved, what the model itself changed, and the ledger. Nothing here is fitted."""

from __future__ import annotations

import polars as pl

from voc_lib.enrich.ledger import MACHINE
from voc_lib.measure.analyses.topic_weeks import typical_of_topics
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note, status_line
from voc_lib.report.charts import Chart
from voc_lib.report.escape import safe_label
from voc_lib.report.words import code_title
from voc_lib.store import Store

NONE = "这个库还没有主题模型。运行 voc topics fit 之后，这一页才有内容。"
ROW = 26  # height in pixels of a topic in the list of topics by system
MOST_EVENTS = 20
MANY_BIRTHS = 5  # of one fit
LARGEST_DOT, SMALLEST_DOT = 60, 8
ACTIONS = {"birth": "新生", "split": "分裂", "merge": "合并", "retire": "消失", "rename": "改名", "noise": "标为噪声", "move": "移动反馈", "confirm": "人工确认", "refit": "重新拟合",
           "apart": "疑似分裂", "together": "疑似合并"}


def status_ledger(store: Store, topics: pl.DataFrame) -> Block:
    """The facts under the title: snapshot and version of the model."""
    return status_line(快照=store.snapshot, 主题模型=topics["version"][0] if topics.height else "! 还没有")


def people_by_topic(feedback: pl.DataFrame) -> pl.DataFrame:
    """`topic, people, volume` of a frame made by `as_codes`, most people first."""
    return feedback.explode("codes").drop_nulls("codes").group_by(pl.col("codes").alias("topic")).agg(
        pl.col("person").n_unique().alias("people"), pl.len().alias("volume")).sort("people", "topic", descending=[True, False])


def count_told(feedback: pl.DataFrame) -> int:
    """How many topics at least `theme.FEWEST` people speak of; `feedback` is the frame of `as_codes`."""
    return people_by_topic(feedback).filter(pl.col("people") >= theme.FEWEST).height


def quote_changes(feedback: pl.DataFrame, changes: pl.DataFrame, n: int = 2) -> pl.DataFrame:
    """`n` feedback nearest to the middle of each topic of `changes` (a frame of `movers`), for `verbatim_list`; takes `with_topics`."""
    nearest = typical_of_topics(feedback, n).with_columns(pl.col("topic").alias("code"))
    return changes.select("code").join(nearest, on="code", maintain_order="left_right")


def unmapped_share(feedback: pl.DataFrame) -> float | None:
    """Of the feedback with a topic at all, the share below its topic's threshold; None where there is none."""
    told = feedback.filter(pl.col("topic_id").is_not_null())
    return 1 - told["is_mapped"].fill_null(False).mean() if told.height else None


def say_ledger(feedback: pl.DataFrame, topics: pl.DataFrame) -> Sentence:
    """How much of the week has a topic, and what is below the threshold."""
    if topics.is_empty():
        return Sentence(NONE)
    told, share = feedback.filter(pl.col("topic_id").is_not_null()).height, unmapped_share(feedback)
    if share is None:
        return Sentence(f"这一周的 {theme.count_text(feedback.height)} 条反馈都没有可以归类的文字。")
    return Sentence(
        f"这一周 {theme.count_text(feedback.height)} 条反馈中，{theme.count_text(told)} 条有文字可归类，分属 ",
        (f"{theme.count_text(feedback.filter(pl.col('is_mapped').fill_null(False))['topic_id'].n_unique())} 个主题", "strong"),
        f"；其中 {theme.share_text(share)} 与最近的主题也不够像，算作未归类。编号不变，意思就不变，可以跨周比较。")


def say_span(feedback: pl.DataFrame, weeks: list[str]) -> Sentence:
    """Which weeks the map and the list of topics speak of, and of how many people."""
    told = feedback.filter(pl.col("codes").list.len() > 0)
    years = weeks[0][:4] != weeks[-1][:4]    # 第46周到第46周 would be a whole year
    first, last = (f"{week[:4]}年{theme.week_short(week)}" if years else theme.week_short(week) for week in (weeks[0], weeks[-1]))
    when = first if weeks[0] == weeks[-1] else f"{first}到{last}"
    return Sentence(f"{when}，{theme.count_text(told['person'].n_unique())} 人的话归入 ", (f"{theme.count_text(told['topic_id'].n_unique())} 个主题", "strong"), "。")


def chart_ledger_map(feedback: pl.DataFrame, topics: pl.DataFrame) -> Block:
    """Topics as dots: nearer means told in more alike words, larger means more people. `feedback` is the frame of `as_codes`."""
    counted = people_by_topic(feedback)
    shown = topics.filter(~pl.col("is_noise")).join(counted, left_on="label", right_on="topic").filter(pl.col("people") >= theme.FEWEST).sort("topic_id")
    if shown.is_empty():
        return note(NONE if topics.is_empty() else "没有哪个主题满十人，不画图。")
    most = shown["people"].max()
    size = [max(SMALLEST_DOT, LARGEST_DOT * (people / most) ** 0.5) for people in shown["people"]]
    hover = [f"<b>{safe_label(code_title(row['label']))}</b><br>{safe_label(row['system'] or '新主题')}<br>{theme.count_text(row['people'])} 人" for row in shown.iter_rows(named=True)]
    layout = theme.chart_layout(460)
    layout["xaxis"] |= {"visible": False}
    layout["yaxis"] |= {"visible": False}
    layout["annotations"] = [
        {"x": row["x"], "y": row["y"], "text": safe_label(row["name"].split("、")[0]), "showarrow": False, "font": {"size": 12, "color": theme.LIGHT["ink"]}}
        for row in shown.sort("people", descending=True).head(18).iter_rows(named=True)]
    data = [{"type": "scatter", "mode": "markers", "x": shown["x"].to_list(), "y": shown["y"].to_list(), "hovertext": hover, "hoverinfo": "text",
             "marker": {"size": size, "color": theme.LIGHT["blue"], "opacity": 0.35}}]
    return Chart({"data": data, "layout": layout}, "主题地图", "圆越大人越多；靠得近的说法相近，方向没有意义；不足十人的不画，标出人最多的 18 个")


def chart_systems(feedback: pl.DataFrame, topics: pl.DataFrame) -> Block:
    """The two levels: topics as bars of people, grouped by system of the taxonomy. `feedback` is the frame of `as_codes`."""
    counted = people_by_topic(feedback)
    shown = topics.filter(~pl.col("is_noise")).join(counted, left_on="label", right_on="topic").filter(pl.col("people") >= theme.FEWEST)
    if shown.is_empty():
        return note(NONE if topics.is_empty() else "没有哪个主题满十人，不画图。")
    named = shown.with_columns(pl.col("system").fill_null("新主题")).with_columns(pl.col("people").sum().over("system").alias("all"))
    ordered = named.sort("all", "system", "people", "topic_id")
    text = [safe_label(f"{code_title(row['label'])}") for row in ordered.iter_rows(named=True)]
    first = ordered["system"] != ordered["system"].shift(-1)
    labels = [f"<b>{safe_label(system)}</b>　{name}" if top in (True, None) else name for system, name, top in zip(ordered["system"], text, first, strict=True)]
    layout = theme.chart_layout(ROW * ordered.height + 60)
    layout["xaxis"] |= {"visible": False, "range": [0, ordered["people"].max() * 1.2]}  # room for the number at the end
    layout["yaxis"] |= {"tickmode": "array", "tickvals": list(range(ordered.height)), "ticktext": labels, "tickfont": {"color": theme.LIGHT["ink"], "size": 12}, "automargin": True}
    data = [{"type": "bar", "orientation": "h", "x": ordered["people"].to_list(), "y": list(range(ordered.height)), "text": [theme.count_text(n) for n in ordered["people"]],
             "textposition": "outside", "cliponaxis": False, "hoverinfo": "skip", "marker": {"color": theme.LIGHT["blue"]}}]
    return Chart({"data": data, "layout": layout}, "系统和主题", "条长为人数；同一系统的主题排在一起，系统名写在人最多的主题前；不足十人的不画")


def chart_model_changed(changed: pl.DataFrame, most: int = 10) -> Block:
    """What changed and why, topic by topic: one bar for the customers, one of its own for the model. Takes `model_changed`."""
    apart = changed.with_columns(model=pl.col("after") - pl.col("before"), customers=pl.col("after") - pl.col("earlier"))
    shown = apart.filter((pl.col("model") != 0) | (pl.col("customers") != 0), pl.max_horizontal("before", "after", "earlier") >= theme.FEWEST).sort(
        pl.col("customers").abs() + pl.col("model").abs(), "topic_id", descending=[True, False]).head(most).reverse()
    if shown.is_empty():
        return note("模型只有一个版本，没有因换模型而变的数字。" if changed.is_empty() else "没有哪个主题变了。")
    layout = theme.chart_layout(2 * ROW * shown.height + 70)
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": theme.LIGHT["faint"], "showgrid": True, "nticks": 5}
    layout["yaxis"] |= {"automargin": True, "tickfont": {"color": theme.LIGHT["ink"], "size": 12}}
    layout |= {"barmode": "group", "showlegend": True, "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}}
    names = [safe_label(label) for label in shown["label"]]
    data = [{"type": "bar", "orientation": "h", "name": title, "x": shown[name].to_list(), "y": names, "marker": {"color": theme.LIGHT[colour], "pattern": {"shape": shape}},
             "hovertext": [f"{title} {value:+,} 条" for value in shown[name]], "hoverinfo": "text"}
            for name, title, colour, shape in (("customers", "客户（与之前同样多的几周相比）", "blue", ""), ("model", "模型（同样的反馈，只换模型）", "amber", "/"))]
    return Chart({"data": data, "layout": layout}, "变化来自客户还是来自模型", "条为反馈条数的增减；“客户”一栏前后都按新模型算，“模型”一栏是换模型移动的")


def table_model_changed(changed: pl.DataFrame, most: int = 10) -> Block:
    """What the last refit alone moved, the `most` topics it moved most; topics that lost and won nothing are left out."""
    if changed.is_empty():
        return note("模型只有一个版本，没有因换模型而变的数字。")
    moved = changed.filter((pl.col("moved_in") > 0) | (pl.col("moved_out") > 0), pl.max_horizontal("before", "after") >= theme.FEWEST)
    if moved.is_empty():
        return note("换模型没有移动任何一条反馈。")
    columns = [{"title": "主题"}, *({"title": title, "tone": "number"} for title in ("旧模型", "移出", "移入", "新模型"))]
    rows = [[{"text": code_title(row["label"]), "tone": "strong"}, *({"text": theme.count_text(row[name]), "tone": "number"} for name in ("before", "moved_out", "moved_in", "after"))]
            for row in moved.head(most).iter_rows(named=True)]
    left = f"只列移动最多的 {most} 个，共 {moved.height} 个。" if moved.height > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=f"{left}同样的反馈，只换了模型；这里的增减不是客户的变化。趋势图里每一周都按新模型重新算过。")


def say_model_changed(changed: pl.DataFrame) -> Sentence:
    """The bar of the model in one sentence: how much of the same feedback has another topic."""
    if changed.is_empty():
        return Sentence("模型只有一个版本，数字的变化都来自反馈。")
    total, moved = int(changed["before"].sum()), int(changed["moved_out"].sum())
    return Sentence("最近一次重新拟合，让这些周同样的反馈中 ", (theme.share_text(moved / total if total else 0), "strong"), " 换了主题；其余的变化来自客户。")


def table_events(events: pl.DataFrame, most: int = MOST_EVENTS) -> Block:
    """The ledger, latest first."""
    if events.is_empty():
        return note("台账还是空的。")
    columns = [{"title": "时间"}, {"title": "谁"}, {"title": "什么"}, {"title": "主题"}, {"title": "原因"}]
    rows, events = [], _folded(events)
    for row in events.head(most).iter_rows(named=True):
        about = "，".join(filter(None, [row["topic_id"], row["name"] and f"「{row['name']}」", None if row["action"] == "move" else row["others"]]))
        rows.append([{"text": theme.day_label(row["at"].date())}, {"text": row["who"]}, {"text": ACTIONS[row["action"]], "tone": "" if row["who"] == MACHINE else "strong"},
                     {"text": about or theme.ABSENT}, {"text": row["why"] or theme.ABSENT}])
    left = f"只列最近 {most} 条，共 {events.height} 条；全部用 voc topics events 看。" if events.height > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=left)


def _folded(events: pl.DataFrame) -> pl.DataFrame:
    """Births of one fit as one line where they are many: the first fit of a store has dozens."""
    born = (pl.col("action") == "birth") & (pl.len().over("version", "action") > MANY_BIRTHS)
    many = events.filter(born).group_by("version", maintain_order=True).agg(
        pl.col("event").max(), pl.col("at", "who", "action").first(), pl.col("topic_id").min().alias("first"), pl.col("topic_id").max().alias("last"), pl.len().alias("n"))
    told = many.select("event", "at", "who", "action", pl.format("{}—{}", "first", "last").alias("topic_id"), pl.format("{} 个主题一起新生", "n").alias("why"), "version")
    return pl.concat([events.filter(~born), told], how="diagonal").sort("event", descending=True)
