"""Unusual is measured against calm weeks: an incident is never the yardstick, and swinging is usual for what swings."""

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.analyses.movers import movers
from voc_lib.measure.metrics import metric
from voc_lib.measure.analyses.usual import calm
from voc_lib.stats.dispersion import count_band, count_tail


@pytest.fixture
def weeks(week_of):
    """Weeks of 2020 up to W24, 100 people heard in each: `weeks(噪声=[...])`, the last number is W24's."""

    def make(**codes):
        length = len(next(iter(codes.values())))
        made = []
        for at in range(length):
            said = {code: series[at] for code, series in codes.items()}
            made.append(week_of(f"2020-W{25 - length + at}", said, silent=100 - sum(said.values())))
        return made[-1], pl.concat(made[:-1]), "2020-W24"

    return make


CALM = [2, 3, 2, 1, 2, 3, 2, 2, 3, 2]


def row(table, code):
    return table.filter(pl.col("code") == code).row(0, named=True)


def test_a_slow_rise_is_unusual_though_no_step_of_it_is(weeks):
    found = row(movers(*weeks(噪声=[*CALM, 6, 11, 17, 23], 座椅=[12] * 14)), "噪声")
    assert found["verdict"] == "within_error"  # 23 after 17 is nothing
    assert found["unusual"] == "above" and found["band_high"] < 11


def test_an_incident_long_past_does_not_widen_the_range(weeks):
    plain = row(movers(*weeks(噪声=[*CALM, 12])), "噪声")
    shaken = row(movers(*weeks(噪声=[2, 3, 60, 55, 2, 1, 2, 3, 2, 2, 3, 2, 12])), "噪声")
    assert shaken["band_high"] <= plain["band_high"] + 1 and shaken["unusual"] == plain["unusual"] == "above"


def test_what_happens_every_other_week_is_usual(weeks):
    found = row(movers(*weeks(促销=[2, 30] * 6 + [2, 30])), "促销")
    assert found["unusual"] is None and found["band_high"] >= 30


def test_a_week_below_its_range_is_named_too(weeks):
    assert row(movers(*weeks(好评=[40, 42, 38, 41, 39, 40, 43, 37, 40, 41, 39, 12])), "好评")["unusual"] == "below"


def test_without_three_weeks_nothing_is_called_unusual(weeks):
    found = row(movers(*weeks(噪声=[2, 3, 40])), "噪声")
    assert found["unusual"] is None and found["band_high"] is None


def test_calm_blanks_the_incident_and_nothing_else():
    people = np.array([[2.0, 3, 2, 40, 2, 3, 2, 3]])
    matrices = {"people": people, "heard": np.full_like(people, 100), "estimate": people / 100,
                "effective_n": np.full_like(people, 100), "variance": people / 100 * (1 - people / 100) / 100}
    left = calm(matrices, metric("code_share"))
    assert np.isnan(left["estimate"]).tolist() == [[False, False, False, True, False, False, False, False]]


def test_the_tail_agrees_with_the_band():
    low, high = count_band(12.0, 1.7, 3.0)
    assert count_tail(high + 1, 12.0, 1.7, 3.0) <= 0.05 < count_tail(high - 1, 12.0, 1.7, 3.0)
    assert count_tail(max(low - 1, 0), 12.0, 1.7, 3.0) <= 0.05 or low == 0
    # Poisson with mean 3: P(X >= 8) = 0.01190, doubled
    assert count_tail(8.0, 3.0, 1.0).item() == pytest.approx(0.0238, abs=1e-4)


def test_quiet_weeks_seldom_alarm(week_of):
    """40 weeks of 20 codes with nothing planted: at most one week in ten with anything unusual."""
    rng = np.random.default_rng(3)
    made = [week_of(f"2020-W{at:02}", {f"c{k}": int(n) for k, n in enumerate(rng.negative_binomial(12, 0.6, 20))}, silent=60)
            for at in range(1, 41)]
    hits = [movers(made[at], pl.concat(made[max(0, at - 26):at]), f"2020-W{at + 1:02}", n=100)["unusual"].is_not_null().any()
            for at in range(12, 40)]
    assert sum(hits) <= 3
