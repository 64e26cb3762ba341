"""Subjects, opinions on them and feelings learnt from labels: on sentences whose answer is in their words."""

import itertools
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import aspects_e5, feelings_tuned, learnt, opinions_start
from voc_lib.enrich.aspects import LEAN, fit_aspects
from voc_lib.enrich.aspects_sense import Teaching
from voc_lib.enrich.aspects_tuned import Together
from voc_lib.enrich.feelings import CLAUSE_WEIGHT, _clauses_beside, fit_feelings
from voc_lib.enrich.fewshot import LabelError
from voc_lib.enrich.learnt import every_vector, fit_mentions
from voc_lib.enrich.subjects import decide, fit_subjects, folds

PARTS = {"油耗": ["油耗", "百公里油", "加一箱油"], "空间": ["后排空间", "后备箱", "腿部"], "外观": ["外观", "车漆", "前脸"]}
SAID = {"negative": ["太差了", "让人失望", "不能忍"], "neutral": ["怎么样", "是多少呢", "有人知道吗"], "positive": ["真不错", "很满意", "特别喜欢"]}
CASES = [(about, feeling, f"{words}{said}") for about, feeling in itertools.product(PARTS, SAID) for words, said in itertools.product(PARTS[about], SAID[feeling])]


def encode(texts):
    """Counts of characters as a vector: enough for sentences whose words give them away."""
    vectors = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in enumerate(texts):
        for letter in text:
            vectors[row, ord(letter) % 64] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)


def displeasure(texts):
    return np.array([sum(word in text for word in SAID["negative"]) - sum(word in text for word in SAID["positive"]) for text in texts], dtype=float)


@pytest.fixture(scope="module")
def subjects():
    pairs = [(a, b) for a, b in itertools.product(CASES, CASES) if a[0] != b[0]][::5]
    texts = [case[2] for case in CASES] + [f"{a[2]},{b[2]}" for a, b in pairs]
    about = [{case[0]} for case in CASES] + [{a[0], b[0]} for a, b in pairs]
    rows = [*range(len(CASES)), *(len(CASES) + at for at in range(len(pairs)) for _ in range(2))]
    mentions = [*((case[0], case[1]) for case in CASES), *((one[0], one[1]) for pair in pairs for one in pair)]
    model = fit_subjects(texts, about, encode)
    feelings = fit_aspects(texts, np.array(rows), [subject for subject, _ in mentions], [feeling for _, feeling in mentions], model, encode, displeasure)
    return model, feelings


def test_a_text_has_all_its_subjects(subjects):
    assert subjects[0].predict(["油耗太差了,外观真不错"]) == [["外观", "油耗"]]
    assert subjects[0].predict(["嗯"])[0]  # at least one


def test_each_subject_has_its_own_opinion(subjects):
    texts = ["油耗太差了,外观真不错"]
    assert subjects[1].predict(texts, np.array([0, 0]), ["油耗", "外观"]) == ["negative", "positive"]
    assert np.allclose(subjects[1].probabilities(texts, np.array([0]), ["油耗"], balanced=False).sum(1), 1)


def test_the_same_labels_give_the_same_model(subjects):
    texts, about = [case[2] for case in CASES], [{case[0]} for case in CASES]
    one, other = (fit_subjects(texts, about, encode).probabilities(["后备箱很满意"]) for _ in range(2))
    assert np.array_equal(one, other)


class Insisting:
    """A network that is sure of one subject and one feeling, whatever it reads."""

    def __init__(self, labels, subject, feels):
        self.labels, self.about, self.feels = labels, [label == subject for label in labels], np.array(feels)

    def probabilities(self, texts):
        return np.tile(np.array(self.about, dtype=float), (len(texts), 1)), np.tile(self.feels, (len(texts), len(self.labels), 1))


