"""Kappa and alpha of tables one can count by hand."""

import pytest

from voc_lib.stats.agreement import cohen_kappa, krippendorff_alpha


def test_kappa_of_a_table_of_four():
    # both yes 20, only the first 5, only the second 10, neither 15: p_o = 35/50, p_e = .5 x .6 + .5 x .4 = .5
    found = cohen_kappa([1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    assert found["agree_share"] == pytest.approx(0.7) and found["kappa"] == pytest.approx(0.4)
    assert found["conf_low"] < 0.4 < found["conf_high"] < 1


def test_agreement_by_chance_is_none_and_full_contradiction_is_minus_one():
    assert cohen_kappa([1, 1, 0, 0], [1, 0, 1, 0])["kappa"] == pytest.approx(0)
    assert cohen_kappa([1, 0], [0, 1])["kappa"] == pytest.approx(-1)


def test_agreement_on_few_is_not_certain():
    found = cohen_kappa(["a", "b", "a", "b"], ["a", "b", "a", "b"])
    assert found["kappa"] == 1 and found["conf_low"] < 0.5 and found["conf_high"] == 1


def test_where_all_said_the_same_there_is_nothing_to_beat():
    assert cohen_kappa(["a", "a"], ["a", "a"]) == {"agree_share": 1.0, "kappa": None, "conf_low": None, "conf_high": None}
    assert krippendorff_alpha(["aa", "aa"]) is None and krippendorff_alpha([]) is None
    with pytest.raises(ValueError, match="一样多"):
        cohen_kappa(["a"], [])


def test_alpha_takes_any_number_of_judges_and_gaps():
    # pairs within: aaa 0 of 6 / 2, ab 2 of 2 / 1; the lone b does not count. n = 5, a 4, b 1: 1 - 4 x 2 / (25 - 17)
    assert krippendorff_alpha(["aaa", "ab", "b"]) == pytest.approx(0)
    assert krippendorff_alpha(["aaa", "bb", "c"]) == 1
