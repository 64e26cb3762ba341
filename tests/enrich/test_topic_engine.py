"""The engine on points whose groups are known: what it finds, that it stays, and what a refit calls news."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.told import told_otherwise
from voc_lib.enrich.topic_changes import grown
from voc_lib.enrich.topic_consensus import NO_VALLEY, consensus, nearest, separation, settle
from voc_lib.enrich.topics import ANYWHERE, SeededConsensus, read_model, shares

WIDTH = 80  # dimensions, more than the engine keeps


def cloud(middle, many, seed, spread=0.05):
    """Vectors of length 1 around a direction."""
    points = np.random.default_rng(seed).normal(0, spread, (many, WIDTH)) + np.eye(WIDTH)[middle]
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def world():
    """Two systems of three and two topics: vectors, seeds (a third of the texts without), true topic."""
    vectors = np.vstack([cloud(at, 60, at) + 0.6 * np.eye(WIDTH)[10 if at < 3 else 11] for at in range(5)]).astype(np.float32)
    truth = np.repeat(np.arange(5), 60)
    seeds = np.where(np.arange(300) % 3 == 0, -1, (truth >= 3).astype(int))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), seeds, truth


@pytest.fixture(scope="module")
def fitted(world):
    return SeededConsensus(("制动", "空调"), 5, seed=1).fit(world[0], world[1])


def test_planted_topics_are_found_within_their_systems(world, fitted):
    pairs = set(zip(fitted.labels_.tolist(), world[2].tolist(), strict=True))
    assert len(pairs) == 5
    assert [fitted.model.systems[at] for at in fitted.model.system_of].count("制动") == 3


def test_placing_agrees_with_fitting_and_far_texts_are_unmapped(world, fitted):
    placed = fitted.model.place(world[0])
    assert (placed.topic == fitted.labels_).all()
    assert 0.9 < placed.is_mapped.mean() < 1
    far = fitted.model.place(np.vstack([cloud(40, 1, 9), np.zeros((1, WIDTH), dtype=np.float32)]))
    assert far.topic[0] >= 0 and not far.is_mapped[0]
    assert far.topic[1] == -1 and not far.is_mapped[1]


def test_the_order_of_texts_decides_nothing(world, fitted):
    order = np.random.default_rng(3).permutation(300)
    again = SeededConsensus(("制动", "空调"), 5, seed=1).fit(world[0][order], world[1][order])
    assert (again.labels_ == fitted.labels_[order]).all()


def test_a_refit_goes_on_from_where_topics_were(world, fitted):
    order = np.random.default_rng(4).permutation(300)
    again = SeededConsensus(("制动", "空调"), 5, seed=9, previous=fitted.model).fit(world[0][order], world[1][order])
    assert again.model.ids == fitted.model.ids
    assert (again.labels_ == fitted.labels_[order]).all()


def test_the_state_is_read_back_the_same(world, fitted):
    again = read_model(fitted.model.to_bytes())
    assert again.fingerprint == fitted.model.fingerprint
    assert (again.place(world[0]).topic == fitted.labels_).all()


def test_a_topic_added_by_hand_takes_its_texts_and_leaves_the_rest(world, fitted):
    fresh = cloud(30, 20, 8)
    more = fitted.model.added("T0099", fresh)
    assert (more.place(fresh).topic == 5).mean() >= 0.9
    assert (more.place(world[0]).topic == fitted.labels_).all()


def test_without_seeds_there_is_one_system(world):
    alone = SeededConsensus(("制动",), 5, seed=1).fit(world[0], np.full(300, -1))
    assert alone.model.systems == (ANYWHERE,) and len(set(alone.labels_)) == 5


def test_shares_are_proportional_and_small_systems_get_one():
    assert shares(np.array([600, 300, 100]), 10) == [6, 3, 1]
    assert shares(np.array([1000, 5, 5]), 6) == [4, 1, 1]
    assert sum(shares(np.array([16, 16]), 50)) == 4  # none below eight texts


def test_separation_of_a_halved_normal_cloud_has_no_valley():
    points = np.random.default_rng(0).normal(size=(40_000, 1))
    assert separation(points, (points[:, 0] > 0).astype(int)) == pytest.approx(NO_VALLEY, abs=0.03)
    # Two points, one at 0 and 2, the other at 10 and 12: means 10 apart, spread 1.
    assert separation(np.array([[0.0], [2.0], [10.0], [12.0]]), np.array([0, 0, 1, 1])) == 10


def test_consensus_and_settling_find_two_heaps():
    points = np.vstack([np.zeros((5, 2)), np.full((5, 2), 9.0)]) + np.arange(10)[:, None] * 0.01
    labels = consensus(points, 2, seed=0, runs=3)
    assert len(set(labels[:5])) == 1 and labels[0] != labels[9]
    found, places = settle(points, np.array([[1.0, 1.0], [5.0, 5.0]]))
    assert found.tolist() == [0] * 5 + [1] * 5
    assert places[1] == pytest.approx(points[5:].mean(0), abs=1e-5)
    assert nearest(points, places).tolist() == found.tolist()


def told(codes, is_new):
    """What people tell otherwise since the second of two weeks."""
    rows = [(f"{row:04}", "2026-W39" if new else "2026-W38", code) for row, (found, new) in enumerate(zip(codes, is_new, strict=bool(codes))) for code in found]
    return told_otherwise(pl.DataFrame(rows, schema=dict.fromkeys(("text_hash", "iso_week", "code"), pl.String), orient="row"), "2026-W38")


def refitted(old, new, previous, codes=()):
    vectors = np.vstack([old, new])
    fit = SeededConsensus(("制动",), 2, 5, previous).fit(vectors, np.full(len(vectors), -1))
    is_new = np.arange(len(vectors)) >= len(old)
    return grown(fit.model, vectors, fit.labels_, is_new, previous.ids, codes, told(codes, is_new))


def named(vectors, count, ids):
    from dataclasses import replace

    fit = SeededConsensus(("制动",), count, 1).fit(vectors, np.full(len(vectors), -1))
    return replace(fit.model, ids=ids)


def leaning(middle, towards, many, seed):
    """Around `middle`, moved half-way towards another direction: a part of a topic that speaks of one thing only."""
    points = cloud(middle, many, seed, 0.03) + 0.8 * np.eye(WIDTH)[towards]
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def test_a_topic_whose_new_texts_fall_into_two_heaps_is_split_and_quiet_ones_are_not():
    old = np.vstack([cloud(0, 80, 1), cloud(1, 80, 2)])
    before = named(old, 2, ("T0001", "T0002"))
    parted = before.ids[before.place(cloud(0, 1, 7)).topic[0]]
    model, events = refitted(old, np.vstack([leaning(0, 20, 30, 3), leaning(0, 21, 30, 4), cloud(1, 40, 5)]), before)
    assert [(found["action"], found["topic_id"], found["others"]) for found in events] == [("split", parted, "T0003 T0004")]
    assert set(model.ids) == {*before.ids, "T0003", "T0004"} - {parted}
    assert refitted(old, np.vstack([cloud(0, 60, 3), cloud(1, 60, 5)]), before)[1] == []


def test_a_topic_is_split_where_two_codes_once_told_together_are_told_apart():
    wakes, deaf = "车机-语音-误唤醒", "车机-语音-识别差"
    together = cloud(0, 80, 1) + 0.06 * (np.eye(WIDTH)[20] + np.eye(WIDTH)[21])
    old = np.vstack([together / np.linalg.norm(together, axis=1, keepdims=True), cloud(1, 80, 2)]).astype(np.float32)
    before = named(old, 2, ("T0001", "T0002"))
    parted = before.ids[before.place(old[:1]).topic[0]]
    apart = [cloud(0, 20, seed) + 0.13 * np.eye(WIDTH)[axis] for seed, axis in ((3, 20), (4, 21))]
    new = (np.vstack(apart) / np.linalg.norm(np.vstack(apart), axis=1, keepdims=True)).astype(np.float32)
    other = [["制动-刹车-异响"]] * 80
    codes = [[wakes, deaf]] * 80 + other + [[wakes]] * 20 + [[deaf]] * 20
    model, events = refitted(old, new, before, codes)
    assert [(found["action"], found["topic_id"]) for found in events] == [("split", parted)]
    assert "以前多与" in events[0]["why"] and "80 / 80" in events[0]["why"] and "0 / 20" in events[0]["why"]
    still = [[wakes, deaf]] * 80 + other + [[wakes, deaf]] * 40
    assert [found["why"] for found in refitted(old, new, before, still)[1] if "误唤醒" in found["why"]] == []


def test_what_codes_tell_and_vectors_cannot_hold_is_only_suspected():
    old, new = np.vstack([cloud(0, 80, 1), cloud(1, 80, 2)]), cloud(0, 40, 3)  # all of one heap
    before = named(old, 2, ("T0001", "T0002"))
    parted = before.ids[before.place(old[:1]).topic[0]]
    wakes, deaf, other = "车机-语音-误唤醒", "车机-语音-识别差", ["制动-刹车-异响"]
    apart = [[wakes, deaf]] * 80 + [other] * 80 + [[wakes], [deaf]] * 20
    model, events = refitted(old, new, before, apart)
    assert [(found["action"], found["topic_id"], found["others"]) for found in events] == [("apart", parted, None)] and model.ids == before.ids
    together = [[wakes], [deaf]] * 40 + [other] * 80 + [[wakes, deaf]] * 40
    assert [found["action"] for found in refitted(old, new, before, together)[1]] == ["together"]
    assert told([[wakes, deaf]] * 120, np.arange(120) >= 80) == []


def test_two_topics_whose_valley_fills_are_merged():
    other = cloud(1, 200, 6)  # what else people speak of: the centre of everything does not lie between the two
    old = np.vstack([leaning(0, 20, 60, 1), leaning(0, 21, 60, 2), other])
    before = named(old, 3, ("T0001", "T0002", "T0003"))
    pair = {before.ids[at] for at in before.place(old[:120]).topic}
    part = np.random.default_rng(3).normal(0.5, 0.15, (160, 1))  # most speak of both, few of one alone
    both = cloud(0, 160, 4, 0.03) + 0.8 * (part * np.eye(WIDTH)[20] + (1 - part) * np.eye(WIDTH)[21])
    model, events = refitted(old, (both / np.linalg.norm(both, axis=1, keepdims=True)).astype(np.float32), before)
    assert [(found["action"], found["topic_id"], set(found["others"].split())) for found in events] == [("merge", "T0004", pair)]
    assert set(model.ids) == {"T0001", "T0002", "T0003", "T0004"} - pair
