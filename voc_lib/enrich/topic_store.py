"""The topics of a store: fitted once a month, frozen for every week between, all of it in the lake beside the ledger."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich import ledger
from voc_lib.enrich.batches import each_batch
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.embedders import CLEANING, get_embedder
from voc_lib.enrich.embedding import embed_parts, stored_vectors
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.enrich.told import ToldOtherwise, told_otherwise
from voc_lib.enrich.topic_changes import grown
from voc_lib.enrich.topic_words import carried, name_of
from voc_lib.enrich.topics import SeededConsensus, TopicModel, read_model
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import Store, open_store
from voc_lib.store_write import Writer, write_store

MOST_TEXTS = 20_000  # of a fit: half a minute, and more moves no topic
MOST_NEW = 10_000  # said since the last fit and asked what split or merged, beside those fitted: it shows in few texts. Fitting them too would move topics (87 % kept, not 94)
TOPICS = 50  # of a first fit; fewer where texts are few
TEXTS_A_TOPIC = 40  # at least, on average
FEWEST_TEXTS = 200
BACK_WEEKS = 56  # placed again under a new version: what early warning looks back on
STALE_WEEKS = 5  # since the last text of the fit: more than a month
ASSIGN_ROWS = 50_000  # feedback placed per commit: some 400 MB of vectors
SHORTEST = 4  # characters; 好 and 不错 are about nothing
NOT_CUSTOMERS = "coalesce(author_kind, 'unknown') NOT IN ('official', 'staff', 'media')"
log = logging.getLogger("voc.topics")


class TopicError(Told, ValueError):
    """Topics cannot be fitted or read as asked."""


@dataclass(frozen=True)
class TopicFit:
    """What a fit did."""

    version: str
    topics: int
    documents: int
    kept_share: float | None
    events: int
    assigned: int
    unmapped_share: float


def model_in_force(store: Store | Writer) -> dict | None:
    """The row of `topic_models` with the greatest number at this snapshot; None before the first fit."""
    rows = store.sql("SELECT * FROM topic_models ORDER BY number DESC LIMIT 1")
    return rows.row(0, named=True) if rows.height else None


def events_of(store: Store | Writer) -> pl.DataFrame:
    """The ledger in order."""
    return store.sql("SELECT * FROM topic_events ORDER BY event")


def fit_topics(store: str, topics: int | None = None, seed: int = 0, until: str | None = None, who: str = ledger.MACHINE, why: str = "按月重新拟合") -> TopicFit:
    """Fit (or fit again) on at most `MOST_TEXTS` different texts of the last `BACK_WEEKS` weeks, and place those weeks under it.

    `until` leaves out what was said after that week: to begin a ledger in the past and let it go on from there.

    Where there is a model on the same vectors, its topics go on from where they were; with other vectors (another embedder) topics are found
    anew and matched to the ledger by the texts they share. TopicError with fewer than `FEWEST_TEXTS` texts.
    """
    embedder = get_embedder(settings().topics, store)
    embed_parts(store, embedder)
    opened = open_store(store)
    domain = load_domain(settings().domains, opened.about["domain"])
    last = model_in_force(opened)
    drawn = _sample(opened, until, last["until"] if last else None)
    texts, more = drawn.filter("is_fitted"), drawn.filter(~pl.col("is_fitted"))
    if texts.height < FEWEST_TEXTS:
        raise TopicError(f"主题要从至少 {FEWEST_TEXTS} 条不同的文字里找，库「{store}」最近 {BACK_WEEKS} 周只有 {texts.height} 条。请先多导入一些，并运行 voc enrich。")
    vectors = stored_vectors(opened, embedder, texts["text_hash"])
    systems = tuple(sorted({code.system for code in domain.taxonomy}))
    seeds = np.array([systems.index(system) if system in systems else -1 for system in texts["system"]])
    before = read_model(last["state"]) if last else None
    goes_on = last is not None and last["vectors"] == embedder.fingerprint
    count = topics or (len(before.ids) if before else min(TOPICS, max(2, texts.height // TEXTS_A_TOPIC)))
    cluster = SeededConsensus(systems, count, seed, before if goes_on else None)
    words = carried(texts["text"].to_list(), vectors, seeds, cluster, domain)
    known = opened.sql("SELECT DISTINCT topic_id FROM topics")["topic_id"].to_list() + events_of(opened)["topic_id"].drop_nulls().to_list()
    told = _previous_topics(opened, last, texts)
    if goes_on:
        changed = told_otherwise(_said(opened, until), last["until"])
        model, events = _grown(cluster, vectors, stored_vectors(opened, embedder, more["text_hash"]), texts, more, last["until"], known, changed)
    else:
        model, events = _matched(cluster, told, known)
    placed = model.place(vectors)
    if len(model.ids) != len(cluster.model.ids) or not (placed.topic == cluster.labels_).all():  # words of the topics as they now are
        words = carried(texts["text"].to_list(), vectors, placed.topic, _Given(placed.topic), domain)
    now, number = datetime.now(UTC), (last["number"] if last else 0) + 1
    version = f"topics-{number}-{model.fingerprint}"
    ids = np.array([*model.ids, None], dtype=object)[placed.topic]
    kept = float(np.mean([had == has for had, has in zip(told, ids, strict=True) if had is not None])) if last and any(name is not None for name in told) else None
    rows = _topic_rows(model, placed.topic, words).with_columns(pl.lit(version).alias("version"))
    with write_store(store, "topics: fit") as writer:
        if (model_in_force(writer) or {}).get("version") != (last or {}).get("version"):
            raise TopicError(f"库「{store}」的主题在这次拟合期间被另一个命令换了版本。请重新运行 voc topics fit。")
        writer.append("topic_models", pl.DataFrame([{
            "version": version, "number": number, "previous": last["version"] if goes_on else None, "fitted_at": now, "vectors": embedder.fingerprint, "embedder": settings().topics,
            "documents": texts.height, "topics": len(model.ids), "seed": seed, "until": until or texts["iso_week"].max(), "kept_share": kept, "state": model.to_bytes()}]))
        writer.append("topics", rows)
        said = ledger.event("refit", why=f"{why}：{texts.height:,} 条文字，{len(model.ids)} 个主题" + (f"，{kept:.1%} 的文字主题不变" if kept is not None else ""))
        append_events(writer, [said, *events], who, version, now)
    assigned = assign_topics(store)
    unmapped = float(1 - placed.is_mapped.mean())
    return TopicFit(version, len(model.ids), texts.height, kept, len(events), assigned, unmapped)


class _Given:
    """A clustering that is already there, in the form BERTopic takes."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels_ = labels

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> _Given:
        return self


