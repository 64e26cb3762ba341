"""What analysts' labels may say by themselves: which codes are learnt, how sure an answer must be, what is left unsaid.

Only codes with enough labels are learnt, and of those only the ones whose answers on held-out labels were mostly right. Labels of other
codes, and 未归类, teach what belongs to none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.embedders import Embedder
from voc_lib.enrich.fewshot import LabelCoder, fit_labels
from voc_lib.enrich.suggestions import near_enough

VERSION = 1  # raise whenever the same labels give other codes: what they coded is then coded again
# Labels of a code that is learnt, and labels of none of those codes: without the latter nobody knows how much unmapped feedback belongs to
# none of them. On car comments half of whose subjects nobody had labelled, 20 labels a code were right in 52 % of what they said, and
# in 77 % with labels of none beside them (said of themselves: 84 %); with 5 labels hardly a code held on labels left out.
# Labels drawn by lot (200, half of the subjects without a code) gave 91 % right and said 90 %: confidence speaks of the mix that was labelled.
FEWEST = 10
SURE = 0.6  # held-out share right below which nothing is said
FEWEST_ANSWERS = 3  # held-out answers of a code that are sure enough; with fewer its precision is a guess
RIGHT = 0.6  # and the share of them that has to be right


@dataclass(frozen=True)
class Learnt:
    """A fitted coder, the codes it may give (`precision` on held-out labels, and of how many `answers`), and the texts it learnt from."""

    coder: LabelCoder
    codes: pl.DataFrame
    taught: pl.DataFrame

    def say(self, texts: list[str]) -> pl.DataFrame:
        """`code, confidence` of every text, in order; 未归类 and null where the labels say nothing surely enough."""
        said = pl.concat([pl.DataFrame({"row": range(len(texts)), "text": texts}, schema={"row": pl.Int64, "text": pl.String}), self.coder.predict(texts)], how="horizontal")
        sure = said.filter((pl.col("confidence") >= SURE) & pl.col("code").is_in(self.codes["code"].implode()))
        near = near_enough(sure, self.taught, self.coder).select("row", "code", pl.col("confidence").round(3))
        return said.select("row").join(near, on="row", how="left", maintain_order="left").select(pl.col("code").fill_null(UNMAPPED), "confidence")


def learnable(mains: pl.DataFrame, fewest: int = FEWEST) -> pl.DataFrame:
    """`feedback_id, code` to learn from, sorted; codes with too few labels stand as 未归类.

    Empty where no code has enough, or where too few labels belong to none of those that have.
    """
    enough = mains.filter(pl.col("code") != UNMAPPED).group_by("code").len().filter(pl.col("len") >= fewest)["code"]
    given = mains.with_columns(code=pl.when(pl.col("code").is_in(enough.implode())).then("code").otherwise(pl.lit(UNMAPPED))).sort("feedback_id")
    return given if enough.len() and (given["code"] == UNMAPPED).sum() >= fewest else given.clear()


def learn(taught: pl.DataFrame, embedder: Embedder) -> Learnt | None:
    """Fit on `text, code` as `learnable` leaves them; None where there is nothing to tell apart."""
    taught = taught.select("text", "code").drop_nulls().unique(maintain_order=True).sort("code", "text")
    taught = taught.filter(pl.len().over("code") >= FEWEST_ANSWERS)
    if taught["code"].n_unique() < 2:
        return None
    coder = fit_labels(taught, embedder)
    sure = coder.held.filter((pl.col("confidence") >= SURE) & (pl.col("code") != UNMAPPED))
    codes = sure.group_by("code").agg(precision=pl.col("right").mean(), answers=pl.len().cast(pl.Int64)).sort("code")
    return Learnt(coder, codes.filter((pl.col("answers") >= FEWEST_ANSWERS) & (pl.col("precision") >= RIGHT)), taught)


class StoredVectors:
    """An embedder of texts whose vectors are known already: those learnt from and, one `batch` after the other, those asked about.

    A text without one has a vector of zeros and counts by its characters.
    """

    def __init__(self, fingerprint: str, dimensions: int, known: dict[str, np.ndarray]) -> None:
        self.fingerprint, self.dimensions, self._known = fingerprint, dimensions, known
        self.batch: dict[str, np.ndarray] = {}

    def encode(self, texts: list[str]) -> np.ndarray:
        nothing = np.zeros(self.dimensions, dtype=np.float32)
        found = [self._known.get(text, self.batch.get(text, nothing)) for text in texts]
        return np.array(found, dtype=np.float32).reshape(len(texts), self.dimensions)
