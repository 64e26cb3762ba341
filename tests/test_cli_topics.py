"""`voc topics` as it is typed, on a small planted world: list, ledger, edits, candidates, refusals in words."""

from __future__ import annotations

import json
import shlex
import shutil
from types import SimpleNamespace

import pytest


@pytest.fixture
def world(small_world, tmp_path, monkeypatch):
    folder = shutil.copytree(small_world, tmp_path / "台")
    monkeypatch.setenv("VOC_HOME", str(folder))
    return folder


@pytest.fixture
def voc(world, type_in):
    """`voc topics ...` in that world; what it printed."""
    def typed(*words, ok=True):
        status, out, err = type_in(world, shlex.join(["topics", *map(str, words)]))
        assert (status == 0) == ok and "Traceback" not in err, out + err
        return SimpleNamespace(stdout=out, stderr=err)

    return typed


def test_list_edits_and_the_ledger(voc):
    listed = json.loads(voc("list", "--json").stdout)["topics"]
    one, other = listed[0]["topic_id"], listed[1]["topic_id"]
    assert one in voc("list").stdout and listed[0]["name"].split("、")[0] in voc("list").stdout
    assert f"合并 {one}，涉及 {other}" in voc("merge", one, other, "--why", "同一件事", "--who", "王工").stdout
    assert "名为「刹车的事」" in voc("rename", one, "--name", "刹车的事", "--why", "太长", "--who", "王工").stdout
    voc("noise", listed[2]["topic_id"], "--why", "客套", "--who", "李工")
    events = json.loads(voc("events", "--json").stdout)["events"]
    assert [(row["action"], row["who"]) for row in events[:3]] == [("noise", "李工"), ("rename", "王工"), ("merge", "王工")]
    assert "王工" in voc("events").stdout
    again = {row["topic_id"]: row for row in json.loads(voc("list", "--json").stdout)["topics"]}
    assert again[one]["name"] == "刹车的事" and other not in again and again[listed[2]["topic_id"]]["is_noise"]


def test_a_fit_where_there_is_one_does_nothing_when_asked_so(voc):
    assert "没有重新拟合" in voc("fit", "--if-missing").stdout
    assert json.loads(voc("fit", "--if-missing", "--json").stdout)["version"].startswith("topics-1-")


def test_refusals_are_one_message(voc):
    assert "没有主题「T9999」" in voc("rename", "T9999", "--name", "甲", "--why", "乙", ok=False).stderr
    assert "缺原因" in voc("noise", "T0001", ok=False).stderr
    assert "没有候选「abc」" in voc("confirm", "abc", "--why", "乙", ok=False).stderr
    assert "请先" in voc("fit", "--until", "2020-W01", ok=False).stderr


def test_candidates_and_agreement_say_what_there_is(voc):
    found = json.loads(voc("candidates", "--json").stdout)
    assert found["week"] == "2026-W46" and isinstance(found["candidates"], list)
    assert "2026-W46：" in voc("candidates").stdout
    assert "还没有两位分析师" in voc("agreement").stdout and json.loads(voc("agreement", "--json").stdout)["agreement"] == []
