"""Weights: margins are met, what does not matter changes nothing, and every bad input is said with what was found and what to do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import voc_lib as voc
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate, poststratify
from voc_lib.messages import Told

CITY = {"北京": 600, "上海": 400}
PLAN = {"纯电": 700, "混动": 300}
LEVELS = {"city": CITY, "model": PLAN}


def speakers(people=60, seed=1):
    lots = np.random.default_rng(seed)
    return pl.DataFrame({"customer_id": range(people), "city": lots.choice(list(CITY), people, p=[0.3, 0.7]), "model": lots.choice(list(PLAN), people), "age": lots.normal(40, 8, people),
                         "base": lots.uniform(1, 3, people)})


def people(frame, column):
    return dict(frame.group_by(column).agg(pl.col("weight").sum()).iter_rows())


def test_two_in_one_city_and_one_in_the_other():
    frame = pl.DataFrame({"city": ["甲", "甲", "乙"], "score": [1, 2, 3]})
    found = voc.calibrate(frame, {"city": {"甲": 6, "乙": 4}})
    assert found["weight"].to_list() == pytest.approx([3, 3, 4]) and found["weight_note"].null_count() == 3
    assert_frame_equal(found.select(frame.columns), frame)
    assert voc.poststratify(frame, pl.DataFrame({"city": ["甲", "乙"], "count": [6, 4]}))["weight"].to_list() == [3, 3, 4]


@pytest.mark.parametrize("more", [{}, {"method": "linear"}, {"method": "logit", "bounds": (0.1, 5)}, {"max_weight_ratio": 3.0}, {"base_weight": "base"}])
def test_every_margin_is_met(more):
    found = calibrate(speakers(), LEVELS | {"age": 41_000}, **more)
    assert people(found, "city") == pytest.approx(CITY, rel=1e-9) and people(found, "model") == pytest.approx(PLAN, rel=1e-9)
    assert (found["weight"] * found["age"]).sum() == pytest.approx(41_000, rel=1e-9)
    if "max_weight_ratio" in more:
        assert found["weight"].max() / found["weight"].mean() <= 3


def test_the_order_of_rows_and_a_column_that_is_not_used_change_nothing():
    frame = speakers()
    found, shuffled = calibrate(frame, LEVELS), calibrate(frame.sample(fraction=1, shuffle=True, seed=4), LEVELS).sort("customer_id")
    assert shuffled["weight"].to_list() == found["weight"].to_list()
    holes = frame.with_columns(pl.lit(float("nan")).alias("age"), pl.lit(None, dtype=pl.String).alias("job"))
    assert calibrate(holes, LEVELS)["weight"].to_list() == found["weight"].to_list()  # to the last bit


@pytest.mark.parametrize("more", [{}, {"method": "linear"}, {"method": "logit", "bounds": (0.1, 5)}, {"max_weight_ratio": 4.0}])
def test_the_scale_of_base_weights_changes_nothing(more):
    frame = speakers()
    one, other = (calibrate(frame.with_columns(pl.col("base") * factor), LEVELS, base_weight="base", **more) for factor in (1, 1e5))
    assert one["weight"].to_list() == pytest.approx(other["weight"].to_list(), rel=1e-9)


def test_post_stratifying_is_raking_on_the_crossed_margin():
    frame = speakers()
    cells = pl.DataFrame({"city": ["北京", "北京", "上海", "上海"], "model": ["纯电", "混动"] * 2, "count": [450, 150, 250, 150]})
    cross = pl.concat_str("city", "model", separator="-").alias("cross")
    raked = calibrate(frame.with_columns(cross), {"cross": dict(cells.select(cross, "count").iter_rows())}, base_weight="base")
    assert poststratify(frame, cells, "base")["weight"].to_list() == pytest.approx(raked["weight"].to_list(), rel=1e-9)
    one = poststratify(frame, cells.group_by("city").agg(pl.col("count").sum()))
    assert one["weight"].to_list() == pytest.approx(calibrate(frame, {"city": CITY})["weight"].to_list(), rel=1e-9)


def test_a_population_frame_says_what_its_margins_say():
    everyone = pl.DataFrame({"city": ["北京"] * 600 + ["上海"] * 400, "model": (["纯电"] * 7 + ["混动"] * 3) * 100, "age": [41.0] * 1000})
    told = calibrate(speakers(), LEVELS | {"age": 41_000})
    assert calibrate(speakers(), everyone)["weight"].to_list() == pytest.approx(told["weight"].to_list(), rel=1e-8)
    by_number = pl.DataFrame({"visits": [0, 0, 1], "weeks": [1.5, 2.5, 3.5]})
    assert calibrate(by_number, {"visits": {0: 6, "1": 4}})["weight"].to_list() == pytest.approx([3, 3, 4])


def silent_frame():
    return pl.DataFrame({"city": ["甲"] * 2 + ["乙"] * 2, "model": ["纯电", "混动"] * 2})


SILENT = pl.DataFrame({"city": ["甲", "乙", "丙"] * 2, "model": ["纯电"] * 3 + ["混动"] * 3, "count": [30, 20, 10, 20, 10, 10]})


def test_a_silent_level_is_an_error_with_its_people():
    with pytest.raises(WeightingError, match=r"「city」的「丙」20 位客户（20.0%）.*on_silent=.collapse"):
        calibrate(silent_frame(), SILENT)
    with pytest.raises(WeightingError, match=r"「city × model」的「丙 × 混动」10 位"):
        poststratify(silent_frame(), SILENT)


def test_a_silent_level_is_collapsed_or_left_out_and_that_is_said():
    collapsed = calibrate(silent_frame(), SILENT, on_silent="collapse")
    assert people(collapsed, "city") == pytest.approx({"甲": 70, "乙": 30}) and collapsed["weight_note"][0] == "city=丙 没有人说话，20 位客户并入「甲」"
    left_out = calibrate(silent_frame(), SILENT, on_silent="exclude")
    assert people(left_out, "city") == pytest.approx({"甲": 50, "乙": 30}) and people(left_out, "model") == pytest.approx({"纯电": 50, "混动": 30})
    assert "不代表没有人说话的 city=丙：20 位客户" in left_out["weight_note"][0]
    shrunk = calibrate(silent_frame(), {"city": {"甲": 50, "乙": 30, "丙": 20}, "model": {"纯电": 60, "混动": 40}}, on_silent="exclude")
    assert people(shrunk, "model") == pytest.approx({"纯电": 48, "混动": 32}) and "按比例缩小" in shrunk["weight_note"][0]
    assert people(poststratify(silent_frame(), SILENT, on_silent="exclude"), "city") == pytest.approx({"甲": 50, "乙": 30})


def test_an_empty_level_may_be_a_level_of_its_own_if_the_margin_knows_it():
    frame = pl.DataFrame({"city": ["甲", None, "乙"]})
    with pytest.raises(WeightingError, match="city 1 行.*missing=.level"):
        calibrate(frame, {"city": {"甲": 6, "乙": 4}}, missing="level")
    found = calibrate(frame, {"city": {"甲": 6, "乙": 4, "未知": 5}}, missing="level")
    assert found["weight"].to_list() == pytest.approx([6, 5, 4]) and found["city"].to_list() == ["甲", None, "乙"]


def test_negative_weights_of_linear_are_said():
    # 18 of 20 are in 甲, nearly all customers are in 乙 and drive 混动, which only 甲 does here: a straight line goes below 0
    frame = pl.DataFrame({"city": ["甲"] * 18 + ["乙"] * 4, "model": ["纯电"] * 12 + ["混动"] * 6 + ["纯电"] * 2 + ["混动"] * 2})
    found = calibrate(frame, {"city": {"甲": 10, "乙": 90}, "model": {"纯电": 95, "混动": 5}}, "linear")
    assert found["weight"].min() < 0 and "权重是负数" in found["weight_note"][0]
    assert calibrate(frame, {"city": {"甲": 10, "乙": 90}, "model": {"纯电": 95, "混动": 5}})["weight"].min() > 0


ONE_EMPTY = speakers().with_columns(pl.when(pl.col("customer_id") > 2).then(pl.col("city")).alias("city"))
NAN = speakers().with_columns(pl.when(pl.col("customer_id") > 0).then(pl.col("age")).otherwise(float("nan")).alias("age"))


@pytest.mark.parametrize(("frame", "margins", "more", "said"), [
    (ONE_EMPTY, LEVELS, {}, "空值：city 3 行"),
    (NAN, LEVELS | {"age": 41_000}, {}, "空值：age 1 行"),
    (speakers(), {"city": CITY, "age": {40: 1000}}, {}, "样本里有边际没有（或人数为 0）的层"),
    (speakers(), {"city": {"北京": 1000}}, {}, r"city=上海 \d+ 行.*边际里的层——city：北京"),
    (speakers(), {"city": {"北京": 1000, "上海": 0}}, {}, "人数为 0）的层：city=上海"),
    (speakers(), {"city": CITY, "model": {"纯电": 700, "混动": 301}}, {}, "各边际的总人数不一致：city 1,000，model 1,001"),
    (speakers(), {"age": 41_000}, {}, "没有一个分层的边际"),
    (speakers(), {"city": {"北京": "多", "上海": 1}}, {}, "边际「city」的「北京」应是一个数，现在是「多」"),
    (speakers(), {"city": {"北京": float("nan"), "上海": 1}}, {}, "有限的数"),
    (speakers(), {"city": {"北京": -5, "上海": 100}}, {}, "不能是负数"),
    (speakers(), {"city": {}}, {}, "至少有一层"),
    (speakers(), {"city": {1: 5, "1": 6}}, {}, "层名不重复"),
    (speakers(), {"town": CITY}, {}, "没有列：town；现有：customer_id、city"),
    (speakers(), "city", {}, "margins 应写成"),
    (speakers(), {"city": CITY, "weight": {"1": 1000}}, {}, "不能叫「weight」"),
    (speakers(), pl.DataFrame({"city": ["北京", "上海"], "count": ["六百", "四百"]}), {}, "count 应是人数，现在是String"),
    (speakers(), {"city": CITY | {f"城{at}": 10 for at in range(40)}}, {}, "「城5」10 位客户（0.7%）……共 40 个"),
    (speakers(), pl.DataFrame({"city": ["北京", None], "count": [6, 4]}), {}, "总体的表里有空值：city 1 行"),
    (speakers(), pl.DataFrame({"age": [41.0]}), {}, "总体的表里没有分层的列"),
    (speakers().clear(), LEVELS, {}, "没有人说话"),
    (speakers(), {"city": {"北京": 40, "上海": 20}}, {}, "人人都说了话"),
    (speakers(), {"city": {"北京": 0.6, "上海": 0.4}}, {}, "请改成人数"),
    (speakers().with_columns(pl.lit(0.0).alias("base")), LEVELS, {"base_weight": "base"}, "60 行不是大于 0 的数"),
    (speakers(), LEVELS, {"base_weight": "city"}, "应是数"),
    (speakers(), LEVELS, {"method": "ipf"}, "没有加权方法「ipf」"),
    (speakers(), LEVELS, {"method": "logit"}, "logit 要写上下限"),
    (speakers(), LEVELS, {"on_silent": "drop"}, "on_silent 没有「drop」"),
    (speakers(), LEVELS, {"missing": "drop"}, "missing 没有「drop」"),
    (speakers(), LEVELS, {"max_weight_ratio": 1.0}, "没有余地"),
    (speakers(), LEVELS, {"max_weight_ratio": 3, "method": "linear"}, "请只写一个"),
    (speakers(), {"city": {"北京": 990, "上海": 10}}, {"max_weight_ratio": 1.2}, r"差得最多的是「city=北京|差得最多的是「city=上海"),
    (speakers(), LEVELS | {"age": 200_000}, {}, "差得最多的是「age」，应为 200,000"),
])
def test_bad_input_is_said(frame, margins, more, said):
    with pytest.raises(WeightingError, match=said) as told:
        calibrate(frame, margins, **more)
    assert isinstance(told.value, Told) and isinstance(told.value, ValueError) and str(told.value).endswith("。")


@pytest.mark.parametrize(("cells", "more", "said"), [
    (pl.DataFrame({"city": ["北京", "上海"], "age": [1.0, 2.0], "count": [600, 400]}), {}, "「age」是小数"),
    (pl.DataFrame({"city": ["北京", "上海"], "count": [600, 400]}), {"on_silent": "collapse"}, "不自动合并格子"),
    (pl.DataFrame({"city": ["北京", "广州"], "count": [600, 400]}), {}, "city=上海"),
    (CITY, {}, "要一张总体的表")])
def test_bad_cells_are_said(cells, more, said):
    with pytest.raises(WeightingError, match=said):
        poststratify(speakers(), cells, **more)
