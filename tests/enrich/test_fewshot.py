"""Codes from labels: learnt from a handful of sentences, and used only where the keyword coder is silent."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.coding import CODES_SCHEMA, UNMAPPED, code_keywords
from voc_lib.enrich.domain import Code, Domain, DomainError
from voc_lib.enrich.fewshot import code_unmapped, fit_labels

SHAKE, PRICE = "转向-方向盘-抖动", "价格-价格-评价"
SHAKING = ["盘子一直哆嗦", "跑快了手心发麻", "握着直打颤", "高速手感乱晃", "速度一上来就哆嗦", "手里像握着电钻"]
PRICES = ["这个价钱划得来", "花了十几万", "砍到底才成交", "便宜了好几千", "钱花得值", "比别家少花两千"]
LABELS = pl.DataFrame({"text": SHAKING + PRICES, "code": [SHAKE] * 6 + [PRICE] * 6})
DOMAIN = Domain("t", "测试", ("t",), (Code(SHAKE, "抖", ("方向盘抖动",), (), "质量部"),), (), ())


class Counting:
    """An embedder of two numbers: characters of hands and shaking, characters of money."""

    fingerprint, dimensions = "counting", 2

    def encode(self, texts):
        counts = np.array([[sum(c in text for c in "手哆嗦颤晃"), sum(c in text for c in "钱价花万千")] for text in texts], dtype=np.float32)
        length = np.linalg.norm(counts, axis=1, keepdims=True)
        return counts / np.where(length > 0, length, 1)


@pytest.fixture(scope="module")
def coder():
    return fit_labels(LABELS, Counting())


def feedback(*texts):
    return pl.DataFrame({"feedback_id": [f"f{at}" for at in range(len(texts))], "text": list(texts)}, schema={"feedback_id": pl.String, "text": pl.String})


def test_learnt_codes_with_a_confidence(coder):
    said = coder.predict(["手一直哆嗦打颤", "花了好多钱", "", None])
    assert said["code"].to_list()[:2] == [SHAKE, PRICE]
    assert said["confidence"].is_between(0, 1).all()
    assert said["confidence"].to_list()[2:] == [0.0, 0.0]
    assert coder.predict([]).is_empty()


def test_labels_speak_only_where_keywords_are_silent(coder):
    texts = feedback("方向盘抖动,花了好多钱", "手一直哆嗦打颤", "")
    keywords = code_keywords(texts, DOMAIN)
    both = code_unmapped(keywords, texts, coder)
    assert both.schema == pl.Schema(CODES_SCHEMA)
    assert both.select("code", "source").rows() == [(SHAKE, "keyword"), (SHAKE, "labels"), (UNMAPPED, "keyword")]
    assert both["evidence"].to_list() == ["phrase", "labels", None]
    assert both.select("span_start", "span_end").row(1) == (0, 7)
    assert both["confidence"][1] >= 0.5
    assert both["model_version"].unique().to_list() == [keywords["model_version"][0] + "+" + coder.version]


def test_the_same_labels_give_the_same_coder(coder):
    again = fit_labels(LABELS.reverse(), Counting())
    assert again.version == coder.version
    assert again.predict(SHAKING).equals(coder.predict(SHAKING))
    assert fit_labels(LABELS.with_columns(code=pl.col("code").replace(PRICE, "价格-价格-偏贵")), Counting()).version != coder.version


def test_with_a_domain_what_keywords_find_counts_as_well():
    more = pl.concat([LABELS, pl.DataFrame({"text": [f"方向盘抖动{n}" for n in "甲乙丙"], "code": [SHAKE] * 3})])
    alone, taught = fit_labels(more, Counting()), fit_labels(more, Counting(), DOMAIN)
    # the words of money outweigh the one keyword where keywords do not count
    said = [coder.predict(["方向盘抖动,花钱"]).row(0) for coder in (alone, taught)]
    assert said[1][0] == SHAKE
    assert said[0][0] != SHAKE or said[1][1] > said[0][1]
    assert taught.version != alone.version


def test_too_few_labels_are_answered_with_what_is_missing():
    with pytest.raises(DomainError, match="标注里只有 1 个编码"):
        fit_labels(LABELS.head(6), Counting())
    with pytest.raises(DomainError, match="价格-价格-评价（2 条）"):
        fit_labels(LABELS.head(8), Counting())
