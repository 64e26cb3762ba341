"""Pairs of codes that people tell otherwise than before: once in one breath and now apart, or once apart and now in one breath, and since which week.

Counted over every different text with codes and not over those a fit is drawn from: there is no vector in it, and a pair of rare codes needs them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from voc_lib.enrich.domain import PLAIN_MENTION
from voc_lib.stats.multiplicity import benjamini_hochberg

TOGETHER, ALONE = 0.5, 0.2  # of the rarer of two codes: so much is told with the other on one side of the change, at most so much on the other side
COMMON = 16  # texts with a code, to be asked about
FEWEST = 5  # texts with the rarer code on either side of the change
FALSE = 0.05  # expected share of false ones among the pairs reported (Benjamini & Hochberg 1995)


@dataclass(frozen=True)
class ToldOtherwise:
    """Two codes that people tell otherwise than before: apart or together now, since which week, how often each."""

    rarer: str
    common: str
    is_apart: bool
    since: str  # ISO week
    counts: np.ndarray  # before, now x together, alone: texts with the rarer code

    def __str__(self) -> str:
        before, now = (f"{together} / {together + alone}" for together, alone in self.counts)
        was, has = ("多与", "分开说") if self.is_apart else ("少与", "多一起说")
        return f"「{self.rarer}」以前{was}「{self.common}」一起说（{before}），{self.since} 以来{has}（{now}）"


def told_otherwise(said: pl.DataFrame, last: str) -> list[ToldOtherwise]:
    """Pairs of codes of one system told otherwise since some week after `last`, surest first.

    `said` has a row per text and code: text_hash, iso_week (when the text was first said), code. For every week after `last` the texts with the rarer code are
    counted before it and from it on, with the other code or without (Fisher's exact test); the surest week stands for the pair, its error times the weeks
    tried, and Benjamini & Hochberg hold the false ones among all pairs that are common enough at `FALSE`.
    """
    said = said.filter(~pl.col("code").str.ends_with(f"-{PLAIN_MENTION}")).select(pl.col("text_hash").rank("dense").alias("row"), "iso_week", "code").unique().sort("code", "row")
    texts = {code: part for (code,), part in said.group_by("code", maintain_order=True) if part.height >= COMMON}
    pairs = [pair for pair in combinations(sorted(texts), 2) if pair[0].split("-")[0] == pair[1].split("-")[0]]
    weeks = said.filter(pl.col("iso_week") > last)["iso_week"].unique().sort().to_list()
    found = [_changed(*sorted(pair, key=lambda code: (texts[code].height, code)), texts, weeks) for pair in pairs]
    sure = benjamini_hochberg([doubt for doubt, _ in found]) <= FALSE
    kept = [pair for pair, is_sure in zip(found, sure, strict=True) if is_sure]
    return [told for _, told in sorted(kept, key=lambda pair: (pair[0], pair[1].rarer, pair[1].common))]


def _changed(rarer: str, common: str, texts: dict[str, pl.DataFrame], weeks: list[str]) -> tuple[float, ToldOtherwise | None]:
    """(error of the surest change, times the weeks tried; the change); 1 and None where none is large enough."""
    from scipy.stats import fisher_exact

    together = np.isin(texts[rarer]["row"].to_numpy(), texts[common]["row"].to_numpy(), assume_unique=True)
    when = np.searchsorted(weeks, texts[rarer]["iso_week"].to_numpy().astype(str), side="right")  # 0: before them all
    of_week = np.array([np.bincount(when[together], minlength=len(weeks) + 1), np.bincount(when[~together], minlength=len(weeks) + 1)]).T
    before, best = np.cumsum(of_week, axis=0), (1.0, None)
    for at, week in enumerate(weeks):
        counts = np.array([before[at], before[-1] - before[at]])
        if counts.sum(1).min() >= FEWEST:
            was, now = counts[:, 0] / counts.sum(1)
            is_apart = was >= TOGETHER and now <= ALONE
            if is_apart or (was <= ALONE and now >= TOGETHER):
                doubt = min(1.0, len(weeks) * float(fisher_exact(counts)[1]))
                best = min(best, (doubt, ToldOtherwise(rarer, common, bool(is_apart), week, counts)), key=lambda one: one[0])
    return best
