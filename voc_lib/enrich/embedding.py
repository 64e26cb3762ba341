"""Vectors of a store's texts: those that are missing are computed once, those that are stored are read."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.embedders import CLEANING, Embedder, EmbedderError, decode_vectors, embed_missing, vector_rows
from voc_lib.store import Store, open_store
from voc_lib.store_write import Writer, write_store

EMBED_TEXTS = 20_000  # texts embedded per commit: what a crash may cost, about a minute
log = logging.getLogger("voc.enrich")


def missing_texts(store: Store, fingerprint: str) -> pl.DataFrame:
    """Verbatims that have no vector of this embedder yet, one per cleaned text: text_hash, text (as stored)."""
    return store.sql(
        "SELECT text_hash, min(verbatim) AS text FROM texts JOIN feedback_rows USING (feedback_id) "
        f"WHERE cleaning = '{CLEANING}' AND text_hash IS NOT NULL AND text_hash NOT IN "
        f"(SELECT text_hash FROM vectors WHERE fingerprint = '{fingerprint}') GROUP BY text_hash ORDER BY text_hash"
    )


def embed_texts(store: str, embedder: Embedder) -> int:
    """Vectors of texts that have none of this embedder; other embedders' vectors stay. Returns how many were missing."""
    parts = getattr(embedder, "parts", ())
    for part in parts:  # stored on their own, so that other weights cost no new encoding
        embed_texts(store, part)
    missing = missing_texts(open_store(store), embedder.fingerprint)
    with _progress(missing.height) as advance:
        for start in range(0, missing.height, EMBED_TEXTS):
            texts = missing[start : start + EMBED_TEXTS]
            batches = [_combined(store, embedder, texts["text_hash"])] if parts else []
            for batch in () if parts else embed_missing(texts, pl.Series([], dtype=pl.String), embedder):
                batches.append(batch)
                advance(batch.height)
            with write_store(store, "enrich: embed") as writer:
                writer.append_new("vectors", pl.concat(batches))
            log.info("已嵌入 %d / %d 条文本", min(start + EMBED_TEXTS, missing.height), missing.height)
    return missing.height


def embed_parts(store: str, embedder: Embedder) -> None:
    """What `stored_vectors` needs: vectors of every part of a hybrid, or of the embedder itself where it has no parts."""
    for part in getattr(embedder, "parts", ()) or (embedder,):
        embed_texts(store, part)


def _combined(store: str, embedder, hashes: pl.Series) -> pl.DataFrame:
    """Vectors of a hybrid from the stored vectors of its parts (rounded to float16, 0.0005 a component)."""
    return vector_rows(hashes, stored_vectors(open_store(store), embedder, hashes), embedder)


def stored_vectors(store: Store | Writer, embedder: Embedder, hashes: pl.Series) -> np.ndarray:
    """float32[n, d] of texts by hash, from stored vectors of the embedder, or of its parts put together. EmbedderError where one is missing."""
    if parts := getattr(embedder, "parts", ()):
        return embedder.combine([stored_vectors(store, part, hashes) for part in parts])
    listed = ", ".join(map(quote, hashes)) or "''"
    held = store.sql(f"SELECT text_hash, min(vector) AS vector FROM vectors WHERE fingerprint = {quote(embedder.fingerprint)} AND text_hash IN ({listed}) GROUP BY text_hash")
    found = hashes.to_frame("text_hash").join(held, on="text_hash", how="left", maintain_order="left")
    if found["vector"].null_count():
        raise EmbedderError(f"有 {found['vector'].null_count()} 条文字还没有向量（{embedder.fingerprint}）。请先运行 voc enrich。")
    return decode_vectors(found["vector"], embedder.dimensions)


@contextmanager
def _progress(total: int) -> Iterator:
    """A bar of texts on a terminal; nothing in logs, notebooks and scheduled runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("计算向量"), BarColumn(), MofNCompleteColumn(), TextColumn("条文字，还需"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty() or not total) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)
