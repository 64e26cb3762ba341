"""The frame every estimate starts from: feedback of a period with person, thread and codes, one row per feedback."""

from __future__ import annotations

import difflib
from datetime import date, timedelta

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.messages import Told
from voc_lib.store import Store, open_store

UNDATED = "undated"


class PeriodError(Told, ValueError):
    """A period is not an ISO week, or the store holds nothing in it."""


def feedback(
    store: Store | str | None = None, period: str | list[str] | None = None, channel: str | list[str] | None = None, selection: str | None = None
) -> pl.DataFrame:
    """Feedback as the store's snapshot knows it, with `person`, `thread` and `codes` (list of taxonomy codes).

    `period` is an ISO week such as "2020-W24" or a list of them; without it everything, the undated too. `person` is the
    person its keys lead to, else the author, else the feedback itself; an empty `codes` means coded and nothing found. `selection` names a saved
    selection (`voc.save_selection`), with period and channel on top of it.
    Raises PeriodError when the label is not a week.
    """
    store = store if isinstance(store, Store) else open_store(store)
    if selection is not None:
        from voc_lib.measure.held import rows_where, taken
        from voc_lib.measure.selections import asked_for

        return taken(store, rows_where(store, asked_for(store, period, channel, selection)))
    where = [f"iso_week IN ({', '.join(quote(check_week(week)) for week in listed(period))})"] if period is not None else []
    where += [f"channel IN ({', '.join(map(quote, listed(channel)))})"] if channel is not None else []
    rows = store.read("feedback", where=" AND ".join(where) or None).collect()
    return _with_codes(rows, store, where[:1] if period is not None else []).with_columns(
        pl.coalesce("person_id", "author_key", "feedback_id").alias("person"),
        pl.coalesce("thread_id", "feedback_id").alias("thread"),
    ).sort("feedback_id")


def _with_codes(rows: pl.DataFrame, store: Store, where: list[str]) -> pl.DataFrame:
    found = store.sql(
        "SELECT feedback_id, list_sort(list(code) FILTER (code <> '未归类')) AS codes FROM mentions WHERE "
        + " AND ".join([codes_in_force(store), *where]) + " GROUP BY feedback_id"
    )
    empty = pl.lit([], pl.List(pl.String))
    return rows.join(found, on="feedback_id", how="left").with_columns(pl.col("codes").cast(pl.List(pl.String)).fill_null(empty))


def weeks(store: Store | str | None = None) -> pl.DataFrame:
    """Feedback and channels by ISO week, oldest first; the undated are not in it. Columns iso_week, n, channels."""
    store = store if isinstance(store, Store) else open_store(store)
    return store.sql(
        "SELECT iso_week, count(*) AS n, list_sort(list(DISTINCT channel)) AS channels FROM feedback_rows "
        f"WHERE iso_week <> '{UNDATED}' GROUP BY iso_week ORDER BY iso_week"
    )


def undated(store: Store | str | None = None) -> pl.DataFrame:
    """Feedback without a date by channel: it never enters a weekly figure. Columns channel, n."""
    store = store if isinstance(store, Store) else open_store(store)
    return store.sql(f"SELECT channel, count(*) AS n FROM feedback_rows WHERE iso_week = '{UNDATED}' GROUP BY channel ORDER BY channel")


def check_present(store: Store, period: str | list[str] | None = None, channel: str | list[str] | None = None) -> None:
    """Raise PeriodError unless the store holds feedback of every channel named, in at least one of the weeks named.

    Says which weeks or channels there are, so that nobody waits for a page about nothing.
    """
    asked = {check_week(week) for week in listed(period or [])}
    for name in listed(channel or []):
        _check_channel(store, name)
    for name in listed(channel or [None]):
        where = f"channel = {quote(name)}" if name else "true"
        found = store.sql(f"SELECT DISTINCT iso_week FROM feedback_rows WHERE {where} ORDER BY iso_week")["iso_week"].to_list()
        if asked and not asked & set(found):
            dated = [week for week in found if week != UNDATED]
            near = [week for week in dated if week < min(asked)][-3:] + [week for week in dated if week > max(asked)][:3]
            who = f"库「{store.name}」" + (f"的渠道「{name}」" if name else "")
            when = min(asked) if len(asked) == 1 else f"{min(asked)} 到 {max(asked)}"
            if asked == {UNDATED} and found:
                raise PeriodError(f"{who}里没有不带日期的反馈。有数据的周：{'、'.join(dated[-3:])} 等 {len(dated)} 周。")
            there = "它的反馈都没有日期，period 请写 undated。" if found else "库里还没有反馈，先用 voc ingest 导入。"
            raise PeriodError(f"{who}在 {when} 没有任何反馈。" + (f"附近有数据的周：{'、'.join(near)}，请改用其中一周。" if near else there))


def _check_channel(store: Store, name: str) -> None:
    from voc_lib.measure.analyses.health import channels_of

    have = store.sql("SELECT DISTINCT channel FROM feedback_rows ORDER BY channel")["channel"].to_list()
    if name in have:
        return
    contracts = channels_of(store)
    if name in contracts:
        raise PeriodError(f"渠道「{name}」（{contracts[name].title}）有合同，但库「{store.name}」里还没有它的反馈。先用 voc ingest 导入它的数据。")
    near = difflib.get_close_matches(name, have, 1, 0.5)
    hint = f"是否想写「{near[0]}」？" if near else ""
    raise PeriodError(f"没有名为「{name}」的渠道。{hint}库「{store.name}」里有反馈的渠道：{'、'.join(have)}。")


def check_week(label: str) -> str:
    """The label itself when it is an ISO week that exists, or "undated".

    >>> check_week("2020-W53")
    '2020-W53'
    """
    if label != UNDATED:
        monday(label)
    return label


def monday(label: str) -> date:
    """The first day of an ISO week.

    >>> monday("2020-W24").isoformat()
    '2020-06-08'
    """
    try:
        year, week = str(label).split("-W")
        if len(year) != 4 or len(week) != 2:
            raise ValueError
        return date.fromisocalendar(int(year), int(week), 1)
    except ValueError:
        raise PeriodError(f"「{label}」不是一周。请写成年-W周，例如 2020-W24。") from None


def week_of(day: date) -> str:
    return day.strftime("%G-W%V")


def weeks_before(label: str, count: int) -> list[str]:
    """The `count` weeks before a week, oldest first.

    >>> weeks_before("2020-W02", 3)
    ['2019-W51', '2019-W52', '2020-W01']
    """
    return [week_of(monday(label) - timedelta(weeks=k)) for k in range(count, 0, -1)]


def provenance(store: Store, **filters) -> dict:
    """Where a number comes from, for `estimate(..., provenance=...)`."""
    return {"store": store.name, "snapshot": store.snapshot, "filter": {k: v for k, v in filters.items() if v is not None}}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


