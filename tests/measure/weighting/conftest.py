"""A store of customers most of whom are silent: who visits more, and is less content, answers more."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from voc_lib.store import open_store
from voc_lib.store_write import write_store

START, END, WEEK = date(2026, 8, 17), date(2026, 11, 15), "2026-W46"
AT = datetime(2026, 11, 16, tzinfo=UTC)


def plant_silence(customers=3000, seed=4, hidden=0.0, name="s", visiting=0.45):
    """Customers in regions and bands of visits; of those who came, some answer the dealer's survey: more of them the more they visit (`visiting`), and, by `hidden`, the less content they are.

    Returns the store and, of all who came, what they would have answered (0-10).
    """
    lots = np.random.default_rng(seed)
    ids = [f"c{at:05d}" for at in range(customers)]
    region, visits = lots.choice(["华东", "华南", "西南"], customers, p=[0.5, 0.3, 0.2]), lots.integers(0, 7, customers)
    app, came = lots.integers(0, 30, customers), lots.random(customers) < 0.8
    score = np.clip(np.round(8.5 - 0.5 * visits + (region == "华南") + 0.03 * app + lots.normal(0, 1.5, customers)), 0, 10)
    odds = np.exp(-3.0 + visiting * visits + hidden * (score <= 6))
    spoke = came & (lots.random(customers) < odds / (1 + odds))
    frame = pl.DataFrame({"customer_id": ids, "region": region, "product": "A7", "visits": visits.astype(float), "app_days": app.astype(float), "age": 40.0, "spend": 2000.0, "usage": 1000.0,
                          "valid_from": date(2026, 7, 1), "purchased_at": date(2024, 1, 1), "churned_at": [date(2026, 7, 15) if at % 50 == 0 else None for at in range(customers)]})
    met = pl.DataFrame({"touchpoint_id": [f"t{one}" for one in ids], "customer_id": ids, "kind": ["进店" if there else "购车" for there in came], "occurred_on": date(2026, 9, 7)})
    again = pl.DataFrame({"touchpoint_id": [f"r{one}" for one in ids[::9]], "customer_id": ids[::9], "kind": "复购", "occurred_on": date(2026, 10, 5)})
    who = np.flatnonzero(spoke)
    said = pl.DataFrame({"feedback_id": [f"f{at}" for at in who], "source_id": [f"f{at}" for at in who], "channel": "dealer_survey", "iso_week": "2026-W40", "local_date": date(2026, 9, 30), "verbatim": "还行",
                         "author_key": [f"a{at}" for at in who], "nps": score[who], "csat": np.clip(np.round(score[who] / 2), 1, 5), "solicited": True})
    said = pl.concat([said, said.head(40).with_columns(pl.format("{}_again", "feedback_id").alias("feedback_id"), pl.format("{}_again", "source_id").alias("source_id"), nps=pl.col("nps"))])
    unknown = said.head(25).with_columns(pl.format("u{}", "feedback_id").alias("feedback_id"), pl.format("u{}", "source_id").alias("source_id"), pl.format("u{}", "author_key").alias("author_key"), nps=pl.lit(2.0))
    hotline = said.head(60).with_columns(pl.format("h{}", "feedback_id").alias("feedback_id"), pl.format("h{}", "source_id").alias("source_id"), pl.lit("hotline").alias("channel"), pl.lit(False).alias("solicited"), nps=pl.lit(None, pl.Float64))
    rows = pl.concat([said, unknown, hotline])
    owner = rows["feedback_id"].str.extract(r"^h?f(\d+)").cast(pl.Int64)
    links = rows.select("feedback_id", "iso_week").with_columns(pl.Series("customer_id", [None if at is None else ids[at] for at in owner])).filter(pl.col("customer_id").is_not_null())
    links = links.with_columns(pl.col("customer_id").alias("person_id"), pl.lit("phone").alias("reason"), pl.lit(1.0).alias("confidence"), pl.lit(AT).alias("linked_at"))
    with write_store(name, "test", "auto") as writer:
        writer.append("customers", frame)
        writer.append("touchpoints", pl.concat([met, again]))
        writer.append("feedback", rows)
        writer.append("links", links)
    there = came & np.array([at % 50 != 0 for at in range(customers)])
    return open_store(name), frame.with_columns(pl.Series("score", score)).filter(pl.Series(there))


@pytest.fixture
def silence(home):
    return plant_silence()
