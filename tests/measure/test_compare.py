"""Verdicts on change: by hand, and the rate of false alarms."""

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.compare import compare


def test_two_shares_by_hand(week_of):
    now, then = week_of("2020-W11", {"刹车": 30}, silent=70), week_of("2020-W10", {"刹车": 10}, silent=90)
    row = compare(now, then, "code_share", "code").row(0, named=True)
    # pooled share .2: z = .2 / sqrt(.2 * .8 * 2 / 100) = 3.5355, p = .00041
    assert row["difference"] == pytest.approx(0.2) and row["p_value"] == pytest.approx(0.000407, abs=1e-6)
    assert row["std_error"] == pytest.approx(np.sqrt(0.21 / 99 + 0.09 / 99))
    # Newcombe's square and add: .3 in (.2189, .3958), .1 in (.0552, .1744)
    assert row["conf_low"] == pytest.approx(0.0899, abs=2e-4) and row["conf_high"] == pytest.approx(0.3058, abs=2e-4)
    assert (row["verdict"], row["dispersion"], row["note"]) == ("rise", 1.0, "未给历史数据，未计周间波动")
    assert (row["people"], row["people_baseline"], row["n"], row["n_baseline"]) == (30, 10, 100, 100)


def test_a_code_that_jumps_from_nobody_is_not_hidden(week_of):
    now, then = week_of("2020-W11", {"刹车": 15, "异响": 9}, silent=76), week_of("2020-W10", {"异响": 9}, silent=91)
    brakes, noise = compare(now, then, "code_share", "code").sort("code").rows(named=True)
    assert brakes["verdict"] == "rise" and brakes["people_baseline"] == 0 and brakes["baseline"] == 0
    assert noise["verdict"] == "suppressed" and noise["note"] == "不足10人，不单列"
    assert all(noise[name] is None for name in ("estimate", "baseline", "difference", "people", "p_value", "n"))
    # nine people do not burden the other's adjustment
    assert brakes["p_adjusted"] == brakes["p_value"]


def test_significant_but_small_is_too_small(week_of):
    now, then = week_of("2020-W11", {"刹车": 300}, silent=9700), week_of("2020-W10", {"刹车": 150}, silent=9850)
    assert compare(now, then, "code_share", "code")["verdict"].item() == "too_small"
    assert compare(now, then, "code_share", "code", floor=0.015)["verdict"].item() == "rise"


def test_counts_must_move_by_a_fifth_and_by_five(week_of):
    then = week_of("2020-W10", {}, silent=10000)
    assert compare(week_of("2020-W11", {}, silent=11000), then, "people")["verdict"].item() == "too_small"
    assert compare(week_of("2020-W11", {}, silent=12000), then, "people")["verdict"].item() == "rise"
    row = compare(week_of("2020-W11", {}, silent=12000), then, "people").row(0, named=True)
    assert row["std_error"] == pytest.approx(np.sqrt(22000))


def test_weeks_that_always_swing_raise_no_alarm(week_of):
    weeks = [week_of(f"2020-W{10 + at}", {"刹车": 10 + 20 * (at % 2)}, silent=90 - 20 * (at % 2)) for at in range(14)]
    now, then, history = weeks[-1], weeks[-2], pl.concat(weeks[:-1])
    assert compare(now, then, "code_share", "code")["verdict"].item() == "rise"
    row = compare(now, then, "code_share", "code", history=history).row(0, named=True)
    # every step of history has z^2 = 12.5; 12 steps, drawn to the prior
    assert row["verdict"] == "within_error" and 9 < row["dispersion"] < 12.5 and row["note"] == ""


def test_history_of_the_period_itself_and_undated_is_not_used(week_of):
    now, then = week_of("2020-W11", {"刹车": 30}, silent=70), week_of("2020-W10", {"刹车": 10}, silent=90)
    undated = then.with_columns(iso_week=pl.lit("undated"))
    row = compare(now, then, "code_share", "code", history=pl.concat([then, now, undated])).row(0, named=True)
    assert row["note"] == "历史不足3周，周间波动按经验值估计" and row["dispersion"] == 1.5
    with pytest.raises(ValueError, match="iso_week"):
        compare(now, then, "code_share", "code", history=then.drop("iso_week"))


def test_the_same_people_asked_twice_are_compared_with_themselves(rows):
    then = rows("person rating times\n a 1 40\n b 5 60").with_columns(iso_week=pl.lit("2020-W10"))
    # ten of b turn low; everybody else answers as before
    moved = pl.col("person").is_in([f"b{at}" for at in range(10)])
    now = then.with_columns(pl.when(moved).then(1.0).otherwise("rating").alias("rating"))
    strangers = now.with_columns(pl.col("person", "thread") + " other")
    tied, free = (compare(side, then, "low_rating_share").row(0, named=True) for side in (now, strangers))
    assert tied["shared_people"] == 100 and free["shared_people"] == 0
    # paired: the ten who moved are all there is, variance (.1 - .01) / 99
    assert tied["std_error"] == pytest.approx(np.sqrt(0.09 / 99)) and free["std_error"] == pytest.approx(np.sqrt(0.49 / 99))
    assert tied["verdict"] == "rise" and free["verdict"] == "within_error"
    assert tied["conf_low"] > free["conf_low"]


