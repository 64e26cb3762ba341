"""Topics of the ledger in a store: which are in force, what each feedback is about, and how much of a change the model made itself."""

from __future__ import annotations

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich import ledger
from voc_lib.enrich.topic_store import TopicError, events_of, model_in_force
from voc_lib.measure.feedback import weeks_before
from voc_lib.store import Store

OUTSIDE = "未归类"
NO_MODEL = "库「{}」还没有主题模型。先运行：voc topics fit --store {}"
LABEL = "{} {}"  # id, name
TOPICS_SCHEMA = {
    "topic_id": pl.String, "name": pl.String, "label": pl.String, "system": pl.String, "words": pl.String, "documents": pl.Int64, "x": pl.Float64,
    "y": pl.Float64, "is_noise": pl.Boolean, "parts": pl.List(pl.String), "version": pl.String,
}  # fmt: skip
CHANGED_SCHEMA = {"topic_id": pl.String, "label": pl.String, "before": pl.Int64, "moved_in": pl.Int64, "moved_out": pl.Int64, "after": pl.Int64, "earlier": pl.Int64}


def topics_in_force(store: Store, version: str | None = None) -> pl.DataFrame:
    """Every topic of the model in force after the ledger's merges and renames: `TOPICS_SCHEMA`, by topic_id.

    `parts` are the model's topics counted as this one. A merged topic stands where its largest part stands. Empty before the first fit.
    """
    model = model_in_force(store)
    if model is None:
        return pl.DataFrame(schema=TOPICS_SCHEMA)
    found = store.sql(f"SELECT * FROM topics WHERE version = {quote(version or model['version'])}")
    standing = ledger.replay(events_of(store))
    joined = found.join(standing.select("topic_id", "goes_to", "is_noise"), on="topic_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("goes_to", "topic_id").alias("goes_to"), pl.col("is_noise").fill_null(False))
    own = joined["topic_id"] == joined["goes_to"]
    largest = joined.with_columns(own.alias("own")).sort("goes_to", -pl.col("documents"), "topic_id")
    merged = largest.group_by("goes_to", maintain_order=True).agg(
        pl.col("name").sort_by("own", descending=True, maintain_order=True).first(), pl.col("system", "words", "x", "y", "version", "is_noise").first(),
        pl.col("documents").sum(), pl.col("topic_id").sort().alias("parts"))
    named = merged.rename({"goes_to": "topic_id"}).join(standing.select("topic_id", pl.col("name").alias("given")), on="topic_id", how="left", maintain_order="left")
    labelled = named.with_columns(pl.coalesce("given", "name").alias("name")).with_columns(
        pl.format(LABEL, "topic_id", pl.col("name").str.replace_all("-", "－")).alias("label"))
    return labelled.select(*TOPICS_SCHEMA).cast(TOPICS_SCHEMA).sort("topic_id")


def with_topics(store: Store, feedback: pl.DataFrame, version: str | None = None) -> pl.DataFrame:
    """A feedback frame with `topic_id, topic` (label), `similarity`, `is_mapped`; rows without words have nulls, hand-placed feedback its analyst's topic.

    What lies below its topic's threshold keeps its best topic in `topic_id` and has `is_mapped` false. TopicError before the first fit.
    """
    topics = topics_in_force(store, version)
    if topics.is_empty():
        raise TopicError(NO_MODEL.format(store.name, store.name))
    weeks = ", ".join(map(quote, feedback["iso_week"].unique().sort())) or "''"
    placed = store.sql(f"SELECT feedback_id, topic_id AS part, similarity, is_mapped FROM topic_assignments WHERE version = {quote(version or topics['version'][0])} AND iso_week IN ({weeks})")
    parts = topics.select(pl.col("parts").alias("part"), "topic_id", pl.col("label").alias("topic")).explode("part")
    hand = ledger.moves(events_of(store)).sort("event").unique("feedback_id", keep="last", maintain_order=True).select("feedback_id", hand="topic_id")
    resolved = dict(ledger.replay(events_of(store)).select("topic_id", "goes_to").iter_rows())
    labels = dict(topics.select("topic_id", "label").iter_rows())
    hand = hand.with_columns(pl.Series("hand", [ledger.followed(resolved, topic) for topic in hand["hand"]], dtype=pl.String))
    found = feedback.join(placed, on="feedback_id", how="left", maintain_order="left").join(parts, on="part", how="left", maintain_order="left").join(
        hand, on="feedback_id", how="left", maintain_order="left")
    by_hand = pl.col("hand").is_in(list(labels))
    return found.with_columns(
        pl.when(by_hand).then("hand").otherwise("topic_id").alias("topic_id"),
        pl.when(by_hand).then(pl.col("hand").replace_strict(labels, default=None, return_dtype=pl.String)).otherwise("topic").alias("topic"),
        pl.when(by_hand).then(True).otherwise("is_mapped").alias("is_mapped"),
    ).drop("hand", "part")


def as_codes(feedback: pl.DataFrame, topics: pl.DataFrame) -> pl.DataFrame:
    """The frame of `with_topics` with its topic in the place of `codes`: whatever counts, compares or draws codes does so with topics.

    Feedback below its threshold has none, nor has noise; what has no words at all is null, as what no coder has read.
    """
    noise = topics.filter("is_noise")["topic_id"].to_list()
    counts = pl.col("is_mapped") & ~pl.col("topic_id").is_in(noise)
    named = pl.when(counts).then(pl.concat_list("topic")).otherwise(pl.lit([], pl.List(pl.String)))
    return feedback.with_columns(pl.when(pl.col("topic_id").is_not_null()).then(named).alias("codes"))


def model_changed(store: Store, weeks: list[str]) -> pl.DataFrame:
    """What the last refit alone did to these weeks: `CHANGED_SCHEMA`, feedback per topic under the version before and the one in force.

    `before`, `moved_in`, `moved_out` and `after` count only feedback that both versions placed, so nothing in them is news from customers; `earlier` is what the
    version in force counts in as many weeks before these. Empty where there is one version.
    """
    model = model_in_force(store)
    versions = store.sql("SELECT version FROM topic_models ORDER BY number DESC LIMIT 2")["version"].to_list()
    if model is None or len(versions) < 2:
        return pl.DataFrame(schema=CHANGED_SCHEMA)
    listed = ", ".join(map(quote, weeks)) or "''"
    both = store.sql(
        f"SELECT a.topic_id AS had, b.topic_id AS has, count(*) AS n FROM topic_assignments a JOIN topic_assignments b USING (feedback_id) "
        f"WHERE a.version = {quote(versions[1])} AND b.version = {quote(versions[0])} AND a.iso_week IN ({listed}) AND b.iso_week IN ({listed}) GROUP BY a.topic_id, b.topic_id")
    standing = dict(ledger.replay(events_of(store)).select("topic_id", "goes_to").iter_rows())
    resolve = {topic: ledger.followed(standing, topic) or topic for topic in {*both["had"].drop_nulls(), *both["has"].drop_nulls()}}
    both = both.with_columns(pl.col("had", "has").replace_strict(resolve, default=None, return_dtype=pl.String))
    past = ", ".join(map(quote, weeks_before(min(weeks), len(weeks)))) or "''"
    held = store.sql(f"SELECT topic_id, count(*) AS n FROM topic_assignments WHERE version = {quote(versions[0])} AND iso_week IN ({past}) AND topic_id IS NOT NULL GROUP BY topic_id")
    earlier: dict[str, int] = {}
    for topic, n in held.iter_rows():
        end = ledger.followed(standing, topic) or topic
        earlier[end] = earlier.get(end, 0) + n
    labels = dict(pl.concat([topics_in_force(store, version) for version in versions[::-1]]).select("topic_id", "label").iter_rows())
    rows = []
    for topic in sorted({*both["had"].drop_nulls(), *both["has"].drop_nulls()}):
        had, has = both.filter(pl.col("had") == topic), both.filter(pl.col("has") == topic)
        stayed = int(had.filter(pl.col("has") == topic)["n"].sum())
        before, after = int(had["n"].sum()), int(has["n"].sum())
        rows.append({"topic_id": topic, "label": labels.get(topic, topic), "before": before, "moved_in": after - stayed, "moved_out": before - stayed,
                     "after": after, "earlier": earlier.get(topic, 0)})
    return pl.DataFrame(rows, schema=CHANGED_SCHEMA).sort(-(pl.col("moved_in") + pl.col("moved_out")), "topic_id")


def topic_history(store: Store) -> pl.DataFrame:
    """The ledger, latest first: `at, who, action, topic_id, others, name, why, version`."""
    return events_of(store).sort("event", descending=True).select("event", "at", "who", "action", "topic_id", "others", "name", "why", "version")


def typical_of_topics(feedback: pl.DataFrame, n: int = 2) -> pl.DataFrame:
    """The `n` feedback nearest to the middle of each topic, at most one a person; takes `with_topics`, adds nothing; by topic and nearness."""
    inside = feedback.filter(pl.col("is_mapped").fill_null(False) & pl.col("verbatim").is_not_null())
    ranked = inside.sort("topic_id", -pl.col("similarity"), "feedback_id").unique(["topic_id", "person"], keep="first", maintain_order=True).unique(
        ["topic_id", "verbatim"], keep="first", maintain_order=True)
    return ranked.filter(pl.int_range(pl.len()).over("topic_id") < n)
