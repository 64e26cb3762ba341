"""Weights of everybody who answered, from the store to a Parquet file, without holding the people in memory: for tools that weigh themselves, and for registers of ten million customers.

What `speakers`, `frame_cells` and `weigh_cells` do, but of a person only the number of his answer and of his cell are kept, in DuckDB; what comes to Python are cells.
"""

from __future__ import annotations

import os
import warnings
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl

from voc_lib.engine import connect, create_views, named_in, quote
from voc_lib.measure.weighting.cells import checked, weigh_cells
from voc_lib.measure.weighting.frame import Base, affordable, cells_for, everyone_as_cells, in_words
from voc_lib.measure.weighting.margins import COUNT, PERSON, WeightingError
from voc_lib.measure.weighting.spoken import UnevenWeights, uneven
from voc_lib.store import Store

PLACE, CELL = "answer_place", "cell_place"
ROWS = 61_440  # of the file that are held until they are written together


def weights_to_file(
    store: Store, base: Base, answers: pl.DataFrame | Path, asked: str, to: Path, on_silent: str = "extrapolate", max_weight_ratio: float | None = None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Write `customer_id`, the columns weighed by and `weight` of everybody of the base who answered `asked`; gives back the cells and the notes as `weigh_cells` does.

    `answers`: a row a customer, `customer_id` and `asked` (a number; empty and NaN are no answer), a frame or a Parquet file, which takes less memory. The columns are as many of the base's
    as the answers can bear (`affordable`). Rows come in no order. One thread: it takes less memory and less processor time. A file of that name is replaced, and only by a whole one.
    Warns (UnevenWeights) where few people carry it all. Raises WeightingError as `speakers`, `frame_cells` and `weigh_cells` do, and for a file that is not such a table.
    """
    with closing(connect()) as connection:
        connection.execute("SET threads = 1; SET enable_external_file_cache = false")  # the register is read twice and may be larger than memory
        wanted = named_in(base.rows)
        create_views(connection, store.files(wanted), store.mixed, wanted)
        _give(connection, answers, asked)
        everyone = everyone_as_cells(base, base.columns, lambda query: connection.sql(query).pl()).with_row_index(CELL)
        connection.register("cells", everyone.select(CELL, *base.columns))
        same = " AND ".join(f"r.{_named(column)} IS NOT DISTINCT FROM c.{_named(column)}" for column in base.columns)
        met = f"SELECT {PLACE}, {base.selected(*base.columns)} FROM ({base.rows}) JOIN (SELECT {PLACE}, {PERSON} FROM answers) USING ({PERSON})"
        connection.execute(f"CREATE TABLE spoke AS SELECT r.{PLACE}, c.{CELL} FROM ({met}) AS r JOIN cells AS c ON {same}")
        heard = connection.sql(f"SELECT {CELL}, count(*) AS y_n, sum(y) AS y_total, sum(y * y) AS y_squares FROM spoke JOIN answers USING ({PLACE}) GROUP BY {CELL}").pl()
        worded = in_words(base, everyone)
        sums = [pl.col(name).sum() for name in (COUNT, "y_n", "y_total", "y_squares")]  # what is empty and what is "" are one cell in words
        wide = worded.join(heard, on=CELL, how="left").group_by(base.columns).agg(sums).sort(base.columns)
        columns = affordable(wide, "y", base.columns)
        if not columns:
            raise WeightingError(f"基数里答了「{asked}」的有 {int(wide['y_n'].sum()):,} 人，太少或都在同一类客户里，没有可以折算的差别。请核对渠道、日期和关联，或把期间放长。")
        cells, notes = weigh_cells(checked(cells_for(wide, "y", columns)), on_silent=on_silent, max_weight_ratio=max_weight_ratio)
        spoke = cells.filter(pl.col("n") > 0, pl.col("weight").is_not_null())
        if said := uneven(spoke["weight"], spoke.select(columns).to_struct("cell"), spoke["n"]):
            warnings.warn(said, UnevenWeights, stacklevel=2)
            notes = (*notes, said)
        connection.register("weights", worded.select(CELL, *columns).join(cells.select(*columns, "weight"), on=columns).filter(pl.col("weight").is_not_null()))
        kept = ", ".join(map(_named, columns))
        _write(connection, f"SELECT {PERSON}, {kept}, weight FROM answers JOIN spoke USING ({PLACE}) JOIN weights USING ({CELL})", to)
    return cells, notes


def _give(connection: duckdb.DuckDBPyConnection, answers: pl.DataFrame | Path, asked: str) -> None:
    """The view `answers`: the place of an answer, whose it is, and `y`."""
    source = "given"
    if isinstance(answers, pl.DataFrame):
        connection.register("given", answers.lazy().select(pl.col(PERSON, asked)).with_row_index(PLACE).collect() if {PERSON, asked} <= set(answers.columns) else answers)
    else:
        source = f"(SELECT *, file_row_number AS {PLACE} FROM read_parquet({quote(str(answers))}, file_row_number = true))"
    try:
        there = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        if lacking := [name for name in (PERSON, asked) if name not in there]:
            raise WeightingError(f"回答的表里没有列：{'、'.join(lacking)}；现有：{'、'.join(there)}。一行一位客户：{PERSON} 和他对「{asked}」的回答。")
        number = f"TRY_CAST({_named(asked)} AS DOUBLE)"
        connection.execute(f"CREATE VIEW answers AS SELECT {PLACE}::UINTEGER AS {PLACE}, {PERSON}, {number} AS y FROM {source} WHERE isfinite({number})")
        rows, people, odd = connection.execute(f"SELECT count(*), count(DISTINCT hash({PERSON})) FILTER ({PERSON} IS NOT NULL), count({_named(asked)}) - count({number}) FROM {source}").fetchall()[0]
        if people < rows:  # two people of one hash would be a wonder, but no mistake
            people = connection.execute(f"SELECT count(DISTINCT {PERSON}) FROM {source}").fetchall()[0][0]
    except duckdb.Error as error:
        raise WeightingError(f"读不了回答的表「{answers if isinstance(answers, Path) else '给出的表'}」。请给 Parquet 文件，一行一位客户：{PERSON} 和「{asked}」。") from error
    if people < rows:
        raise WeightingError(f"回答的表里 {PERSON} 有空值或重复（{rows:,} 行，{people:,} 位客户）。一人一行：请先把同一人的几条合成一条。")
    if odd:
        raise WeightingError(f"「{asked}」应是数，有 {odd:,} 行不是。请改正或去掉这些行。")


def _write(connection: duckdb.DuckDBPyConnection, query: str, to: Path) -> None:
    beside = to.with_name(f".{os.getpid()}.{to.name}")
    try:
        connection.execute(f"COPY ({query}) TO {quote(str(beside))} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROWS})")
        os.replace(beside, to)
    except (OSError, duckdb.Error) as error:
        raise WeightingError(f"写不了文件「{to}」。请核对文件夹是否存在、能不能写。") from error
    finally:
        beside.unlink(missing_ok=True)


def _named(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
