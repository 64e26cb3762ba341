"""Every public `say_` function over its whole range: 0, 1, few, huge, missing, suppressed. One without a case here, or in another test_words file, fails."""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
import re
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

import voc_lib.measure
import voc_lib.report

SIZES = [0, 1, 9, 10, 1_234, 12_345]
COUNTS = [0, 1, 9, 10, 9_999, 10_000, 12_345, 99_999_500, 3_000_000_000]
SHARES = [0.0, 1e-6, 0.0004, 0.05, 0.5, 0.9996, 1.0]
TITLES = {"hotline": "客服热线", "forum": "汽车论坛"}
FRAGMENTS = {"say_uneven"}  # a note, to which a full stop is added where it is shown
OF_ALL = {"say_coverage", "say_span"}  # how many people a page rests on is told, however few
CODE = "空调-运转-异响"
KNOWN_ELSEWHERE = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_words_*.py") if path != Path(__file__))


def functions() -> dict:
    """Every `say_` function of the rooms that write for a page, by name."""
    found = {}
    for room in (voc_lib.measure, voc_lib.report):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isfunction)
            found |= {name: made for name, made in members if name.startswith("say_") and made.__module__ == module.name}
    return found


SAY = functions()


def frame(rows: list[dict], **types) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None)


def feedback(n: int, **columns) -> pl.DataFrame:
    """`n` feedback of as many people; columns given are one value for all, or a function of the row's place."""
    usual = {"feedback_id": lambda at: f"f{at}", "person": lambda at: f"p{at}", "channel": "hotline", "author_key": None, "customer_id": None, "solicited": None,
             "iso_week": "2026-W46", "topic_id": None, "is_mapped": None, "codes": []} | columns
    made = {name: [value(at) if callable(value) else value for at in range(n)] for name, value in usual.items()}
    return pl.DataFrame(made, schema=dict.fromkeys(usual, pl.String) | {"solicited": pl.Boolean, "is_mapped": pl.Boolean, "codes": pl.List(pl.String)})


def feedbacks():
    """Frames of every size, by nobody known, by some and by customers, asked and not."""
    sometimes = {"a": lambda at: "a" if at % 2 else None, "c": lambda at: "c" if at == 0 else None}
    for n, author, customer, asked in itertools.product(SIZES, (None, sometimes["a"]), (None, sometimes["c"], "c"), (None, True)):
        yield feedback(n, author_key=author, customer_id=customer, solicited=asked, channel=lambda at: ("hotline", "forum", "新渠道")[at % 3])


CASES = {}


def case(made):
    """The sentences of one function, as `made` yields them; its name is that of the function without say_."""
    CASES[f"say_{made.__name__}"] = made
    return made


@case
def coverage(say):
    yield from (say(one, TITLES) for one in feedbacks())


@case
def silence(say):
    yield from (say(one) for one in feedbacks())


@case
def undated(say):
    for counts in ([], [0], [None], [1], [0, 9], *([n, n] for n in COUNTS)):
        yield say(pl.DataFrame({"channel": ["hotline", "新渠道"][: len(counts)], "n": counts}, schema={"channel": pl.String, "n": pl.Int64}), TITLES)


@case
def dates(say):
    for n, some in itertools.product(SIZES, (0, 1, 2)):
        yield say(feedback(n, iso_week=lambda at: "undated" if some == 2 or some == 1 and at % 2 else "2026-W46"))


@case
def top_codes(say):
    for shares in ([], [None], *([share, share, None, 0.3, 0.2] for share in SHARES)):
        yield say(pl.DataFrame({"code": [f"空调-运转-异响{at}" for at in range(len(shares))], "estimate": shares}, schema={"code": pl.String, "estimate": pl.Float64}))


@case
def freshness(say):
    for states in ([], *itertools.product(("fresh", "stale", "undated", "empty"), repeat=3)):
        yield say(pl.DataFrame({"channel": ["hotline", "forum", "新渠道"][: len(states)], "state": list(states)}, schema={"channel": pl.String, "state": pl.String}), TITLES)


@case
def quarantine(say):
    for read, refused in itertools.product((*COUNTS, None), repeat=2):
        yield say(pl.DataFrame({"rows_read": [read], "rows_quarantined": [refused]}, schema={"rows_read": pl.Int64, "rows_quarantined": pl.Int64}))
    yield say(pl.DataFrame(schema={"rows_read": pl.Int64, "rows_quarantined": pl.Int64}))


@case
def removed(say):
    shares = ("rows_share", "deleted_share", "kept_share", "gone_share", "whole_share", "difference")
    types = dict.fromkeys(shares, pl.Float64) | {"product": pl.String}
    for tilt, gone, kept, product in itertools.product(("more", "fewer", "too_small", "within_error", "suppressed"), (None, *SHARES), SHARES, (None, "A7")):
        one = dict.fromkeys(shares[:2], gone) | dict.fromkeys(shares[2:], None if tilt == "suppressed" else kept) | {"channel": "hotline", "product": None, "tilt": tilt}
        parts = [one | {"product": name, "tilt": tilt} for name in (product, product and "S5") if name]
        yield say(frame([one, *parts], **types), TITLES)
    yield say(frame([one], **types).clear())


