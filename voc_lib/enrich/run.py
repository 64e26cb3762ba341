"""Enrich a store: code what the coder in force has not seen, embed texts that have no vector yet. Both resume."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.enrich.coding import UNMAPPED, code_keywords, coder_version
from voc_lib.enrich.domain import Domain, load_domain
from voc_lib.enrich.embedders import embed_missing, get_embedder, text_hash, text_hashes
from voc_lib.enrich.language import CLEANING_VERSION
from voc_lib.settings import settings
from voc_lib.store import Store, open_store
from voc_lib.store_write import write_store

CODE_ROWS = 200_000  # feedback coded per commit
EMBED_TEXTS = 20_000  # texts embedded per commit: what a crash may cost, about a minute
CLEANING = f"clean{CLEANING_VERSION}"
SEARCHED = ("title", "verbatim", "followup")
log = logging.getLogger("voc.enrich")


@dataclass
class EnrichCount:
    """What one run of enrich did: feedback coded, share with at least one code, texts embedded and already there."""

    feedback: int
    feedback_coded: int
    coded_share: float | None
    texts: int
    texts_embedded: int
    coder: str
    embedder: str

    def as_dict(self) -> dict:
        return asdict(self)


def enrich(store: str) -> EnrichCount:
    """Code and embed whatever is missing; running it again does nothing and says so."""
    domain = load_domain(settings().domains, open_store(store).about["domain"])
    version = coder_version(domain)
    coded = _code(store, domain, version)
    embedder = get_embedder(settings().embedder)
    embedded = _embed(store, embedder)
    after = open_store(store)
    hit = after.sql(f"SELECT count(DISTINCT feedback_id) AS n FROM mentions WHERE model_version = '{version}' AND code <> '{UNMAPPED}'")
    total = after.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    texts = after.sql(f"SELECT count(DISTINCT text_hash) AS n FROM texts WHERE cleaning = '{CLEANING}'")["n"].item()
    return EnrichCount(total, coded, hit["n"].item() / total if total else None, texts, embedded, version, embedder.fingerprint)


def _code(store: str, domain: Domain, version: str) -> int:
    done = 0
    while True:
        with write_store(store, "enrich: code") as writer:
            todo = writer.sql(
                f"SELECT feedback_id, channel, iso_week, concat_ws('。', {', '.join(SEARCHED)}) AS text FROM feedback_rows "
                f"WHERE feedback_id NOT IN (SELECT feedback_id FROM mentions WHERE model_version = '{version}') "
                f"ORDER BY feedback_id LIMIT {CODE_ROWS}"
            )
            if todo.is_empty():
                return done
            mentions = code_keywords(todo.select("feedback_id", "channel", "text"), domain)
            weeks = todo.select("feedback_id", "iso_week")
            writer.append("mentions", mentions.join(weeks, on="feedback_id", maintain_order="left").with_columns(
                pl.lit(datetime.now(UTC)).alias("coded_at")))
        done += todo.height
        log.info("已编码 %d 条", done)


def _hash(store: str) -> None:
    """Every verbatim's cleaned text by its hash, once per feedback and cleaning version."""
    while True:
        with write_store(store, "enrich: texts") as writer:
            todo = writer.sql(
                f"SELECT feedback_id, verbatim FROM feedback_rows WHERE feedback_id NOT IN "
                f"(SELECT feedback_id FROM texts WHERE cleaning = '{CLEANING}') ORDER BY feedback_id LIMIT {CODE_ROWS}"
            )
            if todo.is_empty():
                return
            hashes = text_hashes(todo["verbatim"])
            nothing = hashes == text_hash(None)
            writer.append("texts", todo.select("feedback_id").with_columns(
                pl.lit(CLEANING).alias("cleaning"), pl.select(pl.when(~nothing).then(hashes)).to_series().alias("text_hash")))


def missing_texts(store: Store, fingerprint: str) -> pl.DataFrame:
    """Verbatims that have no vector of this embedder yet, one per cleaned text: text_hash, text (as stored)."""
    return store.sql(
        "SELECT text_hash, min(verbatim) AS text FROM texts JOIN feedback_rows USING (feedback_id) "
        f"WHERE cleaning = '{CLEANING}' AND text_hash IS NOT NULL AND text_hash NOT IN "
        f"(SELECT text_hash FROM vectors WHERE fingerprint = '{fingerprint}') GROUP BY text_hash ORDER BY text_hash"
    )


def _embed(store: str, embedder) -> int:
    _hash(store)
    missing = missing_texts(open_store(store), embedder.fingerprint)
    for start in range(0, missing.height, EMBED_TEXTS):
        batches = list(embed_missing(missing[start : start + EMBED_TEXTS], pl.Series([], dtype=pl.String), embedder))
        with write_store(store, "enrich: embed") as writer:
            writer.append_new("vectors", pl.concat(batches))
        log.info("已嵌入 %d / %d 条文本", min(start + EMBED_TEXTS, missing.height), missing.height)
    return missing.height
