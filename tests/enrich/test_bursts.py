"""Terms that burst: counted by person, against a base with its own uncertainty, many at once."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from voc_lib.enrich.bursts import BREAK, find_bursts, spoken_words, terms_of
from voc_lib.enrich.domain import Domain

DOMAIN = Domain("auto", "车", ("auto",), (), ("烧机油",), ("的", "我们"))
USUAL = ("油耗", "座椅", "空间", "导航", "隔音", "外观")


def said(many: int, name: str, *new: list[str], stretch: int | None = None) -> pl.DataFrame:
    """`many` people who say one usual word each, and one more person for each list of `new`."""
    words = [[USUAL[at % len(USUAL)]] for at in range(many)] + list(new)
    rows = pl.DataFrame({"feedback_id": [f"{name}{at}" for at in range(len(words))], "words": words}, schema_overrides={"words": pl.List(pl.String)})
    return rows.with_columns(person=pl.col("feedback_id")) if stretch is None else rows.with_columns(person=pl.col("feedback_id"), stretch=pl.lit(stretch))


def before(many: int = 60, stretches: int = 6, *new: list[str]) -> pl.DataFrame:
    return pl.concat(said(many, f"b{at}-", *new, stretch=at) for at in range(stretches))


def test_words_stand_side_by_side_within_a_clause_and_without_masks():
    cut = spoken_words(["〔手机号〕烧机油的车,方向盘抖动", None, "方向盘抖动"], DOMAIN)
    assert cut == [["烧机油", BREAK, "方向盘", "抖动"], [], ["方向盘", "抖动"]]
    frame = pl.DataFrame({"words": cut}, schema={"words": pl.List(pl.String)})
    assert terms_of(frame)["terms"].to_list() == [["烧机油", "方向盘", "抖动", "方向盘抖动"], [], ["方向盘", "抖动", "方向盘抖动"]]


def test_a_word_nobody_knew_bursts_and_the_usual_ones_do_not():
    found = find_bursts(said(60, "w", *[["方言包"]] * 15), before())
    assert found["term"].to_list() == ["方言包"] and found["people"].to_list() == [15]
    # Half a person in 6 x 60 heard, at 75 heard now.
    assert found["expected"].item() == pytest.approx(0.5 * 75 / 360)


def test_the_tail_is_the_negative_binomial_of_the_base():
    # 12 people in six calm stretches of 62 heard, 30 of 90 now: mean 12.5 x 90/372, variance 1.5 (mean + 12.5 x (90/372)^2).
    found = find_bursts(said(60, "w", *[["方言包"]] * 30), before(60, 6, ["方言包"], ["方言包"]))
    mean, spread = 12.5 * 90 / 372, 12.5 * (90 / 372) ** 2
    variance = 1.5 * (mean + spread)
    assert found["phi"].item() == 1.5
    assert found["p_value"].item() == pytest.approx(stats.nbinom.sf(29, mean**2 / (variance - mean), mean / variance), rel=1e-6)


def test_one_loud_person_and_a_copied_text_count_once():
    loud = said(60, "w", *[["方言包"]] * 15).with_columns(person=pl.when(pl.col("words").list.contains("方言包")).then(pl.lit("loud")).otherwise("person"))
    assert find_bursts(loud, before()).is_empty()
    copied = said(60, "w", *[["方言包"]] * 15).with_columns(duplicate_of=pl.when(pl.col("words").list.contains("方言包") & (pl.col("feedback_id") != "w60")).then(pl.lit("w60")))
    assert find_bursts(copied, before()).is_empty()
    assert find_bursts(copied, before(), repeats_once=False)["people"].to_list() == [15]


def test_a_term_whose_weeks_swing_is_not_news_when_it_swings_again():
    swings = pl.concat(said(60, f"b{at}-", *[["雪地"]] * (14 if at % 3 == 0 else 0), stretch=at) for at in range(6))
    calm = pl.concat(said(60, f"b{at}-", *[["雪地"]] * (5 if at % 3 else 4), stretch=at) for at in range(6))
    now = said(60, "w", *[["雪地"]] * 30)
    assert find_bursts(now, swings).is_empty()
    assert find_bursts(now, calm)["term"].to_list() == ["雪地"]


def test_four_people_and_twice_the_usual_are_no_burst():
    assert find_bursts(said(200, "w", *[["方言包"]] * 4), before(2000)).is_empty()
    assert find_bursts(said(600, "w", *[["方言包"]] * 90), before(600, 6, *[["方言包"]] * 40)).is_empty()


def test_what_comes_every_year_is_left_out():
    now, year_ago = said(60, "w", *[["暖风"]] * 15), said(60, "y", *[["暖风"]] * 12, stretch=0)
    assert find_bursts(now, before())["term"].to_list() == ["暖风"]
    assert find_bursts(now, before(), year_ago).is_empty()
    assert find_bursts(now, before(), said(60, "y", stretch=0))["term"].to_list() == ["暖风"]


def test_a_channel_that_became_louder_does_not_make_its_words_new():
    quiet, loud = (said(60, name).with_columns(channel=pl.lit("forum")) for name in ("w", "b"))
    calls = [["工单"]] * 3
    base = pl.concat([pl.concat([loud.with_columns(pl.format("{}-{}", "feedback_id", pl.lit(at)).alias("feedback_id"), stretch=pl.lit(at)),
                                 said(0, f"h{at}-", *calls, stretch=at).with_columns(channel=pl.lit("hotline")).select("feedback_id", "words", "person", "channel", "stretch")])
                      for at in range(6)])  # fmt: skip
    now = pl.concat([quiet, said(0, "n", *[["工单"]] * 30).with_columns(channel=pl.lit("hotline"))])
    assert find_bursts(now.drop("channel"), base.drop("channel"))["term"].to_list() == ["工单"]
    assert find_bursts(now, base).is_empty()


def test_weeks_in_which_nothing_happens_are_quiet():
    lots = np.random.default_rng(5)
    share = 1 / np.arange(2, 402)  # as words are: a few common, most rare
    alarms = 0
    for _ in range(20):
        weeks = [pl.DataFrame({"feedback_id": [f"{at}-{one}" for one in range(150)], "words": [[f"词{k}" for k in lots.choice(400, 6, p=share / share.sum())] for _ in range(150)]})
                 .with_columns(person=pl.col("feedback_id"), stretch=pl.lit(at)) for at in range(9)]
        alarms += find_bursts(weeks[-1].drop("stretch"), pl.concat(weeks[:-1])).height
    assert alarms == 0


def test_no_base_no_burst():
    now = said(60, "w", *[["方言包"]] * 15)
    assert find_bursts(now, before().clear()).is_empty() and find_bursts(now.clear(), before()).is_empty()
    assert find_bursts(now, before().clear()).columns == find_bursts(now, before()).columns
