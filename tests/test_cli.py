"""The command as it is typed: help in Chinese, JSON for machines, one clear message and status 1 for what cannot be done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

VOC = Path(sys.executable).with_name("voc")


def voc(*words, ok=True):
    done = subprocess.run([VOC, *map(str, words)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_help_lists_the_commands():
    told = voc("--help").stdout
    assert all(name in told for name in ("ingest", "enrich", "report", "weekly", "status")) and "客户之声工作台" in told
    for command in ("ingest", "enrich", "report", "weekly", "status"):
        assert "--json" in voc(command, "--help").stdout


def test_from_exports_to_page(knowing_home):
    exports = knowing_home / "data" / "raw" / "sample"
    counts = json.loads(voc("ingest", "--store", "mine", "--domain", "auto", exports, "--json").stdout)
    assert {s["channel"] for s in counts["sources"]} == {"app_store", "complaint_site", "dealer_survey", "hotline"}
    stored = sum(s["feedback_stored"] for s in counts["sources"])
    assert "没有新的反馈" in voc("ingest", "--store", "mine", exports).stdout
    assert json.loads(voc("enrich", "--store", "mine", "--json").stdout)["feedback"] == stored
    done = voc("weekly", "--week", "2026-W46", "--store", "mine").stdout.strip().splitlines()
    assert Path(done[-1]).is_file() and done[-1].endswith("2026-W46/index.html")
    found = json.loads(voc("status", "--store", "mine", "--json").stdout)
    assert found["tables"]["feedback"] == stored and found["quarantine"] == found["tables"]["quarantine"] > 0
    assert {c["channel"] for c in found["channels"]} == {s["channel"] for s in counts["sources"]}
    assert all({"feedback", "days_old", "fresh", "quarantine"} <= set(c) for c in found["channels"]) and found["snapshot"]
    assert "客服热线" in voc("status", "--store", "mine").stdout
    page = json.loads(voc("report", "data_health", "-p", "store=mine", "--json").stdout)
    assert Path(page["page"]).is_file() and page["parameters"]["store"] == "mine"


@pytest.mark.parametrize(("words", "said"), [
    (("status", "--store", "none"), "没有名为「none」的库"),
    (("weekly", "--store", "none"), "没有名为「none」的库"),
    (("ingest", "--store", "x", "--domain", "autos", "data/raw/sample"), "是否想写「auto」"),
    (("ingest", "nowhere"), "没有文件夹「nowhere」"),
    (("report", "weekly_brief", "-p", "perid=2026-W46"), "没有参数「perid」"),
    (("report", "weekly_brief", "-p", "period"), "名=值"),
    (("report", "nothing"), "没有名为「nothing」的笔记本"),
])
def test_what_cannot_be_done_is_one_message(home, words, said, monkeypatch):
    monkeypatch.chdir(home)
    assert said in voc(*words, ok=False).stderr
    assert not (home / "reports").exists()


def test_a_bad_file_is_named_and_the_exit_status_tells(home):
    exports = home / "data" / "raw" / "sample"
    (exports / "app_store" / "broken_13800138000.csv").write_bytes(b"\xff\xfe\x00nothing")
    done = voc("ingest", "--store", "mine", "--domain", "auto", exports, ok=False)
    assert "未读入：app_store/broken_〔手机号〕.csv" in done.stderr and "新存" in done.stdout


def test_a_misnamed_export_is_named_not_ignored_in_silence(home):
    exports = home / "data" / "raw" / "sample"
    (exports / "hotlin").mkdir()
    (exports / "hotlin" / "calls.jsonl").write_text("{}", "utf-8")
    assert "没有合同认领的文件 1 个：hotlin/calls.jsonl" in voc("ingest", "--store", "mine", "--domain", "auto", exports).stdout


def test_the_weekly_path_never_loads_the_heavy_libraries(sample):
    code = "import sys; from voc_lib import pipeline; pipeline.weekly('sample'); print([m for m in ('bertopic', 'torch', 'sentence_transformers', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_a_folder_that_cannot_be_written_is_said_in_words(home):
    (home / "data" / "lake").write_text("a file where the lake should be", "utf-8")
    done = voc("ingest", "--store", "mine", "--domain", "auto", home / "data" / "raw" / "sample", ok=False)
    assert "读写文件时出错" in done.stderr


def test_broken_settings_are_said_in_words(home):
    (home / "voc.toml").write_text('stroe = "sample"\n', "utf-8")
    assert "不认识或类型不对的设置：stroe" in voc("status", ok=False).stderr
