"""What an author feels about what he mentions: negative, neutral, positive, mixed, or nothing that can be said (null).

Each mention is judged on its window: the clause of its words and those that follow until another mention begins. A text
as a whole is judged as code 全文. A back-end is a module `opinions_<name>.py` beside this one with `FORM`, how its line in
voc.toml looks, and `load(rest, store) -> OpinionModel`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.backends import backend_names, load_backend
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.domain import PLAIN_MENTION
from voc_lib.settings import SettingsError

NEGATIVE, NEUTRAL, POSITIVE, MIXED = "negative", "neutral", "positive", "mixed"
WHOLE = "全文"  # the code under which a text as a whole is judged

KIND = "opinions"
JUDGE_VERSION = 1  # raise whenever the same probabilities give another opinion: everything is then judged again
ABSTAIN = 0.45  # below this, no opinion is the likeliest by enough to say so (a third each would be chance)
# Mixed is rare (2 % of the shared car comments) and short clauses are judged too boldly: two clauses must be this surely
# pleased and displeased, two mentions this surely. At .75 and 0, 23 % were called mixed.
STRONG, STRONG_SIDES = 0.95, 0.75
# Naming a fault (漏油, 闪退) is a complaint even in sober words: its odds of being negative are multiplied by this.
FAULT_ODDS = 4.0
CLAUSES_AFTER = 2  # a feeling follows its reason within two clauses: 方向盘抖动,修了三次,太烦了


class OpinionError(SettingsError, ValueError):
    """voc.toml names an opinion model that is not there or cannot be used as written."""


class OpinionModel(Protocol):
    """A back-end: `probabilities` gives float[n, 3], negative, neutral, positive, rows summing to 1.

    A text has the same answer whatever stands beside it. `fingerprint` names model and version: opinions of two never mix.
    """

    fingerprint: str

    def probabilities(self, texts: list[str]) -> np.ndarray: ...


def opinion_names() -> list[str]:
    """Names that `get_opinion_model` knows."""
    return backend_names(KIND)


def get_opinion_model(line: str, store: str | None = None) -> OpinionModel:
    """The model of a line of voc.toml: `start`, `hub:NAME_OR_FOLDER` or `fitted:FILE`.

    OpinionError (a ValueError) with the list where there is no such back-end, or where the line cannot be used.
    """
    return load_backend(line, store, KIND, "观点模型", "opinions", OpinionError)


def opinion_version(model: OpinionModel) -> str:
    """What an opinion depends on besides the text: the model, and how windows and thresholds make opinions of its probabilities."""
    return f"{model.fingerprint}-judge{JUDGE_VERSION}"


def judge(texts: pl.DataFrame, mentions: pl.DataFrame, model: OpinionModel) -> pl.DataFrame:
    """The opinion of every mention, and of every text as code 全文: `feedback_id, code, opinion, opinion_confidence`.

    `texts` has `feedback_id, text`; `mentions` has `feedback_id, code, span_start, span_end` in characters of the cleaned
    text, 未归类 left aside. `opinion` is null where the model abstains; the confidence is the probability of what is said.
    """
    windows = _windows(texts, mentions)
    distinct = windows.explode("pieces", empty_as_null=False, keep_nulls=False)["pieces"].unique(maintain_order=True).to_list()
    wholes = windows["window"].unique(maintain_order=True).to_list()
    asked = list(dict.fromkeys([*distinct, *wholes]))
    known = model.probabilities(asked) if asked else np.zeros((0, 3))
    place = {text: at for at, text in enumerate(asked)}
    said = [
        _opinion(known[place[window]], known[[place[piece] for piece in pieces]] if len(pieces) > 1 else None, _is_fault(code))
        for window, pieces, code in windows.select("window", "pieces", "code").iter_rows()
    ]
    answer = pl.DataFrame(said, schema={"opinion": pl.String, "opinion_confidence": pl.Float64}, orient="row")
    judged = pl.concat([windows.select("feedback_id", "code"), answer], how="horizontal")
    # A text that praises one thing and blames another is mixed, however its words add up.
    sides = [(pl.col("opinion") == side).fill_null(False) & (pl.col("opinion_confidence") >= STRONG_SIDES) & (pl.col("code") != WHOLE) for side in (NEGATIVE, POSITIVE)]
    both = (pl.col("code") == WHOLE) & sides[0].any().over("feedback_id") & sides[1].any().over("feedback_id")
    least = pl.min_horizontal(*(pl.col("opinion_confidence").filter(side).max().over("feedback_id") for side in sides))
    return judged.with_columns(
        opinion=pl.when(both).then(pl.lit(MIXED)).otherwise("opinion"), opinion_confidence=pl.when(both).then(least).otherwise("opinion_confidence")
    )


def _opinion(whole: np.ndarray, pieces: np.ndarray | None, is_fault: bool) -> tuple[str | None, float]:
    """One opinion and how sure it is.

    >>> _opinion(np.array([0.7, 0.2, 0.1]), None, False)
    ('negative', 0.7)
    """
    if pieces is not None and min(pieces[:, 0].max(), pieces[:, 2].max()) >= STRONG:
        return MIXED, float(min(pieces[:, 0].max(), pieces[:, 2].max()))
    odds = whole * (FAULT_ODDS if is_fault else 1.0, 1.0, 1.0)
    odds = odds / odds.sum()
    best = int(odds.argmax())
    return ((NEGATIVE, NEUTRAL, POSITIVE)[best] if odds[best] >= ABSTAIN else None), float(odds[best])


def _is_fault(code: str) -> bool:
    return code != WHOLE and not code.endswith(f"-{PLAIN_MENTION}")


def _windows(texts: pl.DataFrame, mentions: pl.DataFrame) -> pl.DataFrame:
    """`feedback_id, code, window, pieces` (its clauses) of every text as a whole and of every mention, in the order of the texts."""
    told = texts.select("feedback_id", row=pl.int_range(pl.len(), dtype=pl.UInt32), text=language.clean_column(texts["text"]))
    clauses = language.clause_rows(told.select("row", "text")).with_columns(clause_at=pl.int_range(pl.len()).over("row"))
    clauses = clauses.with_columns(clause_end=pl.col("clause_start") + pl.col("clause").str.len_chars().cast(pl.Int64))
    # A clause that opens with 但是 still belongs to what was spoken of, unless another mention begins in it.
    spans = mentions.filter(pl.col("code") != UNMAPPED, pl.col("span_start").is_not_null()).join(told.select("feedback_id", "row"), on="feedback_id")
    own = clauses.join(spans.select("row", "code", "span_start", "span_end"), on="row").filter(
        (pl.col("clause_start") < pl.col("span_end")) & (pl.col("clause_end") > pl.col("span_start"))
    )
    taken = own.group_by("row", "clause_at").agg(pl.col("code").n_unique().alias("codes"))
    last = own.group_by("row", "code").agg(pl.col("clause_at").max().alias("last"))
    after = clauses.join(taken, on=["row", "clause_at"], how="anti").join(last, on="row").filter(
        (pl.col("clause_at") > pl.col("last")) & (pl.col("clause_at") <= pl.col("last") + CLAUSES_AFTER)
    )
    unbroken = after.filter(pl.col("clause_at") - pl.col("last") == pl.int_range(1, pl.len() + 1).over("row", "code", order_by="clause_at"))
    columns = ("row", "code", "clause_at", "clause")
    whole = clauses.with_columns(code=pl.lit(WHOLE))
    rows = pl.concat([whole.select(columns), own.select(columns), unbroken.select(columns)]).unique(["row", "code", "clause_at"])
    windows = rows.sort("row", "code", "clause_at").group_by("row", "code", maintain_order=True).agg(pl.col("clause").str.strip_chars().alias("pieces"))
    silent = told.join(windows.filter(pl.col("code") == WHOLE), on="row", how="anti")  # nothing but signs: judged as said
    windows = pl.concat([windows, silent.select("row", code=pl.lit(WHOLE), pieces=pl.lit([], dtype=pl.List(pl.String)))])
    named = windows.join(told, on="row", maintain_order="left").sort("row", "code")
    window = pl.when(pl.col("code") == WHOLE).then(pl.col("text")).otherwise(pl.col("pieces").list.join(","))
    return named.select("feedback_id", "code", window.alias("window"), "pieces")
