"""Waiting until something happens, held against numbers one can work out with a pencil."""

from __future__ import annotations

import math

import numpy as np
import pytest

from voc_lib.stats.survival import kaplan_meier, median_day, median_interval, waiting_after

DAYS = [1, 2, 3, 5, 5, 5]
HAPPENED = [True, False, True, False, False, False]


def test_kaplan_meier_and_greenwood_by_hand():
    curve = kaplan_meier(DAYS, HAPPENED)
    assert curve["day"].to_list() == [1, 3] and curve["at_risk"].to_list() == [6, 4] and curve["events"].to_list() == [1, 1]
    assert curve["waiting"].to_list() == pytest.approx([5 / 6, 5 / 8])
    # Greenwood: S^2 * (1/(6*5)), then S^2 * (1/30 + 1/(4*3))
    assert curve["std_error"].to_list() == pytest.approx([5 / 6 * math.sqrt(1 / 30), 5 / 8 * math.sqrt(1 / 30 + 1 / 12)])
    # log(-log) at day 3: 0.625 ** exp(±1.96 * sqrt(7/60) / ln 0.625)
    reach = 1.959964 * math.sqrt(7 / 60) / abs(math.log(0.625))
    assert curve.row(1, named=True)["conf_low"] == pytest.approx(0.625 ** math.exp(reach), abs=1e-6)
    assert curve.row(1, named=True)["conf_high"] == pytest.approx(0.625 ** math.exp(-reach), abs=1e-6)


def test_freireich_s_leukaemia_trial():
    """Weeks in remission under 6-MP (Freireich and others 1963), the worked example of most textbooks: S(10) = .7529 with SE .0963, median 23."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = kaplan_meier(weeks, [bool(one) for one in relapsed])
    assert waiting_after(curve, 10)["waiting"] == pytest.approx(0.7529, abs=1e-4) and waiting_after(curve, 10)["std_error"] == pytest.approx(0.0963, abs=1e-4)
    assert median_day(curve)["median"] == 23 and median_day(curve)["conf_high"] is None


def test_one_row_a_person_is_greenwood_and_copies_of_a_person_are_no_evidence():
    alone, named = kaplan_meier(DAYS, HAPPENED), kaplan_meier(DAYS, HAPPENED, people=list("abcdef"))
    assert named["std_error"].to_list() == pytest.approx(alone["std_error"].to_list())
    twice = kaplan_meier(DAYS * 2, HAPPENED * 2, people=list("abcdef") * 2)
    assert twice["waiting"].to_list() == pytest.approx(alone["waiting"].to_list()) and twice["std_error"].to_list() == pytest.approx(alone["std_error"].to_list())
    assert kaplan_meier(DAYS * 2, HAPPENED * 2)["std_error"][1] < alone["std_error"][1]


def test_order_does_not_matter_and_nothing_is_no_curve():
    order = np.random.default_rng(1).permutation(6)
    assert kaplan_meier(np.array(DAYS)[order], np.array(HAPPENED)[order]).equals(kaplan_meier(DAYS, HAPPENED))
    assert kaplan_meier([3, 4], [False, False]).is_empty() and kaplan_meier([], []).is_empty()
    assert waiting_after(kaplan_meier([3], [False]), 9) == {"waiting": 1.0, "conf_low": None, "conf_high": None}


def test_where_all_are_gone_the_last_interval_is_none():
    curve = kaplan_meier([1, 2], [True, True])
    assert curve["waiting"].to_list() == [0.5, 0.0] and curve["conf_low"][1] is None and curve["std_error"][1] is None
    assert median_day(curve)["median"] == 1


def test_the_interval_holds_what_it_says():
    rng, held = np.random.default_rng(7), 0
    for _ in range(400):
        event, lost = rng.exponential(20, 60), rng.uniform(5, 60, 60)
        held += (row := waiting_after(kaplan_meier(np.minimum(event, lost), event <= lost), 15))["conf_low"] <= math.exp(-15 / 20) <= row["conf_high"]
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(("values", "low", "high"), [(range(1, 6), None, None), (range(1, 11), 2, 9), (range(1, 21), 6, 15)])
def test_the_exact_interval_of_a_median(values, low, high):
    """Binomial(10, 1/2): P(at most 1) = 11/1024 = .011, P(at most 2) = .055: second smallest to second largest. Of 20 the sixth (P(at most 5) = .021)."""
    found = median_interval(list(values))
    assert (found["conf_low"], found["conf_high"]) == (low, high) and found["median"] == np.median(list(values))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="一样多"):
        kaplan_meier([1], [True, False])
    with pytest.raises(ValueError, match="不小于 0"):
        kaplan_meier([-1], [True])
