"""Did it fall: the number of an action's week against now, judged like any other change."""

import polars as pl

from voc_lib.measure.analyses.follow_up import follow_up


def due(*rows):
    return pl.DataFrame([{"week": week, "finding": finding, "what": "查"} for week, finding in rows], schema={"week": pl.String, "finding": pl.String, "what": pl.String})


def test_a_fall_a_standstill_and_what_cannot_be_compared(week_of):
    weeks = [week_of(f"2026-W{week}", {"异响": 40, "油耗": 30}, silent=130) for week in range(30, 45)]
    current = week_of("2026-W46", {"异响": 8, "油耗": 31}, silent=161)
    found = follow_up(due(("2026-W44", "code:异响"), ("2026-W44", "code:油耗"), ("2026-W44", "new:唱歌"), ("2020-W01", "code:异响"), ("2026-W44", "code:没有")),
                      current, pl.concat(weeks), "2026-W46")
    assert found["people_then"].to_list() == [40, 30, None, None, 0] and found["people_now"].to_list() == [8, 31, None, None, 0]
    assert found["verdict"].to_list() == ["fall", "within_error", None, None, "within_error"]
    assert found["why"].to_list()[2:] == ["这类发现不能按周比较", "那一周不在这一页读的范围里", "两周都没有人提到"]
    assert found["what"].to_list() == ["查"] * 5


def test_only_channels_heard_in_both_weeks_count(week_of):
    then = pl.concat([week_of("2026-W44", {"异响": 30}, silent=70), week_of("2026-W44", {"异响": 50}, silent=0, channel="gone")])
    found = follow_up(due(("2026-W44", "code:异响")), week_of("2026-W46", {"异响": 30}, silent=70), then, "2026-W46")
    assert found.select("people_then", "people_now", "verdict").row(0) == (30, 30, "within_error")


def test_without_actions_the_columns_are_there(week_of):
    found = follow_up(due(), week_of("2026-W46", {"异响": 8}), week_of("2026-W45", {"异响": 8}), "2026-W46")
    assert found.is_empty() and {"people_then", "verdict", "why"} <= set(found.columns)
