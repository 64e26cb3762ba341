"""`voc find`, `similar`, `crosstab`, `selection` and `export` as they are typed."""

from __future__ import annotations

import json
import shlex
import sys

import duckdb
import polars as pl
import pytest

from voc_lib.cli import main
from voc_lib.measure.analyses.crosstab import crosstab
from voc_lib.measure.feedback import feedback
from voc_lib.measure.find import find


@pytest.fixture
def voc(sample, monkeypatch, capsys):
    monkeypatch.chdir(sample)
    monkeypatch.setenv("COLUMNS", "200")

    def typed(words: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["voc", *shlex.split(words)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert (end.value.code or 0) == status, said
        return said.err if status else said.out

    return typed


def test_find_counts_lists_and_writes(voc, sample):
    want = find("异响 AND 空调 NOT 车机")
    told = voc("find '异响 AND 空调 NOT 车机' --n 2")
    assert f"找到 {want.height:,} 条反馈，{want['person'].n_unique():,} 人，" in told and "列出最近的 2 条" in told and want.sort("local_date", "feedback_id", descending=[True, False])["feedback_id"][0][:10] in told
    facts = json.loads(voc("find '异响 AND 空调 NOT 车机' --n 3 --out a.xlsx --json"))
    assert facts["feedback"] == want.height and sum(facts["channels"].values()) == want.height and len(facts["rows"]) == 3 and "author_key" not in facts["rows"][0]
    assert pl.read_excel(sample / "a.xlsx")["编号"].to_list() == want["feedback_id"].to_list()
    assert "没有找到" in voc("find 没有人会这样说")
    week = json.loads(voc("find 异响 --period 2026-W46 --weeks 2 --channel hotline --json"))
    assert week["feedback"] == find("异响", period=["2026-W45", "2026-W46"], channel="hotline").height and set(week["channels"]) <= {"hotline"}


def test_markup_in_strangers_words_is_shown_and_not_obeyed(voc):
    from voc_lib.store_write import write_store

    with write_store("sample", "test") as writer:
        writer.append("feedback", pl.DataFrame([{"feedback_id": "e" * 32, "channel": "hotline", "iso_week": "2026-W46", "verbatim": "[red]红的[/red] 怪话\x1b[31m"}]))
    told = voc("find 怪话")
    assert "[red]红的[/red] 怪话" in told and "\x1b" not in told


def test_similar_takes_words_or_an_id(voc):
    rows = json.loads(voc("similar 空调有异响 --n 3 --json"))["rows"]
    assert [row["similarity"] for row in rows] == sorted((row["similarity"] for row in rows), reverse=True) and len({row["verbatim"] for row in rows}) == 3
    own = rows[0]["feedback_id"]
    others = json.loads(voc(f"similar {own} --json"))["rows"]
    assert len(others) == 20 and own not in [row["feedback_id"] for row in others]
    assert own[:10] not in voc(f"similar {own[:10]} --n 2") and "没有编号为" in voc(f"similar {'f' * 32}", 1)


def test_crosstab_says_and_writes_what_voc_counts(voc, sample):
    cells = crosstab(feedback(), "code", "channel")
    facts = json.loads(voc("crosstab 问题 渠道 --out a.csv --json"))
    assert facts["cells"] == json.loads(json.dumps(cells.to_dicts())) and pl.read_csv(sample / "a.csv").height == cells.height
    told = voc("crosstab code channel")
    assert "在误差范围内" in told and "不足10人" in told and f"比较了 {cells.filter(pl.col('verdict') != 'suppressed').height} 格" in told
    found = json.loads(voc("crosstab product channel --metric people --find 异响 --json"))
    assert found["feedback"] == find("异响").height
    assert "是否想写「channel」" in voc("crosstab code chanel", 1) and "没有名为「peple」的指标" in voc("crosstab code channel --metric peple", 1)


def test_a_selection_from_saving_to_removing(voc):
    assert "还没有存过选取" in voc("selection list")
    assert "已存为「空调」：检索「空调」、渠道 hotline" in voc("selection save 空调 --find 空调 --channel hotline --why 例会")
    want = find("空调 异响", channel="hotline").height
    assert json.loads(voc("find 异响 --selection 空调 --json"))["feedback"] == want > 0
    assert json.loads(voc("crosstab code product --selection 空调 --json"))["feedback"] == find("空调", channel="hotline").height
    assert {row["channel"] for row in json.loads(voc("similar 异响 --selection 空调 --json"))["rows"]} == {"hotline"}
    assert "例会" in voc("selection list") and json.loads(voc("selection list --json"))["selections"][0]["name"] == "空调"
    assert "已有名为「空调」的选取" in voc("selection save 空调 --find 异响", 1) and "检索「异响」" in voc("selection save 空调 --find 异响 --replace")
    assert "没有名为「空掉」的选取。是否想写「空调」" in voc("find 异响 --selection 空掉", 1)
    assert "已删去「空调」" in voc("selection remove 空调") and json.loads(voc("selection list --json"))["selections"] == []


@pytest.mark.parametrize(("words", "said"), [
    ("find '异响 AND'", "检索式「异响 AND」第 4 个字符处：「AND」后面缺少要找的词"), ("find ''", "没有写要找的词"), ("find 异响 --period 2026-46", "「2026-46」不是一周"),
    ("find 异响 --period 2031-W01", "在 2031-W01 没有任何反馈"), ("find 异响 --channel hotlin", "没有名为「hotlin」的渠道。是否想写「hotline」"), ("find 异响 --store none", "没有名为「none」的库"),
    ("find 异响 --out a.doc", "文件名请以 .xlsx 或 .csv 结尾"), ("find 异响 --out nowhere/a.csv", "读写文件时出错：文件不见了"), ("find 异响 --selection 无", "还没有存过选取"),
    ("selection remove 无", "没有名为「无」的选取"), ("selection save 选", "什么条件也没有"), ("selection save 选 --code 空条", "编码表里没有问题「空条」"),
    ("export duckdb --snapshot 99", "没有快照「000099」"), ("export duckdb --out voc.toml", "请以 .duckdb 结尾")])
def test_what_cannot_be_done_is_one_message_and_leaves_no_file(voc, sample, words, said):
    before = sorted(path.name for path in sample.iterdir())
    told = voc(words, 1)
    assert said in told and "Traceback" not in told and sorted(path.name for path in sample.iterdir()) == before


def test_export_says_how_to_open_it(voc, sample):
    told = voc("export duckdb")
    assert "duckdb -readonly" in told and (sample / "sample.duckdb").is_file()
    done = json.loads(voc("export duckdb --out b.duckdb --json"))
    with duckdb.connect(done["file"], read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone()[0] == done["rows"]["feedback"] == feedback().height
