"""What a refit finds beside texts that moved: topics that grew apart, topics that grew together, topics that nobody speaks of any more.

A topic is split only where what was said since the last fit falls into two heaps and what was said before did not; two are merged only where a
valley between them has filled. So a split or merge is news, and not a second opinion on an old cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from voc_lib.enrich import ledger
from voc_lib.enrich.embedders import normalised
from voc_lib.enrich.topic_consensus import NO_VALLEY, consensus, middles, nearest, separation
from voc_lib.enrich.topics import LEAST_LIKE, SMALLEST, TopicModel

APART = 4.0  # separation of two heaps, where a cloud without a valley has 2.65
NEWS = 0.7  # more (or less) separation than before, to be a change
SMALLER_HALF = 0.2  # of the new texts, at least
REPRODUCED = 0.9  # share of texts put the same way by halves cut from either half of the texts
VOTES = 8


def grown(model: TopicModel, before: TopicModel, vectors: np.ndarray, labels: np.ndarray, is_new: np.ndarray, known: Iterable[str]) -> tuple[TopicModel, list[dict]]:
    """The refitted model with topics split, merged and ended, and the events, in the order of the ledger.

    `model` carries the ids of `before`, topic by topic; `labels` are its topics of the rows, `is_new` those said since the last fit.
    """
    points = normalised(vectors - model.centre) @ model.axes
    known, events, taken = list(known), [], set()
    for at in range(len(model.ids)):
        if not (labels == at).any():
            events.append(ledger.event("retire", model.ids[at], why="没有人再说起"))
            taken.add(at)
    fresh: list[tuple[np.ndarray, int, list[int]]] = []  # place, system, rows
    for one, other, said in _grown_together(model, points, labels, is_new, taken):
        taken |= {one, other}
        rows = np.flatnonzero(np.isin(labels, (one, other)))
        (name,) = ledger.new_ids(known, 1)
        known.append(name)
        events.append(ledger.event("merge", name, [model.ids[one], model.ids[other]], why=said))
        fresh.append((name, model.system_of[one], rows))
    for at in range(len(model.ids)):
        halves = None if at in taken else _grown_apart(points, labels == at, is_new)
        if halves is not None:
            taken.add(at)
            names = ledger.new_ids(known, 2)
            known += names
            events.append(ledger.event("split", model.ids[at], names, why=halves[1]))
            fresh += [(name, model.system_of[at], np.flatnonzero(labels == at)[halves[0] == half]) for half, name in enumerate(names)]
    kept = [at for at in range(len(model.ids)) if at not in taken]
    places = np.vstack([model.places[kept], *(points[rows].mean(0, keepdims=True) for _, _, rows in fresh)])
    limits = [float(np.quantile(_like(points[rows], points[rows].mean(0)), LEAST_LIKE)) for _, _, rows in fresh]
    return replace(
        model, ids=(*(model.ids[at] for at in kept), *(name for name, _, _ in fresh)), places=places.astype(np.float32),
        system_of=np.append(model.system_of[kept], [system for _, system, _ in fresh]).astype(int), thresholds=np.append(model.thresholds[kept], limits)), events


def _grown_apart(points: np.ndarray, own: np.ndarray, is_new: np.ndarray) -> tuple[np.ndarray, str] | None:
    """(half of every text of the topic, the figures) where its new texts fall into two heaps that the old ones did not."""
    new, old = points[own & is_new], points[own & ~is_new]
    if len(new) < 2 * SMALLEST:
        return None
    halves = consensus(new, 2, 0, VOTES)
    places = middles(new, halves, 2)
    smaller = min(np.bincount(halves, minlength=2))
    apart, was = separation(new, halves), separation(old, nearest(old, places)) if len(old) >= 2 * SMALLEST else 0.0
    if smaller < max(SMALLEST, SMALLER_HALF * len(new)) or apart < APART or apart < was + NEWS or _reproduced(new) < REPRODUCED:
        return None
    return nearest(points[own], places), f"上次拟合以来的 {len(new)} 条分成 {len(new) - smaller} 条和 {smaller} 条两堆，间隔 {apart:.1f}（以前 {was:.1f}，不分开时约 {NO_VALLEY}）"


def _reproduced(points: np.ndarray) -> float:
    """How alike two cuts into halves are, each found on one half of the texts."""
    lot = np.random.default_rng(0).permutation(len(points)) % 2 == 0
    cuts = [nearest(points, middles(part, consensus(part, 2, 0, VOTES), 2)) for part in (points[lot], points[~lot])]
    same = float((cuts[0] == cuts[1]).mean())
    return max(same, 1 - same)


def _grown_together(model: TopicModel, points: np.ndarray, labels: np.ndarray, is_new: np.ndarray, taken: set[int]) -> list[tuple[int, int, str]]:
    """Pairs of neighbours in one system whose valley has filled, the nearest first, each topic once."""
    found, used = [], set(taken)
    pairs = [(float(((model.places[one] - model.places[other]) ** 2).sum()), one, other) for one in range(len(model.ids)) for other in range(one)
             if model.system_of[one] == model.system_of[other] and model.system_of[one] >= 0]
    for _, one, other in sorted(pairs):
        if one in used or other in used:
            continue
        both = np.isin(labels, (one, other))
        new, old = both & is_new, both & ~is_new
        if min((labels[new] == one).sum(), (labels[new] == other).sum()) < SMALLEST or min((labels[old] == one).sum(), (labels[old] == other).sum()) < SMALLEST:
            continue
        now, was = separation(points[new], labels[new] == one), separation(points[old], labels[old] == one)
        if now <= NO_VALLEY + NEWS / 2 and was >= APART:
            used |= {one, other}
            found.append((one, other, f"上次拟合以来的 {new.sum()} 条之间不再有间隔（{now:.1f}；以前 {was:.1f}，不分开时约 {NO_VALLEY}）"))
    return found


def _like(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    return normalised(points) @ normalised(place[None])[0]
