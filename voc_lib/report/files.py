"""Rows as a file to work on: Excel or CSV, in which nothing a stranger wrote can act as a formula."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import polars as pl

from voc_lib.messages import Told
from voc_lib.report import browse, words
from voc_lib.report.escape import neutral

# What is written of a feedback, in this order; keys of persons never are.
READABLE = ("feedback_id", "similarity", "repeats", "repeat_people", "local_date", "iso_week", "channel", "brand", "product", "variant", "region", "city", "dealer", "rating", "rating_scale",
            "codes", "title", "verbatim", "followup", "reply", "status")
TITLES = words.COLUMNS | browse.COLUMNS | {"similarity": "相似", "repeats": "同文条数", "repeat_people": "同文人数", "title": "标题", "reply": "回复", "status": "状态", "rating_scale": "满分",
                                           "whole": "全行", "p_adjusted": "校正后 p", "verdict": "判断"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # what a spreadsheet takes for a formula, as OWASP lists it
MOST_ROWS, MOST_LETTERS = 1_048_575, 32_767  # of one Excel sheet under its heads; of one cell


class FileError(Told, ValueError):
    """Rows cannot be written into the file asked for."""


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of a feedback frame that a reader can use."""
    return frame.select(name for name in READABLE if name in frame.columns)


def write_rows(frame: pl.DataFrame, path: Path) -> None:
    """The frame as .xlsx or .csv (UTF-8 with a mark, as Excel wants it), heads in Chinese; a file of that name is replaced.

    In Excel every text is a text cell; in CSV, where there is no such thing, a text that begins like a formula gets a ' in front.
    """
    kind = path.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        raise FileError(f"不会写「{path.suffix or path.name}」这种文件。文件名请以 .xlsx 或 .csv 结尾。")
    if kind == ".xlsx" and frame.height > MOST_ROWS:
        raise FileError(f"有 {frame.height:,} 行，一张 Excel 表最多 {MOST_ROWS:,} 行。请改成 .csv，或先缩小范围。")
    heads = [TITLES.get(name, name) for name in frame.columns]
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        (_excel if kind == ".xlsx" else _csv)(frame, heads, beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _told(value: object) -> str | float | None:
    if value is None or isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, list):
        value = "、".join(map(str, value))
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else neutral(value)


def _excel(frame: pl.DataFrame, heads: list[str], path: Path) -> None:
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet, bold = book.add_worksheet("反馈"), book.add_format({"bold": True})
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        for line, row in enumerate(frame.iter_rows(), 1):
            for column, value in enumerate(map(_told, row)):
                if isinstance(value, str):
                    sheet.write_string(line, column, value[:MOST_LETTERS])
                elif value is not None and value == value and abs(value) != float("inf"):
                    sheet.write_number(line, column, value)


def _csv(frame: pl.DataFrame, heads: list[str], path: Path) -> None:
    import csv

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        for row in frame.iter_rows():
            writer.writerow(f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value for value in map(_told, row))
