"""The page 大家在说什么: the map of an exploration, its topics in a table, how they join, and what stands for each.

Everything is drawn from the points and topics that `explore` gives; nothing here fits or imports a model.
"""

from __future__ import annotations

from hashlib import sha256

import polars as pl

from voc_lib.measure.analyses.topics import typical, vectors_in_force
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note, status_line
from voc_lib.report.charts import Chart
from voc_lib.report.escape import safe_label
from voc_lib.report.words import channel_title, code_name
from voc_lib.store import Store

MOST_POINTS = 3_000  # more make a page heavy (a point is 300 bytes) and no clearer
QUOTED = 60  # characters of a verbatim in a hover
LINE = 26  # characters of one line of a hover, what 390 px hold
LABELLED = 2  # words of a topic beside its number
COLOURS = ("blue", "amber", "green", "ink")
LEAF = 28  # height in pixels of one topic in the tree
FEW = "文字太少，看不出主题。换一段更长的时间，或放宽渠道再试。"
NUMBERS = "主题编号只在这一次探索里有效，换一周、换参数就不是同一个主题，不能拿来做跨周比较。"


def status_topics(store: Store, topics: pl.DataFrame) -> Block:
    """The facts under the title: snapshot, the vectors, the exploration's name."""
    name = topics["exploration"][0][:8] if topics.height else theme.ABSENT
    return status_line(快照=store.snapshot, 向量=vectors_in_force(store).split("-")[0] or theme.ABSENT, 探索=name)


def count_topics(topics: pl.DataFrame) -> int:
    """How many topics were found."""
    return leaves(topics).height


def count_outside(points: pl.DataFrame) -> int:
    """How much of the explored feedback fell into no topic."""
    return points.filter(pl.col("topic") < 0).height


def leaves(topics: pl.DataFrame) -> pl.DataFrame:
    """The topics themselves, without the nodes that join them."""
    return topics.filter(pl.col("distance") == 0).sort("node")


def say_topics(feedback: pl.DataFrame, points: pl.DataFrame, topics: pl.DataFrame) -> Sentence:
    """Of how much feedback how much has a topic, and what the numbers of topics are worth."""
    if points.is_empty():
        return Sentence(FEW)
    return Sentence(
        f"所选 {theme.count_text(feedback.height)} 条反馈中，{theme.count_text(points.height)} 条的文字进入了探索（其余没有文字、太短或未被抽中），分成 ",
        (f"{theme.count_text(count_topics(topics))} 个主题", "strong"), f"；其中 {theme.share_text(count_outside(points) / points.height)} 没有归入任何主题。{NUMBERS}")


def topic_title(number: int, words: str | None, most: int = LABELLED) -> str:
    """`主题 3 · 座椅、后排`."""
    named = "、".join((words or "").split("、")[:most])
    return f"主题 {number}" + (f" · {named}" if named else "") if number >= 0 else "未归入主题"


def chart_topic_map(points: pl.DataFrame, topics: pl.DataFrame, titles: dict[str, str] | None = None, most: int = MOST_POINTS) -> Block:
    """Every feedback a point, near what is said alike; at most `most` points, drawn by lot. A note where there are none."""
    if points.is_empty():
        return note(FEW)
    words = dict(leaves(topics).select("node", "words").iter_rows())
    shown = points if points.height <= most else points.filter(pl.col("feedback_id").is_in(_lot(points["feedback_id"], most)))
    colour = pl.when(pl.col("topic") < 0).then(-1).otherwise(pl.col("topic") % len(COLOURS))
    traces = []
    for (group,), part in shown.with_columns(colour.alias("group")).sort("group", "feedback_id").group_by("group", maintain_order=True):
        style = {"color": theme.LIGHT["faint"], "size": 4, "opacity": 0.35} if group < 0 else {"color": theme.LIGHT[COLOURS[group]], "size": 6, "opacity": 0.7}
        hover = [_hover(row, words, titles) for row in part.iter_rows(named=True)]
        traces.append({"type": "scatter", "mode": "markers", "x": part["x"].to_list(), "y": part["y"].to_list(), "hovertext": hover,
                       "hoverinfo": "text", "marker": style})
    middles = points.filter(pl.col("topic") >= 0).group_by("topic").agg(pl.col("x", "y").median()).sort("topic")
    layout = theme.chart_layout(520)
    layout["xaxis"] |= {"visible": False}
    layout["yaxis"] |= {"visible": False}
    layout["annotations"] = [
        {"x": row["x"], "y": row["y"], "text": f"<b>{row['topic']}</b> {safe_label(words.get(row['topic'], '').split('、')[0])}", "showarrow": False,
         "font": {"size": 13, "color": theme.LIGHT["ink"]}, "bgcolor": theme.LIGHT["paper"], "opacity": 0.85, "borderpad": 1}
        for row in middles.iter_rows(named=True)]
    drawn = f"画出其中抽签的 {theme.count_text(shown.height)} 条；" if shown.height < points.height else ""
    return Chart({"data": traces, "layout": layout}, "说法相近的反馈靠在一起",
                 f"一点为一条反馈，灰点没有归入主题；{drawn}只有远近有意义，方向和颜色没有；颜色只为分清相邻的主题")


