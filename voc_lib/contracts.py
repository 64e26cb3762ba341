"""The few shapes that travel between rooms: a metric, the verdict of a check, a channel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl


@dataclass(frozen=True)
class Metric:
    """The definition of a number: a weighted mean of one value per person, or a count.

    `value` and `base` are Polars expressions over the columns of `voc.feedback(...)`. A row outside
    `base`, or whose value is null or NaN, is not an answer and does not enter. `per_person` says how
    several rows of one person become one: their `mean`, `any` (1 if one of them is 1), or `sum`.
    `explode` names the list column whose entries share one base: by="code", each code's share is of all
    people heard. `floor` is the smallest change worth a word, in the unit of the number; for a count it
    is relative to the baseline. `name` is the file name; `base_definition` says the base in Chinese, `base_sql`
    as a condition on the view `feedback` that keeps the same rows as `base`. `scale` are the least and the greatest value, `low` the greatest
    value that counts as discontent, both of a score.
    """

    label: str
    unit: Literal["share", "points", "count"]
    definition: str
    value: pl.Expr
    base: pl.Expr = pl.lit(True)
    per_person: Literal["mean", "any", "sum"] = "mean"
    explode: str | None = None
    higher_is_better: bool | None = None
    floor: float = 0.02
    base_definition: str = "听到的全部反馈"
    base_sql: str = ""
    scale: tuple[float, float] | None = None
    low: float | None = None
    name: str = ""


@dataclass(frozen=True)
class CheckResult:
    """The verdict of one check, with what was found and what to do."""

    name: str
    verdict: Literal["pass", "warn", "fail"]
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Read:
    """How to open the exports of a channel: which files, in which encodings, where the header stands; or which query.

    `export_date` is a regular expression over the file name whose group is the date of the export; without it the
    file's own time counts. A database is named by `connection` ("env:" and the variable that holds its URL) and asked
    with `sql`; `cursor` is the column of the answer that only grows, so that the next pull reads on from there.
    `fill_merged` carries the value of a merged Excel cell into every row it covers.
    """

    glob: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ("utf-8-sig", "gb18030")
    sheet: int | str = 0
    header_row: int = 0
    fill_merged: bool = False
    delimiter: str | None = None
    export_date: str | None = None
    sql: str | None = None
    connection: str | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Variant:
    """Other expressions for files whose header has all of `when_columns`."""

    when_columns: tuple[str, ...]
    columns: dict[str, object]


@dataclass(frozen=True)
class Channel:
    """A channel as its contract says: where its files are, what its columns mean, whom it can speak for.

    `columns` maps columns of `feedback` (and author, status, deleted) to DuckDB scalar expressions over the raw
    columns; `lines` maps a path in the YAML to its line, for error messages; `fingerprint` changes with the contract.
    """

    channel: str
    title: str
    owner: str
    base: str
    solicited: bool
    cannot_tell: str
    timezone: str
    read: Read
    columns: dict[str, object]
    path: Path
    fingerprint: str
    lines: dict[str, int]
    aliases: dict[str, tuple[str, ...]]
    variants: tuple[Variant, ...] = ()
    optional: tuple[str, ...] = ()
    where: str | None = None
    identity: dict[str, str] | None = None
    bands: dict[str, list[float]] | None = None  # of a register of customers: upper bounds of the coarse groups by which is weighted
    weigh_by: tuple[str, ...] = ()               # of it, the columns of the weighting, most telling first; held_out: behaviour that tests it; bases: whom each base holds
    held_out: tuple[str, ...] = ()
    bases: dict[str, tuple[str, ...]] | None = None
    freshness_days: int = 8
    table: str = "feedback"  # or the table that a register fills: exposure, customers, touchpoints, identities
