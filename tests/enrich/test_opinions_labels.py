"""Opinions learnt from a store's own audit: too few are counted out, enough move the scale, and no label is judged by who has seen it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import language, opinions_labels, opinions_start
from voc_lib.enrich.opinions import OpinionError, get_opinion_model
from voc_lib.store import open_store
from voc_lib.store_write import write_store

GOOD = ("秒连成功", "续航实在", "座椅舒服", "服务周到", "隔音很棒")
BAD = ("又闪退了", "绑定不上", "电话没人接", "异响不断", "漏水了")
FIRST = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def small(monkeypatch):
    """A start model that has never heard of these words."""
    start = opinions_start.fit(["真好", "真棒", "很差", "太烂"] * 8, np.array([0, 0, 1, 1] * 8))
    monkeypatch.setattr(opinions_labels.opinions_start, "load", lambda rest, store: start)
    return start


@pytest.fixture
def store(home, small):
    """A store of 120 short texts, half of them pleased, with ids by kind and number."""
    said = {f"g{at:02}": f"{GOOD[at % 5]}，用了{at}次" for at in range(60)} | {f"b{at:02}": f"{BAD[at % 5]}，试了{at}次" for at in range(60)}
    with write_store("mine", "test", "auto") as writer:
        writer.append("feedback", pl.DataFrame({"feedback_id": list(said), "verbatim": list(said.values())}).with_columns(
            pl.lit("c").alias("channel"), pl.lit("2026-W46").alias("iso_week")))
    return said


def read(labels, at=FIRST):
    with write_store("mine", "audit") as writer:
        writer.append("audits", pl.DataFrame({"feedback_id": list(labels), "opinion": list(labels.values())}).with_columns(
            pl.lit("c").alias("channel"), pl.lit("1").alias("audit"), pl.lit(at).alias("read_at")))


def both(first, last):
    return {f"g{at:02}": "positive" for at in range(first, last)} | {f"b{at:02}": "negative" for at in range(first, last)}


def test_too_few_labels_are_counted_and_the_remedy_is_named(store):
    with pytest.raises(OpinionError, match="现有 0 条"):
        get_opinion_model("labels", "mine")
    read(both(0, 12) | {"g50": "neutral", "g51": "mixed"})
    with pytest.raises(OpinionError) as refused:
        get_opinion_model("labels", "mine")
    assert "现有 25 条（负面 12 条、中性 1 条、正面 12 条）" in str(refused.value) and "各 20 条" in str(refused.value) and "voc audit --store mine" in str(refused.value)
    with pytest.raises(OpinionError, match="要写明是哪个库"):
        get_opinion_model("labels")


def test_labels_move_the_scale_where_the_start_model_knows_nothing(store, small):
    read(both(0, 30))
    new = [store["b45"], store["g46"]]
    before, after = small.probabilities(new), get_opinion_model("labels", "mine").probabilities(new)
    assert after.shape == (2, 3) and np.allclose(after.sum(1), 1)
    assert after[0, 0] > max(before[0, 0], 0.6) and after[1, 2] > max(before[1, 2], 0.6)


def test_a_labelled_text_is_judged_by_the_model_that_has_not_seen_it(store):
    """One label is wrong on purpose: a model that had seen it would have learnt its odd word."""
    labels = both(0, 30) | {"g00": "negative"}
    read(labels)
    model = get_opinion_model("labels", "mine")
    models, share, boldness = model._fitted
    text = store["g00"]
    fold = model._fold_of[language.clean(text)]
    assert text not in [said for said, dealt in zip(model._texts, model._dealt, strict=True) if dealt != fold]
    alone = opinions_labels.blended(model._start.probabilities([text]), opinions_labels._three(models[fold], [text]), share, boldness)
    assert np.allclose(model.probabilities([text]), alone) and model.probabilities([text])[0, 2] > 0.5
    everywhere = GOOD[1]  # a clause that labelled texts of several folds have: judged by all of them
    assert language.clean(everywhere) not in model._fold_of


def test_a_few_new_labels_change_nothing_and_a_fifth_or_a_word_does(store):
    read(both(0, 25))
    first = get_opinion_model("labels", "mine").fingerprint
    read(both(25, 28), FIRST + timedelta(days=1))
    assert get_opinion_model("labels", "mine").fingerprint == first
    assert opinions_labels.relearn("mine") == 56
    asked = get_opinion_model("labels", "mine").fingerprint
    assert asked != first
    read(both(28, 34), FIRST + timedelta(days=2))
    stepped = get_opinion_model("labels", "mine").fingerprint
    assert stepped not in (first, asked)
    assert opinions_labels.audit_labels(open_store("mine"), FIRST).height == 50, "what was learnt from is still there to be read"


def test_the_order_and_company_of_texts_change_no_answer(store):
    read(both(0, 25))
    texts = [store["b45"], store["g03"], store["g46"]]
    one, two = (get_opinion_model("labels", "mine") for _ in range(2))
    assert np.allclose(one.probabilities(texts), two.probabilities(texts[::-1])[::-1])
    assert one.probabilities([]).shape == (0, 3)
