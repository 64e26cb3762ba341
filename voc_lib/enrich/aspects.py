"""How a text feels about each of its subjects, learnt from labels: 外观好看,油耗太高 praises one and blames the other.

The clauses that sound most like a subject (and their neighbours) are its window. One logistic regression reads wording of
text and windows beside the start model's polarity; another reads sentence vectors of window and text through a Nystroem map
(Williams & Seeger 2001); their probabilities are averaged, and then with those of networks that read in order (`aspects_tuned`, `aspects_asked`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.subjects import SEED, Encode, Subjects, clause_frame, decide

OPINIONS = ("negative", "neutral", "positive")
CLOSE = 0.4  # a clause scoring this near the best one of its subject belongs to the window too
SURELY_NOT = -0.3  # unless it scores lower than this
SHARPNESS = 3.0  # of the attention on clauses: exp(3 * score)
LANDMARKS, WIDTH, STRETCH = 1500, 0.5, 3.0  # of the Nystroem map
# How far the three opinions lean towards how often they occurred, as a power of their shares: 1 would be right if the
# probabilities were; they are a little too sure already. From how sure of both a pair is said: where it earns more F1 than
# it costs, half the F1 reached (Lewis 1995) and a little more for the same reason. Both were tried in steps on five folds.
LEAN, WORTHWHILE = 0.8, 0.36
WITH_ASKED = (0.4, 0.3, 0.3)  # the linear models, the networks that read a text once, the one that is given the subject with it; chosen among nine on five folds
_ASKING = re.compile("吗|呢|[?]|么|怎么|如何|多少|哪|请问|是不是|有没有|谁|建议|如果|应该|可以")
_DENYING = re.compile("不|没|无|别|非")

Polarity = Callable[[list[str]], np.ndarray]  # the start model's evidence, positive numbers speak of displeasure


class Answers(Protocol):
    """What `aspects_asked.fit_asked` gives: probabilities of feelings about a subject of a text [mentions, 3]."""

    def probabilities(self, texts: list[str], rows: np.ndarray, about: list[str]) -> np.ndarray: ...


class Aspects:
    """A fitted model of opinions on subjects. `probabilities` are for balanced classes; `share` is how often each occurred.

    Where `subjects` were fitted beside networks, the mean of the linear models and of the networks counts; with one more that is `asked`, see `WITH_ASKED`.
    """

    def __init__(self, subjects: Subjects, encode: Encode, polarity: Polarity, asked: Answers | None = None) -> None:
        self.subjects, self.asked, self.share = subjects, asked, np.full(3, 1 / 3)
        self._encode, self._polarity = encode, polarity

    def probabilities(self, texts: list[str], rows: np.ndarray, about: list[str], balanced: bool = True) -> np.ndarray:
        """float[mentions, 3] in the order of `OPINIONS`; mention i is about `about[i]` in `texts[rows[i]]`.

        `balanced` weighs the three opinions alike (for finding the rare ones); otherwise as often as they occurred.
        """
        found = self._told(_Views(texts, rows, about, self.subjects, self._encode, self._polarity))
        if self.subjects.tuned is not None:
            columns = [self.subjects.labels.index(label) for label in about]
            read = self.subjects.tuned.probabilities(texts)[1][np.asarray(rows, dtype=int), columns]
            if self.asked is None:
                found = (found + read) / 2
            else:
                found = sum(share * said for share, said in zip(WITH_ASKED, (found, read, self.asked.probabilities(texts, rows, about)), strict=True))
        found = found if balanced else found * self.share**LEAN
        return found / found.sum(1, keepdims=True)

    def predict(self, texts: list[str], rows: np.ndarray, about: list[str], balanced: bool = True) -> list[str]:
        return [OPINIONS[at] for at in self.probabilities(texts, rows, about, balanced).argmax(1)]

    def pairs(self, texts: list[str]) -> list[tuple[int, str, str, float]]:
        """(row, subject, opinion, probability of both) of each text: what is said surely enough, at least one."""
        sure = self.subjects.probabilities(texts)
        rows, columns = np.nonzero(decide(sure, self.subjects.threshold))
        about = [self.subjects.labels[column] for column in columns]
        found = self.probabilities(texts, rows, about, balanced=False)
        both = np.zeros(sure.shape)
        both[rows, columns] = sure[rows, columns] * found.max(1)
        kept = decide(both, WORTHWHILE)[rows, columns] == 1
        return [(int(rows[at]), about[at], OPINIONS[found[at].argmax()], float(both[rows[at], columns[at]])) for at in np.flatnonzero(kept)]

    def _told(self, views: _Views) -> np.ndarray:
        return (self._wording.predict_proba(self._sparse(views)) + self._meaning.predict_proba(self._mapped(views))) / 2

    def _fit(self, views: _Views, opinions: list[str]) -> Aspects:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.kernel_approximation import Nystroem
        from sklearn.linear_model import LogisticRegression

        truth = np.array([OPINIONS.index(opinion) for opinion in opinions])
        self.share = np.bincount(truth, minlength=3) / len(truth)
        missing = [opinion for opinion, share in zip(OPINIONS, self.share, strict=True) if share == 0]
        if missing:
            raise ValueError(f"学习观点要三种都有标注，缺少：{'、'.join(missing)}")
        self._centre, self._spread = views.counts.mean(0), views.counts.std(0) + 1e-9
        characters = {"analyzer": "char", "ngram_range": (1, 4), "min_df": 2, "sublinear_tf": True, "dtype": np.float32}
        self._read = [TfidfVectorizer(**characters).fit(said) for said in (views.full, views.near, views.window)]
        self._wording = LogisticRegression(C=1, class_weight="balanced", max_iter=300).fit(self._sparse(views), truth)
        dense = self._dense(views)
        self._map = Nystroem(gamma=WIDTH, n_components=min(LANDMARKS, len(dense)), random_state=SEED).fit(dense)
        self._meaning = LogisticRegression(C=3, class_weight="balanced", max_iter=300).fit(self._mapped(views), truth)
        return self

    def _sparse(self, views: _Views):
        import scipy.sparse as sp

        read = [weight * model.transform(said) for weight, model, said in zip((0.5, 0.7, 1.0), self._read, (views.full, views.near, views.window), strict=True)]
        return sp.hstack([*read, sp.csr_matrix(views.subject), sp.csr_matrix(0.3 * self._counts(views))]).tocsr()

    def _dense(self, views: _Views) -> np.ndarray:
        return np.hstack([views.attended, 0.7 * views.meaning, 0.7 * views.best, 0.5 * views.subject, 0.15 * self._counts(views)]).astype(np.float32)

    def _mapped(self, views: _Views) -> np.ndarray:
        return self._map.transform(self._dense(views)) * STRETCH

    def _counts(self, views: _Views) -> np.ndarray:
        return (views.counts - self._centre) / self._spread


def fit_aspects(
    texts: list[str], rows: np.ndarray, about: list[str], opinions: list[str], subjects: Subjects, encode: Encode, polarity: Polarity, asked: Answers | None = None
) -> Aspects:
    """Fit on mentions of the texts that `subjects` was fitted on: its held-out clause scores draw the windows. `asked` was fitted on the same."""
    views = _Views(texts, rows, about, subjects, encode, polarity, subjects.training_clauses)
    return Aspects(subjects, encode, polarity, asked)._fit(views, opinions)


class _Views:
    """What the models read of each mention: full text, window, window with neighbours, vectors, and a few counts."""

    def __init__(self, texts, rows, about, subjects, encode, polarity, scores=None) -> None:
        told = language.telling_texts(texts)
        clauses = clause_frame(told)
        pieces = clauses["clause"].str.strip_chars().to_list()
        scores = subjects.clause_scores(clauses["clause"].to_list()) if scores is None else scores
        starts = np.searchsorted(clauses["row"].to_numpy(), np.arange(len(told) + 1))
        column = {label: at for at, label in enumerate(subjects.labels)}
        vectors, whole = encode(pieces), encode(told)
        feels, feels_whole = polarity(pieces), polarity(told)
        asks = [len(_ASKING.findall(text)) for text in told]
        count, size = len(rows), whole.shape[1]
        self.full = [told[row] for row in rows]
        self.window, self.near = [""] * count, [""] * count
        self.attended, self.best = np.zeros((count, size), np.float32), np.zeros((count, size), np.float32)
        self.meaning = whole[rows]
        self.subject, self.counts = np.zeros((count, len(column)), np.float32), np.zeros((count, 14))
        for at, (row, label) in enumerate(zip(rows, about, strict=True)):
            self.subject[at, column[label]] = 1
            first, last = starts[row], starts[row + 1]
            if first == last:
                continue
            score, felt = scores[first:last, column[label]], feels[first:last]
            best = int(score.argmax())
            inside = [place for place in range(last - first) if place == best or score[place] > max(SURELY_NOT, score[best] - CLOSE)]
            beside = sorted({place + step for place in inside for step in (-1, 0, 1) if 0 <= place + step < last - first})
            self.window[at] = " ".join(pieces[first + place] for place in inside)
            self.near[at] = " ".join(pieces[first + place] for place in beside)
            attention = np.exp(SHARPNESS * (score - score.max()))
            attention /= attention.sum()
            self.attended[at], self.best[at] = attention @ vectors[first:last], vectors[first + best]
            chosen, text = pieces[first + best], told[row]
            self.counts[at] = (
                feels_whole[row], felt[best], attention @ felt, felt.max(), felt.min(), felt.mean(), score.max(), score.mean(), np.log1p(len(text)),
                np.log1p(len(chosen)), len(_ASKING.findall(chosen)), asks[row], len(_DENYING.findall(chosen)), last - first,
            )  # fmt: skip
