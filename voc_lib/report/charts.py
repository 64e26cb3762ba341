"""Charts: what changed, channels side by side, a number over weeks, a number over groups.

A chart counts itself when it is made; the renderer compares that count with the figures on the page, so that no
chart gets lost in between. Labels of strangers go through `safe_label`: plotly reads markup in them.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block
from voc_lib.report.escape import clean_figure, safe_label
from voc_lib.report.markup import MIME
from voc_lib.report.sentences import say_mover
from voc_lib.report.words import VERDICTS, MetricWords, channel_title, change_tone, code_path, code_title, finding, group_title, metric_words, period_before

PLOTLY_MIME = "application/vnd.plotly.v1+json"
BAR, WHISKER = 38, 34    # height in pixels of one row
LONGEST = 14             # characters of a name beside a bar; the hover has all of it
TICKS = 5                # most labels on a time axis that 390 px hold
_made = count(1)
_last = 0


class Chart(Block):
    """A plotly figure with its title as text; shows itself in JupyterLab and in the page."""

    def __init__(self, figure: dict, title: str, subtitle: str = "", note: str = "") -> None:
        global _last
        _last = next(_made)
        self.figure = clean_figure(figure)
        super().__init__(kind="chart", number=_last, title=title, subtitle=subtitle, note=note,
                         height=self.figure["layout"].get("height", 360))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict:
        heading = {"title": {"text": safe_label(self.description["title"]), "font": {"size": 15}, "x": 0}}
        lab = self.figure["layout"] | heading
        lab["margin"] = lab.get("margin", {}) | {"t": 48}
        return {MIME: self.description | {"figure": self.figure}, PLOTLY_MIME: {"data": self.figure["data"], "layout": lab},
                "text/plain": f"〔图〕{self.description['title']}"}


def tally() -> Block:
    """How many charts this kernel has made; the runner shows it as the last thing of a notebook."""
    return Block(kind="tally", charts=_last)


def chart_movers(movers: pl.DataFrame, before: str = "上周") -> Block:
    """The list of what changed: people, the period before, the verdict in words, a line over the normal band.

    Needs the columns of `movers`. Drawn as text and small lines, not as a figure: it is read, not explored.
    """
    return Block(**mover_rows(movers, before))


def mover_rows(movers: pl.DataFrame, before: str = "上周") -> dict:
    """The description that `chart_movers` shows."""
    notes = movers["note"].to_list() if movers.height else []
    shared = notes[0] or "" if len(notes) > 1 and len(set(notes)) == 1 else ""    # said once, not under every line
    rows = []
    for row in movers.iter_rows(named=True):
        shown = row["verdict"] != "suppressed"
        past, named = row["people_baseline"], period_before(row, before)
        note = row["note"] if row["note"] != shared else ""
        rows.append({
            "title": code_title(row["code"]), "path": code_path(row["code"]), "word": VERDICTS[finding(row)],
            "tone": change_tone("code_share", finding(row), row["code"]),
            "people": theme.people_text(row["people"]) if shown else theme.SUPPRESSED,
            "before": (theme.past_text(named, past) if past is not None else f"{named}无数据") if shown else "",
            "series": list(row["series"] or []) if shown else [],
            "low": row["band_low"] if shown else None, "high": row["band_high"] if shown else None,
            "runs": [*say_mover(row, named).runs, *([[note, "soft"]] if note else [])]})
    weeks = movers["series_weeks"][0].to_list() if movers.height else []
    span = f"；横轴{theme.week_short(weeks[0])}到{theme.week_short(weeks[-1])}" if weeks else ""
    banded = any(row["high"] is not None for row in rows)
    legend = f"{'灰带为正常波动（按历史各周估计），' if banded else ''}点为本周人数，一人多帖只算一次{span}"
    return {"kind": "movers", "rows": rows, "legend": legend, "banded": banded, "note": shared}


def chart_channels(overview: pl.DataFrame, titles: dict[str, str] | None = None, before: str = "上周") -> Chart:
    """People heard per channel as bars, the period before as a tick: needs channel, people, people_baseline, verdict."""
    rows = overview.sort(["people", "channel"], descending=[False, True], nulls_last=False)
    names, places = [channel_title(name, titles) for name in rows["channel"]], list(range(rows.height))
    people, past = rows["people"].to_list(), rows["people_baseline"].to_list()
    now_told = [theme.people_text(value) if value is not None else theme.SUPPRESSED for value in people]
    words = [VERDICTS[verdict] for verdict in rows["verdict"]]
    told = [theme.past_text(before, then) if then is not None else f"{before}无数据" for then in past]
    hover = [f"<b>{safe_label(name)}</b><br>本周 {now}<br>{then}<br>{word}"
             for name, now, then, word in zip(names, now_told, told, words, strict=True)]
    bars = {"type": "bar", "orientation": "h", "x": people, "y": places, "width": 0.46, "marker": {"color": theme.LIGHT["blue"]},
            "hovertext": hover, "hoverinfo": "text"}
    ticks = {"type": "scatter", "mode": "markers", "x": past, "y": places, "hoverinfo": "skip",
             "marker": {"symbol": "line-ns", "size": 20, "line": {"width": 2.5, "color": theme.LIGHT["ink"]}}}
    ends = [max(now or 0, then or 0) for now, then in zip(people, past, strict=True)]    # beyond the bar and the tick
    numbers = {"type": "scatter", "mode": "text", "x": ends, "y": places, "hoverinfo": "skip", "textposition": "middle right",
               "text": [f"\u2002{told.removesuffix(' 人')}" for told in now_told], "cliponaxis": False}
    layout = theme.chart_layout(BAR * max(len(names), 1) + 24)
    layout["margin"]["b"] = 8
    layout["xaxis"] |= {"visible": False, "range": [0, max([*ends, 1]) * 1.18]}
    layout["yaxis"] |= _beside(names)
    return Chart({"data": [bars, ticks, numbers], "layout": layout}, "各渠道听到多少人", f"横条为本周人数，竖线为{before}")


def chart_trend(series: pl.DataFrame, title: str = "") -> Chart:
    """A number per week with its 95 % interval: an estimate frame by `iso_week` (undated weeks are left out).

    Weeks without an estimate break the line: no export, or fewer than 10 people.
    """
    rows = series.filter(pl.col("iso_week") != "undated").sort("iso_week")
    if rows.is_empty():
        raise ValueError("没有任何一周可以画成趋势图。")
    words = metric_words(rows["metric"][0])
    scale = 100 if words.unit == "share" else 1
    by_day = {theme.week_monday(row["iso_week"]): row for row in rows.iter_rows(named=True)}
    days = pl.date_range(min(by_day), max(by_day), "1w", eager=True).to_list()
    x = [day.isoformat() for day in days]
    found = [by_day.get(day, {}) for day in days]

    def column(name: str) -> list[float | None]:
        return [row[name] * scale if theme.is_number(row.get(name)) else None for row in found]

    hover = [_week_hover(row, words) for row in found]
    line = {"type": "scatter", "mode": "lines+markers", "x": x, "y": column("estimate"), "connectgaps": False, "hovertext": hover,
            "hoverinfo": "text", "line": {"color": theme.LIGHT["blue"], "width": 2.2}, "marker": {"size": 5, "color": theme.LIGHT["blue"]}}
    data = [*_bands(x, column("conf_low"), column("conf_high")), line]
    last = next((place for place in reversed(range(len(x))) if line["y"][place] is not None), None)
    layout = theme.chart_layout(270)
    if last is not None:
        data.append({"type": "scatter", "mode": "markers+text", "x": [x[last]], "y": [line["y"][last]], "hoverinfo": "skip",
                     "marker": {"size": 9, "color": theme.LIGHT["blue"]}, "textposition": "top center", "cliponaxis": False,
                     "text": [f"<b>{theme.number_text(found[last]['estimate'], words.unit)}</b>"]})
    every = max(1, -(-len(days) // TICKS))
    shown = [place for place in range(len(days)) if (len(days) - 1 - place) % every == 0]
    pad = 3 if len(days) > 1 else 4
    layout["xaxis"] |= {"type": "date", "tickmode": "array", "tickvals": [x[place] for place in shown],
                        "ticktext": [theme.day_label(days[place]) for place in shown], "showline": True,
                        "range": [_shifted(days[0], -pad), _shifted(days[-1], pad + len(days) * 0.25)]}
    layout["yaxis"] |= {"showgrid": True, "ticksuffix": "%" if scale == 100 else "", "rangemode": "tozero" if words.unit != "points" else "normal",
                        "nticks": 5, "separatethousands": True}
    return Chart({"data": data, "layout": layout}, title or f"{words.label}，按周", "浅色为 95% 区间；线断开处没有数据或不足10人；日期为周一")


def _beside(names: list[str]) -> dict:
    """The axis of names: rows are numbered, so that two groups of one (shortened) name stay two rows."""
    short = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    return {"type": "linear", "tickmode": "array", "tickvals": list(range(len(names))), "ticktext": [safe_label(name) for name in short],
            "range": [-0.6, max(len(names), 1) - 0.4], "tickfont": {"color": theme.LIGHT["ink"], "size": 14}, "ticklabelstandoff": 8}


def _shifted(day: date, days: float) -> str:
    return (day + timedelta(days=round(days))).isoformat()


def _bands(x: list[str], low: list[float | None], high: list[float | None]) -> list[dict]:
    """One filled polygon per unbroken run of weeks: plotly would fill across a gap."""
    runs: list[list[int]] = [[]]
    for place, (bottom, top) in enumerate(zip(low, high, strict=True)):
        if bottom is None or top is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [{"type": "scatter", "mode": "none", "fill": "toself", "hoverinfo": "skip", "fillcolor": theme.LIGHT["band"],
             "x": [x[p] for p in run] + [x[p] for p in reversed(run)], "y": [high[p] for p in run] + [low[p] for p in reversed(run)]}
            for run in runs if len(run) > 1] + [
        {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": theme.LIGHT["band"], "width": 8},
         "x": [x[run[0]]] * 2, "y": [low[run[0]], high[run[0]]]} for run in runs if len(run) == 1]


def _week_hover(row: dict, words: MetricWords) -> str:
    if not row:
        return ""
    low, high = (theme.number_text(row.get(name), words.unit) for name in ("conf_low", "conf_high"))
    return (f"<b>{theme.week_label(row['iso_week'])}</b><br>{safe_label(words.label)} {theme.number_text(row['estimate'], words.unit)}"
            f"<br>95% 区间 {low}～{high}<br>{theme.count_text(row.get('people'))} 人")


def chart_bars(estimates: pl.DataFrame, titles: dict[str, str] | None = None, title: str = "", most: int = 15) -> Chart:
    """Groups by one column with interval whiskers, largest first; groups under 10 people are named, not drawn."""
    group = next(name for name in estimates.columns if name not in ("metric", "kind"))
    words = metric_words(estimates["metric"][0]) if estimates.height else metric_words("people")
    shown = estimates.filter(pl.col("estimate").is_not_null()).sort(["estimate", group], descending=[True, False]).head(most).reverse()
    hidden = estimates.filter(pl.col("estimate").is_null())[group].to_list()
    scale = 100 if words.unit == "share" else 1
    names = [group_title(group, name, titles) for name in shown[group]]
    low, high = shown["conf_low"].fill_null(shown["estimate"]), shown["conf_high"].fill_null(shown["estimate"])
    hover = [f"<b>{safe_label(name)}</b><br>{theme.number_text(row['estimate'], words.unit)}，95% 区间 {theme.number_text(row['conf_low'], words.unit)}"
             f"～{theme.number_text(row['conf_high'], words.unit)}<br>{theme.count_text(row['people'])} 人"
             for name, row in zip(names, shown.iter_rows(named=True), strict=True)]
    dots = {"type": "scatter", "mode": "markers", "x": (shown["estimate"] * scale).to_list(), "y": list(range(shown.height)), "hovertext": hover, "hoverinfo": "text",
            "marker": {"size": 10, "color": theme.LIGHT["blue"]},
            "error_x": {"type": "data", "symmetric": False, "array": ((high - shown["estimate"]) * scale).to_list(), "thickness": 3, "width": 0,
                        "arrayminus": ((shown["estimate"] - low) * scale).to_list(), "color": theme.LIGHT["faint"]}}
    layout = theme.chart_layout(WHISKER * max(len(names), 1) + 44)
    layout["xaxis"] |= {"showgrid": True, "rangemode": "tozero", "ticksuffix": "%" if scale == 100 else "", "nticks": 6, "separatethousands": True}
    layout["yaxis"] |= _beside(names)
    listed = "、".join(group_title(group, name, titles) for name in hidden[:8]) + (" 等" if len(hidden) > 8 else "")
    note = f"{theme.SUPPRESSED}，不单列：{listed}" if hidden else ""
    return Chart({"data": [dots], "layout": layout}, title or words.label, "点为估计值，横线为 95% 区间", note)
