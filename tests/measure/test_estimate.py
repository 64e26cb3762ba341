"""Numbers one can check with a pencil, and what the door says."""

import json

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.estimate import estimate


def test_share_is_of_people_not_of_posts(rows):
    frame = rows("""
        person  codes  times
        a       刹车   4
        b       .      15
    """)
    again = pl.concat([frame, frame.filter(pl.col("person") == "a0").with_columns(feedback_id=pl.lit("x"))])
    row = estimate(again, "code_share").row(0, named=True)
    # 4 of 19 people, said in 20 posts
    assert row["estimate"] == pytest.approx(4 / 19) and row["n"] == 20 and row["people"] == 19
    assert row["std_error"] == pytest.approx(np.sqrt(4 / 19 * 15 / 19 / 18))
    assert row["effective_n"] == pytest.approx(19)


def test_every_code_is_measured_against_all_people_heard(rows):
    frame = rows("""
        person  codes      times
        a       刹车       20
        b       刹车,异响  10
        c       .          10
    """)
    table = estimate(frame, "code_share", by="code")
    assert table["code"].to_list() == ["刹车", "异响"]
    assert table["estimate"].to_list() == [0.75, 0.25]
    assert table["people"].to_list() == [30, 10] and table["n"].to_list() == [40, 40]
    # Wilson 10 of 40
    assert table["conf_low"][1] == pytest.approx(0.1419, abs=1e-4) and table["conf_high"][1] == pytest.approx(0.4019, abs=1e-4)


def test_counts_by_code(rows):
    frame = rows("""
        person  codes      times
        a       刹车       11
        b       刹车,异响  10
    """)
    frame = pl.concat([frame, frame.head(3).with_columns(pl.col("feedback_id") + "again")])
    assert estimate(frame, "people", by="code")["estimate"].to_list() == [21, 10]
    volume = estimate(frame, "volume", by="code").row(0, named=True)
    # 3 people wrote twice: variance 3 * 4 + 18 = 30
    assert volume["estimate"] == 24 and volume["std_error"] == pytest.approx(np.sqrt(30)) and volume["people"] == 21


def test_several_ratings_of_one_person_are_averaged_and_nan_is_no_answer(rows):
    frame = rows("""
        person  rating  rating_scale
        a       1       5
        a       5       5
        b       10      10
        c       -       5
        d       nan     5
        e       4       -
    """)
    row = estimate(frame, "mean_rating").row(0, named=True)
    assert row["estimate"] == 4.0 and row["people"] == 2 and row["n"] == 3  # (3 + 5) / 2
    assert estimate(frame, "low_rating_share")["estimate"].item() == 0.25  # (1/2 + 0) / 2


def test_people_in_one_thread_count_for_less(rows):
    together = rows("""
        person  codes  thread  times
        a       刹车   t1      10
        b       .      t2      10
        c       刹车   t3      10
        d       .      t4      10
    """)
    apart = together.with_columns(thread=pl.col("feedback_id"))
    close, free = (estimate(frame, "code_share").row(0, named=True) for frame in (together, apart))
    # 4 threads with z = +-5/40: V = 4/3 * 4 * (5/40)^2 = 1/12; V_person - V_pair cancel
    assert close["std_error"] == pytest.approx(np.sqrt(1 / 12)) and close["estimate"] == free["estimate"] == 0.5
    assert close["effective_n"] == pytest.approx(40 * (0.25 / 39) / (1 / 12)) and free["effective_n"] == 40
    assert close["conf_low"] < free["conf_low"] and close["conf_high"] > free["conf_high"]


def test_a_person_in_two_threads_is_split_over_them(rows):
    frame = rows("""
        person  rating  thread
        a       1       t1
        a       5       t2
        b       1       t1
        c       5       t2
    """)
    row = estimate(frame, "mean_rating").row(0, named=True)
    # a = 3; mean 3. People: z = 0, -2/3, 2/3, V = 3/2 * 8/9 = 4/3. Threads: z = -1, 1, V = 2 * 2 = 4.
    # Pairs: z = -1/3, 1/3, -2/3, 2/3, V = 4/3 * 10/9. Two-way 4/3 + 4 - 40/27
    assert row["estimate"] == 3 and row["std_error"] == pytest.approx(np.sqrt(4 / 3 + 4 - 40 / 27))


@pytest.mark.parametrize(("codes", "share"), [("刹车", 1.0), (".", 0.0)])
def test_none_and_all_have_sensible_intervals(rows, codes, share):
    row = estimate(rows(f"person codes times\n a {codes} 20"), "code_share").row(0, named=True)
    inner = row["conf_high"] if share == 0 else 1 - row["conf_low"]
    assert row["estimate"] == share and row["std_error"] == 0 and inner == pytest.approx(0.1611, abs=1e-4)


