"""沉默的大多数: sentences over their range, four columns that never mix linkage and silence, and charts that draw what the tables say."""

from __future__ import annotations

import itertools
import re

import polars as pl
import pytest

from voc_lib.measure.analyses.silence import KINDS
from voc_lib.measure.weighting.benchmarks import ROBUSTNESS
from voc_lib.measure.weighting.checks import COLUMNS, Checked
from voc_lib.measure.weighting.correct import Correction
from voc_lib.measure.weighting.diagnostics import BALANCE
from voc_lib.measure.weighting.smub import FIGURES
from voc_lib.report.checks import say_verdict
from voc_lib.report.silence import (
    cards_silence,
    chart_answer,
    chart_love,
    say_answer,
    say_overturn,
    say_posted,
    say_probe_needed,
    say_problems,
    say_robustness,
    say_silent_change,
    say_smub,
    say_who,
    say_who_speaks,
    table_answer,
    table_diagnostics,
    table_who,
)

PEOPLE = [0, 1, 9, 10, 1_234, 9_999, 3_000_000_000]
SHARES = [0.0, 1e-6, 0.0004, 0.05, 0.5, 0.9996, 1.0]
REFUSED = Correction("nps", "dealer_survey", "没有2025年1月6日或更早的客户档案，不知道那时有哪些客户。")


@pytest.fixture
def law(good):
    """The laws of a printed sentence and those of a page: it ends, names no group under ten by its size, has no column's own name."""
    def lawful(sentence):
        text = good(str(sentence))
        assert text.endswith("。") and not re.search(r"(?<![\d,.～])[1-9] [人位]", text) and not re.search(r"_band|touchpoint|None|nan", text), text
        return text
    return lawful


def leaning(*rows):
    return pl.DataFrame([{"kind": "level", "covariate": name, "level": level, "share": share, "before": before, "after": 0.0} for name, level, share, before in rows], schema=BALANCE)


def figures(customers=1_200, speakers=112, rate=0.093):
    return {"customers": float(customers), "speakers": speakers, "speak_rate": rate, "design_effect": 1.07, "effective_n": speakers / 1.07, "max_ratio": 1.7, "min_ratio": 0.5, "cells": 62, "silent_cells": 19, "silent_share": 0.12,
            "least_propensity": 0.06, "margin_error": 1e-16, "before": 0.17, "after": 0.0, "after_pairs": 0.2, "verdict": "figure"}


