"""Whom to ask and when: where an answer adds most, who is left in peace, the moments, and the same plan in every run."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.outreach import PLAIN, Trigger, allocate, lot, outreach_plan

TODAY = date(2026, 3, 2)


def base(people=400, seed=3):
    lots = np.random.default_rng(seed)
    city = lots.choice(["甲", "乙", "丙"], people, p=[0.5, 0.3, 0.2])
    spoke = lots.random(people) < np.where(city == "甲", 0.4, np.where(city == "乙", 0.1, 0.0))
    return pl.DataFrame({"customer_id": [f"c{at:04d}" for at in range(people)], "city": city, "spoke": spoke})


EVERYONE = base()


def planned(customers=EVERYONE, asked=None, touchpoints=None, by=("city",), **more):
    return outreach_plan(customers, asked, touchpoints, by, today=TODAY, **({"budget": 60} | more))


def asked_on(**days):
    return pl.DataFrame([(name, TODAY - timedelta(days=ago)) for name, given in days.items() for ago in given], schema={"customer_id": pl.String, "asked_on": pl.Date}, orient="row")


def events(*rows):
    return pl.DataFrame(list(rows), schema={"customer_id": pl.String, "kind": pl.String, "occurred_on": pl.Date}, orient="row")


def test_two_cells_on_paper():
    # 100 people each, 50 and 10 speak: 200^2 / (200 + 1000) = 33.3; 40 asked in the second at a half: 20 answers more: 200^2 / (200 + 333.3) = 75
    customers = pl.DataFrame({"customer_id": range(200), "city": ["甲"] * 100 + ["乙"] * 100, "spoke": [True] * 50 + [False] * 50 + [True] * 10 + [False] * 90})
    cells = planned(customers, budget=40, response_rate=0.5, holdout=0).cells
    first = cells.row(0, named=True)
    assert (first["city"], first["invite"], first["expected"], first["n"], first["able"]) == ("乙", 40, 20.0, 10, 90)
    assert first["effective_n_before"] == pytest.approx(1200 / 36) and first["effective_n_after"] == pytest.approx(75) and cells["effective_n_after"][-1] == pytest.approx(75)
    # the first contact: 33.3^2 / 200^2 x 100^2 x .5 / 10^2
    assert first["gain_per_contact"] == pytest.approx((1200 / 36) ** 2 / 200**2 * 50) and cells["gain_per_contact"][0] > cells["gain_per_contact"][1]


def test_the_allocation_is_the_best_there_is():
    people, spoke, rate, able = np.array([300, 200, 100, 50]), np.array([40, 5, 3, 0]), np.array([0.2, 0.3, 0.5, 0.25]), np.array([200, 150, 20, 40])
    found = allocate(people, spoke, rate, able, 60)

    def variance(invited):
        return float((people**2 / (spoke + rate * invited)).sum())

    assert found.sum() == 60 and (found <= able).all() and found[3] > 0
    for giving in range(4):
        for taking in range(4):
            moved = found.copy()
            moved[giving], moved[taking] = moved[giving] - 3, moved[taking] + 3
            if giving != taking and moved.min() >= 0 and (moved <= able).all() and moved[3] > 0:
                assert variance(moved) > variance(found)
    assert allocate(people, spoke, rate, able, 10**6).tolist() == able.tolist() and allocate(people, spoke, np.zeros(4), able, 60).sum() == 0


def test_a_silent_cell_comes_first_and_is_covered():
    cells = planned(response_rate=0.5).cells
    assert cells["city"][0] == "丙" and cells["n"][0] == 0 and cells["gain_per_contact"][0] is None and cells["invite"][0] > 0
    assert cells["covered_share"][0] == pytest.approx(1) and cells["effective_n_after"][-1] > cells["effective_n_before"][0]
    assert cells["invite"].sum() == 60 and cells.filter(city="甲")["invite"].item() == 0  # of whom many speak already


def test_nobody_is_asked_who_spoke_or_does_not_want_or_was_asked():
    refused = EVERYONE.with_columns(pl.when(pl.int_range(pl.len()) % 3 == 0).then(True).when(pl.int_range(pl.len()) % 3 == 1).then(False).alias("no_contact"))  # a third unknown
    invited = planned(refused, budget=1000, holdout=0).people
    willing = set(refused.filter((pl.col("no_contact") == False) & ~pl.col("spoke"))["customer_id"])  # noqa: E712
    assert set(invited["customer_id"]) == willing and planned(refused, budget=1000, holdout=0).cells["able"].sum() == len(willing)


def test_no_more_than_one_contact_in_the_gap_and_a_few_in_a_year():
    silent = EVERYONE.filter(~pl.col("spoke"))["customer_id"].to_list()
    lately, long_ago, often, planned_ahead, years = silent[:5]
    asked = asked_on(**{lately: [89], long_ago: [90], often: [100, 200], planned_ahead: [-5], years: [370, 400]})
    invited = set(planned(asked=asked, budget=1000, holdout=0).people["customer_id"])
    assert invited & {lately, long_ago, often, planned_ahead, years} == {long_ago, years}
    assert often in set(planned(asked=asked, budget=1000, holdout=0, yearly=3).people["customer_id"]) and lately in set(planned(asked=asked, budget=1000, holdout=0, gap_days=30).people["customer_id"])


def test_the_holdout_is_a_tenth_and_the_same_at_every_plan():
    customers = base(5000)
    one = planned(customers, budget=10_000)
    other = outreach_plan(customers.sample(fraction=1, shuffle=True, seed=5), None, None, ["city"], today=TODAY + timedelta(days=200), budget=10_000)
    assert set(one.people["customer_id"]) == set(other.people["customer_id"]) and one.cells["held_out"].sum() == pytest.approx(500, abs=65)
    spared = customers.filter(~pl.col("spoke") & ~pl.col("customer_id").is_in(one.people["customer_id"].to_list()))
    assert (lot(spared["customer_id"], "outreach/holdout") < 0.1).all() and set(planned(customers, budget=10_000, key="b").people["customer_id"]) != set(one.people["customer_id"])


def test_the_lot_is_even_and_knows_its_key():
    found = lot(pl.Series([f"c{at}" for at in range(4000)]), "k")
    assert abs(found.mean() - 0.5) < 0.02 and np.histogram(found, 10, (0, 1))[0].min() > 330 and 0 <= found.min() and found.max() <= 1
    assert abs(np.corrcoef(found, lot(pl.Series([f"c{at}" for at in range(4000)]), "k2"))[0, 1]) < 0.05


def test_the_same_plan_in_every_run_whatever_the_order():
    touchpoints = events(*((name, "进店", TODAY - timedelta(days=at % 9)) for at, name in enumerate(EVERYONE["customer_id"])))
    one, other = planned(touchpoints=touchpoints), planned(EVERYONE.reverse(), touchpoints=touchpoints.reverse())
    assert_frame_equal(one.people, other.people)
    assert_frame_equal(one.cells, other.cells)


def test_moments():
    names = EVERYONE.filter(~pl.col("spoke"))["customer_id"].to_list()
    visit, old, bought, leap, quiet, called, both, none = names[:8]
    touchpoints = events((visit, "进店", TODAY - timedelta(days=1)), (old, "进店", TODAY - timedelta(days=10)), (bought, "购车", date(2023, 3, 20)), (leap, "购车", date(2024, 2, 29)), (quiet, "应用活跃", TODAY - timedelta(days=90)),
                         (quiet, "应用活跃", TODAY - timedelta(days=50)), (called, "来电", TODAY), (both, "来电", TODAY), (both, "进店", TODAY), (none, "OTA", TODAY), (visit, "进店", TODAY - timedelta(days=300)))
    people = planned(touchpoints=touchpoints, budget=1000, holdout=0).people
    told = {row["customer_id"]: (row["trigger"], row["day"]) for row in people.iter_rows(named=True)}
    assert told[visit] == ("进店之后", date(2026, 3, 4)) and told[bought] == ("购车周年", date(2026, 3, 20)) and told[quiet] == ("应用久未使用", date(2026, 3, 12))
    assert told[called] == ("来电办结之后", date(2026, 3, 3)) and told[both] == ("来电办结之后", date(2026, 3, 3))  # the sooner of two
    assert {told[name][0] for name in (old, leap, none)} == {PLAIN} and told[leap][1] >= TODAY
    assert people["day"].min() >= TODAY and people["day"].max() < TODAY + timedelta(days=28) and people["day"].is_sorted() and people["day"].n_unique() > 20
    own = planned(touchpoints=touchpoints, budget=1000, holdout=0, triggers=[Trigger("升级之后", "OTA", "after", 5)]).people
    assert own.filter(customer_id=none).select("trigger", "day").row(0) == ("升级之后", date(2026, 3, 7))


def test_a_moment_decides_the_day_and_not_who_is_asked():
    touchpoints = events(*((name, "进店", TODAY) for name in EVERYONE["customer_id"][::2]))
    assert set(planned().people["customer_id"]) == set(planned(touchpoints=touchpoints).people["customer_id"])


def test_a_likelihood_of_ones_own_is_used():
    customers = EVERYONE.with_columns(pl.when(pl.col("city") == "丙").then(0.0).otherwise(0.4).alias("propensity"))
    cells = planned(customers).cells
    assert cells.filter(city="丙")["invite"].item() == 0 and cells.filter(city="乙").select("response_rate", "expected").row(0) == (pytest.approx(0.4), pytest.approx(24)) and cells["covered_share"][-1] < 1


@pytest.mark.parametrize(("ask", "said"), [
    (lambda: planned(by="city"), "应写成一列名字"), (lambda: planned(by=["town"]), "客户的表里没有列：town"), (lambda: planned(asked=pl.DataFrame({"customer_id": ["a"]})), "已问过的人的表里没有列：asked_on"),
    (lambda: planned(asked=pl.DataFrame({"customer_id": ["a"], "asked_on": ["2026-01-01"]})), "应是日期"), (lambda: planned(pl.concat([EVERYONE, EVERYONE.head(2)])), "2 行的 customer_id 重复"),
    (lambda: planned(EVERYONE.with_columns(pl.lit(None, pl.String).alias("city"))), "空值：city 400 行"), (lambda: planned(EVERYONE.with_columns(pl.lit(1.2).alias("propensity"))), "propensity 应是"),
    (lambda: planned(holdout=1), "holdout"), (lambda: planned(budget=0), "至少 1"), (lambda: planned(EVERYONE.with_columns(pl.lit(True).alias("spoke"))), "没有可以邀请的")])
def test_what_cannot_be_planned_is_said(ask, said):
    with pytest.raises(WeightingError, match=said):
        ask()
