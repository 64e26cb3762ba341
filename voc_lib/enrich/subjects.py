"""Subjects learnt from labels: what a text is about, several at once, with probabilities that mean what they say.

Three views of a text (characters, words, sentence vector) and its most telling clause each give a score per subject; a
logistic regression on scores of texts they were not fitted on (stacking, Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1)
weighs them and makes probabilities. The threshold is chosen on the same held-out scores, never on a test text. Beside
networks that read in order (`aspects_tuned`) the mean of both counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import polars as pl

from voc_lib.enrich import language

Encode = Callable[[list[str]], np.ndarray]
FOLDS = 3
SEED = 0
THRESHOLDS = np.arange(0.25, 0.61, 0.05)
NOWHERE = -1.0  # score of a text without any clause: as far from a subject as a typical text that is not about it


class Network(Protocol):
    """What `aspects_tuned.fit_tuned` gives: probabilities of subjects [n, labels] and of feelings about each [n, labels, 3]."""

    labels: tuple[str, ...]

    def probabilities(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]: ...


class Subjects:
    """A fitted model; `labels` in order, `threshold` above which a subject counts as talked about.

    A text always gets at least one subject, the likeliest. Deterministic: the same labels give the same model.
    """

    def __init__(self, labels: tuple[str, ...], views: dict, stack: list, threshold: float, encode: Encode, tuned: Network | None = None) -> None:
        self.labels, self.threshold, self.tuned = labels, threshold, tuned
        self._views, self._stack, self._encode = views, stack, encode
        self.training_clauses: np.ndarray | None = None  # scores of the training texts' clauses by models that had not seen them

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """float[n, labels]: how sure it is that each subject is talked about."""
        told = language.telling_texts(texts)
        scores = [_scores(self._views[name], said) for name, said in _views_of(told, self._encode).items()]
        clauses = clause_frame(told)
        scores.append(_highest(self.clause_scores(clauses["clause"].to_list()), clauses["row"].to_numpy(), len(told)))
        found = _stacked(self._stack, np.hstack(scores))
        return found if self.tuned is None else (found + self.tuned.probabilities(texts)[0]) / 2

    def predict(self, texts: list[str]) -> list[list[str]]:
        """The subjects of each text, at least one."""
        chosen = decide(self.probabilities(texts), self.threshold)
        return [[label for label, yes in zip(self.labels, row, strict=True) if yes] for row in chosen]

    def clause_scores(self, clauses: list[str]) -> np.ndarray:
        """float[n, labels]: how much each clause sounds like each subject (distance from the plane, about -2 to 2)."""
        return _scores(self._views["characters"], clauses)


def fit_subjects(texts: list[str], subjects: list[set[str]], encode: Encode, tuned: Network | None = None) -> Subjects:
    """Fit on texts and the set of subjects of each; `tuned` was fitted on the same. ValueError where fewer than two subjects have `FOLDS` texts."""
    labels = tuple(sorted(set().union(*subjects)))
    truth = np.array([[label in found for label in labels] for found in subjects], dtype=int).reshape(len(texts), len(labels))
    if len(labels) < 2 or truth.sum(0).min() < FOLDS:
        raise ValueError(f"学习主题至少要两个主题、每个 {FOLDS} 条标注；现有：{dict(zip(labels, truth.sum(0).tolist(), strict=True))}")
    if tuned is not None and tuned.labels != labels:
        raise ValueError(f"网络学的主题与标注里的不同：{'、'.join(sorted(set(tuned.labels) ^ set(labels)))}。请用同一份标注学。")
    told = language.telling_texts(texts)
    views, clauses = _views_of(told, encode), clause_frame(told)
    rows, pieces = clauses["row"].to_numpy(), clauses["clause"].to_list()
    fold = folds(truth)
    held = {name: np.zeros(truth.shape) for name in views}
    held_clauses = np.zeros((len(pieces), len(labels)))
    for at in range(FOLDS):
        known, new = np.flatnonzero(fold != at), np.flatnonzero(fold == at)
        for name, said in views.items():
            model = _fit_view(name, take(said, known), truth[known])
            held[name][new] = _scores(model, take(said, new))
            if name == "characters":
                theirs = np.flatnonzero(np.isin(rows, new))
                held_clauses[theirs] = _scores(model, take(pieces, theirs)) if len(theirs) else 0
    stacked = np.hstack([*held.values(), _highest(held_clauses, rows, len(told))])
    stack = _fit_stack(stacked, truth)
    sure = _stacked(stack, stacked)
    threshold = max(THRESHOLDS, key=lambda cut: _micro_f1(truth, decide(sure, cut)))
    model = Subjects(labels, {name: _fit_view(name, said, truth) for name, said in views.items()}, stack, float(threshold), encode, tuned)
    model.training_clauses = held_clauses
    return model


def decide(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """1 where a subject counts: above the threshold, and the likeliest one where none is.

    >>> decide(np.array([[0.9, 0.6], [0.2, 0.3]]), 0.5).tolist()
    [[1, 1], [0, 1]]
    """
    chosen = (probabilities > threshold).astype(int)
    silent = chosen.sum(1) == 0
    chosen[silent, probabilities[silent].argmax(1)] = 1
    return chosen


def clause_frame(told: list[str]) -> pl.DataFrame:
    """`row, clause, clause_start` of many texts."""
    return language.clause_rows(pl.DataFrame({"row": range(len(told)), "text": told}, schema={"row": pl.UInt32, "text": pl.String}))


def folds(truth: np.ndarray) -> np.ndarray:
    """A fold per row, each with its part of the rarest subject: dealt like cards, by the rarest subject a text has."""
    rarest = np.where(truth == 1, truth.sum(0), len(truth) + 1).argmin(1)
    order = np.lexsort((np.random.default_rng(SEED).random(len(truth)), rarest))
    dealt = np.empty(len(truth), dtype=int)
    dealt[order] = np.arange(len(truth)) % FOLDS
    return dealt


def _views_of(told: list[str], encode: Encode) -> dict:
    return {"characters": told, "words": language.tokens(told), "meaning": encode(told)}


def take(said, places: np.ndarray):
    return said[places] if isinstance(said, np.ndarray) else [said[at] for at in places]


def _fit_view(name: str, said, truth: np.ndarray):
    """(vectorizer or None, coefficients [labels, features], intercepts)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    vectorizer, features = None, said
    if name == "characters":
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32)
    elif name == "words":
        vectorizer = TfidfVectorizer(analyzer=word_pairs, min_df=2, sublinear_tf=True, dtype=np.float32)
    if vectorizer is not None:
        features = vectorizer.fit_transform(said)
    models = []
    for column in truth.T:
        model = LogisticRegression(C=10, max_iter=200) if vectorizer is None else LinearSVC(C=0.5 if name == "characters" else 0.3, random_state=SEED)
        models.append(model.fit(features, column))
    return vectorizer, np.vstack([model.coef_ for model in models]), np.concatenate([model.intercept_ for model in models])


def word_pairs(words: list[str]) -> list[str]:
    """Words and neighbours: 动力, 不足, 动力_不足."""
    return [*words, *(f"{one}_{other}" for one, other in zip(words, words[1:], strict=False))]


def _scores(model, said) -> np.ndarray:
    vectorizer, weights, offsets = model
    features = said if vectorizer is None else vectorizer.transform(said)
    return np.asarray(features @ weights.T) + offsets


def _highest(scores: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    highest = np.full((count, scores.shape[1]), -np.inf)
    np.maximum.at(highest, rows, scores)
    return np.where(np.isfinite(highest), highest, NOWHERE)


def _fit_stack(scores: np.ndarray, truth: np.ndarray) -> list:
    from sklearn.linear_model import LogisticRegression

    return [LogisticRegression(C=1, max_iter=500).fit(scores, column) for column in truth.T]


def _stacked(stack: list, scores: np.ndarray) -> np.ndarray:
    return np.column_stack([model.predict_proba(scores)[:, 1] for model in stack])


def _micro_f1(truth: np.ndarray, chosen: np.ndarray) -> float:
    return 2 * (truth * chosen).sum() / max(truth.sum() + chosen.sum(), 1)
