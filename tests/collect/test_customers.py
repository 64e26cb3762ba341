"""The frame: who is in it on which day, and in which bands."""

from __future__ import annotations

import pytest

from tests.collect.identity.conftest import crm
from voc_lib.collect.customers import FrameError, load_frame
from voc_lib.collect.ingest import ingest
from voc_lib.settings import settings
from voc_lib.store import open_store


@pytest.fixture
def two_quarters(home, tmp_path):
    folder = tmp_path / "导出"
    crm(folder, "2026Q3", "2026-07-01", ("ann", "bob"))
    crm(folder, "2026Q4", "2026-10-01", ("ann", "bob", "eve"), left={"bob": "2026-09-15"}, bought={"eve": "2026-08"})
    ingest("s", folder, "auto")
    return open_store("s")


def test_each_customer_once_as_the_newest_export_before_that_day_knew_him(two_quarters):
    summer, autumn = load_frame(two_quarters, "2026-W30"), load_frame(two_quarters)
    assert summer.height == 2 and summer["active"].all()
    assert autumn.height == 3 and autumn["active"].sum() == 2 and autumn["churned_at"].null_count() == 2    # who left stays


def test_bands_are_those_of_the_contract_and_tenure_counts_from_the_purchase(two_quarters):
    frame = load_frame(two_quarters)
    assert set(frame["age_band"]) == {"30–40"} and set(frame["spend_band"]) == {"1000–2500"} and set(frame["usage_band"]) == {"800–1500"}
    assert sorted(frame["tenure_band"]) == ["1–3", "1–3", "≤1"]


@pytest.mark.parametrize(("at", "says"), [("2026-W01", "最早的客户档案截至 2026-07-01"), ("夏天", "不是日期，也不是一周")])
def test_no_frame_is_said_in_words(two_quarters, at, says):
    with pytest.raises(FrameError, match=says):
        load_frame(two_quarters, at)


def test_a_band_of_a_column_that_is_not_there_is_refused(two_quarters):
    contract = settings().domains / "auto" / "customers" / "crm.yaml"
    contract.write_text(contract.read_text("utf-8").replace("  age: [30, 40, 50]", "  agee: [30, 40, 50]").replace("app_days, age, usage", "app_days, usage"), "utf-8")
    with pytest.raises(FrameError, match="agee"):
        load_frame(two_quarters)


def test_no_number_of_a_person_is_in_the_lake(two_quarters):
    written = b"".join(path.read_bytes() for path in settings().lake.rglob("*") if path.is_file())
    assert not [personal for personal in ("XLann", "16000000001", "LXLBA7E53PK100001") if personal.encode() in written]
