"""All exports pass `voc ingest`: every planted feedback is in the store, only the rows broken on purpose are in quarantine."""

import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.store import open_store


@pytest.fixture(scope="module")
def ingested(kept_home, make):
    """`ingested("auto", customers=600)`: the world, the store it is in and what ingesting it counted; each made once, when the test's home is `kept`."""
    made = {}

    def world(domain: str = "auto", customers: int = 600):
        if (domain, customers) not in made:
            folder, store = make(domain, customers=customers), f"{domain}{customers}"
            made[domain, customers] = folder, store, ingest(store, folder, domain)
        return made[domain, customers]

    return world


@pytest.mark.parametrize("domain", ["auto", "bank"])
def test_exports_pass_ingest(kept, ingested, truth_of, domain):
    folder, name, counts = ingested(domain)
    assert not {count.channel: count.failed for count in counts if count.failed}
    stored = {count.channel: count.feedback_stored for count in counts if not count.base}
    assert stored == {name: many for name, many in truth_of(folder, "world")["feedback"].items()}
    store = open_store(name)
    wrong = store.sql("SELECT file, line FROM quarantine ORDER BY line").rows()
    assert wrong == [(row["file"], row["line"]) for row in truth_of(folder, "quarantine")["rows"]]


def test_ids_of_the_truth_are_those_of_the_store(kept, ingested, truth_of):
    folder, store, _ = ingested()
    there = set(open_store(store).sql("SELECT channel, source_id FROM feedback").rows())
    for name in ("ac_noise", "garage_key", "escalations", "official_replies", "stop_feature"):
        rows = truth_of(folder, name)["feedback"]
        assert rows and {(row["channel"], row["source_id"]) for row in rows} <= there


def test_no_id_looks_like_personal_data(kept, ingested):
    store = ingested(customers=2000)[1]  # the door replaces an id that reads like a number of WeChat, QQ, a phone, a card
    assert open_store(store).sql("SELECT channel, source_id FROM feedback WHERE regexp_matches(source_id, '^k[0-9a-f]{32}$')").is_empty()


def test_threads_statuses_and_deletions_arrive(kept, ingested):
    store = open_store(ingested(customers=2000)[1])
    answers = store.sql("SELECT r.channel, r.thread_id = p.thread_id AS same, r.occurred_at >= p.occurred_at AS later FROM feedback r JOIN feedback p ON r.parent_id = p.feedback_id")
    assert set(answers["channel"]) == {"microblog", "car_forum"} and answers["same"].all() and answers["later"].all()
    replies = store.sql("SELECT count(*) AS n FROM feedback WHERE parent_id IS NOT NULL")["n"].item()
    assert answers.height == replies > 300
    assert store.sql("SELECT count(*) AS n FROM (SELECT feedback_id FROM status_history GROUP BY 1 HAVING count(*) > 1)")["n"].item() > 20
    assert store.sql("SELECT count(*) AS n FROM feedback WHERE deleted")["n"].item() > 20
    kinds = set(store.sql("SELECT DISTINCT author_kind FROM feedback")["author_kind"])
    assert {"owner_verified", "owner_likely", "official", "staff", "media", "unknown"} <= kinds


def test_every_page_of_a_planted_world_says_that_it_is_synthetic(kept, ingested):
    from voc_lib.collect.ingest import unclaimed
    from voc_lib.pipeline import weekly

    folder, store, _ = ingested()
    assert "notice.txt" not in unclaimed(store, folder)
    page = weekly(store, "2026-W46").page
    for one in page.parent.glob("*.html"):
        assert "合成样例数据" in one.read_text("utf-8")
