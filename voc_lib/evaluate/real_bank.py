"""Feeling in comments of a bank forum (bdci2021_bank), beside characters with a linear support vector machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.opinions_start import start_model
from voc_lib.enrich.feelings import fit_feelings
from voc_lib.evaluate.real_parts import FOLDS, Encoder, fold_of, measure, missing, read_part

PART = "bdci2021_bank/train.csv"
CLASSES = {"0": 0, "2": 1, "1": 2}  # negative, neutral, positive


def bank_measures(folder: Path, fit_on: Path | None, encode: Encoder) -> list[dict]:
    """Macro-F1 of the three feelings: ours, and the baseline's as its mark to beat."""
    tested = read_part(folder, PART, ("text", "class"))
    fitted = read_part(fit_on, PART, ("text", "class")) if fit_on is not None else tested
    if tested is None or fitted is None:
        return [missing("bdci2021_bank 观点", f"没有 {PART}，跳过")]
    texts, truth = tested["text"].to_list(), np.array([CLASSES[value] for value in tested["class"]])
    if fit_on is not None:
        parts = [((fitted["text"].to_list(), np.array([CLASSES[value] for value in fitted["class"]])), np.arange(len(texts)))]
    else:
        fold = fold_of(texts)
        parts = [((_take(texts, fold != at), truth[fold != at]), np.flatnonzero(fold == at)) for at in range(FOLDS)]
    ours, theirs = np.zeros(len(texts), dtype=int), np.zeros(len(texts), dtype=int)
    for (known, sign), new in parts:
        said = [texts[at] for at in new]
        ours[new] = fit_feelings(known, sign, encode, start_model().displeasure).predict(said)
        theirs[new] = _baseline(known, sign, said)
    mark = _macro_f1(truth, theirs)
    return [measure("bdci2021_bank 观点 macro-F1", _macro_f1(truth, ours), round(mark, 4), None, f"字符 TF-IDF + 线性 SVM 为 {mark:.3f}")]


def _take(texts: list[str], chosen: np.ndarray) -> list[str]:
    return [text for text, yes in zip(texts, chosen, strict=True) if yes]


def _baseline(known: list[str], sign: np.ndarray, new: list[str]) -> np.ndarray:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    reader = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    model = LinearSVC(C=0.5, class_weight="balanced", random_state=0).fit(reader.fit_transform(language.clean_texts(known)), sign)
    return model.predict(reader.transform(language.clean_texts(new)))


def _macro_f1(truth: np.ndarray, told: np.ndarray) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(truth, told, average="macro"))
