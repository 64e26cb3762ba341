"""Adjusted p-values against R's p.adjust."""

import numpy as np

from voc_lib.stats.multiplicity import benjamini_hochberg, holm

# p.adjust(c(0.03, 0.001, 0.2, 0.04, NA), "BH" / "holm")
P = [0.03, 0.001, 0.2, 0.04, np.nan]


def test_benjamini_hochberg_as_r():
    np.testing.assert_allclose(benjamini_hochberg(P), [0.16 / 3, 0.004, 0.2, 0.16 / 3, np.nan])


def test_holm_as_r():
    np.testing.assert_allclose(holm(P), [0.09, 0.004, 0.2, 0.09, np.nan])


def test_order_does_not_matter_and_nothing_to_test_is_nothing():
    turned = benjamini_hochberg(P[::-1])[::-1]
    np.testing.assert_allclose(turned, benjamini_hochberg(P))
    assert benjamini_hochberg([]).size == 0 and np.isnan(holm([np.nan])).all()
