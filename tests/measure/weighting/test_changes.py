"""A change under stable selection: the same hidden tilt in both weeks, a drift, hand-countable ends, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from voc_lib.measure.weighting.changes import change_sensitivity
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.sensitivity import sensitivity
from voc_lib.measure.weighting.weights import calibrate


def week(seed, better=0.0, odds=3.0, size=60_000):
    """Customers of a week, and those who spoke: the angry at `odds` times the odds of their like."""
    lots = np.random.default_rng(seed)
    city, model = lots.integers(0, 3, size), lots.integers(0, 2, size)
    score = np.clip(np.rint(6 + better + city - 2 * model + 1.6 * lots.normal(size=size)), 0, 10)
    people = pl.DataFrame({"city": city, "model": model, "score": score})
    lean = -2.2 + 0.4 * city + np.log(odds) * (score <= 5)
    heard = people.filter(pl.Series(lots.random(size) < 1 / (1 + np.exp(-lean))))
    return people["score"].mean(), calibrate(heard, people.select("city", "model"))


def test_two_who_stand_for_ten_each_by_hand():
    before = pl.DataFrame({"score": [0, 1], "weight": [10, 10]})
    now = pl.DataFrame({"score": [0, 1], "weight": [8, 12]})
    # no common tilt: the silent of now are 7 and 11, a drift of 2 makes them 3.5 to 22 of 18, or 14 to 5.5
    found = change_sensitivity(before, now, "score", odds=[1, 2], shared=1)
    assert found["change"].to_list() == pytest.approx([0.1, 0.1]) and found["low"][0] == pytest.approx(0.1) and found["high"][0] == pytest.approx(0.1)
    assert found["high"][1] == pytest.approx((1 + 18 * 22 / 25.5) / 20 - 0.5) and found["low"][1] == pytest.approx((1 + 18 * 5.5 / 19.5) / 20 - 0.5)


@pytest.mark.parametrize("better", [0.0, 0.25, -0.4])
@pytest.mark.parametrize("odds", [2.0, 3.0])
def test_with_the_same_hidden_tilt_the_true_change_is_inside(better, odds):
    (true_before, before), (true_now, now) = week(1, odds=odds), week(2, better, odds)
    found = change_sensitivity(before, now, "score", odds=[1, 1.1], shared=2)
    truth, row = true_now - true_before, found.row(0, named=True)
    assert row["conf_low"] <= truth <= row["conf_high"] and found["conf_low"][1] <= truth <= found["conf_high"][1]
    apart = [sensitivity(frame, "score", odds=[2]).row(0, named=True) for frame in (before, now)]
    assert row["high"] - row["low"] < 0.25 * (apart[1]["high"] - apart[0]["low"] - apart[1]["low"] + apart[0]["high"])  # never the difference of two ranges


def test_a_drift_is_outside_of_none_and_inside_at_its_odds():
    """The angry speak at 2 times the odds of others in one week, at 3.5 in the next; nothing else happened."""
    (true_before, before), (true_now, now) = week(3, odds=2), week(4, odds=3.5)
    found = change_sensitivity(before, now, "score", odds=[1, 1.75], shared=2)
    truth = true_now - true_before
    assert not found["conf_low"][0] <= truth <= found["conf_high"][0] and found["low"][1] <= truth <= found["high"][1]


def test_the_true_change_is_inside_as_often_as_it_should():
    """Without a hidden tilt the interval of the change is that of two independent weeks."""
    inside = []
    for seed in range(60):
        (true_before, before), (true_now, now) = week(500 + 2 * seed, odds=1, size=2000), week(501 + 2 * seed, 0.2, 1, 2000)
        row = change_sensitivity(before, now, "score", odds=[1], shared=1).row(0, named=True)
        inside.append(row["conf_low"] <= true_now - true_before <= row["conf_high"])
    assert np.mean(inside) >= 0.9


def test_the_error_of_a_drift_is_what_leaving_out_each_speaker_in_turn_shows():
    """Most of few customers spoke, some weights are below 1; N is fixed and the number who speak is not."""
    lots, squares = np.random.default_rng(8), 0.0
    cities = lots.integers(0, 3, (2, 120))
    people = [pl.DataFrame({"city": city, "score": 3 * city + lots.integers(0, 3, 120)}) for city in cities]
    heard = [frame.filter(pl.Series(lots.random(120) < 0.5 + 0.2 * frame["city"].to_numpy())) for frame in people]
    told = [dict(frame.group_by("city").len().sort("city").iter_rows()) for frame in people]
    weeks = [calibrate(frame, {"city": given}, base_weight="base") for frame, given in zip((frame.with_columns((pl.col("score") % 3 + 1).alias("base")) for frame in heard), told, strict=True)]
    assert all((frame["weight"] < 1).any() for frame in weeks)

    def ends(before, now):
        return np.array(change_sensitivity(before, now, "score", odds=[3], shared=1).row(0)[3:5])

    whole = ends(*weeks)
    for which in (0, 1):
        for at in range(weeks[which].height):
            fewer = list(weeks)
            fewer[which] = calibrate(weeks[which].filter(pl.int_range(pl.len()) != at), {"city": told[which]}, base_weight="base")
            squares += (ends(*fewer) - whole) ** 2
    row = change_sensitivity(*weeks, "score", odds=[3], shared=1).row(0, named=True)
    quantile = stats.t.ppf(0.975, row["n"] + row["n_before"] - 2)
    assert [(row["low"] - row["conf_low"]) / quantile, (row["conf_high"] - row["high"]) / quantile] == pytest.approx(np.sqrt(squares).tolist(), rel=0.03)


def test_many_answers_are_tilted_in_groups_and_a_linear_change_of_scale_is_one():
    _, before = week(5, size=20_000)
    _, now = week(6, 0.3, size=20_000)
    lots = np.random.default_rng(1)
    before, now = (frame.with_columns(pl.col("score") + pl.Series(lots.normal(0, 0.01, frame.height))) for frame in (before, now))
    found, twice = (change_sensitivity(*(frame.with_columns(pl.col("score") * by) for frame in (before, now)), "score", odds=[1, 1.2]) for by in (1, 2))
    assert "按相邻的 11 组倾斜" in found["note"][0] and twice["high"].to_list() == pytest.approx((2 * found["high"]).to_list(), rel=1e-6)
    rounded = change_sensitivity(*(frame.with_columns(pl.col("score").round()) for frame in (before, now)), "score", odds=[1, 1.2])
    assert found["high"].to_list() == pytest.approx(rounded["high"].to_list(), abs=0.05)


ONE = pl.DataFrame({"score": [1.0, 2.0], "weight": [5.0, 5.0]})


@pytest.mark.parametrize(("more", "said"), [({"odds": [0.5]}, "不小于 1 的有限倍数"), ({"odds": [float("inf")]}, "有限倍数"), ({"shared": 0.5}, "有限倍数"), ({"column": "grade"}, "没有列「grade」"), ({"size_now": 1}, "少于说话的")])
def test_bad_input_is_said(more, said):
    with pytest.raises(WeightingError, match=said):
        change_sensitivity(ONE, ONE, **({"column": "score"} | more))
    with pytest.raises(WeightingError, match="前一期的列「score」没有一个回答"):
        change_sensitivity(ONE.with_columns(pl.lit(None, dtype=pl.Float64).alias("score")), ONE, "score")
