"""`voc answer`: a metric as heard, as heard of linked customers, for all customers, and what silence could make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named
from voc_lib.commands.find import OUT
from voc_lib.messages import Told

WEEKS = 13  # a quarter, as the page


class AnswerError(Told):
    """The question cannot be answered as it was asked."""


@app.command()
def answer(
    metric: Annotated[list[str], typer.Argument(metavar="指标", help="一个或几个：nps、csat、ces、mean_rating、code_share 等。")],
    by: Annotated[str | None, typer.Option("--by", metavar="列", help="按折算用的一列分开，如 region、age_band；code_share 可写 code。")] = None,
    period: Annotated[str | None, typer.Option("--period", metavar="周", help="截至哪一周，如 2026-W46；不写则到最近一周。")] = None,
    weeks: Annotated[int, typer.Option("--weeks", metavar="周数", min=1, help="连同往前共几周。")] = WEEKS,
    channel: Annotated[list[str] | None, typer.Option("--channel", metavar="渠道", help="只看哪个渠道；可以写几次。")] = None,
    store: Annotated[str | None, STORE] = None,
    file: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """替沉默的客户回答：听到的、可关联的、折算到全体、沉默影响区间。"""
    from voc_lib.measure.analyses.health import channel_titles
    from voc_lib.measure.analyses.silence import answer as answered
    from voc_lib.report.files import write_rows
    from voc_lib.report.silence import table_answer
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    try:
        found = answered(metric, by, lake, period, weeks, channel)
    except ValueError as error:  # what the doors of an estimate say, for the command line
        raise AnswerError(str(error)) from error
    if file is not None:
        write_rows(found.drop("provenance"), file)
    if as_json:
        say_json({"store": lake.name, "snapshot": lake.snapshot, "rows": found.to_dicts(), "file": str(file) if file else None})
        return
    drawn = table_answer(found, channel_titles(lake)).description
    table = Table(*(escape(column["title"]) for column in drawn["columns"]))
    for line in drawn["rows"]:
        table.add_row(*(escape(cell["text"] + (f"\n{cell['small']}" if cell.get("small") else "")) for cell in line))
    out.print(table)
    for text in (drawn["note"], f"{found.height:,} 行写在 {file}。" if file else ""):
        if text:
            out.print(text, markup=False, highlight=False)
