"""Feedback picked by what an analyst asks for: a code, a product, a region, a rating, words."""

from __future__ import annotations

from difflib import get_close_matches

import polars as pl

from voc_lib.engine import connect, quote
from voc_lib.measure.boolean import condition
from voc_lib.measure.feedback import UNDATED, check_week, listed, monday, week_of, weeks_before
from voc_lib.measure.held import spoken
from voc_lib.messages import Told

FILTERED = ("codes", "product", "region", "rating", "rating_scale")
BEST = 5.0  # ratings are compared on five points, whatever their scale
ROUNDING = 1e-9  # 3 of 10 is 1.5 of 5 also in floating point


class FilterError(Told, ValueError):
    """A filter asks for something that the feedback at hand does not have."""


def weeks_until(period: str, count: int) -> list[str] | None:
    """The `count` ISO weeks that end with `period`, for `feedback`; "undated" stays itself, "" is everything (None).

    >>> weeks_until("2021-W01", 2)
    ['2020-W53', '2021-W01']
    """
    if not period:
        return None
    if check_week(period) == UNDATED:
        return [UNDATED]
    return [*weeks_before(period, max(count, 1) - 1), week_of(monday(period))]


def search_feedback(
    frame: pl.DataFrame, code: str = "", product: str = "", region: str = "", rating: tuple[float, float] = (0.0, BEST), word: str = ""
) -> pl.DataFrame:
    """The rows of a feedback frame that fit every filter given; an empty filter lets everything through.

    `code` is a place in the taxonomy and all below it ("车机", "车机-系统"). `rating`: lowest and highest, on five points,
    both included; unrated feedback stays only while neither end is moved. `word`: a search as `voc.find` reads it ("异响 NOT 车机") over
    title, verbatim and followup. Raises FilterError on a code, product or region that is not in the frame, with the nearest names.
    """
    if code:
        check_known("code", code, places(frame["codes"].explode(empty_as_null=False, keep_nulls=False).unique().to_list()), "问题")
    for column, value, title in (("product", product, "产品"), ("region", region, "地区")):
        if value:
            check_known(column, value, frame[column].drop_nulls().unique().sort().to_list(), title)
    check_rating(rating)
    asked = conditions(word, code=code, product=product, region=region, rating=rating)
    if not asked:
        return frame
    connection = connect()
    texts = [spoken(frame)] if word.strip() else []
    connection.register("searched", frame.select(name for name in FILTERED if name in frame.columns).with_columns(texts).with_row_index("row"))
    return frame.filter(connection.sql(f"SELECT {' AND '.join(asked)} AS fits FROM searched ORDER BY row").pl()["fits"])


def conditions(
    *queries: str, period: str | list[str] | None = None, channel: str | list[str] | None = None, code: str = "", product: str = "", region: str = "",
    rating: tuple[float, float] = (0.0, BEST),
) -> list[str]:
    """What is asked for, as SQL conditions on a feedback frame that has the `text` a search reads; what is empty asks for nothing."""
    asked = [condition(query) for query in queries if query.strip()]
    asked += [f"iso_week IN ({', '.join(quote(check_week(week)) for week in listed(period))})"] if period is not None else []
    asked += [f"channel IN ({', '.join(map(quote, listed(channel)))})"] if channel is not None else []
    asked += [f"len(list_filter(codes, lambda place: place = {quote(code)} OR starts_with(place, {quote(code + '-')}))) > 0"] if code else []
    asked += [f"{column} = {quote(value)}" for column, value in (("product", product), ("region", region)) if value]
    if rating[0] > 0 or rating[1] < BEST:
        asked.append(f"coalesce({BEST} * rating / rating_scale BETWEEN {rating[0] - ROUNDING!r} AND {rating[1] + ROUNDING!r}, false)")
    return asked


def check_rating(rating: tuple[float, float]) -> None:
    if len(rating) != 2 or rating[0] > rating[1]:
        raise FilterError(f"评分要写成「下限,上限」，下限不高于上限，例如 rating=1,2；这里是 {'、'.join(f'{end:g}' for end in rating)}。")


def places(codes: list[str]) -> list[str]:
    """Those codes and every place above them."""
    return sorted({"-".join(code.split("-")[:depth]) for code in codes for depth in range(1, code.count("-") + 2)})


def check_known(column: str, value: str, have: list[str], title: str, where: str = "这一段时间的反馈里") -> None:
    if value in have:
        return
    near = get_close_matches(value, have, n=3, cutoff=0.4)
    said = f"是否想写{'、'.join(f'「{name}」' for name in near)}？" if near else f"现有：{'、'.join(have[:12]) or '无'}{'……' if len(have) > 12 else ''}。"
    raise FilterError(f"{where}没有{title}「{value}」（参数 {column}）。{said}")
