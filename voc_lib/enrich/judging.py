"""Two resumable steps of enrich: what repeats what, and how the author feels about each mention."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import polars as pl

from voc_lib.enrich.duplicates import METHOD, find_duplicates
from voc_lib.enrich.opinions import OpinionModel, judge
from voc_lib.store_write import write_store

REPEAT_ROWS = 200_000  # feedback compared per commit: some 2 GB of grams
JUDGE_ROWS = 20_000  # feedback judged per commit, week by week, so that a commit touches few partitions
SPOKEN = "concat_ws('。', title, verbatim, followup)"
log = logging.getLogger("voc.enrich")


def find_repeats(store: str) -> int:
    """Look at every feedback not looked at yet, in the order of time; returns at how many."""
    done = 0
    while True:
        with write_store(store, "enrich: duplicates") as writer:
            todo = writer.sql(
                f"SELECT feedback_id, verbatim AS text FROM feedback_rows WHERE feedback_id NOT IN "
                f"(SELECT feedback_id FROM duplicates WHERE method = '{METHOD}') ORDER BY occurred_at NULLS LAST, feedback_id LIMIT {REPEAT_ROWS}"
            )
            if todo.is_empty():
                return done
            leaders = writer.sql(
                f"SELECT feedback_id, verbatim AS text FROM duplicates JOIN feedback_rows USING (feedback_id) "
                f"WHERE method = '{METHOD}' AND duplicate_of IS NULL ORDER BY occurred_at NULLS LAST, feedback_id"
            )
            found = find_duplicates(todo, leaders)
            writer.append("duplicates", found.with_columns(pl.lit(METHOD).alias("method"), pl.lit(datetime.now(UTC)).alias("found_at")))
        done += todo.height
        log.info("已查重 %d 条", done)


def judge_mentions(store: str, coder: str, model: OpinionModel) -> int:
    """Opinions of every feedback that this model has not judged for this coder yet; returns of how many."""
    done = 0
    judged = f"SELECT feedback_id FROM opinions WHERE coder = '{coder}' AND opinion_model = '{model.fingerprint}'"
    while True:
        with write_store(store, "enrich: opinions") as writer:
            todo = writer.sql(
                f"SELECT feedback_id, iso_week, {SPOKEN} AS text FROM feedback_rows WHERE feedback_id NOT IN ({judged}) "
                f"ORDER BY iso_week, feedback_id LIMIT {JUDGE_ROWS}"
            )
            if todo.is_empty():
                return done
            weeks = ", ".join(f"'{week}'" for week in todo["iso_week"].unique().sort())
            mentions = writer.sql(
                f"SELECT feedback_id, code, span_start, span_end FROM mentions WHERE model_version = '{coder}' AND iso_week IN ({weeks})"
            ).join(todo.select("feedback_id"), on="feedback_id", how="semi")
            found = judge(todo.select("feedback_id", "text"), mentions, model)
            writer.append("opinions", found.join(todo.select("feedback_id", "iso_week"), on="feedback_id", maintain_order="left").with_columns(
                pl.lit(coder).alias("coder"), pl.lit(model.fingerprint).alias("opinion_model"), pl.lit(datetime.now(UTC)).alias("judged_at")))
        done += todo.height
        log.info("已判断观点 %d 条", done)
