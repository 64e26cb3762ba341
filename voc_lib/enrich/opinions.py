"""What an author feels about what he mentions: negative, neutral, positive, mixed, or nothing that can be said (null).

Each mention is judged on its window: the clause of its words and those that follow until another mention begins; a model
that has learnt from labels of mentions (`about_codes`) also knows the code and the text around. A text as a whole is judged as code 全文. A back-end is a module `opinions_<name>.py` beside this one with `FORM`, how its line in
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
from voc_lib.enrich.sides import two_sides
from voc_lib.settings import SettingsError

NEGATIVE, NEUTRAL, POSITIVE, MIXED = "negative", "neutral", "positive", "mixed"
WHOLE = "全文"  # the code under which a text as a whole is judged

KIND = "opinions"
JUDGE_VERSION = 2  # raise whenever the same probabilities give another opinion: everything is then judged again
ABSTAIN = 0.45  # below this, no opinion is the likeliest by enough to say so (a third each would be chance)
# Naming a fault (漏油, 闪退) is a complaint even in sober words: its odds of being negative are multiplied by this.
FAULT_ODDS = 4.0
CLAUSES_AFTER = 2  # a feeling follows its reason within two clauses: 方向盘抖动,修了三次,太烦了


class OpinionError(SettingsError, ValueError):
    """voc.toml names an opinion model that is not there or cannot be used as written."""


class OpinionModel(Protocol):
    """A back-end: `probabilities` gives float[n, 3], negative, neutral, positive, rows summing to 1.

    A text has the same answer whatever stands beside it. `fingerprint` names model and version: opinions of two never mix.
    A model may have `about_codes(windows, codes, texts)`, the same of mentions (what the window says about the code, within the text), and
    by how much each opinion is to be preferred, float[3], where the rare ones would never be the likeliest.
    """

    fingerprint: str

    def probabilities(self, texts: list[str]) -> np.ndarray: ...


def opinion_names() -> list[str]:
    """Names that `get_opinion_model` knows."""
    return backend_names(KIND)


def get_opinion_model(line: str, store: str | None = None) -> OpinionModel:
    """The model of a line of voc.toml: `start`, `labels`, `hub:NAME_OR_FOLDER` or `fitted:FILE`.

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
    windows = windows_of(texts, mentions).with_columns(at=pl.int_range(pl.len()))
    pieces = windows.filter(pl.col("pieces").list.len() > 1).select("at", piece="pieces").explode("piece", empty_as_null=False, keep_nulls=False)
    asked = pl.concat([windows["window"], pieces["piece"].rename("window")]).unique(maintain_order=True)
    known = model.probabilities(asked.to_list()) if len(asked) else np.zeros((0, 3))
    answers = pl.DataFrame({"text": asked, "negative": known[:, 0], "neutral": known[:, 1], "positive": known[:, 2]}, schema_overrides={"text": pl.String})
    sides = two_sides(pieces.join(answers, left_on="piece", right_on="text", how="left", maintain_order="left"))
    likely = weighed(windows.select(text="window").join(answers, on="text", how="left", maintain_order="left").drop("text").to_numpy(), windows["code"])
    prefer = np.ones_like(likely)
    if getattr(model, "about_codes", None):
        about = windows.filter(pl.col("code") != WHOLE).join(texts, on="feedback_id", maintain_order="left")
        places = about["at"].to_numpy()
        likely[places], prefer[places] = model.about_codes(about["window"].to_list(), about["code"], about["text"].to_list())
    judged = pl.concat([windows, _likeliest(likely, prefer)], how="horizontal").join(sides, on="at", how="left", maintain_order="left")
    # What praises one thing and blames another is mixed, however its words add up.
    return judged.select(
        "feedback_id", "code", opinion=pl.when(pl.col("mixed").is_not_null()).then(pl.lit(MIXED)).otherwise("opinion"),
        opinion_confidence=pl.coalesce("mixed", "opinion_confidence"),
    )


def weighed(known: np.ndarray, codes: pl.Series) -> np.ndarray:
    """Probabilities of windows with what their codes say beside them: naming a fault is a complaint.

    >>> weighed(np.array([[0.25, 0.5, 0.25]]), pl.Series(["车身-车门-漏水"])).round(2).tolist()
    [[0.57, 0.29, 0.14]]
    """
    odds = known * np.where(names_fault(codes)[:, None], (FAULT_ODDS, 1.0, 1.0), 1.0)
    return odds / odds.sum(1, keepdims=True)


def names_fault(codes: pl.Series) -> np.ndarray:
    return ((codes != WHOLE) & ~codes.str.ends_with(f"-{PLAIN_MENTION}")).to_numpy()


def _likeliest(odds: np.ndarray, prefer: np.ndarray) -> pl.DataFrame:
    """`opinion, opinion_confidence` (its probability) of each window; nothing is said where nothing is likely, with the probability of the likeliest.

    >>> _likeliest(np.array([[0.75, 0.125, 0.125], [0.375, 0.3125, 0.3125], [0.375, 0.5, 0.125]]), np.array([[1, 1, 1], [1, 1, 1], [2, 1, 1]])).rows()
    [('negative', 0.75), (None, 0.375), ('negative', 0.375)]
    """
    is_likely = odds.max(1) >= ABSTAIN
    best = np.where(is_likely, (odds * prefer).argmax(1), odds.argmax(1))
    answer = pl.DataFrame({"opinion": pl.Series([NEGATIVE, NEUTRAL, POSITIVE])[pl.Series(best, dtype=pl.UInt32)], "opinion_confidence": odds[np.arange(len(odds)), best]})
    return answer.with_columns(opinion=pl.when(pl.Series(is_likely)).then("opinion"))


def windows_of(texts: pl.DataFrame, mentions: pl.DataFrame) -> pl.DataFrame:
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
