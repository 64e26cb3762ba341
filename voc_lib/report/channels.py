"""各渠道对照: who says what where, drawn and told; who is heard twice."""

from __future__ import annotations

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.charts import Chart
from voc_lib.report.escape import safe_label
from voc_lib.report.words import channel_title, code_name

ROW, HEAD, FOOT = 66, 52, 30    # height in pixels of one code, of the channels' names, of the axis
GAP = 0.03                      # between two channels, of the width
MOST_CHANNELS = 5               # columns that 390 px hold
WORDS = {"above": "↑ 高于其他渠道", "below": "↓ 低于其他渠道", "within_error": "≈ 在误差范围内", "too_small": "≈ 差别太小",
         "suppressed": "不比较", "unread": "不归这类问题"}
MARKS = {"above": " ↑", "below": " ↓"}


def chart_channel_codes(cells: pl.DataFrame, titles: dict[str, str] | None = None, most: int = 10) -> Block:
    """`channel_codes` as rows of codes and columns of channels: the share, and under it a dot with its 95 % interval.

    Filled and marked ↑ or ↓ where a channel stands apart from the others; hollow where it may be noise. One scale for
    all; the channels with most people, at most five.
    """
    if cells.is_empty():
        return note("没有一个问题在任何渠道有十人以上提到，画不出对照。")
    heard = cells.select("channel", "heard").unique().sort("heard", "channel", descending=[True, False], nulls_last=True)
    channels = heard["channel"].to_list()[:MOST_CHANNELS]
    codes = cells["code"].unique(maintain_order=True).to_list()[:most]
    shown = {(row["code"], row["channel"]): row for row in cells.iter_rows(named=True) if row["code"] in codes}
    widest = 100 * (cells.filter(pl.col("code").is_in(codes))["conf_high"].max() or 0.1)
    layout = theme.chart_layout(HEAD + ROW * len(codes) + FOOT)
    axis, layout["margin"] = layout.pop("xaxis"), {"l": 12, "r": 8, "t": HEAD, "b": FOOT}
    layout["yaxis"] |= {"visible": False, "range": [len(codes), 0], "automargin": False}
    layout["shapes"] = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": {"color": theme.LIGHT["line"], "width": 1}} for at in range(len(codes))]
    layout["annotations"] = [_label(f"<b>{safe_label(code_name(code))}</b>", 0, at + 0.03) for at, code in enumerate(codes)]
    data, width = [], (1 - GAP * (len(channels) - 1)) / len(channels)
    for place, (name, people) in enumerate(zip(channels, heard["heard"], strict=False)):
        left, number = place * (width + GAP), "" if place == 0 else str(place + 1)
        layout[f"xaxis{number}"] = axis | {"domain": [left, left + width], "range": [0, widest * 1.12], "showgrid": True, "nticks": 3, "ticksuffix": "%",
                                           "automargin": False, "anchor": "y", "tickfont": axis["tickfont"] | {"size": 12}, "zeroline": True, "zerolinecolor": theme.LIGHT["line"]}
        title = channel_title(name, titles)
        split = title if len(title) <= 4 or len(channels) <= 3 else f"{title[: (len(title) + 1) // 2]}\n{title[(len(title) + 1) // 2:]}"
        told = safe_label(theme.people_text(people) if people is not None else theme.SUPPRESSED)
        head = "<br>".join([safe_label(part) for part in split.split("\n")] + [told])
        layout["annotations"].append({"text": head, "x": left, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom",
                                      "align": "left", "showarrow": False, "font": {"size": 12, "color": theme.LIGHT["soft"]}})
        data += _column([shown[code, name] for code in codes], f"x{number}", title)
    left_out = [channel_title(name, titles) for name in heard["channel"].to_list()[MOST_CHANNELS:]]
    remark = f"还有{'、'.join(left_out)}，见下表。" if left_out else ""
    return Chart({"data": data, "layout": layout}, "各渠道的人在说什么",
                 "听到的人中提到该问题的占比；横线为 95% 区间；实心并带箭头的与其他渠道不同，空心的可能只是误差", remark)


def _label(text: str, x: float, y: float) -> dict:
    return {"text": text, "x": x, "xref": "paper", "xanchor": "left", "y": y, "yref": "y", "yanchor": "top", "showarrow": False, "font": {"size": 13.5}, "borderpad": 0}


