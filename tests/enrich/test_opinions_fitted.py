"""Opinions learnt from a file of labels: what is wrong with the file is said; what is right moves the scale."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import opinions_fitted, opinions_start
from voc_lib.enrich.opinions import OpinionError, get_opinion_model

GOOD = ["秒连成功", "续航实在", "座椅舒服", "服务周到", "隔音很棒"]
BAD = ["又闪退了", "绑定不上", "电话没人接", "异响不断", "漏水了"]


@pytest.fixture
def small(monkeypatch):
    start = opinions_start.fit((GOOD + BAD) * 8, np.array(([0] * 5 + [1] * 5) * 8))
    monkeypatch.setattr(opinions_fitted.opinions_start, "load", lambda rest, store: start)


def labels(folder, rows, name="标注.csv", columns=("原文", "观点")):
    pl.DataFrame(rows, schema=list(columns), orient="row").write_csv(folder / name)
    return f"fitted:{name}"


def test_labels_teach_the_words_of_the_trade(home, small):
    rows = [(f"{text}{number}次", "负面") for text in BAD for number in range(8)] + [(f"{text}{number}次", "正面") for text in GOOD for number in range(8)]
    model = get_opinion_model(labels(home, rows))
    found = model.probabilities(["绑定不上", "续航实在"])
    assert found.shape == (2, 3) and np.allclose(found.sum(1), 1)
    assert found[0, 0] > 0.5 and found[1, 2] > 0.5 and (found[:, 1] == 0).all()
    assert get_opinion_model(labels(home, rows[1:], "别的.csv")).fingerprint != model.fingerprint


def test_a_file_without_enough_in_it_is_refused(home, small):
    with pytest.raises(OpinionError, match="缺少列：观点"):
        get_opinion_model(labels(home, [("好", "正面")], columns=("原文", "看法")))
    with pytest.raises(OpinionError, match="可用的标注太少"):
        get_opinion_model(labels(home, [("好", "正面"), ("坏", "负面"), ("呃", "不知道")], "少.csv"))
