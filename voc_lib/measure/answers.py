"""The door of every number: which feedback answers, in which group, by whom.

Errors are for the analyst and in Chinese; behind this door everything is keyed by small integers, so that a
million feedback with sixty codes stay quick.
"""

from __future__ import annotations

from difflib import get_close_matches

import polars as pl

from voc_lib.contracts import Metric

RESERVED = ("metric", "kind", "estimate", "std_error", "conf_low", "conf_high", "n", "people", "effective_n")
RESERVED += ("linked_share", "note", "provenance")
KEYS = ("person", "thread", "person_id", "customer_id", "author_key", "thread_id", "feedback_id")


def columns_by(frame: pl.DataFrame, by: str | list[str] | None) -> list[str]:
    """`by` as a list of columns that exist; "code" stands for the entries of `codes`.

    Raises ValueError (Chinese) for a column that is missing, repeated or reserved.
    """
    wanted = [] if by is None else [by] if isinstance(by, str) else list(by)
    available = [name for name in frame.columns if name not in RESERVED]
    if "codes" in available:
        available.append("code")
    for name in wanted:
        if name not in available:
            near = get_close_matches(str(name), available, n=1, cutoff=0.5)
            guess = f"是否想写「{near[0]}」？" if near else ""
            raise ValueError(f"无法按「{name}」分组：数据里没有这一列。{guess}现有的列：{'、'.join(available)}。")
    if len(set(wanted)) < len(wanted):
        raise ValueError(f"分组列重复：{'、'.join(wanted)}。每列只写一次。")
    return wanted


def answers(
    frame: pl.DataFrame, metric: Metric, by: list[str], weights: str | None = None, slices: str | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """(rows, groups, codes): the feedback in the metric's base, and the lookups from integers to names.

    rows: slice, group, person, thread (UInt32), x, w (Float64), linked, anonymous (Boolean), and codes where
    `by` has code. groups: group and the `by` columns but code, as place_0, place_1, ... (`labels` names them
    again: an analyst's column may be called anything). codes: code and code_name.
    `slices` names an integer column that keeps periods or weeks apart. `weights` names a column; feedback
    without a weight leaves. Raises ValueError (Chinese) where a needed column is missing.
    """
    roots = {*metric.value.meta.root_names(), *metric.base.meta.root_names(), *([weights] if weights else [])}
    missing = sorted(roots - set(frame.columns))
    if missing:
        raise ValueError(f"算「{metric.label}」缺少列：{'、'.join(missing)}。现有的列：{'、'.join(frame.columns)}。")
    places = {f"place_{at}": name for at, name in enumerate(name for name in by if name != "code")}
    others = list(places)
    rows = (
        frame.with_row_index("row")
        .filter(metric.base)
        .select(
            *(pl.col(name).alias(place) for place, name in places.items()),
            _key(frame, "person", "person_id", "customer_id", "author_key", "feedback_id").alias("person"),
            _key(frame, "thread", "thread_id", "feedback_id").alias("thread"),
            metric.value.cast(pl.Float64).alias("x"),
            (pl.col(weights).cast(pl.Float64) if weights else pl.lit(1.0)).alias("w"),
            _filled(frame, "customer_id").alias("linked"),
            (~_filled(frame, "customer_id") & ~_filled(frame, "author_key")).alias("anonymous"),
            (pl.col(slices) if slices else pl.lit(0)).cast(pl.UInt32).alias("slice"),
            *([pl.col("codes").cast(pl.List(pl.String)).list.drop_nulls().list.unique(maintain_order=True)] if "code" in by else []),
        )
        .filter(pl.col("x").is_not_nan())
    )
    for name in ("person", "thread"):
        rows = _numbered(rows, rows.select(name).unique(maintain_order=True), [name], name)
    if others:
        groups = rows.select(others).unique().sort(others, nulls_last=True)
        rows = _numbered(rows, groups, others, "group")
        groups = groups.with_row_index("group")
    else:
        groups = pl.DataFrame({"group": [0]}, schema={"group": pl.UInt32})
        rows = rows.with_columns(pl.lit(0, pl.UInt32).alias("group"))
    return (_weighted(rows, weights) if weights else rows), groups, _codes(rows, by)


def labels(by: list[str]) -> list[pl.Expr]:
    """The `by` columns again, out of a table to which `groups` and `codes` are joined."""
    others = [name for name in by if name != "code"]
    return [pl.col("code_name" if name == "code" else f"place_{others.index(name)}").alias(name) for name in by]


def lean(frame: pl.DataFrame, metric: Metric, by: list[str], *more: str) -> pl.DataFrame:
    """Only the columns that the metric, its groups and its people need: frames to be stacked stay small."""
    wanted = {*metric.value.meta.root_names(), *metric.base.meta.root_names(), *by, *KEYS, *more}
    if "code" in by:
        wanted.add("codes")
    return frame.select([name for name in frame.columns if name in wanted])


def _codes(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    if "code" not in by:
        return pl.DataFrame({"code": [0], "code_name": [""]}, schema={"code": pl.UInt32, "code_name": pl.String})
    found = rows["codes"].explode(empty_as_null=False, keep_nulls=False).unique().sort()
    return found.to_frame("code_name").with_row_index("code")


def _numbered(rows: pl.DataFrame, values: pl.DataFrame, on: list[str], name: str) -> pl.DataFrame:
    """Rows with the columns `on` replaced by their position in `values`, called `name`."""
    keys = values.with_row_index("position")
    rows = rows.join(keys, on=on, how="left", nulls_equal=True, maintain_order="left")
    return rows.drop(on).rename({"position": name})


def _filled(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).is_not_null() if name in frame.columns else pl.lit(False)


def _key(frame: pl.DataFrame, *names: str) -> pl.Expr:
    """The first filled of the columns, else the row itself: nobody is merged for want of a name."""
    present = [pl.col(name).cast(pl.String) for name in names if name in frame.columns]
    return pl.coalesce([*present, pl.format("row {}", pl.col("row"))])


def _weighted(rows: pl.DataFrame, weights: str) -> pl.DataFrame:
    """One weight per person and group; who has none (not linked, no customer) cannot be corrected and leaves."""
    if rows.filter((pl.col("w") < 0) | ~pl.col("w").is_finite()).height:
        raise ValueError(f"权重列「{weights}」里有负数或无效值。权重应为正数，没有权重的留空。")
    return rows.filter(pl.col("w") > 0).with_columns(pl.col("w").mean().over("slice", "group", "person"))