def _column(rows: list[dict], axis: str, title: str) -> list[dict]:
    """One channel: whiskers, dots and numbers; what is withheld or not read is said in words where the number would be."""
    apart = [row["verdict"] in MARKS and row["estimate"] is not None for row in rows]
    values = [None if row["estimate"] is None else 100 * row["estimate"] for row in rows]
    colours = [theme.LIGHT["blue"] if mark else theme.LIGHT["faint"] for mark in apart]
    hover = [f"<b>{safe_label(title)}</b><br>{safe_label(code_name(row['code']))}<br>{safe_label(_told(row))}<br>{WORDS[row['verdict']]}" for row in rows]
    dots = {"type": "scatter", "mode": "markers", "x": values, "y": [at + 0.79 for at in range(len(rows))], "xaxis": axis, "yaxis": "y",
            "hovertext": hover, "hoverinfo": "text", "cliponaxis": False,
            "marker": {"size": 9, "color": [theme.LIGHT["blue"] if mark else theme.LIGHT["paper"] for mark in apart], "line": {"width": 1.6, "color": colours}},
            "error_x": {"type": "data", "symmetric": False, "thickness": 2, "width": 0, "color": theme.LIGHT["faint"],
                        "array": [_reach(row, "conf_high", 1) for row in rows], "arrayminus": [_reach(row, "conf_low", -1) for row in rows]}}
    words = [safe_label(_short(row)) for row in rows]
    texts = {"type": "scatter", "mode": "text", "x": [0] * len(rows), "y": [at + 0.51 for at in range(len(rows))], "xaxis": axis, "yaxis": "y", "hoverinfo": "skip",
             "text": [f"<b>{text}</b>" if mark else text for text, mark in zip(words, apart, strict=True)], "textposition": "middle right", "cliponaxis": False,
             "textfont": {"size": 12.5, "color": [theme.LIGHT["ink"] if mark else theme.LIGHT["soft"] for mark in apart]}}
    return [dots, texts]


def _reach(row: dict, end: str, sign: int) -> float:
    return 0 if row["estimate"] is None else 100 * sign * (row[end] - row["estimate"])


def _short(row: dict) -> str:
    if row["verdict"] == "unread":
        return theme.ABSENT
    return theme.SUPPRESSED if row["estimate"] is None else theme.share_text(row["estimate"]) + MARKS.get(row["verdict"], "")


def _told(row: dict) -> str:
    if row["estimate"] is None:
        return theme.SUPPRESSED if row["verdict"] != "unread" else theme.ABSENT
    return (f"{theme.share_text(row['estimate'])}（{theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])}），"
            f"{theme.people_text(row['people'])}")


def table_channel_codes(cells: pl.DataFrame, titles: dict[str, str] | None = None, most: int = 30) -> Block:
    """`channel_codes` with every number: one row per code, one column per channel, interval and people under the share.

    With more than five channels only what stands apart is listed, a row per code and channel.
    """
    channels = cells["channel"].unique().sort().to_list()
    if len(channels) > MOST_CHANNELS:
        return _apart(cells, titles, most)
    shown = {(row["code"], row["channel"]): row for row in cells.iter_rows(named=True)}
    codes = cells["code"].unique(maintain_order=True).to_list()
    columns = [{"title": "问题"}, *({"title": channel_title(name, titles), "tone": "number"} for name in channels)]
    rows = [[{"text": code_name(code), "tone": "strong"}, *(_cell(shown[code, name]) for name in channels)] for code in codes[:most]]
    remark = "↑↓ 与其他渠道合在一起相比，超出误差且至少差两个百分点；没有箭头的可能只是误差。— 表示该渠道不归这类问题。"
    more = f"共 {len(codes)} 个问题，这里列出前 {most} 个。" if len(codes) > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=remark + more if rows else "没有一个问题在任何渠道有十人以上提到。")


def _apart(cells: pl.DataFrame, titles: dict[str, str] | None, most: int) -> Block:
    found = cells.filter(pl.col("verdict").is_in(list(MARKS)) & pl.col("difference").is_not_null())
    found = found.sort(pl.col("difference").abs(), "code", "channel", descending=[True, False, False])
    columns = [{"title": "问题"}, {"title": "渠道"}, {"title": "该渠道", "tone": "number"}, {"title": "其他渠道", "tone": "number"}, {"title": "判断"}]
    rows = [[{"text": code_name(row["code"]), "tone": "strong"}, {"text": channel_title(row["channel"], titles)}, _cell(row) | {"tone": "number"},
             {"text": theme.share_text(row["others"]), "tone": "number"}, {"text": WORDS[row["verdict"]]}] for row in found.head(most).iter_rows(named=True)]
    remark = "只列超出误差且至少差两个百分点的，差得多的在上；其余可能只是误差，或不足10人。"
    more = f"共 {found.height} 处，这里列出前 {most} 处。" if found.height > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=remark + more if rows else "没有一处渠道之间的差别超出误差。")


