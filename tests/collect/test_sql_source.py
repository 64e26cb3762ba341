"""A database as a source: read from the mark on, by the same path as files; a mistake is answered with file and line."""

from __future__ import annotations

import importlib
import json
import re
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from voc_lib import pipeline
from voc_lib.collect import sql_source
from voc_lib.collect.contract import ContractError, load_contract
from voc_lib.collect.databases import open_database
from voc_lib.collect.ingest import IngestError, ingest
from voc_lib.collect.pull import pull
from voc_lib.store import open_store

room = importlib.import_module("voc_lib.collect.pull")
FULL = ("  cursor: updated\n", "")


class Claims:
    """A table of claims in SQLite."""

    def __init__(self, path):
        self.url = f"sqlite:///{path}"
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("CREATE TABLE claims (id, words, day, state, phone, updated)")

    def add(self, *rows):
        self.connection.executemany("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?)", rows)


@pytest.fixture
def claims(tmp_path):
    return Claims(tmp_path / "索赔 库.db")


def only(counts):
    (count,) = counts
    assert not count.failed, count.failed
    return count


def facts(count):
    return count.rows_read, count.feedback_stored, count.rows_repeated, count.rows_quarantined


def marks():
    return open_store("s").sql("SELECT cursor FROM exports ORDER BY ingested_at")["cursor"].to_list()


def test_a_second_pull_reads_from_the_mark_on(claims, warranty):
    warranty(claims.url)
    claims.add((1, "抖", "2026-06-01", "受理", None, 10), (2, "响", "2026-06-02", "受理", "13800138000", 20), (3, "漏", "2026-06-03", None, None, 20))
    first = only(pull("s", "test"))
    assert facts(first) == (3, 3, 0, 0) and marks() == ["int:20"] and first.resumed == ""
    claims.add((4, "晚到", "2026-06-03", "受理", None, 20), (5, "异味", "2026-06-09", "受理", None, 30))
    claims.connection.execute("UPDATE claims SET state = '结案', updated = 25 WHERE id = 1")
    second = only(pull("s"))
    assert facts(second) == (5, 2, 3, 0)  # 2, 3 and 4 carry the mark, 1 was touched, 5 is new; 2 and 3 say nothing new
    assert marks() == ["int:20", "int:30"] and second.resumed == "从上次读到的 20 接着读"
    store = open_store("s")
    rows = store.read("feedback").collect().sort("source_id")
    assert rows["verbatim"].to_list() == ["抖", "响", "漏", "晚到", "异味"]
    assert rows["status"].to_list() == ["结案", "受理", None, "受理", "受理"]
    assert rows["iso_week"].to_list() == ["2026-W23"] * 4 + ["2026-W24"]
    seen = store.sql("SELECT source_id, count(*) AS n FROM sightings JOIN feedback USING (feedback_id) GROUP BY 1 ORDER BY 1")
    assert seen["n"].to_list() == [2, 1, 1, 1, 1]  # rows read twice for the sake of the mark leave no second sighting
    assert store.read("identity_keys").collect().height == 1


@pytest.mark.parametrize("change", [(), (FULL,)], ids=["cursor", "full"])
def test_pulling_again_with_nothing_new_stores_and_publishes_nothing(claims, warranty, change):
    warranty(claims.url, *change)
    claims.add((1, "抖", "2026-06-01", "受理", None, 10), (2, "响", "不详", "受理", None, 20), (3, "漏", "2026-06-03", "受理", None, None))
    assert facts(only(pull("s", "test"))) == (3, 2, 0, 1)
    before = open_store("s")
    again = only(pull("s"))
    assert (again.feedback_stored, again.files_known) == (0, 1) and again.rows_read == (2 if not change else 3)
    assert open_store("s").snapshot == before.snapshot and open_store("s").versions == before.versions
    quarantine = open_store("s").read("quarantine").collect()
    assert (quarantine["file"].item(), quarantine["line"].item()) == ("env:WARRANTY_URL", 3 if not change else 2)


def test_without_a_cursor_a_status_that_goes_back_is_news(claims, warranty):
    warranty(claims.url, FULL)
    claims.add((1, "抖", "2026-06-01", "受理", None, 10))
    for state in ("受理", "结案", "受理"):
        claims.connection.execute("UPDATE claims SET state = ?", [state])
        pull("s", "test")
        assert open_store("s").read("feedback").collect()["status"].item() == state
    assert marks() == [None] * 3


def test_the_later_of_two_rows_about_one_claim_counts(claims, warranty):
    warranty(claims.url)
    claims.add((1, "抖", "2026-06-01", "结案", None, 12), (1, "抖", "2026-06-01", "受理", None, 11), (1, "抖", "2026-06-01", "审核", None, 10))
    pull("s", "test")
    assert open_store("s").read("feedback").collect()["status"].to_list() == ["结案"]
    snapshot = open_store("s").snapshot
    pull("s")
    assert open_store("s").snapshot == snapshot


