"""The resumable steps of enrich: take what is missing batch by batch, one commit each, until nothing is."""

from __future__ import annotations

import logging
from collections.abc import Callable

import polars as pl

from voc_lib.store_write import Writer, write_store

SEARCHED = ("title", "verbatim", "followup")
SPOKEN = f"concat_ws('。', {', '.join(SEARCHED)})"  # SQL: all that a customer wrote in one feedback
log = logging.getLogger("voc.enrich")


def each_batch(store: str, step: str, missing: str, work: Callable[[Writer, pl.DataFrame], None], said: str = "") -> int:
    """Run the query `missing` and give its rows to `work`, which appends what is no longer missing; returns rows done.

    A crash costs one batch. `said` is logged after each, with the rows done so far for its %d.
    """
    done = 0
    while True:
        with write_store(store, f"enrich: {step}") as writer:
            rows = writer.sql(missing)
            if rows.is_empty():
                return done
            work(writer, rows)
        done += rows.height
        if said:
            log.info(said, done)
