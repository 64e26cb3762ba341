"""分类工作台: tables on a page, widgets where somebody can click, a line in the log for every click and for nothing else."""

from __future__ import annotations

import json

import polars as pl
import pytest

from voc_lib.enrich.edits import read_edits
from voc_lib.enrich.labels import LABELS_SCHEMA, labels_given
from voc_lib.enrich.suggestions import SUGGESTIONS_SCHEMA
from voc_lib.enrich.unmapped import QUEUE_SCHEMA
from voc_lib.measure.agreement import agreement, disagreements
from voc_lib.measure.feedback import feedback
from voc_lib.measure.sampling import draw_labels
from voc_lib.report import studio_labels
from voc_lib.report.execute import NOBODY, _private
from voc_lib.report.markup import MIME, block_html
from voc_lib.report.studio import VIEW, panel_codes, panel_edits, panel_synonyms
from voc_lib.report.studio_labels import panel_labels, panel_suggestions
from voc_lib.report.studio_tables import table_agreement, table_disagreements, table_edits, table_queue
from voc_lib.settings import settings
from voc_lib.store import open_store

SHAKE, PULL = "转向-方向盘-抖动", "转向-方向盘-跑偏"
HOSTILE = "<img src=x onerror=window.pwned=1>\u202e"
QUEUE = pl.DataFrame([("盘子蹦迪", 12, 0, 3.1, f"盘子蹦迪{HOSTILE}", SHAKE, 0.5, "vectors"), (HOSTILE, 3, 1, 2.0, HOSTILE, None, None, None)], schema=QUEUE_SCHEMA, orient="row")


def edits():
    return [edit for _, edit in read_edits(settings().domains / "auto" / "edits.jsonl")]


