import polars as pl
import pytest

from voc_lib.report.blocks import card
from voc_lib.report.sentences import say_change, say_coverage, say_mover, say_movers, say_silence, say_undated
from voc_lib.report.week import count_moved
from voc_lib.report.words import change_tone


def test_a_share_changes_in_points_with_its_interval(comparison):
    assert str(say_change(comparison())) == "低分占比 23.5%，比上周高 3.1 个百分点（95% 区间 1.0～5.2）。"


def test_a_fall_tells_the_interval_of_the_fall(comparison):
    fallen = comparison(difference=-0.031, conf_low=-0.052, conf_high=-0.01, verdict="fall")
    assert str(say_change(fallen)) == "低分占比 23.5%，比上周低 3.1 个百分点（95% 区间 1.0～5.2）。"


@pytest.mark.parametrize("changed, said", [
    ({"verdict": "within_error"}, "低分占比 23.5%，与上周持平（在误差范围内）。"),
    ({"verdict": "too_small"}, "低分占比 23.5%，比上周高 3.1 个百分点，差别太小，不足为据。"),
    ({"verdict": "suppressed", "estimate": None}, "低分占比：人数不足10人，不单列。"),
    ({"baseline": None, "difference": None}, "低分占比 23.5%，上周没有可比的数字。")])
def test_what_is_no_finding_is_not_told_as_one(comparison, changed, said):
    assert str(say_change(comparison(**changed))) == said


@pytest.mark.parametrize("now, before, said", [
    (644, 520, "比上周多 124 人（环比 +24%）"), (400, 520, "比上周少 120 人（环比 −23%）"), (644, 120, "比上周多 524 人（为其 5.4 倍）"),
    (15, 0, "比上周多 15 人。"), (15, 3, "比上周多 12 人。"), (23_000, 20_000, "比上周多 3,000 人（环比 +15%）"), (0, 40, "比上周少 40 人（环比 −100%）")])
def test_counts_change_in_people_and_in_per_cent_only_where_the_base_carries_it(comparison, now, before, said):
    row = comparison(metric="people", estimate=float(now), baseline=float(before), difference=float(now - before),
                     verdict="rise" if now > before else "fall")
    assert said in str(say_change(row))


def test_a_score_changes_in_its_own_unit(comparison):
    row = comparison(metric="mean_rating", estimate=3.42, baseline=3.63, difference=-0.21, verdict="fall")
    assert str(say_change(row)) == "平均评分 3.42 分，比上周低 0.21 分。"


def test_what_is_not_compared_says_why(comparison):
    uneven = comparison(metric="people", estimate=644.0, baseline=447.0, difference=None, verdict="suppressed", note="本期4天有数据，上一期3天")
    assert str(say_change(uneven)) == "发声人数 644 人；与上周不比较：本期4天有数据，上一期3天。"
    unasked = comparison(estimate=None, baseline=None, difference=None, verdict="suppressed", note="两期都没有可用的回答")
    assert str(say_change(unasked)) == "低分占比：两期都没有可用的回答。"
    assert card("低分占比", unasked)["text"] == "—" and card("听到的人", uneven)["text"] == "644"


def test_a_sentence_is_about_one_row(comparison):
    with pytest.raises(ValueError, match="2 行"):
        say_change(pl.concat([comparison(), comparison()]))


def test_an_alarm_is_called_suspected(mover):
    assert str(say_mover(mover(unusual="above"))) == "占发声者 3.3%，疑似异常：高于正常波动 2～9 人；与上周相比上升。"
    quiet = mover(unusual="above", verdict="within_error")
    assert str(say_mover(quiet)) == "占发声者 3.3%，疑似异常：高于正常波动 2～9 人；与上周相比在误差范围内。"
    assert "低于正常波动" in str(say_mover(mover(unusual="below", verdict="fall", people=1.0)))


