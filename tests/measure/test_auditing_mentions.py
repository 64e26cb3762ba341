"""`voc audit --mentions`: feedback x code drawn by lot, read back with the code, and old audits of whole texts beside them."""

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import polars as pl
import pytest

from voc_lib import schema
from voc_lib.measure.audited import audited_shares
from voc_lib.measure.auditing import SHEET, WRONG_CODE, AuditError, draw_audit, read_audit
from voc_lib.store import open_store
from voc_lib.store_write import write_store


def fill(path, label, change=None):
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    heads = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, heads["观点"]).value = label({name: sheet.cell(row, column).value for name, column in heads.items()})
    if change:
        change(sheet, heads)
    book.save(path)


@pytest.fixture
def store(home):
    """Thirty posts of a forum that mention a code each, ten of them two; three reviews, one without any code."""
    posts = [(f"p{at:02}", "forum") for at in range(30)] + [(f"r{at}", "review") for at in range(3)]
    rows = pl.DataFrame(posts, schema=["feedback_id", "channel"], orient="row").with_columns(verbatim=pl.lit("油耗高，异响大"), iso_week=pl.lit("2026-W46"))
    found = [(name, "油耗-整体-评价") for name, _ in posts[:30]] + [(name, "底盘-悬挂-异响") for name, _ in posts[:10]] + [("r0", "油耗-整体-评价"), ("r1", "油耗-整体-评价"), ("r2", "未归类")]
    mentions = pl.DataFrame(found, schema=["feedback_id", "code"], orient="row").with_columns(
        iso_week=pl.lit("2026-W46"), confidence=0.8, source=pl.lit("keyword"), model_version=pl.lit("k1"), coded_at=pl.lit(datetime(2026, 11, 20, tzinfo=UTC)),
        span_start=pl.when(pl.col("code") != "未归类").then(0), span_end=pl.when(pl.col("code") != "未归类").then(2))
    with write_store("mine", "test", "auto") as writer:
        writer.append("feedback", rows)
        writer.append("mentions", mentions)
    return home


def stored(store="mine"):
    return open_store(store).sql("SELECT feedback_id, code, opinion FROM audits WHERE opinion IS NOT NULL ORDER BY ALL")


def test_a_draw_of_mentions_names_the_code_and_comes_back_with_it(store):
    path, counts = draw_audit("mine", store / "audit", 25, mentions=True)
    assert dict(counts.iter_rows()) == {"forum": 25, "review": 2}  # 40 mentions of 30 posts; what has no code is not drawn
    sheet = openpyxl.load_workbook(path)[SHEET]
    assert [cell.value for cell in sheet[1]] == ["序号", "渠道", "反馈号", "日期", "原文", "问题", "观点", "备注"]
    assert {cell.value for cell in sheet["F"][1:]} == {"油耗-整体-评价", "底盘-悬挂-异响"} and {cell.value for cell in sheet["G"][1:]} == {None}
    fill(path, lambda row: WRONG_CODE if row["问题"].startswith("底盘") else "负面" if row["渠道"] == "forum" else None)
    done = read_audit("mine", path)
    assert done.mentions and done.labels == {"forum": 25} and done.empty == 2
    kept = stored()
    assert set(kept.filter(pl.col("code") == "底盘-悬挂-异响")["opinion"]) == {"wrong_code"} and set(kept.filter(pl.col("code") == "油耗-整体-评价")["opinion"]) == {"negative"}
    again, more = draw_audit("mine", store / "audit", 25, mentions=True)  # what is labelled is not drawn again, other mentions of the same post are
    assert again != path and dict(more.iter_rows()) == {"forum": 15, "review": 2}


def test_labels_of_mentions_are_no_labels_of_texts_and_the_other_way_round(store):
    mentions, _ = draw_audit("mine", store / "audit", 40, mentions=True)
    fill(mentions, lambda row: "负面")
    read_audit("mine", mentions)
    assert audited_shares(open_store("mine"))["labels"].sum() == 0
    whole, counts = draw_audit("mine", store / "audit", 40)
    assert dict(counts.iter_rows()) == {"forum": 30, "review": 3}
    with pytest.raises(AuditError, match=f"观点「{WRONG_CODE}」不认识.*只能填：负面、中性、正面、正负都有。"):
        fill(whole, lambda row: WRONG_CODE)
        read_audit("mine", whole)
    with pytest.raises(AuditError, match="没有可抽检的提及.*都已标注过"):
        draw_audit("mine", store / "audit", 40, mentions=True)