def test_identical_ratings_give_no_interval_and_say_so(rows):
    row = estimate(rows("person rating times\n a 5 12"), "mean_rating").row(0, named=True)
    assert row["conf_low"] is None and "给不出区间" in row["note"]


def test_weights_count_people_by_their_weight(rows):
    frame = rows("person codes times\n a 刹车 1\n b . 1").with_columns(w=pl.Series([1.0, 3.0]))
    row = estimate(frame, "code_share", weights="w").row(0, named=True)
    assert row["estimate"] == 0.25 and row["kind"] == "weighted"
    assert estimate(frame, "people", weights="w")["estimate"].item() == 4
    unweighted = frame.with_columns(w=pl.Series([None, 3.0]))
    assert estimate(unweighted, "people", weights="w")["people"].item() == 1
    with pytest.raises(ValueError, match="负数或无效值"):
        estimate(frame.with_columns(w=-pl.col("w")), "people", weights="w")


def test_small_groups_show_nothing_but_their_name(rows):
    frame = rows("""
        person  region  times
        a       北京    10
        b       西藏    9
        c       -       10
    """)
    table = estimate(frame, "people", by="region")
    assert table["region"].to_list() == ["北京", "西藏", None]
    hidden = table.row(1, named=True)
    figures = ["estimate", "std_error", "conf_low", "conf_high", "n", "people", "effective_n", "linked_share"]
    assert all(hidden[name] is None for name in figures) and hidden["note"] == "不足10人，不单列"
    assert estimate(frame.filter(pl.col("region") == "西藏"), "people")["estimate"].item() == 9


def test_missing_authors_and_links_are_told(rows):
    frame = rows("person author_key times\n a k 30\n b - 10").with_columns(customer_id=pl.lit(None, pl.String))
    frame = frame.with_columns(pl.when(pl.col("person") == "a0").then(pl.lit("c1")).alias("customer_id"))
    row = estimate(frame, "people").row(0, named=True)
    assert row["note"] == "25%的反馈无作者标识，按条计" and row["linked_share"] == 1 / 40


def test_provenance_opens_the_number(rows):
    row = estimate(rows("person\n a"), "people", provenance={"store": "real", "snapshot": "s1", "filter": {"period": "2020-W24"}})
    told = json.loads(row["provenance"].item())
    assert told["store"] == "real" and told["filter"] == {"period": "2020-W24"} and told["metric"] == "people"
    assert told["definition"] and told["base"]


def test_the_door_answers_in_chinese(rows):
    frame = rows("person\n a")
    with pytest.raises(ValueError, match="没有这一列。是否想写「region」？"):
        estimate(frame, "people", by="regoin")
    with pytest.raises(ValueError, match="分组列重复"):
        estimate(frame, "people", by=["region", "region"])
    with pytest.raises(ValueError, match="缺少列：rating_scale"):
        estimate(frame.drop("rating_scale"), "mean_rating")
    with pytest.raises(ValueError, match="现有的列"):
        estimate(frame.with_columns(n=pl.lit(1)), "people", by="n")


@pytest.mark.parametrize("by", [None, "region", "code", ["region", "code"]])
@pytest.mark.parametrize("metric", ["code_share", "people", "mean_rating"])
def test_nothing_in_gives_no_rows_and_the_same_columns(rows, by, metric):
    full = estimate(rows("person codes rating region\n a 刹车 3 北京"), metric, by=by)
    empty = estimate(rows("person codes rating region\n a 刹车 3 北京").clear(), metric, by=by)
    assert empty.height == 0 and empty.schema == full.schema


def test_a_column_called_group_is_just_a_column(rows):
    frame = rows("person times\n a 20").with_columns(group=pl.lit("x"), slice=pl.lit(7), total=pl.lit("y"))
    assert estimate(frame, "people", by=["group", "slice", "total"]).row(0)[:4] == ("people", "x", 7, "y")


def test_columns_without_any_value_are_no_obstacle(rows):
    frame = rows("person times\n a 12").with_columns(
        codes=pl.lit([]), rating=pl.lit(None), region=pl.lit(None), customer_id=pl.lit(None)
    )
    assert estimate(frame, "code_share")["estimate"].item() == 0
    assert estimate(frame, "code_share", by="code").height == estimate(frame, "mean_rating").height == 0
    assert estimate(frame, "people", by="region")["people"].to_list() == [12]
