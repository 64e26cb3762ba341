"""Shares per code by hand: what the model counted, what labels of mentions make of it, and how often the code is right."""

from datetime import UTC, datetime

import polars as pl
import pytest

from voc_lib.measure.audited import NOT_AUDITED
from voc_lib.measure.audited_codes import ALL_CODES, audited_mentions, left_out
from voc_lib.store import open_store
from voc_lib.store_write import write_store

AT = datetime(2026, 11, 20, tzinfo=UTC)
FUEL, NOISE = "油耗-整体-评价", "底盘-悬挂-异响"


def store_of(mentions, labels):
    """`mentions`: id, channel, code, what the model says; `labels`: id, code, what a person said."""
    rows = pl.DataFrame(mentions, schema=["feedback_id", "channel", "code", "opinion"], orient="row").with_columns(pl.lit("2026-W46").alias("iso_week"))
    told = pl.DataFrame(labels, schema={"feedback_id": pl.String, "code": pl.String, "opinion": pl.String}, orient="row")
    with write_store("mine", "test", "auto") as writer:
        writer.append("feedback", rows.select("feedback_id", "channel", "iso_week", verbatim=pl.lit("说了话")).unique("feedback_id"))
        writer.append("mentions", rows.select("feedback_id", "code", "iso_week", confidence=0.75, source=pl.lit("keyword"), model_version=pl.lit("k"), coded_at=pl.lit(AT)))
        writer.append("opinions", rows.select("feedback_id", "code", "opinion", "iso_week", coder=pl.lit("k"), opinion_model=pl.lit("m"), judged_at=pl.lit(AT)))
        writer.append("audits", told.with_columns(channel=pl.lit("c"), audit=pl.lit("1"), read_at=pl.lit(AT)))
        writer.remember(opinion_model="m")
    return open_store("mine")


def figures(store, **more):
    return {(row["code"], row["metric"]): row for row in audited_mentions(store, **more).iter_rows(named=True)}


def many(channel, count, code, negative):
    return [(f"{channel}{at}", channel, code, "negative" if at < negative else "neutral") for at in range(count)]


def test_without_labels_of_mentions_a_share_says_so(home):
    found = figures(store_of([*many("a", 8, FUEL, 6), *many("b", 4, NOISE, 4)], []))
    assert {row["note"] for row in found.values()} == {NOT_AUDITED} and {row["conf_low"] for row in found.values()} == {None}
    assert [(found[code, "negative_share"]["heard"], found[code, "negative_share"]["n"]) for code in (ALL_CODES, FUEL, NOISE)] == [(10 / 12, 12), (0.75, 8), (1, 4)]


def test_a_useless_model_leaves_the_share_of_the_labels_and_the_wrong_code_is_not_displeased(home):
    """The model calls all negative. Of 20 labelled: 12 negative, 4 neutral, 4 of another thing. 12 / 20 displeased, 16 / 20 rightly coded."""
    said = ["negative"] * 12 + ["neutral"] * 4 + ["wrong_code"] * 4
    found = figures(store_of(many("a", 100, FUEL, 100), [(f"a{at}", FUEL, opinion) for at, opinion in enumerate(said)]))
    share, right = found[FUEL, "negative_share"], found[FUEL, "code_precision"]
    assert (share["estimate"], share["heard"], share["labels"], share["n"]) == (pytest.approx(0.6), 1.0, 20, 100)
    assert share["conf_low"] < 0.6 < share["conf_high"] < 0.85
    assert (right["estimate"], right["heard"]) == (pytest.approx(0.8), 0.75) and right["conf_low"] < 0.8 < right["conf_high"]
    assert found[ALL_CODES, "negative_share"]["estimate"] == pytest.approx(0.6)


def test_a_label_stands_for_the_mentions_of_its_channel(home):
    """Ten labels each of 90 mentions (all displeased) and of 30 (none): 90 / 120, not the half of the labels; and the weights cost labels."""
    labels = [(f"a{at}", FUEL, "negative") for at in range(10)] + [(f"b{at}", FUEL, "neutral") for at in range(10)]
    found = figures(store_of([*many("a", 90, FUEL, 0), *many("b", 30, FUEL, 0)], labels))[FUEL, "negative_share"]
    assert (found["estimate"], found["heard"]) == (pytest.approx(0.75), 0.0)
    assert found["effective_n"] < 20


def test_a_channel_without_labels_is_left_out_and_said_and_few_labels_are_no_audit(home):
    labels = [(f"a{at}", FUEL, "negative") for at in range(12)] + [(f"a{at}", NOISE, "negative") for at in range(9)]
    store = store_of([*many("a", 40, FUEL, 10), *many("a", 20, NOISE, 20), *many("b", 50, FUEL, 0)], labels)
    found = figures(store)
    assert found[FUEL, "negative_share"]["n"] == 40 and "不含未抽检的 1 个渠道" in found[FUEL, "negative_share"]["note"]
    assert left_out(audited_mentions(store)) == "不含未抽检的 1 个渠道" and left_out(audited_mentions(store).clear()) is None
    assert found[NOISE, "negative_share"]["note"] == NOT_AUDITED and found[NOISE, "negative_share"]["labels"] == 9
    assert [code for code, metric in figures(store, codes=1) if metric == "code_precision"] == [ALL_CODES, FUEL]


def test_the_latest_label_counts_and_one_of_a_mention_that_is_gone_does_not(home):
    store = store_of(many("a", 30, FUEL, 0), [(f"a{at}", FUEL, "neutral") for at in range(12)] + [("a0", NOISE, "negative")])
    with write_store("mine", "again") as writer:
        writer.append("audits", pl.DataFrame({"feedback_id": ["a0"], "code": [FUEL], "opinion": ["negative"], "channel": ["a"], "audit": ["2"],
                                              "read_at": [datetime(2026, 11, 21, tzinfo=UTC)]}))
    found = figures(open_store("mine"))
    assert found[FUEL, "negative_share"]["labels"] == found[ALL_CODES, "negative_share"]["labels"] == 12
    assert found[FUEL, "negative_share"]["estimate"] == pytest.approx(1 / 12) and (NOISE, "negative_share") not in found


def test_some_feedback_uses_the_labels_inside_and_their_weights_from_where_they_were_drawn(home):
    labels = [(f"a{at}", FUEL, "negative") for at in range(10)] + [(f"b{at}", FUEL, "neutral") for at in range(20)]
    store = store_of([*many("a", 90, FUEL, 0), *many("b", 30, FUEL, 0)], labels)
    # 10 labels of a stand for 9 mentions each, 20 of b for 1.5: taking all of a and the first 20 of b, 90 / (90 + 30)
    some = pl.DataFrame({"feedback_id": [f"a{at}" for at in range(90)] + [f"b{at}" for at in range(20)]})
    found = figures(store, frame=some)[FUEL, "negative_share"]
    assert (found["labels"], found["n"], found["estimate"]) == (30, 110, pytest.approx(0.75))
    assert audited_mentions(store, frame=some.clear()).is_empty()


def test_an_opinion_that_does_not_exist_is_refused(home):
    with pytest.raises(ValueError, match="没有观点「angry」"):
        audited_mentions(store_of(many("a", 3, FUEL, 0), []), "angry")
