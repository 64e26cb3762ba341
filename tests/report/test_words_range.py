"""Every generated sentence over its whole range: 0, 1, few, huge, missing, suppressed; nothing of the machine shows, nobody is named by number."""

import itertools
import math
import re

import polars as pl
import pytest

from voc_lib.report.actions import table_follow_up
from voc_lib.report.blocks import card
from voc_lib.report.findings import place_words, rate_words
from voc_lib.report.sentences import say_change, say_mover, say_movers, say_year
from voc_lib.report.words import VERDICTS

COUNTS = [0.0, 1.0, 9.0, 10.0, 19.0, 20.0, 21.0, 59.0, 60.0, 9_999.0, 10_000.0, 12_345.0, 99_999_500.0, 3e9]
SHARES = [0.0, 1e-6, 0.0004, 0.05, 0.5, 0.9996, 1.0]
JUDGED = ("rise", "fall", "within_error", "too_small")


def direction(text: str, now: float, then: float) -> None:
    """The words and the signs say which way it went, and never the other."""
    up, down = re.search(r"[高多] [\d<,.]+|\+\d", text), re.search(r"[低少] [\d<,.]+|−\d", text.split("区间")[0])
    assert not (up and now < then) and not (down and now > then), (text, now, then)


def row(metric, now, then, verdict, **more):
    missing = now is None or then is None
    return pl.DataFrame([{"metric": metric, "estimate": now, "baseline": then, "difference": None if missing else now - then, "conf_low": None if missing else now - then - abs(now - then) / 2,
                          "conf_high": None if missing else now - then + abs(now - then) / 2, "verdict": verdict, "note": more.get("note", "")}],
                        schema_overrides={name: pl.Float64 for name in ("estimate", "baseline", "difference", "conf_low", "conf_high")})


def compared(values):
    """(now, then, verdict) such as `compare` gives: a rise is a rise."""
    for now, then in itertools.product(values, repeat=2):
        if now != then:
            yield now, then, "rise" if now > then else "fall"
            yield now, then, "too_small"
        yield now, then, "within_error"


@pytest.mark.parametrize("metric, values", [("people", COUNTS), ("volume", COUNTS), ("low_rating_share", SHARES), ("mean_rating", [0.0, 0.01, 1.0, 3.333, 5.0])])
def test_a_change_in_words(good, metric, values):
    for now, then, verdict in compared(values):
        text = good(str(say_change(row(metric, now, then, verdict))))
        assert text.endswith("。") and len(text) < 90
        direction(text, now, then)
        assert ("环比" in text) == (metric in ("people", "volume") and verdict not in ("within_error",) and then >= 20 and now / then < 3), text
        assert ("百分点" in text) == (metric == "low_rating_share" and verdict != "within_error")
        shown = card("甲", row(metric, now, then, verdict))
        good(shown["text"] + shown["before"])
        assert shown["change"] == VERDICTS[verdict] and shown["change"][0] in "↑↓≈"


@pytest.mark.parametrize("note", ["不足10人，不单列", "两期都没有可用的回答", "本期4天有数据，上一期3天"])
def test_what_is_missing_or_suppressed_in_words(good, note):
    for metric in ("people", "low_rating_share", "mean_rating"):
        for now, then in ((None, None), (None, 0.5), (0.5, None)):
            good(str(say_change(row(metric, now, then, "suppressed", note=note))))


def test_a_year_in_words(good):
    for now, then, verdict in compared(COUNTS):
        text = good(str(say_year(row("people", now, then, verdict), "2025-W46")))
        direction(text, now, then)
        assert "环比" not in text and ("同比 " in text) == (verdict != "within_error" and then >= 20 and now / then < 3), text
        assert not re.search(r"(?<!\d)[1-9] 人(?!的)", text.split("，多")[0].split("，少")[0]), text
    for missing in (say_year(row("people", 5.0, None, "suppressed"), "2025-W46"), say_year(row("people", 5.0, 3.0, "rise"), None)):
        assert str(missing) == "没有去年同一周的数据，不作同比。"
    assert str(say_year(row("people", 644.0, 520.0, "rise"), "2025-W46")) == "去年同一周（2025年第46周）520 人，按两年都有的渠道，今年 644 人，多 124 人（同比 +24%）。"


