"""Labels as lines of the edit log: what is written, what is refused, what counts after later lines."""

import json

import polars as pl
import pytest

from voc_lib.enrich.coding import coder_version
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.edits import EditError, edit_codes
from voc_lib.enrich.labels import edit_lines, label_feedback, labels_given, replay_labels
from voc_lib.settings import settings
from voc_lib.store import open_store

SHAKE, NOISE, DRIFT = "转向-方向盘-抖动", "转向-方向盘-异响", "转向-方向盘-跑偏"
EDITOR = {"who": "分析师丙", "why": "周会决定"}


def line(action="label", **more):
    return {"action": action, "at": "2026-11-20T08:00:00+00:00", "who": "甲"} | ({"store": "s", "feedback_id": "1"} if action == "label" else {}) | more


def replayed(*lines, known=(SHAKE, NOISE, DRIFT)):
    return [(who, codes, source) for _, who, codes, source, _ in replay_labels(list(lines), "s", set(known))]


def test_the_last_label_of_an_analyst_counts_and_each_has_his_own():
    assert replayed(line(codes=[SHAKE]), line(codes=[NOISE], who="乙"), line(codes=[DRIFT, SHAKE])) == [("甲", [DRIFT, SHAKE], ""), ("乙", [NOISE], "")]
    assert replayed(line(codes=[SHAKE], store="another")) == []


def test_labels_go_along_with_a_merge_and_a_rename_and_only_with_later_ones():
    merge, rename = line("merge", code=SHAKE, to=NOISE), line("rename", code=NOISE, to=DRIFT)
    assert replayed(line(codes=[SHAKE, NOISE]), merge) == [("甲", [NOISE], "")]
    assert replayed(line(codes=[SHAKE]), merge, rename, known=(DRIFT,)) == [("甲", [DRIFT], "")]
    assert replayed(rename, line(codes=[NOISE])) == [("甲", [NOISE], "")]
    assert replayed(line("add_synonym", code=SHAKE, wording="抖"), line("move", code=SHAKE, wording="抖", to=NOISE), line(codes=[SHAKE])) == [("甲", [SHAKE], "")]


def test_a_code_that_is_gone_takes_its_label_with_it_and_unmapped_stays():
    assert replayed(line(codes=[SHAKE]), known=(NOISE,)) == []
    assert replayed(line(codes=[SHAKE, NOISE]), known=(NOISE,)) == [("甲", [NOISE], "")]
    assert replayed(line(codes=["未归类"]), known=()) == [("甲", ["未归类"], "")]


def test_a_label_is_one_line_and_changes_no_code(sample):
    lake, domains = open_store("sample"), settings().domains
    one, two = lake.sql("SELECT feedback_id FROM feedback_rows ORDER BY feedback_id LIMIT 2")["feedback_id"]
    before = coder_version(load_domain(domains, "auto"))
    written = label_feedback(lake, one, [SHAKE, SHAKE, " "], who=" 分析师甲 ")
    label_feedback(lake, two, ["未归类"], who="分析师甲", source="suggestion")
    lines = [json.loads(text) for text in (domains / "auto" / "edits.jsonl").read_text("utf-8").splitlines()]
    assert lines[0] == written and {name: written[name] for name in ("action", "store", "feedback_id", "codes", "who")} == {
        "action": "label", "store": "sample", "feedback_id": one, "codes": [SHAKE], "who": "分析师甲"}
    assert coder_version(load_domain(domains, "auto")) == before
    assert labels_given(lake).select("feedback_id", "codes", "source").rows() == [(one, [SHAKE], ""), (two, ["未归类"], "suggestion")]
    edit_codes(domains, "auto", "merge", code=SHAKE, to=DRIFT, **EDITOR)
    assert labels_given(open_store("sample")).filter(pl.col("feedback_id") == one)["codes"].to_list() == [[DRIFT]]
    assert [line["action"] for line in edit_lines(domains, "auto")] == ["merge", "label", "label"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"codes": ["转向-方向盘-抖"]}, f"领域 auto 没有编码「转向-方向盘-抖」。最接近的：{SHAKE}"),
        ({"codes": [" "]}, "标注至少要一个编码；都不合适时写「未归类」"),
        ({"codes": ["未归类", SHAKE]}, "不能和别的编码一起标"),
        ({"who": " "}, "请先写上您的名字"),
        ({"feedback_id": "x' OR 1=1 --"}, "没有编号为「x' OR 1=1 --」的反馈"),
    ],
)
def test_what_cannot_be_a_label_is_refused_and_not_written(sample, given, message):
    lake = open_store("sample")
    first = lake.sql("SELECT feedback_id FROM feedback_rows ORDER BY feedback_id LIMIT 1")["feedback_id"].item()
    with pytest.raises(EditError) as refused:
        label_feedback(lake, **({"feedback_id": first, "codes": [SHAKE], "who": "甲"} | given))
    assert message in str(refused.value) and not (settings().domains / "auto" / "edits.jsonl").exists()


@pytest.mark.parametrize(("more", "message"), [({"codes": []}, "codes 应是编码的列表"), ({"codes": "x"}, "codes 应是编码的列表"), ({"codes": [SHAKE], "who": ""}, "要写明修改人"),
                                               ({"codes": [SHAKE], "feedback_id": None}, "要写明反馈编号")])
def test_a_label_written_by_hand_is_answered_with_its_line(home, more, message):
    (settings().domains / "auto" / "edits.jsonl").write_text(json.dumps(line(**more), ensure_ascii=False) + "\n", "utf-8")
    with pytest.raises(EditError, match="auto/edits.jsonl 第 1 行：.*" + message):
        load_domain(settings().domains, "auto")


def test_a_label_is_no_edit(home):
    with pytest.raises(EditError, match="请用 voc codes label"):
        edit_codes(settings().domains, "auto", "label", code=SHAKE, **EDITOR)
