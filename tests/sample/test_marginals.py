"""The truths hold in what was written: who speaks, the brake risk, the winter reversal, the trails."""

import json
import math
from collections import Counter
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest


@pytest.mark.parametrize("selection", ["explained", "angry", "j_shaped"])
def test_most_customers_are_silent_in_every_quarter(make, truth_of, selection):
    # mood_curve is never fewer than thirty people: eight in a thousand more who speak in a world of 3,000
    found = truth_of(make(customers=3000, weeks=40, selection=selection, without=("mood_curve",)), "selection")
    for quarter in found["quarters"][1:-1]:
        assert 0.80 <= quarter["silent_share"] <= 0.95


def test_most_customers_are_silent_with_all_that_is_planted(big, truth_of):
    quarters = truth_of(big, "selection")["quarters"][1:-1]
    assert quarters and all(0.80 <= quarter["silent_share"] <= 0.95 for quarter in quarters)


def test_who_speaks_depends_on_satisfaction_only_where_asked(make, truth_of):
    worlds = {name: truth_of(make(customers=3000, weeks=40, selection=name), "selection") for name in ("explained", "angry", "j_shaped")}
    everyone = worlds["angry"]["quarters"][1]["everyone"]["satisfaction"]
    mean = {name: world["channels"]["complaint_site"]["mean_satisfaction"] for name, world in worlds.items()}
    assert abs(mean["explained"] - everyone) < 0.25
    assert mean["angry"] < everyone - 0.4
    assert worlds["angry"]["quarters"][1]["everyone"] == worlds["explained"]["quarters"][1]["everyone"]


def test_about_six_in_ten_public_posts_are_by_outsiders(big, truth_of):
    channels = truth_of(big, "selection")["channels"]
    public = [channels[name] for name in ("microblog", "car_forum", "short_video")]
    share = sum(row["outside_share"] * row["feedback"] for row in public) / sum(row["feedback"] for row in public)
    assert 0.52 < share < 0.66


def test_the_brake_risk_is_four_within_its_error(make, truth_of):
    """Recomputed from the exports alone: claims by VIN, vehicles in use by batch, supplier, region, month; compared within batch (age)."""
    folder = make(customers=40_000, weeks=20)
    truth = truth_of(folder, "brake_batch")
    claims = pl.concat([pl.read_parquet(path) for path in sorted((folder / "warranty").glob("*.parquet"))])
    own = [row["source_id"] for row in truth["feedback"] if row["channel"] == "warranty"]
    since, until = date.fromisoformat(truth["first_day"]), date.fromisoformat(truth["last_day"])
    claims = claims.filter(pl.col("claim_no").is_in(own) & pl.col("claim_date").is_between(since, until) & pl.col("batch").is_not_null())
    east = ("上海", "浙江", "江苏", "安徽", "福建", "山东")
    hit = (pl.col("brake_supplier") == truth["supplier"]) & pl.col("province").is_in(east)
    exposure = pl.concat([pl.read_parquet(path) for path in sorted((folder / "exposure").glob("*.parquet"))]).filter(pl.col("month").is_between(date(2026, 9, 1), date(2026, 10, 31)))
    batches = [f"{year}{month:02d}" for year in (25, 26) for month in range(1, 13)]
    made = [m for m in batches if truth["built_from"][2:7].replace("-", "") <= m < truth["built_before"][2:7].replace("-", "")]
    claims, exposure = (frame.filter(pl.col("batch").str.tail(4).is_in(made)) for frame in (claims, exposure))
    bad = (pl.col("supplier") == truth["supplier"]) & (pl.col("region") == truth["region"])
    ones, others = claims.filter(hit).height, claims.filter(~hit).height
    rate = (ones / exposure.filter(bad)["in_use"].sum()) / (others / exposure.filter(~bad)["in_use"].sum())
    error = math.sqrt(1 / ones + 1 / others)
    assert ones > 20 and abs(math.log(rate / truth["relative_risk"])) < 2.6 * error


def test_winter_turns_round_within_models():
    """Many customers, no words: the rates of the truth module itself."""
    from voc_lib.sample.customers import make_frame
    from voc_lib.sample.truths import winter_range
    from voc_lib.sample.world import World

    frame = make_frame(World(customers=200_000))
    codes = [product.code for product in frame.cast.products]
    rate = np.array([winter_range.A_WINTER[code] for code in codes])[frame["product"]] * np.exp(winter_range.STEP * (frame["heating"] - winter_range.USUAL_HEATING))
    province = np.array([city.province for city in frame.cast.cities])[frame["city"]]
    cold, warm = province == "黑龙江", province == "广东"
    for at in range(len(codes)):
        of_model = frame["product"] == at
        assert rate[cold & of_model].mean() > 1.6 * rate[warm & of_model].mean()
    assert rate[warm].mean() > 1.2 * rate[cold].mean()


def test_winter_reverses_in_what_was_said(make, truth_of):
    found = truth_of(make(customers=20_000, weeks=60, without=("topic_life",)), "winter_range")
    cold, warm = found["provinces"]["黑龙江"], found["provinces"]["广东"]
    assert warm["all"]["per_winter"] > cold["all"]["per_winter"]
    assert cold["E3"]["per_winter"] > warm["E3"]["per_winter"]
    assert found["heating"]["complained"] > found["heating"]["silent"]


def test_forty_escalations_and_three_look_alikes(make, truth_of):
    trails = truth_of(make(), "escalations")["trails"]
    assert Counter(trail["kind"] for trail in trails) == {"trail": 40, "lookalike": 3}
    for trail in trails:
        assert len(set(trail["customers"])) == (1 if trail["kind"] == "trail" else 3)
        assert trail["days"] == sorted(trail["days"]) and trail["days"][0] < trail["days"][1]


def test_the_burst_begins_with_three(make, truth_of):
    for folder in (make(), make(customers=3000, weeks=40)):
        rows = truth_of(folder, "ac_noise")["feedback"]
        assert Counter(row["week"] for row in rows if row["part"] == "burst") == {"2026-W44": 3, "2026-W45": 6, "2026-W46": 20}
        assert len({row["customer_id"] for row in rows}) == len(rows)


def test_the_forum_knows_nine_days_before_the_hotline(big, truth_of):
    truth = truth_of(big, "garage_key")
    calls = [row for row in truth["feedback"] if row["part"] == "hotline"]
    lead = (date.fromisoformat(truth["hotline_rises"]) - date.fromisoformat(truth["posted"])).days
    assert lead == 9 and min(row["week"] for row in calls) == "2026-W41"
    posts = [json.loads(line) for path in sorted((big / "car_forum").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    root = next(row["source_id"] for row in truth["feedback"] if row["part"] == "post")
    replies = [post for post in posts if post["tid"] == root and post["reply_to"] == root]
    first = datetime.fromisoformat(next(post["post_time"] for post in posts if post["pid"] == root))
    assert len(replies) >= 8 and all(datetime.fromisoformat(post["post_time"]) > first for post in replies)


def test_praise_is_deleted_more_often(big, truth_of):
    found = truth_of(big, "deletions")
    rate = {lean: found["deleted"][lean] / found["posts"][lean] for lean in ("-1", "1")}
    assert rate["1"] > 2 * rate["-1"]


def test_a_forged_plate_lives_in_one_province_and_the_script_begins_with_three(make, truth_of):
    folder = make("bank")
    script = [row for row in truth_of(folder, "screen_sharing")["feedback"] if row["part"] == "script"]
    assert Counter(row["week"] for row in script)["2026-W43"] == 3
    assert truth_of(folder, "forged_plates")["province"] == "湖北"
