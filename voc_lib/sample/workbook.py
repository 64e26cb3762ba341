"""Excel workbooks with the same bytes every time: one sheet, text, whole numbers and dates; no clock inside, no library needed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

MADE = (1980, 1, 1, 0, 0, 0)  # the date of every part: a workbook must not tell when it was written
ZERO = date(1899, 12, 30).toordinal()
DATE_STYLE = 1
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
}


def write_workbook(path: Path, sheet: str, rows: Iterable[Iterable[object]]) -> None:
    """One sheet; a cell is text, an int, a date or None (left empty)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as book:
        for name, content in _PARTS.items():
            _add(book, name, [content])
        _add(book, "xl/workbook.xml", ['<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
                                       f'<sheets><sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>'])
        _add(book, "xl/worksheets/sheet1.xml", _sheet(rows))


def _add(book: zipfile.ZipFile, name: str, pieces: Iterable[str]) -> None:
    about = zipfile.ZipInfo(name, MADE)
    about.compress_type = zipfile.ZIP_DEFLATED
    with book.open(about, "w") as part:
        part.write(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>')
        for piece in pieces:
            part.write(piece.encode())


def _sheet(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    yield '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    for at, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{_letter(place)}{at}", value) for place, value in enumerate(row) if value is not None and value != "")
        yield f'<row r="{at}">{cells}</row>'
    yield "</sheetData></worksheet>"


def _cell(place: str, value: object) -> str:
    if isinstance(value, date):
        return f'<c r="{place}" s="{DATE_STYLE}"><v>{value.toordinal() - ZERO}</v></c>'
    if isinstance(value, int):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def _letter(place: int) -> str:
    return chr(65 + place)