def test_a_time_as_mark_looks_back_for_rows_that_were_committed_late(claims, warranty, monkeypatch):
    reached = "datetime:2026-06-08T12:00:00"
    assert sql_source.restored(reached) - sql_source._begin(reached) == sql_source.LATE
    assert sql_source._begin("int:5") == 5 and sql_source._begin("date:2026-06-08").isoformat() == "2026-06-08"
    assert sql_source._in_future(datetime(9999, 12, 31)) and not sql_source._in_future(datetime(2026, 6, 8))
    # A date in the year 9999 must not become the mark, or nothing after it would ever be read.
    warranty(claims.url)
    claims.add((1, "抖", "2026-06-01", None, None, "2026-06-01"), (2, "响", "2026-06-01", None, None, "9999-12-31"))
    pull("s", "test")
    claims.add((3, "漏", "2026-06-02", None, None, "2026-06-02"))
    assert only(pull("s")).feedback_stored == 1 and marks() == ["text:2026-06-01", "text:2026-06-02"]


@pytest.mark.parametrize("sign", [">", ">="])
def test_the_query_may_place_the_cursor_itself(claims, warranty, sign):
    warranty(claims.url, ("FROM claims", f"FROM claims AS c WHERE c.updated {sign} :cursor AND words <> ':x' ; "))
    claims.add((1, "抖", "2026-06-01", None, None, 10))
    assert only(pull("s", "test")).feedback_stored == 1
    claims.add((2, "响", "2026-06-01", None, None, 10), (3, "漏", "2026-06-01", None, None, None), (4, ":x", "2026-06-01", None, None, 11))
    assert facts(only(pull("s"))) == (3, 2, 1, 0)


def test_rows_come_in_pieces_and_a_changed_contract_or_database_reads_all_again(claims, warranty, monkeypatch, tmp_path):
    monkeypatch.setattr(sql_source, "FETCH", 7)
    monkeypatch.setattr(room, "FLUSH_ROWS", 20)
    contract = load_contract(warranty(claims.url))
    claims.add(*((i, f"第 {i} 条", "2026-06-01", None, None, i) for i in range(50)))
    assert [piece.frame.height for piece in pieces(contract, "int:40")] == [7, 3]
    assert facts(only(pull("s", "test"))) == (50, 50, 0, 0)
    snapshot = open_store("s").snapshot
    warranty(claims.url, ("title: 索赔单", "title: 索赔"))
    assert facts(only(pull("s"))) == (50, 0, 50, 0) and open_store("s").snapshot > snapshot  # the mark of the new contract
    other = Claims(tmp_path / "other.db")
    other.add((7, "已有", "2026-06-01", None, None, 3), (99, "新", "2026-06-01", None, None, 1))
    warranty(other.url, ("title: 索赔单", "title: 索赔"))
    assert facts(only(pull("s"))) == (2, 1, 1, 0)


def pieces(contract, mark):
    return list(sql_source.read_database(open_database(contract), contract, mark))


@pytest.mark.parametrize(("old", "new", "said"), [
    ('"env:WARRANTY_URL"', "postgresql://bob:secret@h/d", "第 9 行.*env:变量名"),
    ('"env:WARRANTY_URL"', "[postgresql://bob:secret@h/d]", "第 9 行.*应为文字"),
    ("SELECT id", "DELETE id", "第 8 行.*SELECT 或 WITH"),
    ("FROM claims", "FROM claims WHERE coalesce(updated, 0) > :cursor", "第 8 行.*列 > :cursor"),
    ("  cursor: updated", "  glob: x", "第 10 行.*不能与 sql 同时写"),
    ("FROM claims\n", "FROM claims WHERE updated > :cursor\n  sheet: 1\n", "第 9 行.*sheet"),
    ("  sql: SELECT id, words, day, state, phone, updated FROM claims\n", "", "第 7 行.*read.sql.*缺少"),
    ('  connection: "env:WARRANTY_URL"\n', "", "第 7 行.*env:变量名"),
    ("  cursor: updated", "  cursors: updated", "第 10 行.*是否想写「cursor」"),
])
def test_a_wrong_contract_is_named_with_file_and_line_and_no_secret(warranty, old, new, said):
    path = warranty("", (old, new))
    with pytest.raises(ContractError, match=said) as caught:
        load_contract(path)
    assert "warranty.yaml" in str(caught.value) and "secret" not in str(caught.value)


def test_a_query_with_a_cursor_placed_needs_its_name(warranty):
    path = warranty("", ("FROM claims", "FROM claims WHERE updated > :cursor"), FULL)
    with pytest.raises(ContractError, match="第 8 行.*没有写 cursor"):
        load_contract(path)