def _lot(ids: pl.Series, most: int) -> list[str]:
    return sorted(ids, key=lambda name: sha256(name.encode()).digest())[:most]


def _hover(row: dict, words: dict[int, str], titles: dict[str, str] | None) -> str:
    plain = " ".join((row["verbatim"] or "").split())
    plain = plain if len(plain) <= QUOTED else plain[: QUOTED - 1] + "…"
    lines = [safe_label(plain[start : start + LINE]) for start in range(0, len(plain), LINE)]
    where = "，".join(part for part in (channel_title(row.get("channel"), titles), row.get("product") or "", theme.day_label(row["local_date"])) if part)
    return "<br>".join([f"<b>{safe_label(topic_title(row['topic'], words.get(row['topic'])))}</b>", *lines, safe_label(where)])


def table_topics(points: pl.DataFrame, topics: pl.DataFrame) -> Block:
    """A row per topic: its words, people, feedback, and how much of it the codes already know; small topics say 不足10人."""
    if points.is_empty():
        return note(FEW)
    counted = points.filter(pl.col("topic") >= 0).group_by("topic").agg(
        pl.col("person").n_unique().alias("people"), pl.len().alias("volume"), (pl.col("codes").list.len() > 0).mean().alias("coded_share"),
        pl.col("codes").list.explode().drop_nulls().sort().mode(maintain_order=True).first().alias("top_code"))
    rows = leaves(topics).join(counted, left_on="node", right_on="topic").sort(["people", "node"], descending=[True, False])
    columns = [{"title": "主题", "tone": "number"}, {"title": "特有的词"}, {"title": "人数", "tone": "number"},
               {"title": "最常见的编码"}, {"title": "已有编码", "tone": "number"}]
    cells = []
    for row in rows.iter_rows(named=True):
        few = row["people"] < theme.FEWEST
        people = {"text": theme.SUPPRESSED, "tone": "suppressed"} if few else {
            "text": theme.count_text(row["people"]), "tone": "number", "small": f"{theme.count_text(row['volume'])} 条"}
        share = {"text": theme.SUPPRESSED, "tone": "suppressed"} if few else {"text": theme.share_text(row["coded_share"]), "tone": "number"}
        cells.append([{"text": str(row["node"]), "tone": "number"}, {"text": row["words"] or theme.ABSENT, "tone": "strong"}, people,
                      {"text": code_name(row["top_code"]) if row["top_code"] else theme.ABSENT}, share])
    return Block(kind="table", columns=columns, rows=cells, caption="", note="已有编码的占比低，说明编码表可能还没有这件事。")


def chart_topic_tree(topics: pl.DataFrame) -> Block:
    """How topics join into larger ones: the further left two meet, the more alike their words. A note with fewer than two."""
    tree = topics.sort("distance", "node")
    order = _order(tree)
    if len(order) < 2:
        return note("不足两个主题，没有可以合并的。")
    height, halves = dict(zip(order, map(float, range(len(order))), strict=True)), _halves(tree)
    distance = dict(tree.select("node", "distance").iter_rows())
    traces = []
    for node in tree.filter(pl.col("distance") > 0)["node"]:
        low, high = sorted(halves[node], key=height.__getitem__)
        height[node] = (height[low] + height[high]) / 2
        at = distance[node]
        traces.append({"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": theme.LIGHT["faint"], "width": 2},
                       "x": [distance[low], at, at, distance[high]], "y": [height[low], height[low], height[high], height[high]]})
    words = dict(tree.select("node", "words").iter_rows())
    layout = theme.chart_layout(LEAF * len(order) + 40)
    layout["xaxis"] |= {"visible": False, "rangemode": "tozero"}
    layout["yaxis"] |= {"tickmode": "array", "tickvals": list(range(len(order))), "range": [-0.6, len(order) - 0.4],
                        "ticktext": [safe_label(topic_title(node, words[node]).removeprefix("主题 ")) for node in order], "tickfont": {"color": theme.LIGHT["ink"], "size": 13}}
    return Chart({"data": traces, "layout": layout}, "哪些主题本来是一件事", "越靠左相接，两个主题用的词越像")


def _halves(tree: pl.DataFrame) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for node, parent in tree.select("node", "parent").iter_rows():
        found.setdefault(parent, []).append(node)
    return found


def _order(tree: pl.DataFrame) -> list[int]:
    """The topics from bottom to top so that no two lines cross."""
    halves = _halves(tree)

    def below(node: int) -> list[int]:
        return [leaf for half in halves[node] for leaf in below(half)] if node in halves else [node]

    return [leaf for root in halves.get(None, []) for leaf in below(root)]


def quote_topics(points: pl.DataFrame, topics: pl.DataFrame, n: int = 2) -> pl.DataFrame:
    """`n` typical feedback per topic for `verbatim_list`, under the topic's title (in the column it heads quotes with, `code`)."""
    words = {node: topic_title(node, named).replace("-", "·") for node, named in leaves(topics).select("node", "words").iter_rows()}
    return typical(points, n).with_columns(pl.col("topic").replace_strict(words, default="", return_dtype=pl.String).alias("code"))
