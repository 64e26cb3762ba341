"""The probabilistic step: off unless asked for, its weight kept as the reason, two customers never made one."""

from __future__ import annotations

import polars as pl
import pytest

from tests.collect.identity.conftest import PHONES, VINS, accounts, crm, posts
from voc_lib.collect.identity.link import link
from voc_lib.collect.identity.probable import ProbableError, _decide, link_probable
from voc_lib.collect.identity.report import links_now
from voc_lib.collect.identity.words import reason_words
from voc_lib.collect.ingest import ingest
from voc_lib.store import open_store
from voc_lib.store_write import write_store

ACCOUNTS = pl.DataFrame([("f1", "forum", "f1", "ann", "ann"), ("m1", "micro", "m1", None, None), ("m2", "micro", "m2", None, None), ("v1", "video", "v1", "bob", "bob"), ("v2", "video", "v2", None, None)],
                        schema=dict.fromkeys(("unique_id", "channel", "author_key", "person_id", "customer_id"), pl.String), orient="row")


def decided(*pairs):
    rows = pl.DataFrame([(*pair, 8.0, 0.99) for pair in pairs], schema={"left": pl.String, "right": pl.String, "weight": pl.Float64, "probability": pl.Float64}, orient="row")
    return {row["author_key"]: (row["person_id"], row["customer_id"], row["reason"], row["confidence"]) for row in _decide(ACCOUNTS, rows).iter_rows(named=True)}


def test_an_account_goes_to_the_one_person_it_matches_with_weight_and_probability():
    assert decided(("f1", "m1")) == {"m1": ("ann", "ann", "splink:w=8.0", 0.99)}


def test_an_account_that_matches_two_people_goes_to_nobody_and_two_customers_stay_two():
    assert decided(("f1", "m1"), ("m1", "v1")) == {} and decided(("f1", "v1")) == {}


def test_two_unknown_accounts_become_one_person_of_their_own():
    found = decided(("m2", "v2"))
    assert set(found) == {"m2", "v2"} and found["m2"][0] == found["v2"][0] and found["m2"][1] is None


@pytest.fixture
def forum_and_microblog(home, tmp_path):
    """Sixty accounts on each of two sites, of which thirty have the same rare name and city on both."""
    import json

    folder = tmp_path / "x"
    crm(folder, people=("ann",))
    accounts(folder, "2026-10", [("2026-10-01", "汽车论坛", "1000", PHONES["ann"], VINS["ann"])])
    cities = ("南京", "上海", "成都", "武汉", "北京", "杭州")
    posts(folder, "2026-10", [(f"P{n}", "2026-10-11", str(1000 + n), f"第 {n} 个人说异响") for n in range(60)])
    path = folder / "car_forum" / "posts_2026-10.jsonl"
    told = [json.loads(line) | {"nick": f"名字{n}", "city": cities[n % 6], "car": "星澜A7"} for n, line in enumerate(path.read_text("utf-8").splitlines())]
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), "utf-8")
    blog = folder / "microblog" / "weibo_2026-10.jsonl"
    blog.parent.mkdir()
    blog.write_text("".join(json.dumps({
        "mid": f"M{n}", "root_id": f"M{n}", "reply_to": None, "created_at": "Sun Oct 11 10:00:00 +0800 2026", "text": f"微博 {n}", "location": cities[n % 6], "deleted": False,
        "user": {"uid": str(5000 + n), "screen_name": f"名字{n}" if n < 30 else f"别名{n}", "verified": ""}}, ensure_ascii=False) + "\n" for n in range(60)), "utf-8")
    ingest("s", folder, "auto")
    return open_store("s")


def test_rare_names_are_matched_only_when_asked_and_what_no_longer_holds_is_taken_back(forum_and_microblog):
    said = "SELECT source_id, person_id, customer_id, reason, confidence FROM feedback_rows JOIN asked USING (feedback_id)"
    assert links_now(forum_and_microblog).filter(pl.col("reason").str.starts_with("splink")).is_empty()
    with write_store("s", "probable") as writer:
        done = link_probable(writer, 0.5)
    store = open_store("s")
    rows = store.sql(said, asked=links_now(store)).rows_by_key("source_id", named=True, unique=True)
    assert done.accounts == 120 and done.matched == 59 and done.feedback == 59    # thirty pairs; of one the forum account was known
    assert rows["M0"]["person_id"] == rows["P0"]["person_id"] and rows["M0"]["customer_id"] and rows["P0"]["reason"] == "author:car_forum<"
    assert rows["M7"]["person_id"] == rows["P7"]["person_id"] != rows["M8"]["person_id"] and rows["M7"]["reason"].startswith("splink:w=") and 0.5 <= rows["M7"]["confidence"] < 1
    assert "M40" not in rows and "概率" in reason_words(rows["M7"]["reason"])
    with write_store("s", "rules") as writer:
        assert link(writer, everything=True).changed == 0    # rules leave it alone
    with write_store("s", "probable") as writer:
        assert link_probable(writer, 0.9999).feedback == 59
    assert links_now(open_store("s")).filter(pl.col("reason").str.starts_with("splink") & pl.col("person_id").is_not_null()).is_empty()


def test_too_few_accounts_are_refused_in_words(linked):
    with write_store("s", "probable") as writer, pytest.raises(ProbableError, match="少于 50 个"):
        link_probable(writer)
