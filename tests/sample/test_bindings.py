"""What is registered about accounts: every car, some who complained, all whose trail is planted; and the keys that lie are those of the truth."""

import csv
import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from voc_lib.sample import bindings
from voc_lib.sample.bindings import HEADER, PLATFORMS, Bindings
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.utterance import OUTSIDE, Utterance

CHANNELS = {platform: channel for channel, platform in PLATFORMS.items()} | {"车机": "in_car"}


def registered(folder: Path) -> pl.DataFrame:
    """All rows, with the month of their file; phones as digits."""
    files = sorted((folder / "bindings").glob("bindings-*.csv"))
    rows = pl.concat([pl.read_csv(path, infer_schema=False).with_columns(month=pl.lit(path.stem[-7:])) for path in files])
    return rows.with_columns(pl.col("手机号").str.replace_all(r"\D", "").str.tail(11))


def accounts(folder: Path) -> dict[str, dict[str, str]]:
    """By channel: the account of every feedback, as the export has it."""
    def lines(name):
        return [json.loads(line) for path in sorted((folder / name).glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]

    def cells(name):
        return [row for path in sorted((folder / name).glob("*.csv")) for row in csv.DictReader(path.read_text("utf-8-sig").splitlines())]

    return {
        "microblog": {row["mid"]: row["user"]["uid"] for row in lines("microblog")}, "car_forum": {row["pid"]: row["uid"] for row in lines("car_forum")},
        "short_video": {row["评论ID"]: row["用户ID"] for row in cells("short_video")}, "in_car": {row["id"]: row["device_id"] for row in cells("in_car")},
    }


def people(folder: Path) -> dict[tuple[str, str], str]:
    """The customer behind every account heard in the exports: exports and speakers together."""
    said = pl.read_parquet(folder / "_truth" / "speakers.parquet").drop_nulls("customer_id")
    of = accounts(folder)
    return {(row["channel"], of[row["channel"]][row["source_id"]]): row["customer_id"] for row in said.iter_rows(named=True) if row["channel"] in of}


def crm(folder: Path, column: str) -> dict[str, str]:
    last = sorted((folder / "crm").glob("*.csv"))[-1]
    return dict(pl.read_csv(last, infer_schema=False).select("客户编号", column).rows())


def test_files_are_by_month_with_these_columns(make):
    folder = make()
    files = sorted((folder / "bindings").iterdir())
    assert [path.name for path in files] == [f"bindings-2026-{month:02d}.csv" for month in range(6, 12)] and files[0].read_bytes().startswith(b"\xef\xbb\xbf")
    rows = registered(folder)
    assert tuple(rows.columns[:6]) == HEADER
    early = rows.filter(pl.col("登记日期").str.head(7) != pl.col("month"))
    assert set(early["month"]) == {"2026-06"} and set(early["途径"]) == {"车机激活"} and early["登记日期"].max() < "2026-06"
    assert rows["登记日期"].max() <= "2026-11-15"


def test_numbers_are_invented(big):
    rows = registered(big)
    assert rows["手机号"].drop_nulls().str.contains(r"^16[0-4]\d{8}$").all()
    assert rows["VIN"].drop_nulls().str.contains(r"^LXL[0-9A-HJ-NPR-Z]{14}$").all()


def test_every_car_is_activated_once_with_the_device_of_its_export(make):
    folder = make()
    cars = registered(folder).filter(pl.col("途径") == "车机激活")
    assert cars.height == cars["账号"].n_unique() == 600 and cars["手机号"].null_count() == 600 and set(cars["平台"]) == {"车机"}
    vins, heard = crm(folder, "VIN"), {account: who for (channel, account), who in people(folder).items() if channel == "in_car"}
    bound = dict(cars.select("账号", "VIN").rows())
    assert len(heard) > 20 and all(bound[account] == vins[who] for account, who in heard.items() if who in vins)


def test_a_registered_account_stands_in_its_channel_and_its_phone_is_that_of_the_customer_but_for_the_mistyped(big, truth_of):
    rows, behind, phones, vins = registered(big).filter(pl.col("途径") == "私信登记"), people(big), crm(big, "手机号"), crm(big, "VIN")
    assert rows.height > 100 and rows.select("平台", "账号").n_unique() == rows.height
    wrong = []
    for row in rows.iter_rows(named=True):
        who = behind[CHANNELS[row["平台"]], row["账号"]]
        if who in phones:
            assert row["VIN"] in (None, vins[who])
            if row["手机号"] != phones[who]:
                assert sum(a != b for a, b in zip(row["手机号"], phones[who], strict=True)) == 1
                wrong.append(who)
    assert sorted(wrong) == sorted(who for who in truth_of(big, "identities")["mistyped"] if who in phones)
    # 2.6 standard errors around four in ten
    assert abs(1 - rows["VIN"].null_count() / rows.height - 0.4) < 2.6 * (0.24 / rows.height) ** 0.5


@pytest.mark.parametrize("settings", [{}, {"customers": 8000, "weeks": 20}, {"customers": 200, "weeks": 16}])
def test_every_escalation_is_bound_to_the_right_phone_before_the_call(make, truth_of, settings):
    folder = make(**settings)
    truth, of, phones, rows = truth_of(folder, "escalations"), accounts(folder), crm(folder, "手机号"), registered(folder)
    seen = {}
    for row in truth["feedback"]:
        if row["channel"] in PLATFORMS:
            seen[row["part"].split()[1]] = row["channel"], of[row["channel"]][row["source_id"]]
    assert len(seen) == len(truth["trails"]) == truth["escalations"] + 3
    often = Counter(seen.values())
    for trail in truth["trails"]:
        channel, account = seen[trail["name"]]
        found = rows.filter((pl.col("平台") == PLATFORMS[channel]) & (pl.col("账号") == account) & (pl.col("途径") == "私信登记"))
        assert found["手机号"].to_list() == [phones[trail["customers"][0]]]
        posted, called, _ = map(date.fromisoformat, trail["days"])
        if often[seen[trail["name"]]] == 1:
            assert posted <= date.fromisoformat(found["登记日期"].item()) <= min(posted + timedelta(days=1), called - timedelta(days=1))


@pytest.mark.parametrize(("customers", "many"), [(600, 3), (8000, 15)])
def test_one_account_of_a_shop_carries_many_phones(make, truth_of, customers, many):
    folder = make(customers=customers)
    rows, truth = registered(folder).filter(pl.col("途径") == "门店代登记"), truth_of(folder, "identities")
    assert set(rows["账号"]) == {truth["shared_account_uid"]} and set(rows["平台"]) == {"汽车论坛"}
    assert rows.height == rows["手机号"].n_unique() == len(set(truth["shared_account"])) == many
    phones = crm(folder, "手机号")
    assert {phones[who] for who in truth["shared_account"] if who in phones} <= set(rows["手机号"])
    assert ("car_forum", truth["shared_account_uid"]) not in people(folder)  # the employee is no customer


def test_a_truth_without_public_posts_moves_no_row(make):
    whole, less = registered(make()), registered(make(without=("mood_curve",)))
    assert whole.equals(less)


def test_a_bank_binds_nothing(make, truth_of):
    assert not (make("bank") / "bindings").exists() and "mistyped" not in truth_of(make("bank"), "identities")


def post(channel, who, day, polarity=-1, **more):
    return Utterance(f"{channel}{who}{day}", channel, datetime(2026, 9, day, 12), who, who if who >= 0 else 900, (Point("车机-屏幕-黑屏", polarity),), 0.0, **more)


@pytest.fixture
def desk(monkeypatch):
    """Bindings of 300 customers of whom everybody gives the phone; customer 9 belongs to a truth."""
    from voc_lib.sample.customers import make_frame
    from voc_lib.sample.exports import Stage
    from voc_lib.sample.identities import make_keys
    from voc_lib.sample.world import World

    monkeypatch.setattr(bindings, "GIVEN", 1.0)
    world = World(customers=300, weeks=20)
    frame = make_frame(world)
    return Bindings(Stage(world, frame, make_keys(world, frame), None, None), frozenset({("microblog", 9)}))


def messages(desk, tmp_path) -> list[dict]:
    for month in (9, 10):
        desk.write(date(2026, month, 1), tmp_path)
    rows = [row for month in ("09", "10") for row in csv.DictReader((tmp_path / "bindings" / f"bindings-2026-{month}.csv").read_text("utf-8-sig").splitlines())]
    return [row for row in rows if row["途径"] == "私信登记"]


def test_asked_once_after_the_first_complaint(desk, tmp_path):
    for one in (post("microblog", 5, 20), post("microblog", 5, 4), post("microblog", 6, 4, 1), post("hotline", 7, 4), post("microblog", OUTSIDE, 4), post("short_video", 5, 8)):
        desk.take(one)
    rows = {row["平台"]: row for row in messages(desk, tmp_path)}
    assert set(rows) == {"微博", "短视频"}
    assert "2026-09-04" <= rows["微博"]["登记日期"] <= "2026-09-06" and "2026-09-08" <= rows["短视频"]["登记日期"] <= "2026-09-10"
    assert rows["短视频"]["账号"].startswith("u")


def test_a_registration_after_the_month_stands_in_the_next_file(desk, tmp_path):
    for who in range(20, 60):
        desk.take(post("car_forum", who, 30))
    desk.write(date(2026, 9, 1), tmp_path)
    september = [row for row in csv.DictReader((tmp_path / "bindings" / "bindings-2026-09.csv").read_text("utf-8-sig").splitlines()) if row["途径"] == "私信登记"]
    rows = messages(desk, tmp_path / "again")
    assert {row["登记日期"] for row in september} == {"2026-09-30"} and {row["登记日期"] for row in rows} == {"2026-10-01", "2026-10-02"}
    assert len(september) + len(rows) == 40


def test_an_account_of_a_truth_is_registered_by_that_alone(desk, tmp_path):
    desk.take(post("microblog", 9, 2))
    desk.take(post("microblog", 9, 10, extra={"asked": 1}))
    desk.take(post("microblog", 9, 12))
    assert [row["登记日期"] for row in messages(desk, tmp_path)] == ["2026-09-11"]


def test_a_mistyped_phone_is_one_digit_away(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(bindings, "MISTYPED", 1.0)
    desk.take(post("microblog", 5, 4))
    (row,) = messages(desk, tmp_path)
    typed, right = row["手机号"].replace("-", "").replace(" ", "")[-11:], desk.stage.keys.phone_of(5)
    assert np.sum(np.array(list(typed)) != np.array(list(right))) == 1 and typed[:3] == right[:3]
    assert desk.accidents()["mistyped"] == [desk.stage.frame.customer_id(5)]
