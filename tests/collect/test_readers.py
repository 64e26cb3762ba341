"""Every format gives the same rows; a line that cannot be read is a reject with its line, a file an error with words."""

from __future__ import annotations

import json

import polars as pl
import pytest

from voc_lib.collect.readers import LINE, ExportError, read_export
from voc_lib.contracts import Read

READ = Read(glob=("*",))
ROWS = [{"id": "1", "text": "方向盘,抖\n很厉害"}, {"id": "2", "text": '他说"没事"'}]


def frame(path, read=READ):
    return pl.concat([chunk.frame for chunk in read_export(path, read)], how="diagonal")


def write_csv(path, encoding, delimiter=","):
    quoted = [[r["id"], '"' + r["text"].replace('"', '""') + '"'] for r in ROWS]
    path.write_bytes("\r\n".join(delimiter.join(r) for r in [["id", "text"], *quoted]).encode(encoding))


def test_csv_in_any_listed_encoding_and_tsv_give_the_same_rows(tmp_path):
    for name, encoding, delimiter in (("a.csv", "utf-8-sig", ","), ("b.csv", "gb18030", ","), ("c.tsv", "utf-8", "\t")):
        write_csv(tmp_path / name, encoding, delimiter)
        got = frame(tmp_path / name)
        assert got.select("id", "text").to_dicts() == ROWS
        assert got[LINE].to_list() == [2, 4]  # the first row runs over two lines


def test_excel_jsonl_and_parquet_give_the_same_rows(tmp_path):
    pl.DataFrame(ROWS).write_excel(tmp_path / "a.xlsx")
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in ROWS), "utf-8")
    for name in ("a.xlsx", "a.parquet", "a.jsonl"):
        assert frame(tmp_path / name).select("id", "text").to_dicts() == ROWS


def test_title_rows_above_the_header_and_the_sheet_by_name(tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("说明").write(0, 0, "无关")
        sheet = book.add_worksheet("数据")
        for r, row in enumerate([["满意度调研"], ["导出"], ["id", "text"], ["1", "好"], [None, None], ["2", "坏"]]):
            sheet.write_row(r, 0, row)
    got = frame(tmp_path / "a.xlsx", Read(glob=("*",), sheet="数据", header_row=2))
    assert got.select("id", "text").rows() == [("1", "好"), ("2", "坏")]
    assert got[LINE].to_list() == [4, 6]  # sheet rows as the analyst sees them


def test_numbers_that_excel_has_already_corrupted_are_refused(tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "text"])
        sheet.write_row(1, 0, [6228480402564890018, "编号是数字"])
        sheet.write_row(2, 0, [12345, "小编号"])
    chunk = next(read_export(tmp_path / "a.xlsx", READ))
    assert [r.line for r in chunk.rejects] == [2] and "2^53" in chunk.rejects[0].reason
    assert chunk.frame["text"].to_list() == ["小编号"]


def test_bad_lines_are_rejects_and_the_rest_goes_on(tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n1,好\n2,多,了\n\n3,坏\n", "utf-8")
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "好"}\n{"id": 2, "te\n[1]\n\n{"id": 3, "turns": [{"a": 1}]}\n', "utf-8")
    (chunk,) = read_export(tmp_path / "a.csv", READ)
    assert chunk.frame["id"].to_list() == ["1", "3"] and [(r.line, r.values["id"]) for r in chunk.rejects] == [(3, "2")]
    (chunk,) = read_export(tmp_path / "a.jsonl", READ)
    assert chunk.frame["id"].to_list() == ["1", "3"] and chunk.frame["turns"].to_list() == [None, '[{"a": 1}]']
    assert [r.line for r in chunk.rejects] == [2, 3]


def test_nul_and_half_an_emoji_do_not_stop_a_file(tmp_path):
    (tmp_path / "a.jsonl").write_text(r'{"id": "1\u0000", "text": "好\ud83d评"}' + "\n" + r'{"id": "2", "text": "\ud83d\ude00"}', "utf-8")
    (tmp_path / "a.csv").write_bytes("id,text\n1\0,好评\n".encode())
    got = frame(tmp_path / "a.jsonl")
    assert got["id"].to_list() == ["1", "2"] and got["text"].to_list() == ["好\ufffd评", "😀"]
    assert frame(tmp_path / "a.csv")["id"].to_list() == ["1"]


@pytest.mark.parametrize(("name", "content", "said"), [
    ("a.csv", b"", "没有表头"), ("a.csv", b"id,id\n1,2\n", "不止一次"), ("a.csv", b"id\n\xff\xfe\x81\x20", "编码不是"),
    ("a.xls", b"<html><table></table></html>", "其实是一个网页"), ("a.parquet", b"PAR1....", "Parquet"), ("a.pdf", b"%PDF", "不认识的文件类型"),
])
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExportError, match=said):
        list(read_export(tmp_path / name, READ))
