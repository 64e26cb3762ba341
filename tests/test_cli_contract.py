"""From exports nobody has seen to a page with a chart, as it is typed: draft, check, ingest, mend, retry, report. No Python is touched."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

VOC = Path(sys.executable).with_name("voc")


def voc(*words, status=0):
    done = subprocess.run([VOC, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done


ROWS = "编号,内容\n1,好\n"
SITUATIONS = {  # what is typed; files beside it; what must be said
    "draft of nothing": ("contract draft nowhere.xlsx", {}, ("没有文件「nowhere.xlsx」", "有空格时加引号")),
    "draft of a folder": ("contract draft data/raw/sample/hotline", {}, ("是一个文件夹", "导出文件")),
    "draft of a lock": ("contract draft x/~$a.xlsx", {"x/~$a.xlsx": "x"}, ("给出的都是锁文件", "请给原文件")),
    "draft of a login page": ("contract draft x/工单.xls", {"x/工单.xls": "<html><title>登录</title>"}, ("没有一个文件能读，没有起草：工单.xls", "标题是「登录」", "重新登录后再导出")),
    "draft of a picture": ("contract draft x/a.png", {"x/a.png": "png"}, ("不认识的文件类型「.png」",)),
    "draft of heads alone": ("contract draft x/a.csv", {"x/a.csv": "编号,内容\n"}, ("「a.csv」只有表头，没有一行数据",)),
    "draft over a contract": ("contract draft x/a.csv --channel hotline", {"x/a.csv": ROWS}, ("hotline.yaml 已经在那里，没有改动", "--channel")),
    "draft for no domain": ("contract draft x/a.csv --domain rail", {"x/a.csv": ROWS}, ("没有名为「rail」的领域", "domain.yaml", "extends: auto")),
    "draft under no name": ("contract draft x/a.csv --channel a-b", {"x/a.csv": ROWS}, ("渠道名「a-b」不能用", "例如 hotline")),
    "check of no channel": ("contract check hotlin", {}, ("没有渠道「hotlin」的合同", "是否想写「hotline」")),
    "check against nothing": ("contract check hotline --against nowhere", {}, ("没有文件「nowhere」", "--against")),
    "check against a stranger": ("contract check --against x/a.csv", {"x/a.csv": ROWS}, ("没有合同认领「a.csv」", "voc contract draft")),
    "check of a broken contract": ("contract check x/a.yaml", {"x/a.yaml": "channel: a\n\ttitle: b\n"}, ("合同 a.yaml 第 2 行不是有效的 YAML", "用了 Tab")),
    "quarantine of no store": ("quarantine list", {}, ("没有名为「sample」的库", "voc weekly --store sample")),
    "retry of no store": ("quarantine retry", {}, ("没有名为「sample」的库",)),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_cannot_be_done_is_said_and_nothing_is_touched(situation, home, monkeypatch):
    words, files, must = SITUATIONS[situation]
    monkeypatch.chdir(home)
    for name, content in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content, "utf-8")
    before = sorted(str(path) for path in home.rglob("*"))
    told = voc(*words.split(), status=1).stderr
    assert [part for part in must if part not in told] == [], told
    assert sorted(str(path) for path in home.rglob("*")) == before


@pytest.fixture
def exports(home, tmp_path):
    spec = importlib.util.spec_from_file_location("unseen_exports", Path(__file__).with_name("collect") / "unseen.py")
    unseen = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unseen)
    return [write(tmp_path / "收 件") for write in (unseen.survey, unseen.hotline, unseen.forum)]


def test_from_unseen_exports_to_the_first_chart(home, exports):
    for path in exports:
        told = voc("contract", "draft", path, "--domain", "auto", "--store", "mine").stdout
        assert "前 20 行读成这样（个人信息已遮蔽）" in told and "存疑" in told and "合格 60 行" in told and "voc ingest --store mine --domain auto" in told
        assert "138100" not in told
    voc("contract", "check", "survey", "--domain", "auto", "--against", exports[0])
    assert "新存 180 条反馈" in voc("ingest", "--store", "mine", "--domain", "auto", exports[0].parent).stdout
    found = json.loads(voc("contract", "check", "--store", "mine", "--json").stdout)
    tried = {contract["contract"]: contract["trials"][0]["fit"] for contract in found["contracts"] if contract["trials"]}
    assert tried == {"crawl_posts": 60, "hotline_2": 60, "survey": 60} and found["wrong"] == 0
    page = Path(voc("report", "data_health", "-p", "store=mine").stdout.strip().splitlines()[-1]).read_text("utf-8")
    assert "每周有多少反馈" in page and "热线来电记录" in page and "没有一个来源标明哪些反馈被平台删除" in page and "js-plotly-plot" in page


def test_a_mended_contract_brings_its_refused_rows_in(home, exports):
    made = json.loads(voc("contract", "draft", exports[1], "--domain", "auto", "--store", "mine", "--json").stdout)
    assert made["channel"] == "hotline_2" and made["columns"]["verbatim"] == "诉求内容" and len(made["preview"]) == 20 and "138100" not in json.dumps(made)
    contract = Path(made["contract"])
    text = contract.read_text("utf-8")
    contract.write_text(text.replace("%Y年%m月%d日 %H:%M", "%Y.%m.%d"), "utf-8")
    checked = voc("contract", "check", "hotline_2", "--domain", "auto", "--against", exports[1], status=1)
    assert "会进隔离区" in checked.stdout and "occurred_at 不是时间（第 2、3、4、5、6 行等）" in checked.stdout
    assert "全部进了隔离区" in voc("ingest", "--store", "mine", "--domain", "auto", exports[1].parent, status=1).stderr
    listed = voc("quarantine", "list", "--store", "mine").stdout
    assert "occurred_at 不是时间" in listed and "共 60 行还在隔离区" in listed and "138100" not in listed
    assert "合同没有改过" in voc("quarantine", "retry", "--store", "mine", status=1).stdout
    contract.write_text(text, "utf-8")
    assert "重新读过：新存 60 条，没有一行再被隔离" in voc("quarantine", "retry", "--store", "mine").stdout
    left = json.loads(voc("quarantine", "list", "--store", "mine", "--json").stdout)
    assert (left["rows"], left["refused"], left["settled"]) == (0, [], 60)
    assert json.loads(voc("status", "--store", "mine", "--json").stdout)["quarantine"] == 0