def test_networks_count_as_much_as_the_linear_models(subjects):
    model, feelings = subjects
    text, row = ["油耗太差了"], np.array([0])
    alone = model.probabilities(text)[0], feelings.probabilities(text, row, ["油耗"])[0]
    try:
        model.tuned = Together([Insisting(model.labels, "空间", (0, 1, 0)), Insisting(model.labels, "油耗", (0, 0, 1))])
        beside = model.probabilities(text)[0], feelings.probabilities(text, row, ["油耗"])[0]
        feelings.asked = SimpleNamespace(probabilities=lambda texts, rows, about: np.array([[1, 0, 0]]))
        asked = feelings.probabilities(text, row, ["油耗"])[0]
    finally:
        model.tuned = feelings.asked = None
    assert np.allclose(beside[0], (alone[0] + np.array([(label in ("空间", "油耗")) / 2 for label in model.labels])) / 2)
    assert np.allclose(beside[1], (alone[1] + np.array([0, 0.5, 0.5])) / 2)
    assert np.allclose(asked, 0.4 * alone[1] + 0.3 * np.array([0, 0.5, 0.5]) + 0.3 * np.array([1, 0, 0]))
    with pytest.raises(ValueError, match="网络学的主题与标注里的不同：外观"):
        fit_subjects(["油耗高", "空间大"] * 3, [{"油耗"}, {"空间"}] * 3, encode, Insisting(("外观", "油耗", "空间"), "外观", (0, 1, 0)))


def test_pairs_are_said_where_both_are_sure_together(subjects):
    model, feelings = subjects
    found = feelings.pairs(["油耗太差了,外观真不错", "后备箱很满意"])
    assert [pair[:3] for pair in found] == [(0, "外观", "positive"), (0, "油耗", "negative"), (1, "空间", "positive")] and all(0.3 < pair[3] <= 1 for pair in found)
    text = ["油耗怎么样"]
    try:
        # Half sure of the subject and of a feeling at a third or so: each alone would do, together they do not.
        model.tuned = Insisting(model.labels, "外观", (1 / 3, 1 / 3, 1 / 3))
        both, said = model.predict(text), feelings.pairs(text)
    finally:
        model.tuned = None
    assert both == [["外观", "油耗"]] and [subject for _, subject, _, _ in said] == ["油耗"]


def labels_of(cases):
    return pl.DataFrame({"text": [case[2] for case in cases], "subject": [case[0] for case in cases], "opinion": [{"negative": "负面"}.get(case[1], case[1]) for case in cases]})


@pytest.mark.parametrize("installed", [False, True])
def test_labels_of_mentions_teach_every_voice_there_is(monkeypatch, installed):
    start = feelings_tuned.fit_start([f"酒店{said}" for signs in ("negative", "positive") for said in SAID[signs]], np.array([1, 1, 1, 0, 0, 0]), epochs=1)  # the real one takes minutes
    monkeypatch.setattr(feelings_tuned, "start_sense", lambda: start)
    monkeypatch.setattr(opinions_start, "start_model", lambda: SimpleNamespace(displeasure=displeasure))
    monkeypatch.setattr(aspects_e5, "is_installed", lambda: installed)
    monkeypatch.setattr(aspects_e5, "E5Sense", lambda: start)  # its own tests are in test_aspects_e5.py
    monkeypatch.setattr(type(start), "teaching", Teaching(epochs=1))
    monkeypatch.setattr(learnt, "fit_asked", lambda *told: SimpleNamespace(probabilities=lambda texts, rows, about: np.full((len(about), 3), 1 / 3)))
    model = fit_mentions(labels_of(CASES), encode)
    assert len(model.subjects.tuned._networks) == 1 + installed and (model.aspects.asked is not None) == installed
    found = model.read(["油耗太差了", ""])
    assert found.columns == ["row", "subject", "opinion", "confidence"] and found.row(0)[:2] == (0, "油耗") and found["row"].to_list() == [0, 1]
    assert model.read([]).equals(found.clear())


