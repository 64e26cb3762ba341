"""A topic split by what codes tell: a plane holds the halves, stays through refits and other changes, and the ledger replays to the same."""

import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import ledger
from voc_lib.enrich.told import told_otherwise
from voc_lib.enrich.topic_changes import grown
from voc_lib.enrich.topics import SeededConsensus, read_model

WAKES, DEAF, BRAKE = "车机-语音-误唤醒", "车机-语音-识别差", "制动-刹车-异响"
OLD, NEW = 80, 25  # texts of the voice before (both codes in one breath), and of each half now
WIDTH = 80  # dimensions, more than the engine keeps
CODES = [[WAKES, DEAF]] * OLD + [[BRAKE]] * OLD + [[WAKES]] * NEW + [[DEAF]] * NEW


def turned(middle, many, seed, *axes):
    """Texts around a direction that lean a little towards others: less than they differ among themselves."""
    points = np.random.default_rng(seed).normal(0, 0.05, (many, WIDTH)) + np.eye(WIDTH)[middle] + 0.12 * np.eye(WIDTH)[list(axes)].sum(0)
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def told(codes, is_new):
    """What people tell otherwise since the second of two weeks."""
    rows = [(f"{row:04}", "2026-W39" if new else "2026-W38", code) for row, (found, new) in enumerate(zip(codes, is_new, strict=bool(codes))) for code in found]
    return told_otherwise(pl.DataFrame(rows, schema=dict.fromkeys(("text_hash", "iso_week", "code"), pl.String), orient="row"), "2026-W38")


def refitted(old, new, previous, codes):
    vectors = np.vstack([old, new])
    fit = SeededConsensus(("制动",), len(previous.ids), 5, previous).fit(vectors, np.full(len(vectors), -1))
    is_new = np.arange(len(vectors)) >= len(old)
    return grown(fit.model, vectors, fit.labels_, is_new, previous.ids, codes, told(codes, is_new))


@pytest.fixture(scope="module")
def voice():
    """(texts before, texts now, model before, id of the topic about the voice)."""
    old = np.vstack([turned(0, OLD, 1, 20, 21), turned(1, OLD, 2)])
    new = np.vstack([turned(0, NEW, 3, 20), turned(0, NEW, 4, 21)])
    before = replace(SeededConsensus(("制动",), 2, 1).fit(old, np.full(len(old), -1)).model, ids=("T0001", "T0002"))
    return old, new, before, before.ids[before.place(old[:1]).topic[0]]


@pytest.fixture(scope="module")
def split(voice):
    old, new, before, _ = voice
    return refitted(old, new, before, CODES)


