"""Two one-sided tests against a published example, and the laws of the verdict."""

import numpy as np
import pytest

from voc_lib.stats.equivalence import equivalence as tost


def test_the_replication_of_lakens_2017():
    # means 5.25 and 5.22, s.d. .95 and .83, n 95 and 89, bound .384: t(182) = -2.69, p = .004
    parts = np.array([0.95**2 / 95, 0.83**2 / 89])
    degrees = parts.sum() ** 2 / (parts**2 / [94, 88]).sum()
    found = tost(5.25 - 5.22, np.sqrt(parts.sum()), degrees, 0.384)
    assert degrees == pytest.approx(181.13, abs=0.01) and found.p_value == pytest.approx(0.0039, abs=1e-4) and found.verdict == "equivalent"
    assert (found.conf_low, found.conf_high) == (pytest.approx(0.03 - 1.6533 * 0.13128, abs=1e-3), pytest.approx(0.03 + 1.6533 * 0.13128, abs=1e-3))


@pytest.mark.parametrize(("difference", "error", "verdict"), [
    (0.0, 0.05, "equivalent"), (0.0, 0.07, "undecided"), (0.1, 1e-6, "undecided"), (0.2, 0.05, "different"), (-0.2, 0.05, "different"), (0.2, 0.2, "undecided"),
    (0.05, 0.0, "equivalent"), (0.15, 0.0, "different"), (0.0, np.nan, "undecided"), (np.nan, 0.1, "undecided")])
def test_a_verdict_is_read_from_the_interval(difference, error, verdict):
    # t(1e6) of 95 % is 1.645: .05 reaches to .082, .07 to .115
    found = tost(difference, error, 1e6, 0.1)
    assert found.verdict == verdict
    if np.isfinite(found.p_value):
        assert (found.p_value < 0.05) == (verdict == "equivalent")


def test_many_people_do_not_make_a_small_difference_large_nor_few_a_large_one_small():
    for n in (10**2, 10**4, 10**6):
        assert tost(0.05, 1 / np.sqrt(n), n - 1, 0.1).verdict != "different"
        assert tost(0.3, 1 / np.sqrt(n), n - 1, 0.1).verdict != "equivalent"
    assert tost(0.05, 1e-3, 1e6, 0.1).verdict == "equivalent" and tost(0.3, 1e-3, 1e6, 0.1).verdict == "different"
    assert tost(0.05, 0.1, 0, 0.1).verdict == "undecided"


def test_at_the_bound_five_in_a_hundred_pass_and_five_fail():
    lots = np.random.default_rng(3)
    seen = [tost(mean, 0.02, 60, 0.1).verdict for mean in lots.standard_t(60, 4000) * 0.02 + 0.1]
    assert [abs(seen.count(verdict) / 4000 - share) < 0.012 for verdict, share in (("equivalent", 0.05), ("different", 0.05))] == [True, True]


@pytest.mark.parametrize(("bound", "alpha"), [(0, 0.05), (-0.1, 0.05), (0.1, 0), (0.1, 0.5)])
def test_a_bound_that_makes_no_sense(bound, alpha):
    with pytest.raises(ValueError, match="等效检验"):
        tost(0.0, 0.1, 10, bound, alpha)
