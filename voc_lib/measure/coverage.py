"""How much of a period an export covers: a week of three days is not a quiet week."""

from __future__ import annotations

import polars as pl

# With this much feedback a week has about ten a day: a day without any is missing, not quiet.
ENOUGH = 70
# A day counts as covered from a tenth of an average day on: the edges of an export carry stragglers.
FAINT = 0.1
# 7 days against 6 may be compared, 7 against 5 or 4 against 3 not.
UNEVEN = 1.25


def covered_days(frame: pl.DataFrame) -> int | None:
    """Days on which the frame's feedback really arrived; None where there is too little to tell."""
    if "local_date" not in frame.columns or frame.height < ENOUGH:
        return None
    days = frame.drop_nulls("local_date").group_by("local_date").len()["len"]
    return int((days >= FAINT * days.mean()).sum()) if len(days) else None


def uneven(a: pl.DataFrame, b: pl.DataFrame) -> tuple[int, int] | None:
    """(days of a, days of b) where they differ so much that counts must not be compared; else None."""
    days = covered_days(a), covered_days(b)
    if None in days or max(days) < UNEVEN * min(days):
        return None
    return days


def say_uneven(days: tuple[int, int]) -> str:
    """The note a reader gets.

    >>> say_uneven((4, 3))
    '本期4天有数据，上一期3天，数量不可直接相比'
    """
    return f"本期{days[0]}天有数据，上一期{days[1]}天，数量不可直接相比"