@pytest.mark.parametrize("changed, said", [
    ({}, "高于正常波动 2～9 人。"), ({"people": 8.0}, "仍在正常波动 2～9 人之内"), ({"verdict": "fall", "people": 1.0}, "低于正常波动 2～9 人"),
    ({"verdict": "within_error", "people": 7.0}, "与上周相比在误差范围内；正常波动 2～9 人。"),
    ({"verdict": "too_small", "people": 7.0}, "变化太小，不足为据；"),
    ({"people_baseline": 0.0, "people": 8.0}, "上周无人提到"), ({"band_low": None, "band_high": None}, "没有正常波动可比"),
    ({"verdict": "suppressed"}, "两期都不足10人，不比较"), ({"share": None, "unusual": "above"}, "疑似异常")])
def test_movers_in_words(mover, changed, said):
    assert said in str(say_mover(mover(**changed)))


def test_what_is_not_unusual_is_not_suspected(mover):
    assert "疑似" not in str(say_mover(mover())) + str(say_movers(pl.DataFrame([mover()])))


def test_the_lead_names_the_first_that_moved(mover):
    movers = pl.DataFrame([mover(verdict="within_error", code="a-b-c", unusual=None), mover(unusual="above"), mover(verdict="fall", unusual=None)])
    assert str(say_movers(movers)) == "变化最大的是操控系统·方向盘抖动，21 人提到，上周不足10人，正常 2～9 人，疑似异常；另有 1 项超出误差或常态。"
    assert count_moved(movers) == 2


def test_a_baseline_further_back_is_called_by_its_week(mover):
    back = mover(period="2020-W24", baseline_period="2020-W21", people_baseline=16.0)
    assert "第21周 16 人" in str(say_movers(pl.DataFrame([back])))
    assert "上周 16 人" in str(say_movers(pl.DataFrame([back | {"baseline_period": "2020-W23"}])))


def test_the_lead_when_nothing_moved_or_nothing_is_there(mover):
    assert str(say_movers(pl.DataFrame([mover(verdict="within_error", people=7.0)]))) == "没有一个问题的变化超出误差范围。"
    assert "没有可以比较的问题" in str(say_movers(pl.DataFrame([mover()]).clear()))


def test_fewer_than_ten_are_never_counted_out(mover):
    few = mover(people=3.0, people_baseline=14.0, verdict="fall", unusual="below", series=[14.0] * 11 + [3.0])
    words = str(say_mover(few)) + str(say_movers(pl.DataFrame([few])))
    assert "3 人" not in words.replace("14 人", "") and "不足10人提到" in words and "占发声者" not in words


def test_a_plain_mention_is_neither_better_nor_worse():
    assert [change_tone("code_share", "above", code) for code in ("空调-运转-异响", "手机-屏幕-评价")] == ["worse", "strong"]
    assert [change_tone("code_share", verdict, "空调-运转-异响") for verdict in ("fall", "below", "within_error")] == ["better", "better", "flat"]


def _feedback(**columns):
    usual = {"channel": ["b", "a"], "author_key": ["k", None], "customer_id": [None, None], "person": ["k", "f2"], "solicited": [False, None]}
    return pl.DataFrame(usual | columns, schema_overrides={"customer_id": pl.String, "author_key": pl.String})


def test_coverage_counts_by_hand():
    assert str(say_coverage(_feedback(), {"a": "投诉网站", "b": "网店"})) == (
        "依据 2 条反馈、2 人，来自投诉网站、网店。其中 50% 没有作者标识，按条计人。没有一条能关联到客户。")
    assert "50% 可关联到客户" in str(say_coverage(_feedback(customer_id=["c1", None])))
    assert str(say_coverage(_feedback().clear())) == "本期没有反馈。"


def test_undated_feedback_is_named_and_kept_out():
    undated = pl.DataFrame({"channel": ["b", "a", "c"], "n": [8_290, 2, 0]})
    assert str(say_undated(undated, {"b": "汽车论坛"})) == "另有 8,292 条反馈没有日期（a、汽车论坛），只用来发现主题，不进入任何一周的数字。"
    assert str(say_undated(undated.clear())) == str(say_undated(undated.tail(1))) == "所有反馈都有日期。"


def test_who_is_silent():
    said = str(say_silence(_feedback()))
    assert "100% 的反馈是主动发声" in said and "无法校正" in said and "不是客户中的比例" in said
    assert "折算到全体" in str(say_silence(_feedback(customer_id=["c1", None]))) and "不等于没有问题" in str(say_silence(_feedback().clear()))
