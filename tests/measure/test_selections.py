"""A selection is a definition: written once, replayed on whatever the store holds, and it says no early."""

from __future__ import annotations

import json

import pytest
import yaml

from voc_lib.measure.analyses.crosstab import crosstab
from voc_lib.measure.analyses.movers import movers
from voc_lib.measure.compare import compare
from voc_lib.measure.estimate import estimate
from voc_lib.measure.feedback import PeriodError, feedback, provenance
from voc_lib.measure.find import find
from voc_lib.measure.search import FilterError
from voc_lib.measure.selections import SelectionError, asked_for, remove_selection, save_selection, selections, within
from voc_lib.measure.tracing import rows_of, trace

SAID = ({"verbatim": "空调异响", "product": "A7", "rating": 1.0, "rating_scale": 5.0, "code": "空调-运转-异响"}, {"verbatim": "空调好", "product": "S5", "rating": 9.0, "rating_scale": 10.0},
        {"verbatim": "异响", "channel": "hotline", "region": "华东"}, {"verbatim": "空调不冷", "iso_week": "2026-W44", "product": "A7", "code": "空调-制冷-差"})


def numbers(frame) -> list[int]:
    return [int(name, 16) for name in frame["feedback_id"]]


@pytest.mark.parametrize(("asked", "found"), [
    ({"query": "空调 NOT 好"}, [1, 4]), ({"period": "2026-W46"}, [1, 2, 3]), ({"period": "2026-W46", "weeks": 3}, [1, 2, 3, 4]), ({"channel": "hotline"}, [3]), ({"code": "空调"}, [1, 4]),
    ({"code": "空调-运转"}, [1]), ({"product": "A7"}, [1, 4]), ({"region": "华东"}, [3]), ({"rating": (0.0, 2.0)}, [1]), ({"rating": (4.5, 5.0)}, [2]),
    ({"query": "空调", "product": "A7", "period": "2026-W46"}, [1])])
def test_what_a_selection_holds(told, asked, found):
    store = told(*SAID)
    save_selection("选", store=store, **asked)
    assert numbers(feedback(store, selection="选")) == found


def test_it_is_replayed_on_what_comes_later_and_narrowed_by_what_is_asked_on_top(told):
    store = told(*SAID)
    save_selection("空调", "空调", why="周二例会", who="li", store=store)
    later = told({"verbatim": "空调又响", "iso_week": "2026-W47"})
    assert numbers(feedback(later, selection="空调")) == [1, 2, 4, 5] and numbers(feedback(later, "2026-W47", selection="空调")) == [5]
    assert numbers(find("NOT 好", later, "2026-W46", selection="空调")) == [1] and numbers(feedback(later, channel="hotline", selection="空调")) == []
    save_selection("四十六周", period="2026-W46", store=later)
    assert numbers(feedback(later, ["2026-W46", "2026-W47"], selection="四十六周")) == [1, 2, 3]
    with pytest.raises(SelectionError, match="选取「四十六周」只看周 2026-W46，与这里要的周 2026-W47 没有交集"):
        feedback(later, "2026-W47", selection="四十六周")


def test_the_file_is_one_a_person_reads_and_git_keeps(told, home):
    store = told(*SAID)
    save_selection("b 组", "异响", who="li", why="看看", store=store)
    save_selection("a", channel=["forum", "hotline"], rating=(0, 2), store=store)
    text = (home / "data/domains/auto/selections.yaml").read_text("utf-8")
    assert text.startswith("# 存好的选取") and "query: 异响" in text and text.index("\na:") < text.index("b 组:")
    kept = yaml.safe_load(text)
    assert kept["b 组"].items() >= {"query": "异响", "who": "li", "why": "看看"}.items() and kept["a"]["rating"] == [0, 2] and set(kept["b 组"]) == {"query", "who", "when", "why"}
    listed = selections(store)
    assert listed["name"].to_list() == ["a", "b 组"] and listed["definition"].to_list() == ["渠道 forum、hotline、评分 0、2", "检索「异响」"]
    assert remove_selection("a", store)["channel"] == ["forum", "hotline"] and selections(store)["name"].to_list() == ["b 组"]