def answers(metric="nps", channel="dealer_survey", base="visits", code=None, **changed):
    """Four rows of `answer`; `changed`: kind -> columns."""
    rows = []
    for at, kind in enumerate(KINDS):
        row = {"metric": metric, "channel": channel, "base": base} | ({"code": code} if code else {}) | {"kind": kind, "estimate": None if kind == "range" else 9.17 + at, "std_error": 8.0, "conf_low": -7.6 - 30 * (kind == "range"), "conf_high": 26.5 + 30 * (kind == "range"),
                                                                                                         "n": 120, "people": 120 - 8 * (at > 1), "effective_n": 104.0, "linked_share": 1.0, "note": None, "provenance": "{}"}
        rows.append(row | changed.get(kind, {}))
    return pl.DataFrame(rows, schema_overrides={"note": pl.String, "estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "effective_n": pl.Float64, "people": pl.Int64, "n": pl.Int64})


def test_who_speaks_over_the_range(law):
    lean = leaning(("visits_band", ">3", 0.17, 0.4), ("region", "西南", 0.13, -0.3), ("age_band", "未知", 0.5, 0.0))
    for n, share, base in itertools.product(PEOPLE, SHARES, ("visits", "vehicles", "customers", "未定")):
        text, alike = (law(say_who_speaks(figures(max(n, 1), n, share), rows, base)) for rows in (lean, lean.head(0)))
        assert ("近一年进店 >3 次" in text and "大区 西南" in text and "差不多" in alike) == (n >= 10) and "年龄" not in text
    assert law(say_who_speaks(figures(), lean, "visits")) == "进过店 1,200 位客户里，112 位答了这一题，沉默的占 90.7%。答的人里偏多的是近一年进店 >3 次（32%，全体 17%）；偏少的是大区 西南（2.9%，全体 13%）。"
    assert law(say_who(REFUSED, lean.head(0))).startswith("说不出沉默的是谁：没有2025年1月6日")


@pytest.mark.parametrize("people", PEOPLE)
def test_an_answer_over_the_range(law, people):
    shown = {"people": people, "n": people}
    hidden = {"estimate": None, "conf_low": None, "conf_high": None, "people": None, "n": None, "note": "不足10人，不单列"}
    full = law(say_answer(answers(heard=shown), "nps", "dealer_survey", {"dealer_survey": "经销商回访"}))
    assert full == "净推荐值（经销商回访）听到的是 9.17，认得出是谁的人里是 10.17；折算到进过店的全体客户是 11.17（−7.60～26.50）；把沉默的影响也算上，在 −37.60～56.50 之间。"
    assert "不足10人" in law(say_answer(answers(heard=hidden), "nps", "dealer_survey"))
    no_link = law(say_answer(answers(heard_linked=hidden | {"note": "没有一条关联到客户"}, weighted=hidden | {"note": "无法校正：没有名单"}, range=hidden), "nps", "dealer_survey"))
    assert "认得出" not in no_link and no_link.endswith("无法校正：没有名单。")
    only = law(say_answer(answers(weighted={"estimate": None, "note": "校正检验未通过，只给区间"}), "nps", "dealer_survey"))
    assert "只给区间。沉默影响区间是 −37.60～56.50" in only and "11.17" not in only
    assert law(say_answer(answers().head(0), "nps", "dealer_survey")) == "这段时间没有人回答。"


def test_four_columns_say_why_a_figure_is_missing():
    told = pl.concat([answers(), answers("csat", "hotline", weighted={"estimate": None, "note": "无法校正：region=西藏 没有人说话"}, range={"conf_low": None, "conf_high": None}),
                      answers("ces", "online_chat", heard_linked={"estimate": None, "people": 0, "note": "没有一条关联到客户"}, weighted={"estimate": None, "note": "权重太不均匀或人太少，只给区间"})])
    block = table_answer(told, {"dealer_survey": "经销商回访"}).description
    assert [column["title"] for column in block["columns"]] == ["问的是什么", "听到的（全部）", "听到的（可关联）", "折算到全体", "沉默影响区间"]
    texts = [[cell["text"] for cell in row] for row in block["rows"]]
    assert texts == [["净推荐值", "9.17", "10.17", "11.17", "−37.60～56.50"], ["满意度", "9.17", "10.17", "无法校正", "—"], ["办事省心度", "9.17", "没有关联", "只给区间", "−37.60～56.50"]]
    assert block["rows"][0][3]["small"] == "−7.60～26.50，112 人，等效 104" and "大区 西藏 没有人说话" in block["note"]
    small = table_answer(answers(weighted={"estimate": None, "conf_low": None, "conf_high": None, "people": None, "note": "不足10人，不单列"})).description["rows"][0][3]
    assert small["text"] == "不足10人" and "small" not in small
    by = answers().rename({"metric": "metric"}).insert_column(3, pl.Series("visits_band", [">3"] * 4))
    assert table_answer(by).description["rows"][0][0]["text"] == "近一年进店 >3 次"


def test_topics_are_drawn_with_what_was_heard_and_what_silence_could_make_of_it():
    shares = {kind: {"estimate": value, "conf_low": 0.02, "conf_high": 0.2} for kind, value in (("heard", 0.1), ("heard_linked", 0.1), ("weighted", 0.08))} | {"range": {"estimate": None, "conf_low": 0.01, "conf_high": 0.3}}
    told = pl.concat([answers("code_share:x", code="空调-空调-异味", **shares), answers("code_share:y", code="车机-车机-卡顿", **shares)])
    figure = chart_answer(told).figure
    grey, dots, rings = figure["data"][:2], figure["data"][2], figure["data"][3]
    assert [line["x"] for line in grey] == [[1, 30]] * 2 and dots["x"] == [8, 8] and rings["x"] == [10, 10] and dots["error_x"]["array"] == pytest.approx([12, 12])
    assert chart_answer(told.with_columns(pl.lit(None, pl.Float64).alias("estimate"))).description["kind"] == "note"


def test_a_love_plot_draws_before_and_after_and_the_bound():
    figure = chart_love(pl.concat([leaning(("visits_band", ">3", 0.17, 0.4)), pl.DataFrame([("pair", "region × age_band", "华东 × ≤30", 0.1, -0.2, 0.15)], schema=BALANCE, orient="row")])).figure
    bounds, before, after = figure["data"][:2], figure["data"][-2], figure["data"][-1]
    assert [line["x"][0] for line in bounds] == [-0.1, 0.1] and before["x"] == [-0.2, 0.4] and after["x"] == [0.15, 0.0]
    assert figure["layout"]["yaxis"]["ticktext"] == ["华东 × ≤30 岁", "近一年进店 &gt;3 次"] and chart_love(leaning()).description["kind"] == "note"


def test_tables_of_who_and_of_the_weights():
    rows = table_who(leaning(("visits_band", ">3", 0.17, 0.4), ("region", "西南", 0.13, -0.3), ("region", "华东", 0.4, 0.01))).description["rows"]
    assert [[cell["text"] for cell in row] for row in rows] == [["近一年进店 >3 次", "17%", "32%", "17%", "偏多"], ["大区 西南", "13%", "2.9%", "13%", "偏少"], ["大区 华东", "40%", "40.5%", "40%", "差不多"]]
    told = {row[0]["text"]: row[1]["text"] for row in table_diagnostics(figures()).description["rows"]}
    assert told["设计效应（Kish）"] == "1.07" and told["没有人答的格"] == "19 / 62" and table_diagnostics({}).description["kind"] == "note"


def test_cards_of_a_figure_and_of_none():
    told = cards_silence(answers(), "nps", "dealer_survey")
    assert [card["name"] for card in told] == ["答了这一题的人", "听到的净推荐值", "折算到全体的净推荐值"] and [card["value"] for card in told] == [120, 9.17, pytest.approx(11.17)]
    assert told[1]["range"]["low"] == -7.6  # an NPS may be negative
    assert cards_silence(answers(weighted={"estimate": None, "note": "只给区间"}), "nps", "dealer_survey")[2]["note"] == "没有折算，见下" and cards_silence(answers().head(0), "nps", "dealer_survey")[0]["value"] == 0


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("size", [0, 1, 1_000, 3e9])
def test_problems_are_a_floor_and_never_a_share(law, people, size):
    rates = pl.DataFrame([{"channel": "forum", "code": "空调-空调-异味", "base": "vehicles", "in_use": max(size, people), "people": people, "estimate": 1.0, "conf_low": 0.5, "conf_high": 2.0, "note": ""}])
    if max(size, people) > 0:
        text = law(say_problems(rates, {"forum": "论坛"}))
        assert text.startswith("论坛：") and "%" not in text
    assert law(say_problems(rates.with_columns(pl.lit(None, pl.Float64).alias("estimate")))).startswith("没有一个渠道")


@pytest.mark.parametrize("estimate", [None, -100.0, -0.001, 0.0, 3.333, 100.0])
@pytest.mark.parametrize("rho", [None, -0.2, 0.0, 0.39, 0.7])
def test_the_second_opinion_in_words(law, estimate, rho):
    from voc_lib.measure import metrics

    found = pl.DataFrame([(phi, 0.1, estimate, rho, 1.0, 100, None) for phi in (0.0, 0.5, 1.0)], schema=FIGURES, orient="row")
    assert ("不给" in law(say_smub(Correction("nps", "dealer_survey", None, metrics.metric("nps")), found))) == (estimate is None)
    assert "不给" in law(say_smub(REFUSED, pl.DataFrame()))


@pytest.mark.parametrize("verdict", ["passed", "failed", "undecided"])
def test_the_verdict_alone(law, verdict):
    said = {"passed": "未发现矛盾", "failed": "校正检验未通过，只给区间", "undecided": "人太少，说不准"}[verdict]
    assert law(say_verdict(Checked(verdict, pl.DataFrame(schema=COLUMNS)))) == f"校正检验（与全体客户都知道的行为对照）：{said}。"


def test_without_a_weighting_every_sentence_says_so(law):
    empty = pl.DataFrame()
    for sentence in (say_overturn(REFUSED, 0.0), say_silent_change(REFUSED, empty), say_probe_needed(REFUSED, empty), say_posted(empty), say_robustness(REFUSED, empty, 0.0)):
        assert "没有" in law(sentence)


@pytest.mark.parametrize("value", [*SHARES, None])
@pytest.mark.parametrize("goal", [-100.0, 0.0, 3.333])
def test_the_robustness_value_in_words(law, value, goal):
    from voc_lib.measure import metrics

    one = Correction("nps", "dealer_survey", None, metrics.metric("nps"))
    found = pl.DataFrame([{name: value if name == "robustness_value" else None for name in ROBUSTNESS}], schema=ROBUSTNESS)
    assert ("解释" in law(say_robustness(one, found, goal))) == (value is not None)
