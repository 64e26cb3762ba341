"""以文搜文: feedback that says much the same in other words, by the stored vectors."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.embedders import encode_queries, get_embedder
from voc_lib.measure.held import rows_where, taken
from voc_lib.measure.nearest import index_of, nearest, text_of_rows
from voc_lib.measure.selections import asked_for
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

ID = re.compile(r"[0-9a-f]{10,32}")  # of 32 characters; its beginning is enough, as long as it is the beginning of one only


class SimilarError(Told, ValueError):
    """There is nothing to be similar to, or nothing that could be."""


def similar(
    what: str, store: Store | str | None = None, n: int = 20, period: str | list[str] | None = None, channel: str | list[str] | None = None,
    selection: str | None = None,
) -> pl.DataFrame:
    """The `n` texts most like one, nearest first: a feedback frame with `similarity` (cosine, at most 1), `repeats` and `repeat_people`.

    `what` is a feedback_id (or its first ten characters), whose own text is then left out, or words of your own. A wording is listed once, by the first who wrote it in
    what is searched (period, channel, a saved selection); `repeats` counts the feedback with that wording there, `repeat_people` who wrote it.
    Vectors are those of the store's embedder, of the verbatim without its title. Likeness is a ranking: how much of it means the same
    differs from embedder to embedder, so no number is a threshold.

    The best 4,000 by a rough measure are compared exactly: nearly always the true nearest (tests/bench/bench_search.py prints how often).
    Raises SimilarError where there is no such feedback, it says nothing, or the store has no vectors of the embedder in voc.toml.
    """
    store = store if isinstance(store, Store) else open_store(store)
    asked = asked_for(store, period, channel, selection)
    fingerprint = store.about.get("fingerprint")
    if fingerprint is None:
        raise SimilarError(f"库「{store.name}」里还没有向量，不能以文搜文。先用 voc enrich --store {store.name}。")
    index, texts = index_of(store, fingerprint), text_of_rows(store, fingerprint)
    what = what.strip()
    if ID.fullmatch(what):
        own = _own_text(store, what, texts)
        vector = index.exact[own].astype(np.float32)
    else:
        own, vector = -1, _encoded(what, store, fingerprint)
    rows = rows_where(store, asked).to_numpy() if asked else np.arange(len(texts))
    allowed = None
    if asked or own >= 0:
        allowed = np.zeros(len(index.hashes), dtype=bool)
        allowed[texts[rows][texts[rows] >= 0]] = True
        allowed[own] &= own < 0
    found, cosines = nearest(index, vector, n, allowed)
    hit = rows[np.isin(texts[rows], found)]
    frame = taken(store, pl.Series(hit, dtype=pl.UInt32)).with_columns(pl.Series("number", texts[hit].astype(np.int64)))
    ranked = pl.DataFrame({"number": found.astype(np.int64), "similarity": np.minimum(cosines, 1).astype(np.float64), "place": np.arange(len(found))})
    counted = frame.group_by("number").agg(pl.len().cast(pl.Int64).alias("repeats"), pl.col("person").n_unique().cast(pl.Int64).alias("repeat_people"))
    first = frame.sort("occurred_at", "feedback_id", nulls_last=True).unique("number", keep="first", maintain_order=True)
    return first.join(ranked, on="number").join(counted, on="number").sort("place").drop("number", "place")


def _own_text(store: Store, feedback_id: str, texts: np.ndarray) -> int:
    rows = rows_where(store, [f"starts_with(feedback_id, {quote(feedback_id)})"])
    if len(rows) > 1:
        raise SimilarError(f"有 {len(rows)} 条反馈的编号以「{feedback_id}」开头。请多写几位。")
    if not len(rows):
        raise SimilarError(f"库「{store.name}」里没有编号为「{feedback_id}」的反馈。编号在 voc.find 的 feedback_id 一列；要按文字找，直接写那段文字。")
    if texts[rows[0]] < 0:
        raise SimilarError(f"反馈「{feedback_id}」没有写字，或它的文字还没有向量（voc enrich 会补上），没有可比的。")
    return int(texts[rows[0]])


def _encoded(what: str, store: Store, fingerprint: str) -> np.ndarray:
    embedder = get_embedder(settings().embedder, store.name)
    if embedder.fingerprint != fingerprint:
        raise SimilarError(f"库「{store.name}」的向量是另一个模型算的（{fingerprint}），voc.toml 里现在是「{settings().embedder}」。先运行 voc enrich --store {store.name}，或把 embedder 改回去。")
    vector = encode_queries(embedder, [what])[0].astype(np.float32)
    if not vector.any():
        raise SimilarError(f"「{what}」里没有这个向量模型认得的字，找不出相似的。请写一句完整的话，或一个反馈编号。")
    return vector