def test_shared_threads_are_counted_and_tie_the_periods(rows):
    text = "person thread rating times\n a t1 1 20\n b t2 5 20\n c t3 1 20\n d t4 5 20"
    then = rows(text)
    turned = pl.when(pl.col("thread") == "t2").then(1.0).otherwise("rating").alias("rating")
    now = rows(text).with_columns(pl.col("person") + " new", turned)
    row = compare(now, then, "low_rating_share").row(0, named=True)
    apart = compare(now.with_columns(pl.col("thread") + " new"), then, "low_rating_share").row(0, named=True)
    assert (row["shared_people"], row["shared_threads"], apart["shared_threads"]) == (0, 4, 0)
    # thread z now .0625, .0625, .0625, -.1875, then .125, -.125, .125, -.125: products .03125
    assert row["std_error"] ** 2 == pytest.approx(apart["std_error"] ** 2 - 2 * 4 / 3 * 0.03125)


def test_an_empty_period_is_not_judged(week_of):
    now = week_of("2020-W11", {"刹车": 30}, silent=70)
    for metric in ("code_share", "people", "mean_rating"):
        for table in (compare(now, now.clear(), metric, "code"), compare(now.clear(), now, metric, "code")):
            assert set(table["verdict"]) <= {"suppressed"} and table["p_value"].null_count() == table.height
    assert compare(now, now.clear(), "people")["note"].item() == "有一期没有可比的反馈，不下结论"
    assert compare(now.clear(), now.clear(), "people", "code").height == 0


def test_counts_over_unequal_periods_say_so(week_of):
    month = pl.concat([week_of(f"2020-W{week}", {}, silent=20) for week in (10, 11, 12, 13)])
    row = compare(week_of("2020-W14", {}, silent=20), month, "people").row(0, named=True)
    assert row["note"].startswith("两期长度不同（1周对4周）")


def test_false_alarms_stay_near_nominal_where_weeks_swing(noisy_weeks):
    ours, plain = [], []
    for seed in range(10):
        weeks = noisy_weeks(seed, weeks=14, groups=40, people=60, share=0.3, rho=0.03)  # phi = 2.8
        parts = {name[0]: part for name, part in weeks.partition_by("iso_week", as_dict=True).items()}
        now, then = parts["2019-W23"], parts["2019-W22"]
        ours.append(compare(now, then, "low_rating_share", "region", history=weeks)["p_value"])
        plain.append(compare(now, then, "low_rating_share", "region")["p_value"])
    rates = [(pl.concat(values) < 0.05).mean() for values in (ours, plain)]
    # 400 tests: 5 % with a standard error of 1.1 points
    assert 0.025 < rates[0] < 0.075
    assert rates[1] > 0.18


def test_a_real_jump_is_still_found_where_weeks_swing(noisy_weeks):
    weeks = noisy_weeks(1, weeks=14, groups=10, people=100, share=0.3, rho=0.01)
    jumped = (pl.col("iso_week") == "2019-W23") & (pl.col("region") == "g3") & (pl.int_range(pl.len()) % 10 < 7)
    weeks = weeks.with_columns(pl.when(jumped).then(1.0).otherwise("rating").alias("rating"))
    now, then = (weeks.filter(pl.col("iso_week") == week) for week in ("2019-W23", "2019-W22"))
    table = compare(now, then, "low_rating_share", "region", history=weeks)
    assert table.filter(pl.col("verdict") == "rise")["region"].to_list() == ["g3"]


def test_no_answer_in_either_period_is_said_not_raised(rows):
    unrated = rows("""
        person rating codes
        a      -      刹车
        b      -      .
    """)
    told = compare(unrated, unrated, "low_rating_share", history=unrated)
    assert (told["verdict"].item(), told["estimate"].item(), told["note"].item()) == ("suppressed", None, "两期都没有可用的回答")
    assert compare(unrated, unrated, "low_rating_share", by="region").height == 0


def test_a_share_of_few_is_not_published_by_being_compared(rows):
    many = rows("""
        person rating times
        a      1      12
        b      5      12
    """)
    few = rows("""
        person rating times
        c      1      6
    """)
    told = compare(few, many, "low_rating_share")
    assert told["verdict"].item() == "suppressed" and told["estimate"].item() is None and "不足10人" in told["note"].item()
