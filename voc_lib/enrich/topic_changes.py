"""What a refit finds beside texts that moved: topics that grew apart, topics that grew together, topics that nobody speaks of any more.

A topic is split only where what was said since the last fit falls into two heaps and what was said before did not, or where two codes that people
used to tell in one breath are now told apart and a plane between their texts holds on texts it has not seen; two are merged only where a valley between
them has filled. So a split or merge is news, and not a second opinion on an old cut. What codes tell and no vector can hold is written down as suspected
(`apart`, `together`) and changes no topic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from voc_lib.enrich import ledger
from voc_lib.enrich.domain import PLAIN_MENTION
from voc_lib.enrich.embedders import normalised
from voc_lib.enrich.topic_consensus import NO_VALLEY, consensus, middles, nearest, separation
from voc_lib.enrich.topics import LEAST_LIKE, SMALLEST, TopicModel

APART = 4.0  # separation of two heaps, where a cloud without a valley has 2.65
FLAT = 3.2  # what was said before had no valley worth the name; topics of the planted world that are one thing have 2.7-3.1
TOGETHER, ALONE = 0.5, 0.2  # of the rarer of two codes: so much was told with the other before, at most so much is now
DOUBT = 0.01  # Fisher's exact test, shared among all pairs of a topic
HELD = 0.7  # balanced accuracy of the plane between two codes on texts left out of its fit: below, the vectors cannot hold the parts apart
LOOSE = 1.0  # inverse penalty of that plane: a hundred texts in 768 dimensions (.1 holds .76 of the planted halves' coded texts left out, 1 holds .82)
NEWS = 0.7  # more (or less) separation than before, to be a change
SMALLER_HALF = 0.2  # of the new texts, at least
REPRODUCED = 0.9  # share of texts put the same way by halves cut from either half of the texts
VOTES = 8
FOLDS = 5
DRAWS = 5


def grown(
    model: TopicModel, vectors: np.ndarray, labels: np.ndarray, is_new: np.ndarray, known: Iterable[str], codes: Sequence[Sequence[str]] = ()
) -> tuple[TopicModel, list[dict]]:
    """The refitted model with topics split, merged and ended, and the events, in the order of the ledger.

    `model` carries the ids of the version before, topic by topic; `labels` are its topics of the rows, `is_new` those said since the last fit, `codes` the
    codes of every row where there are any.
    """
    centred = normalised(vectors - model.centre)
    points = centred @ model.axes
    known, events, taken = list(known), [], set()
    paired = set(model.pairs.ravel().tolist())  # held apart by a plane: not cut or merged again by a machine
    for at in range(len(model.ids)):
        if not (labels == at).any():
            events.append(ledger.event("retire", model.ids[at], why="没有人再说起"))
            taken.add(at)
    fresh: list[tuple[np.ndarray, int, list[int]]] = []  # place, system, rows
    for one, other, said in _grown_together(model, points, labels, is_new, taken | paired):
        taken |= {one, other}
        rows = np.flatnonzero(np.isin(labels, (one, other)))
        (name,) = ledger.new_ids(known, 1)
        known.append(name)
        events.append(ledger.event("merge", name, [model.ids[one], model.ids[other]], why=said))
        fresh.append((name, model.system_of[one], rows))
    by_codes, suspected = {}, []
    for told in told_otherwise(codes, is_new) if len(codes) else ():
        one, other = (_home(code, codes, labels) for code in (told.common, told.rarer))
        parted = _parted(told, centred, labels == one, is_new, codes) if told.is_apart and one == other and one not in taken | paired | by_codes.keys() else None
        if parted is not None:
            by_codes[one] = parted
        else:  # the vectors cannot hold it: for an analyst to look at
            suspected.append(ledger.event("apart" if told.is_apart else "together", model.ids[one], [model.ids[other]] if other != one else [], why=str(told)))
    planes: dict[tuple[str, str], tuple[np.ndarray, float]] = {
        (model.ids[one], model.ids[other]): plane for (one, other), plane in zip(model.pairs, zip(model.sides, model.side_offsets, strict=True), strict=True) if not {one, other} & taken}
    for at in range(len(model.ids)):
        halves = None if at in taken | paired else by_codes.get(at) or _grown_apart(points, labels == at, is_new)
        if halves is not None:
            taken.add(at)
            names = ledger.new_ids(known, 2)
            known += names
            events.append(ledger.event("split", model.ids[at], names, why=halves[1]))
            fresh += [(name, model.system_of[at], np.flatnonzero(labels == at)[halves[0] == half]) for half, name in enumerate(names)]
            planes |= {tuple(names): halves[2:]} if at in by_codes else {}
    kept = [at for at in range(len(model.ids)) if at not in taken]
    places = np.vstack([model.places[kept], *(points[rows].mean(0, keepdims=True) for _, _, rows in fresh)])
    limits = [float(np.quantile(_like(points[rows], points[rows].mean(0)), LEAST_LIKE)) for _, _, rows in fresh]
    ids = (*(model.ids[at] for at in kept), *(name for name, _, _ in fresh))
    return replace(
        model, ids=ids, places=places.astype(np.float32), pairs=np.array([[ids.index(name) for name in pair] for pair in planes], dtype=int).reshape(-1, 2),
        sides=np.array([side for side, _ in planes.values()], dtype=np.float32).reshape(-1, vectors.shape[1]), side_offsets=np.array([offset for _, offset in planes.values()], dtype=np.float32),
        system_of=np.append(model.system_of[kept], [system for _, system, _ in fresh]).astype(int), thresholds=np.append(model.thresholds[kept], limits)), [*events, *suspected]


def _grown_apart(points: np.ndarray, own: np.ndarray, is_new: np.ndarray) -> tuple[np.ndarray, str] | None:
    """(half of every text of the topic, the figures) where its new texts fall into two heaps that the old ones did not."""
    new, old = points[own & is_new], points[own & ~is_new]
    if len(new) < 2 * SMALLEST:
        return None
    halves = consensus(new, 2, 0, VOTES)
    places = middles(new, halves, 2)
    smaller = min(np.bincount(halves, minlength=2))
    apart, was = separation(new, halves), separation(old, nearest(old, places)) if len(old) >= 2 * SMALLEST else 0.0
    if smaller < max(SMALLEST, SMALLER_HALF * len(new)) or apart < APART or was > FLAT or _reproduced(new) < REPRODUCED:
        return None
    if any(apart < cut + NEWS for cut in _cuts(old, len(new))):
        return None
    return nearest(points[own], places), f"上次拟合以来的 {len(new)} 条分成 {len(new) - smaller} 条和 {smaller} 条两堆，间隔 {apart:.1f}（以前 {was:.1f}，不分开时约 {NO_VALLEY}）"


def _cuts(points: np.ndarray, count: int) -> list[float]:
    """The separation of as many texts, drawn a few times and cut in two the same way: few texts in many dimensions always seem to fall into heaps."""
    lots = np.random.default_rng(0)
    drawn = [points[lots.choice(len(points), min(count, len(points)), replace=False)] for _ in range(DRAWS)] if len(points) >= 2 * SMALLEST else []
    return [separation(part, consensus(part, 2, 0, VOTES)) for part in drawn]


@dataclass(frozen=True)
class Told:
    """Two codes that people tell otherwise than before: apart or together now, how often each, and the texts with one of them alone."""

    rarer: str
    common: str
    is_apart: bool
    counts: np.ndarray  # before, now x together, alone: texts with the rarer code

    def __str__(self) -> str:
        before, now = (f"{together} / {together + alone}" for together, alone in self.counts)
        was, has = ("多与", "分开说") if self.is_apart else ("少与", "多一起说")
        return f"「{self.rarer}」以前{was}「{self.common}」一起说（{before}），上次拟合以来{has}（{now}）"


def told_otherwise(codes: Sequence[Sequence[str]], is_new: np.ndarray) -> list[Told]:
    """Pairs of codes once told in one breath and now apart, or the other way round, surest first.

    Counted over texts with the rarer of the two; Fisher's exact test at `DOUBT`, shared among all pairs that are common enough to be tested.
    """
    from scipy.stats import fisher_exact

    said = [{code for code in found if not code.endswith(f"-{PLAIN_MENTION}")} for found in codes]
    many = Counter(code for found in said for code in found)
    common_enough = sorted(code for code, count in many.items() if count >= 2 * SMALLEST)
    pairs = [pair for pair in combinations(common_enough, 2) if pair[0].split("-")[0] == pair[1].split("-")[0]]
    rows_of = {code: np.array([row for row, found in enumerate(said) if code in found]) for code in common_enough}
    found = []
    for pair in pairs:
        rarer, common = sorted(pair, key=lambda code: (many[code], code))
        rows = rows_of[rarer]
        together, fresh = np.isin(rows, rows_of[common]), is_new[rows]
        counts = np.array([[(together & (fresh == new)).sum(), (~together & (fresh == new)).sum()] for new in (False, True)])
        if min(counts.sum(1)) < SMALLEST:
            continue
        was, now = counts[:, 0] / counts.sum(1)
        is_apart = was >= TOGETHER and now <= ALONE
        if is_apart or (was <= ALONE and now >= TOGETHER):
            doubt = float(fisher_exact(counts)[1])
            if doubt <= DOUBT / len(pairs):
                found.append((doubt, Told(rarer, common, bool(is_apart), counts)))
    return [told for _, told in sorted(found, key=lambda pair: (pair[0], pair[1].rarer, pair[1].common))]


def _parted(told: Told, centred: np.ndarray, own: np.ndarray, is_new: np.ndarray, codes: Sequence[Sequence[str]]) -> tuple[np.ndarray, str, np.ndarray, float] | None:
    """(half of every text of the topic, the figures, plane, its offset) by the two codes told apart, where a plane learnt from the new texts with one of them holds
    on those left out of it (`HELD`, and more than chance by Fisher's exact test); else None."""
    from sklearn.svm import LinearSVC

    rows = [[row for row in np.flatnonzero(own & is_new) if mine in codes[row] and his not in codes[row]] for mine, his in ((told.rarer, told.common), (told.common, told.rarer))]
    if min(map(len, rows)) < SMALLEST:
        return None
    vectors, kind = centred[rows[0] + rows[1]], np.repeat([0, 1], [len(part) for part in rows])
    learner = LinearSVC(C=LOOSE, class_weight="balanced", random_state=0)
    held = _held(learner, vectors, kind)
    if held < HELD:
        return None
    learnt = learner.fit(vectors, kind)
    side, offset = learnt.coef_[0], -float(learnt.intercept_[0])
    halves = (centred[own] @ side > offset).astype(int)
    if min(np.bincount(halves, minlength=2)) < SMALLEST:
        return None
    return halves, f"{told}；留出的文字上两半分得开的占 {held:.0%}", side, offset


def _held(learner, vectors: np.ndarray, kind: np.ndarray) -> float:
    """Balanced accuracy of a plane on texts left out of its fit, five folds; 0 where it is no better than chance."""
    from scipy.stats import fisher_exact
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    said = cross_val_predict(learner, vectors, kind, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0))
    counts = np.array([[((kind == true) & (said == told)).sum() for told in (0, 1)] for true in (0, 1)])
    is_chance = float(fisher_exact(counts, alternative="greater")[1]) > DOUBT
    return 0.0 if is_chance else float(np.mean(counts.diagonal() / counts.sum(1)))


def _home(code: str, codes: Sequence[Sequence[str]], labels: np.ndarray) -> int:
    """The topic most texts with a code lie in."""
    return int(np.bincount([label for label, found in zip(labels, codes, strict=True) if code in found]).argmax())


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
