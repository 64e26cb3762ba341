"""How far labels move a model that was there before: cross-fitted, a mixture and a boldness chosen by log loss on what was left out."""

from __future__ import annotations

import hashlib

import numpy as np

FOLDS = 5
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the model before
BOLDNESS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)  # power of the probabilities


def dealt(texts: list[str], signs: np.ndarray) -> np.ndarray:
    """The fold of each label: dealt like cards, opinion by opinion, in an order by the text's hash."""
    lots = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    folds = np.empty(len(signs), dtype=int)
    folds[np.lexsort((lots, signs))] = np.arange(len(signs)) % FOLDS
    return folds


def blended(before: np.ndarray, learnt: np.ndarray, share: float, boldness: float) -> np.ndarray:
    """Before and learnt by their shares, then more or less bold; rows sum to 1.

    >>> blended(np.array([[0.5, 0.3, 0.2]]), np.array([[0.9, 0.1, 0.0]]), 0.5, 1.0).round(2).tolist()
    [[0.7, 0.2, 0.1]]
    """
    found = np.clip(share * before + (1 - share) * learnt, 1e-6, None) ** boldness
    return found / found.sum(1, keepdims=True)


def least_loss(before: np.ndarray, held: np.ndarray, signs: np.ndarray) -> tuple[tuple[float, float], float]:
    """The share and boldness with the least log loss on labels that no model of `held` has seen, and that loss."""
    choices = [(share, boldness) for share in SHARES for boldness in BOLDNESS]
    losses = [log_loss(blended(before, held, *choice), signs) for choice in choices]
    best = int(np.argmin(losses))
    return choices[best], losses[best]


def log_loss(found: np.ndarray, signs: np.ndarray) -> float:
    return float(-np.log(np.clip(found[np.arange(len(signs)), signs], 1e-6, None)).mean())