@case
def late(say):
    types = {"late": pl.Int64, "late_share": pl.Float64}
    for count, share in itertools.product(COUNTS, (None, *SHARES)):
        rows = [{"channel": name, "late": None if share is None else count, "late_share": share} for name in ("hotline", "forum", "甲", "乙", "丙", "丁")]
        yield say(frame(rows, **types), TITLES)
        yield say(frame(rows, **types).clear(), TITLES)


@case
def bases(say):
    types = {"in_use": pl.Float64, "people": pl.Int64, "estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "base": pl.String}
    for rate, base in itertools.product((None, 0.0, 1e-4, 0.05, 1.25, 99.96, 100.0, 1_234.0, 10_000.0), ("vehicles", "app_users", "visits", "calls", "customers", "accounts", "新基数", None)):
        rows = [{"channel": "hotline", "base": base, "in_use": None if rate is None else 1e6, "people": 20, "estimate": rate, "conf_low": rate, "conf_high": rate},
                {"channel": "新渠道", "base": base, "in_use": None, "people": None, "estimate": None, "conf_low": None, "conf_high": None}]
        yield from (say(frame(rows[:n], **types), TITLES) for n in (1, 2) if base or rate is None)


@case
def opinions(say):
    types = {"labels": pl.Int64, "estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "heard": pl.Float64, "n": pl.Int64}
    for labels, share, metric, raw in itertools.product(COUNTS, SHARES, ("negative_share", "positive_share", "neutral_share", "mixed_share", "code_precision"), (0, 1, 3)):
        known = labels >= 10
        rows = [{"channel": name, "metric": metric, "labels": labels if at >= raw else 0, "estimate": share, "conf_low": share if known and at >= raw else None,
                 "conf_high": share if known and at >= raw else None, "heard": 1 - share, "n": 3_000_000_000} for at, name in enumerate(("hotline", "forum", "新渠道"))]
        yield say(frame(rows, **types), TITLES)
    yield say(frame(rows, **types).clear())


@case
def channel_codes(say):
    types = dict.fromkeys(("estimate", "others", "difference"), pl.Float64)
    for verdict, share, other, many in itertools.product(("above", "below", "within_error", "too_small", "suppressed", "unread"), SHARES, (*SHARES, None), (1, 1_234)):
        told = {"estimate": share, "others": other, "difference": None if other is None else share - other}
        yield say(frame([{"code": CODE, "channel": "hotline", "verdict": verdict} | told] * many, **types), TITLES)
    yield say(frame([{"code": CODE, "channel": "hotline", "verdict": verdict} | told], **types).clear())


@case
def overlap(say):
    for rows in ([], *itertools.product([("hotline", "forum", None, "不给任何身份线索"), ("hotline", "新渠道", None, "不足10人，不单列"), ("forum", "新渠道", 3_000_000_000, "")], repeat=2)):
        yield say(pl.DataFrame(list(rows), schema={"channel": pl.String, "channel_other": pl.String, "both": pl.Int64, "note": pl.String}, orient="row"), TITLES)


@case
def crosstab(say):
    for verdict, apart, many, value in itertools.product(("above", "below", "within_error", "too_small", "suppressed"), (None, -0.5, 1e-6, 1.0), (1, 1_234), ("A7", None)):
        rows = [{"code": CODE, "product": value, "metric": "code_share", "verdict": verdict, "difference": apart}] * many
        yield say(frame(rows, difference=pl.Float64, product=pl.String), TITLES)
    yield say(frame(rows, difference=pl.Float64, product=pl.String).clear())


@case
def found(say):
    everyone = feedback(12_345)
    for n, drawn, every, skipped in itertools.product(SIZES, (0, 8), (0, 12_345), COUNTS):
        told, searched = everyone.head(n), everyone.head(max(n, every))
        lots = everyone.head(min(n, drawn)).with_columns(skipped_empty=pl.lit(skipped), skipped_template=pl.lit(skipped // 2))
        yield say(told, lots, searched, 渠道="hotline", 问题="", 词="异响", 选取="", 产品=["A7", "S5"])
        yield say(told, lots, searched)


@case
def ratings(say):
    ends = (0.0, 1.0, 2.5, 5.0)
    yield from (say([low, high]) for low, high in itertools.product(ends, ends) if low <= high)


@case
def selection(say):
    yield from (say(None, none) for none in ("", None))
    for asks in ("检索「异响 NOT 车机」", "渠道 hotline、forum、评分 0、2"):
        with patch("voc_lib.report.search.told_selection", lambda name, store, asks=asks: {"selection": name, "asks": asks}):
            yield say(None, "空调")


@case
def sources(say):
    yield from (say([{}] * n) for n in SIZES)


@case
def ledger(say):
    topics = pl.DataFrame({"topic_id": ["T1"]})
    for n, coded, mapped in itertools.product(SIZES, (None, lambda at: f"T{at}", "T1"), (None, True, False, lambda at: at % 2 == 0)):
        yield say(feedback(n, topic_id=coded, is_mapped=mapped if coded else None), topics)
    yield say(feedback(9), topics.clear())


@case
def span(say):
    for n, weeks, coded in itertools.product(SIZES, (["2026-W46"], ["2026-W35", "2026-W46"], ["2025-W46", "2026-W46"], ["undated"]), ([], ["车机"])):
        yield say(feedback(n, codes=coded, topic_id=lambda at: f"T{at}"), weeks)


@case
def model_changed(say):
    for total, moved in itertools.product((*COUNTS, None), repeat=2):
        if (moved or 0) <= (total or 0):
            yield say(pl.DataFrame({"before": [total], "moved_out": [moved]}, schema={"before": pl.Int64, "moved_out": pl.Int64}))
    yield say(pl.DataFrame(schema={"before": pl.Int64, "moved_out": pl.Int64}))


@case
def topics(say):
    for n, several in itertools.product(SIZES, (0, 1, 41, 1_234)):
        tree = pl.DataFrame({"node": range(several), "distance": [0.0] * several}, schema={"node": pl.Int64, "distance": pl.Float64})
        for place in (-1, 0, lambda at: at % 2 - 1):
            points = feedback(n).with_columns(topic=pl.Series([place(at) if callable(place) else place for at in range(n)], dtype=pl.Int64))
            yield say(feedback(n + 1), points, tree)


@case
def new_topics(say):
    types = {"known_code": pl.String, "people": pl.Int64, "expected": pl.Float64, "lift": pl.Float64}
    for people, expected, lift, many, note in itertools.product((*COUNTS,), (0.1, 2.5), (3.0, 9.2, 12_345.0), (1, 1_234), ("", "这些渠道之前的反馈太少，没有参与比较：客服热线")):
        one = {"name": "社区、团购", "people": people, "expected": expected, "lift": lift}
        for kinds in ([None], [CODE], [None, CODE]):
            yield say(frame([one | {"known_code": kind} for kind in kinds] * many, **types), note)
        yield say(frame([one | {"known_code": None}], **types).clear(), note)


@case
def queue(say):
    yield from (say(pl.DataFrame({"term": [f"说法{'甲乙丙丁'[at % 4]}" for at in range(n)]}, schema={"term": pl.String})) for n in SIZES)


@case
def agreement(say):
    types = {"system": pl.String, "kappa": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64}
    for n, kappa, share in itertools.product(COUNTS, (None, -1.0, -0.001, 0.0, 0.41, 1.0), SHARES):
        one = {"first": "甲", "second": "乙", "system": None, "n": n, "agree_share": share, "kappa": kappa, "conf_low": None if kappa is None else max(kappa - 0.3, -1.0), "conf_high": kappa}
        yield say(frame([one] * 2, **types))
    yield say(frame([one], **types).clear())


@case
def taught(say):
    schema = {"feedback_id": pl.String, "who": pl.String, "codes": pl.List(pl.String), "source": pl.String, "at": pl.String}
    for n, codes in itertools.product(SIZES, (1, 3, 5_000)):
        yield say(pl.DataFrame([(f"f{at}", "甲", [f"空调-运转-异响{'一二三四五'[at % 5] if codes > 1 else ''}"], "", "") for at in range(n)], schema=schema, orient="row"))


@case
def follow_up(say):
    for n, verdict, state in itertools.product(SIZES, ("rise", "fall", None), ("open", "done")):
        yield say(pl.DataFrame({"verdict": [verdict] * n, "state": [state] * n}, schema={"verdict": pl.String, "state": pl.String}))


@case
def uneven(say):
    yield from (say(days) for days in itertools.product((0, 1, 7, 365), repeat=2))


@pytest.mark.parametrize("name", sorted(SAY))
def test_every_sentence_reads_well_over_its_whole_range(good, name):
    if f"{name}(" in KNOWN_ELSEWHERE and name not in CASES:
        return
    assert name in CASES, f"{name} 没有取值范围：请在 CASES 里写上它从 0 到极大、缺失、不足10人时说什么"
    seen = 0
    for sentence in CASES[name](SAY[name]):
        text, seen = good(str(sentence)), seen + 1
        assert text and text.endswith("。") != (name in FRAGMENTS), text
        assert name in OF_ALL or not re.search(r"(?<![\d,.～])[1-9] 人", text), text
        assert all(float(share) <= 100 for share in re.findall(r"([\d.]+)%", text)), text
    assert seen > 2


def test_cases_are_of_functions_that_there_are():
    assert set(CASES) <= set(SAY) and len(SAY) > 30
