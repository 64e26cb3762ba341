"""The network for texts as a whole: what it learns of one channel's words holds for another's, and the mean of both members is what counts."""

import copy

import numpy as np
import pytest

from voc_lib.enrich import feelings_tuned
from voc_lib.enrich.feelings_tuned import Displeasure, fit_felt, fit_start

BAD, GOOD = ["太差了", "让人失望", "总是坏", "不能忍"], ["真不错", "很满意", "特别喜欢", "推荐"]
HOTEL, APP = ["酒店", "房间", "早餐", "大堂"], ["灯泡", "摄像头", "手表"]


def said(things):
    """(texts, 1 where displeased): every thing with every word."""
    texts = [(f"{thing}{word}", sign) for thing in things for sign, words in ((1, BAD), (0, GOOD)) for word in words]
    return [text for text, _ in texts], np.array([sign for _, sign in texts])


def displeasure(texts):
    return np.array([0.1 * sum(text.count(letter) for letter in "差坏") for text in texts])


@pytest.fixture(scope="module")
def start():
    return fit_start(*said(HOTEL[:3]), epochs=4)


@pytest.fixture(scope="module")
def model(start):
    return Displeasure(*said(HOTEL), displeasure, start, epochs=8)


def test_what_one_channel_taught_ranks_another(model):
    texts, low = said(APP)
    found = model.probabilities(texts)
    assert ((found >= 0) & (found <= 1)).all()
    assert found[low == 1].min() > found[low == 0].max()


def test_the_mean_of_words_and_network_counts(model):
    texts = ["摄像头太差了", "手表很满意", "", "麒麟饕餮𠮷"]
    words, heard = model._words.balanced(texts), 1 / (1 + np.exp(-model._felt.evidence(texts)))
    assert np.allclose(model.probabilities(texts), (words[:, 0] + heard) / 2) and np.isfinite(heard).all()


def test_a_text_is_read_alike_beside_others(model):
    alone, beside = model._felt.evidence(["手表很满意"]), model._felt.evidence(["麒麟饕餮𠮷" * 30, "手表很满意"])
    assert np.allclose(alone[0], beside[1], atol=0.1)
    assert len(model._felt._tokens(["好" * 5000])[0]) <= feelings_tuned.MOST_TOKENS


def test_the_same_labels_give_the_same_network_and_the_start_is_left_as_it_is(start):
    import torch

    before, texts = copy.deepcopy(start.encoder.embedding), said(APP)[0]
    one, other = (fit_felt(*said(HOTEL), start, 1).evidence(texts) for _ in range(2))
    assert np.array_equal(one, other) and torch.equal(before, start.encoder.embedding)