@pytest.mark.parametrize(("asked", "error", "said"), [
    ({}, SelectionError, "什么条件也没有"), ({"query": "异响 AND"}, ValueError, "第 4 个字符处"), ({"product": "A8"}, FilterError, "库「told」里没有产品「A8」.*是否想写「A7」"),
    ({"code": "空条"}, FilterError, "编码表里没有问题「空条」.*空调"), ({"channel": "hotlin"}, PeriodError, "是否想写「hotline」"), ({"period": "2026-46"}, PeriodError, "不是一周"),
    ({"rating": (4.0, 2.0)}, FilterError, "下限不高于上限")])
def test_what_cannot_be_is_said_when_it_is_saved(told, home, asked, error, said):
    with pytest.raises(error, match=said):
        save_selection("选", store=told(*SAID), **asked)
    assert not (home / "data/domains/auto/selections.yaml").exists()


def test_names(told):
    store = told(*SAID)
    with pytest.raises(SelectionError, match="还没有存过选取"):
        feedback(store, selection="空调")
    save_selection("空调异响", "空调 异响", store=store)
    with pytest.raises(SelectionError, match="没有名为「空调」的选取。是否想写「空调异响」"):
        find("好", store, selection="空调")
    with pytest.raises(SelectionError, match="已有名为「空调异响」的选取：检索「空调 异响」"):
        save_selection("空调异响", "异响", store=store)
    save_selection("空调异响", "异响", replace=True, store=store)
    assert numbers(feedback(store, selection="空调异响")) == [1, 3]
    for name in ("", " a", "a\nb"):
        with pytest.raises(SelectionError, match="不能用"):
            save_selection(name, "异响", store=store)


@pytest.mark.parametrize(("written", "said"), [
    ("空调: 异响\n", "应为「名字: 条件」.*不对的是「空调」"), ("空调:\n  qurey: 异响\n", "不认识的「qurey」。是否想写「query」"), ("空调:\n  channel: hotline\n", "「channel」应为列表，写的是「hotline」"),
    ("空调: [\n", "selections.yaml 第 2 行"), ("- 空调\n", "应为「名字: 条件」")])
def test_a_file_edited_by_hand_that_does_not_parse_is_said(told, home, written, said):
    store = told(*SAID)
    (home / "data/domains/auto/selections.yaml").write_text(written, "utf-8")
    with pytest.raises(SelectionError, match=said):
        feedback(store, selection="空调")


def weeks_told(told):
    """Two weeks: 12 of 30 and then 24 of 30 say 异响, of whom 12 and 20 about the air conditioning; four people in A7 each week."""
    def week(label, noise, cold):
        said = ["空调异响"] * cold + ["车门异响"] * (noise - cold) + ["很好"] * (30 - noise)
        return [{"verbatim": words, "iso_week": label, "author_key": f"{label}-{at}", "product": "A7" if at % 8 == 0 else "S5", "rating": 1.0, "rating_scale": 5.0} |
                ({"code": "空调-运转-异响"} if "空调" in words else {}) for at, words in enumerate(said)]
    return told(*week("2026-W45", 12, 12), *week("2026-W46", 24, 20))


def test_an_estimate_in_a_selection_is_that_of_the_feedback_it_holds(told):
    store = weeks_told(told)
    save_selection("异响", "异响", store=store)
    whole = feedback(store, "2026-W46")
    one = estimate(whole, "people", provenance=provenance(store, period="2026-W46"), selection="异响", store=store)
    assert one["estimate"].item() == one["people"].item() == 24
    assert one.drop("provenance").equals(estimate(feedback(store, "2026-W46", selection="异响"), "people").drop("provenance"))
    came = json.loads(one["provenance"].item())
    assert came["filter"] == {"period": "2026-W46", "selection": "异响", "asks": "检索「异响」"} and (came["store"], came["snapshot"]) == ("told", store.snapshot)
    assert estimate(whole, "low_rating_share", by="product", selection="异响", store=store).equals(
        estimate(whole.reverse(), "low_rating_share", by="product", selection="异响", store="told"))
    assert crosstab(whole, "product", "channel", "people", store, "异响").equals(crosstab(feedback(store, "2026-W46", selection="异响"), "product", "channel", "people"))
    assert within(whole, None) is whole


