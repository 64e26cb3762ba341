"""Files that are not what they are called, merged cells, dates as numbers, and files open elsewhere: read as what they are, or named."""

from __future__ import annotations

import logging
import shutil

import polars as pl
import pytest
import xlsxwriter

from voc_lib.collect import readers
from voc_lib.collect.contract import load_contract
from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.ingest import ingest, opened
from voc_lib.collect.readers import LINE, ExportError, read_export
from voc_lib.contracts import Read

READ = Read(glob=("*",))
ROWS = [["id", "text"], ["1", "刹车响"], ["2", "空调不冷"]]
PAGE = "<html><head><meta charset='gb2312'><title>工单</title></head><body><table><tr><td>菜单</td></tr></table><table>{}</table></body></html>"


def page(rows):
    return PAGE.format("".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)).encode("gb18030")


def book(path, rows=ROWS, merge=()):
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        for place in merge:
            sheet.merge_range(*place)
    return path


def got(path, read=READ):
    return pl.concat([chunk.frame for chunk in read_export(path, read)])


@pytest.mark.parametrize(("name", "content"), [
    ("page.xls", page(ROWS)), ("tabs.xls", "id\ttext\n1\t刹车响\n2\t空调不冷\n".encode("gb18030")), ("semicolons.xlsx", "id;text\n1;刹车响\n2;空调不冷\n".encode()),
    ("xml2003.xls", '<?xml version="1.0"?><Workbook xmlns:ss="x"><Worksheet><Table>'.encode()
     + "".join("<Row>" + "".join(f"<Cell><Data>{cell}</Data></Cell>" for cell in row) + "</Row>" for row in ROWS).encode() + b"</Table></Worksheet></Workbook>"),
])
def test_what_is_called_excel_is_read_as_what_it_is(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    found = got(tmp_path / name)
    assert found["id"].to_list() == ["1", "2"] and found["text"].to_list() == ["刹车响", "空调不冷"] and found[LINE].to_list() == [2, 3]


@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.txt"])
def test_a_workbook_under_another_name_is_a_workbook(tmp_path, name):
    shutil.copy(book(tmp_path / "a.xlsx"), tmp_path / name)
    assert got(tmp_path / name)["text"].to_list() == ["刹车响", "空调不冷"]


def test_spans_of_a_page_reach_down_and_a_row_too_long_is_a_reject(tmp_path):
    (tmp_path / "a.xls").write_text("<table><tr><th>门店<th>话<tr><td rowspan=2>杭州一店<td>好<tr><td>坏<tr><td>1<td>2<td>3<tr><td colspan=2>合计</table>", "utf-8")
    (chunk,) = read_export(tmp_path / "a.xls", READ)
    assert chunk.frame.drop(LINE).rows() == [("杭州一店", "好"), ("杭州一店", "坏"), ("合计", None)]
    assert [(r.line, r.reason) for r in chunk.rejects] == [(4, "有 3 个字段，表头有 2 个")]


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html><head><title>\xe7\x99\xbb\xe5\xbd\x95 13800138000</title></head></html>", b"\xef\xbb\xbf  <html><table><tr><td>1</td></tr></table>"])
def test_a_page_without_a_table_says_so_and_the_other_files_go_on(site, content):
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,信息审核")
    (folder / "site" / "工单.xls").write_bytes(content)
    (count,) = ingest("s", folder, "test")
    assert count.feedback_stored == 1 and list(count.failed) == ["site/工单.xls"]
    why = count.failed["site/工单.xls"]
    assert "其实是一个网页" in why and "登录过期或出错" in why and "文件没有改动" in why and "13800138000" not in why
    assert (folder / "site" / "工单.xls").read_bytes() == content


def test_merged_cells_are_filled_down_only_where_the_contract_says_and_only_where_they_are_merged(tmp_path):
    rows = [["", "", ""], ["region", "store", "text"], ["", "a", "1"], ["", "b", "2"], ["", "c", "3"], ["south", "d", "4"]]
    path = book(tmp_path / "a.xlsx", rows, [(0, 0, 0, 2, "title"), (2, 0, 3, 0, "north")])
    assert got(path, Read(header_row=1))["region"].to_list() == ["north", None, None, "south"]
    filled = got(path, Read(header_row=1, fill_merged=True))
    assert filled["region"].to_list() == ["north", "north", None, "south"] and filled[LINE].to_list() == [3, 4, 5, 6]


def test_a_head_merged_over_two_rows_names_its_column_also_where_the_sheet_begins_further_right(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as made:
        sheet = made.add_worksheet()
        sheet.merge_range("C2:C3", "id")
        sheet.merge_range("D2:E2", "words")
        sheet.write_row("D3", ["title", "text"])
        sheet.write_row("C4", ["7", "a", "b"])
    assert got(tmp_path / "a.xlsx", Read(header_row=2, fill_merged=True)).drop(LINE).to_dicts() == [{"id": "7", "title": "a", "text": "b"}]


def test_excels_numbers_are_dates_in_the_contracts_time_zone_and_small_or_large_ones_are_not(tmp_path):
    (tmp_path / "c.yaml").write_text('channel: c\ntitle: c\nowner: c\nbase: c\nsolicited: false\ncannot_tell: c\nread: {glob: "*"}\n'
                                     'columns: {source_id: id, occurred_at: {from: day, formats: [excel, "%Y-%m-%d"]}}\n', "utf-8")
    raw = pl.DataFrame({"id": list("abcde"), "day": ["45964.375", "45964", "2025-11-04", "12000", "120000"], LINE: [2, 3, 4, 5, 6]})
    typed, rejects, _ = apply_contract(raw, load_contract(tmp_path / "c.yaml"))
    local = typed["occurred_at"].dt.convert_time_zone("Asia/Shanghai").dt.strftime("%Y-%m-%d %H:%M").to_list()
    assert local == ["2025-11-03 09:00", "2025-11-03 00:00", "2025-11-04 00:00"]
    assert [(r.line, r.reason) for r in rejects] == [(5, "occurred_at 不是时间"), (6, "occurred_at 不是时间")]


def test_a_lock_is_no_export_and_tells_which_file_is_open(site, monkeypatch):
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,信息审核")
    for lock in ("~$2020-06-08.csv", ".~lock.2020-06-08.csv#"):
        (folder / "site" / lock).write_bytes(b"x")
    assert opened(folder) == ["site/2020-06-08.csv"]
    (count,) = ingest("s", folder, "test")
    assert (count.files, count.feedback_stored, count.failed) == (1, 1, {})

    def held(path, read):
        raise PermissionError(13, "held")
        yield

    (folder / "site" / "2020-06-09.csv").write_text("id,text,day,state\n2,响,2020-06-08,信息审核\n", "utf-8")
    (folder / "site" / "~$2020-06-09.csv").write_bytes(b"x")
    monkeypatch.setattr(readers, "_csv", held)
    (count,) = ingest("s", folder)
    assert "正被别的程序占用" in count.failed["site/2020-06-09.csv"] and "它旁边有锁文件：正在 Excel 或 WPS 里开着" in count.failed["site/2020-06-09.csv"]


def test_a_large_file_says_how_far_it_is(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(readers, "CHUNK", 2)
    monkeypatch.setattr(readers, "LARGE", 100)
    path = book(tmp_path / "回访13800138000.xlsx", [["id"], *([str(n)] for n in range(5))])
    with caplog.at_level(logging.INFO, logger="voc.progress"):
        assert [chunk.frame.height for chunk in read_export(path, READ)] == [2, 2, 1]
    assert [record.getMessage().partition("：")[2] or record.getMessage().partition(" 有 ")[0] for record in caplog.records] == ["回访〔手机号〕.xlsx", "已读 2 行 …", "已读 4 行 …"]


def test_half_a_workbook_that_is_open_says_to_close_it(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04half")
    (tmp_path / "~$a.xlsx").write_bytes(b"x")
    with pytest.raises(ExportError, match="正在 Excel 或 WPS 里开着.*先关闭再试"):
        got(tmp_path / "a.xlsx")
