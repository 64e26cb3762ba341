"""For newcomers and for stores without dates: what there is, which notebooks answer what, what no date means."""

from __future__ import annotations

import json

import polars as pl

from voc_lib.measure.feedback import UNDATED
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, status_line
from voc_lib.report.words import code_name
from voc_lib.settings import settings
from voc_lib.store import Store


def status_store(store: Store, feedback: pl.DataFrame) -> Block:
    """The facts under the title of a page that is not about one week: store, snapshot, feedback, weeks."""
    weeks = feedback.filter(pl.col("iso_week") != UNDATED)["iso_week"]
    span = f"{theme.week_label(weeks.min())}至{theme.week_label(weeks.max())}" if weeks.len() else "! 没有日期"
    return status_line(库=store.name, 快照=store.snapshot, 反馈=f"{theme.count_text(feedback.height)} 条，{feedback['channel'].n_unique()} 个渠道", 时间=span)


def say_dates(feedback: pl.DataFrame) -> Sentence:
    """What the dates of a frame allow: nothing by week where there are none, and no before and after."""
    without = feedback.filter(pl.col("iso_week") == UNDATED).height
    if feedback.is_empty():
        return Sentence("这个库里还没有反馈。")
    if without == feedback.height:
        return Sentence((f"这 {theme.count_text(without)} 条反馈都没有日期", "strong"),
                        "：分不出哪一周，比不出升降，也看不出哪条在先。这一页只说整体在讲什么，不能说最近怎样。")
    rest = f"其中 {theme.count_text(without)} 条没有日期；" if without else ""
    return Sentence(f"这一页不分先后，把全部 {theme.count_text(feedback.height)} 条反馈放在一起看；{rest}", "每周的变化请看客户之声周报。")


def say_top_codes(shares: pl.DataFrame, most: int = 3) -> Sentence:
    """The codes that most people mention, from `estimate(frame, "code_share", by="code")`."""
    named = shares.drop_nulls("estimate").sort(["estimate", "code"], descending=[True, False]).head(most)
    if named.is_empty():
        return Sentence("没有一个问题有十人以上提到。")
    listed = [f"{code_name(row['code'])}（{theme.share_text(row['estimate'])}）" for row in named.iter_rows(named=True)]
    return Sentence("听到的人里，提得最多的是", ("、".join(listed), "strong"), "。")


def table_notebooks() -> Block:
    """Every notebook with the question it answers and the command that makes its page, read from the notebooks themselves."""
    rows = []
    for path in sorted(settings().notebooks.glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        lines = [line.strip() for line in "".join(cells[0]["source"]).splitlines() if line.strip()] if cells else []
        if path.stem.startswith("_") or len(lines) < 2:
            continue
        rows.append([{"text": lines[0].removeprefix("# "), "tone": "strong"}, {"text": lines[1]}, {"text": f"voc report {path.stem}", "tone": "soft"}])
    return Block(kind="table", columns=[{"title": "笔记本"}, {"title": "回答什么"}, {"title": "命令"}], rows=rows, caption="")
