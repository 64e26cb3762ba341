"""The start model: polarity from the package's corpus, calibrated; adapted to a store's texts and kept beside them."""

import numpy as np
import pytest

from voc_lib.enrich import opinions_start
from voc_lib.enrich.opinions_start import Start, adapted, corpus, fit, load, start_model
from voc_lib.settings import settings

GOOD = ["质量很好，很喜欢", "服务周到，房间干净", "物流快，包装好，满意", "非常好用，推荐", "内容精彩，值得一看"]
BAD = ["质量太差了，很失望", "服务态度恶劣，房间很脏", "物流慢，包装破，退货", "根本不能用，后悔买了", "内容无聊，浪费钱"]


@pytest.fixture(scope="module")
def small():
    """Fitted on a handful of sentences: for what does not need the corpus."""
    return fit((GOOD + BAD) * 40, np.array(([0] * 5 + [1] * 5) * 40))


def test_the_corpus_is_read_from_the_package():
    texts, displeased = corpus()
    assert len(texts) == len(displeased) > 15_000
    assert 0.3 < displeased.mean() < 0.7


def test_sentences_nobody_trained_on_are_told_apart():
    pleased, displeased = ["车很好开，非常满意", "客服很耐心，解决得很快"], ["开了三天就坏了，太差劲", "等了两小时没人理，再也不来"]
    felt = start_model().displeasure([*pleased, *displeased])
    assert max(felt[:2]) < min(felt[2:])
    spread = start_model().probabilities([*pleased, *displeased])
    assert np.allclose(spread.sum(1), 1) and (spread[:2, 2] > 0.5).all() and (spread[2:, 0] > 0.5).all()


def test_a_text_has_one_answer_whatever_stands_beside_it(small):
    alone = small.probabilities(["质量太差了"])
    assert np.allclose(small.probabilities(["服务周到", "质量太差了", ""])[1], alone[0])


def test_nothing_said_is_neither_pleased_nor_displeased(small):
    assert small.displeasure(["", "！！！"]).tolist() == [0, 0]


def test_a_kept_model_is_the_same_model(small):
    again = Start(small.state)
    assert again.fingerprint == small.fingerprint
    assert np.allclose(again.probabilities(GOOD), small.probabilities(GOOD))


def test_few_own_texts_change_nothing(small):
    assert adapted(small, GOOD * 100) is small  # five different texts


def test_words_of_the_trade_get_their_feeling_from_their_company(small):
    own = [f"{bad}，{number}次闪退" for bad in BAD for number in range(80)] + [f"{good}，{number}次秒连" for good in GOOD for number in range(80)]
    closer = adapted(small, own)
    assert closer.fingerprint != small.fingerprint
    assert closer.displeasure(["闪退"])[0] - closer.displeasure(["秒连"])[0] > small.displeasure(["闪退"])[0] - small.displeasure(["秒连"])[0]


def test_a_store_fits_once_and_keeps_the_file(sample, monkeypatch):
    first = load("", "sample")
    monkeypatch.setattr(opinions_start, "start_model", lambda: pytest.fail("fitted again"))
    assert load("", "sample").fingerprint == first.fingerprint


def test_a_second_store_of_a_lake_adapts_what_the_first_one_fitted(sample, monkeypatch):
    from voc_lib.collect.ingest import ingest

    monkeypatch.setattr(opinions_start, "start_model", lambda: pytest.fail("fitted again"))
    ingest("other", sample / "data" / "raw" / "sample", "auto")
    assert load("", "other").fingerprint == load("", "sample").fingerprint, "the same texts, the same model"
    (settings().lake / "other" / "_models" / "opinions-start.json").unlink()
    next(settings().lake.glob(".opinions-start-*")).unlink()
    with pytest.raises(BaseException, match="fitted again"):
        load("", "other")
