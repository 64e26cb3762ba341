"""What moved, in which order, against which usual range."""

import polars as pl
import pytest

from voc_lib.measure.analyses.movers import movers


@pytest.fixture
def story(week_of):
    """Eleven steady weeks, then brakes jump, seats stay, a noise appears; screens have always swung."""

    def week(at: int, **codes: int) -> pl.DataFrame:
        return week_of(f"2020-W{at}", codes, silent=200 - sum(codes.values()))

    past = [week(at, 刹车=20 + at % 2, 座椅=30, 屏幕=15 + 25 * (at % 2)) for at in range(13, 24)]
    return week(24, 刹车=60, 座椅=31, 屏幕=17, 异响=15), pl.concat(past)


def test_the_jump_comes_first_with_its_past_and_its_band(story):
    table = movers(*story, "2020-W24")
    assert table["code"].to_list() == ["刹车", "异响", "屏幕", "座椅"]
    assert table["verdict"].to_list() == ["rise", "rise", "within_error", "within_error"]
    first = table.row(0, named=True)
    assert (first["people"], first["people_baseline"], first["baseline_period"]) == (60, 21, "2020-W23")
    assert first["share"] == 0.3 and first["difference"] == pytest.approx(0.195) and first["note"] == ""
    assert first["series_weeks"][0] == "2020-W13" and first["series"] == [21, 20] * 5 + [21, 60]
    assert 8 <= first["band_low"] < 20.5 < first["band_high"] < 60


def test_the_band_is_wide_where_weeks_swing_and_low_for_what_is_new(story):
    bands = {row["code"]: row for row in movers(*story, "2020-W24").rows(named=True)}
    width = {code: row["band_high"] - row["band_low"] for code, row in bands.items()}
    assert width["屏幕"] > 1.3 * width["座椅"]
    assert bands["异响"]["band_low"] == 0 and bands["异响"]["band_high"] < 5
    assert bands["异响"]["series"] == [0] * 11 + [15]


def test_the_band_follows_how_many_were_heard(story):
    current, past = story
    half = current.group_by("codes", maintain_order=True).agg(pl.all().head(pl.len() // 2)).explode(pl.exclude("codes"))
    whole, smaller = (movers(side, past, "2020-W24").filter(pl.col("code") == "座椅") for side in (current, half))
    assert smaller["band_high"].item() < 0.75 * whole["band_high"].item()


def test_at_most_n_and_the_order_of_rows_does_not_matter(story):
    current, past = story
    top = movers(current, past, "2020-W24", n=2)
    mixed = movers(current.sample(fraction=1, shuffle=True, seed=1), past.sample(fraction=1, shuffle=True, seed=2), "2020-W24", n=2)
    assert top["code"].to_list() == ["刹车", "异响"] and top.equals(mixed)


def test_gaps_are_null_in_the_series_and_told(story):
    current, past = story
    table = movers(current, past.filter(~pl.col("iso_week").is_in(["2020-W15", "2020-W23"])), "2020-W24")
    first = table.row(0, named=True)
    assert first["series"][2] is None and first["series"][10] is None and first["baseline_period"] == "2020-W22"
    assert first["note"] == "2020-W23没有同渠道的反馈，改与2020-W22比较"


def test_short_history_has_no_band_and_says_so(story):
    current, past = story
    first = movers(current, past.filter(pl.col("iso_week") >= "2020-W22"), "2020-W24").row(0, named=True)
    assert first["band_low"] is None and first["note"] == "历史不足3周，周间波动按经验值估计；不画正常范围"


def test_a_new_export_does_not_make_movers(story, week_of):
    current, past = story
    loud = pl.concat([current, week_of("2020-W24", {"座椅": 300}, channel="site")])
    table = movers(loud, past, "2020-W24", titles={"site": "投诉网站"})
    assert table.filter(pl.col("code") == "座椅")["verdict"].item() == "within_error"
    assert table["note"][0] == "投诉网站2020-W23没有反馈，未参与比较"


def test_few_voices_and_first_weeks_list_nothing(week_of):
    now, past = week_of("2020-W24", {"刹车": 9}, silent=50), week_of("2020-W23", {"刹车": 2}, silent=50)
    assert movers(now, past, "2020-W24").height == 0
    empty = movers(now, past.clear(), "2020-W24")
    assert empty.height == 0 and empty.columns == movers(now, past, "2020-W24").columns


def test_people_instead_of_shares_and_channels_instead_of_codes(story):
    current, past = story
    people = movers(current, past, "2020-W24", metric="people").row(0, named=True)
    assert people["code"] == "刹车" and people["share"] == 60 and people["band_high"] < 60
    channels = movers(current, past, "2020-W24", by="channel").row(0, named=True)
    assert channels["channel"] == "forum" and channels["people"] == 200 and channels["band_low"] is None
