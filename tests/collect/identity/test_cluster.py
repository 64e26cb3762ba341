"""Who is who, in worlds small enough to count by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from voc_lib.collect.identity.cluster import CLAIM, MOST_KEYS, MOST_PARTNERS, RECORD, cluster

KINDS = ["author:forum", "phone", "vin"]


def look(records: dict[str, list[str]], claims: dict[str, str] | None = None, days: dict[str, date] | None = None, owned: dict[tuple[str, str], tuple] | None = None):
    """Records by name with their keys ('p1' a phone, 'v1' a vehicle, 'a1' an account); claims from key to customer; ownership by (key, customer). Gives name -> (customer, person, reason)."""
    names, keys = sorted(records), sorted({key for carried in records.values() for key in carried} | set(claims or {}) | {key for key, _ in owned or {}})
    kind = {"p": 1, "v": 2, "a": 0}
    rows = [(names.index(name), keys.index(key), kind[key[0]], (days or {}).get(name)) for name, carried in records.items() for key in carried]
    who = sorted(set((claims or {}).values()) | {customer for _, customer in owned or {}})
    stated = [(keys.index(key), who.index(customer), None, None) for key, customer in (claims or {}).items()] + [
        (keys.index(key), who.index(customer), *period) for (key, customer), period in (owned or {}).items()]
    out = cluster(pl.DataFrame(rows, schema=RECORD, orient="row"), pl.DataFrame(stated, schema=CLAIM, orient="row"), KINDS)
    people = {names[row[0]]: (None if row[1] is None else who[row[1]], None if row[2] is None else keys[row[2]], row[3]) for row in out.people.iter_rows()}
    doubts = {(names[row["record"]] if row["key"] is None else keys[row["key"]]): (row["why"], row["customers"], row["feedback"]) for row in out.doubts.iter_rows(named=True)}
    return people, doubts


def test_a_key_of_one_customer_names_him_and_the_reason_says_which():
    people, doubts = look({"call": ["p1", "v1"], "claim": ["v1"], "other": ["p2"]}, {"p1": "ann", "v1": "ann", "p2": "bob"})
    assert people == {"call": ("ann", None, "phone+vin"), "claim": ("ann", None, "vin"), "other": ("bob", None, "phone")}
    assert doubts == {}


def test_an_account_registered_with_a_phone_is_handed_its_customer():
    people, _ = look({"entry": ["a1", "p1"], "post": ["a1"]}, {"p1": "ann"})
    assert people["post"] == ("ann", None, "author:forum<")


def test_customers_are_handed_on_through_several_keys():
    people, _ = look({"entry": ["a1", "p2"], "call": ["p2", "v1"], "post": ["a1"]}, {"v1": "ann"})
    assert people["post"][0] == people["entry"][0] == "ann"


def test_a_phone_that_two_customers_gave_links_nobody_and_is_listed():
    people, doubts = look({"call": ["p1"], "claim": ["p1", "v1"]}, {"v1": "ann"}, owned={("p1", "ann"): (None, None), ("p1", "bob"): (None, None)})
    assert people["call"] == (None, None, "shared") and doubts["p1"] == ("shared", 2, 2)
    assert people["claim"] == ("ann", None, "vin")    # the vehicle still tells


def test_a_dealers_phone_on_many_orders_links_nobody_but_each_vehicle_its_own():
    orders = {f"o{n}": ["p9", f"v{n}"] for n in range(MOST_PARTNERS + 1)}
    people, doubts = look({**orders, "call": ["p9"]}, {f"v{n}": f"c{n}" for n in range(MOST_PARTNERS + 1)})
    assert people["call"] == (None, None, "crowd") and doubts["p9"] == ("crowd", 6, 7)
    assert [people[f"o{n}"][0] for n in range(6)] == [f"c{n}" for n in range(6)]


def test_a_fleets_phone_without_any_register_makes_no_single_person():
    many = {f"o{n}": ["p9", f"v{n}"] for n in range(MOST_PARTNERS + 1)}
    people, doubts = look(many)
    assert len({person for _, person, _ in people.values()}) == len(many) and doubts["p9"][0] == "crowd"
    few = dict(list(many.items())[:MOST_PARTNERS])
    assert len({person for _, person, _ in look(few)[0].values()}) == 1


def test_a_vehicle_is_his_only_while_he_owns_it():
    owned = {("v1", "ann"): (date(2024, 1, 1), date(2025, 3, 31)), ("v1", "bob"): (date(2025, 4, 1), None)}
    days = {"early": date(2024, 6, 1), "late": date(2025, 6, 1), "before": date(2023, 1, 1)}
    people, _ = look({name: ["v1"] for name in (*days, "undated")}, days=days, owned=owned)
    assert people["early"][0] == "ann" and people["late"][0] == "bob"
    assert people["before"] == (None, None, "period") and people["undated"] == (None, None, "shared")


def test_two_registers_that_give_a_vehicle_to_the_same_customer_are_one_owner_in_whatever_order():
    claims = [(0, 0, date(2024, 1, 1), date(2024, 6, 30)), (0, 0, date(2025, 1, 1), None), (0, 1, date(2024, 8, 1), date(2024, 9, 30))]
    days = [date(2024, 3, 1), date(2025, 3, 1), date(2024, 8, 15), date(2024, 12, 1)]
    rows = pl.DataFrame([(at, 0, 2, day) for at, day in enumerate(days)], schema=RECORD, orient="row")
    for stated in (claims, claims[::-1], [claims[1], claims[2], claims[0], claims[0]]):
        out = cluster(rows, pl.DataFrame(stated, schema=CLAIM, orient="row"), KINDS)
        assert out.people["customer"].to_list() == [0, 0, 1, None] and out.people["reason"].to_list() == ["vin", "vin", "vin", "period"]


def test_a_day_that_two_owners_claim_names_neither():
    owned = {("v1", "ann"): (None, date(2025, 4, 20)), ("v1", "bob"): (date(2025, 4, 1), None)}
    people, doubts = look({"claim": ["v1"]}, days={"claim": date(2025, 4, 10)}, owned=owned)
    assert people["claim"] == (None, None, "shared") and doubts["v1"][0] == "shared"


def test_keys_of_two_customers_on_one_feedback_are_a_conflict_and_merge_nobody():
    people, doubts = look({"call": ["p1", "v2"], "a": ["p1"], "b": ["v2"]}, {"p1": "ann", "v2": "bob"})
    assert people["call"] == (None, None, "conflict") and doubts["call"] == ("conflict", 2, 1)
    assert people["a"][0] == "ann" and people["b"][0] == "bob"


def test_an_unknown_key_between_two_customers_joins_nobody():
    people, doubts = look({"one": ["p1", "v7"], "two": ["p2", "v7"], "alone": ["v7"]}, {"p1": "ann", "p2": "bob"})
    assert people["one"][0] == "ann" and people["two"][0] == "bob" and people["alone"] == (None, None, "shared")
    assert doubts["v7"] == ("shared", 2, 3)


def test_keys_nobody_knows_make_a_person_where_they_come_together():
    people, _ = look({"c1": ["p1", "v1"], "c2": ["p1"], "c3": ["v1"], "c4": ["p2"]})
    assert people["c1"] == (None, people["c2"][1], "phone+vin") and people["c3"][1] == people["c1"][1] != people["c4"][1]


def test_a_cycle_of_keys_is_one_person_and_a_long_chain_is_nobody():
    ring = {"c1": ["p1", "v1"], "c2": ["v1", "a1"], "c3": ["a1", "p1"]}
    assert len({person for _, person, _ in look(ring)[0].values()}) == 1
    size = MOST_KEYS // 2 + 1
    chain = {f"c{n:02}a": [f"p{n}", f"v{n}"] for n in range(size)} | {f"c{n:02}b": [f"v{n}", f"p{n + 1}"] for n in range(size - 1)}
    people, doubts = look(chain)
    assert {person for _, person, _ in people.values()} == {None} and {why for why, *_ in doubts.values()} == {"chain"} and len(doubts) == 2 * size


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_changes_nothing(seed):
    stream = pl.Series(range(400)).shuffle(seed=seed)
    rows = pl.DataFrame({"record": stream // 2, "key": stream * 7 % 90, "kind": stream * 7 % 90 % 3, "day": [None] * 400}).cast(RECORD)
    claims = pl.DataFrame({"key": range(40), "customer": [n // 2 for n in range(40)], "valid_from": [None] * 40, "valid_to": [None] * 40}).cast(CLAIM)
    one = cluster(rows, claims, KINDS)
    two = cluster(rows.sample(fraction=1, shuffle=True, seed=seed), claims.sample(fraction=1, shuffle=True, seed=seed), KINDS)
    assert one.people.equals(two.people) and one.doubts.equals(two.doubts)
    assert one.people["record"].n_unique() == one.people.height == rows["record"].n_unique()    # nothing is lost, nothing twice
