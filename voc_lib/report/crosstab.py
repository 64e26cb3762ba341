"""A crosstab as a table: every cell with its interval, and in words and arrows whether it differs by more than noise."""

from __future__ import annotations

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import COLUMNS, group_title, metric_words

MOST_ROWS = 30
MOST_COLUMNS = 6  # side by side on a page; with more, a row per cell that stands apart
WORDS = {"above": "↑ 高于其余", "below": "↓ 低于其余", "within_error": "≈ 在误差范围内", "too_small": "≈ 差别太小", "suppressed": "不比较"}


def table_crosstab(cells: pl.DataFrame, titles: dict[str, str] | None = None, most: int = MOST_ROWS) -> Block:
    """`crosstab` as rows and columns: number, 95 % interval and verdict in every cell, the row over all columns at the end.

    With more than six columns only the cells that stand apart are listed, a row each.
    """
    if cells.is_empty():
        return note("没有可以交叉的反馈。")
    rows, columns = cells.columns[:2]
    unit = metric_words(cells["metric"][0]).unit
    across = cells.group_by(columns).agg(pl.col("people").sum()).sort("people", columns, descending=[True, False], nulls_last=True)[columns].to_list()
    if len(across) > MOST_COLUMNS:
        return _apart(cells, titles, most)
    along = cells.drop_nulls("estimate").group_by(rows).agg(pl.col("people").sum()).sort("people", rows, descending=[True, False], nulls_last=True)[rows].to_list()
    if not along:
        return note("没有一格满十人，不列数。")
    shown = {(row[rows], row[columns]): row for row in cells.iter_rows(named=True)}
    heads = [{"title": COLUMNS.get(rows, rows)}, *({"title": group_title(columns, name, titles), "tone": "number"} for name in across), {"title": "全部", "tone": "number"}]
    lines = []
    for name in along[:most]:
        whole = next(row["whole"] for row in shown.values() if row[rows] == name)
        lines.append([{"text": group_title(rows, name, titles), "tone": "strong"}, *(_cell(shown.get((name, other)), unit) for other in across),
                      {"text": theme.number_text(whole, unit) if theme.is_number(whole) else theme.ABSENT, "tone": "number"}])
    more = f"共 {len(along)} 行，这里列出人最多的 {most} 行。" if len(along) > most else ""
    few = cells[rows].n_unique() - len(along)
    more += f"还有 {few} 行没有一格满十人，不列。" if few else ""
    return Block(kind="table", columns=heads, rows=lines, caption="", note=_remark(cells) + more)


def say_crosstab(cells: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """How many cells stand apart of how many compared, and the one furthest from the rest."""
    compared = cells.filter(pl.col("verdict") != "suppressed")
    apart = cells.filter(pl.col("verdict").is_in(["above", "below"]))
    if compared.is_empty():
        return Sentence("没有一格有足够的人可以比较。")
    counted, several = f"比较了 {theme.count_text(compared.height)} 格，", (f"{theme.count_text(apart.height)} 格超出误差", "strong")
    if apart.is_empty():
        return Sentence(counted, ("没有一格超出误差", "strong"), "：看到的差别都可能只是误差。")
    rows, columns = cells.columns[:2]
    told = apart.drop_nulls("difference").sort(pl.col("difference").abs(), rows, columns, descending=[True, False, False], nulls_last=True)
    if told.is_empty():
        return Sentence(counted, several, "。")
    first = told.row(0, named=True)
    return Sentence(counted, several, "。差得最远的是",
                    (f"{group_title(rows, first[rows], titles)} × {group_title(columns, first[columns], titles)}", "strong"), f"（{WORDS[first['verdict']]}）。")


def _remark(cells: pl.DataFrame) -> str:
    against = "同一列其余各行" if cells.columns[1] == "code" else "同一行其余各列"
    counted = "比的是构成：该列的人里属于该行的比例。" if metric_words(cells["metric"][0]).unit == "count" else ""
    return f"↑↓ 与{against}合在一起相比，超出误差且差别够大，已校正多重比较；≈ 可能只是误差。{counted}格内小字为 95% 区间；不足十人的不列数，— 是没有人。"


def _cell(row: dict | None, unit: str) -> dict:
    if row is None:
        return {"text": theme.ABSENT, "tone": "number"}
    if row["estimate"] is None:
        return {"text": theme.SUPPRESSED, "tone": "suppressed"}
    known = theme.is_number(row["conf_low"]) and theme.is_number(row["conf_high"])
    interval = f"{theme.number_text(row['conf_low'], unit)}～{theme.number_text(row['conf_high'], unit)}，" if known else ""
    apart = row["verdict"] in ("above", "below")
    return {"text": theme.number_text(row["estimate"], unit), "tone": "strong" if apart else "number", "small": interval + WORDS[row["verdict"]]}


def _apart(cells: pl.DataFrame, titles: dict[str, str] | None, most: int) -> Block:
    rows, columns = cells.columns[:2]
    unit = metric_words(cells["metric"][0]).unit
    found = cells.filter(pl.col("verdict").is_in(["above", "below"])).sort(pl.col("difference").abs(), rows, columns, descending=[True, False, False], nulls_last=True)
    heads = [{"title": COLUMNS.get(rows, rows)}, {"title": COLUMNS.get(columns, columns)}, {"title": "该格", "tone": "number"}, {"title": "全行", "tone": "number"}]
    lines = [[{"text": group_title(rows, row[rows], titles), "tone": "strong"}, {"text": group_title(columns, row[columns], titles)}, _cell(row, unit),
              {"text": theme.number_text(row["whole"], unit) if theme.is_number(row["whole"]) else theme.ABSENT, "tone": "number"}] for row in found.head(most).iter_rows(named=True)]
    more = f"列数超过 {MOST_COLUMNS}，只列超出误差的 {found.height} 格" + (f"中差得最远的 {most} 格。" if found.height > most else "。")
    return Block(kind="table", columns=heads, rows=lines, caption="", note=more + _remark(cells))
