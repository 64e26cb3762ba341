"""Sentences about people and their journeys over their whole range."""

from __future__ import annotations

import itertools
import re
from datetime import date

import polars as pl
import pytest

from voc_lib.measure.analyses.customer import OWED, TIMELINE, Customer
from voc_lib.measure.analyses.effort import METRICS, PASSED_ON, REPEATED, WAIT
from voc_lib.measure.analyses.emotion import TURNS
from voc_lib.measure.analyses.escalations import TIMES
from voc_lib.measure.analyses.journeys import CASES
from voc_lib.measure.analyses.risk import CALIBRATION, FEWEST_EVENTS, LISTED, Risk
from voc_lib.measure.levels import Levels
from voc_lib.report.customer import say_customer
from voc_lib.report.effort import say_effort
from voc_lib.report.journeys import say_cases, say_climbs, say_posts_cases_people
from voc_lib.report.links import say_links, say_reasons, table_doubts, table_links
from voc_lib.report.moods import say_turns
from voc_lib.report.risk import say_risk

COUNTS = [0, 1, 9, 10, 1_234, 9_999, 10_000, 99_999_500, 3_000_000_000]
SIZES = [0, 1, 9, 10, 1_234, 10_000]  # of frames
SHARES = [0.0, 1e-6, 0.0004, 0.05, 0.5, 0.9996, 1.0]
LEVELS = Levels(("公开说", "找公司", "修"), {"forum": 0, "hotline": 1, "workshop": 2}, ("进店",), 7)
WHO = "kbcdefghmpqr" + "k" * 20


