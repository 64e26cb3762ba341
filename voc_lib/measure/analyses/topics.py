"""What do people talk about? A look around without codes: map, topics, words, kept in the store so that pages only draw.

An exploration is found again by what went into it (texts, vectors, parameters, method), so that the same question
in a later snapshot costs nothing as long as the feedback asked about is the same.
"""

from __future__ import annotations

import logging
from hashlib import sha256

import polars as pl
from deltalake.exceptions import DeltaError

from voc_lib.engine import quote
from voc_lib.enrich.domain import Domain, load_domain
from voc_lib.enrich.embedders import CLEANING, decode_vectors
from voc_lib.enrich.exploration import NOWHERE, POINTS_SCHEMA, explore_texts, method
from voc_lib.settings import settings
from voc_lib.store import Store, StoreError
from voc_lib.store_write import write_store

SHORTEST = 4  # characters; 好 and 不错 are about nothing
MOST_TEXTS = 3_000  # half a minute of fitting
LOCK_SECONDS = 60
log = logging.getLogger("voc.topics")


def explore(
    store: Store, feedback: pl.DataFrame, documents: int = MOST_TEXTS, smallest: int = 10, seed: int = 1
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Topics of a feedback frame: (points, topics). Fitted once, afterwards read from the store.

    Of the different texts of four characters or more that have a vector, at most `documents` are drawn by lot; `smallest` is
    the least number of texts in a topic. Points: the frame's rows with such a text, with `text_hash, x, y, topic` (-1 in
    none) and `probability` (0-1), by feedback_id. Topics: `exploration, node, parent, distance, documents, words`, see
    table `exploration_topics`. Both are empty with fewer than 50 texts. ValueError for a parameter out of range.
    """
    if documents < 1 or smallest < 2:
        raise ValueError(f"documents 应不小于 1，smallest 应不小于 2；现在是 {documents} 和 {smallest}。")
    embedder = vectors_in_force(store)
    chosen = _chosen(store, feedback, embedder, documents, seed)
    domain = load_domain(settings().domains, store.about["domain"])
    asked = (chosen.select("feedback_id", "text_hash").rows(), embedder, smallest, seed, method(domain))
    name = sha256(repr(asked).encode()).hexdigest()[:16]
    stored = store.sql(f"SELECT * FROM explorations WHERE exploration = {quote(name)}")
    if stored.is_empty():
        points, topics = _fit(store, chosen, embedder, domain, smallest, seed)
        _keep(store, name, points, topics)
    else:
        topics = store.sql(f"SELECT * FROM exploration_topics WHERE exploration = {quote(name)}")
        points = chosen.join(stored.select("feedback_id", *POINTS_SCHEMA).unique("feedback_id"), on="feedback_id", maintain_order="left")
    columns = ["exploration", "node", "parent", "distance", "documents", "words"]
    return points, topics.with_columns(pl.lit(name).alias("exploration")).unique("node").sort("node").select(columns)


def vectors_in_force(store: Store) -> str:
    """The fingerprint of the vectors that readers take: those of the last `enrich`, else, in a snapshot that has none of
    them, the fingerprint with most vectors ("" without any)."""
    held = store.sql("SELECT fingerprint, count(*) AS n FROM vectors GROUP BY fingerprint ORDER BY n DESC, fingerprint")["fingerprint"].to_list()
    last = store.about.get("fingerprint")
    return last if last in held else (held or [""])[0]


def _chosen(store: Store, feedback: pl.DataFrame, embedder: str, documents: int, seed: int) -> pl.DataFrame:
    """Rows whose text was drawn, with `text_hash`, by feedback_id."""
    texts = store.sql(
        f"SELECT feedback_id, min(text_hash) AS text_hash FROM texts WHERE cleaning = {quote(CLEANING)} AND text_hash IN "
        f"(SELECT text_hash FROM vectors WHERE fingerprint = {quote(embedder)}) GROUP BY feedback_id"
    )
    spoken = feedback.filter(pl.col("verbatim").str.len_chars() >= SHORTEST).join(texts, on="feedback_id")
    different = sorted(set(spoken["text_hash"]), key=lambda text: sha256(f"{seed}:{text}".encode()).digest())[:documents]
    return spoken.filter(pl.col("text_hash").is_in(different)).sort("feedback_id")


def _fit(store: Store, chosen: pl.DataFrame, embedder: str, domain: Domain, smallest: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    texts = chosen.unique("text_hash", keep="first", maintain_order=True).sort("text_hash").select("text_hash", "verbatim")
    listed = ", ".join(map(quote, texts["text_hash"])) or "''"
    stored = store.sql(f"SELECT text_hash, dimensions, min(vector) AS vector FROM vectors WHERE fingerprint = {quote(embedder)} "
                       f"AND text_hash IN ({listed}) GROUP BY text_hash, dimensions ORDER BY text_hash")
    vectors = decode_vectors(stored["vector"], stored["dimensions"][0] if stored.height else 1)
    points, topics = explore_texts(texts["verbatim"].to_list(), vectors, domain, smallest, seed)
    placed = pl.concat([texts.select("text_hash").head(points.height), points], how="horizontal")
    return chosen.join(placed, on="text_hash", maintain_order="left"), topics


def _keep(store: Store, name: str, points: pl.DataFrame, topics: pl.DataFrame) -> None:
    """Store it for the next drawing; a lake that cannot be written to does not keep the page from being made."""
    try:
        with write_store(store.name, "explore", timeout=LOCK_SECONDS) as writer:
            if writer.sql(f"SELECT 1 FROM explorations WHERE exploration = {quote(name)} LIMIT 1").is_empty():
                named = pl.lit(name).alias("exploration")
                writer.append("exploration_topics", topics.with_columns(named))
                writer.append("explorations", points.select("feedback_id", *POINTS_SCHEMA).with_columns(named))
    except (OSError, DeltaError, StoreError) as error:
        log.warning("这次探索没有存下，下次要重新计算：%s", error)


def typical(points: pl.DataFrame, n: int = 2) -> pl.DataFrame:
    """The `n` feedback that stand for each topic: the surest, then the nearest to its middle on the map.

    One per person and per text; takes and returns the points of `explore`, by topic.
    """
    inside = points.filter(pl.col("topic") != NOWHERE)
    off = sum((pl.col(axis) - pl.col(axis).median().over("topic")) ** 2 for axis in ("x", "y"))
    ranked = inside.with_columns(off.alias("off")).sort("topic", -pl.col("probability").round(2), "off", "feedback_id")
    ranked = ranked.unique(["topic", "text_hash"], keep="first", maintain_order=True).unique(["topic", "person"], keep="first", maintain_order=True)
    return ranked.filter(pl.int_range(pl.len()).over("topic") < n).drop("off")
