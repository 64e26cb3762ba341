"""People in a store: what ingest links, what a new day changes, what it must not."""

from __future__ import annotations

import polars as pl
import pytest

from tests.collect.identity.conftest import DEALER, VINS, accounts, calls, crm, orders, people, posts
from voc_lib.collect.contract import load_channels
from voc_lib.collect.identity.link import link
from voc_lib.collect.identity.report import doubts_now, link_rates, links_now, people_sizes
from voc_lib.collect.identity.words import reason_words
from voc_lib.collect.ingest import files_of, ingest, ingest_channel
from voc_lib.collect.keys import keyed_hash
from voc_lib.settings import settings
from voc_lib.store import open_store
from voc_lib.store_write import write_store


def again(name: str = "s"):
    """Everything looked at afresh: decisions that would change."""
    with write_store(name, "again") as writer:
        return link(writer, everything=True)


def test_calls_posts_and_registered_accounts_come_to_their_customers(linked):
    found = people(linked)
    assert found["C1"] == ("ann", "ann", "phone+vin") and found["P1"] == ("ann", "ann", "author:car_forum")
    assert found["C2"] == ("bob", "bob", "phone") and found["P2"] == ("bob", "bob", "author:car_forum<")
    assert found["C3"] == (None, None, "shared") and found["C4"] == ("cat", "cat", "vin")    # cat and dan gave one phone
    assert found["C5"][0] is None and found["C5"][1].startswith("p") and found["C5"][2] == "phone"
    assert found["C6"] == (None, None, None) and found["P3"] == (None, None, None)


def test_the_view_feedback_carries_person_and_customer(linked):
    rows = linked.sql("SELECT source_id, person_id, customer_id FROM feedback").rows_by_key("source_id", named=True, unique=True)
    assert rows["C1"]["person_id"] == rows["C1"]["customer_id"] == rows["P1"]["person_id"] is not None
    assert rows["C5"]["person_id"] and rows["C5"]["customer_id"] is None and rows["C6"]["person_id"] is None


def test_one_person_heard_in_two_channels_counts_once(linked):
    import voc_lib as voc

    assert voc.feedback(linked)["person"].n_unique() == 7    # ann, bob, cat, and C3, C5, C6, P3 each alone


def test_rates_sizes_and_doubts_can_be_read(linked):
    rates = link_rates(linked).rows_by_key("channel", named=True, unique=True)
    assert rates["hotline"] | {"n": 6, "keyed": 5, "person": 4, "customer": 3} == rates["hotline"] and rates["car_forum"]["person_share"] == pytest.approx(2 / 3)
    assert people_sizes(linked).rows() == [("1", 2, 0), ("2", 2, 2)]
    doubt = doubts_now(linked).row(0, named=True)
    assert (doubt["key_type"], doubt["why"], doubt["customers"], doubt["feedback"]) == ("phone", "shared", 2, 2)
    assert reason_words("author:car_forum<+phone") == "论坛账号（登记过）、手机号"


def test_reading_the_same_exports_again_decides_nothing_anew(linked, company):
    before = linked.sql("SELECT count(*) AS n FROM links")["n"].item(), linked.sql("SELECT count(*) AS n FROM identities")["n"].item()
    ingest("s", company)
    after = open_store("s")
    assert (after.sql("SELECT count(*) AS n FROM links")["n"].item(), after.sql("SELECT count(*) AS n FROM identities")["n"].item()) == before
    assert again().changed == 0


NEWS = {
    "a call of a known customer": lambda f: calls(f, "2026-11", [("N1", "2026-11-02", "16000000001", None, "又响")]),
    "a call that names a stranger's vehicle": lambda f: calls(f, "2026-11", [("N1", "2026-11-02", "16009999999", VINS["bob"], "是我的车")]),
    "an account registered late": lambda f: accounts(f, "2026-11", [("2026-11-03", "汽车论坛", "5555", "16000000001", "")]),
    "an account registered for two": lambda f: accounts(f, "2026-11", [("2026-11-03", "汽车论坛", "9001", "16000000001", "")]),
    "a new customer with the stranger's phone": lambda f: crm(f, "2027Q1", "2027-01-01", ("ann", "bob", "cat", "dan", "eve")),
    "a chain of strangers": lambda f: calls(f, "2026-11", [("N1", "2026-11-02", "16009999999", "LXLBA7E53PK999999", "一"), ("N2", "2026-11-03", "16008888888", "LXLBA7E53PK999999", "二")]),
    "a post of an account nobody registered": lambda f: posts(f, "2026-11", [("N1", "2026-11-02", "4444", "路人")]),
    "a phone two customers give": lambda f: crm(f, "2027Q1", "2027-01-01", ("ann", "bob", "cat", "dan"), vins={"dan": VINS["ann"]}),
}