def _grown(cluster: SeededConsensus, vectors: np.ndarray, beside: np.ndarray, texts: pl.DataFrame, more: pl.DataFrame, last: str, known: list[str],
           changed: list[ToldOtherwise]) -> tuple[TopicModel, list[dict]]:
    """The model whose topics went on, split, merged and ended, asked of the texts it was fitted on and of what else is new; and what happened."""
    labels = np.append(cluster.labels_, cluster.model.place(beside).topic if more.height else np.empty(0, dtype=int))
    spoken = labels >= 0
    both = pl.concat([texts, more]).filter(spoken)
    is_new = (both["iso_week"] > last).to_numpy()
    return grown(cluster.model, np.vstack([vectors, beside.reshape(-1, vectors.shape[1])])[spoken], labels[spoken], is_new, known, both["codes"].to_list(), changed)


def _matched(cluster: SeededConsensus, told: list[str | None], known: list[str]) -> tuple[TopicModel, list[dict]]:
    """The fitted model with ids of the ledger, by the texts that topics share, and what happened."""
    ids, events = ledger.match(np.array(told, dtype=object), cluster.labels_, known)
    return replace(cluster.model, ids=tuple(ids[at] for at in range(len(cluster.model.ids)))), events


def append_events(writer: Writer, events: list[dict], who: str, version: str, at: datetime | None = None) -> int:
    """Number the events and add them to the ledger; gives the first number."""
    start = int(writer.sql("SELECT coalesce(max(event), 0) AS n FROM topic_events")["n"].item()) + 1
    at = at or datetime.now(UTC)
    writer.append("topic_events", pl.DataFrame([event | {"event": start + step, "at": at, "who": who, "version": version} for step, event in enumerate(events)], infer_schema_length=None))
    return start


