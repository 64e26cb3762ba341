"""A table of a page as an Excel file that travels inside the page: a link with the workbook in its address.

Nothing in it is ever a formula, whoever wrote the cell: text is written as text, with the mark that keeps it text when the
cell is edited. The same table gives the same bytes.
"""

from __future__ import annotations

import io
import re
from datetime import datetime

from markupsafe import Markup

from voc_lib.report.escape import download, neutral

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MADE = datetime(2020, 1, 1)    # a fixed date, as a page holds no time of its making
LONGEST = 32_767               # characters Excel keeps in a cell
WIDEST = 60                    # characters a column is made wide for
UNTITLED = "表格"
_NUMBER = re.compile(r"−?\d{1,3}(?:,\d{3})*(?:\.(\d+))?(%?)")
_FORMULA = tuple("=+-@\t\r\n")    # what Excel, LibreOffice or a later CSV would read as the start of a formula
_BESIDE = " · 注"


def table_link(block: dict) -> Markup | None:
    """「下载 Excel」 for the description of a table; None where it has no rows."""
    if not block["rows"]:
        return None
    name = neutral(block.get("caption") or block.get("section") or UNTITLED)
    return download("下载 Excel", f"{file_name(name)}.xlsx", XLSX, workbook(block, name))


def workbook(block: dict, name: str) -> bytes:
    """The table as one sheet: heads, rows as shown (what stands small in a cell has a column of its own), the note under them."""
    import xlsxwriter

    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True}) as book:
        book.set_properties({"created": MADE})
        sheet = book.add_worksheet(sheet_name(name))
        bold = book.add_format({"bold": True})
        formats: dict[str, object] = {}

        def write(line: int, place: int, text: str, numeric: bool, style=None) -> None:
            found = _NUMBER.fullmatch(text) if numeric else None
            if found:
                shape = ("0" if found[2] else "#,##0") + (f".{'0' * len(found[1])}" if found[1] else "") + found[2]
                formats.setdefault(shape, book.add_format({"num_format": shape}))
                sheet.write_number(line, place, _value(text), formats[shape])
                return
            if text.startswith(_FORMULA):
                style = formats.setdefault("text", book.add_format({"quote_prefix": True}))
            if text:
                sheet.write_string(line, place, text[:LONGEST], style)

        columns = _columns(block)
        for place, (title, values, numeric) in enumerate(columns):
            write(0, place, title, False, bold)
            for line, value in enumerate(values, 1):
                write(line, place, value, numeric)
            sheet.set_column(place, place, min(max(_width(value) for value in (title, *values)) + 2, WIDEST))
        sheet.freeze_panes(1, 0)
        if block.get("note"):
            write(len(block["rows"]) + 2, 0, neutral(block["note"]), False)
    return held.getvalue()


def _columns(block: dict) -> list[tuple[str, list[str], bool]]:
    """Title, texts and whether they are numbers, of every column and of what stands small in it."""
    found = []
    for place, column in enumerate(block["columns"]):
        cells = [row[place] for row in block["rows"]]
        numeric = "number" in {column.get("tone"), *(cell.get("tone") for cell in cells)}
        found.append((neutral(column["title"]), [neutral(cell["text"]) for cell in cells], numeric))
        if any(cell.get("small") for cell in cells):
            found.append((neutral(column["title"]) + _BESIDE, [neutral(cell.get("small")) for cell in cells], False))
    return found


def _value(text: str) -> float:
    """The number a cell shows: `1,234`, `−0.5`, `12.3%`."""
    plain = float(text.replace(",", "").replace("−", "-").rstrip("%"))
    return round(plain / 100, 12) if text.endswith("%") else plain


def _width(text: str) -> int:
    """Columns of a screen: a Chinese character takes two."""
    return max((sum(2 if ord(sign) > 0x2E7F else 1 for sign in line) for line in text.splitlines()), default=0)


def sheet_name(name: str) -> str:
    """A name Excel takes for a sheet: at most 31 characters, none of []:*?/\\, no quote at its ends.

    >>> sheet_name("谁/在[哪里]说'"), sheet_name("':'")
    ('谁 在 哪里 说', '表格')
    """
    plain = " ".join(re.sub(r"[\[\]:*?/\\\s]", " ", name).split())[:31].strip("' ")
    return UNTITLED if plain.lower() in ("", "history") else plain


def file_name(name: str) -> str:
    """A name every system takes for a file, without suffix.

    >>> file_name('低分 <占比>: "A/B"?')
    '低分 占比 A B'
    """
    return " ".join(re.sub(r'[<>:"/\\|?*%\x00-\x1f]', " ", name).split())[:60].strip(". ") or UNTITLED
