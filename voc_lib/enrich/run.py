"""Enrich a store: code what the coder in force has not seen, find repeats, judge opinions, embed texts without a vector. All resume."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.enrich.batches import SPOKEN, each_batch
from voc_lib.enrich.coding import UNMAPPED, code_keywords, coder_version
from voc_lib.enrich.domain import Domain, load_domain
from voc_lib.enrich.embedders import CLEANING, Embedder, decode_vectors, embed_missing, get_embedder, text_hash, text_hashes, vector_rows
from voc_lib.enrich.judging import find_repeats, judge_mentions
from voc_lib.enrich.opinions import get_opinion_model, opinion_version
from voc_lib.settings import settings
from voc_lib.store import Store, open_store
from voc_lib.store_write import Writer, write_store

CODE_ROWS = 50_000  # feedback coded per commit: 1 GB of memory; taken week by week, so that a commit touches few partitions
EMBED_TEXTS = 20_000  # texts embedded per commit: what a crash may cost, about a minute
log = logging.getLogger("voc.enrich")


@dataclass
class EnrichCount:
    """What one run of enrich did: feedback coded, share with at least one code, texts embedded and already there, feedback judged."""

    feedback: int
    feedback_coded: int
    coded_share: float | None
    texts: int
    texts_embedded: int
    coder: str
    embedder: str
    repeats_looked_at: int = 0
    opinions_judged: int = 0
    opinion_model: str = ""

    def as_dict(self) -> dict:
        return asdict(self)


def enrich(store: str) -> EnrichCount:
    """Code, judge and embed whatever is missing; running it again does nothing and says so."""
    domain = load_domain(settings().domains, open_store(store).about["domain"])
    version = coder_version(domain)
    coded = _code(store, domain, version)
    repeats = find_repeats(store)
    opinions = get_opinion_model(settings().opinions, store)
    judged = judge_mentions(store, version, opinions)
    _hash(store)
    embedder = get_embedder(settings().embedder, store)
    embedded = _embed(store, embedder)
    in_force = {"fingerprint": embedder.fingerprint, "opinion_model": opinion_version(opinions)}
    if open_store(store).about | in_force != open_store(store).about:
        with write_store(store, "enrich: models") as writer:
            writer.remember(**in_force)  # which vectors and opinions readers take, without loading a model
    after = open_store(store)
    hit = after.sql(f"SELECT count(DISTINCT feedback_id) AS n FROM mentions WHERE model_version = '{version}' AND code <> '{UNMAPPED}'")
    total = after.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    texts = after.sql(f"SELECT count(DISTINCT text_hash) AS n FROM texts WHERE cleaning = '{CLEANING}'")["n"].item()
    return EnrichCount(total, coded, hit["n"].item() / total if total else None, texts, embedded, version, embedder.fingerprint,
                       repeats, judged, in_force["opinion_model"])


def _code(store: str, domain: Domain, version: str) -> int:
    missing = (
        f"SELECT feedback_id, channel, iso_week, {SPOKEN} AS text FROM feedback_rows "
        f"WHERE feedback_id NOT IN (SELECT feedback_id FROM mentions WHERE model_version = '{version}') ORDER BY iso_week, feedback_id LIMIT {CODE_ROWS}"
    )

    def code(writer: Writer, rows: pl.DataFrame) -> None:
        mentions = code_keywords(rows.select("feedback_id", "channel", "text"), domain)
        writer.append("mentions", mentions.join(rows.select("feedback_id", "iso_week"), on="feedback_id", maintain_order="left").with_columns(
            pl.lit(datetime.now(UTC)).alias("coded_at")))

    return each_batch(store, "code", missing, code, "已编码 %d 条")


def _hash(store: str) -> None:
    """Every verbatim's cleaned text by its hash, once per feedback and cleaning version."""
    missing = (
        f"SELECT feedback_id, verbatim FROM feedback_rows WHERE feedback_id NOT IN "
        f"(SELECT feedback_id FROM texts WHERE cleaning = '{CLEANING}') ORDER BY feedback_id LIMIT {CODE_ROWS}"
    )

    def hashed(writer: Writer, rows: pl.DataFrame) -> None:
        hashes = text_hashes(rows["verbatim"])
        nothing = hashes == text_hash(None)
        writer.append("texts", rows.select("feedback_id").with_columns(
            pl.lit(CLEANING).alias("cleaning"), pl.select(pl.when(~nothing).then(hashes)).to_series().alias("text_hash")))

    each_batch(store, "texts", missing, hashed)


def missing_texts(store: Store, fingerprint: str) -> pl.DataFrame:
    """Verbatims that have no vector of this embedder yet, one per cleaned text: text_hash, text (as stored)."""
    return store.sql(
        "SELECT text_hash, min(verbatim) AS text FROM texts JOIN feedback_rows USING (feedback_id) "
        f"WHERE cleaning = '{CLEANING}' AND text_hash IS NOT NULL AND text_hash NOT IN "
        f"(SELECT text_hash FROM vectors WHERE fingerprint = '{fingerprint}') GROUP BY text_hash ORDER BY text_hash"
    )


def _embed(store: str, embedder: Embedder) -> int:
    """Vectors of texts that have none of this embedder; other embedders' vectors stay."""
    parts = getattr(embedder, "parts", ())
    for part in parts:  # stored on their own, so that other weights cost no new encoding
        _embed(store, part)
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


def _combined(store: str, embedder, hashes: pl.Series) -> pl.DataFrame:
    """Vectors of a hybrid from the stored vectors of its parts (rounded to float16, 0.0005 a component)."""
    lake = open_store(store)
    vectors = []
    for part in embedder.parts:
        stored = lake.sql(f"SELECT text_hash, vector FROM vectors WHERE fingerprint = '{part.fingerprint}'")
        found = hashes.to_frame("text_hash").join(stored, on="text_hash", how="left", maintain_order="left")
        vectors.append(decode_vectors(found["vector"], part.dimensions))
    return vector_rows(hashes, embedder.combine(vectors), embedder)


@contextmanager
def _progress(total: int) -> Iterator:
    """A bar of texts on a terminal; nothing in logs, notebooks and scheduled runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("计算向量"), BarColumn(), MofNCompleteColumn(), TextColumn("条文字，还需"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty() or not total) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)
