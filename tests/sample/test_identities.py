"""Keys and their accidents are in the exports as the truth says."""

import polars as pl

from voc_lib.sample.identities import _VALUES, _WEIGHTS, make_keys


def keys_of(customers: int = 3000):
    from voc_lib.sample.customers import make_frame
    from voc_lib.sample.world import World

    world = World(customers=customers, weeks=40)
    return make_keys(world, make_frame(world))


def test_vins_are_valid_invented_and_unique():
    keys = keys_of()
    assert keys.vins.n_unique() == len(keys.vins)
    for vin in keys.vins.head(300):
        rest = sum(_VALUES[letter] * weight for letter, weight in zip(vin, _WEIGHTS, strict=True)) % 11
        assert vin.startswith("LXL") and len(vin) == 17 and vin[8] == "0123456789X"[rest]


def test_phones_are_of_no_network_and_shared_only_by_families():
    keys = keys_of()
    phones = pl.Series([keys.phone_of(at) for at in range(3000)])
    assert phones.str.contains(r"^16[0-4]\d{8}$").all()
    assert 3000 - phones.n_unique() <= len(keys.family)
    for borrower, lender in keys.family:
        assert borrower != lender


def test_a_resold_car_keeps_its_vin():
    keys = keys_of()
    assert keys.resold
    for second, first in keys.resold:
        assert keys.vin_of(second) == keys.vin_of(first)
        assert keys.frame["bought"][second] > keys.frame["churned"][first]


def test_one_dealer_types_its_own_phone(make, truth_of):
    folder = make(customers=8000, weeks=20)
    about = truth_of(folder, "identities")["dealer_phone"]
    orders = pl.concat([pl.read_parquet(path) for path in sorted((folder / "touchpoints").glob("*.parquet"))]).filter(pl.col("phone") == about["phone"])
    assert set(orders["dealer"]) == {about["dealer"]}
    assert 0.6 < orders.height / (500 * 8000 / 20_000 * 20 / 120) < 1.6


def test_accounts_and_names_do_not_collide():
    keys = keys_of()
    for platform in ("microblog", "car_forum"):
        assert len({keys.account(platform, author) for author in range(6000)}) == 6000
    assert len({keys.nick("microblog", author) for author in range(0, 6000, 3)}) == 2000
