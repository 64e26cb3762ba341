"""Frames as tables with Chinese heads, formats by meaning, and 不足10人 where a number is withheld.

Tried first with great-tables 1.1: it escapes cells, but brings 9 KB of its own style per table, has no dark mode, does not
fold at 390 px, and travels as HTML that cannot be told from anybody's. Our tables travel as descriptions instead; a
great-tables table made by an analyst is still shown, cleaned and in the page's style (`escape.clean_html`).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block
from voc_lib.report.words import COLUMNS, VERDICTS, change_tone, channel_title, code_name, group_title, metric_words

SHARES = {"linked_share", "low_rating_share", "coded_share", "no_author_share", "share"}
MOST = 50    # rows of one table; more is not read on a page, it is searched in JupyterLab


def table(frame: pl.DataFrame, titles: dict[str, str] | None = None, caption: str = "", most: int = MOST) -> Block:
    """Any frame as a table; `titles` names columns (and overrides the house's names).

    Numbers are right-aligned, columns ending in `share` are per cent, nulls are —. Shows `most` rows and says so.
    """
    heads = COLUMNS | (titles or {})
    numeric = [name for name in frame.columns if frame.schema[name].is_numeric()]
    columns = [{"title": heads.get(name, name), "tone": "number" if name in numeric else ""} for name in frame.columns]
    rows = [[{"text": _plain(value, name), "tone": "number" if name in numeric else ""} for name, value in row.items()]
            for row in frame.head(most).iter_rows(named=True)]
    note = f"共 {theme.count_text(frame.height)} 行，这里列出前 {most} 行。" if frame.height > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption=caption, note=note)


def _plain(value: object, name: str) -> str:
    if theme.is_number(value):
        if name in SHARES or name.endswith("_share"):
            return theme.share_text(value)
        return f"{value:,.2f}" if isinstance(value, float) and value != int(value) else f"{int(value):,}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list):
        return "、".join(str(part) for part in value)
    return theme.ABSENT if value is None or isinstance(value, float) else str(value)


def table_estimates(estimates: pl.DataFrame, titles: dict[str, str] | None = None, caption: str = "") -> Block:
    """An estimate frame: groups, the number with its 95 % interval under it, people; withheld groups say 不足10人."""
    groups = estimates.columns[1 : estimates.columns.index("kind")] if "kind" in estimates.columns else []
    several = estimates["metric"].n_unique() > 1
    columns = [{"title": COLUMNS.get(name, name)} for name in groups]
    columns = ([{"title": "指标"}] if several else []) + columns
    columns += [{"title": "数值" if several or estimates.is_empty() else metric_words(estimates["metric"][0]).label, "tone": "number"},
                {"title": "人数", "tone": "number"}, {"title": "说明"}]
    rows = []
    for row in estimates.iter_rows(named=True):
        words = metric_words(row["metric"])
        cells = [{"text": words.label}] if several else []
        cells += [{"text": group_title(name, row[name], titles)} for name in groups]
        cells += [_interval_cell(row, words.unit), _count_cell(row["people"]), {"text": row["note"] or "", "tone": "soft"}]
        rows.append(cells)
    if not any(row[-1]["text"] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Block(kind="table", columns=columns, rows=rows, caption=caption)


def _interval_cell(row: dict, unit: str) -> dict:
    if not theme.is_number(row["estimate"]):
        return {"text": theme.SUPPRESSED, "tone": "suppressed"}
    low, high = row.get("conf_low"), row.get("conf_high")
    known = theme.is_number(low) and theme.is_number(high)
    return {"text": theme.number_text(row["estimate"], unit), "tone": "number",
            "small": f"{theme.number_text(low, unit)}～{theme.number_text(high, unit)}" if known else ""}


def _count_cell(value: object) -> dict:
    return {"text": theme.count_text(value), "tone": "number"} if theme.is_number(value) else {"text": theme.SUPPRESSED, "tone": "suppressed"}


def table_channels(overview: pl.DataFrame, titles: dict[str, str] | None = None, before: str = "上周") -> Block:
    """`channel_overview` as a table: people with the verdict, low ratings, what is named most, how much is coded."""
    heads = [("渠道", ""), ("人数", "number"), ("变化", ""), ("低分占比", "number"), ("提到最多", ""), ("已归类", "number"), ("无作者", "number")]
    rows = []
    for row in overview.sort(["people", "channel"], descending=[True, False], nulls_last=True).iter_rows(named=True):
        past = row["people_baseline"]
        low = row["low_rating_share"]
        rows.append([
            {"text": channel_title(row["channel"], titles), "tone": "strong"},
            _count_cell(row["people"]) | {"small": f"{theme.count_text(row['volume'])} 条"},
            {"text": VERDICTS[row["verdict"]], "tone": change_tone("volume", row["verdict"]),
             "small": theme.past_text(before, past) if past is not None else ""},
            {"text": theme.share_text(low), "tone": "number"} if theme.is_number(low) else {"text": "无评分或不足10人", "tone": "suppressed"},
            {"text": code_name(row["top_code"]) if row["top_code"] else theme.ABSENT},
            {"text": theme.share_text(row["coded_share"]), "tone": "number"},
            {"text": theme.share_text(row["no_author_share"]), "tone": "number"}])
    return Block(kind="table", columns=[{"title": title, "tone": tone} for title, tone in heads], rows=rows)