def _cell(row: dict) -> dict:
    if row["estimate"] is None:
        mark = MARKS.get(row["verdict"], "")
        return {"text": theme.ABSENT if row["verdict"] == "unread" else theme.SUPPRESSED + mark, "tone": "suppressed"}
    return {"text": _short(row), "tone": "strong" if row["verdict"] in MARKS else "number",
            "small": f"{theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])} · {theme.people_text(row['people'])}"}


def count_apart(cells: pl.DataFrame) -> int:
    """How many cells stand apart from the other channels, above or below."""
    return cells.filter(pl.col("verdict").is_in(list(MARKS))).height


def say_channel_codes(cells: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """What tells the channels apart most, how many differences are more than noise, and what they may come from."""
    apart = cells.filter(pl.col("verdict").is_in(list(MARKS)) & pl.col("difference").is_not_null()).sort(
        pl.col("verdict") == "below", pl.col("difference").abs(), "code", descending=[False, True, False])
    tested = cells.filter(pl.col("verdict").is_in(["above", "below", "within_error", "too_small"])).height
    compared, several = f"比较了 {theme.count_text(tested)} 处，", (f"{theme.count_text(count_apart(cells))} 处超出误差", "strong")
    if apart.is_empty() and count_apart(cells):    # how far apart they are would give away what is withheld
        return Sentence(compared, several, "；各处差多少会透露不足10人的一边，不写出。")
    if apart.is_empty():
        return Sentence(f"{compared}没有一处渠道之间的差别超出误差。" if tested else "听到的人太少，渠道之间不作比较。")
    first = apart.row(0, named=True)
    return Sentence(
        "差别最大的是", (code_name(first["code"]), "strong"), f"：{channel_title(first['channel'], titles)}的人里 {theme.share_text(first['estimate'])} 提到，"
        f"其他渠道 {theme.share_text(first['others'])}。{compared}", several,
        "。各渠道的编码没有人工抽检：差别也可能来自说法和篇幅，不能当作客户之间的差别。")


def table_overlap(overlap: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """`overlap_channels` where it can be told: who is heard in both of two channels, and what part of each that is."""
    told = overlap.filter(pl.col("both").is_not_null() | pl.col("note").str.starts_with(theme.SUPPRESSED))
    if told.is_empty():
        return note("没有两个渠道带有同一种身份线索，看不出谁在两处都说过话。")
    columns = [{"title": "渠道"}, {"title": "另一渠道"}, {"title": "两处都听到", "tone": "number"}, {"title": "占前者", "tone": "number"}, {"title": "占后者", "tone": "number"}]
    rows = [[{"text": channel_title(row["channel"], titles), "tone": "strong", "small": f"可辨认 {theme.people_text(row['people']) if row['people'] is not None else theme.SUPPRESSED}"},
             {"text": channel_title(row["channel_other"], titles), "small": f"可辨认 {theme.people_text(row['people_other']) if row['people_other'] is not None else theme.SUPPRESSED}"},
             {"text": theme.people_text(row["both"]), "tone": "number"} if row["both"] is not None else {"text": theme.SUPPRESSED, "tone": "suppressed"},
             {"text": theme.share_text(row["share"]), "tone": "number"}, {"text": theme.share_text(row["share_other"]), "tone": "number"}]
            for row in told.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="")


def say_overlap(overlap: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """Which channels bring nothing by which their people could be met again, so that overlap is a lower limit."""
    if overlap.is_empty():
        return Sentence("只有一个渠道，谈不上重合。")
    told = overlap.filter(pl.col("both").is_not_null() | pl.col("note").str.starts_with(theme.SUPPRESSED))
    seen = {*told["channel"], *told["channel_other"]}
    blind = sorted({*overlap["channel"], *overlap["channel_other"]} - seen)
    names = "、".join(channel_title(name, titles) for name in blind)
    return Sentence("按哈希后的电话、车架号等线索认人，不知道他是谁。", f"{names}没有别的渠道也有的线索，看不出是否同一批人。" if blind else "",
                    "所以重合只会少数，不会多数；各渠道人数不能相加成总人数。")
