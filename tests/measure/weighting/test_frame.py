"""From the store to cells: who is in a base, in which bands, and that grouping in SQL is what grouping people gives."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.measure.weighting.conftest import END, START, plant_silence
from voc_lib.collect.contract import ContractError
from voc_lib.collect.customers import FrameError, load_frame
from voc_lib.measure.weighting.cells import cells_of
from voc_lib.measure.weighting.frame import affordable, base_of, cells_for, everybody_of, everyone_in, frame_cells, speakers
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.settings import settings
from voc_lib.store_write import write_store


def test_a_base_holds_who_came_and_had_not_left(silence):
    store, there = silence
    visits, everyone = (everyone_in(store, base_of(store, name, START, END)) for name in ("visits", "vehicles"))
    assert sorted(visits["customer_id"]) == sorted(there["customer_id"]) and everyone.height > visits.height
    assert "c00000" not in set(everyone["customer_id"])  # left on 15 July, before the period
    assert base_of(store, "visits", START, END).columns[:3] == ("visits_band", "product", "region")
    assert everyone_in(store, base_of(store, "visits", date(2026, 7, 6), date(2026, 8, 2))).is_empty()  # nobody came in those weeks


def test_who_left_during_the_period_stays_in_its_base(silence):
    store, _ = silence
    assert "c00000" in set(everyone_in(store, base_of(store, "vehicles", date(2026, 7, 6), END))["customer_id"])


def test_cells_from_sql_are_those_from_people(silence):
    store, there = silence
    base = base_of(store, "visits", START, END)
    answers = there.sample(200, seed=1).select("customer_id", pl.col("score").alias("nps"), pl.when(pl.col("score") > 5).then(pl.col("score")).alias("csat"))
    people = speakers(store, base, answers)
    wide = frame_cells(store, base, people, ("nps", "csat"))
    everyone = everyone_in(store, base).select("customer_id", *base.columns)
    for name in ("nps", "csat"):
        assert_frame_equal(cells_for(wide, name, base.columns), cells_of(people, name, everyone), check_row_order=False)
    assert everybody_of(store, base)["count"].sum() == wide["count"].sum() == there.height


def test_everybody_keeps_his_own_answer_in_whatever_order_they_come(silence):
    store, there = silence
    base = base_of(store, "visits", START, END)
    answers = there.sample(200, seed=3, shuffle=True).select("customer_id", pl.col("score").alias("age"))  # a question may be called as a column of the register is
    outside = answers.head(1).with_columns(customer_id=pl.lit("nobody"))
    found = speakers(store, base, pl.concat([answers, outside]))
    assert found["customer_id"].to_list() == sorted(answers["customer_id"])
    assert_frame_equal(found, answers.with_columns(pl.col("age").cast(pl.Float64)).join(everyone_in(store, base), on="customer_id").sort("customer_id"))


def test_bands_in_sql_are_those_of_the_frame(silence):
    store, _ = silence
    base = base_of(store, "vehicles", START, END)
    ours = everyone_in(store, base).select("customer_id", "visits_band", "age_band", "tenure_band", "app_days_band")
    theirs = load_frame(store, START).filter("active").select(ours.columns).sort("customer_id")
    assert_frame_equal(ours, theirs)


def test_the_newest_register_counts_and_who_is_missing_from_it_is_kept(silence):
    store, _ = silence
    old = store.sql("SELECT * FROM customers WHERE customer_id IN ('c00001', 'c00002')").with_columns(region=pl.lit("华北"), valid_from=pl.lit(date(2026, 4, 1)))
    gone = old.head(1).with_columns(customer_id=pl.lit("elder"))
    with write_store("s", "test") as writer:
        writer.append("customers", pl.concat([old, gone]))
    from voc_lib.store import open_store

    region = dict(everyone_in(open_store("s"), base_of(open_store("s"), "vehicles", START, END)).select("customer_id", "region").iter_rows())
    assert region["c00001"] != "华北" and region["elder"] == "华北"


def test_what_is_empty_is_one_level(silence):
    store, _ = silence
    odd = store.sql("SELECT * FROM customers WHERE customer_id IN ('c00001', 'c00002')").with_columns(region=pl.Series([None, ""], dtype=pl.String), valid_from=pl.lit(date(2026, 8, 1)))
    rest = store.sql("SELECT * FROM customers WHERE customer_id NOT IN ('c00001', 'c00002')").with_columns(valid_from=pl.lit(date(2026, 8, 1)))
    with write_store("s", "test") as writer:
        writer.append("customers", pl.concat([odd, rest]))
    from voc_lib.store import open_store

    base = base_of(open_store("s"), "vehicles", START, END)
    cells = everybody_of(open_store("s"), base)
    unknown = cells.filter(pl.col("region") == "未知")
    assert unknown["count"].sum() == 2 and cells["region"].null_count() == 0 and cells.select(base.columns + base.held_out).is_duplicated().sum() == 0


def test_only_as_many_columns_as_answers_can_bear(silence):
    store, there = silence
    base = base_of(store, "visits", START, END)
    few, many = (frame_cells(store, base, speakers(store, base, there.sample(n, seed=2).select("customer_id", pl.col("score").alias("nps"))), ("nps",)) for n in (25, 400))
    assert affordable(few, "nps", base.columns) == ("visits_band",) and affordable(many, "nps", base.columns) == ("visits_band", "region", "app_days_band")  # all others have one level here


@pytest.mark.parametrize(("ask", "error", "said"), [
    (lambda store, there: base_of(store, "calls", START, END), FrameError, "没有「calls」的名单.*customers、vehicles、visits、app_users.*crm.yaml"),
    (lambda store, there: base_of(store, "visits", date(2025, 1, 6), END), FrameError, "没有2025年1月6日或更早的客户档案"),
    (lambda store, there: speakers(store, base_of(store, "visits", START, END), pl.concat([there.head(2), there.head(1)]).select("customer_id", "score")), WeightingError, "重复（3 行，2 位客户）"),
    (lambda store, there: frame_cells(store, base_of(store, "visits", date(2026, 7, 6), date(2026, 8, 2)), there.head(2), ("score",)), WeightingError, "2026年7月6日到2026年8月2日之间没有客户"),
])
def test_what_cannot_be_grouped_is_said(silence, ask, error, said):
    with pytest.raises(error, match=said):
        ask(*silence)


@pytest.mark.parametrize(("line", "wrong", "said"), [
    ("weigh_by: [visits, ", "weigh_by: [visit, ", r"第 \d+ 行.*「visit」不是这份档案读出的列"),
    ("  age: [30, 40, 50]", "  usage: [1]\n", "「age」是数字，要先在 bands 里分档"),
    ('held_out: [app_days, "touchpoint:复购"', 'held_out: [region, "touchpoint:复购"', "「region」不是数字"),
])
def test_a_contract_that_cannot_weigh_is_refused_with_its_line(home, line, wrong, said):
    contract = settings().domains / "auto" / "customers" / "crm.yaml"
    text = contract.read_text("utf-8")
    assert line in text
    contract.write_text(text.replace("  usage: [800, 1500]\n", "").replace(line, wrong) if "usage" in wrong else text.replace(line, wrong), "utf-8")
    with pytest.raises(ContractError, match=said):
        plant_silence(60)[0] and base_of(plant_silence(60, name="t")[0], "visits", START, END)
