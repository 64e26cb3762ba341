"""One row a truth: how much was planted, how much of it is in the store, how much carries an expected code, and when the weekly figures saw it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from voc_lib.collect.ingest import known_sources
from voc_lib.evaluate.born import born_row
from voc_lib.evaluate.parted import parted_row
from voc_lib.evaluate.people import people_rows
from voc_lib.evaluate.silent import silent_rows
from voc_lib.evaluate.truth import read_truths, truth_folder
from voc_lib.measure.analyses.movers import movers
from voc_lib.enrich.in_force import coder_in_force
from voc_lib.measure.feedback import feedback
from voc_lib.messages import Told
from voc_lib.store import Store, open_store

WATCHED = 12   # last weeks in which planted events lie and are looked for
ALL_CODES = 10_000
NO_METHOD = "尚无方法"
UNKNOWN = "不认识这个例子"  # of another program's figure: given, and nothing here is known to be the same
IN_PEOPLE = {"escalations", "mood_curve"}  # truths that `people_rows` judges
BELOW = "见人的关联"
SCHEMA = {
    "truth": pl.String, "title": pl.String, "begins": pl.String, "planted": pl.Int64, "customers": pl.Int64, "sizes": pl.String, "in_store": pl.Int64,
    "coded": pl.Int64, "coded_share": pl.Float64, "codes": pl.String, "first_week": pl.String, "weeks_late": pl.Int64, "found": pl.String,
}


class EvaluateError(Told):
    """There is nothing to evaluate against."""


def evaluate(store: str | None = None, truth: Path | None = None) -> pl.DataFrame:
    """Planted against found, one row a truth, sorted by name; a life of topics has rows for its birth (`_new`, see `born_row`) and its ledger (`_ledger`, see `parted_row`).

    Columns: truth, title, begins (ISO week), planted (feedback), customers (people of the frame among them), sizes (people a week, as planted),
    in_store, coded (carry one of `codes`), coded_share (of those in the store), first_week (the first from `begins` on, among the last 12, in which a
    code of the truth rises or is unusual), weeks_late, found (in words; 尚无方法 where no figure can see such a thing yet).

    `truth` names the folder; else it is looked for beside the exports of the store. Raises EvaluateError where there is none.
    """
    opened, folder = _opened(store, truth)
    truths = read_truths(folder)
    if not truths:
        raise EvaluateError(f"「{folder}」里没有埋设的真相。请用 voc sample 重新生成。")
    rows = feedback(opened)
    seen = _seen(rows) if coder_in_force(opened) else None
    table = pl.DataFrame([_row(planted, opened, rows, seen) for planted in truths], schema=SCHEMA, orient="row")
    more = [row for planted in truths for look in (born_row, parted_row) if (row := look(planted, opened, rows))]
    return pl.concat([table, pl.DataFrame(more, schema=SCHEMA, orient="row")]).sort("truth")


def evaluate_people(store: str | None = None, truth: Path | None = None) -> pl.DataFrame:
    """People linked against people planted, one row a measure: measure, found, reach (null: none set), note. See `people_rows`. Raises EvaluateError as `evaluate`."""
    return people_rows(*_opened(store, truth))


def evaluate_answers(store: str | None = None, truth: Path | None = None) -> pl.DataFrame:
    """Answers corrected for the silent against what all would have said, one row a measure: measure, found, reach (null: none set), note. See `silent_rows`. Raises EvaluateError as `evaluate`."""
    return silent_rows(*_opened(store, truth))


def _opened(store: str | None, truth: Path | None) -> tuple[Store, Path]:
    opened = open_store(store)
    folder = truth or truth_folder(known_sources(opened.name))
    if folder is None or not folder.is_dir():
        raise EvaluateError(f"库「{opened.name}」的导出文件旁没有 _truth 文件夹：它不是用 voc sample 造的，没有可对照的真相。")
    return opened, folder


def _row(planted: dict, store: Store, rows: pl.DataFrame, seen: pl.DataFrame | None) -> tuple:
    listed = pl.DataFrame(planted["feedback"], schema={"channel": pl.String, "source_id": pl.String, "customer_id": pl.String})
    here = rows.select("channel", "source_id", "codes").join(listed, on=["channel", "source_id"], how="semi")
    codes = planted.get("codes", [])
    coded = here.filter(pl.col("codes").list.eval(pl.element().is_in(codes)).list.any()).height if codes and seen is not None else None
    first, late, said = _first_week(planted, codes, seen)
    return (planted["truth"], planted["title"], planted.get("begins"), listed.height, listed["customer_id"].n_unique() - listed["customer_id"].has_nulls(), _sizes(planted), here.height,
            coded, coded / here.height if coded is not None and here.height else None, "、".join(codes), first, late, said)


def _seen(rows: pl.DataFrame) -> pl.DataFrame:
    """Codes that rose or were unusually many, by week, over the last weeks."""
    weeks = sorted(week for week in rows["iso_week"].unique() if week != "undated")[-WATCHED:]
    found = []
    for week in weeks:
        table = movers(rows.filter(pl.col("iso_week") == week), rows, week, n=ALL_CODES)
        loud = table.filter((pl.col("verdict") == "rise") | (pl.col("unusual") == "above").fill_null(False))
        found.append(loud.select("code", pl.lit(week).alias("week")))
    return pl.concat(found) if found else pl.DataFrame(schema={"code": pl.String, "week": pl.String})


def _first_week(planted: dict, codes: list[str], seen: pl.DataFrame | None) -> tuple[str | None, int | None, str]:
    begins = planted.get("begins")
    if not codes:
        return None, None, BELOW if planted["truth"] in IN_PEOPLE else NO_METHOD
    if seen is None:
        return None, None, "库还没有编码，先运行 voc enrich"
    if begins is None:
        return None, None, "最近十二周里没有这件事"
    weeks = seen.filter(pl.col("code").is_in(codes) & (pl.col("week") >= begins))["week"].sort()
    if weeks.is_empty():
        return None, None, "周数字没有发现"
    late = (_monday(weeks[0]) - _monday(begins)).days // 7
    return weeks[0], late, f"{weeks[0]} 第一次高出平常，" + ("当周发现" if late == 0 else f"晚 {late} 周")


def _sizes(planted: dict) -> str:
    sizes = planted.get("sizes") or planted.get("new", {}).get("sizes") or {}
    return "、".join(f"{week} {size} 人" for week, size in sizes.items())


def _monday(week: str) -> date:
    return date.fromisoformat(f"{week}-1")
