"""Do analysts place feedback in the same topics? Kappa of every two over what both placed by hand."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from voc_lib.enrich import ledger
from voc_lib.enrich.topic_store import events_of
from voc_lib.stats.agreement import cohen_kappa
from voc_lib.store import Store

AGREEMENT_SCHEMA = {"first": pl.String, "second": pl.String, "n": pl.Int64, "agree_share": pl.Float64, "kappa": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64}


def topic_agreement(store: Store) -> pl.DataFrame:
    """One row per pair of analysts with feedback both placed (`voc topics move`), merges followed: n, agree_share, Cohen's kappa with its interval."""
    events = events_of(store)
    goes_to = dict(ledger.replay(events).select("topic_id", "goes_to").iter_rows())
    placed = ledger.moves(events).with_columns(pl.col("topic_id").replace_strict(goes_to, default=None, return_dtype=pl.String))
    rows = []
    for first, second in combinations(sorted(placed["who"].unique()), 2):
        both = placed.filter(pl.col("who") == first).join(placed.filter(pl.col("who") == second), on="feedback_id", suffix="_second").drop_nulls().sort("feedback_id")
        if both.height:
            rows.append({"first": first, "second": second, "n": both.height} | cohen_kappa(both["topic_id"].to_list(), both["topic_id_second"].to_list()))
    return pl.DataFrame(rows, schema=AGREEMENT_SCHEMA)
