"""Nine steps of the same people, in order, good, bad, good, each with a key that leads to the person."""

import csv
import json
from collections import Counter, defaultdict
from datetime import date

import polars as pl
import pytest


@pytest.fixture
def told(make, truth_of):
    """A world long enough for the usual rhythm, and its truth."""
    folder = make(weeks=24)
    return folder, truth_of(folder, "mood_curve")


def journeys(truth) -> dict[str, list[dict]]:
    found = defaultdict(list)
    for row in truth["feedback"]:
        found[row["customer_id"]].append(row)
    return {who: sorted(rows, key=lambda row: row["part"]) for who, rows in found.items()}


def test_everybody_takes_nine_steps_two_to_three_weeks_apart(told):
    _, truth = told
    assert (truth["steps"], truth["breaks"]) == (9, [4, 7]) and len(truth["customers"]) == 30
    found = journeys(truth)
    assert sorted(found) == sorted(truth["customers"])
    for who, rows in found.items():
        assert [row["part"] for row in rows] == [f"step {at}" for at in range(1, 10)]
        days = [date.fromisoformat(day) for day in truth["days"][who]]
        assert all(14 <= (after - before).days <= 21 for before, after in zip(days, days[1:], strict=False))
        assert [row["week"] for row in rows] == [f"{day:%G-W%V}" for day in days]
        for row, day, weeks, (first, last) in zip(rows, truth["days"][who], truth["weeks"], truth["windows"], strict=True):
            assert row["week"] in weeks and first <= day <= last


@pytest.mark.parametrize("weeks", [16, 20, 24, 60])
def test_steps_of_different_people_never_swap(make, truth_of, weeks):
    truth = truth_of(make(weeks=weeks), "mood_curve")
    windows = truth["windows"]
    assert len(windows) == 9 and all(last < first for (_, last), (first, _) in zip(windows, windows[1:], strict=False))
    assert windows[0][0] >= "2026-04-20" and windows[-1][1] <= "2026-11-15"  # the last thirty weeks
    assert truth["size"] == 270


def test_good_then_bad_then_good(told):
    """The stand-in says 好 or 坏 for what is thought; on the telephone as the summary."""
    folder, truth = told
    lines = [line for path in (folder / "hotline").glob("*.jsonl") for line in path.read_text("utf-8").splitlines() if '"vin"' in line]  # not the two broken on purpose
    calls = {row["call_id"]: row["summary"] for row in map(json.loads, lines)}
    seen = Counter()
    for row in truth["feedback"]:
        if row["source_id"] in calls:
            step = int(row["part"].split()[1])
            good = "好" in calls[row["source_id"]]
            assert good == (not 4 <= step <= 6)
            seen[good] += 1
    assert min(seen[True], seen[False]) > 5


def test_only_complaints_reach_the_workshop(told):
    _, truth = told
    assert {row["part"] for row in truth["feedback"] if row["channel"] == "warranty"} <= {"step 4", "step 5", "step 6"}
    assert {row["channel"] for row in truth["feedback"]} == {"online_chat", "in_car", "dealer_notes", "hotline", "warranty"}


def test_every_step_carries_a_key_that_leads_to_the_person(told):
    folder, truth = told
    customers = pl.concat([pl.read_csv(path, infer_schema=False).select("客户编号", "手机号", "VIN") for path in sorted((folder / "crm").glob("*.csv"))]).unique()
    behind = defaultdict(set)
    for who, phone, vin in customers.rows():
        for key in (who, phone, vin):
            behind[key].add(who)
    cars = {}
    for path in sorted((folder / "bindings").glob("*.csv")):
        cars |= {row["账号"]: row["VIN"] for row in csv.DictReader(path.read_text("utf-8-sig").splitlines()) if row["平台"] == "车机"}
    keys = {}
    for path in (folder / "hotline").glob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            if '"vin"' in line:
                row = json.loads(line)
                phone = row["phone"] and "".join(filter(str.isdigit, row["phone"]))[-11:]
                keys["hotline", row["call_id"]] = [phone, row["vin"]]
    for path in (folder / "online_chat").glob("*.csv"):
        keys |= {("online_chat", row["会话编号"]): [row["会员号"]] for row in csv.DictReader(path.open(encoding="utf-8-sig"))}
    for path in (folder / "in_car").glob("*.csv"):
        keys |= {("in_car", row["id"]): [cars[row["device_id"]]] for row in csv.DictReader(path.open(encoding="utf-8"))}
    for path in (folder / "dealer_notes").glob("*.xlsx"):
        keys |= {("dealer_notes", row["记录编号"]): [row["客户编号"]] for row in pl.read_excel(path).iter_rows(named=True)}
    for path in (folder / "warranty").glob("*.parquet"):
        keys |= {("warranty", row["claim_no"]): [row["vin"]] for row in pl.read_parquet(path).iter_rows(named=True)}
    for row in truth["feedback"]:
        found = keys[row["channel"], row["source_id"]]
        assert found and all(behind[key] == {row["customer_id"]} for key in found), row


def test_no_leaf_bursts():
    """At the usual size and with the real leaves: in no week do as many people speak of one leaf as a figure needs to be shown (ten)."""
    from voc_lib.sample.customers import make_frame
    from voc_lib.sample.exports import Stage, modules
    from voc_lib.sample.facts import Facts
    from voc_lib.sample.identities import make_keys
    from voc_lib.sample.language.tongue import Tongue
    from voc_lib.sample.planting import kept_leaves
    from voc_lib.sample.speaking import Speaking
    from voc_lib.sample.truths import mood_curve
    from voc_lib.sample.world import World

    world, tongue = World(weeks=40), Tongue("auto")
    frame = make_frame(world)
    keys = make_keys(world, frame)
    stage = Stage(world, frame, keys, Facts(world, frame, keys), tongue)
    voices = {name: module.VOICE for name, module in modules("auto").items()}
    planting = mood_curve.plant(stage, Speaking(world, frame, stage.facts, tongue, voices, kept_leaves("auto")))
    said = [one for week in world.calendar for one in planting.say(week)]
    assert len(said) == 540 == 9 * len(planting.facts["customers"])
    often = Counter((f"{one.when:%G-W%V}", point.leaf) for one in said for point in one.points)
    assert max(often.values()) <= 4 and len({leaf for _, leaf in often}) > 40
    assert not {leaf for _, leaf in often} & kept_leaves("auto")
