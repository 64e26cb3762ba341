"""Leafing through feedback: a searchable table in JupyterLab; on a page, the first rows through the escaping door.

The page draws the block's description and never sees the interactive HTML (see `render.output_html`); without a
network nothing is loaded: itables' script travels with the first table that a kernel shows.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import polars as pl

from voc_lib.report.blocks import Block
from voc_lib.report.escape import neutral, safe
from voc_lib.report.tables import table
from voc_lib.report.theme import day_label
from voc_lib.report.words import channel_title, code_name

# What is shown of a feedback, in this order; keys of persons never are. None: the column has no name of its own.
COLUMNS = {"local_date": "日期", "channel": "渠道", "product": "产品", "region": "地区", "rating": "评分", "codes": "问题",
           "verbatim": "原话", "followup": "追评", "feedback_id": "编号"}
PAGE_ROWS, PAGE_WORDS = 20, 120    # rows of a printed page; characters of one verbatim there
LAB_ROWS = 5_000                   # more makes the browser slow; a filter finds better than leafing
LAB_BYTES = "4MB"


class Browser(Block):
    """A table to leaf through; its `text/html` is for JupyterLab only."""

    def __init__(self, rows: pl.DataFrame, description: dict) -> None:
        super().__init__(**description)
        self._rows = rows

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict:
        return super()._repr_mimebundle_(include, exclude) | {"text/html": interactive_html(self._rows)}


def browse(frame: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """Feedback to search, sort and leaf through in JupyterLab (at most 5,000 rows); on a page its first 20 rows.

    Takes a feedback frame and shows those of its columns a reader can use: date, channel, product, region, rating, codes,
    verbatim, follow-up and id; everything is shown as text, markup in it too. Nothing is loaded from any network.
    """
    shown = _readable(frame, titles)
    printed = shown.drop("编号", strict=False).head(PAGE_ROWS).with_columns(pl.col("^(原话|追评)$").map_elements(_cut, return_dtype=pl.String))
    if "日期" in shown.columns:    # short enough for one line; the year is in the page's head
        printed = printed.with_columns(pl.col("日期").map_elements(lambda day: day_label(date.fromisoformat(day)), return_dtype=pl.String))
    description = table(printed).description
    total = f"共 {frame.height:,} 条，页面上列出前 {printed.height} 条；在 JupyterLab 里打开这本笔记本可以检索、排序、逐条翻看。" if frame.height > PAGE_ROWS else ""
    return Browser(shown.head(LAB_ROWS), description | {"note": total if frame.height else "没有符合条件的反馈。"})


def _cut(words: str) -> str:
    return words if len(words) <= PAGE_WORDS else words[: PAGE_WORDS - 1] + "…"


def _readable(frame: pl.DataFrame, titles: dict[str, str] | None) -> pl.DataFrame:
    """The columns that have something to show, in Chinese, newest first; strangers' words without what acts unseen."""
    known = [name for name in COLUMNS if name in frame.columns and (name in ("verbatim", "feedback_id") or frame[name].is_not_null().any())]
    order = [name for name in ("local_date", "feedback_id") if name in frame.columns]
    rows = frame.sort(order, descending=[name == "local_date" for name in order], nulls_last=True).select(known)
    channels = {name: channel_title(name, titles) for name in rows["channel"].unique()} if "channel" in known else {}
    made = []
    for name in known:
        column = pl.col(name)
        if name == "channel":
            column = column.replace(channels)
        elif name == "codes":
            column = column.map_elements(lambda codes: "、".join(code_name(code) for code in codes), return_dtype=pl.String)
        elif name == "local_date":
            column = column.cast(pl.String)
        if rows.schema[name] in (pl.String, pl.List(pl.String)):
            column = column.map_elements(neutral, return_dtype=pl.String)
        made.append(column.alias(COLUMNS[name]))
    return rows.select(made)


def interactive_html(rows: pl.DataFrame) -> str:
    """The itables table of the rows, every text escaped, with itables' own script in front of the first one."""
    from itables import to_html_datatable

    # Escaped here and not left to an option: what reaches the browser holds no markup of strangers whatever itables does.
    escaped = rows.with_columns(pl.col(name).map_elements(lambda text: str(safe(text)), return_dtype=pl.String) for name in rows.columns if rows.schema[name] == pl.String)
    looks = [{"className": name, "targets": [place for place, column in enumerate(rows.columns) if column in titles]} for name, titles in CLASSES.items()]
    return f"<style>{STYLE}</style>" + _script() + to_html_datatable(
        escaped, connected=False, allow_html=True, showIndex=False, show_dtypes=False, display_logo_when_loading=False, maxBytes=LAB_BYTES, maxRows=LAB_ROWS,
        classes="display compact", style="width:100%;table-layout:auto;caption-side:bottom", columnDefs=looks, pageLength=10, lengthMenu=[10, 25, 100],
        layout={"topStart": "pageLength", "topEnd": "search", "bottomStart": "info", "bottomEnd": "paging"}, language=WORDS)


CLASSES = {"dt-left voc-words": ("原话", "追评"), "dt-left voc-codes": ("问题",), "dt-left voc-short": ("日期", "渠道", "产品", "地区"), "voc-id": ("编号",)}
STYLE = (".dt-container td.voc-words{min-width:22em;white-space:normal}.dt-container td.voc-codes{min-width:9em;white-space:normal}"
         ".dt-container td.voc-short{white-space:nowrap}.dt-container td.voc-id{max-width:6em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}"
         ".dt-container td{text-align:left !important;vertical-align:top !important}")
WORDS = {"search": "检索：", "lengthMenu": "每页 _MENU_ 条", "info": "第 _START_–_END_ 条，共 _TOTAL_ 条", "infoEmpty": "没有反馈",
         "infoFiltered": "（从 _MAX_ 条中检索）", "zeroRecords": "没有符合的反馈", "emptyTable": "没有符合条件的反馈"}


@cache
def _script() -> str:
    """itables' bundle, to be loaded without a network."""
    import itables.options
    from itables.javascript import generate_init_offline_itables_html

    return generate_init_offline_itables_html(itables.options.dt_bundle)
