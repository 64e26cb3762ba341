"""Cases one can put together by hand, the laws they keep, and the planted stories."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.analyses.journeys import STEPS, case_steps, cases, posts_cases_people

def together(feedback: pl.DataFrame, levels, **options) -> list[str]:
    """The feedback of each case, in order, the cases by their beginning."""
    steps = case_steps(feedback, levels, **options).sort("case_id", "step")
    return sorted("".join(part["feedback_id"]).replace("f", "") for _, part in steps.group_by("case_id", maintain_order=True))


@pytest.mark.parametrize(("lines", "expected"), [
    (("a 0 forum 充电-速度-慢", "a 40 forum 充电-速度-忽快忽慢"), ["01"]),
    (("a 0 forum 充电-速度-慢", "a 46 forum 充电-速度-慢"), ["0", "1"]),
    (("a 0 forum 充电-速度-慢", "a 45 forum 充电-速度-慢", "a 90 forum 充电-速度-慢"), ["012"]),
    (("a 0 forum 充电-速度-慢", "b 1 forum 充电-速度-慢"), ["0", "1"]),
    (("a 0 forum 充电-速度-慢", "a 1 forum 充电-家桩-安装"), ["0", "1"]),
    (("a 0 forum 充电-速度-慢", "a 1 hotline 充电-家桩-安装"), ["01"]),
    (("a 0 hotline 充电-速度-慢", "a 1 forum 充电-家桩-安装"), ["0", "1"]),
    (("a 0 forum 充电-速度-慢", "a 1 hotline 空调-出风-异味"), ["0", "1"]),
    (("a 0 survey 充电-速度-慢", "a 1 hotline 充电-家桩-安装"), ["0", "1"]),
    (("a 0 forum 充电-速度-慢,空调-出风-异味", "a 1 forum 空调-出风-异味", "a 2 forum 充电-速度-慢"), ["01", "2"]),
    (("a 0 forum 充电-速度-慢,售后-服务-差", "a 1 forum 空调-出风-异味,售后-服务-差"), ["0", "1"]),
    (("a 0 forum 售后-服务-差", "a 1 forum 售后-服务-慢"), ["01"]),
    (("a 0 forum 充电-速度-慢", "a 1 forum -", "- 2 forum 充电-速度-慢", "a - forum 充电-速度-慢"), ["0"]),
    (("a 0 forum 车机-语音-慢", "a 1 forum 车机-导航-错", "a 2 forum 车机-导航-慢", "a 3 hotline 车机-导航-慢"), ["0", "123"])],
    ids=["same part", "another time", "each within the window of the last", "somebody else", "another part", "up a level", "down a level", "another system", "from a channel without a level",
         "two things do not tie two matters", "how it was handled ties nothing", "but is a matter where nothing else is named", "nothing to go by", "the nearest of two"])
def test_cases_by_hand(lines, expected, said, levels):
    assert together(said(*lines), levels) == expected


def test_how_far_codes_have_to_agree_is_a_choice(said, levels):
    lines = ("a 0 forum 充电-速度-慢", "a 1 hotline 充电-家桩-安装", "a 2 hotline 充电-家桩-漏电")
    assert together(said(*lines), levels, climbing=2) == ["0", "12"] and together(said(*lines), levels, agree=3, climbing=3) == ["0", "1", "2"]
    assert together(said(*lines), levels, window=0) == ["0", "1", "2"]


def test_what_a_case_tells(said, levels, story):
    steps = case_steps(said(*story), levels)
    assert steps.schema == STEPS and steps["feedback_id"].is_unique().all()
    first = cases(steps, date(2026, 2, 1)).row(0, named=True)
    assert (first["code"], first["system"], first["days"], first["posts"], first["steps"], first["channels"]) == ("充电-速度-慢", "充电", 20, 4, 3, ["forum", "hotline", "workshop"])
    assert (first["started"], first["reached"], first["open"]) == (0, 2, True) and not cases(steps, date(2026, 6, 1))["open"].any()
    assert case_steps(said(*story), levels, about="空调")["feedback_id"].to_list() == ["f5"] and case_steps(said(*story), levels, about="空").is_empty()


def test_nothing_is_nothing(said, levels):
    for empty in (said(), said("- 0 forum 充电-速度-慢")):
        steps = case_steps(empty, levels)
        assert steps.is_empty() and steps.schema == STEPS and cases(steps).is_empty() and posts_cases_people(steps, feedback=empty).is_empty()


@pytest.fixture(scope="module")
def crowd(said):
    rng = np.random.default_rng(5)
    codes = [f"{system}-{part}-{what}" for system in ("充电", "空调", "售后") for part in "甲乙" for what in "子丑"]
    return said(*(f"p{rng.integers(40)} {rng.integers(200)} {rng.choice(['forum', 'hotline', 'workshop', 'survey'])} {','.join(rng.choice(codes, rng.integers(1, 3), replace=False))}" for _ in range(600)))


def test_the_order_of_rows_changes_nothing(crowd, levels):
    steps = case_steps(crowd, levels)
    assert case_steps(crowd.sample(fraction=1, shuffle=True, seed=3), levels).equals(steps) and case_steps(crowd.reverse(), levels).equals(steps)


def test_nobody_is_in_a_case_of_somebody_else_and_no_feedback_in_two(crowd, levels):
    steps = case_steps(crowd, levels)
    whose = steps.join(crowd.select("feedback_id", pl.col("person_id").alias("own")), on="feedback_id")
    assert (whose["person_id"] == whose["own"]).all() and steps.group_by("case_id").agg(pl.col("person_id").n_unique())["person_id"].max() == 1
    assert steps["feedback_id"].is_unique().all() and steps.height == crowd.height
    alone = case_steps(crowd.filter(pl.col("person_id") == "p7"), levels)
    assert alone.equals(steps.filter(pl.col("person_id") == "p7"))


def test_a_case_of_a_day_does_not_depend_on_later_days(crowd, levels):
    then = date(2026, 4, 1)
    known = case_steps(crowd.filter(pl.col("local_date") <= then), levels).select("case_id", "feedback_id", "step")
    assert known.equals(case_steps(crowd, levels).filter(pl.col("at") <= then).select("case_id", "feedback_id", "step"))


def test_voices_of_a_case_are_never_further_apart_than_the_window(crowd, levels):
    gaps = case_steps(crowd, levels, window=20).sort("case_id", "step").select((pl.col("at") - pl.col("at").shift(1)).dt.total_days().over("case_id"))
    assert gaps["at"].max() <= 20 and gaps["at"].min() >= 0


def test_posts_cases_and_people_are_counted_apart(said, levels):
    """Ten people with one case each, one of them posting thirty times, and one more case of his a year later."""
    lines = [f"p{at} {at} forum 充电-速度-慢" for at in range(10)] + [f"p0 {10 + at} forum 充电-速度-慢" for at in range(29)] + ["p0 300 hotline 充电-速度-慢", "z 0 forum 空调-出风-异味", "- 0 forum 充电-速度-慢"]
    feedback = said(*lines)
    counted = posts_cases_people(case_steps(feedback, levels), feedback=feedback)
    assert counted.row(0, named=True) == {"code": "充电-速度-慢", "posts": 40, "cases": 11, "people": 10, "climbed": 0, "heard": 41}
    assert counted.row(1)[1:] == (None,) * 5
    up = said(*lines, "p3 20 hotline 充电-速度-慢")
    assert posts_cases_people(case_steps(up, levels)).row(0, named=True)["climbed"] is None    # one person's case: not to be read off


def test_the_planted_stories_come_together_and_the_look_alikes_do_not(small_world, monkeypatch):
    """Forty stories of one person each over three channels, three of three people each; persons as they are once their accounts are linked."""
    monkeypatch.setenv("VOC_HOME", str(small_world))
    from voc_lib.measure.feedback import feedback
    from voc_lib.measure.levels import journey_levels
    from voc_lib.store import open_store

    truth = json.loads((small_world / "data" / "raw" / "sample" / "_truth" / "escalations.json").read_text("utf-8"))
    planted = pl.DataFrame([{name: row[name] for name in ("channel", "source_id", "customer_id", "part")} for row in truth["feedback"]])
    lake = open_store("sample")
    told = feedback(lake).join(planted.rename({"customer_id": "true"}), on=["channel", "source_id"], how="inner").with_columns(pl.col("true").alias("person_id"))
    steps = case_steps(told, journey_levels(lake)).join(told.select("feedback_id", "part"), on="feedback_id")
    largest = steps.filter(pl.col("part").str.starts_with("trail")).group_by("part", "case_id").len().group_by("part").agg(pl.col("len").max())
    found = (largest["len"] == 3).sum()
    assert told.height == 129 and found >= 0.45 * truth["escalations"] and (largest["len"] >= 2).sum() >= 0.7 * truth["escalations"]
    assert steps.filter(pl.col("part").str.starts_with("lookalike")).group_by("case_id").len()["len"].max() == 1
