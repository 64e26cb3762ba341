"""The tables of the feedback store: one file per table, the one source of columns, types and meanings.

A table is found by its file name: `schema.table("feedback")` reads `voc_lib/schema/feedback.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")

DUCKDB_TYPES = {
    pl.String: "VARCHAR",
    pl.Float64: "DOUBLE",
    pl.Int64: "BIGINT",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMPTZ",
    pl.Binary: "BLOB",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, meaning in words, unit or range, and the values allowed (empty = any)."""

    name: str
    type: pl.DataType
    meaning: str
    allowed: tuple[str, ...] = ()

    @property
    def duckdb_type(self) -> str:
        return DUCKDB_TYPES[self.type.base_type()]


@dataclass(frozen=True)
class Table:
    """One table: grain in words, key, columns; partitioned by iso_week where it is large.

    `in_snapshot=False` is for the log of runs: it speaks about snapshots and is part of none.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: str | None = None
    in_snapshot: bool = True

    @property
    def polars_schema(self) -> dict[str, pl.DataType]:
        return {column.name: column.type for column in self.columns}


@cache
def table_names() -> tuple[str, ...]:
    """Names of all tables, in alphabetical order.

    >>> "feedback" in table_names()
    True
    """
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@cache
def table(name: str) -> Table:
    """The definition of one table; an unknown name is answered with the list."""
    if name not in table_names():
        raise KeyError(f"没有名为「{name}」的表。现有：{'、'.join(table_names())}。")
    module = importlib.import_module(f"{__name__}.{name}")
    return Table(
        name=name, grain=module.GRAIN, key=module.KEY, columns=module.COLUMNS,
        partition=getattr(module, "PARTITION", None), in_snapshot=getattr(module, "IN_SNAPSHOT", True),
    )


def text(name: str, meaning: str, allowed: tuple[str, ...] = ()) -> Column:
    return Column(name, pl.String(), meaning, allowed)


def number(name: str, meaning: str) -> Column:
    return Column(name, pl.Float64(), meaning)


def count(name: str, meaning: str) -> Column:
    return Column(name, pl.Int64(), meaning)


def flag(name: str, meaning: str) -> Column:
    return Column(name, pl.Boolean(), meaning)


def moment(name: str, meaning: str) -> Column:
    return Column(name, UTC_TIME, meaning)


def day(name: str, meaning: str) -> Column:
    return Column(name, pl.Date(), meaning)
