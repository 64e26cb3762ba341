"""Who said it stands in one table for every feedback, and says the same as the exports and the truths."""

import json

import polars as pl
import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.store import open_store


def speakers(folder) -> pl.DataFrame:
    return pl.read_parquet(folder / "_truth" / "speakers.parquet")


@pytest.mark.parametrize("domain", ["auto", "bank"])
def test_every_feedback_of_the_exports_has_one_row(home, make, domain):
    ingest("planted", make(domain), domain)
    stored, rows = open_store("planted").sql("SELECT channel, source_id FROM feedback"), speakers(make(domain))
    assert rows.columns == ["channel", "source_id", "customer_id", "author"] and rows.schema["author"] == pl.Int64
    assert rows.select("channel", "source_id").n_unique() == rows.height
    replaced = stored.filter(pl.col("source_id").str.contains("^k[0-9a-f]{32}$"))  # fifteen digits of a bank's survey read like a card's number: the door replaces the id
    missing = set(rows.select("channel", "source_id").rows()) - set(stored.rows())
    assert rows.height == stored.height and len(missing) == replaced.height
    assert {channel for channel, _ in missing} <= ({"branch_survey"} if domain == "bank" else set())


@pytest.mark.parametrize("domain", ["auto", "bank"])
def test_truths_name_the_same_speakers(make, domain):
    folder = make(domain)
    known = {(channel, source): (customer, author) for channel, source, customer, author in speakers(folder).rows()}
    checked = 0
    for path in sorted((folder / "_truth").glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        for row in truth.get("feedback", []) if "truth" in truth else []:
            customer, author = known[row["channel"], row["source_id"]]
            assert customer == row["customer_id"] and (customer or author == row["account"])
            checked += 1
    assert checked > 100


def test_customers_carry_their_own_number_and_others_one_beyond(make):
    rows = speakers(make())
    own = rows.drop_nulls("customer_id")
    assert (own["author"] == own["customer_id"].str.tail(8).cast(pl.Int64)).all() and own["author"].max() < 600
    others = rows.filter(pl.col("customer_id").is_null() & (pl.col("author") > 0))  # 0 is the company's own account
    assert others.height > 100 and others["author"].min() >= 600
