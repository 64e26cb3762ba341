"""Sentences and tables on the check of the correction, on channels and on reaching the silent, over their whole range: 0, 1, few, huge, missing, suppressed."""

from __future__ import annotations

import itertools
import re
from datetime import date

import polars as pl
import pytest

from voc_lib.measure.weighting.channel_agreement import channel_agreement
from voc_lib.measure.weighting.checks import COLUMNS, Checked
from voc_lib.measure.weighting.outreach import OutreachPlan, outreach_plan
from voc_lib.measure.weighting.probe import probe_estimate, probe_size
from voc_lib.report.checks import VERDICTS, say_channel_agreement, say_check, table_channel_agreement, table_check
from voc_lib.report.outreach import say_outreach, say_probe, say_probe_size, table_moments, table_outreach

NAMED = re.compile(r"(?<![\d,.～/])[1-9] 人(?!的)")  # fewer than ten people by number


def cells_text(block):
    shown = block.description
    return [cell["text"] + cell.get("small", "") for row in shown.get("rows", []) for cell in row] + [shown.get("note", "")] + ["".join(text for text, _ in shown.get("runs", []))]


def well(good, block):
    texts = [good(text) for text in cells_text(block) if text]
    assert not any(NAMED.search(text) for text in texts), texts
    return texts


def checked(verdict, *rows):
    """Rows of (behaviour, level, before, after, half, n, verdict)."""
    made = [(name, level, 0.3, 0.31, 0.305, before, after, None if half is None else after - half, None if half is None else after + half, n, float(n), level is None, judged, None) for name, level, before, after, half, n, judged in rows]
    return Checked(verdict, pl.DataFrame(made, schema=COLUMNS, orient="row"))


def test_every_verdict_of_the_check_in_words(good):
    judged = {"passed": "equivalent", "failed": "different", "undecided": "undecided"}
    for (verdict, one), after, before, n, level in itertools.product(judged.items(), (-2.5, -0.15, -0.001, 0.0, 0.04, 0.3), (0.0, -0.4, 12.0), (10, 12_345, 3_000_000), (None, "常用")):
        found = checked(verdict, ("again", level, before, after, 0.02, n, one))
        text = good(str(say_check(found, {"again": "复购"})))
        assert text.startswith(VERDICTS[verdict]) and text.endswith("。") and "复购" in text and "again" not in text and text.count("equivalence test") == 1
        assert not (re.search("高 [0-9]", text) and after < 0) and not (re.search("低 [0-9]", text) and after > 0), text
        assert ("不等于校正正确" in text) == (verdict == "passed") and ("只给区间" in text) == (verdict == "failed")
        well(good, table_check(found, {"again": "复购"}))


def test_the_check_with_few_people_nothing_or_many_behaviours(good):
    for n in (0, 1, 9):
        few = checked("undecided", ("复购", None, 0.2, 0.1, 0.5, n, "undecided"))
        assert good(str(say_check(few))) == "人太少，说不准：说话的人不足10人，校正无从检验。"
        assert "不足10人" in "".join(well(good, table_check(few)))
    none = checked("undecided")
    good(str(say_check(none)))
    well(good, table_check(none))
    alone = checked("undecided", ("复购", None, 0.2, 0.05, None, 12, "undecided"))
    assert "区间 " not in good(str(say_check(alone)))
    many = checked("passed", *((f"行为{at}", None, 0.2, 0.01, 0.02, 400, "equivalent") for at in range(7)))
    assert "等 7 项" in good(str(say_check(many)))
    mixed = checked("failed", ("复购", None, 0.5, 0.2, 0.05, 400, "different"), ("应用", None, 0.5, 0.25, 0.3, 400, "undecided"))
    assert "复购高 0.20 个标准差（90% 区间 0.15～0.25）" in good(str(say_check(mixed)))


def channels(estimates, errors, n=400, **more):
    rows = pl.DataFrame({"channel": ["car_forum", "hotline", "dealer_survey"][: len(estimates)], "estimate": estimates, "std_error": errors, "n": [n] * len(estimates)}, schema_overrides={"estimate": pl.Float64, "std_error": pl.Float64})
    return channel_agreement(rows, **more)


def test_channels_in_words(good):
    for unit, scale in (("points", 10.0), ("share", 1.0)):
        for spread, n in itertools.product((0.0, 0.001, 0.02, 0.4), (3, 10, 5_000_000)):
            found = channels([(0.5 - spread) * scale, 0.5 * scale, (0.5 + spread) * scale], [0.004 * scale] * 3, n, floor=0.01 * scale)
            text = good(str(say_channel_agreement(found, unit)))
            assert text.endswith("。") and ("不能证明" in text) == (found.verdict == "disagree") and ("不等于一致" in text) == (found.verdict == "agree") and ("p" not in text.replace("app", ""))
            shown = well(good, table_channel_agreement(found, unit))
            assert ("不足10人" in shown) == (n < 10)
    small = channels([5.0, 5.05], [0.001, 0.001], floor=0.1)
    assert small.verdict == "too_small" and "不足为据" in good(str(say_channel_agreement(small)))
    for estimates in ([], [1.0]):
        alone = channels(estimates, [0.1] * len(estimates))
        assert "没有可比的" in good(str(say_channel_agreement(alone)))
        well(good, table_channel_agreement(alone))