def inner(widget):
    """The widget and all that is in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inner(child)


def press(panel, button, at=0):
    [one for one in inner(panel.widget()) if getattr(one, "description", "") == button and hasattr(one, "click")][at].click()


def field(panel, description):
    return next(one for one in inner(panel.widget()) if getattr(one, "description", "") == description and hasattr(one, "value"))


def said(panel):
    return "".join(one.value for one in inner(panel.widget()) if "studio-said" in getattr(one, "_dom_classes", ()))


def test_a_page_has_tables_and_no_widgets_and_the_lab_has_both(sample, monkeypatch):
    panel = panel_synonyms(open_store("sample"), QUEUE)
    assert {MIME, VIEW} <= set(panel._repr_mimebundle_())
    monkeypatch.setenv(NOBODY, "1")
    bundle = panel_synonyms(open_store("sample"), QUEUE)._repr_mimebundle_()
    assert VIEW not in bundle and bundle[MIME]["kind"] == "table" and "voc codes edit" in bundle[MIME]["note"]
    assert [cell["text"] for cell in bundle[MIME]["rows"][1][1:3]] == ["不足10条", "不足10条"] and edits() == []


def test_a_kernel_that_runs_a_page_is_told_that_nobody_clicks(tmp_path):
    assert _private(tmp_path, tmp_path, {}).PrivateKernelManager.variables[NOBODY] == "1"


def test_one_click_adds_a_synonym_once(sample):
    panel = panel_synonyms(open_store("sample"), QUEUE, "分析师甲")
    press(panel, "加为说法")
    assert [(edit["action"], edit["code"], edit["wording"], edit["who"]) for edit in edits()] == [("add_synonym", SHAKE, "盘子蹦迪", "分析师甲")]
    assert "已记下：加说法 转向·方向盘抖动：「盘子蹦迪」" in said(panel)


def test_what_is_refused_is_said_in_chinese_and_escaped(sample):
    panel = panel_synonyms(open_store("sample"), QUEUE, "分析师乙")
    next(one for one in inner(panel.widget()) if getattr(one, "value", "") == SHAKE).value = HOSTILE
    press(panel, "加为说法")
    assert "没有编码「&lt;img" in said(panel) and edits() == []
    field(panel, "您的名字").value = " "
    press(panel, "加为说法", 1)
    assert "写上您的名字" in said(panel) and edits() == []
    shown = "".join(one.value for one in inner(panel.widget()) if type(one).__name__ == "HTML")
    assert "<img" not in shown and "\u202e" not in shown and "&lt;img" in shown and "<img" not in block_html(table_queue(QUEUE).description)


def test_codes_are_moved_merged_and_renamed_by_the_form(sample):
    panel = panel_codes(open_store("sample"), "分析师丙")
    action, why = field(panel, "做什么"), field(panel, "原因")
    fields = {name: field(panel, name) for name in ("编码", "说法")}
    target = field(panel, "新名字") if action.value == "rename" else field(panel, "目标编码")
    assert target.layout.display == "none"
    fields["编码"].value, fields["说法"].value, why.value = SHAKE, "盘子蹦迪", "热线新说法"
    press(panel, "记下这次修改")
    action.value = "move"
    fields["编码"].value = SHAKE
    assert target.layout.display is None and "盘子蹦迪" in fields["说法"].options
    fields["说法"].value, target.value, why.value = "盘子蹦迪", PULL, "归错了"
    press(panel, "记下这次修改")
    action.value = "rename"
    assert fields["说法"].layout.display == "none" and target.description == "新名字"
    fields["编码"].value, target.value, why.value = PULL, "转向-转向盘-跑偏", "叫法统一"
    press(panel, "记下这次修改")
    action.value = "merge"
    fields["编码"].value, target.value, why.value = "转向-转向盘-跑偏", SHAKE, "分不开"
    press(panel, "记下这次修改")
    assert [edit["action"] for edit in edits()] == ["add_synonym", "move", "rename", "merge"] and "转向-转向盘-跑偏" not in target.options
    press(panel, "记下这次修改")
    assert "要写明编码" in said(panel) or "没有编码" in said(panel)
    assert [row[2]["text"] for row in table_edits(open_store("sample")).description["rows"]] == ["合并编码", "改名", "移动说法", "加说法"]


def test_one_s_own_last_step_is_taken_back_by_a_click(sample):
    lake = open_store("sample")
    press(panel_synonyms(lake, QUEUE, "分析师庚"), "加为说法")
    panel = panel_edits(lake, "分析师庚")
    press(panel, "撤销上一步")
    assert [edit["action"] for edit in edits()] == ["add_synonym", "undo"] and "已撤销第 1 行：加说法 转向·方向盘抖动：「盘子蹦迪」" in said(panel)
    shown = "".join(getattr(one, "value", "") for one in inner(panel.widget()) if type(one).__name__ == "HTML")
    assert "「盘子蹦迪」（已撤销）" in shown and "撤销" in shown
    press(panel, "撤销上一步")
    assert "没有 分析师庚 可以撤销的一步" in said(panel) and len(edits()) == 2
    field(panel, "您的名字").value = " "
    press(panel, "撤销上一步")
    assert "先写上您的名字" in said(panel)
    (row, first) = table_edits(lake).description["rows"]
    assert [row[2]["text"], row[3]["text"]] == ["撤销", "加说法 转向·方向盘抖动：「盘子蹦迪」"] and first[3]["text"].endswith("（已撤销）")


def test_a_hostile_line_of_the_log_stays_text_in_the_lab(sample):
    panel_of = open_store("sample")
    (settings().domains / "auto" / "edits.jsonl").write_text(json.dumps(
        {"action": "add_synonym", "code": SHAKE, "wording": f"盘子蹦迪{HOSTILE}", "who": HOSTILE, "why": HOSTILE, "at": "2026-11-20T08:00:00+00:00"}, ensure_ascii=False) + "\n", "utf-8")
    shown = "".join(getattr(one, "value", "") for one in inner(panel_edits(panel_of).widget()) if type(one).__name__ == "HTML")
    assert "<img" not in shown and "&lt;img" in shown


def test_two_analysts_label_the_same_sample_and_neither_sees_the_other(sample):
    lake = open_store("sample")
    drawn = draw_labels(feedback(lake), 3, 7)
    panel = panel_labels(lake, drawn, {}, "分析师丁")
    main, who = field(panel, "主要编码"), field(panel, "您的名字")
    main.value = SHAKE
    press(panel, "保存，下一条")
    assert main.value == "" and "第 2 条，共 3 条；您已标 1 条" in "".join(getattr(one, "value", "") for one in inner(panel.widget()) if type(one).__name__ == "HTML")
    press(panel, "都不合适")
    press(panel, "保存，下一条")
    assert "标注至少要一个编码" in said(panel)
    press(panel, "上一条")
    assert main.value == "未归类", "one's own label is shown again"
    who.value = "分析师戊"
    assert main.value == "", "a colleague's is not"
    main.value = PULL
    press(panel, "保存，下一条")
    labels = labels_given(lake)
    assert labels.select("feedback_id", "who", "codes").rows() == [
        (drawn["feedback_id"][0], "分析师丁", [SHAKE]), (drawn["feedback_id"][1], "分析师丁", ["未归类"]), (drawn["feedback_id"][0], "分析师戊", [PULL])]
    shown = table_agreement(agreement(labels)).description
    assert "分析师丁和分析师戊都标过 1 条，主要编码一致的占 0%" in shown["caption"] and "先别下结论" in shown["caption"]
    (row,) = table_disagreements(disagreements(labels), feedback(lake)).description["rows"]
    assert [cell["text"] for cell in row[1:]] == ["转向·方向盘抖动", "转向·方向盘跑偏", "系统相同，编码不同"]


def test_an_accepted_suggestion_is_a_label_that_says_so(sample, monkeypatch):
    lake = open_store("sample")
    assert "现在一条也没有" in json.dumps(panel_suggestions(lake).description, ensure_ascii=False)
    one = feedback(lake)["feedback_id"][0]
    suggested = pl.DataFrame([(one, HOSTILE, SHAKE, 0.8, HOSTILE, 0.6)], schema=SUGGESTIONS_SCHEMA, orient="row")
    monkeypatch.setattr(studio_labels, "suggest_codes", lambda lake, top: suggested)
    panel = panel_suggestions(lake, "分析师己")
    press(panel, "接受")
    (edit,) = edits()
    assert (edit["feedback_id"], edit["codes"], edit["who"], edit["source"]) == (one, [SHAKE], "分析师己", "suggestion")
    assert "<img" not in "".join(one.value for one in inner(panel.widget()) if type(one).__name__ == "HTML")


@pytest.mark.parametrize("made", [lambda: table_agreement(agreement(pl.DataFrame(schema=LABELS_SCHEMA))), lambda: table_queue(QUEUE.clear()),
                                  lambda: table_disagreements(disagreements(pl.DataFrame(schema=LABELS_SCHEMA)), QUEUE)])
def test_nothing_yet_is_a_sentence(made):
    assert made().description["kind"] == "note"
