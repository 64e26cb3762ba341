"""Who says what where, counted by hand; what must not be read off the table."""

from __future__ import annotations

import polars as pl

from voc_lib.enrich.domain import Domain
from voc_lib.measure.analyses import channel_codes as here
from voc_lib.measure.analyses.channel_codes import channel_codes


def cell(table, code, channel):
    return table.filter((pl.col("code") == code) & (pl.col("channel") == channel)).row(0, named=True)


def test_a_share_is_of_the_people_heard_in_the_channel(rows):
    table = channel_codes(rows("""
        channel  person  codes      times
        site     a       刹车       30
        site     b       .          10
        app      c       刹车       10
        app      d       .          90
    """))
    site, app = cell(table, "刹车", "site"), cell(table, "刹车", "app")
    assert (site["heard"], site["people"], site["estimate"], site["others"]) == (40, 30, 0.75, 0.1)
    assert (app["heard"], app["people"], app["estimate"], app["others"]) == (100, 10, 0.1, 0.75)
    assert abs(site["difference"] - 0.65) < 1e-12 and site["conf_low"] < 0.75 < site["conf_high"]
    assert (site["verdict"], app["verdict"]) == ("above", "below")


def test_one_who_writes_twice_is_one_person(rows):
    once = rows("channel person codes times\n site a 刹车 12\n site b . 8\n app c 刹车 12\n app d . 8")
    twice = pl.concat([once, once.with_columns(feedback_id=pl.col("feedback_id") + "again")])
    assert cell(channel_codes(twice), "刹车", "site")["people"] == 12 and cell(channel_codes(twice), "刹车", "site")["estimate"] == 0.6


def test_noise_is_called_noise(rows):
    table = channel_codes(rows("channel person codes times\n site a 刹车 20\n site b . 80\n app c 刹车 24\n app d . 76"))
    assert table["verdict"].to_list() == ["within_error"] * 2


def test_a_sure_but_tiny_difference_is_too_small(rows):
    # 3 % against 1.5 % of 10,000 people each: p < 0.001, 1.5 points apart, under the floor of 2
    table = channel_codes(rows("channel person codes times\n site a 刹车 300\n site b . 9700\n app c 刹车 150\n app d . 9850"))
    assert table["verdict"].to_list() == ["too_small"] * 2 and table["p_adjusted"].max() < 0.001


def test_few_are_withheld_and_cannot_be_had_from_the_other_side(rows):
    table = channel_codes(rows("channel person codes times\n site a 刹车 30\n site b . 20\n app c 刹车 3\n app d . 97"))
    site, app = cell(table, "刹车", "site"), cell(table, "刹车", "app")
    assert app["people"] is None and app["estimate"] is None and app["conf_high"] is None
    # the others of `site` are the three people of `app`
    assert site["estimate"] == 0.6 and site["others"] is None and site["difference"] is None and site["p_adjusted"] is None


def test_nobody_is_nought_with_an_upper_limit_and_a_thin_channel_says_nothing(rows):
    table = channel_codes(rows("channel person codes times\n site a 刹车 30\n site b . 20\n app d . 100\n shop e . 9"))
    app, shop = cell(table, "刹车", "app"), cell(table, "刹车", "shop")
    # Wilson, 0 of 100: 1.96^2 / (100 + 1.96^2) = 3.70 %
    assert (app["people"], app["estimate"], round(app["conf_high"], 4)) == (0, 0.0, 0.037)
    assert shop["heard"] is None and shop["estimate"] is None and shop["verdict"] == "suppressed"


def test_a_code_that_ten_people_nowhere_mention_is_left_out(rows):
    table = channel_codes(rows("channel person codes times\n site a 刹车 9\n app c 刹车 9\n app d 异响 10"))
    assert table["code"].unique().to_list() == ["异响"]
    assert channel_codes(rows("channel person codes\n site a .").clear()).height == 0


def test_a_channel_that_is_not_coded_for_a_system_is_no_nought_and_no_other(rows, monkeypatch):
    class Shelf:
        about = {"domain": "made"}

    scoped = Domain("made", "", ("made",), (), (), (), scopes=(("shop", ("物流",)),))
    monkeypatch.setattr(here, "load_domain", lambda folder, name: scoped)
    table = channel_codes(rows("""
        channel  person  codes        times
        site     a       制动-刹车-响  20
        site     b       .            20
        app      c       制动-刹车-响  10
        app      d       .            30
        shop     e       物流-送货-慢  15
        shop     f       .            500
    """), Shelf())
    shop = cell(table, "制动-刹车-响", "shop")
    assert shop["verdict"] == "unread" and shop["estimate"] is None and shop["people"] is None
    assert cell(table, "制动-刹车-响", "site")["others"] == 0.25    # 10 of 40 in app; shop's 515 do not count
