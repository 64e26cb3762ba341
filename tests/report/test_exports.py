"""Tables as Excel files: numbers are numbers, nothing is ever a formula, and the same table gives the same bytes."""

from __future__ import annotations

import base64
import io
import re
import zipfile

import openpyxl
import pytest

from voc_lib.report.escape import download
from voc_lib.report.exports import LONGEST, XLSX, file_name, sheet_name, table_link, workbook
from voc_lib.report.markup import block_html

HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK("http://example.org","x")', "\t=1", "https://example.org", "mailto:a@b", "{=1}", "000123", "1,2"]


def block(rows, columns=("话", "人数"), **more):
    return {"kind": "table", "columns": [{"title": title, "tone": "number" if title == "人数" else ""} for title in columns], "rows": rows, **more}


def cells(content):
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()]


def test_what_looks_like_a_formula_stays_text():
    content = workbook(block([[{"text": text}, {"text": "1"}] for text in HOSTILE]), "话")
    book = openpyxl.load_workbook(io.BytesIO(content))
    found = [row[0] for row in book.active.iter_rows(min_row=2)]
    assert [cell.value for cell in found] == HOSTILE and {cell.data_type for cell in found} == {"s"}
    assert [cell.quotePrefix for cell in found] == [text[0] in "=+-@\t" for text in HOSTILE]  # stays text when the cell is edited
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<hyperlink" not in sheet


@pytest.mark.parametrize(("text", "value", "shape"), [
    ("12", 12, "#,##0"), ("1,234", 1234, "#,##0"), ("−3.50", -3.5, "#,##0.00"), ("12.3%", 0.123, "0.0%"), ("0%", 0, "0%"), ("100%", 1, "0%"),
    ("<0.1%", "<0.1%", None), ("1.2万", "1.2万", None), ("—", "—", None), ("不足10人", "不足10人", None), ("2020-06-08", "2020-06-08", None), ("1,2", "1,2", None),
])
def test_numbers_are_numbers_and_what_is_rounded_or_withheld_stays_as_shown(text, value, shape):
    book = openpyxl.load_workbook(io.BytesIO(workbook(block([[{"text": "a"}, {"text": text, "tone": "number"}]]), "x")))
    cell = book.active["B2"]
    assert cell.value == value and (shape is None or cell.number_format == shape)


def test_small_text_has_a_column_of_its_own_and_the_note_stands_below():
    rows = [[{"text": "热线"}, {"text": "23.5%", "tone": "number", "small": "20.1%～27.3%"}], [{"text": "商店"}, {"text": "不足10人"}]]
    assert cells(workbook(block(rows, ("渠道", "人数"), note="共 9 行"), "x")) == [
        ["渠道", "人数", "人数 · 注"], ["热线", 0.235, "20.1%～27.3%"], ["商店", "不足10人", None], [None] * 3, ["共 9 行", None, None]]


def test_the_same_table_gives_the_same_bytes_and_no_time_of_making():
    table = block([[{"text": "a"}, {"text": "1"}]])
    content = workbook(table, "x")
    assert content == workbook(table, "x") and {info.date_time[:3] for info in zipfile.ZipFile(io.BytesIO(content)).infolist()} == {(1980, 1, 1)}


def test_hidden_marks_and_endless_text_fit_into_a_cell():
    assert cells(workbook(block([[{"text": "好\u202e评\x00" + "长" * 40_000}, {"text": "1"}]]), "x"))[1][0] == "好评" + "长" * (LONGEST - 2)


@pytest.mark.parametrize(("name", "sheet", "file"), [
    ("低分占比", "低分占比", "低分占比"), ("a/b: [c]*?\\", "a b c", "a b [c]"), ("History", "表格", "History"), ("'", "表格", "'"), ("..", "..", "表格"), ("", "表格", "表格"), ("长" * 99, "长" * 31, "长" * 60),
])
def test_names_that_excel_and_every_system_take(name, sheet, file):
    assert (sheet_name(name), file_name(name)) == (sheet, file)
    assert openpyxl.load_workbook(io.BytesIO(workbook(block([[{"text": "a"}, {"text": "1"}]]), name))).sheetnames == [sheet]


def test_the_link_carries_the_file_named_by_its_caption_else_by_its_heading():
    rows = [[{"text": "<b>"}, {"text": "1"}]]
    link = str(table_link(block(rows, caption='谁"/说')))
    assert 'download="谁 说.xlsx"' in link and "下载 Excel" in link
    packed = re.search(rf'href="data:{XLSX};base64,([A-Za-z0-9+/=]+)"', link)[1]
    assert cells(base64.b64decode(packed))[1][0] == "<b>"
    assert 'download="各渠道如何？.xlsx"' in str(table_link(block(rows, section="各渠道如何？")))
    assert table_link(block([])) is None and "下载 Excel" not in block_html(block([]))
    assert block_html(block(rows)).count('class="take"') == 1


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml"])
def test_what_a_browser_would_show_is_no_download(kind):
    with pytest.raises(ValueError, match="不能作为下载"):
        download("a", "b", kind, b"")
