"""Opinion model `fitted:FILE`: learnt from labels of one's own, a CSV or Excel file with the columns 原文 and 观点.

The file that `voc audit` writes has them. Words with the start model's evidence beside them (see `feelings`), no vectors, so that the week stays light: a few
hundred labels then move the scale to the channel rather than starting from nothing.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich import opinions_start
from voc_lib.enrich.feelings import fit_feelings
from voc_lib.enrich.opinions import OpinionError
from voc_lib.settings import settings

FORM = "fitted:文件.xlsx"
TEXT, OPINION = "原文", "观点"
NAMES = {"负面": 0, "中性": 1, "正面": 2, "negative": 0, "neutral": 1, "positive": 2}
FEWEST = 20  # labels of each opinion
VERSION = 1


class Fitted:
    """See `voc_lib.enrich.opinions.OpinionModel`."""

    def __init__(self, texts: list[str], signs: np.ndarray, start: opinions_start.Start) -> None:
        self._model = fit_feelings(texts, signs, None, start.displeasure)
        told = repr(list(zip(texts, signs.tolist(), strict=True))) + start.fingerprint + str(VERSION)
        self.fingerprint = f"fitted-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    def probabilities(self, texts: list[str]) -> np.ndarray:
        found = np.zeros((len(texts), 3))
        found[:, self._model.classes] = self._model.probabilities(texts)
        return found


def load(rest: str, store: str | None = None) -> Fitted:
    """The model of a file of labels. OpinionError where it is missing, lacks a column or has too few labels."""
    path = settings().home / rest
    if not path.is_file():
        raise OpinionError(f"没有标注文件 {path}。请检查 voc.toml 里的 opinions，路径相对于它所在的文件夹")
    return _loaded(path, path.stat().st_mtime_ns, store)


@cache
def _loaded(path: Path, modified: int, store: str | None) -> Fitted:
    rows = pl.read_excel(path) if path.suffix.lower() == ".xlsx" else pl.read_csv(path, infer_schema=False)
    missing = {TEXT, OPINION} - set(rows.columns)
    if missing:
        raise OpinionError(f"标注文件 {path.name} 缺少列：{'、'.join(sorted(missing))}；现有：{'、'.join(rows.columns)}")
    rows = rows.filter(pl.col(TEXT).is_not_null()).with_columns(pl.col(OPINION).cast(pl.String).str.strip_chars().replace_strict(NAMES, default=None).alias("sign"))
    known = rows.filter(pl.col("sign").is_not_null())
    counts = known["sign"].value_counts()
    if counts.height < 2 or counts["count"].min() < FEWEST:
        raise OpinionError(f"标注文件 {path.name} 里可用的标注太少：“负面、中性、正面”中至少要有两种、每种 {FEWEST} 条，现有 {known.height} 条")
    return Fitted(known[TEXT].cast(pl.String).to_list(), known["sign"].to_numpy().astype(int), opinions_start.load("", store))
