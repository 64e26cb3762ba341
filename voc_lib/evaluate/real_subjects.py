"""Subjects of car owners' comments and the feeling about each (bdci2018_car): several subjects a text, one feeling each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich.aspects import OPINIONS
from voc_lib.enrich.learnt import every_vector, fit_mentions
from voc_lib.enrich.subjects import Encode
from voc_lib.evaluate.real_parts import FOLDS, Encoder, fold_of, measure, missing, read_part

PART = "bdci2018_car/train.csv"
COLUMNS = ("content", "subject", "sentiment_value")


class Comments:
    """Texts, the feeling about each subject of each, and the mentions as parallel lists."""

    def __init__(self, rows: pl.DataFrame) -> None:
        rows = rows.unique(["content", "subject"], keep="first", maintain_order=True)
        self.texts = rows["content"].unique(maintain_order=True).to_list()
        place = {text: at for at, text in enumerate(self.texts)}
        self.rows = np.array([place[text] for text in rows["content"]])
        self.about = rows["subject"].to_list()
        self.feeling = [OPINIONS[int(value) + 1] for value in rows["sentiment_value"]]
        self.subjects: list[set[str]] = [set() for _ in self.texts]
        for row, subject in zip(self.rows, self.about, strict=True):
            self.subjects[row].add(subject)

    def part(self, chosen: np.ndarray) -> tuple[list[str], list[set[str]], np.ndarray, list[str], list[str]]:
        """Texts, subjects, and mentions (row within the part, subject, feeling) of some texts."""
        new = {int(old): at for at, old in enumerate(chosen)}
        kept = [at for at, row in enumerate(self.rows) if int(row) in new]
        return ([self.texts[at] for at in chosen], [self.subjects[at] for at in chosen], np.array([new[int(self.rows[at])] for at in kept], dtype=int),
                [self.about[at] for at in kept], [self.feeling[at] for at in kept])  # fmt: skip

    def labels(self, chosen: np.ndarray) -> pl.DataFrame:
        """The mentions of some texts as labels to learn from."""
        kept = np.flatnonzero(np.isin(self.rows, chosen))
        return pl.DataFrame({"text": [self.texts[self.rows[at]] for at in kept], "subject": [self.about[at] for at in kept], "opinion": [self.feeling[at] for at in kept]})


def subject_measures(folder: Path, fit_on: Path | None, encode: Encoder) -> list[dict]:
    """Multi-label subjects, subject with feeling, and feeling per mention."""
    tested = read_part(folder, PART, COLUMNS)
    fitted = read_part(fit_on, PART, COLUMNS) if fit_on is not None else tested
    if tested is None or fitted is None:
        return [missing("bdci2018_car 主题与观点", f"没有 {PART}，跳过")]
    tests = Comments(tested)
    if fit_on is not None:
        knowns = Comments(fitted)
        parts = [(knowns.labels(np.arange(len(knowns.texts))), tests.part(np.arange(len(tests.texts))))]
    else:
        fold = fold_of(tests.texts)
        parts = [(tests.labels(np.flatnonzero(fold != at)), tests.part(np.flatnonzero(fold == at))) for at in range(FOLDS)]
    vectors = every_vector(encode)  # keeps what it has read from part to part
    counted = np.zeros(3)  # subjects found and right, found, true
    paired = np.zeros(3)  # the same of pairs of subject and feeling
    truth, told = [], []
    for known, new in parts:
        found = _one_part(known, new, vectors)
        counted, paired = counted + found[0], paired + found[1]
        truth, told = truth + new[4], told + found[2]
    return [
        measure("bdci2018 主题 micro-F1（多标签）", _f1(counted), 0.87, 0.90, "按原文分折" if fit_on is None else "在另一份上学"),
        measure("bdci2018 主题+观点 F1", _f1(paired), 0.66, 0.70),
        measure("bdci2018 观点 macro-F1（每个提及）", _macro_f1(truth, told, OPINIONS), 0.64, 0.72),
    ]


def _one_part(known: pl.DataFrame, new, encode: Encode) -> tuple[np.ndarray, np.ndarray, list[str]]:
    model = fit_mentions(known, encode)
    texts, true, rows, about, feeling = new
    said, count = model.subjects.predict(texts), sum(len(subjects) for subjects in true)
    hit = sum(len(set(a) & b) for a, b in zip(said, true, strict=True))
    pairs = model.aspects.pairs(texts)
    right = len({pair[:3] for pair in pairs} & set(zip(rows.tolist(), about, feeling, strict=True)))
    listed = [at for at, subject in enumerate(about) if subject in model.subjects.labels]
    answer = dict(zip(listed, model.aspects.predict(texts, rows[listed], [about[at] for at in listed]), strict=True))
    return np.array([hit, sum(map(len, said)), count]), np.array([right, len(pairs), count]), [answer.get(at, "neutral") for at in range(len(about))]


def _f1(counts: np.ndarray) -> float:
    return 2 * counts[0] / (counts[1] + counts[2])


def _macro_f1(truth, told, names) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(truth, told, labels=list(names), average="macro"))
