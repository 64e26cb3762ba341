"""`voc identity` typed: what it says, what it refuses, and that `voc ingest` says how much is known."""

from __future__ import annotations

import json
import re

import pytest

from tests.collect.identity.conftest import accounts, calls, company, crm, orders, posts  # noqa: F401  (company is a fixture)
from voc_lib.store import open_store


@pytest.fixture
def typed(company, home, type_in):  # noqa: F811
    def run(words):
        return type_in(home, words)

    status, said, _ = run(f"ingest '{company}' --store s --domain auto")
    assert status == 0 and re.search(r"全库 9 条反馈里 6 条认得出是谁（67%），其中 5 条是在册客户", said)
    assert "名册「客户档案」" in said and "触点「触点流水」" in said and "登记「账号登记」" in said
    return run


def feedback(name):
    return open_store("s").sql(f"SELECT feedback_id FROM feedback_rows WHERE source_id = '{name}'").item()


def test_the_report_says_rates_reasons_and_doubts(typed):
    status, said, _ = typed("identity report --store s")
    assert status == 0 and "2 条的 2 人（2 人出现在两个以上渠道）" in said and "论坛账号（登记过） 1 条" in said and "手机号" in said and "两位以上客户共用，会连起 2 个，2 条反馈" in said
    told = json.loads(typed("identity report --store s --json")[1])
    assert {row["channel"]: row["customer"] for row in told["channels"]} == {"hotline": 3, "car_forum": 2} and told["doubts"][0]["why"] == "shared"


def test_split_join_undo_and_link_by_hand(typed):
    status, said, _ = typed(f"identity split {feedback('P1')} --store s --why 不是本人 --who 王")
    assert status == 0 and "记在第 1 行，1 条反馈换了人" in said
    assert "1 条反馈换了人" in typed("identity undo 1 --store s --why 是本人 --who 王")[1]
    assert "2 条反馈换了人" in typed(f"identity join {feedback('P3')} {feedback('C5')} {feedback('C2')} --store s --why 电话核实 --who 王")[1]
    assert "看了 0 条反馈，0 条的判断有变化" in typed("identity link --store s")[1]
    assert "（全部），0 条的判断有变化" in typed("identity link --all --store s")[1]


@pytest.mark.parametrize(("words", "says"), [
    ("identity split 123 --store s --why x", "反馈「123」不在库「s」里"),
    ("identity undo 7 --store s --why x", "第 7 行，但那一行不存在"),
    ("identity link --probable --store s", "少于 50 个"),
    ("identity rekey", "确认请加 --yes"),
])
def test_what_cannot_be_done_is_refused_and_changes_nothing(typed, words, says):
    before = open_store("s").snapshot
    status, _, said = typed(words)
    assert status != 0 and says in said and open_store("s").snapshot == before


def test_two_customers_are_not_joined(typed):
    status, _, said = typed(f"identity join {feedback('C1')} {feedback('C2')} --store s --why x")
    assert status != 0 and "2 位客户" in said
    status, _, said = typed(f"identity join {feedback('C1')} --store s --why x")
    assert status != 0 and "至少要两条" in said


def test_a_new_secret_is_said_with_its_file(typed):
    status, said, _ = typed("identity rekey --yes")
    assert status == 0 and "第 2 代密钥已启用，1 个库换好：s" in said and "secret.2" in said
