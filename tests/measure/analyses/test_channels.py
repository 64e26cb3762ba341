"""Channels side by side, counted by hand."""

import polars as pl

from voc_lib.measure.analyses.channels import channel_overview


def test_one_row_per_channel(rows):
    current = rows("""
        channel  person  codes      rating  customer_id  author_key  times
        site     a       刹车       -       c1           -           12
        site     b       刹车,异响  -       -            -           3
        shop     c       .          1       -            k           4
        shop     d       异响       5       -            k           8
        forum    e       刹车       -       -            k           9
    """)
    current = pl.concat([current, current.filter(pl.col("person") == "d0").with_columns(feedback_id=pl.lit("again"))])
    baseline = rows("channel person times\n site x 15\n shop y 13\n app z 30")
    table = channel_overview(current, baseline, {"site": "投诉网站", "shop": "商城"})
    assert table["channel"].to_list() == ["site", "shop", "forum", "app"]
    site, shop, forum, app = table.rows(named=True)
    assert (site["title"], site["volume"], site["people"], site["verdict"]) == ("投诉网站", 15, 15, "within_error")
    assert (site["top_code"], site["top_code_people"], site["coded_share"]) == ("刹车", 15, 1.0)
    assert site["linked_share"] == 12 / 15 and site["no_author_share"] == 3 / 15 and site["low_rating_share"] is None
    # the person who wrote twice counts once in the share of low ratings: 4 of 12
    assert (shop["volume"], shop["people"], shop["top_code"]) == (13, 12, None)
    assert abs(shop["low_rating_share"] - 4 / 12) < 1e-12 and abs(shop["coded_share"] - 9 / 13) < 1e-12
    assert forum["title"] == "forum" and forum["volume"] == 9 and forum["people"] is None and forum["top_code"] is None
    assert forum["note"] == "上一期没有反馈，变化不作判断；不足10人，不单列" and forum["verdict"] == "suppressed"
    assert (app["volume"], app["volume_baseline"], app["note"], app["verdict"]) == (0, 30, "本期没有反馈", "suppressed")


def test_volume_is_judged_against_how_weeks_swing(week_of):
    calm = pl.concat([week_of(f"2020-W{at}", {}, silent=100) for at in range(10, 24)])
    wild = pl.concat([week_of(f"2020-W{at}", {}, silent=100 + 80 * (at % 2)) for at in range(10, 24)])
    now, then = week_of("2020-W24", {}, silent=160), week_of("2020-W23", {}, silent=100)
    assert channel_overview(now, then, {}, calm)["verdict"].item() == "rise"
    assert channel_overview(now, then, {}, wild)["verdict"].item() == "within_error"


def test_no_feedback_no_rows(week_of):
    empty = week_of("2020-W24", {}, silent=1).clear()
    assert channel_overview(empty, empty, {}).height == 0