def rates(*rows):
    return pl.DataFrame([{"channel": f"c{at}", "n": n, "keyed": known, "person": known, "customer": known // 2, "person_share": known / n if n else None, "customer_share": known // 2 / n if n else None}
                         for at, (n, known) in enumerate(rows)], schema_overrides={"person_share": pl.Float64, "customer_share": pl.Float64})


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("part", [0, 0.0001, 0.5, 1])
@pytest.mark.parametrize("several", [0, 1])
def test_how_much_is_linked(good, n, part, several):
    known = int(n * part)
    sizes = pl.DataFrame({"feedback": ["1"], "people": [known], "several": [min(several, known)]})
    for table in (rates((n, known)), rates((n, known), (100, 0), (5, 0))):
        assert good(str(say_links(table, sizes))).endswith("。")


def test_what_is_linked_and_what_is_not_is_told_in_words():
    told = str(say_links(rates((800, 400), (200, 0)), pl.DataFrame({"feedback": ["1", "2"], "people": [100, 150], "several": [0, 120]})))
    assert told == "40% 的反馈认得出是谁，他们是 250 人，其中 120 人在两个以上渠道说过话。有 1 个渠道一个人也认不出：那里的同一个人会被当成几个人。"


@pytest.mark.parametrize("n", COUNTS[1:])
@pytest.mark.parametrize("kinds", [["phone"], ["phone", "order+phone<", "splink:w=8.1", "edit", "author:x", "vin"], []])
def test_on_what_the_links_rest(good, n, kinds):
    found = pl.DataFrame([{"reason": kind, "linked": True, "n": n} for kind in kinds] + [{"reason": "shared", "linked": False, "n": n}], schema={"reason": pl.String, "linked": pl.Boolean, "n": pl.Int64})
    assert good(str(say_reasons(found))).endswith("。") and good(str(say_reasons(found.filter("linked"))))


def test_tables_show_a_hash_and_never_a_key():
    doubts = pl.DataFrame({"key_type": ["phone", "author:microblog", "feedback"], "key_hash": ["a" * 32, "b" * 32, "c" * 32], "why": ["shared", "crowd", "conflict"], "customers": [2, 15, None], "feedback": [9, 17, None]})
    block = table_doubts(doubts)
    assert [row[0]["text"] for row in block.description["rows"]] == ["手机号", "微博账号", "反馈"] and block.description["rows"][0][0]["small"] == "aaaaaaaaaa…"
    assert table_doubts(doubts, 2).description["note"] == "共 3 个，列出反馈最多的 2 个。" and len(table_links(rates((10, 5))).description["rows"]) == 1
    assert table_doubts(doubts.clear()).description["kind"] == table_links(rates((1, 0)).clear()).description["kind"] == "note"


def table(schema, n, **columns):
    """`n` rows with the documented columns: a list, or one value for all; a column that is not given is null."""
    return pl.DataFrame({name: value if isinstance(value := columns.get(name), list) else [value] * n for name in schema}, schema=schema)


def people(n, among):
    """The persons of `n` rows, who are `among` people."""
    return [f"p{at % among}" for at in range(n)]


@pytest.fixture
def law(good):
    """The laws of a printed sentence and those of a page: it ends, names no group under ten by its size, and no share over all."""
    def lawful(sentence):
        text = good(str(sentence))
        assert text.endswith("。") and not re.search(r"(?<![\d,.～])[1-9] 人", text), text
        assert all(float(share) <= 100 for share in re.findall(r"([\d.]+)%", text)), text
        return text
    return lawful


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("among", [1, 9, 10, 10_000])
def test_how_many_matters_the_posts_are(law, n, among):
    for most, unknown in itertools.product(COUNTS[1:], (0, 10_000)):
        told = table(CASES, n, person_id=people(n, among), posts=[1] * (n - 1) + [most] if n else [])
        assert law(say_cases(pl.DataFrame({"person_id": people(n, among) + [None] * unknown}, schema={"person_id": pl.String}), told))


def test_posts_matters_and_people_and_what_is_left_over():
    cases = table(CASES, 1_234, person_id=people(1_234, 600), posts=2)
    assert str(say_cases(pl.DataFrame({"person_id": people(9_000, 700) + [None] * 3_345}), cases)) == (
        "1.2万 条反馈里，9,000 条认得出是谁；其中 2,468 条归成 1,234 件事，属于 600 人。其余的说不出是哪件事，或认不出是谁，不在这一页里。")
    assert str(say_cases(pl.DataFrame({"person_id": people(18, 9)}), table(CASES, 9, person_id=people(9, 9), posts=2))) == (
        "18 条反馈里，18 条认得出是谁；其中 18 条归成 9 件事，属于不足10人。")


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("among", [1, 9, 10, 10_000])
@pytest.mark.parametrize("reached", [0, 1, None])
def test_which_matters_go_up(law, n, among, reached):
    told = table(CASES, n, person_id=people(n, among), started=None if reached is None else 0, reached=reached)
    for share in [*SHARES, None]:
        ends = {"share": share, "share_low": None if share is None else share / 2, "share_high": None if share is None else (1 + share) / 2}
        for known in (ends, ends | {"share_low": None, "share_high": None}):
            times = table(TIMES, 2, level=[0, 1], title=["公开说", "找公司"], people=3_000_000_000, **known)
            assert law(say_climbs(told, times)) and law(say_climbs(told, times.clear()))


def test_every_level_says_how_many_go_on_within_thirty_days():
    cases = table(CASES, 18, person_id=people(15, 12) + ["q1", "q2", "q3"], started=[0] * 15 + [1, 1, None], reached=[1] * 15 + [1, 1, None])
    times = table(TIMES, 3, title=["公开说", "找公司", "修"], share=[0.05, 0.0002, None], share_low=[0.03, 0.0, None], share_high=[0.09, 0.004, None])
    assert str(say_climbs(cases, times)) == "15 件走到更高一级，12 人。公开说的事，30 天内 5%（3%～9%）走到更高一级；找公司的事，30 天内 <0.1%（0%～0.4%）走到更高一级。"


COUNTED = {"code": pl.String, "posts": pl.Int64, "cases": pl.Int64, "people": pl.Int64, "climbed": pl.Int64}


@pytest.mark.parametrize("n", [*COUNTS[3:], None])
@pytest.mark.parametrize("times", [1, 1.5, 3])
def test_loud_posts_and_the_people_behind_them(law, n, times):
    few = table(COUNTED, 1, code="甲-乙-丙")
    one = table(COUNTED, 1, code="空调-运转-异响", people=n, cases=n, posts=None if n is None else int(n * times))
    for counted in (one, pl.concat([one, few]), pl.concat([few] * 9), few.clear()):
        assert law(say_posts_cases_people(counted))


def test_what_is_withheld_is_not_called_equal():
    counted = table(COUNTED, 3, code=["空调-运转-异响", "充电-速度-慢", "甲-乙-丙"], posts=[30_000, 12_340, None], cases=[12_000, 2_000, None], people=[10_000, 1_234, None])
    assert str(say_posts_cases_people(counted)) == "条数和人数差得最多的是充电·速度慢：1.2万 条反馈 ＝ 2,000 件事 ＝ 1,234 人。"
    assert str(say_posts_cases_people(counted.tail(1))) == "没有一个问题有 10 人以上，条数和人数不作比较。"
    assert str(say_posts_cases_people(counted.with_columns(posts="people", cases="people"))) == "有 10 人以上的问题都是一人一条，条数和人数没有差别。"


def turned(**columns):
    return table(TURNS, 1, **({"step": 3, "before": 0.05, "after": -0.53, "share": 1.0, "earliest": 3, "latest": 3} | columns))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("share", SHARES)
def test_where_the_mood_turns(law, n, share):
    walked = pl.DataFrame({"person_id": people(n, 10_000)}, schema={"person_id": pl.String})
    assert law(say_turns(None, walked)) and law(say_turns(turned().clear(), walked))
    for step, (before, after, later) in itertools.product((2, 9, 10, 1_234, 9_998), ((-1.0, 1.0, 0), (0.0, -0.001, 1), (0.501, 0.502, 0))):
        one = turned(step=step, before=before, after=after, share=share, earliest=step, latest=step + later)
        text = law(say_turns(pl.concat([one, one]), walked))
        assert "−0.00" not in text and ("位置很稳" not in text or "不够稳" not in text) and text.count("转好" if after > before else "转坏") == 2


def test_a_turn_says_which_way_and_how_sure():
    walked = pl.DataFrame({"person_id": people(1_234, 1_234)})
    told = pl.concat([turned(share=0.9999), turned(step=6, before=-0.53, after=0.4, share=0.6, earliest=5, latest=6), turned(step=9, before=0.402, after=0.404, share=0.0, earliest=9, latest=9)])
    assert str(say_turns(told, walked)) == (
        "1,234 人的情绪第 3 步转坏（0.05 → −0.53；重抽 >99.9% 仍在此处上下一步之内，位置很稳），第 6 步转好（−0.53 → 0.40；重抽 60% 仍在此处上下一步之内，第 5～6 步之间，不够稳，只作线索），"
        "第 9 步转好（都在 0.40 上下，相差不到 0.01；重抽 0% 仍在此处上下一步之内，不够稳，只作线索）。观点由模型判断，未经人工抽检。")
    assert str(say_turns(None, walked.head(1))) == "这位客户判断得出情绪的不足 6 次，看不出情绪在哪里拐弯。"


EFFORT = {"metric": pl.String, "estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "people": pl.Int64}


def cost(metric, value, low=None, high=None, people=20):
    return table(EFFORT, 1, metric=metric.label, estimate=value, conf_low=low, conf_high=high, people=people)


@pytest.mark.parametrize("people", [*COUNTS, None])
@pytest.mark.parametrize("share", [*SHARES, None])
def test_what_it_costs_to_be_heard(law, people, share):
    for minutes, known in itertools.product((0.0, 0.04, 2.5, 99.97, 1_234.5, 12_345.6, None), (True, False)):
        ends = [(value - 0.1 * known, value * 1.5) if known and value is not None else () for value in (minutes, share)]
        ends[1] = (share / 2, (1 + share) / 2) if ends[1] else ()
        told = [cost(WAIT, minutes, *ends[0], people=people), cost(PASSED_ON, share, *ends[1], people=people), cost(REPEATED, share, *ends[1], people=9)]
        for part in (told, told[:1], told[1:], told[2:]):
            text = law(say_effort(pl.concat(part)))
            assert people is not None and people > 9 or not re.search(r"[\d.]+ 分钟|%", text)


def test_effort_of_few_people_is_withheld_and_what_is_missing_is_named():
    found = pl.concat([cost(WAIT, 123.4, -5.0, 1_300.2), cost(PASSED_ON, 0.25, people=1_234), cost(REPEATED, 0.5, 0.2, 0.8, people=9)])
    assert str(say_effort(found)) == "来电的人，平均等 123 分钟（0.0～1,300）；被转接过的占 25%（给不出区间）。记录不足10人，不单列：同一件事再来电的人。"
    assert str(say_effort(found.tail(2))) == "来电的人，被转接过的占 25%（给不出区间）。导出里没有：等待分钟。记录不足10人，不单列：同一件事再来电的人。"
    assert str(say_effort(found.tail(1))) == "有等待、转接或再来电记录的人不足10人，不说他们费了多少力。" and len(METRICS) == 3


def risky(verdict, outcome="climb", **figures):
    usual = {"taught": 40, "events": 30, "skill": 0.1, "skill_low": 0.02, "skill_high": 0.2, "auc": 0.714}
    return Risk(outcome, verdict, table(LISTED, 0), table(CALIBRATION, 0), usual | figures)


@pytest.mark.parametrize("outcome", ["climb", "churn"])
@pytest.mark.parametrize("skill", [-12.5, -1.0, -0.3, -1e-6, 0.0, *SHARES[1:]])
@pytest.mark.parametrize("auc", [0.0, 0.4999, 1.0, float("nan"), None])
def test_whether_a_list_is_better_than_none(law, outcome, skill, auc):
    for verdict in ("better", "no_better"):
        text = law(say_risk(risky(verdict, outcome, skill=skill, skill_low=skill - 0.5, skill_high=min(skill + 0.5, 1.0), auc=auc)))
        assert "−" not in text and "+" not in text


@pytest.mark.parametrize("taught", COUNTS)
def test_too_little_to_learn_from(law, taught):
    for events in COUNTS:
        assert f"至少分别要 {FEWEST_EVENTS} 次" in law(say_risk(risky("too_few", taught=taught, events=events)))


def test_the_skill_is_told_in_words():
    assert str(say_risk(risky("no_better", "churn", skill=-0.031, skill_low=-1.2, skill_high=0.0004))) == (
        "流失：不比平均好。用较早的日子学、较新的日子检验：布里尔分数（Brier）与只报平均相比差 3.1%（差一倍以上～好 <0.1%），排序 AUC 0.71。下面的名单只能当作随手抽查，不能当作谁更危险。")
    assert str(say_risk(risky("too_few", taught=1_234, events=3))) == "走到更高一级的太少，不建模型：可学的旧日子里 1,234 次，可检验的新日子里 3 次，至少分别要 20 次和 10 次。"


def person(waited, known=True, n=1, code="空调-运转-异响"):
    waiting = table(OWED, n, person_id=WHO, code=code, last_at=date(2026, 9, 1), waited=waited, overdue=max(waited - LEVELS.owed_days, 0))
    return Customer(WHO, date(2026, 11, 1), known, table(TIMELINE, 0), table(CASES, n, person_id=WHO), waiting, {})


@pytest.mark.parametrize("waited", COUNTS)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("n", [0, 1, 1_234])
def test_what_one_customer_waits_for(law, waited, known, n):
    for code in ("空调-运转-异响", "未归类", "价格-价格-评价"):
        text = law(say_customer(person(waited, known, n, code), LEVELS))
        assert WHO not in text and WHO[:12] in text and ("已超过" in text) == (n > 0 and waited > 7)


def test_who_waits_how_long():
    assert str(say_customer(person(1_234), LEVELS)) == "化名 kbcdefghmpqr，客户档案里的客户。等得最久的是空调·运转异响：9月1日说完，到现在 1,234 天没有下文，已超过 7 天的期限 1,227 天。"
    assert str(say_customer(person(0, known=False), LEVELS)) == "化名 kbcdefghmpqr，档案里没有的人。等得最久的是空调·运转异响：9月1日说完，当天还没有下文，还在 7 天的期限内。"