def assign_topics(store: str) -> int:
    """Place the feedback of the last `BACK_WEEKS` weeks that has no topic under the model in force yet; returns how much. Nothing without a model."""
    opened = open_store(store)
    last = model_in_force(opened)
    if last is None:
        return 0
    missing = (
        f"SELECT feedback_id, iso_week, text_hash FROM feedback_rows JOIN texts USING (feedback_id) WHERE cleaning = {quote(CLEANING)} AND text_hash IS NOT NULL "
        f"AND iso_week >= {quote(back_until(opened))} AND iso_week <> 'undated' AND feedback_id NOT IN "
        f"(SELECT feedback_id FROM topic_assignments WHERE version = {quote(last['version'])}) ORDER BY iso_week, feedback_id LIMIT {ASSIGN_ROWS}"
    )
    if opened.sql(f"SELECT 1 FROM ({missing}) LIMIT 1").is_empty():
        return 0
    model, embedder = read_model(last["state"]), get_embedder(last["embedder"], store)
    if embedder.fingerprint != last["vectors"]:
        raise TopicError(f"主题模型 {last['version']} 用的向量是 {last['vectors']}，现在的是 {embedder.fingerprint}：请重新拟合 voc topics fit。")
    embed_parts(store, embedder)

    def place(writer: Writer, rows: pl.DataFrame) -> None:
        hashes = rows["text_hash"].unique().sort()
        placed = model.place(stored_vectors(writer, embedder, hashes))
        found = pl.DataFrame({"text_hash": hashes, "topic_id": pl.Series(model.topic_ids(placed), dtype=pl.String),
                              "similarity": placed.similarity.astype(float).round(4), "is_mapped": placed.is_mapped})
        writer.append("topic_assignments", rows.join(found, on="text_hash", maintain_order="left").drop("text_hash").with_columns(
            pl.lit(last["version"]).alias("version"), pl.lit(datetime.now(UTC)).alias("assigned_at")))

    return each_batch(store, "topics", missing, place, "已归主题 %d 条")


def refit_note(store: Store) -> str:
    """A sentence where the model in force has not seen the last `STALE_WEEKS` weeks or more; empty otherwise."""
    last, newest = model_in_force(store), store.sql("SELECT max(iso_week) AS week FROM feedback_rows WHERE iso_week <> 'undated'")["week"].item()
    gone = (_monday(newest) - _monday(last["until"])).days // 7 if last and newest else 0
    return f"主题模型只看过截至 {last['until']} 的文字，已过 {gone} 周。按月重新拟合：voc topics fit --store {store.name}" if gone >= STALE_WEEKS else ""


def _monday(week: str) -> date:
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def back_until(store: Store) -> str:
    """The first of the weeks that a version serves."""
    last = store.sql("SELECT max(iso_week) AS week FROM feedback_rows WHERE iso_week <> 'undated'")["week"].item() or "2000-W01"
    first = _monday(last) - timedelta(weeks=BACK_WEEKS - 1)
    return "{}-W{:02d}".format(*first.isocalendar()[:2])


