"""Two steps of enrich: what repeats what, and how the author feels about each mention."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from voc_lib.enrich.batches import SPOKEN, each_batch
from voc_lib.enrich.duplicates import METHOD, find_duplicates
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.opinions import OpinionModel, judge, opinion_version
from voc_lib.store_write import Writer

REPEAT_ROWS = 100_000  # feedback compared per commit
LEADERS = 50_000  # said or repeated last before it, that a batch is held against: a copy follows soon, and a week must not read the whole store
JUDGE_ROWS = 20_000  # feedback judged per commit, week by week, so that a commit touches few partitions


def find_repeats(store: str) -> int:
    """Look at every feedback not looked at yet, in the order of time; returns at how many."""
    missing = (
        f"SELECT feedback_id, iso_week, verbatim AS text FROM feedback_rows WHERE feedback_id NOT IN "
        f"(SELECT feedback_id FROM duplicates WHERE method = '{METHOD}') ORDER BY occurred_at NULLS LAST, feedback_id LIMIT {REPEAT_ROWS}"
    )
    # A wording that goes on for months keeps its leader, however long ago that was said: the group counts on.
    leaders = (
        f"WITH looked AS (SELECT feedback_id, duplicate_of, coalesce(occurred_at, 'infinity') AS said FROM duplicates JOIN feedback_rows USING (feedback_id) "
        f"WHERE method = '{METHOD}'), latest AS (SELECT coalesce(duplicate_of, feedback_id) AS feedback_id, max(said) AS said FROM looked GROUP BY 1 "
        f"ORDER BY said DESC, feedback_id DESC LIMIT {LEADERS}) "
        f"SELECT feedback_id, verbatim AS text FROM latest JOIN feedback_rows USING (feedback_id) ORDER BY occurred_at NULLS LAST, feedback_id"
    )

    def look(writer: Writer, rows: pl.DataFrame) -> None:
        found = find_duplicates(rows.select("feedback_id", "text"), writer.sql(leaders))
        writer.append("duplicates", found.join(rows.select("feedback_id", "iso_week"), on="feedback_id", maintain_order="left").with_columns(
            pl.lit(METHOD).alias("method"), pl.lit(datetime.now(UTC)).alias("found_at")))

    return each_batch(store, "duplicates", missing, look, "已查重 %d 条")


def judge_mentions(store: str, coder: str, model: OpinionModel) -> int:
    """Opinions of every feedback that this model has not judged for this coder yet; returns of how many."""
    return _judge(store, coder, model, "true")


def judge_labelled(store: str, coder: str | None, model: OpinionModel) -> int:
    """Opinions of the mentions that a coder learnt from labels found (and of those texts as a whole, which tells what has been judged)."""
    coded = f"feedback_id IN (SELECT feedback_id FROM mentions WHERE model_version = '{coder}' AND code <> '{UNMAPPED}')"
    return _judge(store, coder, model, coded) if coder else 0


def _judge(store: str, coder: str, model: OpinionModel, which: str) -> int:
    version = opinion_version(model)
    missing = (
        f"SELECT feedback_id, iso_week, {SPOKEN} AS text FROM feedback_rows WHERE {which} AND feedback_id NOT IN (SELECT feedback_id FROM opinions "
        f"WHERE coder = '{coder}' AND opinion_model = '{version}') ORDER BY iso_week, feedback_id LIMIT {JUDGE_ROWS}"
    )

    def look(writer: Writer, rows: pl.DataFrame) -> None:
        weeks = ", ".join(f"'{week}'" for week in rows["iso_week"].unique().sort())
        mentions = writer.sql(
            f"SELECT feedback_id, code, span_start, span_end FROM mentions WHERE model_version = '{coder}' AND iso_week IN ({weeks})"
        ).join(rows.select("feedback_id"), on="feedback_id", how="semi")
        found = judge(rows.select("feedback_id", "text"), mentions, model)
        writer.append("opinions", found.join(rows.select("feedback_id", "iso_week"), on="feedback_id", maintain_order="left").with_columns(
            pl.lit(coder).alias("coder"), pl.lit(version).alias("opinion_model"), pl.lit(datetime.now(UTC)).alias("judged_at")))

    return each_batch(store, "opinions", missing, look, "已判断观点 %d 条")
