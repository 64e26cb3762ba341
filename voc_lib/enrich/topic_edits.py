"""What analysts do to topics: merge, rename, mark as noise, place a feedback, confirm a candidate. Each is a line of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich import ledger
from voc_lib.enrich.embedders import CLEANING, get_embedder
from voc_lib.enrich.embedding import embed_parts, stored_vectors
from voc_lib.enrich.topic_store import TopicError, append_events, assign_topics, events_of, model_in_force
from voc_lib.enrich.topics import read_model
from voc_lib.store import open_store
from voc_lib.store_write import write_store

FEWEST_CONFIRMED = 5  # texts of a topic confirmed by hand: from fewer its middle is chance


def edit_topic(store: str, action: str, topic_id: str, others: Sequence[str] = (), name: str | None = None, *, who: str, why: str) -> int:
    """Write an edit to the ledger and give its number: `merge` (others into topic_id), `rename`, `noise`, `move` (feedback in others).

    Takes effect at once in every reading, and stays through every refit. LedgerError where it cannot be made; nothing is written.
    """
    with write_store(store, f"topics: {action}") as writer:
        model = model_in_force(writer)
        if model is None:
            raise TopicError(f"库「{store}」还没有主题模型。先运行：voc topics fit --store {store}")
        ledger.check_edit(ledger.replay(events_of(writer)), action, topic_id, others, name, who, why)
        if action == "move":
            unknown = [name for name in others if writer.sql(f"SELECT 1 FROM feedback_rows WHERE feedback_id = {quote(name)}").is_empty()]
            if unknown:
                raise ledger.LedgerError(f"库「{store}」里没有反馈「{unknown[0]}」。")
            events = [ledger.event(action, topic_id, [feedback], why=why) for feedback in others]
        else:
            events = [ledger.event(action, topic_id, others, (name or "").strip() or None, why)]
        return append_events(writer, events, who, model["version"])


def confirm_topic(store: str, feedback_ids: Sequence[str], name: str, *, who: str, why: str) -> str:
    """A new topic from the feedback of a candidate: its id is appended to the model in force, and the last weeks are placed again.

    TopicError with fewer than `FEWEST_CONFIRMED` different texts. Nothing of the other topics changes but what the new one takes.
    """
    opened = open_store(store)
    last = model_in_force(opened)
    if last is None:
        raise TopicError(f"库「{store}」还没有主题模型。先运行：voc topics fit --store {store}")
    if not (name.strip() and who.strip() and why.strip()):
        raise ledger.LedgerError("确认一个新主题要写明名字（--name）、是谁（--who）和原因（--why）。")
    listed = ", ".join(map(quote, feedback_ids)) or "''"
    hashes = opened.sql(f"SELECT DISTINCT text_hash FROM texts WHERE cleaning = {quote(CLEANING)} AND text_hash IS NOT NULL AND feedback_id IN ({listed}) ORDER BY text_hash")["text_hash"]
    if len(hashes) < FEWEST_CONFIRMED:
        raise TopicError(f"一个新主题至少要 {FEWEST_CONFIRMED} 条不同的文字，这里有 {len(hashes)} 条。")
    embedder = get_embedder(last["embedder"], store)
    embed_parts(store, embedder)
    vectors = stored_vectors(open_store(store), embedder, hashes)
    events = events_of(opened)
    known = [*opened.sql("SELECT DISTINCT topic_id FROM topics")["topic_id"], *events["topic_id"].drop_nulls(), *" ".join(events["others"].drop_nulls()).split()]
    (topic_id,) = ledger.new_ids(known, 1)
    model = read_model(last["state"]).added(topic_id, vectors)
    number = last["number"] + 1
    version = f"topics-{number}-{model.fingerprint}"
    with write_store(store, "topics: confirm") as writer:
        now = datetime.now(UTC)
        writer.append("topic_models", pl.DataFrame([last | {
            "version": version, "number": number, "previous": last["version"], "fitted_at": now, "topics": len(model.ids), "kept_share": None, "state": model.to_bytes()}]))
        rows = writer.sql(f"SELECT * FROM topics WHERE version = {quote(last['version'])}")
        at = model.places[-1] @ model.places[:-1].T
        near = rows.filter(pl.col("topic_id") == model.ids[int(at.argmax())])
        place = near.row(0, named=True) if near.height else {"x": 0.0, "y": 0.0}
        added = pl.DataFrame([{"topic_id": topic_id, "name": name.strip(), "words": name.strip(), "documents": len(hashes), "x": place["x"], "y": place["y"]}])
        writer.append("topics", pl.concat([rows, added], how="diagonal").with_columns(pl.lit(version).alias("version")))
        append_events(writer, [ledger.event("confirm", topic_id, name=name.strip(), why=why)], who, version, now)
    assign_topics(store)
    return topic_id
