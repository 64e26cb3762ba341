"""Channels against each other: Q on paper, people in several channels, what is missing, and how often it cries wolf."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.weighting.channel_agreement import channel_agreement, shared_covariance
from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate


def told(estimates, errors, **more):
    return pl.DataFrame({"channel": [f"渠道{at}" for at in range(len(estimates))], "estimate": estimates, "std_error": errors} | more, schema_overrides={"estimate": pl.Float64, "std_error": pl.Float64})


def test_three_channels_on_paper():
    # 1, 2, 6 with error 1: Q = 14 on 2 degrees: p = exp(-7)
    found = channel_agreement(told([1, 2, 6], [1, 1, 1], n=[30, 40, 50]))
    assert found.verdict == "disagree" and found.figures["q"] == pytest.approx(14) and found.figures["p_value"] == pytest.approx(np.exp(-7))
    assert found.figures["i2"] == pytest.approx(12 / 14) and found.figures["tau2"] == pytest.approx(6) and found.figures["degrees"] == 2
    assert found.table["apart"].to_list() == pytest.approx([-2, -1, 3]) and found.table["share"].to_list() == pytest.approx([1 / 3] * 3) and found.table["n"].to_list() == [30, 40, 50]


def test_what_does_not_matter_is_not_called_a_disagreement():
    assert channel_agreement(told([7.0, 7.05], [0.01, 0.01])).verdict == "disagree"
    assert channel_agreement(told([7.0, 7.05], [0.01, 0.01]), floor=0.1).verdict == "too_small"
    assert channel_agreement(told([7.0, 7.5], [0.5, 0.5]), floor=0.1).verdict == "agree"


def test_a_channel_without_an_error_is_left_out_and_one_alone_says_nothing():
    found = channel_agreement(told([1.0, None, 6.0, 2.0], [1.0, 1.0, None, 1.0]))
    assert found.table["channel"].to_list() == ["渠道0", "渠道3"] and found.figures["degrees"] == 1
    for alone in (told([1.0], [1.0]), told([1.0, 2.0], [1.0, None]), told([1.0, 2.0], [1.0, 0.0])):
        assert channel_agreement(alone).verdict == "too_few" and channel_agreement(alone).figures == {}


def test_the_order_of_channels_changes_nothing():
    one, other = channel_agreement(told([1, 4, 2], [1, 2, 3])), channel_agreement(told([2, 1, 4], [3, 1, 2]))
    assert one.figures == pytest.approx(other.figures)


def customers(lots, people=3000):
    city = lots.choice(2, people, p=[0.7, 0.3])
    score = lots.normal(6, 2, people) + city
    return pl.DataFrame({"customer_id": range(people), "city": city, "score": score})


def heard(everyone, lots, pull, rate=0.1):
    chance = 1 / (1 + np.exp(-np.log(rate / (1 - rate)) - pull(everyone)))
    return calibrate(everyone.filter(pl.Series(lots.random(everyone.height) < chance)), everyone.select("city"))


def test_the_diagonal_is_the_error_of_the_weighted_mean():
    lots = np.random.default_rng(4)
    everyone = customers(lots)
    frames = {"论坛": heard(everyone, lots, lambda all: all["city"].to_numpy()), "热线": heard(everyone, lots, lambda all: -all["city"].to_numpy())}
    frames["问卷"] = frames["热线"].with_columns(pl.when(pl.int_range(pl.len()) % 3 > 0).then("score").alias("score"))  # a third did not answer this question
    frames["街访"] = frames["论坛"].select("customer_id", "score", pl.lit(1.0).alias("weight"))
    matrix = shared_covariance(frames, "score")
    assert np.sqrt(np.diag(matrix)).tolist() == pytest.approx([weighted_mean(frame, "score")["std_error"].item() for frame in frames.values()], rel=1e-12)
    assert np.allclose(matrix, matrix.T) and 0 < matrix[1, 2] < np.sqrt(matrix[1, 1] * matrix[2, 2])


def test_nobody_shared_is_no_covariance_and_everybody_is_all_of_it():
    one = pl.DataFrame({"customer_id": [1, 2, 3], "score": [1.0, 2, 6], "weight": [1.0, 2, 1]})
    assert shared_covariance({"甲": one, "乙": one.with_columns(pl.col("customer_id") + 10)}, "score")[0, 1] == 0
    matrix = shared_covariance({"甲": one, "乙": one.sample(fraction=1, shuffle=True, seed=1)}, "score")
    assert matrix[0, 1] == pytest.approx(matrix[0, 0])
    with pytest.raises(WeightingError, match="几乎出自同一批人"):
        channel_agreement(told([1, 2], [1, 1]), matrix)


def test_five_in_a_hundred_though_channels_share_people():
    """Half of everybody speaks in each of two channels: unaware of those in both, Q would nearly never fire."""
    lots, aware, blind = np.random.default_rng(21), [], []
    for _ in range(300):
        everyone = customers(lots, 400)
        frames = {name: heard(everyone, lots, lambda all, pull=pull: pull * all["city"].to_numpy(), 0.5) for name, pull in (("论坛", 0.7), ("热线", -0.7))}
        estimates = pl.concat([weighted_mean(frame, "score").with_columns(pl.lit(name).alias("channel")) for name, frame in frames.items()])
        aware.append(channel_agreement(estimates, shared_covariance(frames, "score")).figures["p_value"] < 0.05)
        blind.append(channel_agreement(estimates).figures["p_value"] < 0.05)
    assert 0.02 <= np.mean(aware) <= 0.08 and np.mean(blind) < 0.02


@pytest.mark.parametrize(("ask", "said"), [
    (lambda: channel_agreement(pl.DataFrame({"channel": ["a"], "estimate": [1.0]})), "缺列：std_error"),
    (lambda: channel_agreement(pl.DataFrame({"channel": ["a", "a"], "estimate": [1.0, 2], "std_error": [1.0, 1]})), "出现两次"),
    (lambda: channel_agreement(told([1, 2], [1, 1]), np.eye(3)), "同样的顺序"),
    (lambda: shared_covariance({"甲": pl.DataFrame({"score": [1.0], "weight": [1.0]})}, "score"), "没有列「customer_id」"),
    (lambda: shared_covariance({"甲": pl.DataFrame({"customer_id": [1, 1], "score": [1.0, 2], "weight": [1.0, 1]})}, "score"), "空值或重复")])
def test_what_cannot_be_compared_is_said(ask, said):
    with pytest.raises(WeightingError, match=said):
        ask()
