"""People per 10,000: a denominator arrives as an export, the newest counts, outsiders do not, and without one nothing is divided."""

from __future__ import annotations

import pytest

import voc_lib as voc
from voc_lib.collect.registers import load_registers
from voc_lib.collect.contract import ContractError
from voc_lib.collect.ingest import ingest, unclaimed
from voc_lib.measure.bases import base_rates, base_sizes
from voc_lib.settings import settings

BASE = """
base: vehicles
title: 保有车辆
owner: 销售部
cannot_tell: 报废的仍在内。
read: {glob: "parc/*.csv", export_date: '(\\d{4}-\\d{2}-\\d{2})'}
columns: {month: "月份", product: "车型", in_use: "在用"}
"""


@pytest.fixture
def parc(sample):
    """Writes the contract of a base and exports of it, and reads them."""
    folder = sample / "data" / "domains" / "auto" / "bases"
    folder.mkdir(exist_ok=True)
    (folder / "vehicles.yaml").write_text(BASE, "utf-8")

    def read(**files):
        for day, lines in files.items():
            path = sample / "parc" / f"parc_{day.replace('_', '-')[1:]}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text("月份,车型,在用\n" + "\n".join(lines), "utf-8")
        return ingest("sample", sample, None)

    (sample / "parc").mkdir()
    read.folder = sample
    return read


def test_the_newest_export_of_a_month_counts_and_months_are_averaged(parc):
    parc(d2026_11_01=["2026-10,A7,6000", "2026-10,S5,2000", "2026-11,A7,1"])
    count = next(c for c in parc(d2026_11_16=["2026-11,A7,7000", "2026-11,S5,3000", "2026-11,S5,2000"]) if c.base)
    assert (count.title, count.files, count.files_known, count.rows_read, count.feedback_stored) == ("保有车辆", 2, 1, 6, 0)
    # October 8,000; November 7,000 + 3,000 + 2,000, and not the 1 of the older export.
    lake = voc.open_store("sample")
    assert base_sizes(lake, ["2026-10", "2026-11"]) == {"vehicles": 10_000} and base_sizes(lake, ["2026-11"]) == {"vehicles": 12_000}
    assert not [name for name in unclaimed("sample", parc.folder) if name.startswith("parc")]


def test_rates_by_hand(parc):
    parc(d2026_11_16=["2026-11,A7,4000", "2026-11,S5,1000"])
    lake = voc.open_store("sample")
    feedback = voc.feedback(lake, "2026-W46")
    rows = {row["channel"]: row for row in base_rates(lake, feedback).iter_rows(named=True)}
    people = feedback.filter(channel="complaint_site")["person"].n_unique()
    site = rows["complaint_site"]
    assert (site["base"], site["in_use"], site["people"], site["note"]) == ("vehicles", 5000, people, "")
    assert site["estimate"] == pytest.approx(10_000 * people / 5000) and site["conf_low"] < site["estimate"] < site["conf_high"]
    assert rows["hotline"]["estimate"] is None and rows["hotline"]["note"] == "没有基数"
    said = str(voc.say_bases(base_rates(lake, feedback)))
    assert "每一万在用车辆里" in said and "要有来电次数" in said and "不是遇到问题的人" in said


def test_outsiders_are_in_no_base_and_nine_people_are_not_told(parc):
    parc(d2026_11_16=["2026-11,A7,5000"])
    lake = voc.open_store("sample")
    site = voc.feedback(lake, "2026-W46", "complaint_site")
    prospects = site.with_columns(author_kind=voc.feedback(lake, "2026-W46", "complaint_site")["author_kind"].replace({"owner_likely": "prospect"}))
    assert base_rates(lake, prospects).height == 0
    nine = base_rates(lake, site.unique("person").sort("person").head(9))
    assert nine.select("people", "estimate", "note").rows() == [(None, None, "不足10人，不单列")]


def test_a_code_has_a_rate_of_its_own(parc):
    parc(d2026_11_16=["2026-10,A7,5000", "2026-11,A7,5000"])
    lake = voc.open_store("sample")
    feedback = voc.feedback(lake, channel="complaint_site")
    rates = base_rates(lake, feedback, by="code").drop_nulls("estimate")
    code, people, estimate = rates.sort("people", descending=True).select("code", "people", "estimate").row(0)
    assert people == feedback.filter(feedback["codes"].list.contains(code))["person"].n_unique() and estimate == pytest.approx(2 * people)
    assert voc.chart_base_codes(rates).description["title"] == "complaint_site：每一万在用车辆里有多少人提到"


def test_rows_that_do_not_fit_are_refused_and_a_wrong_contract_is_told(parc):
    count = next(c for c in parc(d2026_11_16=["2026年11月,A7,5000", "2026-11,A7,-3", "2026-11,A7,很多", "2026-11,A7,7"]) if c.base)
    assert (count.rows_read, count.rows_quarantined) == (4, 3) and base_sizes(voc.open_store("sample"), ["2026-11"]) == {"vehicles": 7}
    path = settings().domains / "auto" / "bases" / "vehicles.yaml"
    for old, new, words in (("in_use:", "inuse:", "没有名为「inuse」的列。是否想写「in_use」"), ("base: vehicles", "base: cars", "base 写的是「cars」，须与文件名「vehicles」相同"),
                            (', in_use: "在用"', "", "columns 中缺少 in_use")):
        path.write_text(BASE.replace(old, new), "utf-8")
        with pytest.raises(ContractError, match=words):
            load_registers(settings().domains, "auto")


def test_without_a_base_nothing_is_divided(sample):
    lake = voc.open_store("sample")
    rates = base_rates(lake, voc.feedback(lake, "2026-W46"))
    assert rates["estimate"].null_count() == rates.height > 0 and "没有基数" in str(voc.say_bases(rates))
    assert {row[3]["text"] for row in voc.table_bases(rates).description["rows"]} == {"没有基数"}
    assert voc.chart_base_codes(base_rates(lake, voc.feedback(lake, "2026-W46"), by="code")).description["kind"] == "note"
