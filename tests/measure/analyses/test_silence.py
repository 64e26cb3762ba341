"""Heard, linked, corrected, range: what was planted comes back, and where nothing can be corrected the answer says so."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import polars as pl
import pytest

import voc_lib as voc
from tests.measure.weighting.conftest import WEEK, plant_silence, silence  # noqa: F401
from voc_lib.collect.customers import FrameError
from voc_lib.measure.weighting import correct as weighed
from voc_lib.measure.weighting.checks import Checked
from voc_lib.measure.weighting.outcomes import about_everybody


def nps(scores: pl.Series) -> float:
    return 100 * ((scores >= 9).mean() - (scores <= 6).mean())


def rows_of(answers: pl.DataFrame) -> dict:
    return {row["kind"]: row for row in answers.iter_rows(named=True)}


def test_linkage_and_silence_are_told_apart_and_the_planted_mean_comes_back(silence):  # noqa: F811
    store, there = silence
    found = rows_of(voc.answer("nps", store=store, period=WEEK))
    assert list(found) == ["heard", "heard_linked", "weighted", "range"]
    heard, linked, fixed, silent = found.values()
    truth = nps(there["score"])
    assert heard["people"] == linked["people"] + 25 and linked["linked_share"] == 1 > heard["linked_share"]  # 25 of unknown owner, all detractors
    assert heard["estimate"] < linked["estimate"] < truth - 5  # who answers visits more and is less content
    assert fixed["conf_low"] < truth < fixed["conf_high"] and abs(fixed["estimate"] - truth) < abs(linked["estimate"] - truth) / 3
    assert silent["conf_low"] < fixed["conf_low"] and silent["conf_high"] > fixed["conf_high"] and silent["estimate"] is None
    told = json.loads(fixed["provenance"])
    assert told["weighed_by"][0] == "visits_band" and told["odds"] == 1.5 and told["filter"] == {"channel": "dealer_survey", "weeks": ["2026-W34", WEEK]} and told["snapshot"] == store.snapshot


def test_who_answered_without_being_in_the_base_is_counted_and_not_weighted(silence):  # noqa: F811
    from voc_lib.store import open_store
    from voc_lib.store_write import write_store
    from tests.measure.weighting.conftest import AT

    store, there = silence
    elsewhere = sorted(set(store.sql("SELECT customer_id FROM customers")["customer_id"]) - set(there["customer_id"]))[:12]
    rows = pl.DataFrame({"feedback_id": [f"x{one}" for one in elsewhere], "source_id": elsewhere, "channel": "dealer_survey", "iso_week": "2026-W40", "verbatim": "还行", "nps": 0.0, "solicited": True})
    with write_store("s", "test") as writer:
        writer.append("feedback", rows)
        writer.append("links", rows.select("feedback_id", "iso_week", pl.Series("customer_id", elsewhere), pl.Series("person_id", elsewhere), reason=pl.lit("phone"), confidence=pl.lit(1.0), linked_at=pl.lit(AT)))
    before, after = (rows_of(voc.answer("nps", store=one, period=WEEK)) for one in (store, open_store("s")))
    assert after["weighted"]["estimate"] == before["weighted"]["estimate"] and after["heard_linked"]["people"] == before["heard_linked"]["people"] + 12
    told = [int(re.search(r"另有 (\d+) 位答了的客户不在这个基数里", rows["weighted"]["note"])[1]) for rows in (before, after)]
    assert told[0] == before["heard_linked"]["people"] - before["weighted"]["people"] and told[1] == told[0] + 12


def test_hidden_selection_is_missed_by_the_figure_and_met_by_the_range(home):
    store, there = plant_silence(hidden=0.5)  # among alike customers the discontent speak at e^.5 = 1.65 times the odds
    found = rows_of(voc.answer("nps", store=store, period=WEEK))
    truth = nps(there["score"])
    assert found["weighted"]["estimate"] < truth - 5 and found["range"]["conf_low"] < truth < found["range"]["conf_high"]


@pytest.mark.parametrize(("visiting", "told"), [(0.45, False), (0.0, True)])
def test_a_correction_that_corrects_nothing_says_so(home, visiting, told):
    store, _ = plant_silence(visiting=visiting)  # at 0 who answers has nothing to do with visits, and little with anything
    assert ("折算前后之差没有超出误差" in (rows_of(voc.answer("nps", store=store, period=WEEK))["weighted"]["note"] or "")) is told


def test_the_error_of_a_shift_is_how_far_shifts_spread():
    lots, found = np.random.default_rng(2), []
    kind = np.repeat(["甲", "乙", "丙"], 2000)
    y = np.select([kind == "甲", kind == "乙"], [4.0, 6.0], 9.0) + lots.normal(0, 2, len(kind))
    population = pl.DataFrame({"kind": ["甲", "乙", "丙"], "count": [2000, 2000, 2000]})
    for _ in range(80):
        spoke = lots.random(len(kind)) < np.select([kind == "甲", kind == "乙"], [0.10, 0.05], 0.03)
        people = voc.calibrate(pl.DataFrame({"kind": kind[spoke], "y": y[spoke]}), population)
        cells = voc.cells_of(people, "y", population)
        people = people.with_columns(about_everybody(people, "y", cells))
        found.append(weighed.Correction("y", "x", None, people=people).shift())
    moved, error = np.array(found).T
    assert moved.mean() == pytest.approx(6.333 - (0.1 * 4 + 0.05 * 6 + 0.03 * 9) / 0.18, abs=0.15) and error.mean() == pytest.approx(moved.std(), rel=0.25)


def test_levels_are_weighted_one_by_one(silence):  # noqa: F811
    store, there = silence
    found = voc.answer("csat", "visits_band", store, WEEK, channel="dealer_survey")
    assert found.columns[3] == "visits_band" and set(found["kind"]) == {"heard", "heard_linked", "weighted", "range"} and found.height == 12 and set(found["visits_band"]) == {"≤1", "1–3", ">3"}
    fixed = dict(found.filter(pl.col("kind") == "weighted").select("visits_band", "estimate").iter_rows())
    assert fixed["≤1"] > fixed["1–3"] > fixed[">3"]
    people = voc.correction("csat", "dealer_survey", store, WEEK).people
    linked = dict(found.filter(pl.col("kind") == "heard_linked").select("visits_band", "estimate").iter_rows())
    assert linked == pytest.approx(dict(people.group_by("visits_band").agg(pl.col("y").mean()).iter_rows())) and set(found.filter(pl.col("kind") == "heard")["note"]) == {"认不出是谁的反馈，不知道属于哪一类"}
    assert [row[1]["text"] for row in voc.table_answer(found).description["rows"]] == ["—"] * 3
    by_himself = rows_of(voc.answer("csat", "visits_band", store, WEEK, channel="hotline"))
    assert by_himself["heard"]["visits_band"] is None and by_himself["heard"]["estimate"] == pytest.approx(rows_of(voc.answer("csat", store=store, period=WEEK, channel="hotline"))["heard"]["estimate"])
    with pytest.raises(ValueError, match="没有按「city」折算过.*visits_band、"):
        voc.answer("nps", "city", store, WEEK)


def test_who_comes_of_himself_is_not_corrected_and_that_is_said(silence):  # noqa: F811
    store, _ = silence
    found = voc.answer(["csat", "people"], store=store, period=WEEK, channel="hotline")
    fixed = found.filter((pl.col("metric") == "csat") & (pl.col("kind") == "weighted")).row(0, named=True)
    assert fixed["estimate"] is None and fixed["note"].startswith("无法校正：这个渠道是自己找上门来的")
    assert found.filter(pl.col("metric") == "people")["note"].item() == "计数没有折算：每条、每人都已数到"


@pytest.mark.parametrize(("weeks", "said"), [(60, "或更早的客户档案"), (2, "没有人回答")])
def test_without_a_frame_or_without_answers_there_is_no_figure(silence, weeks, said):  # noqa: F811
    store, _ = silence
    found = voc.answer("nps", store=store, period=WEEK, weeks=weeks)
    assert found.is_empty() if said == "没有人回答" else said in rows_of(found)["weighted"]["note"] and rows_of(found)["weighted"]["estimate"] is None


def without_a_figure(store, one, said):
    """Nothing of the page prints the figure of a weighting that may only give its range."""
    figure = f"{one.total()['estimate'].item():.2f}".replace("-", "−")
    sentences = [str(voc.say_overturn(one, 0.0)), str(voc.say_silent_change(one, voc.silent_change(store, one)))]
    assert all(said in sentence and figure not in sentence for sentence in sentences)


def test_a_failed_check_leaves_only_the_range(silence, monkeypatch):  # noqa: F811
    store, _ = silence
    monkeypatch.setattr(weighed, "tested", lambda *_: Checked("failed", pl.DataFrame()))
    fixed, silent = (rows_of(voc.answer("nps", store=store, period=WEEK))[kind] for kind in ("weighted", "range"))
    assert fixed["estimate"] is None and fixed["conf_low"] is None and fixed["note"].startswith("校正检验未通过，只给区间") and silent["conf_low"] is not None
    without_a_figure(store, voc.correction("nps", "dealer_survey", store, WEEK), "校正检验未通过，只给区间")


def test_weights_that_are_too_uneven_leave_only_the_range(silence, monkeypatch):  # noqa: F811
    store, _ = silence
    right = weighed.diagnose_cells
    monkeypatch.setattr(weighed, "diagnose_cells", lambda *given: right(*given) | {"verdict": "range_only"})
    assert rows_of(voc.answer("nps", store=store, period=WEEK))["weighted"]["note"].startswith("权重太不均匀")
    without_a_figure(store, voc.correction("nps", "dealer_survey", store, WEEK), "权重太不均匀")


def test_a_code_of_people_who_were_asked_stands_for_all(silence):  # noqa: F811
    from voc_lib.store import open_store
    from voc_lib.store_write import write_store
    from tests.measure.weighting.conftest import AT

    store, _ = silence
    named = store.sql("SELECT feedback_id, iso_week FROM feedback WHERE nps <= 6 AND channel = 'dealer_survey'")
    with write_store("s", "test") as writer:
        writer.append("mentions", named.with_columns(code=pl.lit("空调-空调-异味"), confidence=pl.lit(0.9), source=pl.lit("keyword"), model_version=pl.lit("k"), coded_at=pl.lit(AT)))
        writer.remember(codes="k")
    found = rows_of(voc.answer("code_share", "code", open_store("s"), WEEK, channel="dealer_survey"))
    assert found["heard"]["code"] == "空调-空调-异味" and found["weighted"]["estimate"] < found["heard_linked"]["estimate"]  # the discontent answer more
    with pytest.raises(ValueError, match="只有 code_share 能按 code"):
        voc.answer("nps", "code", store, WEEK)


def test_the_check_reproduces_behaviour_that_selection_does_not_touch(silence):  # noqa: F811
    store, there = silence
    one = voc.correction("nps", "dealer_survey", store, WEEK)
    checked = voc.check_silence(one)
    told = {row["behaviour"]: row for row in checked.table.iter_rows(named=True)}
    assert set(told) == {"app_days", "touchpoint:复购"} and told["app_days"]["remade"] and not told["touchpoint:复购"]["remade"]  # nobody left after the start
    assert told["app_days"]["population"] == pytest.approx(there["app_days"].mean()) and checked.verdict in ("passed", "undecided")


def test_tipping_points_are_about_the_very_figure(silence):  # noqa: F811
    store, _ = silence
    one = voc.correction("nps", "dealer_survey", store, WEEK)
    figure = one.total()["estimate"].item()
    assert voc.tipping(one, 0.0)["estimate"].item() == pytest.approx(figure) == voc.silent_need(one, 0.0)["estimate"].item()
    share, heard = one.people.height / one.figures["customers"], one.people["y"].mean()
    assert voc.silent_need(one, 0.0)["silent_mean"].item() == pytest.approx((0 - share * heard) / (1 - share))
    assert voc.silent_ranges(one)["low"].is_sorted(descending=True) and voc.silent_ranges(one)["high"].max() <= 100


def test_a_plan_asks_nobody_who_answered_and_not_more_than_allowed(silence):  # noqa: F811
    store, there = silence
    one = voc.correction("nps", "dealer_survey", store, WEEK)
    plan = voc.reach(store, one, 50)
    assert plan.people.height == 50 and plan.people["customer_id"].n_unique() == 50
    assert not set(plan.people["customer_id"]) & set(one.people["customer_id"]) and set(plan.people["customer_id"]) <= set(there["customer_id"])
    assert voc.reach(store, one, 50).people.equals(plan.people)
    assert voc.probe(one, 5.0)["answers"].item() > 100
    assert "总体只有" in str(voc.say_probe_needed(one, voc.probe(one, 0.5)))  # more people than there are


def test_margins_of_a_base_are_taken_to_a_frame_of_ones_own(silence):  # noqa: F811
    store, there = silence
    told = voc.margins("dealer_survey", store, WEEK, lines=["visits"])
    assert told["region"] == dict(there.group_by("region").len().iter_rows()) and told["visits"] == there["visits"].sum()
    frame = there.sample(150, seed=3).select("region", "visits", "score")
    weighted = voc.calibrate(frame, {name: told[name] for name in ("region", "visits")})
    assert (weighted["weight"] * weighted["visits"]).sum() == pytest.approx(told["visits"]) and weighted["weight"].sum() == pytest.approx(there.height)
    with pytest.raises(FrameError, match="没有数字「income」.*usage"):
        voc.margins("dealer_survey", store, WEEK, lines=["income"])
    assert voc.answer("nps", store=store, period="undated").is_empty()


def test_the_command_prints_the_four_columns(silence, monkeypatch, capsys):  # noqa: F811
    from rich.console import Console

    from voc_lib.cli import main

    monkeypatch.setattr("voc_lib.commands.answer.out", Console(width=200))
    monkeypatch.setattr(sys, "argv", ["voc", "answer", "nps", "--store", "s", "--period", WEEK])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().out
    assert not end.value.code and all(word in told for word in ("听到的（全部）", "听到的（可关联）", "折算到全体", "沉默影响区间", "净推荐值", "等效"))
    monkeypatch.setattr(sys, "argv", ["voc", "answer", "csat", "--by", "visits_band", "--store", "s", "--period", WEEK])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().out
    assert not end.value.code and "近一年进店 >3 次" in told and "客服热线" in told and "无法校正" in told  # a channel that is not corrected has no levels
    monkeypatch.setattr(sys, "argv", ["voc", "answer", "npss", "--store", "s"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1 and "是否想写「nps」" in capsys.readouterr().err


def test_a_question_without_a_weighting_has_words_for_everything(silence):  # noqa: F811
    store, _ = silence
    one = voc.correction("csat", "hotline", store, WEEK)
    assert one.refused and voc.balance_now(one).is_empty() and voc.silent_ranges(one).is_empty() and voc.reach(store, one).people.is_empty()
    answers = voc.answer("csat", store=store, period=WEEK)
    said = [voc.say_who(one, voc.balance_now(one)), voc.say_overturn(one, 3), voc.say_silent_change(one, voc.silent_change(store, one)), voc.say_posted(voc.posted_odds(store, one)), voc.say_robustness(one, voc.robustness(one, 3), 3),
            voc.say_probe_needed(one, voc.probe(one, 0.1)), voc.say_answer(answers, "csat", "hotline"), voc.say_check(voc.check_silence(one)), voc.say_verdict(voc.check_silence(one)), voc.say_outreach(voc.reach(store, one))]
    assert all(str(sentence) and "None" not in str(sentence) for sentence in said)
    for block in (voc.table_who(voc.balance_now(one)), voc.table_diagnostics(one.figures), voc.table_sensitivity(voc.silent_ranges(one)), voc.table_benchmarks(voc.benchmarks(one, 3)), voc.chart_love(voc.balance_now(one)),
                  voc.table_check(voc.check_silence(one)), voc.table_outreach(voc.reach(store, one)), voc.table_moments(voc.reach(store, one))):
        assert block._repr_mimebundle_()
