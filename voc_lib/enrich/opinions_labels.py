"""Opinion model `labels`: the start model moved to what people read in this very store, the labels that `voc audit --read` brought back.

Cross-fitted: five models, each without a fifth of the labels. A labelled text is judged by the one that has not seen it, any other by
their mean, so that shares corrected by the same labels stay honest (Zrnic & Candes 2024, doi:10.1073/pnas.2322083121). How far to lean on
the start model and how boldly to speak is chosen on the same left-out fifths, by log loss.

The labels in use are those read back until the moment kept in `<lake>/<store>/_models/opinions-labels.json`. It moves on, and all
feedback is judged again, when a fifth of the labels is new or by `voc audit --refit`; a few new labels change nothing by themselves.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich import language, opinions_start
from voc_lib.enrich.batches import SPOKEN
from voc_lib.enrich.feelings import Feelings
from voc_lib.enrich.opinions import OpinionError
from voc_lib.store import Store, open_store, read_facts
from voc_lib.store_write import write_atomically

FORM = "labels"
SIGNS = {"negative": 0, "neutral": 1, "positive": 2}
SAID = ("负面", "中性", "正面")
FEWEST = 20  # labels of each of two opinions at least
FOLDS = 5  # an opinion with fewer labels than this is left to the start model
STEP = 0.2  # share of the labels in use that has to be new before all feedback is judged again
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the start model
BOLDNESS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)  # power of the probabilities
VERSION = 1  # raise whenever the same labels give other probabilities
PIN = "opinions-labels.json"


class Labelled:
    """See `voc_lib.enrich.opinions.OpinionModel`; nothing is fitted before the first text is judged."""

    def __init__(self, texts: list[str], signs: np.ndarray, start: opinions_start.Start, fingerprint: str) -> None:
        self._texts, self._signs, self._start, self.fingerprint = texts, signs, start, fingerprint

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """float[n, 3]; a labelled text, or a clause that only one fold holds, is judged by the model that has not seen it."""
        if not texts:
            return np.zeros((0, 3))
        models, share, boldness = self._fitted
        found = np.array([_three(model, texts) for model in models])
        unseen = [self._fold_of.get(language.clean(text)) for text in texts]
        learnt = np.array([found[:, at].mean(0) if fold is None else found[fold, at] for at, fold in enumerate(unseen)])
        return _blended(self._start.probabilities(texts), learnt, share, boldness)

    @cached_property
    def _fitted(self) -> tuple[list[Feelings], float, float]:
        texts, signs, dealt = self._texts, self._signs, self._dealt
        models, held = [], np.zeros((len(texts), 3))
        for fold in range(FOLDS):
            known, new = np.flatnonzero(dealt != fold), np.flatnonzero(dealt == fold)
            models.append(Feelings([texts[at] for at in known], signs[known], None, self._start.displeasure))
            held[new] = _three(models[-1], [texts[at] for at in new])
        start = self._start.probabilities(texts)
        choices = [(share, boldness) for share in SHARES for boldness in BOLDNESS]
        loss = [-np.log(_blended(start, held, *choice)[np.arange(len(signs)), signs]).mean() for choice in choices]
        return models, *choices[int(np.argmin(loss))]

    @cached_property
    def _dealt(self) -> np.ndarray:
        """The fold of each label: dealt like cards, opinion by opinion, in an order by the text's hash."""
        lots = [hashlib.sha256(text.encode()).hexdigest() for text in self._texts]
        dealt = np.empty(len(self._signs), dtype=int)
        dealt[np.lexsort((lots, self._signs))] = np.arange(len(self._signs)) % FOLDS
        return dealt

    @cached_property
    def _fold_of(self) -> dict[str, int]:
        told = pl.DataFrame({"row": range(len(self._texts)), "text": language.clean_texts(self._texts)}, schema={"row": pl.UInt32, "text": pl.String})
        folds: dict[str, set[int]] = {}
        for row, text in [*told.iter_rows(), *language.clause_rows(told).select("row", pl.col("clause").str.strip_chars()).iter_rows()]:
            folds.setdefault(text, set()).add(int(self._dealt[row]))
        return {text: min(found) for text, found in folds.items() if len(found) == 1}


