"""Opinions per mention as a store has them: car owners' comments coded by keywords, and a few hundred of their labels read like an audit's.

The labelled subjects (油耗, 外观) stand for the systems of the taxonomy; a mention whose system was not labelled in its text is left aside.
What the judge abstains from or calls mixed counts as wrong: the labels know three opinions. Labels are drawn from other folds than are tested.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich.aspects import OPINIONS
from voc_lib.enrich.coding import UNMAPPED, code_keywords
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.opinions import WHOLE, judge, windows_of
from voc_lib.enrich.opinions_labels import Labelled
from voc_lib.enrich.opinions_start import Start, adapted, start_model
from voc_lib.evaluate.real_parts import FOLDS, Encoder, fold_of, measure, missing, read_part
from voc_lib.evaluate.real_subjects import COLUMNS, PART, Comments
from voc_lib.settings import settings

SYSTEMS = {"发动机": "动力", "变速箱": "动力", "转向": "操控", "舒适": "舒适性", "座椅": "舒适性", "安全": "安全性",
           **{name: name for name in ("动力", "价格", "油耗", "操控", "配置", "内饰", "外观", "空间")}}  # fmt: skip
LABELS = (150, 300, 600)


class CodedComments:
    """Comments with the mentions that the keyword coder found: `mentions` with spans, `known` those with a labelled feeling, `sign` 0-2."""

    def __init__(self, rows: pl.DataFrame) -> None:
        comments = Comments(rows)
        self.texts = pl.DataFrame({"feedback_id": [str(at) for at in range(len(comments.texts))], "text": comments.texts})
        self.mentions = code_keywords(self.texts, load_domain(settings().domains, "auto")).filter(pl.col("code") != UNMAPPED)
        truth = pl.DataFrame({"feedback_id": [str(row) for row in comments.rows], "subject": comments.about, "sign": [OPINIONS.index(said) for said in comments.feeling]})
        subject = pl.col("code").str.split("-").list.first().replace_strict(SYSTEMS, default=None)
        self.known = self.mentions.select("feedback_id", "code", subject=subject).join(truth, on=["feedback_id", "subject"], maintain_order="left").drop("subject")

    def part(self, chosen: np.ndarray) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Texts, mentions, and mentions with a label of the texts at some places."""
        texts = self.texts[chosen]
        return texts, *(rows.join(texts.select("feedback_id"), on="feedback_id", how="semi", maintain_order="left") for rows in (self.mentions, self.known))


def mention_measures(folder: Path, fit_on: Path | None, encode: Encoder) -> list[dict]:
    """Macro-F1 per coded mention of the start model, and after so many labels of mentions."""
    tested = read_part(folder, PART, COLUMNS)
    fitted = read_part(fit_on, PART, COLUMNS) if fit_on is not None else tested
    if tested is None or fitted is None:
        return [missing("库里每个提及的观点", f"没有 {PART}，跳过")]
    tests = CodedComments(tested)
    if fit_on is not None:
        knowns = CodedComments(fitted)
        parts = [(knowns.part(np.arange(knowns.texts.height)), tests.part(np.arange(tests.texts.height)))]
    else:
        fold = fold_of(tests.texts["text"].to_list())
        parts = [(tests.part(np.flatnonzero(fold != at)), tests.part(np.flatnonzero(fold == at))) for at in range(FOLDS)]
    start = adapted(start_model(), tests.texts["text"].to_list())
    before = [macro_f1(start, *new) for _, new in parts]
    rows = [measure("库里每个提及的观点 macro-F1，不用标注", np.mean(before), None, None, f"关键词编码的提及 {tests.known.height:,} 个，各折 {_listed(before)}；弃权和正负都有算错；起步模型适应了未标注的全部评论")]
    for count in LABELS:
        after = [macro_f1(learnt(start, *known, count, at), *new) for at, (known, new) in enumerate(parts)]
        rows.append(measure(f"库里每个提及的观点 macro-F1，{count} 条提及标注后", np.mean(after), None, None, f"标注取自别的折，各折 {_listed(after)}"))
    return rows


def learnt(start: Start, texts: pl.DataFrame, mentions: pl.DataFrame, known: pl.DataFrame, count: int, seed: int) -> Labelled:
    """The model of a store with `count` labels of mentions, drawn by lot."""
    drawn = known.sample(min(count, known.height), seed=seed)
    some = texts.join(drawn, on="feedback_id", how="semi", maintain_order="left")
    windows = windows_of(some, mentions.join(some, on="feedback_id", how="semi", maintain_order="left")).filter(pl.col("code") != WHOLE)
    labels = drawn.join(some, on="feedback_id", maintain_order="left").join(windows.select("feedback_id", "code", "window"), on=["feedback_id", "code"], maintain_order="left")
    return Labelled([], np.array([], dtype=int), start, "measured", labels)


def macro_f1(model, texts: pl.DataFrame, mentions: pl.DataFrame, known: pl.DataFrame) -> float:
    """Of the opinions as `voc enrich` would store them."""
    from sklearn.metrics import f1_score

    said = known.join(judge(texts, mentions, model), on=["feedback_id", "code"], how="left", maintain_order="left")["opinion"]
    truth = [OPINIONS[sign] for sign in known["sign"]]
    return float(f1_score(truth, said.fill_null("none").to_list(), labels=list(OPINIONS), average="macro", zero_division=0))


def _listed(scores: list[float]) -> str:
    return "、".join(f"{score:.3f}" for score in scores)
