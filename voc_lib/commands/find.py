"""`voc find`, `similar`, `crosstab`: questions to a store, answered on the terminal or into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named

PERIOD = typer.Option("--period", metavar="周", help="截至哪一周，如 2026-W46；undated 为没有日期的；不写则全部。")
WEEKS = typer.Option("--weeks", metavar="周数", min=1, help="连同往前共几周；和 --period 一起用。")
CHANNEL = typer.Option("--channel", metavar="渠道", help="只看哪个渠道；可以写几次。")
SELECTION = typer.Option("--selection", metavar="名字", help="在哪个存好的选取里看（voc selection list）。")
NUMBER = typer.Option("--n", metavar="条数", min=1, help="列出几条。")
OUT = typer.Option("--out", metavar="文件", help="全部写进一个文件：以 .xlsx 或 .csv 结尾。")
LONGEST = 60  # characters of a quote on the terminal
ID_LETTERS = 10  # of a feedback_id: enough for voc similar


@app.command()
def find(
    query: Annotated[str, typer.Argument(metavar="检索式", help="要找的词，例如 '异响 AND (空调 OR \"出风口\") NOT 车机'；整个检索式请加引号。")],
    period: Annotated[str, PERIOD] = "",
    weeks: Annotated[int, WEEKS] = 1,
    channel: Annotated[list[str] | None, CHANNEL] = None,
    store: Annotated[str | None, STORE] = None,
    selection: Annotated[str | None, SELECTION] = None,
    n: Annotated[int, NUMBER] = 20,
    file: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """检索原话：AND、OR、NOT、括号和“短语”；中文按连着的字找，英文和数字按整词找。"""
    from voc_lib.measure.find import find as look
    from voc_lib.report.files import readable
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    found = look(query, lake, _period(period, weeks), channel, selection)
    _written(readable(found), file)
    listed = found.sort("local_date", "feedback_id", descending=[True, False], nulls_last=True).head(n)
    if as_json:
        say_json(_facts(lake, found, file) | {"query": query, "rows": readable(listed).to_dicts()})
        return
    _say_found(found, lake)
    if listed.height:
        out.print(_table(listed, lake))
        _say(f"列出最近的 {listed.height} 条。" if found.height > listed.height else "")
    _say(f"全部 {found.height:,} 条写在 {file}。" if file else "")


@app.command()
def similar(
    what: Annotated[str, typer.Argument(metavar="文字或编号", help="一段话，或一条反馈的编号（前 10 位就够）。")],
    period: Annotated[str, PERIOD] = "",
    weeks: Annotated[int, WEEKS] = 1,
    channel: Annotated[list[str] | None, CHANNEL] = None,
    store: Annotated[str | None, STORE] = None,
    selection: Annotated[str | None, SELECTION] = None,
    n: Annotated[int, NUMBER] = 20,
    file: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """以文搜文：意思最接近的原话，从近到远，同样的话只列一次。"""
    from voc_lib.measure.similar import similar as look
    from voc_lib.report.files import readable
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    found = look(what, lake, n, _period(period, weeks), channel, selection)
    _written(readable(found), file)
    if as_json:
        say_json(_facts(lake, found, file) | {"what": what, "rows": readable(found).to_dicts()})
        return
    out.print(_table(found, lake) if found.height else "这个范围里没有可比的文字。")
    _say(f"{found.height} 条写在 {file}。" if file else "")


@app.command()
def crosstab(
    rows: Annotated[str, typer.Argument(metavar="行", help="按什么分行，如 code（问题）、product（产品）。")],
    columns: Annotated[str, typer.Argument(metavar="列", help="按什么分列，如 channel（渠道）、region（地区）。")],
    metric: Annotated[str, typer.Option("--metric", metavar="指标", help="哪个指标：code_share、low_rating_share、mean_rating、people、volume。")] = "code_share",
    query: Annotated[str, typer.Option("--find", metavar="检索式", help="只看找到的反馈，写法同 voc find。")] = "",
    period: Annotated[str, PERIOD] = "",
    weeks: Annotated[int, WEEKS] = 1,
    channel: Annotated[list[str] | None, CHANNEL] = None,
    store: Annotated[str | None, STORE] = None,
    selection: Annotated[str | None, SELECTION] = None,
    file: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """交叉表：一个指标按行和列分开，每格带区间，并标明是不是误差。"""
    from voc_lib.measure.analyses.crosstab import crosstab as cross
    from voc_lib.measure.analyses.health import channel_titles
    from voc_lib.measure.feedback import check_present, feedback
    from voc_lib.measure.find import find as look
    from voc_lib.report.crosstab import say_crosstab, table_crosstab
    from voc_lib.report.words import COLUMNS
    from voc_lib.store import open_store

    lake, when = open_store(store_named(store)), _period(period, weeks)
    check_present(lake, when, channel)
    frame = look(query, lake, when, channel, selection) if query else feedback(lake, when, channel, selection)
    names = {title: name for name, title in COLUMNS.items() if name in frame.columns or name == "code"}
    names["问题"] = "code"
    cells = cross(frame, names.get(rows, rows), names.get(columns, columns), metric)
    _written(cells, file)
    if as_json:
        say_json(_facts(lake, frame, file) | {"cells": cells.to_dicts()})
        return
    titles = channel_titles(lake)
    _say_found(frame, lake)
    _say(str(say_crosstab(cells, titles)))
    drawn = table_crosstab(cells, titles).description
    if drawn["kind"] == "table":
        table = Table(*(escape(column["title"]) for column in drawn["columns"]))
        for line in drawn["rows"]:
            table.add_row(*(escape(cell["text"] + (f"\n{cell['small']}" if cell.get("small") else "")) for cell in line))
        out.print(table)
        _say(drawn["note"])
    _say(f"{cells.height:,} 格写在 {file}。" if file else "")


def _period(period: str, weeks: int) -> list[str] | None:
    from voc_lib.measure.search import weeks_until

    return weeks_until(period, weeks)


def _written(frame, file: Path | None) -> None:
    from voc_lib.report.files import write_rows

    if file is not None:
        write_rows(frame, file)


def _facts(lake, found, file: Path | None) -> dict:
    return {"store": lake.name, "snapshot": lake.snapshot, "feedback": found.height, "people": found["person"].n_unique(),
            "channels": dict(found.group_by("channel").len().sort("channel").iter_rows()), "file": str(file) if file else None}


def _say_found(found, lake) -> None:
    from voc_lib.measure.analyses.health import channel_titles

    if found.is_empty():
        _say("没有找到。没有找到不等于没有人遇到：可以放宽条件，或换一种说法再找。")
        return
    titles = channel_titles(lake)
    counted = found.group_by("channel").len().sort("len", "channel", descending=[True, False])
    channels = "、".join(f"{titles.get(name, name)} {count:,}" for name, count in counted.iter_rows())
    _say(f"找到 {found.height:,} 条反馈，{found['person'].n_unique():,} 人，{counted.height} 个渠道：{channels}。库「{lake.name}」快照 {lake.snapshot}。")


def _say(text: str) -> None:
    if text:
        out.print(text, markup=False, highlight=False)


def _table(rows, lake) -> Table:
    from voc_lib.measure.analyses.health import channel_titles
    from voc_lib.report.escape import neutral
    from voc_lib.report.words import code_name

    titles, ranked = channel_titles(lake), "similarity" in rows.columns
    table = Table("编号", *(["相似", "同文"] if ranked else []), "日期", "渠道", "产品", "问题", "原话")
    for row in rows.iter_rows(named=True):
        said = " ".join(neutral(row["verbatim"] or row["title"]).split())
        likeness = [f"{row['similarity']:.2f}", f"{row['repeats']:,} 条"] if ranked else []
        table.add_row(row["feedback_id"][:ID_LETTERS], *likeness, str(row["local_date"] or "—"), escape(titles.get(row["channel"], row["channel"])), escape(row["product"] or "—"),
                      escape("、".join(map(code_name, row["codes"])) or "—"), escape(said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"))
    return table
