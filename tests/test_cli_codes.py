"""`voc codes` as it is typed: the queue of an enriched store, an edit that counts at the next enrich, a refusal in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl

from voc_lib.store import open_store

VOC = Path(sys.executable).with_name("voc")


def voc(*words, ok=True):
    done = subprocess.run([VOC, *map(str, words)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_queue_an_edit_and_what_it_changes(sample):
    queue = json.loads(voc("codes", "unmapped", "--store", "sample", "--top", "5", "--json").stdout)["terms"]
    assert len(queue) <= 5 and all(row["unmapped"] >= 3 and row["nearest_by"] in ("vectors", "characters", None) for row in queue)
    assert "未归类" in voc("codes", "unmapped", "--store", "sample").stdout
    before = open_store("sample").sql("SELECT DISTINCT model_version FROM mentions")["model_version"].to_list()
    told = voc("codes", "edit", "add_synonym", "--code", "转向-方向盘-抖动", "--wording", "盘子蹦迪", "--why", "热线新说法", "--who", "王工", "--domain", "auto")
    assert "已记入 auto/edits.jsonl" in told.stdout
    line = json.loads((sample / "data" / "domains" / "auto" / "edits.jsonl").read_text("utf-8"))
    assert (line["action"], line["wording"], line["who"]) == ("add_synonym", "盘子蹦迪", "王工")
    found = json.loads(voc("codes", "list", "盘子蹦迪", "--domain", "auto", "--json").stdout)["codes"]
    assert [row["code"] for row in found] == ["转向-方向盘-抖动"]
    again = json.loads(voc("enrich", "--store", "sample", "--json").stdout)
    assert again["coder"] not in before and again["feedback_coded"] == again["feedback"]


def test_an_edit_is_taken_back_and_restored_as_typed(sample):
    voc("codes", "edit", "add_synonym", "--code", "转向-方向盘-抖动", "--wording", "盘子蹦迪", "--why", "热线新说法", "--who", "王工")
    assert "已撤销 auto/edits.jsonl 第 1 行：加说法 转向·方向盘抖动：「盘子蹦迪」" in voc("codes", "edit", "undo", "--who", "王工").stdout
    assert json.loads(voc("codes", "list", "盘子蹦迪", "--json").stdout)["codes"] == []
    assert json.loads(voc("codes", "edit", "undo", "--line", "2", "--who", "李工", "--json").stdout)["undo"]["line"] == 2
    assert [line["stands"] for line in json.loads(voc("codes", "log", "--json").stdout)["lines"]] == [True, False, True]
    assert "已撤销" in voc("codes", "log").stdout
    assert "第 2 行已经撤销过了" in voc("codes", "edit", "undo", "--line", "2", ok=False).stderr
    assert "要写明编码" in voc("codes", "edit", "merge", "--to", "转向-方向盘-跑偏", ok=False).stderr


def test_too_few_labels_to_learn_from_are_said(sample):
    assert "标注还不够" in voc("codes", "refit").stdout and json.loads(voc("codes", "refit", "--json").stdout)["codes"] == []


def test_mentions_of_before_and_after_the_new_columns_are_read_together(sample):
    found = open_store("sample").sql("SELECT is_primary, evidence, clause_start, confidence, code FROM mentions")
    assert found.schema["is_primary"] == pl.Boolean
    assert found.filter(pl.col("code") != "未归类").select(pl.all_horizontal(pl.all().is_not_null()).all()).item()


def test_a_refused_edit_is_one_message_and_leaves_no_line(home, monkeypatch):
    monkeypatch.chdir(home)
    said = voc("codes", "edit", "merge", "--code", "转向-方向盘-抖", "--to", "转向-方向盘-跑偏", "--why", "x", "--domain", "auto", ok=False).stderr
    assert "没有编码「转向-方向盘-抖」" in said and "转向-方向盘-抖动" in said
    assert not (home / "data" / "domains" / "auto" / "edits.jsonl").exists()
    assert "add_synonym" in voc("codes", "edit", "--help").stdout
    assert "未归类" in voc("codes", "--help").stdout


def test_labels_agreement_and_suggestions_as_typed(sample):
    drawn = json.loads(voc("codes", "label", "--count", "3", "--seed", "5", "--who", "甲", "--json").stdout)
    assert drawn["drawn"] == len(drawn["left"]) == 3 and "codes" not in drawn["left"][0]
    one, two, _ = (row["feedback_id"] for row in drawn["left"])
    for who, codes in (("甲", ("转向-方向盘-抖动", "未归类")), ("乙", ("转向-方向盘-跑偏", "未归类"))):
        for feedback_id, code in zip((one, two), codes, strict=True):
            voc("codes", "label", feedback_id, "--code", code, "--who", who)
    assert "甲 还要标 1 条" in voc("codes", "label", "--count", "3", "--seed", "5", "--who", "甲").stdout
    found = json.loads(voc("codes", "agreement", "--json").stdout)
    # one of two alike; by chance .5 x .5 (未归类): (.5 - .25) / .75
    assert (found["agreement"][0]["n"], round(found["agreement"][0]["kappa"], 3)) == (2, 0.333)
    assert [row["differs"] for row in found["disagreements"]] == ["code"]
    told = voc("codes", "agreement").stdout
    assert "甲和乙都标过 2 条" in told and "系统相同，编码不同" in told
    assert json.loads(voc("codes", "suggest", "--json").stdout)["suggestions"] == [] and "各标够 10 条" in voc("codes", "suggest").stdout
    accepted = json.loads(voc("codes", "label", two, "--code", "转向-方向盘-抖动", "--who", "丙", "--accepted", "--json").stdout)
    assert accepted["label"]["source"] == "suggestion"
    assert "没有编码「转向-方向盘-抖」" in voc("codes", "label", one, "--code", "转向-方向盘-抖", ok=False).stderr
    assert "请在 label 后面写上反馈编号" in voc("codes", "label", "--code", "转向-方向盘-抖动", ok=False).stderr