@pytest.mark.parametrize("news", NEWS.values(), ids=NEWS)
def test_a_days_news_gives_what_looking_at_everything_gives(linked, company, news, monkeypatch):
    import voc_lib.collect.identity.link as room

    monkeypatch.setattr(room, "WHOLE", 10.0)    # however much is new: only what it reaches
    news(company)
    ingest("s", company)
    assert again().changed == 0
    doubts = doubts_now(open_store("s")).drop("found_at")
    again()
    assert doubts.equals(doubts_now(open_store("s")).drop("found_at"))


def test_only_what_the_news_reaches_is_looked_at(linked, company, monkeypatch):
    import voc_lib.collect.identity.link as room

    monkeypatch.setattr(room, "WHOLE", 10.0)
    calls(company, "2026-11", [("N1", "2026-11-02", "16000000001", None, "又响")])
    hotline = next(channel for channel in load_channels(settings().domains, "auto") if channel.channel == "hotline")
    with write_store("s", "news") as writer:
        ingest_channel(writer, hotline, files_of(hotline, company), company)
        done = link(writer)
    assert (done.looked_at, done.changed, done.whole) == (1, 1, False)


def test_a_sold_car_is_the_buyers_from_the_day_he_bought_it(company):
    crm(company, people=("ann", "bob", "eve"), left={"ann": "2026-09-15"}, vins={"eve": VINS["ann"]}, bought={"eve": "2026-09"})
    orders(company, "2026-10", [("eve", "2026-09-20", "购车", None, None)])
    calls(company, "2026-10", [("C1", "2026-09-10", None, VINS["ann"], "旧车主"), ("C2", "2026-09-17", None, VINS["ann"], "没有车主的那几天"), ("C3", "2026-10-02", None, VINS["ann"], "新车主")])
    ingest("s", company, "auto")
    found = people(open_store("s"))
    assert found["C1"][0] == "ann" and found["C3"][0] == "eve" and found["C2"] == (None, None, "period")


def test_a_dealers_phone_on_the_orders_links_nobody(company):
    calls(company, "2026-10", [(f"C{n}", "2026-10-02", DEALER, vin, "工单") for n, vin in enumerate([*VINS.values(), *(f"LXLBA7E53PK77{n:04d}" for n in range(4))])] + [("D", "2026-10-03", DEALER, None, "店里打来")])
    ingest("s", company, "auto")
    found = people(open_store("s"))
    assert found["C0"][0] == "ann" and found["C1"][0] == "bob" and found["D"] == (None, None, "shared")
    assert len({found[f"C{n}"][1] for n in range(4, 9)}) == 5    # five strangers, each his own vehicle


def test_malformed_keys_are_listed_and_nothing_is_lost(linked):
    row = linked.sql("SELECT feedback_id FROM feedback_rows WHERE source_id = 'C6'").item()
    with write_store("s", "spoil") as writer:
        writer.append("identity_keys", pl.DataFrame({"feedback_id": [row], "key_type": ["phone"], "key_hash": ["13800138000"], "channel": ["hotline"]}))
    again()
    found = doubts_now(open_store("s"))
    assert "malformed" in found["why"].to_list()
    assert links_now(open_store("s")).height == links_now(linked).height


def test_a_day_whose_only_key_is_malformed_lists_it_and_decides_nothing(linked, company):
    calls(company, "2026-11", [("N1", "2026-11-02", None, None, "没有键")])
    ingest("s", company)
    row = open_store("s").sql("SELECT feedback_id FROM feedback_rows WHERE source_id = 'N1'").item()
    with write_store("s", "spoil") as writer:
        writer.append("identity_keys", pl.DataFrame({"feedback_id": [row], "key_type": ["phone"], "key_hash": ["13800138000"], "channel": ["hotline"]}))
        done = link(writer)
    assert (done.looked_at, done.changed, done.whole) == (0, 0, False)
    assert doubts_now(open_store("s")).filter(pl.col("why") == "malformed")["key_hash"].to_list() == ["13800138000"]


def test_the_same_number_under_two_types_is_two_keys_and_a_hash_under_two_types_is_none(linked):
    same = pl.Series(["16000000001"])
    assert keyed_hash("phone", same).item() != keyed_hash("member", same).item()
    row, found = linked.sql("SELECT feedback_id FROM feedback_rows WHERE source_id = 'C6'").item(), people(linked)
    phone = linked.sql("SELECT key_hash FROM identity_keys JOIN feedback_rows USING (feedback_id) WHERE source_id = 'C5' AND key_type = 'phone'").item()
    with write_store("s", "spoil") as writer:
        writer.append("identity_keys", pl.DataFrame({"feedback_id": [row], "key_type": ["vin"], "key_hash": [phone], "channel": ["hotline"]}))
    again()
    after, doubts = people(open_store("s")), doubts_now(open_store("s"))
    assert after["C6"][1] is None and phone in doubts.filter(pl.col("why") == "malformed")["key_hash"].to_list()
    assert {name: who for name, who in after.items() if name not in ("C5", "C6")} == {name: who for name, who in found.items() if name not in ("C5", "C6")}