def load(rest: str, store: str | None = None) -> Labelled:
    """The model of a store's own labels. OpinionError where there are too few, with how many of each there are."""
    if store is None:
        raise OpinionError("观点模型 labels 从一个库自己的人工标注里学，要写明是哪个库：--store 库名")
    lake = open_store(store)
    labels = audit_labels(lake, _until(lake))
    texts = lake.sql(f"SELECT feedback_id, {SPOKEN} AS text FROM feedback_rows WHERE feedback_id IN (SELECT feedback_id FROM audits)")
    rows = labels.join(texts, on="feedback_id", maintain_order="left").unique("text", keep="last", maintain_order=True)
    counts = [(rows["sign"] == sign).sum() for sign in SIGNS.values()]
    if sum(count >= FEWEST for count in counts) < 2:
        have = "、".join(f"{said} {count} 条" for said, count in zip(SAID, counts, strict=True))
        raise OpinionError(
            f"库「{store}」的人工标注还不够学观点：现有 {sum(counts)} 条（{have}），“负面、中性、正面”中至少要有两种各 {FEWEST} 条。"
            f"请再抽检并读回：voc audit --store {store}；在那之前，voc.toml 里写 opinions = \"start\"")
    rows = rows.filter(pl.col("sign").is_in([sign for sign, count in enumerate(counts) if count >= FOLDS]))
    start = opinions_start.load("", store)
    told = repr((rows.select("feedback_id", "sign").rows(), start.fingerprint, VERSION))
    return Labelled(rows["text"].to_list(), rows["sign"].to_numpy().astype(int), start, f"labels-{hashlib.sha256(told.encode()).hexdigest()[:12]}")


def audit_labels(lake: Store, until: datetime | None = None) -> pl.DataFrame:
    """The last label of every audited feedback, `feedback_id, sign, read_at`; 正负都有 is no sign and is left out."""
    when = f"AND read_at <= TIMESTAMPTZ '{until.isoformat()}'" if until else ""
    rows = lake.sql(f"SELECT feedback_id, arg_max(opinion, read_at) AS opinion, max(read_at) AS read_at FROM audits WHERE opinion IS NOT NULL {when} "
                    "GROUP BY feedback_id ORDER BY feedback_id")
    return rows.filter(pl.col("opinion").is_in(list(SIGNS))).select("feedback_id", pl.col("opinion").replace_strict(SIGNS, return_dtype=pl.Int64).alias("sign"), "read_at")


def relearn(store: str) -> int:
    """From now on all labels read back so far are in use; returns how many there are."""
    lake = open_store(store)
    _pin(lake).unlink(missing_ok=True)
    _until(lake)
    return audit_labels(lake).height


def _until(lake: Store) -> datetime | None:
    """Until when labels are in use: as kept, or moved on to the newest where enough are new."""
    newest = audit_labels(lake)
    if newest.is_empty():
        return None
    kept = datetime.fromisoformat(read_facts(_pin(lake))["until"]) if _pin(lake).is_file() else None
    used = audit_labels(lake, kept).height if kept else 0
    if kept is None or newest.filter(pl.col("read_at") > kept).height >= STEP * used:
        kept = newest["read_at"].max()
        _pin(lake).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_pin(lake), {"until": kept.astimezone(UTC).isoformat()})
    return kept


def _pin(lake: Store) -> Path:
    return lake.path / "_models" / PIN


def _three(model: Feelings, texts: list[str]) -> np.ndarray:
    found = np.zeros((len(texts), 3))
    found[:, model.classes] = model.probabilities(texts)
    return found


def _blended(start: np.ndarray, learnt: np.ndarray, share: float, boldness: float) -> np.ndarray:
    """Start and learnt by their shares, then more or less bold; rows sum to 1.

    >>> _blended(np.array([[0.5, 0.3, 0.2]]), np.array([[0.9, 0.1, 0.0]]), 0.5, 1.0).round(2).tolist()
    [[0.7, 0.2, 0.1]]
    """
    found = np.clip(share * start + (1 - share) * learnt, 1e-6, None) ** boldness
    return found / found.sum(1, keepdims=True)
