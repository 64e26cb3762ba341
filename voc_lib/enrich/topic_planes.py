"""Planes learnt from what codes tell: between the two halves of a topic that splits, and between a merged part and what else its topics hold.

A plane is believed only where it tells texts apart that were left out of its fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voc_lib.enrich.told import ToldOtherwise
from voc_lib.enrich.topics import SMALLEST

HELD = 0.7  # balanced accuracy of the plane between two codes on texts left out of its fit: below, the vectors cannot hold the parts apart
DOUBT = 0.01  # that a plane is no better than chance (Fisher's exact test)
LOOSE = 1.0  # inverse penalty of that plane: a hundred texts in 768 dimensions (.1 holds .76 of the planted halves' coded texts left out, 1 holds .82)
FOLDS = 5
MOSTLY = 0.5  # of a topic's texts carry the codes that are told in one breath now: it is about them and merged whole


@dataclass(frozen=True)
class Plane:
    """Two parts of some texts: 1 where `side @ vector` is above `offset`, 0 elsewhere (`part`, in the order of the texts); `why` gives the figures.

    Without a `side` the middles of the parts tell them apart, or everything is 1.
    """

    part: np.ndarray
    why: str
    side: np.ndarray | None = None
    offset: float = 0.0

    @property
    def is_whole(self) -> bool:
        return bool(self.part.all())


def parted(told: ToldOtherwise, centred: np.ndarray, own: np.ndarray, is_new: np.ndarray, codes: Sequence[Sequence[str]]) -> Plane | None:
    """The texts `own` in two by codes told apart now: a plane learnt from the new ones with one of the codes; None where it does not hold."""
    rarer, common = _coded(told, codes)
    found = _plane(centred, own & is_new & rarer & ~common, own & is_new & common & ~rarer, own)
    return found and Plane(found.part, f"{told}；{found.why}", found.side, found.offset)


def joined(told: ToldOtherwise, centred: np.ndarray, labels: np.ndarray, homes: tuple[int, int], is_new: np.ndarray, codes: Sequence[Sequence[str]]) -> Plane | None:
    """The texts of two topics (`homes`, perhaps one) in those (1) about codes told in one breath now, and what else there is; all of them where both topics
    are mostly about the codes. None where no plane kept the two codes apart before, or none keeps them from the rest."""
    rarer, common = _coded(told, codes)
    own, either = np.isin(labels, homes), rarer | common
    apart = _plane(centred, own & ~is_new & rarer & ~common, own & ~is_new & common & ~rarer, own & ~is_new)
    if apart is None:
        return None
    why = f"{told}；两种说法以前{apart.why}"
    if all(either[labels == home].mean() >= MOSTLY for home in homes):
        return Plane(np.ones(own.sum(), dtype=int), why) if homes[0] != homes[1] else None
    found = _plane(centred, own & ~either, own & either, own)
    return found and Plane(found.part, why, found.side, found.offset)


def _coded(told: ToldOtherwise, codes: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Which rows carry the rarer and which the common code."""
    return tuple(np.array([code in found for found in codes], dtype=bool) for code in (told.rarer, told.common))


def _plane(centred: np.ndarray, one: np.ndarray, other: np.ndarray, own: np.ndarray) -> Plane | None:
    """The plane between rows `one` and `other`, and on which side the rows `own` lie; None with fewer than `SMALLEST` texts on a side, or where it does not hold."""
    from sklearn.svm import LinearSVC

    rows = [np.flatnonzero(one), np.flatnonzero(other)]
    if min(map(len, rows)) < SMALLEST:
        return None
    vectors, kind = centred[np.concatenate(rows)], np.repeat([0, 1], list(map(len, rows)))
    learner = LinearSVC(C=LOOSE, class_weight="balanced", random_state=0)
    held = _held(learner, vectors, kind)
    if held < HELD:
        return None
    learnt = learner.fit(vectors, kind)
    side, offset = learnt.coef_[0], -float(learnt.intercept_[0])
    part = (centred[own] @ side > offset).astype(int)
    return Plane(part, f"留出的文字上分得开的占 {held:.0%}", side, offset) if min(np.bincount(part, minlength=2)) >= SMALLEST else None


def _held(learner, vectors: np.ndarray, kind: np.ndarray) -> float:
    """Balanced accuracy of a plane on texts left out of its fit, five folds; 0 where it is no better than chance."""
    from scipy.stats import fisher_exact
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    said = cross_val_predict(learner, vectors, kind, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0))
    counts = np.array([[((kind == true) & (said == told)).sum() for told in (0, 1)] for true in (0, 1)])
    is_chance = float(fisher_exact(counts, alternative="greater")[1]) > DOUBT
    return 0.0 if is_chance else float(np.mean(counts.diagonal() / counts.sum(1)))
