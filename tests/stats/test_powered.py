"""Prediction-powered shares: a perfect model, a useless one, by hand, and the coverage that is promised."""

import numpy as np
import pytest

from voc_lib.stats.powered import powered_share


def test_a_useless_model_leaves_the_plain_share_of_the_labels():
    share = powered_share([1, 0] * 10, [0] * 20, [0] * 500)
    assert (share.power, share.estimate, share.heard) == (0.0, 0.5, 0.0)


def test_a_model_that_is_always_right_is_nearly_believed():
    labels = [1, 0, 0, 0] * 10
    share = powered_share(labels, labels, [1] * 300 + [0] * 700)
    # cov = .1923 (n - 1), var = .21 and n/N = .04: w = .1923 / (1.04 * .21) = .8805; estimate = .8805 * .3 + .25 - .8805 * .25
    assert share.power == pytest.approx(0.8805, abs=1e-4)
    assert share.estimate == pytest.approx(0.8805 * 0.3 + 0.25 * (1 - 0.8805), abs=1e-4)
    assert share.effective_n > 40


def test_two_to_one_too_many_is_put_right():
    lots = np.random.default_rng(1)
    truth = lots.random(5_000) < 0.17
    said = truth | (lots.random(5_000) < 0.2)  # calls a third negative where a sixth are
    drawn = lots.choice(5_000, 100, replace=False)
    share = powered_share(truth[drawn], said[drawn], said)
    assert share.heard == pytest.approx(said.mean()) and share.heard > 0.3
    assert share.conf_low < truth.mean() < share.conf_high < share.heard


@pytest.mark.parametrize("rate,noise", [(0.03, 0.1), (0.2, 0.3), (0.5, 0.2), (0.97, 0.05)])
def test_a_hundred_labels_cover_what_they_promise(rate, noise):
    lots, hits = np.random.default_rng(2), 0
    for _ in range(400):
        truth = lots.random(2_000) < rate
        said = truth ^ (lots.random(2_000) < noise)
        drawn = lots.choice(2_000, 100, replace=False)
        share = powered_share(truth[drawn], said[drawn], said)
        hits += share.conf_low <= truth.mean() <= share.conf_high
    assert hits / 400 >= 0.93


@pytest.mark.parametrize("labels,predicted,everyone,said", [
    ([1, 0] * 4, [1, 0] * 4, [1] * 50, "至少要 10 条人工标注"),
    ([1, 0] * 10, [1] * 3, [1] * 50, "标注 20 个，模型的判断 3 个"),
    ([1, 0] * 10, [1, 0] * 10, [1] * 5, "总数 5 条"),
])
def test_what_cannot_be_corrected_is_said(labels, predicted, everyone, said):
    with pytest.raises(ValueError, match=said):
        powered_share(labels, predicted, everyone)


def test_weights_that_are_all_alike_change_nothing_and_unequal_ones_cost_labels():
    labels, said, everyone = [1, 0, 0, 0] * 10, [1, 0, 1, 0] * 10, [1, 0] * 300
    plain, alike = powered_share(labels, said, everyone), powered_share(labels, said, everyone, weights=[7] * 40)
    assert vars(alike) == pytest.approx(vars(plain))
    # weights 3 and 1 in turn: (20 * 3 + 20 * 1)^2 / (20 * 9 + 20 * 1) = 32 labels; the share of the first of four is 30 / 80
    unequal = powered_share(labels, [0] * 40, [0] * 600, weights=[3, 1] * 20)
    assert unequal.estimate == pytest.approx(30 / 80) and unequal.effective_n < 32
    with pytest.raises(ValueError, match="只抵得上 1.0 条"):
        powered_share(labels, said, everyone, weights=[1000, *[0.1] * 39])


def test_two_channels_drawn_unequally_cover_what_they_promise():
    """60 labels of a channel of 3,000 and 60 of one of 300, displeased to 15 and to 60 %."""
    lots, hits = np.random.default_rng(3), 0
    for _ in range(400):
        truth = np.r_[lots.random(3_000) < 0.15, lots.random(300) < 0.6]
        said = truth ^ (lots.random(3_300) < 0.2)
        drawn = np.r_[lots.choice(3_000, 60, replace=False), 3_000 + lots.choice(300, 60, replace=False)]
        share = powered_share(truth[drawn], said[drawn], said, weights=[50] * 60 + [5] * 60)
        hits += share.conf_low <= truth.mean() <= share.conf_high
    assert hits / 400 >= 0.93
