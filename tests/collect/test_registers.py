"""Registers: entries refused with a reason, read once, said again only when they say something new."""

from __future__ import annotations

import pytest

from tests.collect.identity.conftest import accounts, crm, orders
from voc_lib.collect.contract import ContractError
from voc_lib.collect.ingest import ingest
from voc_lib.collect.registers import load_registers
from voc_lib.settings import settings
from voc_lib.store import open_store


def count(table):
    return open_store("s").sql(f"SELECT count(*) AS n FROM {table}")["n"].item()


def test_a_later_export_adds_only_what_changed(home, tmp_path):
    crm(tmp_path / "x", "2026Q3", "2026-07-01", ("ann", "bob"))
    ingest("s", tmp_path / "x", "auto")
    assert (count("customers"), count("identities")) == (2, 5)    # two phones, two vehicles, one account
    crm(tmp_path / "x", "2026Q4", "2026-10-01", ("ann", "bob"), left={"bob": "2026-09-15"})
    ingest("s", tmp_path / "x")
    assert (count("customers"), count("identities")) == (4, 6)    # bob's vehicle now has an end
    ingest("s", tmp_path / "x")
    assert (count("customers"), count("identities")) == (4, 6)


def test_the_same_order_in_two_exports_is_one_touchpoint(home, tmp_path):
    row = ("ann", "2026-10-05", "进店", "RO1", "16000006688")
    orders(tmp_path / "x", "2026-10", [row])
    orders(tmp_path / "x", "2026-11", [row, ("ann", "2026-10-05", "进店", "RO2", "16000006688")])
    ingest("s", tmp_path / "x", "auto")
    assert (count("touchpoints"), count("identities")) == (2, 2)
    assert open_store("s").sql("SELECT DISTINCT key_type FROM identities")["key_type"].to_list() == ["order"]    # the phone on an order proves nothing


def test_an_entry_without_a_number_or_a_day_goes_to_quarantine_and_is_counted(home, tmp_path):
    crm(tmp_path / "x", people=("ann", "bob"))
    path = tmp_path / "x" / "crm" / "customers-2026Q4.csv"
    path.write_text(path.read_text("utf-8").replace("XLann", " ").replace("2026-10-01,LXLBA7E53PK100002", "昨天,LXLBA7E53PK100002"), "utf-8")
    counted = {one.channel: one for one in ingest("s", tmp_path / "x", "auto")}["crm"]
    assert (counted.rows_read, counted.rows_quarantined, count("customers")) == (2, 2, 0)
    refused = open_store("s").sql('SELECT reason, "values" FROM quarantine ORDER BY line')
    assert refused["reason"].to_list() == ["没有客户编号", "valid_from 不是日期"]
    assert not [value for value in refused["values"] if "1600000" in value or "LXLBA7" in value]


def test_an_entry_of_accounts_keeps_no_account_in_the_clear(home, tmp_path):
    accounts(tmp_path / "x", "2026-10", [("2026-10-10", "微博", "123456789012", "16000000002", "")])
    ingest("s", tmp_path / "x", "auto")
    assert count("identities") == 2
    assert b"123456789012" not in b"".join(path.read_bytes() for path in settings().lake.rglob("*") if path.is_file())


@pytest.mark.parametrize(("folder", "change", "says"), [
    ("customers", ('  member: "客户编号"\n', ""), "identity 中缺少 member"),
    ("customers", ("  valid_from: {from: 截至", "  valid_form: {from: 截至"), "是否想写「valid_from」"),
    ("customers", ("age: [30, 40, 50]", "age: [40, 30]"), "从小到大"),
    ("accounts", ('  "author:microblog"', '  "author-microblog"'), "身份键「author-microblog」的名字"),
    ("touchpoints", ('  kind: "kind"\n', ""), "columns 中缺少 kind"),
    ("customers", ("register: crm", "register: crn"), "register 写的是「crn」"),
])
def test_a_wrong_contract_is_answered_with_file_line_and_remedy(home, folder, change, says):
    path = next((settings().domains / "auto" / folder).glob("*.yaml"))
    text = path.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), "utf-8")
    with pytest.raises(ContractError, match=f"合同 {path.name} 第 \\d+ 行") as error:
        load_registers(settings().domains, "auto")
    assert says in str(error.value)
