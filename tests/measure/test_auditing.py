"""`voc audit`: drawn by lot, filled in Excel, read back whole or not at all, and the shares that follow."""

import json
import shlex

import openpyxl
import polars as pl
import pytest

from voc_lib.measure.analyses.health import channel_titles
from voc_lib.measure.audited import NOT_AUDITED, audited_shares
from voc_lib.measure.auditing import LABELS, SHEET, AuditError, draw_audit, read_audit
from voc_lib.store import open_store


def fill(path, label):
    """Write `label(row)` into the column 观点 of every row."""
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    heads = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, heads["观点"]).value = label({name: sheet.cell(row, column).value for name, column in heads.items()})
    book.save(path)


@pytest.fixture
def drawn(sample):
    return draw_audit("sample", sample / "data" / "audit", 20)


def test_a_draw_takes_so_many_of_each_channel_and_shows_no_answer(sample, drawn):
    path, counts = drawn
    rows = openpyxl.load_workbook(path)[SHEET]
    assert rows.max_row - 1 == counts["drawn"].sum()
    assert counts["drawn"].max() <= 20 and counts["channel"].n_unique() > 3
    assert {cell.value for cell in rows["F"][1:]} == {None}
    stored = open_store("sample").sql("SELECT DISTINCT verbatim FROM feedback_rows")["verbatim"]
    assert any(text in rows["E2"].value for text in stored.drop_nulls() if text)


def test_text_that_looks_like_a_formula_stays_text(sample, monkeypatch):
    from voc_lib.measure import auditing

    frame = pl.DataFrame({"feedback_id": ["a"], "channel": ["c"], "local_date": ["2026-01-01"], "text": ["=1+1"]})
    auditing._write(sample / "f.xlsx", frame, "1", "sample")
    assert openpyxl.load_workbook(sample / "f.xlsx")[SHEET]["E2"].data_type == "s"


def test_labels_correct_the_shares_and_the_rest_says_it_is_not_audited(sample, drawn):
    path, counts = drawn
    before = audited_shares(open_store("sample"))
    assert set(before["note"]) == {NOT_AUDITED} and before["conf_low"].null_count() == before.height
    channel = counts.sort("drawn", "channel", descending=[True, False])["channel"][0]
    title = channel_titles("sample")[channel]
    fill(path, lambda row: "负面" if row["渠道"] == title else None)
    done = read_audit("sample", path)
    assert done.labels == {channel: 20} and done.empty == counts["drawn"].sum() - 20
    after = {row["channel"]: row for row in audited_shares(open_store("sample")).iter_rows(named=True)}
    assert after[channel]["labels"] == 20 and after[channel]["estimate"] == pytest.approx(1, abs=0.1)
    assert after[channel]["conf_low"] < after[channel]["estimate"] <= after[channel]["conf_high"]
    assert {row["note"] for name, row in after.items() if name != channel} == {NOT_AUDITED}


def test_shares_of_some_feedback_use_the_labels_that_fall_inside(sample, drawn):
    fill(drawn[0], lambda row: "正面")
    read_audit("sample", drawn[0])
    some = open_store("sample").sql("SELECT feedback_id FROM audits WHERE opinion IS NOT NULL ORDER BY feedback_id LIMIT 5")
    assert audited_shares(open_store("sample"), "negative", some)["labels"].sum() == 5
    assert audited_shares(open_store("sample"), "negative", some.clear()).is_empty()


def test_labelled_feedback_is_not_drawn_again(sample, drawn):
    fill(drawn[0], lambda row: "中性")
    read_audit("sample", drawn[0])
    labelled = set(open_store("sample").sql("SELECT feedback_id FROM audits WHERE opinion IS NOT NULL")["feedback_id"])
    try:
        path, _ = draw_audit("sample", sample / "data" / "audit", 20)
    except AuditError as error:
        assert "都已标注过" in str(error)
    else:
        assert path != drawn[0]
        assert not labelled & {cell.value for cell in openpyxl.load_workbook(path)[SHEET]["C"][1:]}


@pytest.mark.parametrize("value,said", [("付面", "是否想写「负面」"), ("很差", "只能填")])
def test_a_word_that_is_no_opinion_is_named_with_its_row(sample, drawn, value, said):
    fill(drawn[0], lambda row: value if row["序号"] == 3 else "负面")
    with pytest.raises(AuditError, match=f"第 4 行.*{said}"):
        read_audit("sample", drawn[0])
    assert open_store("sample").sql("SELECT count(*) AS n FROM audits WHERE opinion IS NOT NULL")["n"].item() == 0


def test_what_cannot_be_read_back_is_said(sample, drawn):
    with pytest.raises(AuditError, match="还没有填"):
        read_audit("sample", drawn[0])
    book = openpyxl.load_workbook(drawn[0])
    book[SHEET]["C3"].value = book[SHEET]["C2"].value
    book.save(sample / "twice.xlsx")
    fill(sample / "twice.xlsx", lambda row: "负面")
    with pytest.raises(AuditError, match="出现了两次"):
        read_audit("sample", sample / "twice.xlsx")
    book[SHEET]["C3"].value = "nobody"
    book.save(sample / "strange.xlsx")
    with pytest.raises(AuditError, match="不在这次抽签里"):
        read_audit("sample", sample / "strange.xlsx")
    (sample / "no.xlsx").write_bytes(b"not a workbook")
    with pytest.raises(AuditError, match="读不出来"):
        read_audit("sample", sample / "no.xlsx")
    with pytest.raises(AuditError, match="没有这个文件"):
        read_audit("sample", sample / "gone.xlsx")


def test_an_opinion_that_does_not_exist_is_refused(sample):
    with pytest.raises(ValueError, match="没有观点「angry」"):
        audited_shares(open_store("sample"), "angry")
    assert set(LABELS.values()) == {"negative", "neutral", "positive", "mixed"}


def test_a_share_is_about_the_feedback_that_can_be_drawn(sample):
    """Stars without words have no opinion to read: they are neither drawn nor counted."""
    lake = open_store("sample")
    written = lake.sql("SELECT channel, count(*) AS n FROM feedback_rows WHERE verbatim <> '' GROUP BY channel")
    assert lake.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item() > written["n"].sum()
    assert dict(audited_shares(lake).select("channel", "n").iter_rows()) == dict(written.iter_rows())


def test_the_command_draws_reads_and_shows(sample):
    from typer.testing import CliRunner

    from voc_lib.cli import app

    drawn = CliRunner().invoke(app, ["audit", "--number", "12"])
    assert drawn.exit_code == 0, drawn.output
    words = shlex.split(drawn.stdout.strip().splitlines()[-1])  # what it prints last is what to run next
    assert words[:2] == ["voc", "audit"]
    fill(words[-1], lambda row: "负面")
    read = CliRunner().invoke(app, words[1:])
    assert read.exit_code == 0 and "读回抽签" in read.stdout
    shown = CliRunner().invoke(app, ["audit", "--show", "--json"])
    assert any(row["labels"] >= 10 for row in json.loads(shown.stdout)["shares"])


def test_the_feedback_of_a_notebook_limits_the_shares_to_its_weeks(sample):
    from voc_lib.measure.feedback import feedback

    lake = open_store("sample")
    everything = feedback(lake)
    week = everything["iso_week"].mode().sort()[0]
    one = audited_shares(lake, "negative", everything.filter(pl.col("iso_week") == week))
    assert one["n"].sum() == everything.filter(pl.col("iso_week") == week, pl.col("verbatim") != "").height
    assert audited_shares(lake, "negative", everything).equals(audited_shares(lake))