def test_the_pretrained_vectors_stand_beside_others_where_there_are_any(monkeypatch):
    monkeypatch.setattr(aspects_e5, "is_installed", lambda: False)
    assert every_vector(encode) is encode
    monkeypatch.setattr(aspects_e5, "is_installed", lambda: True)
    monkeypatch.setattr(aspects_e5, "_middle", lambda: np.zeros(384))
    monkeypatch.setattr(aspects_e5, "_mean_vectors", lambda texts: np.ones((len(texts), 384)))
    found = every_vector(encode)(["油耗高"])
    assert np.allclose(found[:, :64], 0.75 * encode(["油耗高"])) and np.allclose(found[:, 64:], 0.66 / 384**0.5)


@pytest.mark.parametrize(("change", "said"), [
    (lambda labels: labels.drop("opinion"), "标注缺少列：opinion；现有：text、subject"),
    (lambda labels: labels.with_columns(subject=pl.when(pl.int_range(pl.len()) > 1).then("subject")), "空的格子：subject 2 行"),
    (lambda labels: labels.with_columns(opinion=pl.lit("还行")), "还有：还行"),
    (lambda labels: labels.filter(pl.col("opinion") != "neutral"), "三种观点都有标注，缺少：中性。"),
    (lambda labels: labels.filter(pl.col("subject") == "油耗"), "至少要两个主题、每个 3 条"),
    (lambda labels: pl.concat([labels, labels.head(2).with_columns(subject=pl.lit("座椅"))]), "座椅 2 条"),
])  # fmt: skip
def test_labels_that_teach_nothing_are_said_before_anything_is_fitted(monkeypatch, change, said):
    monkeypatch.setattr(feelings_tuned, "start_sense", lambda: pytest.fail("minutes spent"))
    with pytest.raises(LabelError, match=said):
        fit_mentions(change(labels_of(CASES)), encode)


def test_opinions_lean_towards_how_often_they_occurred(subjects):
    _, feelings = subjects
    asked = ["油耗怎么样"], np.array([0]), ["油耗"]
    expected = feelings.probabilities(*asked)[0] * feelings.share**LEAN
    assert np.allclose(feelings.probabilities(*asked, balanced=False)[0], expected / expected.sum())


def test_decide_and_folds_by_hand():
    assert decide(np.array([[0.1, 0.2], [0.9, 0.6]]), 0.5).tolist() == [[0, 1], [1, 1]]
    dealt = folds(np.array([[1, 0]] * 6 + [[0, 1]] * 3))
    assert sorted(dealt[6:]) == [0, 1, 2] and np.bincount(dealt[:6]).tolist() == [2, 2, 2]


def test_too_few_labels_are_counted():
    with pytest.raises(ValueError, match="至少要两个主题"):
        fit_subjects(["油耗高"] * 4, [{"油耗"}] * 4, encode)
    with pytest.raises(ValueError, match="至少要两类"):
        fit_feelings(["好", "坏", "坏", "坏"], np.array([0, 1, 1, 1]), None, displeasure)


@pytest.mark.parametrize("encoder", [None, encode])
def test_feelings_of_whole_texts(encoder):
    signs = {"negative": 0, "neutral": 1, "positive": 2}
    model = fit_feelings([case[2] for case in CASES], np.array([signs[case[1]] for case in CASES]), encoder, displeasure)
    assert model.predict(["座椅太差了", "座椅真不错"]).tolist() == [0, 2]
    assert np.allclose(model.probabilities(["座椅怎么样"]).sum(1), 1)


def test_clauses_stand_beside_their_text_with_less_weight():
    clauses, rows, weight = _clauses_beside(["太差了,很好用,不是", "不错"])
    assert clauses == ["太差了", "很好用"]  # two characters are no clause
    assert rows.tolist() == [0, 1, 0, 0]
    assert np.allclose(weight, [1, 1, CLAUSE_WEIGHT / 2**0.5, CLAUSE_WEIGHT / 2**0.5])
