"""The check of the correction: what is held out, how the weights are made again, and each verdict on a planted case."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from voc_lib.measure.weighting.checks import check_correction
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate, poststratify


def rows(**columns):
    return pl.DataFrame(columns)


def customers(people=40_000, seed=2, angry=0.0):
    """Everybody with a city, use of the app and repurchase; the city and, times `angry`, repurchase itself move people to speak."""
    lots = np.random.default_rng(seed)
    city = lots.choice(3, people, p=[0.5, 0.3, 0.2])
    app = lots.poisson(1 + city)
    again = lots.random(people) < 0.2 + 0.15 * city
    spoke = lots.random(people) < 1 / (1 + np.exp(3.5 - 0.8 * city - angry * again))
    return pl.DataFrame({"city": city, "app": app, "again": again, "spoke": spoke, "band": np.where(app == 0, "不用", np.where(app < 3, "偶尔", "常用"))})


ALL = customers()
SPOKE = ALL.filter("spoke")
CITY = ALL.select("city")


def test_two_cities_on_paper():
    # speakers: 2 of 4 in A and 1 of 2 in B bought again; weights 10 and 30: (20 + 30) / 100 = .5; all: .3; s.d. sqrt(.3 * .7); heard 3/6
    frame = calibrate(rows(city=["A"] * 4 + ["B"] * 2, again=[1, 1, 0, 0, 1, 0]), {"city": {"A": 40, "B": 60}})
    everyone = rows(city=["A", "A", "B", "B"], again=[1, 0, 1, 0], count=[20, 20, 10, 50])
    found = check_correction(frame, everyone, ["again"])
    row = found.table.row(0, named=True)
    assert (row["population"], row["heard"], row["weighted"]) == pytest.approx((0.3, 0.5, 0.5)) and row["before"] == pytest.approx(0.2 / np.sqrt(0.21))
    assert row["remade"] is False and row["n"] == 6 and found.verdict == "undecided" and row["conf_high"] - row["conf_low"] > 1
    assert row["after"] == pytest.approx(0.2 / np.sqrt(0.21)) == (row["conf_low"] + row["conf_high"]) / 2


def test_what_the_margins_explain_is_not_contradicted_and_the_speakers_alone_were_off():
    found = check_correction(calibrate(SPOKE, CITY), ALL, ["app", "again", "band"])
    assert found.verdict == "passed" and set(found.table["verdict"]) == {"equivalent"} and found.table.height == 5
    assert found.table["before"][0] > 0.3 and found.table["after"].abs().max() < 0.07
    assert (found.table["conf_low"].abs() < 0.1).all() and (found.table["conf_high"].abs() < 0.1).all()


def test_what_they_do_not_explain_fails():
    everyone = customers(angry=1.0)
    found = check_correction(calibrate(everyone.filter("spoke"), everyone.select("city")), everyone, ["app", "again"])
    assert found.verdict == "failed" and dict(found.table.select("behaviour", "verdict").iter_rows()) == {"app": "equivalent", "again": "different"}


def test_few_people_neither_pass_nor_fail():
    found = check_correction(calibrate(SPOKE.head(60), CITY), ALL, ["app", "again"])
    assert found.verdict == "undecided" and "different" not in found.table["verdict"].to_list()


def test_nobody_among_few_is_not_certainty():
    frame = calibrate(SPOKE.head(40).with_columns(pl.lit(0).alias("rare")), CITY)
    everyone = ALL.with_columns((pl.int_range(pl.len()) % 50 == 0).cast(pl.Int64).alias("rare"))
    assert check_correction(frame, everyone, ["rare"]).verdict == "undecided"  # .02 / .14 = .14 s.d. off, of 40 people


def test_a_margin_is_held_out_by_weighting_again_without_it():
    both = ALL.select("city", "again")
    found = check_correction(calibrate(SPOKE, both), ALL, ["again", "app"])
    assert found.table["remade"].to_list() == [True, False]
    without = check_correction(calibrate(SPOKE, CITY), ALL, ["again"])
    assert found.table["after"][0] == pytest.approx(without.table["after"][0], abs=1e-9)
    assert check_correction(calibrate(SPOKE, both, "linear"), ALL, ["again"], method="linear").table["after"][0] == pytest.approx(check_correction(calibrate(SPOKE, CITY, "linear"), ALL, ["again"]).table["after"][0])


def test_the_ways_of_weighting_again():
    cells = ALL.group_by("city", "again").agg(pl.len().alias("count"))
    crossed = check_correction(poststratify(SPOKE, cells), ALL, ["again"], method="poststratify")
    assert crossed.table["remade"].item() and crossed.table["after"].item() == pytest.approx(check_correction(poststratify(SPOKE, cells.group_by("city").agg(pl.col("count").sum())), ALL, ["again"]).table["after"].item())
    asked = []

    def own(frame, margins):
        asked.append(margins.columns)
        return calibrate(frame, margins, "logit", bounds=(0.01, 30))

    assert check_correction(calibrate(SPOKE, ALL.select("city", "again")), ALL, ["again"], method=own).verdict == "passed" and asked == [["city", "count"]]
    told = check_correction(calibrate(SPOKE, CITY), ALL, ["again"], margins=["city", "again"])
    assert told.table["remade"].item()


def test_base_weights_stay():
    frame = SPOKE.with_columns(pl.when("again").then(3.0).otherwise(1.0).alias("drawn"))
    weighted = calibrate(frame, ALL.select("city", "band"), base_weight="drawn")
    found = check_correction(weighted, ALL, ["band", "again"]).table
    assert found.filter(pl.col("behaviour") == "again")["verdict"].item() == "different"
    again = check_correction(calibrate(frame, CITY, base_weight="drawn"), ALL, ["band"]).table
    assert found.filter(pl.col("behaviour") == "band")["after"].to_list() == pytest.approx(again["after"].to_list())


def test_customers_and_their_cells_say_the_same():
    cells = ALL.group_by("city", "app", "again", "band").agg(pl.len().alias("count"))
    weighted = calibrate(SPOKE, ALL.select("city", "band"))
    assert_frame_equal(check_correction(weighted, ALL, ["app", "again", "band"]).table, check_correction(weighted, cells, ["app", "again", "band"]).table)


def test_unit_changes_nothing_and_two_levels_are_tested_once():
    scaled = [table.with_columns(pl.col("app") * 30 + 7, pl.when("again").then(pl.lit("是")).otherwise(pl.lit("否")).alias("told")) for table in (SPOKE, ALL)]
    plain = check_correction(calibrate(SPOKE, CITY), ALL, ["app", "again"]).table
    told = check_correction(calibrate(scaled[0], CITY), scaled[1], ["app", "told"]).table
    assert told["after"].to_list() == pytest.approx(plain["after"].to_list()) and told["level"].to_list() == [None, "是"]


WEIGHTED = calibrate(SPOKE, ALL.select("city", "band"))


@pytest.mark.parametrize(("ask", "said"), [
    (lambda: check_correction(SPOKE, ALL, ["app"]), "没有列「weight」"),
    (lambda: check_correction(WEIGHTED, ALL, []), "至少一个"),
    (lambda: check_correction(WEIGHTED, ALL, "app"), "应写成一列名字"),
    (lambda: check_correction(WEIGHTED, ALL, ["app"], triggers=["app"]), "「app」会触发邀请"),
    (lambda: check_correction(WEIGHTED, ALL.drop("app"), ["app"]), "总体的表里没有行为「app」"),
    (lambda: check_correction(WEIGHTED.drop("app"), ALL, ["app"]), "说话的人的表里没有行为「app」"),
    (lambda: check_correction(WEIGHTED, ALL.with_columns(pl.when(pl.int_range(pl.len()) > 2).then("app").alias("app")), ["app"]), "总体的表里.*空值：app 3 行"),
    (lambda: check_correction(WEIGHTED.with_columns(pl.lit(float("nan")).alias("app")), ALL, ["app"]), "说话的人的表里.*空值"),
    (lambda: check_correction(WEIGHTED, ALL.with_columns(pl.lit(1).alias("app")), ["app"]), "人人一样"),
    (lambda: check_correction(WEIGHTED.with_columns(pl.col("band").alias("copy")), ALL.with_columns(pl.col("band").alias("copy")), ["copy"]), "完全决定"),
    (lambda: check_correction(WEIGHTED.with_columns(pl.lit("多").alias("app")), ALL, ["app"]), "统一写法"),
    (lambda: check_correction(WEIGHTED, ALL.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("app")), ["app"]), "像是名字"),
    (lambda: check_correction(WEIGHTED, ALL.with_columns(pl.lit(-1).alias("count")), ["app"]), "count 应是"),
    (lambda: check_correction(WEIGHTED, ALL.drop("city"), ["band"]), "总体的表里还要有列：city"),
    (lambda: check_correction(calibrate(SPOKE, ALL.select("band")), ALL, ["band"]), "只用了这一个行为"),
    (lambda: check_correction(WEIGHTED, ALL, ["band"], method="ipf"), "没有加权方法「ipf」")])
def test_what_cannot_be_checked_is_said(ask, said):
    with pytest.raises(WeightingError, match=said):
        ask()
