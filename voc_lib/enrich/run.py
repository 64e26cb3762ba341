"""Enrich a store: code what the coder in force has not seen, find repeats, embed, code by labels, judge opinions. All of it resumes."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.enrich.batches import SPOKEN, each_batch
from voc_lib.enrich.coding import UNMAPPED, code_keywords, coder_version
from voc_lib.enrich.domain import Domain, load_domain
from voc_lib.enrich.embedders import CLEANING, get_embedder, text_hash, text_hashes
from voc_lib.enrich.embedding import embed_texts
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.enrich.judging import find_repeats, judge_labelled, judge_mentions
from voc_lib.enrich.label_coding import code_by_labels, put_in_force
from voc_lib.enrich.opinions import get_opinion_model, opinion_version
from voc_lib.enrich.topic_store import assign_topics, refit_note
from voc_lib.settings import settings
from voc_lib.store import open_store
from voc_lib.store_write import Writer, write_store

CODE_ROWS = 50_000  # feedback coded per commit: 1 GB of memory; taken week by week, so that a commit touches few partitions
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
    embedder_note: str = ""  # what a user should know about the vectors, in a sentence
    topics_assigned: int = 0
    topics_note: str = ""  # that the topic model is old
    labels_looked_at: int = 0
    label_coder: str = ""
    labels_waiting: int = 0
    opinion_note: str = ""  # what labels of mentions did to the opinions judged now, in a sentence

    def as_dict(self) -> dict:
        return asdict(self)


def enrich(store: str, relearn: bool = False) -> EnrichCount:
    """Code, judge and embed whatever is missing; running it again does nothing and says so.

    `relearn` takes every label into account now, however few are new (`voc codes refit`).
    """
    domain = load_domain(settings().domains, open_store(store).about["domain"])
    version = coder_version(domain)
    coded = _code(store, domain, version)
    put_in_force(store, version)
    repeats = find_repeats(store)
    _hash(store)
    embedder = get_embedder(settings().embedder, store)
    embedded = embed_texts(store, embedder)
    labelled = code_by_labels(store, version, embedder.fingerprint, relearn)
    opinions = get_opinion_model(settings().opinions, store)
    judged = judge_mentions(store, version, opinions)
    labelled_judged = judge_labelled(store, labelled.version, opinions)
    in_force = {"fingerprint": embedder.fingerprint, "opinion_model": opinion_version(opinions)}
    if open_store(store).about | in_force != open_store(store).about:
        with write_store(store, "enrich: models") as writer:
            writer.remember(**in_force)  # which vectors and opinions readers take, without loading a model
    assigned = assign_topics(store)
    after = open_store(store)
    hit = after.sql(f"SELECT count(DISTINCT feedback_id) AS n FROM mentions WHERE {codes_in_force(after)} AND code <> '{UNMAPPED}'")
    total = after.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    texts = after.sql(f"SELECT count(DISTINCT text_hash) AS n FROM texts WHERE cleaning = '{CLEANING}'")["n"].item()
    return EnrichCount(total, coded, hit["n"].item() / total if total else None, texts, embedded, version, embedder.fingerprint,
                       repeats, judged, in_force["opinion_model"], getattr(embedder, "note", ""), assigned, refit_note(after),
                       labelled.feedback, labelled.version or "", labelled.waiting,
                       getattr(opinions, "note", "") if judged or labelled_judged else "")


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
