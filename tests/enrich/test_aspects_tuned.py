"""The network that reads in order: the same encoder as the package's, and a planted pattern that it finds."""

import copy
import itertools

import numpy as np
import pytest

from voc_lib.enrich import language
from voc_lib.enrich.aspects_encoder import TokenEncoder, _package
from voc_lib.enrich.aspects_sense import padded
from voc_lib.enrich.aspects_tuned import fit_tuned
from voc_lib.enrich.feelings_tuned import fit_start

PARTS = {"外观": ["外观", "车漆", "前脸"], "油耗": ["油耗", "百公里油", "加一箱油"]}
SAID = (["太差了", "让人失望", "不能忍"], ["怎么样", "是多少呢", "有人知道吗"], ["真不错", "很满意", "特别喜欢"])
CASES = [(about, sign, f"{word}{said}") for about, sign in itertools.product(PARTS, range(3)) for word, said in itertools.product(PARTS[about], SAID[sign])]
PAIRS = [(one, other) for one, other in itertools.product(CASES, CASES) if one[0] < other[0]][::3]
TEXTS = [f"{one[2]},{other[2]}" for one, other in PAIRS] + [case[2] for case in CASES]
MENTIONS = [(row, about, sign) for row, pair in enumerate(PAIRS) for about, sign, _ in pair] + [
    (len(PAIRS) + row, about, sign) for row, (about, sign, _) in enumerate(CASES)
]


def fitted(start, epochs):
    rows, about, opinions = zip(*MENTIONS, strict=True)
    return fit_tuned(TEXTS, np.array(rows), list(about), np.array(opinions), start, epochs)


@pytest.fixture(scope="module")
def start():
    reviews = [f"{thing}{said}" for thing in ("酒店", "这本书", "快递") for sign in (0, 2) for said in SAID[sign]]
    return fit_start(reviews, np.array([1 if any(said in text for said in SAID[0]) else 0 for text in reviews]), epochs=4)


@pytest.fixture(scope="module")
def model(start):
    return fitted(start, 12)


def test_the_encoder_gives_what_the_package_gives():
    import torch

    texts = ["动力不错,就是油耗太高了", "好", "Honda CR-V 的后排空间真大!"]
    encoder = TokenEncoder()
    tokens = encoder.read(language.telling_texts(texts))
    with torch.no_grad():
        found = encoder(padded(tokens, np.arange(3))).numpy()
    model = _package()
    for row, text in enumerate(language.telling_texts(texts)):  # the package's last steps, from tokens to a sentence
        many = len(tokens[row])
        mean = (found[row, :many].sum(0) @ model.cnn_W + many * model.cnn_b) / np.sqrt(many)
        middle = np.maximum(mean @ model.p1 + np.maximum(mean @ model.d0, 0) @ model.d1, 0)
        last = np.tanh(middle @ model.p3 + np.maximum(middle @ model.d2, 0) @ model.d3)
        assert np.allclose(last / np.linalg.norm(last), model.encode([text])[0], atol=1e-3)


def test_each_subject_has_its_own_feeling(model):
    about, feels = model.probabilities(["前脸真不错,加一箱油太差了", "车漆让人失望"])
    assert model.labels == ("外观", "油耗")
    assert (about[0] > 0.5).all() and about[1].argmax() == 0
    assert feels[0].argmax(1).tolist() == [2, 0] and feels[1, 0].argmax() == 0
    assert np.allclose(feels.sum(-1), 1, atol=1e-5) and ((about >= 0) & (about <= 1)).all()


def test_a_text_is_read_alike_beside_others_and_with_words_never_met(model):
    alone = model.probabilities(["油耗很满意"])
    beside = model.probabilities(["麒麟饕餮𠮷", "油耗很满意", ""])
    assert np.allclose(alone[0][0], beside[0][1], atol=0.02) and np.allclose(alone[1][0], beside[1][1], atol=0.02)


def test_the_same_labels_give_the_same_network(start):
    import torch

    before = copy.deepcopy(start.encoder.embedding)
    threads, chance = torch.get_num_threads(), torch.random.get_rng_state()
    one, other = (fitted(start, 1).probabilities(TEXTS[:3]) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert torch.equal(before, start.encoder.embedding)  # the start is left as it is, and so is the caller's torch
    assert torch.get_num_threads() == threads and torch.equal(torch.random.get_rng_state(), chance)
