"""Feedback picked by what an analyst asks for: a code, a product, a region, a rating, words."""

from __future__ import annotations

from difflib import get_close_matches

import polars as pl

from voc_lib.measure.feedback import UNDATED, check_week, week_of, monday, weeks_before
from voc_lib.messages import Told

WORDS_IN = ("verbatim", "title", "followup")
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
    both included; unrated feedback stays only while neither end is moved. `word`: every word (separated by spaces) must stand in
    verbatim, title or followup; capitals and full-width forms do not matter. Raises FilterError on a code, product
    or region that is not in the frame, with the nearest names.
    """
    kept = frame
    if code:
        _known("code", code, _places(frame), "问题")
        below = pl.element().eq(code) | pl.element().str.starts_with(f"{code}-")
        kept = kept.filter(pl.col("codes").list.eval(below).list.any())
    for column, value, title in (("product", product, "产品"), ("region", region, "地区")):
        if value:
            _known(column, value, frame[column].drop_nulls().unique().sort().to_list(), title)
            kept = kept.filter(pl.col(column) == value)
    if len(rating) != 2 or rating[0] > rating[1]:
        raise FilterError(f"评分要写成「下限,上限」，下限不高于上限，例如 rating=1,2；这里是 {'、'.join(f'{end:g}' for end in rating)}。")
    if rating[0] > 0 or rating[1] < BEST:
        stars = BEST * pl.col("rating") / pl.col("rating_scale")
        kept = kept.filter(stars.is_between(rating[0] - ROUNDING, rating[1] + ROUNDING))
    for part in _plain(pl.Series([word])).item().split():
        kept = kept.filter(pl.any_horizontal(_plain(pl.col(name).fill_null("")).str.contains(part, literal=True) for name in WORDS_IN))
    return kept


def _plain(text):
    return text.str.normalize("NFKC").str.to_lowercase()


def _places(frame: pl.DataFrame) -> list[str]:
    """Every code of the frame and every place above it."""
    found = frame["codes"].explode(empty_as_null=False, keep_nulls=False).unique().sort().to_list()
    return sorted({"-".join(code.split("-")[:depth]) for code in found for depth in range(1, code.count("-") + 2)})


def _known(column: str, value: str, have: list[str], title: str) -> None:
    if value in have:
        return
    near = get_close_matches(value, have, n=3, cutoff=0.4)
    listed = f"是否想写{'、'.join(f'「{name}」' for name in near)}？" if near else f"现有：{'、'.join(have[:12]) or '无'}{'……' if len(have) > 12 else ''}。"
    raise FilterError(f"这一段时间的反馈里没有{title}「{value}」（参数 {column}）。{listed}")
