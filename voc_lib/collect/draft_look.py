"""How an export nobody has seen is to be opened: encoding, delimiter, sheet, header row, merged cells; each with its doubt."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from voc_lib.collect.draft_words import IDENTITY, LEFT_OUT, WORDS, likeness
from voc_lib.collect.merged import filled_down, merged_cells
from voc_lib.collect.readers import ExportError, encoding_of, open_book, page_rows
from voc_lib.collect.sniff import SUFFIXES, delimiter_of, kind_of
from voc_lib.contracts import Read

ROWS = 60  # rows looked at for the header
PAGE = 2_000_000  # characters of a web page that hold its first rows
TITLES = 20  # a header stands in the first twenty rows
ENCODINGS = ("utf-8-sig", "gb18030", "big5")
USUAL = ("utf-8-sig", "gb18030")
LABEL = 80  # characters; questions of a survey tool are long, sentences of customers longer
ALL_WORDS = " ".join([*WORDS.values(), *IDENTITY.values(), LEFT_OUT])
Grid = list[list[str | None]]


@dataclass
class Look:
    """How to read a file: what differs from the usual, and what is doubtful about it, by the name of the setting."""

    kind: str
    read: dict[str, object] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    def as_read(self, glob: str = "*") -> Read:
        return Read(glob=(glob,), **{name: tuple(value) if isinstance(value, list) else value for name, value in self.read.items()})


def look(path: Path, sheet: str | None = None) -> Look:
    """How the file is to be opened. Raises ExportError where it cannot be."""
    kind = kind_of(path)
    if kind is None:
        raise ExportError(f"不认识的文件类型「{path.suffix}」。可用：{'、'.join(SUFFIXES)}。")
    if path.stat().st_size == 0:
        raise ExportError("文件是空的。请重新导出。")
    found = Look(kind)
    if kind == "csv":
        _header(found, _of_text(path, found))
    elif kind == "html":
        found.doubts["glob"] = f"文件名是 {path.suffix}，其实是一个网页里的表格；导出的系统若能给 .xlsx，请改用 .xlsx"
        _header(found, page_rows(path, Read(), PAGE)[:ROWS])
    elif kind == "excel":
        _header(found, _of_book(path, found, sheet))
    elif kind == "jsonl":
        _encoding(path, found)
    return found


def _encoding(path: Path, found: Look) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    encoding = "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else encoding_of(path, ENCODINGS)
    if encoding not in USUAL:
        found.read["encodings"] = ["utf-8-sig", encoding]
        found.doubts["encodings"] = f"按 {encoding} 读；预览里若有乱码，请另存为 UTF-8"
    elif encoding == "gb18030":
        found.doubts["encodings"] = "按 GBK（gb18030）读；预览里若有乱码，请另存为 UTF-8"
        found.read["encodings"] = list(USUAL)
    return encoding


def _of_text(path: Path, found: Look) -> Grid:
    encoding = _encoding(path, found)
    with path.open(encoding=encoding, newline="") as file:
        lines = list(islice((line.replace("\0", "") for line in file), 10 * ROWS))
    sign = delimiter_of("".join(lines))
    usual = "\t" if path.suffix.lower() == ".tsv" else "," if SUFFIXES[path.suffix.lower()] == "csv" else sign
    if sign != usual:
        found.read["delimiter"] = sign
        found.doubts["delimiter"] = "分隔符是看出来的"
    return [[cell.strip() or None for cell in row] for row in islice(csv.reader(lines, delimiter=sign), ROWS)]


def _of_book(path: Path, found: Look, wanted: str | None) -> Grid:
    book = open_book(path)
    if wanted is not None and wanted not in book.sheet_names:
        raise ExportError(f"没有工作表「{wanted}」。现有：{'、'.join(book.sheet_names)}。")
    sheets = {name: _cells(book, name) for name in book.sheet_names} if wanted is None and len(book.sheet_names) > 1 else {}
    sheet = wanted or (max(sheets, key=sheets.get) if sheets else book.sheet_names[0])
    if len(book.sheet_names) > 1:
        found.read["sheet"] = sheet
        others = [name for name in book.sheet_names if name != sheet]
        found.doubts["sheet"] = f"共 {len(book.sheet_names)} 张工作表，取了{'最大的' if wanted is None else '指定的'}一张；没有读：{'、'.join(others)}"
    grid = book.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=ROWS, dtypes="string").to_polars()
    merges, first_column = merged_cells(path, sheet)
    filled = filled_down(grid, merges, first_column)
    header, _ = header_row_of([list(row) for row in filled.rows()])
    down = [merge for merge in merges if merge[2] > merge[0] and merge[2] >= header]
    if down:
        found.read["fill_merged"] = True
        rows = sum(merge[2] > header for merge in down)
        found.doubts["fill_merged"] = f"有 {rows} 处上下合并的单元格，已按合并的范围把值填到每一行" if rows else "列名占了上下两行，已合成一行"
    return [list(row) for row in (filled if down else grid).rows()]


def _cells(book, name: str) -> int:
    sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    return sheet.width * sheet.total_height


def _header(found: Look, grid: Grid) -> None:
    row, doubt = header_row_of(grid)
    if row:
        found.read["header_row"] = row
        found.doubts["header_row"] = f"表头上面还有 {row} 行（标题或导出条件），从第 {row + 1} 行起读"
    if doubt:
        found.doubts["header_row"] = doubt


def header_row_of(grid: Grid) -> tuple[int, str]:
    """The row (from 0) that names the columns, and a doubt or nothing.

    >>> header_row_of([["11月回访", None, None], [None, None, None], ["编号", "日期", "意见"], ["1", "2026-11-03", "刹车响"]])
    (2, '')
    """
    rows = [[cell.strip() for cell in row if cell and cell.strip()] for row in grid]
    full = max((len(row) for row in rows), default=0)
    scores = {}
    for place, cells in enumerate(rows[:TITLES]):
        if len(cells) >= max(min(full, 2), 0.6 * full) and len(set(cells)) == len(cells):
            scores[place] = _labels(cells) + 2 * sum(likeness(cell, ALL_WORDS) >= 2 for cell in cells) / len(cells) - 0.01 * place
    if not scores:
        raise ExportError("看不出表头在哪一行：前 20 行里没有一行像列名。请在文件里留一行列名，再试。")
    best = max(scores, key=scores.get)
    doubt = "" if _labels(rows[best]) >= 0.8 else f"第 {best + 1} 行不太像列名；若文件没有表头，请加一行再导出"
    return best, doubt


def _labels(cells: list[str]) -> float:
    numbers = sum(re.fullmatch(r"[-+]?[\d.,:/\- %]+", cell) is not None for cell in cells)
    return (len(cells) - numbers - sum(len(cell) > LABEL for cell in cells)) / len(cells)
