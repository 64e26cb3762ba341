"""Diagnostics: standardised differences by hand, nothing left of a margin, something left of a pair, and a verdict of too few."""

from __future__ import annotations

import math

import polars as pl
import pytest

import voc_lib as voc
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.trimming import trim_weights
from voc_lib.measure.weighting.weights import calibrate

EVERYONE = pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "model": ["纯电", "混动"] * 2, "count": [300, 200, 300, 200]})
SPEAKERS = pl.DataFrame({"city": ["甲"] * 30 + ["乙"] * 10, "model": ["纯电"] * 10 + ["混动"] * 20 + ["纯电"] * 8 + ["混动"] * 2})


def row(table, covariate, level):
    return table.filter((pl.col("covariate") == covariate) & (pl.col("level") == level)).row(0, named=True)


def test_standardised_differences_by_hand():
    weighted = calibrate(SPEAKERS, EVERYONE)
    table = voc.balance(weighted, EVERYONE)
    city = row(table, "city", "甲")
    assert (city["share"], city["before"]) == (0.5, pytest.approx((0.75 - 0.5) / 0.5)) and city["after"] == pytest.approx(0, abs=1e-9)
    pair = row(table, "city × model", "甲 × 纯电")
    assert pair["before"] == pytest.approx((0.25 - 0.3) / math.sqrt(0.3 * 0.7)) and abs(pair["after"]) > 0.01
    assert abs(table["after"][0]) == pytest.approx(table["after"].abs().max()) and table.filter(pl.col("kind") == "level").height == 4


def test_a_line_is_held_against_its_standard_deviation():
    everyone = pl.DataFrame({"city": ["甲", "甲"], "age": [30.0, 50.0], "count": [1, 1]})
    line = row(voc.balance(pl.DataFrame({"city": ["甲"], "age": [50.0], "weight": [2.0]}), everyone), "age", "")
    assert (line["share"], line["before"]) == (40, pytest.approx(10 / math.sqrt(200)))


def test_who_is_missing_and_how_uneven_it_is():
    lonely = SPEAKERS.filter((pl.col("city") == "甲") | (pl.col("model") == "纯电"))
    found = voc.diagnose(calibrate(lonely, EVERYONE), EVERYONE)
    assert (found["customers"], found["speakers"], found["cells"], found["silent_cells"]) == (1000, 38, 4, 1)
    assert (found["speak_rate"], found["silent_share"]) == (pytest.approx(0.038), pytest.approx(0.2))
    assert found["margin_error"] < 1e-9 < found["after_pairs"] and found["before"] > 0.4 > 1e-6 > found["after"]
    assert found["design_effect"] == pytest.approx(38 / found["effective_n"]) and 0 < found["least_propensity"] < 0.038
    assert found["verdict"] == "range_only"  # 38 people, worth fewer than 30
    assert voc.diagnose(calibrate(pl.concat([SPEAKERS] * 3), EVERYONE), EVERYONE)["verdict"] == "figure"


def test_what_was_not_weighted_is_an_error():
    with pytest.raises(WeightingError, match="要加过权的表"):
        voc.balance(SPEAKERS, EVERYONE)
    with pytest.raises(WeightingError, match="总体的表"):
        voc.balance(calibrate(SPEAKERS, EVERYONE), {"city": {"甲": 500, "乙": 500}})


def test_trimmed_weights_keep_their_sum_and_lose_the_margins():
    weighted = calibrate(SPEAKERS, EVERYONE)
    cut = trim_weights(weighted, 1.5 * weighted["weight"].mean())
    assert cut["weight"].sum() == pytest.approx(1000) and cut["weight"].max() <= 1.5 * 25 * (1 + 1e-12) and "边际不再对得上" in cut["weight_note"][0]
    assert voc.balance(cut, EVERYONE, pairs=False)["after"].abs().max() > 0.05
    with pytest.raises(WeightingError, match="没有地方放"):
        trim_weights(weighted, 20)
