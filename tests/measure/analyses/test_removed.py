"""What platforms removed tilts the picture one way, the other, or not at all; counted by hand. And what arrives late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from voc_lib.measure.analyses.removed import late, removed

START = datetime(2026, 9, 7, 12, tzinfo=UTC)
NUMBERS = {"rating": pl.Float64, "rating_scale": pl.Float64, "deleted": pl.Boolean}


def rated(kept_low, kept, gone_low, gone, channel="app", product="A", person=None):
    """So many ratings on either side, the first of them low; one person each unless named."""
    rows = [(1.0 if n < low else 5.0, side == "gone") for side, low, whole in (("kept", kept_low, kept), ("gone", gone_low, gone)) for n in range(whole)]
    return pl.DataFrame({"rating": [r for r, _ in rows], "deleted": [d for _, d in rows], "feedback_id": [f"{channel}{product}{n}" for n in range(len(rows))]}).with_columns(
        pl.lit(channel).alias("channel"), pl.lit(product).alias("product"), pl.lit(5.0).alias("rating_scale"), pl.lit(None, pl.String).alias("customer_id"),
        pl.lit("k").alias("author_key"), (pl.lit(person) if person else pl.col("feedback_id")).alias("person"), pl.col("feedback_id").alias("thread")).cast(NUMBERS)


@pytest.mark.parametrize(("numbers", "tilt", "whole"), [
    ((100, 200, 10, 100), "more", 110 / 300),  # half of what is left rates low, a tenth of what is gone
    ((20, 200, 50, 100), "fewer", 70 / 300),
    ((50, 100, 26, 50), "within_error", 76 / 150),
    ((9_000, 90_000, 1_100, 10_000), "too_small", 10_100 / 100_000),  # ten and eleven per cent
])
def test_which_way_the_picture_tilts(numbers, tilt, whole):
    kept_low, kept, gone_low, gone = numbers
    row = removed(rated(*numbers)).row(0, named=True)
    assert (row["tilt"], row["product"], row["people"]) == (tilt, None, kept + gone)
    assert [row[name] for name in ("kept_share", "gone_share", "rows_share", "deleted_share", "whole_share")] == pytest.approx(
        [kept_low / kept, gone_low / gone, gone / (kept + gone), gone / (kept + gone), whole])
    assert row["difference"] == pytest.approx(kept_low / kept - gone_low / gone)
    assert row["kept_low"] < row["kept_share"] < row["kept_high"] and row["deleted_low"] < row["deleted_share"] < row["deleted_high"]


def test_too_few_on_one_side_are_withheld_with_all_that_would_give_them_away():
    row = removed(rated(50, 100, 3, 9)).row(0, named=True)
    assert row["tilt"] == "suppressed" and row["kept_share"] == 0.5
    assert [row[name] for name in ("gone_share", "gone_low", "whole_share", "difference")] == [None] * 4
    assert removed(rated(2, 5, 1, 4)).select("people", "rows_share", "deleted_share", "tilt").row(0) == (None, None, None, "suppressed")


def test_one_person_with_many_deleted_reviews_counts_once():
    many = pl.concat([rated(10, 20, 5, 20), rated(0, 0, 60, 60, product="A", person="one").with_columns(pl.col("feedback_id") + "x")])
    row = removed(many).row(0, named=True)
    assert (row["people"], row["rows_share"]) == (41, 0.8)
    assert row["gone_share"] == pytest.approx(6 / 21) and row["deleted_share"] == pytest.approx(21 / 41)


def test_products_stand_below_their_channel_and_silent_sources_are_left_out():
    frame = pl.concat([rated(100, 200, 10, 100, product="A"), rated(10, 200, 50, 100, product="B"), rated(3, 5, 0, 0, product="C"),
                       rated(10, 20, 0, 0, channel="site").with_columns(pl.lit(None, pl.Boolean).alias("deleted"))])
    found = removed(frame)
    assert found.select("channel", "product", "tilt").rows() == [("app", None, "within_error"), ("app", "A", "more"), ("app", "B", "fewer")]  # 28 % and 30 %: they cancel out
    assert removed(frame.filter(pl.col("channel") == "site")).is_empty()


def test_late_is_what_was_said_after_the_first_export_and_seen_long_after():
    said = [START - timedelta(days=30), START - timedelta(days=1), *(START + timedelta(days=n) for n in range(10))]
    seen = [START, START, *(START + timedelta(days=20 if n < 3 else 11) for n in range(10))]
    frame = pl.DataFrame({"channel": ["app"] * 12 + ["site"] * 2, "occurred_at": [*said, START, None], "first_seen": [*seen, START, START]})
    app, site = late(frame, 14).iter_rows(named=True)
    # said on day 0, 1, 2 and seen on day 20; the others seen on day 11
    assert (app["feedback"], app["before"], app["late"], app["late_share"]) == (10, 2, 3, 0.3) and app["median_days"] == pytest.approx(6.5)  # 2 to 8 days, and 18, 19, 20
    assert (site["feedback"], site["before"], site["late"], site["late_share"]) == (1, 0, None, None)
    assert late(frame.clear()).is_empty()


def test_the_shared_app_stores_give_the_shares_known_of_them(home, shared):
    from voc_lib.collect.ingest import ingest
    from voc_lib.measure.feedback import feedback

    exports = shared / "data"
    if not (exports / "appstore").is_dir():
        pytest.skip("shared/data/appstore 不在本机")
    ingest("pub", exports, "public_auto")
    reviews = feedback("pub", channel="app_store")
    by_row = dict(reviews.filter(pl.col("product") == "海尔智家").group_by("deleted").agg((pl.col("rating") <= 2).mean()).rows())
    assert {gone: round(share, 2) for gone, share in by_row.items()} == {False: 0.48, True: 0.17} and round(by_row[False], 3) == 0.476
    found = {row["product"]: row for row in removed(reviews).iter_rows(named=True)}
    assert {name: round(row["rows_share"], 2) for name, row in found.items() if name} == {"海尔智家": 0.37, "小米商城": 0.30, "米家": 0.24}
    haier = found["海尔智家"]
    assert (round(haier["kept_share"], 3), round(haier["gone_share"], 2), haier["tilt"]) == (0.475, 0.16, "more")  # of people: 47.5 % and 15.6 %
