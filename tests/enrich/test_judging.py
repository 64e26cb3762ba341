"""Repeats and opinions as steps of enrich: everything once, again nothing, and only what is new after that."""

import numpy as np
import polars as pl

from voc_lib.enrich.coding import coder_version
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.duplicates import METHOD
from voc_lib.enrich.judging import judge_mentions
from voc_lib.enrich.run import enrich
from voc_lib.settings import settings
from voc_lib.store import open_store


def test_every_feedback_is_looked_at_and_judged_once_and_again_nothing(sample):
    store = open_store("sample")
    total = store.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    assert store.sql(f"SELECT count(DISTINCT feedback_id) AS n, count(*) AS rows FROM duplicates WHERE method = '{METHOD}'").row(0) == (total, total)
    model = store.about["opinion_model"]
    whole = store.sql(f"SELECT opinion, count(*) AS n FROM opinions WHERE code = '全文' AND opinion_model = '{model}' GROUP BY opinion")
    assert whole["n"].sum() == total and {"negative", "positive"} <= set(whole["opinion"])
    again = enrich("sample")
    assert (again.repeats_looked_at, again.opinions_judged) == (0, 0)
    assert open_store("sample").sql("SELECT count(*) AS n FROM opinions")["n"].item() == store.sql("SELECT count(*) AS n FROM opinions")["n"].item()


def test_every_mention_has_an_opinion_row_of_its_own_code(sample):
    store = open_store("sample")
    mentions = store.sql("SELECT DISTINCT feedback_id, code FROM mentions WHERE code <> '未归类' AND span_start IS NOT NULL")
    judged = store.sql("SELECT feedback_id, code FROM opinions")
    assert mentions.join(judged, on=["feedback_id", "code"], how="anti").is_empty()


def test_another_model_judges_again_and_the_old_answers_stay(sample):
    class Always:
        fingerprint = "always"

        def probabilities(self, texts):
            return np.tile([0.0, 1.0, 0.0], (len(texts), 1))

    before = open_store("sample").sql("SELECT count(*) AS n FROM opinions")["n"].item()
    done = judge_mentions("sample", coder_version(load_domain(settings().domains, "auto")), Always())
    after = open_store("sample").sql("SELECT opinion_model, count(*) AS n FROM opinions GROUP BY opinion_model")
    assert done > 0 and after.filter(pl.col("opinion_model").str.starts_with("always-judge"))["n"].item() == before == after["n"].sum() - before


def test_repeats_of_earlier_weeks_are_found_when_they_come_later(sample, monkeypatch):
    """The same store looked at in lots of a few hundred: a copy still finds the one it repeats."""
    from voc_lib.enrich import judging

    whole = open_store("sample").sql("SELECT feedback_id, duplicate_of FROM duplicates ORDER BY feedback_id")
    monkeypatch.setattr(judging, "METHOD", "again")
    monkeypatch.setattr(judging, "REPEAT_ROWS", 300)
    judging.find_repeats("sample")
    lots = open_store("sample").sql("SELECT feedback_id, duplicate_of FROM duplicates WHERE method = 'again' ORDER BY feedback_id")
    assert lots.height == whole.height
    exact = whole.filter(pl.col("duplicate_of").is_not_null())["feedback_id"]
    assert lots.filter(pl.col("duplicate_of").is_not_null())["feedback_id"].is_in(exact.implode()).mean() > 0.9
