"""Like with like: which earlier week, and which channels, may this period be compared with?

An export that starts, stops or skips a week moves every share without anybody having changed his mind.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from voc_lib.measure.coverage import say_uneven, uneven
from voc_lib.measure.history import earlier_weeks

# A week is complete when the channels heard in it hold 95 % of this period's feedback: a channel with a
# handful of posts may be silent for a week without the week being a gap.
COMPLETE = 0.95


def match_baseline(
    current: pl.DataFrame, history: pl.DataFrame, period: str, titles: dict[str, str] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, str | None, str]:
    """(now, then, past, baseline_period, note): the period and its baseline on the channels heard in both.

    The baseline is the week before `period` ("2020-W24"); where none of the current channels was heard in
    it, the last week in which one was. `past`: the year before `period` on the same channels, weeks without
    most of them left out. note (Chinese, "" if none) names channels left out, gaps and partly covered
    weeks, with the titles given. Without any earlier feedback `then` and `past` are empty and baseline_period None.
    """
    earlier = earlier_weeks(history, period)
    here = set(current["channel"].unique())
    usable = earlier.filter(pl.col("channel").is_in(list(here)))
    if usable.is_empty() or current.is_empty():
        return current, usable.clear(), usable.clear(), None, "没有更早的同渠道反馈可比" if current.height else "本期没有反馈"
    label = usable["iso_week"].max()
    then = earlier.filter(pl.col("iso_week") == label)
    kept = here & set(then["channel"].unique())
    now = current.filter(pl.col("channel").is_in(list(kept)))
    past = _complete(usable.filter(pl.col("channel").is_in(list(kept))), now)
    notes = []
    if label != previous_week(period):
        notes.append(f"{previous_week(period)}没有同渠道的反馈，改与{label}比较")
    notes += _left_out(here - kept, f"{label}没有反馈", titles)
    notes += _left_out(set(then["channel"].unique()) - kept, "本期没有反馈", titles)
    then = then.filter(pl.col("channel").is_in(list(kept)))
    return now, then, past, label, "；".join(notes + _partial(now, then))


def match_year(current: pl.DataFrame, history: pl.DataFrame, period: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, str | None]:
    """(now, then, past, label): the period and the same week a year earlier, on the channels heard in both; for 同比.

    label is None, and `then` empty, where no channel of now was heard in that week. `past`: the weeks between, on the same channels.
    """
    label = year_before(period)
    earlier = earlier_weeks(history, period)
    then = earlier.filter((pl.col("iso_week") == label) & pl.col("channel").is_in(current["channel"].unique().to_list()))
    kept = pl.col("channel").is_in(then["channel"].unique().to_list())
    now, past = current.filter(kept), earlier.filter(kept)
    return now, then, past, label if then.height else None


def year_before(period: str) -> str:
    """The same ISO week of the year before; of a week 53 that it lacks, the week 52 weeks earlier.

    >>> year_before("2026-W46"), year_before("2020-W53"), year_before("2021-W01")
    ('2025-W46', '2019-W52', '2020-W01')
    """
    year, week = int(period[:4]) - 1, int(period[6:])
    try:
        return date.fromisocalendar(year, week, 1).strftime("%G-W%V")
    except ValueError:
        return (date.fromisoformat(f"{period}-1") - timedelta(days=52 * 7)).strftime("%G-W%V")


def previous_week(period: str) -> str:
    """The ISO week before.

    >>> previous_week("2021-W01")
    '2020-W53'
    """
    return (date.fromisoformat(f"{period}-1") - timedelta(days=7)).strftime("%G-W%V")


def last_weeks(period: str, count: int) -> list[str]:
    """The `count` ISO weeks that end with `period`, oldest first.

    >>> last_weeks("2021-W01", 2)
    ['2020-W53', '2021-W01']
    """
    start = date.fromisoformat(f"{period}-1")
    return [(start - timedelta(days=7 * back)).strftime("%G-W%V") for back in reversed(range(count))]


def _complete(past: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    weight = now.group_by("channel").agg((pl.len() / now.height).alias("weight"))
    heard = past.select("iso_week", "channel").unique().join(weight, on="channel", how="left")
    whole = heard.group_by("iso_week").agg(pl.col("weight").sum()).filter(pl.col("weight") >= COMPLETE)
    return past.filter(pl.col("iso_week").is_in(whole["iso_week"].to_list()))


def _left_out(channels: set[str], why: str, titles: dict[str, str] | None) -> list[str]:
    names = "、".join((titles or {}).get(name, name) for name in sorted(channels))
    return [f"{names}{why}，未参与比较"] if names else []


def _partial(now: pl.DataFrame, then: pl.DataFrame) -> list[str]:
    days = uneven(now, then)
    return [say_uneven(days)] if days else []
