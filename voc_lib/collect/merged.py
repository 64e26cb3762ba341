"""Merged cells of an .xlsx sheet: which they are, and their value carried down into every row they cover.

Excel keeps the value in the first cell only. Read from the file's own XML, block by block: no workbook is held in memory.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from pathlib import Path

import polars as pl

BLOCK = 1 << 20
MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
FILLED = re.compile(rb'<(?:\w+:)?c r="([A-Z]+)\d+"[^>/]*>')  # a cell with something in it; an empty one closes itself
LONGEST = 200  # characters that a piece of XML looked for may take: blocks overlap by so many

Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; all from 0


def merged_cells(path: Path, sheet: str) -> tuple[list[Merge], int]:
    """The merges of a sheet and its first used column (where frames begin); nothing where the file is no .xlsx."""
    try:
        with zipfile.ZipFile(path) as book:
            part = _part(book, sheet)
            return _scan(book, part) if part else ([], 0)
    except (zipfile.BadZipFile, KeyError):
        return [], 0


def _part(book: zipfile.ZipFile, sheet: str) -> str | None:
    from xml.etree import ElementTree

    named = {element.get("name"): value for element in ElementTree.fromstring(book.read("xl/workbook.xml")).iter() if element.tag.endswith("}sheet")
             for key, value in element.attrib.items() if key.endswith("}id")}
    targets = {element.get("Id"): element.get("Target", "") for element in ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))}
    target = targets.get(named.get(sheet))
    return posixpath.normpath(posixpath.join("xl", target)).lstrip("/") if target and not target.startswith("/") else (target or "").lstrip("/") or None


def _scan(book: zipfile.ZipFile, part: str) -> tuple[list[Merge], int]:
    found, columns, tail = {}, set(), b""
    with book.open(part) as file:
        while block := file.read(BLOCK):
            text = tail + block
            columns |= set(FILLED.findall(text))
            for match in MERGED.finditer(text):
                found[match[0]] = (int(match[2]) - 1, _column(match[1]), int(match[4]) - 1, _column(match[3]))
            tail = text[-LONGEST:]
    return list(found.values()), min((_column(letters) for letters in columns), default=0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def filled_down(grid: pl.DataFrame, merges: list[Merge], first_column: int = 0) -> pl.DataFrame:
    """The sheet with the value of every vertically merged cell in all of its rows; what is merged sideways only stays.

    `grid` begins with the first row of the sheet and with column `first_column`.
    """
    columns = grid.columns
    below: dict[int, list[tuple[int, int]]] = {}
    for first_row, first, last_row, _ in merges:
        if last_row > first_row and 0 <= first - first_column < len(columns):
            below.setdefault(first - first_column, []).append((first_row, last_row))
    for place, spans in below.items():
        values = grid[columns[place]].to_list()
        for first_row, last_row in spans:
            for row in range(first_row + 1, min(last_row + 1, len(values))):
                values[row] = values[first_row]
        grid = grid.with_columns(pl.Series(columns[place], values, dtype=pl.String))
    return grid