def agreement(model, vectors):
    """Share of new texts, half of one kind and half of the other, that lie in the half of their kind."""
    at = np.array(model.topic_ids(model.place(vectors)))
    kind = np.repeat([0, 1], len(vectors) // 2)
    return max(np.mean((at == one) == (kind == 0)) for one in ("T0003", "T0004"))


def test_the_old_id_ends_and_two_new_ones_hold_the_halves(voice, split):
    old, new, before, parted = voice
    model, events = split
    assert [(found["action"], found["topic_id"], found["others"]) for found in events] == [("split", parted, "T0003 T0004")]
    assert "80 / 80" in events[0]["why"] and "0 / 25" in events[0]["why"] and "留出的文字上" in events[0]["why"]
    assert [{model.ids[at] for at in pair} for pair in model.pairs] == [{"T0003", "T0004"}]
    assert agreement(model, new) > 0.9
    unseen = np.vstack([turned(0, 100, 5, 20), turned(0, 100, 6, 21)])
    assert agreement(model, unseen) > 0.75
    untouched = ({*before.ids} - {parted}).pop()
    assert set(model.topic_ids(model.place(old[OLD:]))) == {untouched}


def test_halves_are_read_back_and_an_older_state_has_none(split):
    model, _ = split
    assert read_model(model.to_bytes()).fingerprint == model.fingerprint
    with np.load(io.BytesIO(model.to_bytes())) as held:
        older = io.BytesIO()
        np.savez(older, **{name: held[name] for name in held.files if name not in ("pairs", "sides", "side_offsets")})
    assert len(read_model(older.getvalue()).pairs) == 0


def test_a_refit_on_the_same_keeps_both_halves_and_says_nothing(voice, split):
    old, new, _, _ = voice
    vectors, (model, _) = np.vstack([old, new]), split
    fit = SeededConsensus(("制动",), 3, 9, model).fit(vectors, np.full(len(vectors), -1))
    is_new = np.arange(len(vectors)) >= len(old)  # the codes still differ from what is older
    again, events = grown(fit.model, vectors, fit.labels_, is_new, model.ids, CODES, told(CODES, is_new))
    assert again.ids == model.ids and events == []
    assert np.mean(again.place(vectors).topic == model.place(vectors).topic) > 0.97


def test_halves_stay_a_pair_when_another_topic_ends(voice, split):
    _, new, _, parted = voice
    model, _ = split
    fit = SeededConsensus(("制动",), 3, 9, model).fit(new, np.full(len(new), -1))
    left, events = grown(fit.model, new, fit.labels_, np.ones(len(new), dtype=bool), model.ids)
    assert [found["action"] for found in events] == ["retire"] and set(left.ids) == {"T0003", "T0004"}
    assert sorted(left.pairs[0]) == [0, 1] and agreement(left, new) > 0.9


def test_codes_told_apart_in_texts_that_differ_in_nothing_are_only_suspected(voice):
    old, _, before, parted = voice
    model, events = refitted(old, turned(0, 2 * NEW, 3), before, CODES)
    assert [(found["action"], found["topic_id"]) for found in events] == [("apart", parted)] and model.ids == before.ids and len(model.pairs) == 0


def test_codes_told_as_before_split_nothing(voice):
    old, new, before, _ = voice
    model, events = refitted(old, new, before, CODES[: 2 * OLD] + [[WAKES, DEAF]] * (2 * NEW))
    assert events == [] and model.ids == before.ids


def test_the_log_with_a_split_and_edits_replays_to_the_same_table(voice, split):
    _, _, before, parted = voice
    other = ({*before.ids} - {parted}).pop()
    lines = [*(ledger.event("birth", name) for name in before.ids), *split[1], ledger.event("rename", "T0003", name="误唤醒"), ledger.event("merge", other, ["T0004"])]
    log = pl.DataFrame([line | {"event": number, "who": "甲"} for number, line in enumerate(lines, 1)], schema=ledger.EVENTS_SCHEMA | {"event": pl.Int64, "who": pl.String})
    table = ledger.replay(log)
    assert dict(table.select("topic_id", "goes_to").iter_rows()) == {parted: None, other: other, "T0003": "T0003", "T0004": other}
    assert table.filter(pl.col("topic_id") == "T0003")["name"].item() == "误唤醒"
    assert ledger.replay(log.sample(fraction=1, shuffle=True, seed=3)).equals(table) and ledger.replay(log.clone()).equals(table)


LEAK, SQUEAK = "制动-油管-渗漏", "制动-踏板-异响"
GONE_ON = [[BRAKE]] * 2 * OLD


@pytest.fixture(scope="module")
def joint():
    """(texts before, texts now, model before): two codes told apart in two topics that hold other things too, and told in one breath now."""
    one, other = turned(0, OLD // 2, 1, 20), turned(1, OLD // 2, 2, 21)
    old = np.vstack([one, other, turned(0, OLD, 3, 30), turned(1, OLD, 4, 31)])
    both = turned(0, NEW, 5, 20, 21) + turned(1, NEW, 6, 20, 21)
    before = replace(SeededConsensus(("制动",), 2, 1).fit(old, np.full(len(old), -1)).model, ids=("T0001", "T0002"))
    return old, (both / np.linalg.norm(both, axis=1, keepdims=True)).astype(np.float32), before


APART = [[LEAK]] * (OLD // 2) + [[SQUEAK]] * (OLD // 2) + GONE_ON


def test_two_codes_once_told_apart_and_now_in_one_breath_become_one_topic_and_the_rest_stays(joint):
    old, new, before = joint
    model, events = refitted(old, new, before, APART + [[LEAK, SQUEAK]] * NEW)
    assert sorted((found["action"], found["topic_id"], found["others"]) for found in events) == [
        ("merge", "T0005", "T0003 T0004"), ("split", "T0001", "T0001 " + events[0]["others"].split()[1]), ("split", "T0002", "T0002 " + events[1]["others"].split()[1])]
    assert "0 / 40" in events[-1]["why"] and "25 / 25" in events[-1]["why"] and "2026-W39 以来" in events[-1]["why"] and "留出的文字上分得开的占" in events[-1]["why"]
    assert model.ids == ("T0001", "T0002", "T0005")
    at = np.array(model.topic_ids(model.place(np.vstack([old, new]))))
    joined, rest = np.r_[at[:OLD], at[3 * OLD:]], at[OLD : 3 * OLD]
    assert np.mean(joined == "T0005") > 0.85 and np.mean(rest == "T0005") < 0.1
    assert (rest != before.place(old[OLD:]).topic.astype(str)).all() and set(rest) <= {*model.ids}
    log = pl.DataFrame([line | {"event": number, "who": "机器"} for number, line in enumerate([*(ledger.event("birth", name) for name in before.ids), *events], 1)],
                       schema=ledger.EVENTS_SCHEMA | {"event": pl.Int64, "who": pl.String})
    assert dict(ledger.replay(log).select("topic_id", "goes_to").iter_rows()) == {"T0001": "T0001", "T0002": "T0002", "T0003": "T0005", "T0004": "T0005", "T0005": "T0005"}


def test_a_refit_on_the_same_keeps_what_was_merged(joint):
    old, new, before = joint
    codes = APART + [[LEAK, SQUEAK]] * NEW
    model, _ = refitted(old, new, before, codes)
    vectors = np.vstack([old, new])
    fit = SeededConsensus(("制动",), 3, 9, model).fit(vectors, np.full(len(vectors), -1))
    is_new = np.r_[np.zeros(len(old), dtype=bool), np.ones(len(new), dtype=bool)]  # the codes still differ from what is older
    again, events = grown(fit.model, vectors, fit.labels_, is_new, model.ids, codes, told(codes, is_new))
    assert again.ids == model.ids and events == [] and np.mean(again.place(vectors).topic == model.place(vectors).topic) > 0.97


def test_topics_that_are_about_the_two_codes_are_merged_whole(joint):
    old, new, before = joint
    codes = [[LEAK]] * (OLD // 2) + [[SQUEAK]] * (OLD // 2) + [[LEAK]] * OLD + [[SQUEAK]] * OLD + [[LEAK, SQUEAK]] * NEW
    model, events = refitted(old, new, before, codes)
    assert [(found["action"], found["topic_id"], found["others"]) for found in events] == [("merge", "T0003", "T0001 T0002")] and model.ids == ("T0003",)


def test_pairs_of_codes_are_judged_one_after_another_and_an_absent_code_changes_nothing(joint):
    old, new, before = joint
    codes = APART + [[LEAK, SQUEAK]] * NEW
    is_new = np.arange(len(codes)) >= len(old)
    fit = SeededConsensus(("制动",), 2, 5, before).fit(np.vstack([old, new]), np.full(len(codes), -1))
    (pair,) = told(codes, is_new)
    absent = replace(pair, rarer="制动-别处-没有")
    model, events = grown(fit.model, np.vstack([old, new]), fit.labels_, is_new, before.ids, codes, [absent, pair, replace(pair, common=BRAKE)])
    assert [found["action"] for found in events] == ["split", "split", "merge", "together"] and model.ids == ("T0001", "T0002", "T0005")


def test_codes_told_in_one_breath_that_no_plane_ever_kept_apart_are_only_suspected(joint):
    old, new, before = joint
    mixed = [[LEAK], [SQUEAK]] * (OLD // 2) + GONE_ON + [[LEAK, SQUEAK]] * NEW  # said of the same texts, whichever they are
    model, events = refitted(old, new, before, mixed)
    assert [found["action"] for found in events] == ["together"] and model.ids == before.ids
