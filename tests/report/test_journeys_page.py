"""客户旅程 and 一位客户: the sentences, what is withheld, what is never shown alone, strangers' names made harmless."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from voc_lib.measure.analyses.customer import OWED, TIMELINE, Customer
from voc_lib.measure.analyses.effort import PASSED_ON, REPEATED, WAIT
from voc_lib.measure.analyses.emotion import CURVE, TURNS
from voc_lib.measure.analyses.escalations import STAYS, TIMES, TO_NOWHERE
from voc_lib.measure.analyses.journeys import CASES, STEPS
from voc_lib.measure.analyses.risk import CALIBRATION, LISTED, Risk
from voc_lib.measure.levels import Levels
from voc_lib.report.customer import cards_customer, say_customer, table_cases, table_facts, table_owed, table_timeline
from voc_lib.report.effort import say_effort, table_case_effort, table_effort
from voc_lib.report.journeys import (chart_climbed, chart_escalations, count_climbed, say_cases, say_climbs, say_posts_cases_people, table_posts_cases_people, table_times, table_top_cases,
                                     table_transitions)
from voc_lib.report.markup import block_html
from voc_lib.report.moods import chart_moods, say_turns
from voc_lib.report.risk import say_risk, table_calibration, table_risk

LEVELS = Levels(("公开说", "找公司", "修"), {"forum": 0, "hotline": 1, "workshop": 2}, ("进店",), 7)
HOSTILE = "<img src=x onerror=alert(1)>"
TITLES = {"forum": HOSTILE, "hotline": "热线", "workshop": "工单"}


def rows(schema, *given):
    return pl.DataFrame([dict.fromkeys(schema) | one for one in given], schema=schema)


def texts(block):
    return [[cell["text"] for cell in row] for row in block.description["rows"]]


def many(count=12, **changed):
    usual = {"code": "充电-速度-慢", "system": "充电", "first_at": date(2026, 9, 1), "last_at": date(2026, 9, 8), "days": 7, "posts": 2, "steps": 2, "channels": ["forum", "hotline"], "started": 0, "reached": 1, "open": True}
    return rows(CASES, *({"case_id": f"c{at}", "person_id": f"{at:02d}{'k' * 30}"} | usual | changed for at in range(count)))


def test_posts_matters_and_people_are_told_apart():
    feedback = pl.DataFrame({"person_id": ["a"] * 30 + [None] * 70})
    assert str(say_cases(feedback, many())).startswith("100 条反馈里，30 条认得出是谁；其中 24 条归成 12 件事，属于 12 人。")
    assert "没有旅程可看" in str(say_cases(feedback, many(0)))
    counted = pl.DataFrame({"code": ["充电-速度-慢", "空调-出风-异味", "甲-乙-丙"], "posts": [300, 20, None], "cases": [40, 20, None], "people": [35, 20, None], "climbed": [0, None, None], "heard": [400, 21, None]})
    assert str(say_posts_cases_people(counted)) == "条数和人数差得最多的是充电·速度慢：300 条反馈 ＝ 40 件事 ＝ 35 人。"
    table = table_posts_cases_people(counted)
    assert texts(table) == [["充电·速度慢", "400", "300", "40", "35", "0"], ["空调·出风异味", "21", "20", "20", "20", "不足10人"]] and table.description["note"] == "另有 1 个问题不足10人，不列。"


TIME = {"level": 0, "title": "公开说", "people": 130, "cases": 300, "climbed": 16, "share": 0.05, "share_low": 0.03, "share_high": 0.09, "median": 7.0, "median_low": 3.0, "median_high": 9.0}


def test_escalations_are_told_with_their_intervals_and_the_few_withheld():
    times = rows(TIMES, TIME, {"level": 1, "title": "找公司"})
    assert str(say_climbs(many(), times)) == "12 件走到更高一级，12 人。公开说的事，30 天内 5%（3%～9%）走到更高一级。"
    assert str(say_climbs(many(9), times)) == "走到更高一级的不足10人。" and str(say_climbs(many(reached=0), times)) == "没有一件走到更高一级。"
    assert (count_climbed(many()), count_climbed(many(9)), count_climbed(many(reached=0))) == (12, None, 0)
    first, second = texts(table_times(times))
    assert first == ["公开说", "130", "300", "16", "5%", "7 天"] and second == ["找公司", *["不足10人"] * 5] and table_times(times).description["rows"][0][4]["small"] == "3%～9%"


FLOWS = pl.DataFrame([("forum", "hotline", 0, 1, 12, 14), ("forum", "workshop", 0, 2, None, None), ("hotline", "workshop", 1, 2, 30, 30), ("workshop", TO_NOWHERE, 2, None, 40, 41)],
                     schema={"from": pl.String, "to": pl.String, "from_level": pl.Int64, "to_level": pl.Int64, "people": pl.Int64, "cases": pl.Int64}, orient="row")


def test_the_sankey_has_what_ten_people_went_and_names_nobody_s_markup():
    chart = chart_escalations(FLOWS, LEVELS, TITLES)
    trace = chart.figure["data"][0]
    assert trace["link"]["source"] == [0, 1] and trace["link"]["target"] == [1, 2] and trace["link"]["value"] == [12, 30]
    assert "<img" not in str(chart.figure) and chart.description["note"] == "另有 1 条路不足10人，没有画出。"
    assert chart_escalations(FLOWS.head(0), LEVELS).description["kind"] == "note"
    assert "<img" not in block_html(table_transitions(FLOWS, TITLES).description) and texts(table_transitions(FLOWS))[1] == ["forum", "workshop", "不足10人", "不足10人"]


def test_the_curve_begins_at_nothing_and_ends_at_the_share():
    held = rows(STAYS, *({"case_id": f"c{at}", "person_id": f"p{at}", "level": 0, "days": at + 1 if at < 6 else 45, "climbed": at < 6} for at in range(12)))
    line = next(trace for trace in chart_climbed(held, LEVELS).figure["data"] if trace["mode"] == "lines")
    assert (line["x"][0], line["y"][0], line["x"][-1]) == (0, 0, 45) and line["y"][-1] == pytest.approx(50)
    assert chart_climbed(held.head(9), LEVELS).description["kind"] == "note"


def test_the_longest_paths_show_steps_and_no_words():
    steps = rows(STEPS, *({"case_id": "c0", "step": at, "at": day, "channel": channel} for at, (day, channel) in enumerate([(date(2026, 9, 1), "forum"), (date(2026, 9, 8), "hotline"), (date(2026, 9, 8), "workshop")], 1)))
    block = table_top_cases(many(1), steps, LEVELS, {"forum": "论坛", "hotline": "热线", "workshop": "工单"})
    assert texts(block) == [["00kkkkkk", "充电·速度慢", "2026-09-01 论坛 → 7 天后 热线 → 当天 工单", "找公司", "7 天"]]


def test_turns_say_which_way_and_how_sure():
    curve = pl.DataFrame([(step, mood, mood - 0.1, mood + 0.1, 60) for step, mood in enumerate([0.1, 0.0, -0.5, -0.6, -0.5, 0.4], 1)], schema=CURVE, orient="row")
    turns = pl.DataFrame([(3, 0.05, -0.53, 1.0, 3, 3), (6, -0.53, 0.4, 0.6, 5, 6)], schema=TURNS, orient="row")
    walked = pl.DataFrame({"person_id": [f"p{at}" for at in range(60)]})
    told = str(say_turns(turns, walked))
    assert told.startswith("60 人的情绪第 3 步转坏（0.05 → −0.53；重抽 100% 仍在此处上下一步之内，位置很稳），第 6 步转好") and "第 5～6 步之间，不够稳，只作线索" in told
    assert "没有超出偶然的拐弯" in str(say_turns(turns.clear(), walked)) and "不足 6 次" in str(say_turns(None, walked.head(1)))
    chart = chart_moods(curve, turns)
    assert [shape["x0"] for shape in chart.figure["layout"]["shapes"]] == [2.5, 5.5] and chart_moods(curve.head(0), None).description["kind"] == "note"


def effort_rows(*given):
    return pl.DataFrame([{"metric": metric, "dealer": dealer, "estimate": value, "conf_low": low, "conf_high": high, "people": people} for metric, dealer, value, low, high, people in given],
                        schema={"metric": pl.String, "dealer": pl.String, "estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "people": pl.Int64}, orient="row")


def test_effort_is_told_by_unit_and_what_is_missing_is_named():
    found = effort_rows((WAIT.label, "甲店", 2.5, -0.1, 4.0, 20), (PASSED_ON.label, "甲店", 0.25, 0.1, 0.4, 20), (WAIT.label, HOSTILE, None, None, None, None), (PASSED_ON.label, HOSTILE, None, None, None, None))
    assert str(say_effort(found.head(2))) == "来电的人，平均等 2.5 分钟（0.0～4.0）；被转接过的占 25%（10%～40%）。导出里没有：同一件事再来电的人。"
    assert REPEATED.label in str(say_effort(found.head(1))) and "看不出客户费了多少力" in str(say_effort(found.head(0)))
    table = table_effort(found, "dealer")
    assert texts(table) == [["甲店", "20", "2.5 分钟", "25%"]] and table.description["note"] == "另有 1 组不足10人，不列。" and "<img" not in block_html(table.description)
    assert table_case_effort(pl.DataFrame(schema={"person_id": pl.String, "code": pl.String, "calls": pl.Int64, "minutes": pl.Float64, "transfers": pl.Int64})).description["note"] == "没有一件事要打第二次电话。"


def made_risk(verdict):
    figures = {"taught": 40, "events": 30, "skill": 0.1, "skill_low": 0.02 if verdict == "better" else -0.03, "skill_high": 0.2, "auc": 0.71}
    listed = rows(LISTED, {"case_id": "c", "person_id": "k" * 32, "code": "充电-速度-慢", "channel": "forum", "level": 0, "posts": 3, "last_at": date(2026, 11, 1), "bin": 5, "happened": 12, "n": 60, "share": 0.2,
                           "conf_low": 0.12, "conf_high": 0.32, "reasons": ["已说过 3 次"]})
    calibration = rows(CALIBRATION, {"bin": 5, "score_low": 0.2, "score_high": 0.6, "n": 60, "people": 50, "happened": 12, "expected": 0.4, "share": 0.2, "conf_low": 0.12, "conf_high": 0.32})
    return Risk("climb", verdict, listed, calibration, figures)


def test_nobody_gets_a_bare_score():
    block = table_risk(made_risk("better"), TITLES)
    assert texts(block)[0] == ["kkkkkkkk", "充电·速度慢", HOSTILE, "60 例中 12 例", "已说过 3 次"] and block.description["rows"][0][3]["small"] == "12%～32%" and "<img" not in block_html(block.description)
    assert texts(table_calibration(made_risk("better")))[0][-2:] == ["20%", "说高了"]


@pytest.mark.parametrize(("verdict", "begins", "under"), [("better", "走到更高一级：比平均好。", "一共 1 个"), ("no_better", "走到更高一级：不比平均好。", "不比平均好：排在前面不等于更危险。"), ("too_few", "走到更高一级的太少，不建模型", "")])
def test_the_verdict_comes_first(verdict, begins, under):
    assert str(say_risk(made_risk(verdict))).startswith(begins)
    block = table_risk(made_risk(verdict))
    assert block.description["kind"] == "note" if verdict == "too_few" else block.description["note"].startswith(under)


def one(**changed):
    timeline = rows(TIMELINE, {"at": date(2026, 9, 1), "kind": "说", "channel": "forum", "what": HOSTILE, "codes": ["充电-速度-慢"], "mood": -1.0, "case": 1, "reason": "author:car_forum<+phone", "confidence": 1.0, "feedback_id": "f"},
                    {"at": date(2026, 9, 3), "kind": "进店", "what": "某店"}, {"at": date(2026, 9, 4), "kind": "说", "channel": "hotline", "what": "好", "codes": [], "reason": "splink:w=9.2", "confidence": 0.93, "feedback_id": "g"})
    waiting = rows(OWED, {"case_id": "c0", "person_id": "k" * 32, "code": "充电-速度-慢", "channels": ["forum"], "last_at": date(2026, 9, 1), "posts": 1, "waited": 20, "overdue": 13})
    facts = {"product": "S5", "age": (30.0, 40.0), "spend": (2500.0, None), "valid_from": date(2026, 7, 1)}
    return Customer(**({"person_id": "k" * 32, "until": date(2026, 9, 21), "known": True, "timeline": timeline, "cases": many(1), "owed": waiting, "facts": facts} | changed))


def test_a_customer_is_told_by_what_waits_longest():
    assert str(say_customer(one(), LEVELS)) == "化名 kkkkkkkkkkkk，客户档案里的客户。等得最久的是充电·速度慢：9月1日说完，到现在 20 天没有下文，已超过 7 天的期限 13 天。"
    assert str(say_customer(one(owed=one().owed.clear(), known=False), LEVELS)) == "化名 kkkkkkkkkkkk，档案里没有的人。没有还欠着的事。"
    assert [item["value"] for item in cards_customer(one())] == [2, 1, 1] and texts(table_owed(one()))[0][-2:] == ["20 天", "13 天"]
    assert "没有还欠着的事" in table_owed(one(owed=one().owed.clear())).description["note"] and texts(table_cases(one(), LEVELS, {"forum": "论坛"}))[0][:3] == ["第 1 件", "充电·速度慢", "论坛 → hotline"]


def test_every_voice_says_why_it_is_taken_to_be_his():
    block = table_timeline(one(), TITLES)
    assert [row[5] for row in texts(block)] == ["论坛账号（登记过）、手机号", "会员号", "特征相似（概率方法，匹配权重 9.2）"] and block.description["rows"][2][5]["small"] == "把握 93%"
    assert [row[3] for row in texts(block)] == ["不满", "", "—"] and "<img" not in block_html(block.description)


def test_facts_are_coarse():
    assert texts(table_facts(one())) == [["产品", "S5"], ["年龄", "30 岁以上至 40 岁"], ["年消费", "2500 元以上"]] and table_facts(one(facts={})).description["kind"] == "note"
