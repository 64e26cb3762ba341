"""Two steps of enrich: what repeats what, and how the author feels about each mention."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from voc_lib.enrich.batches import SPOKEN, each_batch
from voc_lib.enrich.duplicates import METHOD, find_duplicates
from voc_lib.enrich.opinions import OpinionModel, judge, opinion_version
from voc_lib.store_write import Writer

REPEAT_ROWS = 100_000  # feedback compared per commit: with its leaders some 4 GB of grams
LEADERS = 50_000  # said last before it, that a batch is held against: a copy follows soon, and a week must not read the whole store
JUDGE_ROWS = 20_000  # feedback judged per commit, week by week, so that a commit touches few partitions


def find_repeats(store: str) -> int:
    """Look at every feedback not looked at yet, in the order of time; returns at how many."""
    missing = (
        f"SELECT feedback_id, iso_week, verbatim AS text FROM feedback_rows WHERE feedback_id NOT IN "
        f"(SELECT feedback_id FROM duplicates WHERE method = '{METHOD}') ORDER BY occurred_at NULLS LAST, feedback_id LIMIT {REPEAT_ROWS}"
    )
    leaders = (
        f"SELECT feedback_id, text FROM (SELECT feedback_id, verbatim AS text, occurred_at FROM duplicates JOIN feedback_rows USING (feedback_id) "
        f"WHERE method = '{METHOD}' AND duplicate_of IS NULL ORDER BY occurred_at DESC NULLS FIRST, feedback_id DESC LIMIT {LEADERS}) "
        f"ORDER BY occurred_at NULLS LAST, feedback_id"
    )

    def look(writer: Writer, rows: pl.DataFrame) -> None:
        found = find_duplicates(rows.select("feedback_id", "text"), writer.sql(leaders))
        writer.append("duplicates", found.join(rows.select("feedback_id", "iso_week"), on="feedback_id", maintain_order="left").with_columns(
            pl.lit(METHOD).alias("method"), pl.lit(datetime.now(UTC)).alias("found_at")))

    return each_batch(store, "duplicates", missing, look, "已查重 %d 条")


def judge_mentions(store: str, coder: str, model: OpinionModel) -> int:
    """Opinions of every feedback that this model has not judged for this coder yet; returns of how many."""
    version = opinion_version(model)
    missing = (
        f"SELECT feedback_id, iso_week, {SPOKEN} AS text FROM feedback_rows WHERE feedback_id NOT IN (SELECT feedback_id FROM opinions "
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
