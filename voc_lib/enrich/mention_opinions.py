"""How an author feels about one code, learnt from a store's labels of mentions (`voc audit --mentions`).

One logistic regression reads the characters of the window and of the text around it, the evidence of the start model on both, and which
system the code belongs to and whether it names a fault: what is said of 油耗 and of 外观 is told apart, and a sober fault learns its own odds.
Five of them, each without a fifth of the texts, as in `opinions_labels`: what was labelled is judged by the one that has not seen it. How
far to lean on the judgement there was before, and how boldly to speak, is chosen on the left-out fifths by log loss. What is rare
is then preferred half-way (weighed between as often as it occurred and alike), or it would never be said. Where the left-out fifths are not answered better
than before (macro-F1), the judgement before stays in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.opinions import names_fault
from voc_lib.enrich.shrinkage import FOLDS, blended, dealt, least_loss, log_loss

TEXT_WEIGHT, SYSTEM_WEIGHT, FELT_WEIGHT = 0.5, 0.5, 1 / 3  # of the features beside the window's characters
FAULT_WEIGHT = 1.0
STRENGTH = 3.0  # C of the regression: of 1 and 3, tried on the shared car comments with 150 labels, 3 has .02 more macro-F1 for .004 more log loss
LEAN = 0.5  # power of the share an opinion had by which its probability is divided
VERSION = 1  # raise whenever the same labels give other probabilities

Judge = Callable[[list[str], pl.Series, list[str]], np.ndarray]


@dataclass(frozen=True)
class Fit:
    """What the left-out fifths say: the share of the judgement before, log loss and macro-F1 before and after."""

    share: float
    boldness: float
    loss_before: float
    loss: float
    f1_before: float
    f1: float

    @property
    def helps(self) -> bool:
        return self.f1 > self.f1_before


class MentionOpinions:
    """Fitted when the first mention is judged. `before` is the judgement without these labels, `displeasure` the start model's evidence."""

    def __init__(self, labels: pl.DataFrame, before: Judge, displeasure: Callable[[list[str]], np.ndarray]) -> None:
        self._labels, self._before, self._displeasure = labels, before, displeasure
        self._signs, self.count = labels["sign"].to_numpy().astype(int), labels.height

    def about_codes(self, windows: list[str], codes: pl.Series, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(float[n, 3] of what each window says about its code within its text, rows summing to 1; float[3] by how much each opinion is preferred)."""
        if not windows:
            return np.zeros((0, 3)), np.ones(3)
        models, fit = self._fitted
        before = self._before(windows, codes, texts)
        if not fit.helps:
            return before, np.ones(3)
        told = self._features(windows, codes, texts)
        found = np.array([_three(model, told) for model in models])
        unseen = [self._fold_of.get(text) for text in language.clean_texts(texts)]
        learnt = np.array([found[:, at].mean(0) if fold is None else found[fold, at] for at, fold in enumerate(unseen)])
        return blended(before, learnt, fit.share, fit.boldness), self._prefer

    @property
    def fit(self) -> Fit:
        return self._fitted[1]

    @cached_property
    def _fitted(self) -> tuple[list, Fit]:
        from sklearn.linear_model import LogisticRegression

        columns = [self._labels["window"].to_list(), self._labels["code"], self._labels["text"].to_list()]
        told, signs, fold = self._features(*columns), self._signs, self._dealt
        models, held = [], np.zeros((len(signs), 3))
        for at in range(FOLDS):
            models.append(LogisticRegression(C=STRENGTH, max_iter=500).fit(told[fold != at], signs[fold != at]))
            held[fold == at] = _three(models[-1], told[fold == at])
        before = self._before(*columns)
        (share, boldness), loss = least_loss(before, held, signs)
        after = blended(before, held, share, boldness) * self._prefer
        return models, Fit(share, boldness, log_loss(before, signs), loss, _macro_f1(signs, before.argmax(1)), _macro_f1(signs, after.argmax(1)))

    @cached_property
    def _dealt(self) -> np.ndarray:
        return np.array([self._fold_of[text] for text in language.clean_texts(self._labels["text"].to_list())])

    @cached_property
    def _fold_of(self) -> dict[str, int]:
        """The fold of each text: all its mentions are left out together."""
        whole = pl.DataFrame({"text": language.clean_texts(self._labels["text"].to_list()), "sign": self._signs})
        first = whole.group_by("text", maintain_order=True).agg(pl.col("sign").min())
        return dict(zip(first["text"], dealt(first["text"].to_list(), first["sign"].to_numpy()).tolist(), strict=True))

    def _features(self, windows: list[str], codes: pl.Series, texts: list[str]):
        import scipy.sparse as sp

        said, around = language.telling_texts(windows), language.telling_texts(texts)
        of_window, of_text = self._readers
        system = codes.str.split("-").list.first()
        named = np.column_stack([(system == name).to_numpy() for name in self._systems]).astype(float)
        felt = [self._displeasure(said), self._displeasure(around)]
        counts = np.column_stack([*felt, *map(np.abs, felt), np.log1p([len(text) for text in said]), np.log1p([len(text) for text in around])])
        return sp.hstack([of_window.transform(said), TEXT_WEIGHT * of_text.transform(around), sp.csr_matrix(SYSTEM_WEIGHT * named),
                          sp.csr_matrix(FELT_WEIGHT * counts), sp.csr_matrix(FAULT_WEIGHT * names_fault(codes)[:, None].astype(float))]).tocsr()  # fmt: skip

    @cached_property
    def _systems(self) -> list[str]:
        return self._labels["code"].str.split("-").list.first().unique().sort().to_list()

    @cached_property
    def _readers(self) -> tuple:
        """Which characters are read and how rare they are: learnt from all labelled texts, since no label is looked at."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        counts = {"analyzer": "char", "ngram_range": (1, 3), "min_df": 2, "sublinear_tf": True, "dtype": np.float32}
        return tuple(TfidfVectorizer(**counts).fit(language.telling_texts(self._labels[name].to_list())) for name in ("window", "text"))

    @cached_property
    def _prefer(self) -> np.ndarray:
        shares = np.bincount(self._signs, minlength=3) / len(self._signs)
        return np.where(shares > 0, shares, shares.max()) ** -LEAN  # of an opinion without labels nothing is known: it is not raised


def _three(model, told) -> np.ndarray:
    found = np.zeros((told.shape[0], 3))
    found[:, model.classes_] = model.predict_proba(told)
    return found


def _macro_f1(truth: np.ndarray, told: np.ndarray) -> float:
    there = np.unique(truth)
    return float(np.mean([2 * ((truth == at) & (told == at)).sum() / ((truth == at).sum() + (told == at).sum()) for at in there]))
