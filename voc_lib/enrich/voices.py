"""A voice: characters in ones, twos and threes with the displeasure each speaks of; a text feels as its clauses do on the mean.

Fitted by scikit-learn, read by one look-up of numbers in a sorted list: the same TF-IDF, some four times faster, and
reading needs no scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.ngrams import Ngrams, telling_ngrams

SHORTEST_CLAUSE = 3
MOST_NGRAMS, FEWEST_TEXTS = 150_000, 4
LONGEST = 3  # characters of an n-gram; three code points of 21 bits fit into one number
_BITS = np.uint64(21)


@dataclass(frozen=True)
class Voice:
    """`rarity` is the inverse document frequency, `spread` the standard deviation of the evidence on the texts it was fitted on."""

    ngrams: np.ndarray
    rarity: np.ndarray
    weights: np.ndarray
    intercept: float
    spread: float = 1.0

    def evidence(self, told: list[str]) -> np.ndarray:
        """Evidence of each text as `language.telling_texts` gives it: the mean over its clauses; 0 for a text without any."""
        clauses = _clauses(told)
        # The same clause (质量不错) is read once; its evidence counts every time.
        distinct = clauses.select(pl.col("clause").unique(maintain_order=True))
        if distinct.is_empty():
            return np.zeros(len(told))
        found = distinct.with_columns(evidence=self._of_clauses(distinct["clause"].to_list()))
        placed = clauses.join(found, on="clause", how="left", maintain_order="left")
        rows = placed["row"].to_numpy()
        count = np.bincount(rows, minlength=len(told))
        return np.bincount(rows, placed["evidence"].to_numpy(), len(told)) / np.maximum(count, 1)

    def _of_clauses(self, clauses: list[str]) -> np.ndarray:
        """TF-IDF (1 + ln count, unit length) of each clause times the weights."""
        order, keys = self._keys
        said, rows = _grams(clauses)
        place = np.minimum(np.searchsorted(keys, said), len(keys) - 1)
        is_known = keys[place] == said
        # One number per clause and n-gram; counting equal numbers counts the n-gram in its clause.
        pairs, counts = np.unique(rows[is_known] * len(keys) + place[is_known], return_counts=True)
        row, gram = pairs // len(keys), order[pairs % len(keys)]
        value = (1 + np.log(counts)) * self.rarity[gram]
        length = np.sqrt(np.bincount(row, value**2, len(clauses)))
        return np.bincount(row, value * self.weights[gram], len(clauses)) / np.where(length > 0, length, 1) + self.intercept

    @cached_property
    def _keys(self) -> tuple[np.ndarray, np.ndarray]:
        """Places of the n-grams in the order of their keys, and the keys."""
        keys = np.array([_key(gram) for gram in self.ngrams.tolist()], dtype=np.uint64)
        order = np.argsort(keys)
        return order, keys[order]


def fit_voice(texts: list[str], displeased: np.ndarray, fewest: int = FEWEST_TEXTS) -> Voice:
    """A voice from texts and, with less weight each, their clauses; `fewest` texts must say an n-gram."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    clauses = _clauses(texts).filter(pl.col("clause").str.len_chars() >= SHORTEST_CLAUSE)
    rows = clauses["row"].to_numpy()
    share = 1 / np.sqrt(np.maximum(np.bincount(rows, minlength=len(texts)), 1))
    said = [*texts, *clauses["clause"]]
    ngrams = telling_ngrams(said, MOST_NGRAMS, fewest)
    rarity = TfidfTransformer(sublinear_tf=True)
    features = rarity.fit_transform(Ngrams(ngrams).count(said))
    model = LogisticRegression(C=1, solver="liblinear", random_state=0)
    model.fit(features, np.r_[displeased, displeased[rows]], sample_weight=np.r_[np.ones(len(texts)), share[rows]])
    fitted = (ngrams, rarity.idf_, model.coef_[0].astype(np.float32), float(model.intercept_[0]))
    return Voice(*fitted, float(Voice(*fitted).evidence(texts).std()) or 1.0)


def _clauses(told: list[str]) -> pl.DataFrame:
    return language.clause_rows(pl.DataFrame({"row": range(len(told)), "text": told}, schema={"row": pl.UInt32, "text": pl.String}))


def _grams(clauses: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The key of every n-gram of every clause, and the clause it is in; cleaned text has no \\0, which parts them."""
    codes = np.frombuffer("\0".join([*clauses, ""]).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    rows = np.cumsum(codes == 0)
    keys, places, inside, gram = [], [], np.ones(len(codes), dtype=bool), np.zeros(len(codes), dtype=np.uint64)
    for longer in range(LONGEST):
        last = codes[longer:]
        gram, inside = (gram[: len(last)] << _BITS) | last, inside[: len(last)] & (last > 0)
        keys.append(gram[inside])
        places.append(rows[: len(last)][inside])
    return np.concatenate(keys), np.concatenate(places)


def _key(gram: str) -> int:
    key = 0
    for character in gram:
        key = key << int(_BITS) | ord(character)
    return key
