"""The feeling of a text as a whole, learnt from labels: words beside the start model's evidence, and sentence vectors.

Two logistic regressions for balanced classes, averaged. How far to lean back towards the common classes is chosen on
folds left out of the fit (macro-F1), never on a test text; probabilities are those of the classes as often as they occur.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.subjects import Encode, clause_frame, word_pairs
from voc_lib.enrich.voices import SHORTEST_CLAUSE

FOLDS = 3
LEANS = (0.0, 0.25, 0.5, 0.75, 1.0)  # power of a class's share by which its probability is multiplied
FELT = 3  # numbers beside the words: the evidence, its size, the length
CLAUSE_WEIGHT = 0.5  # of a text with one clause, where the text has 1
LOOSER = 10  # C where clauses were added: there is more to hold the weights
LANDMARKS, WIDTH, STRETCH = 1000, 0.7, 3.0  # Nystroem map of the vectors


class Feelings:
    """A fitted model; `classes` are the signs it was given, `lean` what was chosen on held-out folds.

    `with_clauses` lets each text's clauses stand beside it, feeling as it does, with less weight and without evidence of their own:
    words that say it alone count more, which helps where the texts to come are of another channel.
    """

    def __init__(
        self, texts: list[str], signs: np.ndarray, encode: Encode | None, displeasure: Callable[[list[str]], np.ndarray], with_clauses: bool = False
    ) -> None:
        import scipy.sparse as sp
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        self._encode, self._displeasure, self.lean = encode, displeasure, 0.0
        counts = {"sublinear_tf": True, "dtype": np.float32, "min_df": 2}
        told = language.telling_texts(texts)
        self._readers = [TfidfVectorizer(analyzer="char", ngram_range=(1, 4), **counts).fit(told),
                         TfidfVectorizer(analyzer=word_pairs, **counts).fit(language.tokens(texts))]
        features, rows, weight = self._sparse(texts), np.arange(len(texts)), None
        if with_clauses:
            clauses, rows, weight = _clauses_beside(told)
            features = sp.vstack([features, self._read(clauses, np.zeros((len(clauses), FELT)))]).tocsr()
        self._words = LogisticRegression(C=LOOSER if with_clauses else 3, class_weight="balanced", max_iter=500).fit(features, signs[rows], sample_weight=weight)
        self.classes = self._words.classes_
        self.share = np.array([(signs == sign).mean() for sign in self.classes])
        if encode is not None:
            from sklearn.kernel_approximation import Nystroem

            dense = self._dense(texts)
            self._map = Nystroem(gamma=WIDTH, n_components=min(LANDMARKS, len(dense)), random_state=0).fit(dense)
            self._meaning = LogisticRegression(C=3, class_weight="balanced", max_iter=500).fit(self._map.transform(dense) * STRETCH, signs)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """float[n, classes]; rows sum to 1."""
        return _leaning(self.balanced(texts), self.share, 1.0)

    def predict(self, texts: list[str]) -> np.ndarray:
        """The sign of each text, for finding the rare ones too (macro-F1)."""
        return self.classes[_leaning(self.balanced(texts), self.share, self.lean).argmax(1)]

    def balanced(self, texts: list[str]) -> np.ndarray:
        """float[n, classes] as if every class were as common."""
        found = self._words.predict_proba(self._sparse(texts))
        if self._encode is None:
            return found
        return (found + self._meaning.predict_proba(self._map.transform(self._dense(texts)) * STRETCH)) / 2

    def _sparse(self, texts: list[str]):
        return self._read(texts, self._felt(texts))

    def _read(self, texts: list[str], felt: np.ndarray):
        import scipy.sparse as sp

        read = [self._readers[0].transform(language.telling_texts(texts)), self._readers[1].transform(language.tokens(texts))]
        return sp.hstack([read[0], 0.7 * read[1], sp.csr_matrix(felt)]).tocsr()

    def _dense(self, texts: list[str]) -> np.ndarray:
        return np.hstack([self._encode(texts), 0.2 * self._felt(texts)]).astype(np.float32)

    def _felt(self, texts: list[str]) -> np.ndarray:
        felt = self._displeasure(texts)
        return np.column_stack([felt, np.abs(felt), np.log1p([len(text) for text in texts])]) / 3


def fit_feelings(texts: list[str], signs: np.ndarray, encode: Encode | None, displeasure: Callable[[list[str]], np.ndarray]) -> Feelings:
    """Fit on texts and their signs (whole numbers, one per class). ValueError where a class has fewer than `FOLDS` texts."""
    known, counts = np.unique(signs, return_counts=True)
    if len(known) < 2 or counts.min() < FOLDS:
        raise ValueError(f"学习观点至少要两类、每类 {FOLDS} 条标注；现有：{dict(zip(known.tolist(), counts.tolist(), strict=True))}")
    dealt = np.empty(len(signs), dtype=int)
    dealt[np.lexsort((np.random.default_rng(0).random(len(signs)), signs))] = np.arange(len(signs)) % FOLDS
    held = np.zeros((len(signs), len(known)))
    for fold in range(FOLDS):
        new = np.flatnonzero(dealt == fold)
        trial = Feelings([texts[at] for at in np.flatnonzero(dealt != fold)], signs[dealt != fold], encode, displeasure)
        held[new] = trial.balanced([texts[at] for at in new])
    model = Feelings(texts, signs, encode, displeasure)
    places = np.searchsorted(known, signs)
    model.lean = max(LEANS, key=lambda lean: _macro_f1(places, _leaning(held, model.share, lean).argmax(1), len(known)))
    return model


def _clauses_beside(told: list[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The clauses; then of all texts and all clauses after them the row of the text and the weight: 1, and `CLAUSE_WEIGHT` over the root of a text's clauses."""
    clauses = clause_frame(told).filter(pl.col("clause").str.strip_chars().str.len_chars() >= SHORTEST_CLAUSE)
    rows = clauses["row"].to_numpy()
    weight = CLAUSE_WEIGHT / np.sqrt(np.bincount(rows, minlength=len(told))[rows])
    return clauses["clause"].to_list(), np.r_[np.arange(len(told)), rows], np.r_[np.ones(len(told)), weight]


def _leaning(balanced: np.ndarray, share: np.ndarray, lean: float) -> np.ndarray:
    found = balanced * share**lean
    return found / found.sum(1, keepdims=True)


def _macro_f1(truth: np.ndarray, told: np.ndarray, count: int) -> float:
    scores = [2 * ((truth == at) & (told == at)).sum() / max((truth == at).sum() + (told == at).sum(), 1) for at in range(count)]
    return float(np.mean(scores))
