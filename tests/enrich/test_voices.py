"""A voice reads as scikit-learn's TF-IDF does, n-gram by n-gram."""

import numpy as np
import pytest

from voc_lib.enrich.ngrams import telling_ngrams
from voc_lib.enrich.voices import Voice, fit_voice

GOOD = ["质量很好,很喜欢", "服务周到,房间干净", "非常好用", "内容精彩👍"]
BAD = ["质量太差了,很失望", "服务恶劣,房间很脏", "根本不能用", "内容无聊😀"]


@pytest.fixture(scope="module")
def voice():
    return fit_voice((GOOD + BAD) * 5, np.array(([0] * 4 + [1] * 4) * 5))


def test_evidence_of_a_clause_is_that_of_scikit_learn(voice):
    from sklearn.feature_extraction.text import TfidfVectorizer

    reader = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, vocabulary=dict(zip(voice.ngrams.tolist(), range(len(voice.ngrams)), strict=True)))
    reader.idf_ = voice.rarity
    clauses = ["很好很好很好很好", "房间", "a", "非常不能用", "完全没见过", "精彩👍👍"]
    assert np.allclose(voice.evidence(clauses), reader.transform(clauses) @ voice.weights + voice.intercept)
    assert voice.evidence(["完全没见过"])[0] != voice.evidence(["房间"])[0]


@pytest.mark.parametrize(("most", "fewest"), [(1000, 1), (1000, 2), (1000, 5), (40, 1), (7, 2)])
def test_the_ngrams_kept_are_those_of_scikit_learn(most, fewest):
    """A text of one letter, an empty one, upper case, an emoji; with 40 and 7 the limit falls among n-grams said as often."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [*GOOD, *BAD, *BAD[:2], "好", "", "NFC钥匙nfc", "好好好好"]
    reader = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, dtype=np.float32, min_df=fewest, max_features=most).fit(texts)
    assert telling_ngrams(texts, most, fewest).tolist() == reader.get_feature_names_out().tolist()


def test_a_text_feels_as_its_clauses_do_on_the_mean(voice):
    one, other, both = voice.evidence(["很失望", "很喜欢", "很失望,很喜欢,很喜欢"])
    assert one > other and both == pytest.approx((one + 2 * other) / 3)


def test_two_ngrams_in_one_clause_weigh_as_with_a_pencil():
    """a twice and b once, equal weights of 1 and 3: (1 + ln 2, 1) over its length; ab is unknown."""
    voice = Voice(np.array(["b", "a"]), np.array([1.0, 1.0]), np.array([3.0, 1.0]), 0.5)
    twice = 1 + np.log(2)
    assert voice.evidence(["aba"])[0] == pytest.approx((twice + 3) / np.hypot(twice, 1) + 0.5)
    assert voice.evidence(["", "z"]).tolist() == [0, 0.5]  # no clause; a clause without a known n-gram


def test_the_last_characters_of_one_clause_never_join_the_first_of_the_next():
    voice = Voice(np.array(["ab"]), np.array([1.0]), np.array([2.0]), 0.0)
    assert voice.evidence(["a", "b", "ab"]).tolist() == [0, 0, 2]