def _sample(store: Store, until: str | None, last: str | None = None) -> pl.DataFrame:
    """`text_hash, text, iso_week (first said), system (of the main code), codes, is_fitted` of different texts, drawn by the hash: the order of rows decides nothing.

    Of those first said after the week `last` there are up to `MOST_NEW`, whether they belong to the `MOST_TEXTS` to fit on or not.
    """
    is_new = f"iso_week > {quote(last or '9999')}"
    return store.sql(
        f"WITH told AS ({_texts(store, until)}), drawn AS (SELECT *, row_number() OVER (ORDER BY sha256(text_hash)) <= {MOST_TEXTS} AS is_fitted, "
        f"row_number() OVER (PARTITION BY {is_new} ORDER BY sha256(text_hash)) AS lot FROM told) "
        f"SELECT text_hash, text, iso_week, system, codes, is_fitted FROM drawn WHERE is_fitted OR ({is_new} AND lot <= {MOST_NEW})"
    ).sort("text_hash")


def _texts(store: Store, until: str | None) -> str:
    """SQL for every different text of customers in the last `BACK_WEEKS` weeks: text_hash, text, iso_week, system, codes."""
    return (
        f"SELECT text_hash, min(verbatim) AS text, min(f.iso_week) AS iso_week, min(split_part(code, '-', 1)) FILTER (is_primary) AS system, "
        f"coalesce(list(DISTINCT code) FILTER (code IS NOT NULL), []) AS codes FROM feedback_rows f JOIN texts USING (feedback_id) "
        f"LEFT JOIN (SELECT feedback_id, code, is_primary FROM mentions WHERE {codes_in_force(store)} AND code <> '{UNMAPPED}') m USING (feedback_id) "
        f"WHERE cleaning = {quote(CLEANING)} AND text_hash IS NOT NULL AND length(verbatim) >= {SHORTEST} "
        f"AND f.iso_week >= {quote(back_until(store))} AND f.iso_week <= {quote(until or '9999')} AND f.iso_week <> 'undated' AND {NOT_CUSTOMERS} GROUP BY text_hash"
    )


def _said(store: Store, until: str | None) -> pl.DataFrame:
    """Every different text with codes, a row per code: text_hash, iso_week (first said), code."""
    return store.sql(f"SELECT text_hash, iso_week, unnest(codes) AS code FROM ({_texts(store, until)})")


def _previous_topics(store: Store, last: dict | None, texts: pl.DataFrame) -> list[str | None]:
    """The topic each text has under the model in force so far; None where it has none."""
    if last is None:
        return [None] * texts.height
    held = store.sql(f"SELECT text_hash, min(topic_id) AS topic_id FROM topic_assignments JOIN texts USING (feedback_id) WHERE cleaning = {quote(CLEANING)} "
                     f"AND version = {quote(last['version'])} GROUP BY text_hash")
    return texts.join(held, on="text_hash", how="left", maintain_order="left")["topic_id"].to_list()


def _topic_rows(model: TopicModel, labels: np.ndarray, words_of: dict[int, list[str]]) -> pl.DataFrame:
    sizes = np.bincount(labels[labels >= 0], minlength=len(model.ids))
    place = _map(model.places)
    rows = []
    for at, topic in enumerate(model.ids):
        words = words_of.get(at, [])
        rows.append({"topic_id": topic, "name": name_of(words) or "（没有文字）", "words": "、".join(words), "system": model.systems[model.system_of[at]] if model.system_of[at] >= 0 else None,
                     "documents": int(sizes[at]), "x": float(place[at, 0]), "y": float(place[at, 1])})
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"system": pl.String})


def _map(places: np.ndarray) -> np.ndarray:
    """[topics, 2]: neighbours stay neighbours (t-SNE, van der Maaten & Hinton 2008, JMLR 9:2579-2605), to four decimals."""
    from sklearn.manifold import TSNE

    if len(places) < 4:
        return np.column_stack([np.arange(len(places)), np.zeros(len(places))])
    return TSNE(init="pca", perplexity=min(10, (len(places) - 1) / 3), random_state=0).fit_transform(places.astype(np.float64)).round(4)
