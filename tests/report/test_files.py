"""Rows as a file: nothing a stranger wrote acts as a formula, whatever program opens it."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile

import polars as pl
import pytest

from voc_lib.report import files
from voc_lib.report.files import FileError, readable, write_rows

EVIL = ['=HYPERLINK("http://x","点")', "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "＝1+1", "空调=异响", "'=1", None]


def frame(texts: list) -> pl.DataFrame:
    count = len(texts)
    return pl.DataFrame({"feedback_id": [f"{at}" for at in range(count)], "local_date": [dt.date(2026, 11, 9)] * count, "rating": [float("nan"), -2.0, *[None] * (count - 2)],
                         "codes": [["空调-运转-异响", "车机-系统-卡顿"]] * count, "verbatim": texts}, schema_overrides={"verbatim": pl.String})


def test_in_excel_every_text_is_a_text(tmp_path):
    write_rows(frame(EVIL), tmp_path / "a.xlsx")
    back = pl.read_excel(tmp_path / "a.xlsx")
    assert back.columns == ["编号", "日期", "评分", "问题", "原话"]
    said = back["原话"].to_list()
    assert [text.strip() for text in said[:4] + said[6:8]] == EVIL[:4] + EVIL[6:8] and said[-1] in (None, "")
    assert back["问题"][0] == "空调-运转-异响、车机-系统-卡顿" and str(back["日期"][0]).startswith("2026-11-09")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "hyperlink" not in sheet.lower().replace("hyperlink(", "")


def test_in_csv_what_begins_like_a_formula_gets_a_mark(tmp_path):
    write_rows(frame(EVIL), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        said = [row["原话"] for row in csv.DictReader(file)]
    assert said[:6] == [f"'{text}" for text in EVIL[:6]] and said[6:] == ["空调=异响", "'=1", ""]


def test_what_cannot_be_written_is_said_and_an_older_file_stays(tmp_path, monkeypatch):
    with pytest.raises(FileError, match="不会写「.doc」.*以 .xlsx 或 .csv 结尾"):
        write_rows(frame(EVIL), tmp_path / "a.doc")
    (tmp_path / "a.xlsx").write_text("before")
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    with pytest.raises(FileError, match="有 9 行，一张 Excel 表最多 3 行。请改成 .csv"):
        write_rows(frame(EVIL), tmp_path / "a.xlsx")
    monkeypatch.setattr(files, "_csv", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_rows(frame(EVIL), tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"] and (tmp_path / "a.xlsx").read_text() == "before"


def test_a_cell_longer_than_excel_takes_is_cut_and_not_lost(tmp_path):
    write_rows(frame(["响" * 40_000, "短"]), tmp_path / "a.xlsx")
    assert pl.read_excel(tmp_path / "a.xlsx")["原话"].str.len_chars().to_list() == [files.MOST_LETTERS, 1]


def test_keys_of_persons_are_not_written():
    assert readable(pl.DataFrame({"author_key": ["k"], "person": ["k"], "customer_id": ["c"], "thread": ["t"], "verbatim": ["x"], "feedback_id": ["f"]})).columns == ["feedback_id", "verbatim"]
