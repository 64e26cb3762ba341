"""What must hold whatever the feedback says."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from voc_lib.measure.compare import compare
from voc_lib.measure.estimate import estimate

METRICS = ["code_share", "low_rating_share", "mean_rating", "people", "volume"]
BYS = [None, "region", "code", ["region", "code"]]


def lively(seed: int = 3, size: int = 600) -> pl.DataFrame:
    """Seeded feedback in which people write often and meet in threads."""
    rng = np.random.default_rng(seed)
    codes = np.array(["刹车-异响", "座椅-开裂", "屏幕-黑屏"])
    mentioned = rng.random((size, 3)) < [0.3, 0.15, 0.08]
    return pl.DataFrame(
        {
            "feedback_id": [f"f{at}" for at in range(size)],
            "person": [f"p{at}" for at in rng.integers(0, 300, size)],
            "thread": [f"t{at}" for at in rng.integers(0, 90, size)],
            "region": [["华北", "华东", "华南"][at] for at in rng.integers(0, 3, size)],
            "rating": rng.integers(1, 6, size).astype(float),
            "rating_scale": np.full(size, 5.0),
            "codes": [codes[row].tolist() for row in mentioned],
            "iso_week": ["2020-W10"] * size,
        }
    )


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_rows_does_not_matter(metric, by):
    frame = lively()
    assert_frame_equal(
        estimate(frame.sample(fraction=1, shuffle=True, seed=1), metric, by), estimate(frame, metric, by), abs_tol=1e-10
    )


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("metric", ["code_share", "people"])
def test_saying_everything_twice_changes_neither_people_nor_shares(metric, by):
    frame = lively()
    loud = frame.filter(pl.col("person") == "p7").with_columns(pl.col("feedback_id") + "again")
    twice = estimate(pl.concat([frame, loud]), metric, by)
    assert_frame_equal(twice.drop("n"), estimate(frame, metric, by).drop("n"), abs_tol=1e-10)


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("metric", METRICS)
def test_weights_of_one_change_nothing(metric, by):
    frame = lively().with_columns(w=pl.lit(1.0))
    weighted = estimate(frame, metric, by, weights="w")
    assert_frame_equal(weighted.drop("kind"), estimate(frame, metric, by).drop("kind"), abs_tol=1e-10)


def test_groups_add_up_to_the_whole():
    frame = lively().with_columns(person=pl.col("person") + pl.col("region"))  # nobody in two regions
    for metric in ("people", "volume"):
        assert estimate(frame, metric, "region")["estimate"].sum() == estimate(frame, metric)["estimate"].item()


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("metric", METRICS)
def test_intervals_hold_their_estimate_and_grow_with_confidence(metric, by):
    table, wide = (estimate(lively(), metric, by, confidence=level).drop_nulls("estimate") for level in (0.9, 0.99))
    assert table.height > 0
    assert (table["conf_low"] <= table["estimate"]).all() and (table["estimate"] <= table["conf_high"]).all()
    assert (wide["conf_low"] < table["conf_low"]).all() and (wide["conf_high"] > table["conf_high"]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_effective_n_is_between_one_and_people(metric):
    table = estimate(lively(), metric, "region")
    assert ((table["effective_n"] >= 1) & (table["effective_n"] <= table["people"])).all()


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("metric", METRICS)
def test_a_period_does_not_differ_from_itself(metric, by):
    table = compare(lively(), lively(), metric, by)
    judged = table.filter(pl.col("verdict") != "suppressed")
    assert judged.height > 0
    assert (judged["difference"] == 0).all() and set(judged["verdict"]) == {"within_error"}
    assert (judged["p_value"] == 1).all() and (judged["shared_people"] == judged["people"]).all()


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("metric", METRICS)
def test_turning_the_periods_turns_the_sign(metric, by):
    now, then = lively(3), lively(4, 500)
    there, back = compare(now, then, metric, by), compare(then, now, metric, by)
    for ours, theirs in (("difference", "difference"), ("conf_low", "conf_high"), ("conf_high", "conf_low")):
        np.testing.assert_allclose(there[ours].to_numpy(), -back[theirs].to_numpy(), atol=1e-9)
    np.testing.assert_allclose(there["p_value"].to_numpy(), back["p_value"].to_numpy(), atol=1e-9)
    assert there["people"].to_list() == back["people_baseline"].to_list()


@pytest.mark.parametrize("metric", METRICS)
def test_the_difference_is_that_of_the_two_estimates(metric):
    now, then = lively(3), lively(4, 500)
    row = compare(now, then, metric).row(0, named=True)
    each = [estimate(frame, metric).row(0, named=True) for frame in (now, then)]
    assert row["difference"] == pytest.approx(each[0]["estimate"] - each[1]["estimate"])
    assert (row["people"], row["people_baseline"]) == (each[0]["people"], each[1]["people"])
    assert row["conf_low"] <= row["difference"] <= row["conf_high"]


@pytest.mark.parametrize("metric", METRICS)
def test_a_group_says_the_same_alone_as_among_many(metric):
    now, then = (
        lively(seed, 3000).with_columns(region=pl.format("r{}", pl.col("thread").str.len_chars() + pl.int_range(pl.len()) % 97))
        for seed in (3, 4)
    )
    many = compare(now, then, metric, "region")
    figures = ["estimate", "baseline", "difference", "std_error", "p_value", "people", "people_baseline", "shared_people"]
    for region in ("r5", "r40", "r97"):
        alone = compare(*(side.filter(pl.col("region") == region) for side in (now, then)), metric)
        among = many.filter(pl.col("region") == region)
        assert among["people"].item() >= 10
        assert_frame_equal(among.select(figures), alone.select(figures), abs_tol=1e-9)