@pytest.mark.parametrize(("url", "old", "new", "said"), [
    (None, "", "", "第 9 行.*环境变量 WARRANTY_URL 没有设置"),
    ("  ", "", "", "第 9 行.*没有设置或是空的"),
    ("no url", "", "", "第 9 行.*不是数据库地址"),
    ("postgresql://bob:top@secret@h:1/d", "", "", "第 9 行.*不是数据库地址.*%40"),
    ("postgersql://bob:secret@h/d", "", "", "第 9 行.*不认识的数据库驱动「postgersql」.*是否想写「postgresql」"),
    ("oracle+nothing_of_the_kind://bob:secret@h/d", "", "", "第 9 行.*不认识的数据库驱动"),
    ("mysql+pymysql://bob:secret@h/d", "", "", "第 9 行.*没有装数据库驱动「pymysql」.*pip install pymysql"),
    ("sqlite:////nowhere/secret.db", "", "", "第 9 行.*SQLite 文件不存在"),
    ("postgresql://bob:secret@127.0.0.1:1/d", "", "", "第 9 行：连不上数据库（驱动 postgresql，主机 127.0.0.1）"),
    ("here", "FROM claims", "FROM claim", "第 8 行：数据库不接受这个查询.*no such table"),
    ("here", "cursor: updated", "cursor: updatd", "第 10 行.*没有游标列「updatd」.*是否想写「updated」.*结果的列：id、words"),
    ("here", "words, day", "words AS said, day", "查询结果里没有列「words」.*第 13 行.*said"),
    ("here", "cursor: updated", "cursor: phone", "第 10 行.*像是个人信息"),
])
def test_what_cannot_be_pulled_is_said_and_leaves_no_trace(claims, warranty, url, old, new, said):
    claims.add((1, "抖", "2026-06-01", None, "13800138000", 10))
    warranty(claims.url if url == "here" else url, *([(old, new)] if old else []))
    (count,) = pull("s", "test")
    ((name, why),) = count.failed.items()

    assert name == "warranty（env:WARRANTY_URL）" and re.search(said, why) and "warranty.yaml" in why
    assert "secret" not in why and "bob" not in why and str(claims.url)[10:] not in why and "13800138000" not in why
    assert open_store("s").snapshot == "000000" and count.rows_read == 0


def test_the_source_is_never_written_to(claims, warranty):
    warranty(claims.url, ("SELECT id, words, day, state, phone, updated FROM claims", "WITH c AS (SELECT 1) SELECT * FROM claims) AS x; DELETE FROM claims --"))
    claims.add((1, "抖", "2026-06-01", None, None, 10))
    assert pull("s", "test")[0].failed
    assert claims.connection.execute("SELECT count(*) FROM claims").fetchone() == (1,)


def test_a_query_that_fails_on_its_way_keeps_what_is_complete_or_nothing(claims, warranty, monkeypatch):
    monkeypatch.setattr(sql_source, "FETCH", 10)
    monkeypatch.setattr(room, "FLUSH_ROWS", 10)  # what was written before the failure is taken back, too
    claims.connection.execute("CREATE INDEX by_time ON claims (updated)")  # else SQLite reads all before it gives the first row
    claims.add(*((i, f"第 {i} 条", "2026-06-01", None, None, i) for i in range(30)))
    broken = ("words,", "CASE WHEN id = 25 THEN abs(-9223372036854775808) ELSE words END AS words,")  # integer overflow
    warranty(claims.url, broken, FULL)
    (count,) = pull("s", "test")
    assert "读完 20 行后数据库报错" in str(count.failed) and "没有存入" in str(count.failed)
    assert open_store("s").read("feedback").collect().height == 0 and count.feedback_stored == 0
    warranty(claims.url, broken)
    (count,) = pull("s")
    assert "完整的 20 行已存好；再运行一次会从 19 接着读" in str(count.failed) and count.feedback_stored == 20
    claims.connection.execute("DELETE FROM claims WHERE id = 25")
    assert facts(only(pull("s"))) == (10, 9, 1, 0) and marks() == ["int:19", "int:29"]


def test_a_folder_is_needed_only_where_files_are_read(claims, warranty, home, tmp_path):
    warranty(claims.url)
    with pytest.raises(IngestError, match="都在数据库里"):
        ingest("s", tmp_path, "test")
    with pytest.raises(IngestError, match="没有给出文件夹.*voc ingest --store x"):
        pull("x", "auto", needed=True)
    assert pull("x", "auto") == []


def test_the_command_and_the_week_pull(claims, warranty, home):
    warranty(claims.url)
    claims.add(*((i, "方向盘抖动", "2026-06-01", None, None, i) for i in range(3)))
    voc = [Path(sys.executable).with_name("voc"), "ingest", "--store", "s"]
    done = subprocess.run([*voc, "--domain", "test", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["sources"][0]["feedback_stored"] == 3
    again = subprocess.run(voc, capture_output=True, text=True, check=True).stdout
    assert "没有新的反馈" in again and "索赔单：从上次读到的 2 接着读" in again
    claims.add((9, "异响", "2026-06-02", None, None, 9))
    run = pipeline.Run("s", "weekly", (), {}, home / "reports")
    assert pipeline._ingest(run) == "新增 1 条反馈"
    warranty("sqlite:///nowhere.db")
    failed = subprocess.run(voc, capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and "SQLite 文件不存在" in failed.stderr and "Traceback" not in failed.stderr
    assert "1 个来源未能读入：warranty（env:WARRANTY_URL）" in pipeline._ingest(run)
