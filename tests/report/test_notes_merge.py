"""The machine's page and the analyst's words: order, choice, quotes, and what has no finding any more."""

from datetime import date

import nbformat
import pytest

from voc_lib.report.blocks import card, headline
from voc_lib.report.markup import MIME, block_html
from voc_lib.report.notes import NotesError
from voc_lib.report.notes_merge import findings_of, merged


def issue(finding, moved=True):
    return {"finding": finding, "title": finding[5:], "path": "", "word": "↑ 上升", "tone": "worse", "moved": moved, "data": [["数据", ""]], "place": [["地方", ""]],
            "quotes": [{"id": "0" * 12, "quote": "抽到的", "where": []}], "advice": "请核实。"}


def page(*blocks):
    outputs = [nbformat.v4.new_output("display_data", data={MIME: block}) for block in blocks]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])


def put_in(block, conclusion="", **findings):
    """The block after the notes: `put_in(block, a={"hidden": True})` is a note on code:a."""
    notes = {"conclusion": conclusion, "findings": {f"code:{name}": note | {"noted": True} for name, note in findings.items()}}
    return merged(page(block), notes, lambda short: {"id": short, "quote": "她挑的", "where": []} if short == "abc" else None).cells[0].outputs[0].data[MIME]


ISSUES = {"kind": "issues", "items": [issue("code:a"), issue("code:b"), issue("code:c", moved=False)], "most": 5}


def test_without_notes_nothing_changes():
    assert put_in(ISSUES) == ISSUES and [one["finding"] for one in findings_of(page(ISSUES))] == ["code:a", "code:b", "code:c"]


def test_pinned_first_hidden_gone_and_what_was_left_out_is_named():
    rows = {"kind": "movers", "rows": [{"finding": f"code:{name}"} for name in "abc"], "legend": "", "most": 2}
    assert put_in(rows, a={"hidden": True}, c={"pinned": True})["rows"] == [{"finding": "code:c", "pinned": True}, {"finding": "code:b"}]
    left = put_in({"kind": "leftover", "known": ["code:a", "code:c"], "items": [], "hidden": []}, a={"hidden": True}, z={"cause": "旧", "date": date(2026, 1, 2)}, y={})
    assert left["hidden"] == ["a"] and left["items"] == [{"title": "z", "texts": ["旧", "1月2日"]}]
    assert "分析师略去：a。" in block_html(left) and "旧；1月2日" in block_html(left)


def test_an_issue_is_shown_where_it_moved_or_somebody_wrote_about_it():
    html = block_html(put_in(ISSUES, c={"conclusion": "不必<b>担心</b>", "owner": "质量部", "date": date(2026, 11, 20), "quotes": ["abc"]}, b={"hidden": True}))
    assert html.count("<section") == 2 and "不必&lt;b&gt;担心" in html and "负责：质量部 · 期限：11月20日" in html and "她挑的" in html and html.count("抽到的") == 1
    quiet = block_html({"kind": "issues", "items": [issue("code:c", moved=False)], "most": 5})
    assert "<section" not in quiet and "列出的 1 项都在误差范围内" in quiet


def test_what_is_decided_stands_before_what_the_machine_proposes():
    block = {"kind": "actions", "items": [{"finding": f"code:{name}", "title": name, "what": f"核实{name}", "owner": "某部（待指派）", "date": ""} for name in "abcd"], "most": 3}
    found = put_in(block, b={"recommendation": "换支架", "owner": "质量部"}, c={"hidden": True})
    assert [item["what"] for item in found["items"]] == ["换支架", "核实a", "核实d"]
    html = block_html(found)
    assert html.count("机器的建议，还没有人认领") == 2 and "待定" in html and "另有" not in html


def test_the_conclusion_stands_at_the_head_and_is_marked_as_hers():
    block = headline([card("甲", 1), card("乙", 2), card("丙", 3)], "机器说。").description
    html = block_html(put_in(block, conclusion="她说"))
    assert html.index("她说") < html.index("机器说") and ">分析师<" in html


def test_the_anomaly_left_out_gives_way_to_the_next():
    block = {"kind": "anomaly", "items": [issue("code:a"), issue("code:b")], "none": "没有。"}
    assert "疑似：a" in block_html(put_in(block)) and "疑似：b" in block_html(put_in(block, a={"hidden": True}))
    assert "没有。" in block_html(put_in(block, a={"hidden": True}, b={"hidden": True}))


def test_a_quote_that_is_not_there_is_refused_by_name():
    with pytest.raises(NotesError, match="「code:a」引用的原声「ffff」在这一页的快照里没有"):
        put_in(ISSUES, a={"quotes": ["ffff"]})
