"""Q and its kin against metafor's documented example, cases for a pencil, and the laws of a covariance."""

import numpy as np
import pytest

from voc_lib.stats.heterogeneity import heterogeneity, pooled_mean

# 13 trials of the BCG vaccine (Colditz et al. 1994, JAMA 271: 698-702): tuberculosis yes and no, vaccinated; yes and no, not vaccinated. The example of metafor's documentation.
BCG = np.array([[4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761], [180, 1361, 372, 1079], [8, 2537, 10, 619],
                [505, 87886, 499, 87892], [29, 7470, 45, 7232], [17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825]], float)
A, B, C, D = BCG.T
RISKS, VARIANCES = np.log(A / (A + B)) - np.log(C / (C + D)), 1 / A - 1 / (A + B) + 1 / C - 1 / (C + D)


def test_bcg_as_metafor():
    found = heterogeneity(RISKS, VARIANCES, "dl")
    assert (found.q, found.degrees) == (pytest.approx(152.2330, abs=1e-4), 12) and found.tau2 == pytest.approx(0.3088, abs=5e-5)
    assert found.i2 == pytest.approx(0.9212, abs=5e-5) and found.p_value < 1e-4
    assert heterogeneity(RISKS, VARIANCES).tau2 == pytest.approx(0.3181, abs=5e-5)  # method="PM"


def test_the_interval_of_bcg_as_metafor_with_knha():
    # tau2 .3132 is REML's, of metafor's example of test="knha": -0.7145, se .1808, -1.1084 to -0.3206
    found = pooled_mean(RISKS, VARIANCES, 0.3132433)
    assert found.estimate == pytest.approx(-0.7145, abs=5e-5) and found.std_error == pytest.approx(0.1808, abs=5e-5)
    assert (found.conf_low, found.conf_high) == (pytest.approx(-1.1084, abs=6e-5), pytest.approx(-0.3206, abs=6e-5)) and sum(found.shares) == pytest.approx(1)


def test_three_for_a_pencil():
    # 1, 2, 6 with variance 1: mean 3, Q = 4 + 1 + 9 = 14, I2 = 12/14; both tau2 are the variance of the three less 1 = 7 - 1
    for between in ("pm", "dl"):
        found = heterogeneity([1, 2, 6], [1, 1, 1], between)
        assert (found.q, found.i2, found.tau2) == (pytest.approx(14), pytest.approx(12 / 14), pytest.approx(6))
    assert pooled_mean([1, 2, 6], [1, 1, 1], 6).std_error == pytest.approx(np.sqrt(7 / 3))


def test_what_agrees_has_no_variance_between_and_no_narrower_interval():
    found = heterogeneity([5, 5, 5], [1, 2, 3])
    assert (found.q, found.i2, found.tau2, found.p_value) == (0, 0, 0, 1)
    assert pooled_mean([5, 5, 5], [1, 1, 1], 0).std_error == pytest.approx(np.sqrt(1 / 3))  # plain HKSJ would say 0


def test_people_shared_by_two_channels():
    # 0 and 2, variances 1, covariance c: Q = difference^2 / (2 - 2c)
    for shared in (-0.5, 0.0, 0.5, 0.9):
        assert heterogeneity([0, 2], [[1, shared], [shared, 1]]).q == pytest.approx(4 / (2 - 2 * shared))
    # the same error in all of them cancels out of Q and stays in the mean
    apart, tied = np.diag([1.0, 2.0, 3.0]), np.diag([1.0, 2.0, 3.0]) + 0.7
    assert heterogeneity([1, 4, 2], tied).q == pytest.approx(heterogeneity([1, 4, 2], apart).q)
    assert pooled_mean([1, 1, 1], tied, 0).std_error ** 2 == pytest.approx(1 / (1 + 1 / 2 + 1 / 3) + 0.7)


def test_unit_and_origin_change_nothing():
    one, other = heterogeneity([1, 4, 2], [1, 2, 3]), heterogeneity([110, 140, 120], [100, 200, 300])
    assert one.q == pytest.approx(other.q) and one.tau2 * 100 == pytest.approx(other.tau2)


def test_five_in_a_hundred_when_nothing_differs():
    lots = np.random.default_rng(8)
    v = np.array([[1.0, 0.3, 0], [0.3, 2.0, 0.5], [0, 0.5, 1.5]])
    seen = [heterogeneity(y, v).p_value < 0.05 for y in lots.multivariate_normal([3, 3, 3], v, 3000)]
    assert abs(np.mean(seen) - 0.05) < 0.015


@pytest.mark.parametrize(("estimates", "covariance", "more", "said"), [
    ([1.0], [1.0], (), "至少要两个"), ([1.0, 2.0], [1.0], (), "大小要与之相符"), ([1.0, np.nan], [1.0, 1.0], (), "有限的数"), ([1.0, 2.0], [[1, 0.5], [0.2, 1]], (), "对称"),
    ([1.0, 2.0], [[1, 1], [1, 1]], (), "不是正定的"), ([1.0, 2.0], [0.0, 1.0], (), "不是正定的"), ([1.0, 2.0], [1.0, 1.0], ("reml",), "没有「reml」")])
def test_what_cannot_be_compared_is_said(estimates, covariance, more, said):
    with pytest.raises(ValueError, match=said):
        heterogeneity(estimates, covariance, *more)
