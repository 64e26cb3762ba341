"""Like with like: gaps, exports that start or stop, weeks half covered."""

import polars as pl

from voc_lib.measure.compare import compare
from voc_lib.measure.coverage import covered_days, uneven
from voc_lib.measure.analyses.baseline import last_weeks, match_baseline


def test_the_week_before_needs_no_note(week_of):
    past = pl.concat([week_of("2020-W22", {}, silent=20), week_of("2020-W23", {}, silent=20)])
    now, then, history, label, note = match_baseline(week_of("2020-W24", {}, silent=30), past, "2020-W24")
    assert (now.height, then.height, history.height, label, note) == (30, 20, 40, "2020-W23", "")


def test_a_gap_is_said_and_stepped_over(week_of):
    past = pl.concat([week_of("2020-W20", {}, silent=20), week_of("2020-W23", {}, silent=20, channel="shop")])
    _, then, _, label, note = match_baseline(week_of("2020-W24", {}, silent=30), past, "2020-W24")
    assert label == "2020-W20" and set(then["channel"]) == {"forum"}
    assert note == "2020-W23没有同渠道的反馈，改与2020-W20比较"


def test_an_export_that_starts_or_stops_is_named_and_left_out(week_of):
    past = pl.concat([week_of("2020-W23", {}, silent=20), week_of("2020-W23", {}, silent=9, channel="shop")])
    current = pl.concat([week_of("2020-W24", {}, silent=30), week_of("2020-W24", {}, silent=99, channel="site")])
    titles = {"site": "投诉网站", "shop": "商城"}
    now, then, history, _, note = match_baseline(current, past, "2020-W24", titles)
    assert {*now["channel"], *then["channel"], *history["channel"]} == {"forum"}
    assert note == "投诉网站2020-W23没有反馈，未参与比较；商城本期没有反馈，未参与比较"


def test_history_keeps_whole_weeks_only_but_forgives_a_tiny_channel(week_of):
    both = [week_of("2020-W22", {}, silent=50), week_of("2020-W22", {}, silent=50, channel="site")]
    past = pl.concat([week_of("2020-W21", {}, silent=50), *both, *(part.with_columns(iso_week=pl.lit("2020-W23")) for part in both)])
    even = pl.concat([week_of("2020-W24", {}, silent=50), week_of("2020-W24", {}, silent=50, channel="site")])
    assert set(match_baseline(even, past, "2020-W24")[2]["iso_week"]) == {"2020-W22", "2020-W23"}
    tiny = pl.concat([week_of("2020-W24", {}, silent=98), week_of("2020-W24", {}, silent=2, channel="site")])
    assert set(match_baseline(tiny, past, "2020-W24")[2]["iso_week"]) == {"2020-W21", "2020-W22", "2020-W23"}


def test_a_week_half_covered_is_said(week_of):
    full, part = week_of("2020-W24", {}, silent=280), week_of("2020-W23", {}, silent=280)
    part = part.filter(pl.col("local_date") < pl.col("local_date").min() + pl.duration(days=2))
    assert match_baseline(full, part, "2020-W24")[4] == "本期7天有数据，上一期2天，数量不可直接相比"
    row = compare(full, part, "people").row(0, named=True)
    assert (row["verdict"], row["difference"], row["note"]) == ("suppressed", None, "本期7天有数据，上一期2天，数量不可直接相比")
    assert row["estimate"] == 280  # what each period says by itself stays
    assert compare(full, part, "code_share", by="code").height == 0  # shares may be compared: they are of those heard


def test_a_quiet_channel_is_not_called_half_covered(week_of):
    busy, quiet = week_of("2020-W24", {}, silent=40), week_of("2020-W23", {}, silent=9)
    assert covered_days(quiet) is None and uneven(busy, quiet) is None


def test_a_straggler_is_not_a_day(week_of):
    whole = week_of("2020-W24", {}, silent=140)
    days = whole["local_date"].unique().sort()
    holes = pl.concat([whole.filter(~pl.col("local_date").is_in(days[2:4].to_list())), whole.filter(pl.col("local_date") == days[2]).head(1)])
    assert (covered_days(whole), covered_days(holes)) == (7, 5)


def test_nothing_before_and_nothing_now(week_of):
    now = week_of("2020-W24", {}, silent=3)
    undated = now.with_columns(iso_week=pl.lit("undated"))
    assert match_baseline(now, undated, "2020-W24")[3:] == (None, "没有更早的同渠道反馈可比")
    assert match_baseline(now.clear(), undated, "2020-W24")[3:] == (None, "本期没有反馈")


def test_weeks_over_new_year():
    assert last_weeks("2021-W02", 4) == ["2020-W52", "2020-W53", "2021-W01", "2021-W02"]