def test_the_size_of_a_probe_in_words(good):
    for margin, response, part, population in itertools.product((0.001, 0.05, 0.4), (0.0001, 0.03, 0.25, 1.0), (None, 0, 0.5), (None, 3e12)):
        size = probe_size(margin, response_rate=response, sub_sample=part, population=population)
        text = good(str(say_probe_size(size)))
        assert text.startswith("要请 ") and text.endswith("。") and ("不会回答" in text) == (response < 1) and ("回访" in text) == (size["call_backs"].item() > 0)
    assert "±0.20（95%）" in good(str(say_probe_size(probe_size(0.2, 2.0, response_rate=0.25), "points")))
    assert "无关，连同他们误差是 ±5.0 个百分点" in good(str(say_probe_size(probe_size(0.05, response_rate=0.25, odds_ratio=1))))
    with pytest.raises(ValueError, match="要一行"):
        say_probe_size(pl.concat([probe_size(0.05)] * 2))


def probe(answers, silent, top=10):
    scores = [float(at % (top + 1)) for at in range(answers)] + [None] * silent
    return pl.DataFrame({"disposition": ["first"] * answers + ["not_followed"] * silent, "score": scores}, schema_overrides={"score": pl.Float64})


def test_a_probe_in_words(good):
    for answers, silent, unit in itertools.product((2, 9, 10, 500), (0, 1, 30, 20_000), ("points", "share")):
        text = good(str(say_probe(probe_estimate(probe(answers, silent, 1 if unit == "share" else 10), "score"), "满意度", unit)))
        assert text.endswith("。") and not NAMED.search(text)
        assert ("不单列" in text) == (answers < 10) and ("沉默影响区间" in text) == (answers >= 10 and silent / (answers + silent) >= 0.0005)
    empty = probe_estimate(probe(20, 5), "score").clear()
    assert good(str(say_probe(empty, "满意度"))) == "满意度：探访没有可用的回答。"
    good(str(say_probe(probe_estimate(probe(500, 1500), "score", odds_ratio=1), "满意度")))
    same = probe_estimate(pl.DataFrame({"disposition": ["first"] * 20 + ["not_followed"] * 20, "score": [5.0] * 20 + [None] * 20}), "score")
    good(str(say_probe(same, "满意度")))


def planned(people, budget, spoke=lambda at: at % 5 == 0, **more):
    customers = pl.DataFrame({"customer_id": [f"c{at}" for at in range(people)], "region": ["华东" if at % 3 else "华北" for at in range(people)], "product": ["A7" if at % 2 else "A5" for at in range(people)], "spoke": [spoke(at) for at in range(people)]})
    visits = customers.select("customer_id", pl.lit("进店").alias("kind"), pl.lit(date(2026, 3, 1)).alias("occurred_on")).head(people // 2)
    return outreach_plan(customers, None, visits, ["region", "product"], today=date(2026, 3, 2), budget=budget, **more)


def test_a_plan_in_words(good):
    for people, budget, share in itertools.product((12, 400, 20_000), (1, 9, 300), (0.0, 0.1)):
        plan = planned(people, budget, holdout=share)
        text = good(str(say_outreach(plan)))
        assert text.endswith("。") and not NAMED.search(text) and ("对照" in text) == (plan.cells["held_out"].sum() > 0)
        shown = well(good, table_outreach(plan)) + well(good, table_moments(plan))
        assert any("华" in one and " × A" in one for one in shown)
    silent = planned(400, 40, spoke=lambda at: at % 3 > 0, response_rate=0.001)
    assert "先去 2 个还没有人说过话的分组" in good(str(say_outreach(silent))) and "不到 1 位" in str(say_outreach(silent))
    first = planned(400, 40, spoke=lambda at: False)
    good(str(say_outreach(first)))
    nobody = OutreachPlan(silent.cells.with_columns(pl.lit(0, pl.Int64).alias("invite"), pl.lit(0.0).alias("expected")), silent.people.clear())
    for text in (str(say_outreach(nobody)), *well(good, table_outreach(nobody)), *well(good, table_moments(nobody))):
        good(text)
    assert str(say_outreach(nobody)).startswith("这一期没有要邀请的人。")