@pytest.mark.parametrize("label,change,said", [
    (lambda row: "不是这个" if row["序号"] == 3 else "负面", None, f"第 4 行的观点「不是这个」不认识。是否想写「{WRONG_CODE}」.*正负都有、{WRONG_CODE}"),
    (lambda row: None, None, f"还没有填。请填 负面、.*{WRONG_CODE}"),
    (lambda row: "负面", lambda sheet, heads: sheet.cell(5, heads["问题"], "油耗-整体-高"), "第 5 行的反馈号「p..」、问题「油耗-整体-高」不在这次抽签里.*不要改动或增加反馈号、问题"),
    (lambda row: "负面", lambda sheet, heads: sheet.cell(1, heads["问题"], "编码"), "缺少列：问题。这是按提及的抽检"),
    (lambda row: "负面", lambda sheet, heads: [sheet.cell(3, heads[name], sheet.cell(2, heads[name]).value) for name in ("反馈号", "问题")], "第 3 行的反馈号「p..」、问题「.*」出现了两次"),
])  # fmt: skip
def test_what_cannot_be_trusted_is_said_and_nothing_is_stored(store, label, change, said):
    path, _ = draw_audit("mine", store / "audit", 20, mentions=True)
    fill(path, label, change)
    with pytest.raises(AuditError, match=said):
        read_audit("mine", path)
    assert stored().is_empty()


def test_an_audit_of_before_mentions_were_drawn_still_counts(store, monkeypatch):
    """Rows written without the column `code`, and a file drawn then and read back now."""
    of_today = schema.table
    narrow = replace(of_today("audits"), columns=tuple(column for column in of_today("audits").columns if column.name != "code"))
    old = pl.DataFrame({"feedback_id": [f"p{at:02}" for at in range(12)], "channel": "forum", "audit": "20250101-1", "read_at": datetime(2025, 1, 1, tzinfo=UTC)})
    with monkeypatch.context() as before:
        before.setattr(schema, "table", lambda name: narrow if name == "audits" else of_today(name))
        with write_store("mine", "old audit") as writer:
            writer.append("audits", old.with_columns(opinion=pl.lit(None, pl.String)))
            writer.append("audits", old.head(10).with_columns(opinion=pl.lit("negative"), read_at=pl.lit(datetime(2025, 1, 2, tzinfo=UTC))))
    assert "code" not in pl.read_parquet(open_store("mine").files()["audits"][0]).columns
    path, counts = draw_audit("mine", store / "audit", 40, mentions=True)
    assert counts["drawn"].sum() == 42
    fill(path, lambda row: "正面")
    read_audit("mine", path)
    assert stored().filter(pl.col("code").is_null()).height == 10 and stored().filter(pl.col("code").is_not_null()).height == 42
    assert dict(draw_audit("mine", store / "audit", 40)[1].iter_rows()) == {"forum": 20, "review": 3}


def test_the_command_draws_reads_and_shows_codes(store):
    from typer.testing import CliRunner

    from voc_lib.cli import app

    drawn = CliRunner().invoke(app, ["audit", "--store", "mine", "--mentions", "--number", "20"])
    assert drawn.exit_code == 0 and "forum 20 个提及" in drawn.stdout, drawn.output
    words = shlex.split(drawn.stdout.strip().splitlines()[-1])
    fill(words[-1], lambda row: "负面")
    read = CliRunner().invoke(app, words[1:])
    assert read.exit_code == 0 and "全部问题" in read.stdout and "编码正确" in read.stdout, read.output
    shares = json.loads(CliRunner().invoke(app, ["audit", "--store", "mine", "--show", "--mentions", "--json"]).stdout)["shares"]
    assert {row["code"] for row in shares} == {"全部问题", "油耗-整体-评价", "底盘-悬挂-异响"} and {row["metric"] for row in shares} == {"negative_share", "code_precision"}
