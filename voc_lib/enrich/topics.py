"""The topic engine: systems of the taxonomy first, consensus k-means within each, and frozen for every week until the next fit.

A text's first level is what a linear classifier, taught by the seed words of the taxonomy, makes of its vector; the second is
the nearest middle within it; where two middles lie too close, a plane between them says which (`told_apart`). Fitting is a sub-model of
BERTopic (see `topic_words`); placing a week is a few products of matrices.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from voc_lib.enrich.embedders import normalised
from voc_lib.enrich.topic_consensus import consensus, middles, nearest, settle

ANYWHERE = "其他"  # first level where the taxonomy is silent
SMALLEST_SYSTEM = 0.005  # of the texts: rarer systems teach nothing and go to the likeliest other
FEWEST_SEEDED = 15
SMALLEST = 8  # texts in a topic at least: fewer are no topic one could follow
STRICT = 0.01  # inverse penalty of the classifier; .1 follows the seed words too closely (NMI of the first level .52 instead of .60)
AXES = 60  # dimensions in which topics are told apart
LEAST_LIKE = 0.05  # share of its own texts that are less like a topic than its threshold
NOWHERE = -1


@dataclass(frozen=True)
class Placed:
    """Where texts belong: index of the topic (-1 for a text without a vector), cosine to its middle, whether that is enough."""

    topic: np.ndarray
    similarity: np.ndarray
    is_mapped: np.ndarray


@dataclass(frozen=True)
class TopicModel:
    """A frozen fit. `ids[i]` is the topic of middle i; a topic added by hand has no system (-1) and competes with all.

    `pairs` are topics that were split, or taken out of another and merged, by what codes tell (`topic_changes`): what is nearest to either of them goes to the first where `sides @ vector` is at
    most `side_offsets`, else to the second.
    """

    ids: tuple[str, ...]
    systems: tuple[str, ...]
    centre: np.ndarray  # [d] mean of the fitted vectors
    plane: np.ndarray  # [d, systems]
    offsets: np.ndarray  # [systems]
    axes: np.ndarray  # [d, AXES]
    places: np.ndarray  # [topics, AXES]
    system_of: np.ndarray  # [topics]
    thresholds: np.ndarray  # [topics] cosine below which a text is 未归类
    pairs: np.ndarray  # [pairs, 2]
    sides: np.ndarray  # [pairs, d]
    side_offsets: np.ndarray  # [pairs]

    def place(self, vectors: np.ndarray) -> Placed:
        """The best topic of each row of float32[n, d]; a zero row (no words) has none."""
        centred = normalised(vectors - self.centre)
        points = centred @ self.axes
        first = (centred @ self.plane + self.offsets).argmax(1)
        like = _cosines(points, self.places)
        topic = np.full(len(points), NOWHERE)
        for system in np.unique(first):
            own, rows = np.flatnonzero(self.system_of == system), np.flatnonzero(first == system)
            if not len(own):  # every topic of the system was merged away by a refit
                own = np.flatnonzero(self.system_of >= 0)
            topic[rows] = own[nearest(points[rows], self.places[own])]
        topic = self.told_apart(topic, centred)
        rows = np.arange(len(points))
        best = like[rows, topic]
        for at in np.flatnonzero(self.system_of < 0):
            taken = (like[:, at] >= self.thresholds[at]) & (like[:, at] > best)
            topic[taken], best = at, np.where(taken, like[:, at], best)
        is_mapped = best >= self.thresholds[topic]
        silent = ~vectors.any(axis=1)
        topic[silent], best[silent], is_mapped[silent] = NOWHERE, 0, False
        return Placed(topic, best.astype(np.float32), is_mapped)

    def told_apart(self, topic: np.ndarray, centred: np.ndarray) -> np.ndarray:
        """`topic` of every row after the planes between pairs have spoken."""
        topic = topic.copy()
        for (one, other), side, offset in zip(self.pairs, self.sides, self.side_offsets, strict=True):
            rows = np.flatnonzero((topic == one) | (topic == other))
            topic[rows] = np.where(centred[rows] @ side > offset, other, one)
        return topic

    def topic_ids(self, placed: Placed) -> list[str | None]:
        return [self.ids[at] if at >= 0 else None for at in placed.topic]

    def added(self, topic_id: str, vectors: np.ndarray) -> TopicModel:
        """The model with one more topic, in the middle of some texts' vectors, wherever they stand in the taxonomy."""
        points = normalised(vectors - self.centre) @ self.axes
        place = points.mean(0, keepdims=True)
        threshold = np.quantile(_cosines(points, place)[:, 0], LEAST_LIKE)
        return replace(self, ids=(*self.ids, topic_id), places=np.vstack([self.places, place]), system_of=np.append(self.system_of, NOWHERE),
                       thresholds=np.append(self.thresholds, threshold))

    def to_bytes(self) -> bytes:
        """The state as an npz file; the same model has the same bytes."""
        out = io.BytesIO()
        np.savez(out, **{field.name: np.asarray(getattr(self, field.name)) for field in fields(self)})
        return out.getvalue()

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]


