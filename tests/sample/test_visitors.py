"""What visitors would have answered: who did answer gave those very scores, and the others came too."""

import json

import polars as pl
import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.sample.visitors import FILE
from voc_lib.store import open_store


@pytest.mark.parametrize(("domain", "channel"), [("auto", "dealer_survey"), ("bank", "branch_survey")])
def test_whoever_answered_gave_these_scores(home, make, domain, channel):
    folder = make(domain)
    ingest("planted", folder, domain)
    told = pl.read_parquet(folder / "_truth" / FILE)
    assert told["channel"].unique().to_list() == [channel] and told.select("iso_week", "customer_id").n_unique() == told.height
    truths = [truth for path in (folder / "_truth").glob("*.json") if "truth" in (truth := json.loads(path.read_text("utf-8")))]
    altered = {row["source_id"] for truth in truths for row in truth["feedback"]}
    who = pl.read_parquet(folder / "_truth" / "speakers.parquet").filter(pl.col("channel") == channel, ~pl.col("source_id").is_in(list(altered)))
    answers = open_store("planted").sql("SELECT channel, source_id, iso_week, nps, csat, ces FROM feedback").join(who, on=["channel", "source_id"])
    both = answers.join(told, on=["customer_id", "iso_week"], suffix="_told")
    assert both.height == answers.height and 20 < both.height < told.height / 2  # most visitors were never heard
    for name in ("nps", "csat", "ces"):
        given = both.drop_nulls(name)
        assert given.height > 0.8 * both.height and given[name].cast(pl.Float64).to_list() == given[f"{name}_told"].to_list()
