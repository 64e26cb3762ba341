"""What a refit finds beside texts that moved: topics that grew apart, topics that grew together, topics that nobody speaks of any more.

A topic is split only where what was said since the last fit falls into two heaps and what was said before did not, or where two codes that people
used to tell in one breath are now told apart (`told`) and a plane between their texts holds on texts it has not seen; two are merged only where a valley
between them has filled, or where two codes that a plane kept apart are now told in one breath: what else their topics hold stays there, only the parts
with these codes are merged. So a split or merge is news, and not a second opinion on an old cut. What codes tell and no vector can hold is written down
as suspected (`apart`, `together`) and changes no topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from voc_lib.enrich import ledger
from voc_lib.enrich.embedders import normalised
from voc_lib.enrich.told import ToldOtherwise
from voc_lib.enrich.topic_consensus import NO_VALLEY, consensus, middles, nearest, separation
from voc_lib.enrich.topic_planes import Plane, joined, parted
from voc_lib.enrich.topics import LEAST_LIKE, NOWHERE, SMALLEST, TopicModel

APART = 4.0  # separation of two heaps, where a cloud without a valley has 2.65
FLAT = 3.2  # what was said before had no valley worth the name; topics of the planted world that are one thing have 2.7-3.1
NEWS = 0.7  # more (or less) separation than before, to be a change
SMALLER_HALF = 0.2  # of the new texts, at least
REPRODUCED = 0.9  # share of texts put the same way by halves cut from either half of the texts
VOTES = 8
DRAWS = 5


def grown(
    model: TopicModel, vectors: np.ndarray, labels: np.ndarray, is_new: np.ndarray, known: Iterable[str], codes: Sequence[Sequence[str]] = (), told: Sequence[ToldOtherwise] = ()
) -> tuple[TopicModel, list[dict]]:
    """The refitted model with topics split, merged and ended, and the events, in the order of the ledger.

    `model` carries the ids of the version before, topic by topic; `labels` are its topics of the rows, `is_new` those said since the last fit, `codes` the
    codes of every row where there are any, `told` what `told_otherwise` found in all texts.
    """
    centred = normalised(vectors - model.centre)
    points = centred @ model.axes
    known, events, taken = list(known), [], set()
    paired = set(model.pairs.ravel().tolist())  # held apart by a plane: not cut or merged again by a machine
    for at in range(len(model.ids)):
        if not (labels == at).any():
            events.append(ledger.event("retire", model.ids[at], why="没有人再说起"))
            taken.add(at)
    fresh: list[tuple[str, int, np.ndarray]] = []  # name, system, rows
    for one, other, said in _grown_together(model, points, labels, is_new, taken | paired):
        taken |= {one, other}
        rows = np.flatnonzero(np.isin(labels, (one, other)))
        (name,) = ledger.new_ids(known, 1)
        known.append(name)
        events.append(ledger.event("merge", name, [model.ids[one], model.ids[other]], why=said))
        fresh.append((name, model.system_of[one], rows))
    planes: dict[tuple[str, str], tuple[np.ndarray, float]] = {
        (model.ids[one], model.ids[other]): plane for (one, other), plane in zip(model.pairs, zip(model.sides, model.side_offsets, strict=True), strict=True) if not {one, other} & taken}
    by_codes: dict[int, Plane] = {}
    suspected, carved = [], set()
    for pair in told:
        one, other = (_home(code, codes, labels) for code in (pair.common, pair.rarer))
        if NOWHERE in (one, other) or {one, other} <= paired and pair.is_apart == (one != other):  # not among these texts; or done by an earlier refit
            continue
        free = model.system_of[one] == model.system_of[other] and not {one, other} & (taken | paired | carved | by_codes.keys())
        if free and pair.is_apart and one == other and (found := parted(pair, centred, labels == one, is_new, codes)):
            by_codes[one] = found
        elif free and not pair.is_apart and model.system_of[one] >= 0 and (found := joined(pair, centred, labels, (one, other), is_new, codes)):
            homes, rows = sorted({one, other}), np.flatnonzero(np.isin(labels, (one, other)))[found.part == 1]
            if found.is_whole:
                taken |= {*homes}
                parts, (name,) = [model.ids[at] for at in homes], ledger.new_ids(known, 1)
            else:
                carved |= {*homes}
                *parts, name = ledger.new_ids(known, 3)
                own = {home: [part for at, part in zip((one, other), parts, strict=True) if at == home] for home in homes}
                events += [ledger.event("split", model.ids[at], [model.ids[at], *own[at]], why=f"{found.why}：说这些的从这里分出，随即合并为 {name}") for at in homes]
                planes |= {(model.ids[at], name): (found.side, found.offset) for at in homes}
                labels = np.where(np.isin(np.arange(len(labels)), rows), NOWHERE, labels)
            known += [*parts, name]
            events.append(ledger.event("merge", name, parts, why=found.why))
            fresh.append((name, model.system_of[one], rows))
        else:  # the vectors cannot hold it: for an analyst to look at
            suspected.append(ledger.event("apart" if pair.is_apart else "together", model.ids[one], [model.ids[other]] if other != one else [], why=str(pair)))
    for at in range(len(model.ids)):
        halves = None if at in taken | paired | carved else by_codes.get(at) or _grown_apart(points, labels == at, is_new)
        if halves is not None:
            taken.add(at)
            names = ledger.new_ids(known, 2)
            known += names
            events.append(ledger.event("split", model.ids[at], names, why=halves.why))
            fresh += [(name, model.system_of[at], np.flatnonzero(labels == at)[halves.part == half]) for half, name in enumerate(names)]
            planes |= {tuple(names): (halves.side, halves.offset)} if at in by_codes else {}
    kept = [at for at in range(len(model.ids)) if at not in taken]
    stay = [points[labels == at].mean(0) if at in carved and (labels == at).any() else model.places[at] for at in kept]
    places = np.vstack([*stay, *(points[rows].mean(0, keepdims=True) for _, _, rows in fresh)])
    limits = [float(np.quantile(_like(points[rows], points[rows].mean(0)), LEAST_LIKE)) for _, _, rows in fresh]
    ids = (*(model.ids[at] for at in kept), *(name for name, _, _ in fresh))
    return replace(
        model, ids=ids, places=places.astype(np.float32), pairs=np.array([[ids.index(name) for name in pair] for pair in planes], dtype=int).reshape(-1, 2),
        sides=np.array([side for side, _ in planes.values()], dtype=np.float32).reshape(-1, vectors.shape[1]), side_offsets=np.array([offset for _, offset in planes.values()], dtype=np.float32),
        system_of=np.append(model.system_of[kept], [system for _, system, _ in fresh]).astype(int), thresholds=np.append(model.thresholds[kept], limits)), [*events, *suspected]


def _grown_apart(points: np.ndarray, own: np.ndarray, is_new: np.ndarray) -> Plane | None:
    """The halves of a topic where its new texts fall into two heaps that the old ones did not."""
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
    return Plane(nearest(points[own], places), f"上次拟合以来的 {len(new)} 条分成 {len(new) - smaller} 条和 {smaller} 条两堆，间隔 {apart:.1f}（以前 {was:.1f}，不分开时约 {NO_VALLEY}）")


def _cuts(points: np.ndarray, count: int) -> list[float]:
    """The separation of as many texts, drawn a few times and cut in two the same way: few texts in many dimensions always seem to fall into heaps."""
    lots = np.random.default_rng(0)
    drawn = [points[lots.choice(len(points), min(count, len(points)), replace=False)] for _ in range(DRAWS)] if len(points) >= 2 * SMALLEST else []
    return [separation(part, consensus(part, 2, 0, VOTES)) for part in drawn]


def _home(code: str, codes: Sequence[Sequence[str]], labels: np.ndarray) -> int:
    """The topic most texts with a code lie in; `NOWHERE` where there are none."""
    lies = [label for label, found in zip(labels, codes, strict=True) if code in found and label != NOWHERE]
    return int(np.bincount(lies).argmax()) if lies else NOWHERE


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