def read_model(state: bytes) -> TopicModel:
    """The inverse of `TopicModel.to_bytes`."""
    with np.load(io.BytesIO(state), allow_pickle=False) as held:
        told = dict(zip(("pairs", "sides", "side_offsets"), no_pairs(held["centre"].shape[0]), strict=True)) | {name: held[name] for name in held.files}  # older states have none
    return TopicModel(**{name: tuple(value.tolist()) if name in ("ids", "systems") else value for name, value in told.items()})


def no_pairs(width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`pairs`, `sides` and `side_offsets` of a model in which the nearest middle says it all."""
    return np.empty((0, 2), dtype=int), np.empty((0, width), dtype=np.float32), np.empty(0, dtype=np.float32)


class SeededConsensus:
    """Sub-model for `BERTopic(hdbscan_model=...)`: `fit(X, y)` with y the seeded first level (-1 where no seed word is found).

    After fitting: `labels_` (0-based, no outliers) and `model`, the frozen `TopicModel` with ids "0", "1", .... The order of rows decides
    nothing but rounding; `seed` decides the starts. With `previous`, topics start where they were and only move as far as the texts demand.
    """

    def __init__(self, systems: Sequence[str], count: int, seed: int = 0, previous: TopicModel | None = None) -> None:
        self.systems, self.count, self.seed, self.previous = tuple(systems), count, seed, previous

    def fit(self, X: np.ndarray, y: np.ndarray) -> SeededConsensus:
        order = np.lexsort(np.ascontiguousarray(X[:, :3]).T)  # rows in an order of their own, however they came
        vectors, seeds = np.asarray(X, dtype=np.float32)[order], np.asarray(y)[order]
        centre = vectors.mean(0) if self.previous is None else self.previous.centre
        centred = normalised(vectors - centre)
        systems, plane, offsets = first_level(centred, seeds, self.systems)
        axes = _axes(centred) if self.previous is None else self.previous.axes
        points, first = centred @ axes, (centred @ plane + offsets).argmax(1)
        start = self._from_scratch if self.previous is None else self._from_before
        labels, places, system_of = start(points, first, systems)
        if self.previous is not None and len(self.previous.pairs):
            labels = self.previous.told_apart(labels, centred)
            for at in np.intersect1d(self.previous.pairs, labels):
                places[at] = points[labels == at].mean(0)
        like = _cosines(points, places)[np.arange(len(points)), labels]
        thresholds = np.array([np.quantile(like[labels == at], LEAST_LIKE) if (labels == at).any() else self.previous.thresholds[at] for at in range(len(places))])
        ids = self.previous.ids if self.previous is not None else tuple(map(str, range(len(places))))
        self.model = TopicModel(ids, systems, centre, plane.astype(np.float32), offsets.astype(np.float32), axes, places, system_of, thresholds,
                                *((self.previous.pairs, self.previous.sides, self.previous.side_offsets) if self.previous is not None else no_pairs(len(centre))))
        self.labels_ = np.empty(len(labels), dtype=int)
        self.labels_[order] = labels
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.place(np.asarray(X, dtype=np.float32)).topic

    def _from_scratch(self, points: np.ndarray, first: np.ndarray, systems: tuple[str, ...]):
        labels, places, system_of = np.empty(len(points), dtype=int), [], []
        sizes = np.bincount(first, minlength=len(systems))
        for system, count in enumerate(shares(sizes, self.count)):
            rows = np.flatnonzero(first == system)
            if len(rows):
                found = consensus(points[rows], count, self.seed * 1_000 + system)
                labels[rows] = len(system_of) + found
                places.append(middles(points[rows], found, count))
                system_of += [system] * count
        return labels, np.vstack(places), np.array(system_of)

    def _from_before(self, points: np.ndarray, first: np.ndarray, systems: tuple[str, ...]):
        before = self.previous
        system_of = np.array([systems.index(before.systems[at]) if at >= 0 and before.systems[at] in systems else NOWHERE for at in before.system_of])
        labels, places = np.full(len(points), NOWHERE), before.places.copy()
        for system in range(len(systems)):
            rows, own = np.flatnonzero(first == system), np.flatnonzero(system_of == system)
            if len(own) and len(rows):
                found, places[own] = settle(points[rows], places[own])
                labels[rows] = own[found]
        lost = labels < 0
        labels[lost] = nearest(points[lost], places)
        like = _cosines(points, places)
        for at in np.flatnonzero(system_of < 0):
            labels[(like[:, at] >= before.thresholds[at]) & (like[:, at] > like[np.arange(len(points)), labels])] = at
        return labels, places, system_of


def first_level(centred: np.ndarray, seeds: np.ndarray, systems: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """(systems kept, plane [d, systems], offsets): what the seeded rows teach about the first level.

    A system too rare to learn is left out; with fewer than two left there is one, `其他`, for everything.
    """
    from sklearn.svm import LinearSVC

    sizes = np.bincount(seeds[seeds >= 0], minlength=len(systems))
    kept = np.flatnonzero(sizes >= max(FEWEST_SEEDED, SMALLEST_SYSTEM * len(centred)))
    if len(kept) < 2:
        return (ANYWHERE,), np.zeros((centred.shape[1], 1)), np.zeros(1)
    rows = np.isin(seeds, kept)
    learnt = LinearSVC(C=STRICT, class_weight="balanced", random_state=0).fit(centred[rows], np.searchsorted(kept, seeds[rows]))
    plane, offsets = learnt.coef_.T, learnt.intercept_
    if len(kept) == 2:  # sklearn keeps one plane for two classes
        plane, offsets = np.hstack([-plane, plane]), np.append(-offsets, offsets)
    return tuple(systems[at] for at in kept), plane, offsets


def shares(sizes: np.ndarray, count: int) -> list[int]:
    """How many topics each system gets: in proportion to its texts, at least one, none below `SMALLEST` texts, `count` in all where that can be.

    >>> shares(np.array([600, 300, 100]), 10)
    [6, 3, 1]
    """
    most = np.maximum(1, sizes // SMALLEST)
    given = np.ones(len(sizes), dtype=int)
    while given.sum() < count and (given < most).any():
        want = np.where(given < most, sizes / (given + 0.5), -1.0)  # Webster's method: the next topic goes where one stands for most texts
        given[want.argmax()] += 1
    return given.tolist()


def _axes(centred: np.ndarray) -> np.ndarray:
    """[d, AXES]: directions in which the texts differ most; signs fixed, so that the same texts give the same axes."""
    values, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, np.argsort(-values)[:AXES]]
    signs = np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    return (axes * signs).astype(np.float32)


def _cosines(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    return normalised(points) @ normalised(places).T
