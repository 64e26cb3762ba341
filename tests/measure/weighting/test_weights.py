"""Weights: margins are met, what does not matter changes nothing, and every bad input is said with what was found and what to do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import voc_lib as voc
from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.spoken import UnevenWeights
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


def test_a_silent_level_is_extrapolated_from_the_others():
    found = calibrate(silent_frame(), SILENT, on_silent="extrapolate")
    # 20 customers of 丙 are shared out as the other 80 are, 50 to 30; the models keep all their people
    assert people(found, "city") == pytest.approx({"甲": 62.5, "乙": 37.5}) and people(found, "model") == pytest.approx({"纯电": 60, "混动": 40})
    assert found["weight_note"][0] == "city=丙 没有人说话，20 位客户由其余各层按比例外推"


def test_cbps_balances_the_margins_with_the_inverse_of_a_logit():
    found = calibrate(speakers(), LEVELS, "cbps")
    assert people(found, "city") == pytest.approx(CITY, rel=1e-9) and people(found, "model") == pytest.approx(PLAN, rel=1e-9)
    odds = found.group_by("city", "model").agg((pl.col("weight") - 1).log().first().alias("odds")).pivot(on="model", index="city", values="odds").sort("city")
    # a logit of main effects: the difference of the log odds between models is the same in both cities
    assert (odds["纯电"] - odds["混动"]).to_list() == pytest.approx([(odds["纯电"] - odds["混动"])[0]] * 2)
    assert found["base_weight"].to_list() == pytest.approx((found["weight"] - 1).to_list())
    one = calibrate(speakers(), {"city": CITY}, "cbps")["weight"].to_list()
    assert one == pytest.approx(calibrate(speakers(), {"city": CITY})["weight"].to_list())  # one margin leaves no choice


def test_a_population_known_by_totals_only():
    frame = pl.DataFrame({"age": [30.0, 40.0, 50.0]})
    found = calibrate(frame, pl.DataFrame({"age": [35.0, 45.0], "count": [60, 40]}), "linear")
    assert found["weight"].sum() == pytest.approx(100) and (found["weight"] * frame["age"]).sum() == pytest.approx(60 * 35 + 40 * 45)


def test_who_all_spoke_stand_for_themselves():
    frame = pl.DataFrame({"city": ["甲", "甲", "乙"], "score": [1, 2, 6]})
    found = calibrate(frame, {"city": {"甲": 2, "乙": 1}})
    assert found["weight"].to_list() == [1, 1, 1] and "人人都说了话" in found["weight_note"][0]
    assert weighted_mean(found, "score")["estimate"].item() == 3
    assert poststratify(frame, pl.DataFrame({"city": ["甲", "乙"], "count": [2, 1]}))["weight"].to_list() == [1, 1, 1]


def test_few_who_carry_nearly_all_are_named():
    frame = pl.DataFrame({"city": ["甲"] * 99 + ["乙"]})
    with pytest.warns(UnevenWeights, match=r"设计效应 25\.\d，最大为平均的 50 倍，不给单一的数.*city=乙（1 人，各代表 500 人）"):
        found = calibrate(frame, {"city": {"甲": 500, "乙": 500}})
    assert "只给区间" in found["weight_note"][0]
    with pytest.warns(UnevenWeights, match=r"设计效应 [67]\.\d"):
        calibrate(frame, {"city": {"甲": 750, "乙": 250}})


def test_an_empty_level_may_be_a_level_of_its_own_if_the_margin_knows_it():
    frame = pl.DataFrame({"city": ["甲", None, "乙"]})
    with pytest.raises(WeightingError, match="city 1 行.*missing=.level"):
        calibrate(frame, {"city": {"甲": 6, "乙": 4}}, missing="level")
    found = calibrate(frame, {"city": {"甲": 6, "乙": 4, "未知": 5}}, missing="level")
    assert found["weight"].to_list() == pytest.approx([6, 5, 4]) and found["city"].to_list() == ["甲", None, "乙"]


def test_margins_that_cannot_be_met_name_the_cells_that_are_lacking():
    # who spoke in 甲 drives 纯电 and who spoke in 乙 drives 混动, so the two margins cannot differ: 30 customers of 甲 with 混动 have nobody
    frame = pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "model": ["纯电", "纯电", "混动", "混动"]})
    everyone = pl.DataFrame({"city": ["甲", "甲", "乙"], "model": ["纯电", "混动", "混动"], "count": [30, 30, 40]})
    with pytest.raises(WeightingError, match=r"差得最多的是「(city|model)=.*说话的人却太少或没有的格：city=甲、model=混动。没有给出权重"):
        calibrate(frame, everyone)
    # all who drive 混动 are in 甲, and there should be more of them than there are people in 甲: the others of 甲 may weigh no less than 0
    frame = pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "model": ["纯电", "混动", "纯电", "纯电"]})
    with pytest.raises(WeightingError, match="还是太多的格：.*city=甲、model=纯电"):
        calibrate(frame, {"city": {"甲": 40, "乙": 60}, "model": {"纯电": 50, "混动": 50}})


def test_negative_weights_of_linear_are_said():
    # 18 of 20 are in 甲, nearly all customers are in 乙 and drive 混动, which only 甲 does here: a straight line goes below 0
    frame = pl.DataFrame({"city": ["甲"] * 18 + ["乙"] * 4, "model": ["纯电"] * 12 + ["混动"] * 6 + ["纯电"] * 2 + ["混动"] * 2})
    margins = {"city": {"甲": 300, "乙": 700}, "model": {"纯电": 960, "混动": 40}}
    found = calibrate(frame, margins, "linear")
    assert found["weight"].min() < 0 and "权重是负数" in found["weight_note"][0]
    with pytest.warns(UnevenWeights):
        assert calibrate(frame, margins)["weight"].min() > 0


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
    (speakers(), pl.DataFrame({"count": [1000]}), {}, "没有可以加权的列"),
    (speakers(), pl.DataFrame({"city": ["北京", "上海"], "count": [600, -400]}), {}, "不小于 0 的有限的数"),
    (pl.concat([speakers(), speakers().head(2)]), LEVELS, {}, "customer_id 有重复：2 位客户占了 4 行.*合成一条"),
    (speakers(), pl.DataFrame({"customer_id": [*range(1, 100)], "city": ["北京", "上海", "上海"] * 33}), {}, "1 位说话的人不在总体里，例如 0"),
    (speakers(), pl.DataFrame({"customer_id": [1] * 99, "city": ["北京", "上海", "上海"] * 33}), {}, "99 行里有 1 个不同的编号"),
    (speakers(), LEVELS, {"method": "cbps", "bounds": (0.5, 2)}, "cbps 没有上下限"),
    (speakers(), LEVELS, {"method": "cbps", "max_weight_ratio": 3}, "请只写一个"),
    (speakers().clear(), LEVELS, {}, "没有人说话"),
    (speakers(), {"city": {"北京": 40, "上海": 21}}, {}, r"比总体还多：city=上海 说话的 \d+ 人，总体 21 人.*同一批客户"),
    (speakers(), {"city": {"北京": 0.6, "上海": 0.4}}, {}, "请改成人数"),
    (speakers().with_columns(pl.lit(0.0).alias("base")), LEVELS, {"base_weight": "base"}, "60 行不是大于 0 的数"),
    (speakers(), LEVELS, {"base_weight": "city"}, "应是数"),
    (speakers(), LEVELS, {"method": "ipf"}, "没有加权方法「ipf」"),
    (speakers(), LEVELS, {"method": "logit"}, "logit 要写上下限"),
    (speakers(), LEVELS, {"on_silent": "drop"}, "on_silent 没有「drop」"),
    (speakers(), LEVELS, {"missing": "drop"}, "missing 没有「drop」"),
    (speakers(), LEVELS, {"max_weight_ratio": 1.0}, "没有余地"),
    (speakers(), LEVELS, {"max_weight_ratio": 3, "method": "linear"}, "请只写一个"),
    (speakers(), {"city": {"北京": 9900, "上海": 100}}, {"max_weight_ratio": 1.2}, r"差得最多的是「city=北京|差得最多的是「city=上海"),
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
