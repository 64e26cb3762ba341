"""Opinion model `labels`: the start model moved to what people read in this very store, the labels that `voc audit --read` brought back.

Cross-fitted: five models, each without a fifth of the labels. A labelled text is judged by the one that has not seen it, any other by
their mean, so that shares corrected by the same labels stay honest (Zrnic & Candes 2024, doi:10.1073/pnas.2322083121). How far to lean on
the start model and how boldly to speak is chosen on the same left-out fifths, by log loss. Labels of mentions (`voc audit --mentions`)
move the opinions about codes, see `mention_opinions`; either kind is enough.

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

from voc_lib.enrich import language, mention_opinions, opinions_start
from voc_lib.enrich.batches import SPOKEN
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.feelings import Feelings
from voc_lib.enrich.in_force import coder_in_force, codes_in_force
from voc_lib.enrich.mention_opinions import MentionOpinions
from voc_lib.enrich.opinions import WHOLE, OpinionError, weighed, windows_of
from voc_lib.enrich.shrinkage import FOLDS, blended, dealt, least_loss
from voc_lib.store import Store, open_store, read_facts
from voc_lib.store_write import write_atomically

FORM = "labels"
SIGNS = {"negative": 0, "neutral": 1, "positive": 2}
SAID = ("负面", "中性", "正面")
FEWEST = 20  # labels of each of two opinions at least
STEP = 0.2  # share of the labels in use that has to be new before all feedback is judged again
VERSION = 1  # raise whenever the same labels give other probabilities
PIN = "opinions-labels.json"


class Labelled:
    """See `voc_lib.enrich.opinions.OpinionModel`; nothing is fitted before the first text is judged.

    `texts` and `signs` may be none (the start model then judges whole texts), `mentions` as well: labels of mentions, `window, code, text, sign`.
    """

    def __init__(self, texts: list[str], signs: np.ndarray, start: opinions_start.Start, fingerprint: str, mentions: pl.DataFrame | None = None) -> None:
        self._texts, self._signs, self._start, self.fingerprint = texts, signs, start, fingerprint
        self.mentions = None if mentions is None else MentionOpinions(mentions, self._before, start.displeasure)
        self.about_codes = None if self.mentions is None else self.mentions.about_codes

    def probabilities(self, texts: list[str], parts_of: list[str] | None = None) -> np.ndarray:
        """float[n, 3]; a labelled text, or a clause that only one fold holds, is judged by the model that has not seen it. So is a part of it, where `parts_of` names the text."""
        if not texts or not self._texts:
            return self._start.probabilities(texts) if texts else np.zeros((0, 3))
        models, share, boldness = self._fitted
        found = np.array([_three(model, texts) for model in models])
        unseen = [self._fold_of.get(language.clean(text)) for text in parts_of or texts]
        learnt = np.array([found[:, at].mean(0) if fold is None else found[fold, at] for at, fold in enumerate(unseen)])
        return blended(self._start.probabilities(texts), learnt, share, boldness)

    @property
    def note(self) -> str:
        """What labels of mentions did, on those left out of the fit; only where something was judged, as it has to be fitted first."""
        if self.mentions is None:
            return ""
        fit = self.mentions.fit
        told = f"（不学 {fit.f1_before:.2f}，学了 {fit.f1:.2f}；按留出的标注算，三种观点同等看重）"
        if not fit.helps:
            return f"每个提及的观点没有照提及标注改：宏 F1 没有提高{told}。再标注一些会好些：voc audit --mentions。"
        return f"每个提及的观点照 {self.mentions.count:,} 条提及标注判断，原先的判断占 {fit.share:.0%}：宏 F1 提高{told}。"

    def _before(self, windows: list[str], codes: pl.Series, texts: list[str]) -> np.ndarray:
        return weighed(self.probabilities(windows, texts), codes)

    @cached_property
    def _fitted(self) -> tuple[list[Feelings], float, float]:
        texts, signs, folds = self._texts, self._signs, self._dealt
        models, held = [], np.zeros((len(texts), 3))
        for fold in range(FOLDS):
            known, new = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            models.append(Feelings([texts[at] for at in known], signs[known], None, self._start.displeasure))
            held[new] = _three(models[-1], [texts[at] for at in new])
        return models, *least_loss(self._start.probabilities(texts), held, signs)[0]

    @cached_property
    def _dealt(self) -> np.ndarray:
        return dealt(self._texts, self._signs)

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
    start = opinions_start.load("", store)
    until = _until(lake)
    whole, mentions = _whole_labels(lake, until), _mention_labels(lake, until)
    if not (_enough(whole) or _enough(mentions)):
        raise OpinionError(
            f"库「{store}」的人工标注还不够学观点：现有 {whole.height} 条（{_counted(whole)}），“负面、中性、正面”中至少要有两种各 {FEWEST} 条。"
            + (f"按提及的标注有 {mentions.height} 条（{_counted(mentions)}），也不够。" if mentions.height else "")
            + f"请再抽检并读回：voc audit --store {store}；在那之前，voc.toml 里写 opinions = \"start\"")
    whole, mentions = (_learnable(rows) if _enough(rows) else rows.clear() for rows in (whole, mentions))
    told = (whole.select("feedback_id", "sign").rows(), start.fingerprint, VERSION)
    told = (*told, mentions.select("feedback_id", "code", "sign").rows(), coder_in_force(lake), mention_opinions.VERSION) if mentions.height else told
    named = f"labels-{hashlib.sha256(repr(told).encode()).hexdigest()[:12]}"
    return Labelled(whole["text"].to_list(), whole["sign"].to_numpy().astype(int), start, named, mentions if mentions.height else None)


def audit_labels(lake: Store, until: datetime | None = None) -> pl.DataFrame:
    """The last label of every audited feedback or mention, `feedback_id, code` (null: the whole text), `sign, read_at`; 正负都有 and 不是说这个 are no sign and left out."""
    when = f"AND read_at <= TIMESTAMPTZ '{until.isoformat()}'" if until else ""
    rows = lake.sql(f"SELECT feedback_id, code, arg_max(opinion, read_at) AS opinion, max(read_at) AS read_at FROM audits WHERE opinion IS NOT NULL {when} "
                    "GROUP BY feedback_id, code ORDER BY feedback_id, code")
    return rows.filter(pl.col("opinion").is_in(list(SIGNS))).select(
        "feedback_id", "code", pl.col("opinion").replace_strict(SIGNS, return_dtype=pl.Int64).alias("sign"), "read_at")


def _whole_labels(lake: Store, until: datetime | None) -> pl.DataFrame:
    """Labels of whole texts, the last of each text: `feedback_id, sign, text`."""
    labels = audit_labels(lake, until).filter(pl.col("code").is_null())
    return labels.join(_texts(lake), on="feedback_id", maintain_order="left").unique("text", keep="last", maintain_order=True)


def _mention_labels(lake: Store, until: datetime | None) -> pl.DataFrame:
    """Labels of mentions, each with its window (the text, where it is no longer in force): `feedback_id, code, sign, text, window`."""
    labels = audit_labels(lake, until).filter(pl.col("code").is_not_null())
    if labels.is_empty():
        return labels.with_columns(text=pl.lit(""), window=pl.lit(""))
    texts = _texts(lake).join(labels, on="feedback_id", how="semi", maintain_order="left")
    spans = lake.sql(f"SELECT feedback_id, code, span_start, span_end FROM mentions WHERE {codes_in_force(lake)} AND code <> '{UNMAPPED}'")
    windows = windows_of(texts, spans.join(texts, on="feedback_id", how="semi")).filter(pl.col("code") != WHOLE).select("feedback_id", "code", "window")
    return labels.join(texts, on="feedback_id", maintain_order="left").join(
        windows, on=["feedback_id", "code"], how="left", maintain_order="left").with_columns(pl.coalesce("window", "text"))


def _texts(lake: Store) -> pl.DataFrame:
    return lake.sql(f"SELECT feedback_id, {SPOKEN} AS text FROM feedback_rows WHERE feedback_id IN (SELECT feedback_id FROM audits) ORDER BY feedback_id")


def _counts(rows: pl.DataFrame) -> list[int]:
    return [(rows["sign"] == sign).sum() for sign in SIGNS.values()]


def _counted(rows: pl.DataFrame) -> str:
    return "、".join(f"{said} {count} 条" for said, count in zip(SAID, _counts(rows), strict=True))


def _enough(rows: pl.DataFrame) -> bool:
    return sum(count >= FEWEST for count in _counts(rows)) >= 2


def _learnable(rows: pl.DataFrame) -> pl.DataFrame:
    """Without an opinion that has fewer labels than there are folds: it is left to the start model."""
    return rows.filter(pl.col("sign").is_in([sign for sign, count in enumerate(_counts(rows)) if count >= FOLDS]))


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