def test_a_comparison_in_a_selection_narrows_both_weeks_and_the_history_and_says_so(told):
    store = weeks_told(told)
    save_selection("异响", "异响", store=store)
    now, before = feedback(store, "2026-W46"), feedback(store, "2026-W45")
    one = compare(now, before, "people", history=before, selection="异响", store=store).row(0, named=True)
    assert (one["estimate"], one["baseline"]) == (24, 12) and one["note"].endswith("只看选取「异响」")
    own = compare(feedback(store, "2026-W46", selection="异响"), feedback(store, "2026-W45", selection="异响"), "people", history=feedback(store, "2026-W45", selection="异响"))
    assert {k: v for k, v in one.items() if k != "note"} == {k: v for k, v in own.row(0, named=True).items() if k != "note"} and "选取" not in own["note"].item()
    assert compare(now.clear(), before.clear(), "people", selection="异响", store=store)["note"].item() == "两期都没有可用的回答；只看选取「异响」"
    moved = movers(now, before, "2026-W46", selection="异响", store=store).row(0, named=True)
    assert (moved["code"], moved["people"], moved["people_baseline"], moved["share"]) == ("空调-运转-异响", 20, 12, pytest.approx(20 / 24)) and "只看选取「异响」" in moved["note"]


def test_a_frame_and_a_selection_that_do_not_belong_together_say_so(told, enriched, monkeypatch):
    store = weeks_told(told)
    save_selection("四十六周", period="2026-W46", store=store)
    now, before = feedback(store, "2026-W46"), feedback(store, "2026-W45")
    with pytest.raises(SelectionError, match="选取「四十六周」只看周 2026-W46，与这里要的周 2026-W45 没有交集"):
        compare(now, before, "people", selection="四十六周", store=store)
    assert compare(now, now, "people", history=before, selection="四十六周", store=store)["estimate"].item() == 30    # history is context and may be none
    strange = now.with_columns(feedback_id=now["feedback_id"].str.replace("^0", "f"))
    with pytest.raises(SelectionError, match="30 条里有 30 条不在库「told」的快照"):
        estimate(strange, "people", selection="四十六周", store=store)
    with pytest.raises(SelectionError, match="没有名为「四十七周」的选取。是否想写「四十六周」"):
        estimate(now, "people", selection="四十七周", store=store)


@pytest.mark.parametrize("more", [{}, {"query": "空调 OR 门"}, {"product": "A7"}, {"code": "空调"}, {"rating": (0.0, 2.0)}, {"query": "没有人这样说"}])
def test_what_a_selection_holds_is_traced_by_what_was_asked(told, more):
    from voc_lib.measure.search import search_feedback

    store = weeks_told(told)
    save_selection("异响", "异响", store=store)
    frame = feedback(store, "2026-W46", selection="异响")
    found = search_feedback(frame, **{("word" if name == "query" else name): value for name, value in more.items()})
    one = trace(store, found, "people", "甲", asked=asked_for(store, "2026-W46", None, "异响", **more))
    assert set(rows_of(store, one["sql"])["feedback_id"]) == set(found["feedback_id"]) and one["n"] == found.height
    if found.height:
        with pytest.raises(ValueError, match="追溯不到原始反馈.*asked=voc.asked_for"):
            trace(store, found, "people", "甲", asked=asked_for(store, "2026-W45", None, "异响", **more))
    if not more:
        with pytest.raises(ValueError, match="数字来自 24 条，查询给出 30 条"):
            trace(store, found, "people", "甲", asked=asked_for(store, "2026-W46"))
    coded = trace(store, found, "people", "code:空调-运转-异响", ["空调-运转-异响"], asked=asked_for(store, "2026-W46", None, "异响", **more))
    assert coded["n"] == found.filter(found["codes"].list.len() > 0).height
