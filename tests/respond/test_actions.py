"""The ledger of actions: added to, never rewritten; a slip of the key is told with its line."""

from datetime import date

import pytest

import voc_lib as voc
from voc_lib.respond.actions import ActionError, actions, close, record

ITEM = {"finding": "code:空调-运转-异响", "what": "核查支架", "owner": "质量部", "date": date(2026, 11, 20)}


def test_a_signed_week_is_added_once_and_a_changed_word_as_a_new_entry(home):
    ledger = home / "reports" / "actions.yaml"
    assert record("sample", "2026-W46", "王", [ITEM]) == 1 and record("sample", "2026-W46", "王", [ITEM]) == 0
    first = ledger.read_text("utf-8")
    assert record("sample", "2026-W46", "李", [ITEM | {"owner": "研发部"}]) == 1
    assert ledger.read_text("utf-8").startswith(first) and first.startswith("# 行动台账")
    row = actions("sample").row(0, named=True)
    assert (actions().height, row["owner"], row["date"], row["state"]) == (1, "研发部", date(2026, 11, 20), "open") and actions("other").is_empty()


def test_what_was_closed_stays_closed_when_the_week_is_signed_again(home):
    record("sample", "2026-W46", "王", [ITEM])
    close("sample/2026-W46/code:空调-运转-异响", "已换支架，问 13800138000", "王")
    record("sample", "2026-W46", "王", [ITEM | {"owner": "研发部"}])
    row = actions().row(0, named=True)
    assert row["state"] == "done" and row["owner"] == "研发部" and "13800138000" not in row["result"] and "已换支架" in row["result"]
    with pytest.raises(ActionError, match="没有行动「sample/2026-W4」。是否想写"):
        close("sample/2026-W4", "x", "王")


def test_due_are_the_last_weeks_and_whatever_is_still_open(home):
    for week in ("2026-W20", "2026-W21", "2026-W45", "2026-W46", "2026-W47"):
        record("sample", week, "王", [ITEM])
    close("sample/2026-W21/code:空调-运转-异响", "好了", "王")
    assert voc.actions_due("sample", "2026-W47")["week"].to_list() == ["2026-W46", "2026-W45", "2026-W20"]
    assert voc.actions_due("sample", "2026-W20").is_empty()


def test_a_hand_may_write_into_it(home):
    record("sample", "2026-W46", "王", [ITEM])
    ledger = home / "reports" / "actions.yaml"
    ledger.write_text(ledger.read_text("utf-8").replace("state: open", "state: dropped").rstrip("\n"), "utf-8")
    record("sample", "2026-W47", "王", [ITEM])
    assert actions()["state"].to_list() == ["dropped", "open"]


@pytest.mark.parametrize("text, said", [
    ("- id: a\n  store: s\n  week: 2026-W46\n  finding: f\n", "第 1 行：缺少 what"),
    ("- id: a\n  store: s\n  week: 2026-46\n  finding: f\n  what: x\n", "第 1 行：「2026-46」不是一周"),
    ("- id: a\n  store: s\n  week: 2026-W46\n  finding: f\n  what: x\n  state: 完成\n", "state「完成」不对，可用：open、done、dropped"),
    ("- id: a\n  store: s\n  week: 2026-W46\n  finding: f\n  what: x\n  date: 下周\n", "date 要写成年-月-日，如 2026-11-20；写的是「下周」"),
    ("- id: a\n  who: x\n", "不认识「who」"), ("a: 1\n", "应是一条一条的清单"), ("- 一条\n", "每条行动要写成「名: 值」"), ("- id: [a\n", "第 1 行：方括号或逗号没有写全"),
])
def test_what_is_wrong_with_it_is_said_with_the_line(home, text, said):
    ledger = home / "reports" / "actions.yaml"
    ledger.parent.mkdir(exist_ok=True)
    ledger.write_text(text, "utf-8")
    with pytest.raises(ActionError, match=said):
        actions()
    with pytest.raises(ActionError):
        record("sample", "2026-W46", "王", [ITEM])
    assert ledger.read_text("utf-8") == text
