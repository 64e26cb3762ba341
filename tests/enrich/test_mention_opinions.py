"""Opinions about codes learnt from labels of mentions: the same words mean one thing of this code and another of that, and no label is judged by who has seen it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import language, opinions_labels, opinions_start
from voc_lib.enrich.judging import judge_mentions
from voc_lib.enrich.opinions import OpinionError, get_opinion_model, judge
from voc_lib.store import open_store
from voc_lib.store_write import write_store

FIRST = datetime(2026, 11, 20, tzinfo=UTC)
FUEL, SEAT = "油耗-整体-评价", "座椅-整体-评价"
SPANS = {"油耗": FUEL, "座椅": SEAT}


@pytest.fixture
def small(monkeypatch):
    """A start model that has never heard of these words."""
    start = opinions_start.fit(["真好", "真棒", "很差", "太烂"] * 8, np.array([0, 0, 1, 1] * 8))
    monkeypatch.setattr(opinions_labels.opinions_start, "load", lambda rest, store: start)
    return start


@pytest.fixture
def store(home, small):
    """80 posts: half say 油耗低,座椅低 (pleased with the one, displeased with the other), half 油耗大,座椅大 (the reverse)."""
    said = {f"l{at:02}": f"第{at}次来，油耗低，座椅低" for at in range(40)} | {f"h{at:02}": f"第{at}次来，油耗大，座椅大" for at in range(40)}
    rows = pl.DataFrame({"feedback_id": list(said), "verbatim": list(said.values())})
    spans = [(name, code, language.clean(text).index(word), language.clean(text).index(word) + 2) for name, text in said.items() for word, code in SPANS.items()]
    found = pl.DataFrame(spans, schema=["feedback_id", "code", "span_start", "span_end"], orient="row")
    with write_store("mine", "test", "auto") as writer:
        writer.append("feedback", rows.with_columns(channel=pl.lit("c"), iso_week=pl.lit("2026-W46")))
        writer.append("mentions", found.with_columns(iso_week=pl.lit("2026-W46"), confidence=0.8, source=pl.lit("keyword"), model_version=pl.lit("k"), coded_at=pl.lit(FIRST)))
    return said


def read(labels, at=FIRST):
    with write_store("mine", "audit") as writer:
        rows = pl.DataFrame(labels, schema={"feedback_id": pl.String, "code": pl.String, "opinion": pl.String}, orient="row")
        writer.append("audits", rows.with_columns(channel=pl.lit("c"), audit=pl.lit("1"), read_at=pl.lit(at)))


def both(first, last):
    """Both mentions of so many posts of either kind: low is good for fuel and bad for a seat."""
    felt = {("l", FUEL): "positive", ("l", SEAT): "negative", ("h", FUEL): "negative", ("h", SEAT): "positive"}
    return [(f"{kind}{at:02}", code, said) for at in range(first, last) for (kind, code), said in felt.items()]


def opinions(model, store, names):
    lake = open_store("mine")
    texts = pl.DataFrame({"feedback_id": names, "text": [store[name] for name in names]})
    mentions = lake.sql("SELECT feedback_id, code, span_start, span_end FROM mentions").join(texts.select("feedback_id"), on="feedback_id", how="semi")
    return {(name, code): said for name, code, said, _ in judge(texts, mentions, model).iter_rows()}


def test_labels_of_mentions_tell_codes_apart_that_share_their_words(store, small):
    read(both(0, 25))
    truth = {(name, code): said for name, code, said in both(30, 36)}
    before, model = opinions(small, store, ["l30", "h31"]), get_opinion_model("labels", "mine")
    after = opinions(model, store, sorted({name for name, _ in truth}))
    assert {key: after[key] for key in truth} == truth
    assert {before["l30", FUEL], before["l30", SEAT]} != {"positive", "negative"}
    fit = model.mentions.fit
    assert fit.helps and fit.f1 > 0.9 > fit.f1_before and fit.loss < fit.loss_before
    assert "照 100 条提及标注判断" in model.note and "宏 F1 提高" in model.note


def test_a_text_as_a_whole_is_judged_by_the_start_model_where_only_mentions_were_labelled(store, small):
    read(both(0, 25))
    model = get_opinion_model("labels", "mine")
    texts = [store["l30"], store["h30"]]
    assert np.allclose(model.probabilities(texts), small.probabilities(texts)) and model.probabilities([]).shape == (0, 3)


def test_a_labelled_mention_is_judged_by_the_model_that_has_not_seen_it(store):
    """All labels of one post are wrong on purpose: a model that had seen them would have learnt its odd number."""
    read([row for row in both(0, 25) if row[0] != "l07"] + [("l07", FUEL, "negative"), ("l07", SEAT, "positive")])
    model = get_opinion_model("labels", "mine")
    said = opinions(model, store, ["l07"])
    assert (said["l07", FUEL], said["l07", SEAT]) == ("positive", "negative")
    inside = model.mentions
    fold = inside._fold_of[language.clean(store["l07"])]
    assert (inside._dealt == fold).sum() >= 2 and len({inside._fold_of[language.clean(store[name])] for name in ("l07", "l08", "l09", "l10", "l11", "l12", "l13")}) > 1
    window, codes, texts = ["油耗低"], pl.Series([FUEL]), [store["l07"]]
    models, fit = inside._fitted
    alone = opinions_labels.blended(model._before(window, codes, texts), models[fold].predict_proba(inside._features(window, codes, texts)) @ np.eye(3)[[0, 2]], fit.share, fit.boldness)
    assert np.allclose(inside.about_codes(window, codes, texts)[0], alone)


def test_too_few_are_counted_beside_those_of_texts_and_wrong_codes_teach_nothing(store):
    read([*both(0, 3), *((f"l{at}", FUEL, "wrong_code") for at in range(10, 40))])
    with pytest.raises(OpinionError) as refused:
        get_opinion_model("labels", "mine")
    assert "现有 0 条" in str(refused.value) and "按提及的标注有 12 条（负面 6 条、中性 0 条、正面 6 条），也不够" in str(refused.value)


def test_a_judgement_that_labels_do_not_better_stays(store):
    """Opinions given by lot, and a judgement before that knows them all: nothing can be learnt that is better, and it is said."""
    lots = dict(zip(((name, code) for name, code, _ in both(0, 25)), np.random.default_rng(5).permutation([0, 2] * 50).tolist(), strict=True))
    read([(name, code, ("negative", "neutral", "positive")[sign]) for (name, code), sign in lots.items()])
    names, model = {text: name for name, text in store.items()}, get_opinion_model("labels", "mine")
    model.mentions._before = lambda windows, codes, texts: np.eye(3)[[lots.get((names[text], code), 1) for code, text in zip(codes, texts, strict=True)]]
    assert not model.mentions.fit.helps and "没有照提及标注改" in model.note
    assert opinions(model, store, ["l00", "l30"])["l30", FUEL] == "neutral"


def test_everything_is_judged_again_after_a_fifth_or_by_a_word_and_not_before(store):
    read(both(0, 20))
    assert judge_mentions("mine", "k", get_opinion_model("labels", "mine")) == 80
    assert judge_mentions("mine", "k", get_opinion_model("labels", "mine")) == 0
    read(both(20, 22), FIRST + timedelta(days=1))
    assert judge_mentions("mine", "k", get_opinion_model("labels", "mine")) == 0, "eight new labels on eighty are no fifth"
    assert opinions_labels.relearn("mine") == 88
    assert judge_mentions("mine", "k", get_opinion_model("labels", "mine")) == 80
    read(both(22, 27), FIRST + timedelta(days=2))
    assert judge_mentions("mine", "k", get_opinion_model("labels", "mine")) == 80
    assert open_store("mine").sql("SELECT count(DISTINCT opinion_model) AS n FROM opinions")["n"].item() == 3


def test_labels_of_texts_keep_their_fingerprint_and_those_of_mentions_have_their_own(store):
    whole = [(f"{kind}{at:02}", None, said) for at in range(25) for kind, said in (("l", "positive"), ("h", "negative"))]
    read(whole)
    alone = get_opinion_model("labels", "mine")
    assert alone.about_codes is None and alone.note == ""
    read(both(0, 25), FIRST + timedelta(days=1))
    together = get_opinion_model("labels", "mine")
    assert together.fingerprint != alone.fingerprint and together.mentions is not None
    assert np.allclose(together.probabilities([store["l30"]]), alone.probabilities([store["l30"]]))