def test_a_mover_in_words(good, mover):
    for people, past, unusual, verdict in itertools.product(COUNTS, COUNTS, ("above", "below", None), (*JUDGED, "suppressed")):
        for low, high in ((0.0, 5.0), (12.0, 12_345.0), (None, None)):
            one = mover(people=people, people_baseline=past, unusual=unusual, verdict=verdict, band_low=low, band_high=high, share=min(1.0, people / 1e5))
            text = good(str(say_mover(one)))
            assert text.endswith("。") and ("疑似" in text) == (unusual is not None and verdict != "suppressed"), text
            told = good(str(say_movers(pl.DataFrame([one | {"period": "2026-W46", "baseline_period": "2026-W45"}], strict=False))))
            assert not re.search(r"(?<![\d,.～])[1-9] 人", told), told
    good(str(say_mover(mover(people=None, share=None))))
    good(str(say_mover(mover(share=math.nan, band_low=math.nan))))


def test_a_rate_and_a_place_in_words(good):
    for rate in (0.0, 1e-4, 0.05, 1.25, 99.96, 100.0, 9_999.0):
        for base in ("vehicles", "app_users", "visits", "calls", "customers", "accounts", "新基数"):
            text = good(rate_words({"base": base, "rate": rate}))
            assert text.startswith("每万") and text.endswith(" 人") and (" 0.0 " not in text)
    assert rate_words({"base": None, "rate": None}) == ""
    for people, of, share, other in itertools.product((1, 9, 10, 123_456), (10, 123_456), SHARES, SHARES):
        text = good("".join(piece for piece, _ in place_words([{"column": "product", "value": "A7", "people": people, "of": of, "share": share, "share_elsewhere": other}])))
        assert text.startswith("疑似集中在产品「A7」") and "不等于原因" in text and not re.search(r"(?<!\d)[1-9] 人", text)


def test_earlier_actions_in_words(good):
    from datetime import date

    rows = [{"week": "2026-W44", "finding": "code:空调-运转-异响", "what": "查", "owner": owner, "date": day, "state": state, "result": "", "people_then": then, "people_now": now,
             "share_then": None, "share_now": None, "verdict": verdict, "why": "那一周没有"}
            for owner, day, state, then, now, verdict in itertools.product(("", "质量部"), (None, date(2026, 11, 15), date(2026, 12, 1)), ("open", "done", "dropped"), (0, 3, 12_345), (0, 40),
                                                                           ("rise", "fall", "within_error", "too_small", "suppressed", None))]
    frame = pl.DataFrame(rows, schema_overrides={"date": pl.Date, "share_then": pl.Float64, "share_now": pl.Float64})
    block = table_follow_up(frame, "2026-W46").description
    for told, cells in zip(rows, block["rows"], strict=True):
        good("".join(cell["text"] + cell.get("small", "") for cell in cells))
        assert (cells[2]["text"] == "逾期") == (told["state"] == "open" and told["date"] == date(2026, 11, 15))
        assert cells[3].get("small", "≈")[0] in "↑↓≈" or told["verdict"] in (None, "suppressed")
    good(block["caption"])
    assert "台账里还没有" in str(table_follow_up(frame.clear(), "2026-W46"))


@pytest.mark.parametrize("text", ["共 nan 条。", "共 None 条。", "有,人说。", "降了.好。", "低 −3 分。", "高 0.0 个百分点。", "低 0 个百分点。", "共 1234 条。", "共 12,345 条。", "共 12345 条。", "0.5万 人。", "10,000.0万 人。",
                                  "甲，，乙。", "说（完。", "差 3.1% 个百分点。", "，开头。"])
def test_the_laws_find_what_must_not_be_printed(good, text):
    with pytest.raises(AssertionError):
        good(text)


@pytest.mark.parametrize("text", ["2026年第46周 9,999 人，1.2万 条，3亿 次（95% 区间 1.0～5.2）。", "比上周低 3.1 个百分点。", "环比 −23%。", "kappa −0.10（−0.40～0.20）。"])
def test_the_laws_let_through_what_may(good, text):
    assert good(text) == text
