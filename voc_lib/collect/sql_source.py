"""Ask the database that a contract names and hand out its rows in pieces: raw columns, all text, in the order of the cursor.

What has been handed out is a prefix of that order: whatever was read before a connection broke is complete up to its mark.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from voc_lib.collect.contract import COMPARED, ContractError, locate
from voc_lib.collect.databases import Database, connected, said
from voc_lib.collect.masking import mask_text
from voc_lib.collect.readers import LINE, ExportError, speakable
from voc_lib.contracts import Channel, Read

if TYPE_CHECKING:
    from sqlalchemy import Connection

FETCH = 10_000  # rows asked for at once: bounds memory on both sides
# A transaction may end after a pull and yet carry an earlier time: so far back every pull looks again.
LATE = timedelta(minutes=10)


class BrokenPull(ExportError):
    """The database stopped answering after the rows handed out so far."""


@dataclass
class Piece:
    """Rows in the order of the cursor; `again` are the lines at or before the old mark, `mark` where the next pull begins."""

    frame: pl.DataFrame
    again: list[int]
    mark: str | None


def read_database(database: Database, channel: Channel, mark: str | None) -> Iterator[Piece]:
    """Pieces of up to 10,000 rows, beginning at the mark (None: at the beginning); at least one, which may be empty.

    Rows that carry the mark itself, or no cursor at all, are handed out again. Raises ContractError or ExportError
    before the first piece, BrokenPull after it.
    """
    with connected(database, channel) as connection:
        header = _header(connection, database, channel, mark)
        query, line = _query(channel.read, mark), 0
        place = header.index(channel.read.cursor) if channel.read.cursor else None
        reached = mark
        for rows in _partitions(connection, query, database):
            *columns, flags = list(zip(*rows, strict=True)) or [()] * (len(header) + 1)
            lines = range(line + 1, line + 1 + len(rows))
            line += len(rows)
            again = [at for at, flag in zip(lines, flags, strict=True) if flag]
            if place is not None:
                ahead = (value for value, flag in zip(reversed(columns[place]), reversed(flags), strict=True) if mark is None or not flag)
                reached = next((_kept(value, channel) for value in ahead if value is not None and not _in_future(value)), reached)
            texts = {name: pl.Series([cell(value) for value in column], dtype=pl.String) for name, column in zip(header, columns, strict=True)}
            yield Piece(pl.DataFrame(texts | {LINE: pl.Series(lines, dtype=pl.Int64)}), again, reached)


def cell(value: object) -> str | None:
    """A value of a database as a CSV export would hold it.

    >>> cell(Decimal("1E+2")), cell(datetime(2026, 11, 2, 8)), cell(True), cell(["抖"])
    ('100', '2026-11-02 08:00:00', 'true', '["抖"]')
    """
    if value is None or isinstance(value, str):
        return speakable(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        held = bytes(value)
        try:
            return speakable(held.decode())
        except UnicodeDecodeError:
            return held.hex()
    return speakable(json.dumps(value, ensure_ascii=False, default=str)) if isinstance(value, list | dict) else str(value)


def _header(connection: Connection, database: Database, channel: Channel, mark: str | None) -> list[str]:
    """The columns of the query, asked for without rows: a mistake in it is told before anything is read."""
    import sqlalchemy as sa

    pull = _inner(channel.read, mark)
    try:
        header = list(connection.execute(sa.select(sa.literal_column("pull.*")).select_from(pull).where(sa.false())).keys())
        connection.rollback()
    except Exception as error:
        if getattr(error, "connection_invalidated", False):
            raise ExportError(f"数据库的连接中断（{database.shown}）：{said(database, error)}。再运行一次即可。") from None
        raise ContractError(f"{locate(channel, 'read.sql')}：数据库不接受这个查询（{database.shown}）：{said(database, error)}") from None
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ContractError(f"{locate(channel, 'read.sql')}：查询结果里「{twice[0]}」出现了不止一次，用 AS 给每列不同的名字。")
    if channel.read.cursor and channel.read.cursor not in header:
        near = difflib.get_close_matches(channel.read.cursor, header, 1, 0.5)
        hint = f"是否想写「{near[0]}」？" if near else ""
        raise ContractError(f"{locate(channel, 'read.cursor')}：查询结果里没有游标列「{channel.read.cursor}」。{hint}结果的列：{'、'.join(header)}。")
    return header


def _inner(read: Read, mark: str | None):
    """The contract's query as a subquery, with `column > :cursor` as >= (and null kept), or as true where there is no mark yet."""
    import sqlalchemy as sa

    words = COMPARED.sub("1 = 1" if mark is None else r"(\1 >= :cursor OR \1 IS NULL)", read.sql.strip().rstrip("; \n"))
    query = sa.text(re.sub(r"(?<![:\w\\]):(?!cursor\b)(?=\w)", r"\\:", words) + "\n")  # a comment at its end must not swallow the bracket
    if mark is not None and ":cursor" in words:
        query = query.bindparams(sa.bindparam("cursor", _begin(mark), type_=sa.types.NullType()))
    return query.columns(*([sa.column(read.cursor)] if read.cursor else [])).subquery("pull")


def _query(read: Read, mark: str | None):
    import sqlalchemy as sa

    pull, everything = _inner(read, mark), sa.literal_column("pull.*")
    if mark is None:
        query = sa.select(everything, sa.literal_column("1").label("voc_again")).select_from(pull)
        return query.order_by(pull.c[read.cursor]) if read.cursor else query
    column = pull.c[read.cursor]
    old, begin = (sa.bindparam(name, value, type_=sa.types.NullType()) for name, value in (("old", restored(mark)), ("begin", _begin(mark))))
    flag = sa.case((column > old, sa.literal_column("0")), else_=sa.literal_column("1")).label("voc_again")
    return sa.select(everything, flag).select_from(pull).where(sa.or_(column >= begin, column.is_(None))).order_by(column)


def _partitions(connection: Connection, query, database: Database) -> Iterator[list]:
    """Rows of the query, FETCH at a time, by a cursor on the server where the driver has one."""
    read, pieces = 0, None
    while True:
        try:
            if pieces is None:
                pieces = connection.execution_options(yield_per=FETCH).execute(query).partitions()
            rows = next(pieces, None)
        except Exception as error:
            what = "连接中断" if getattr(error, "connection_invalidated", False) else "数据库报错"
            raise BrokenPull(f"读完 {read:,} 行后{what}（{database.shown}）：{said(database, error)}") from None
        if rows is None and read:
            return
        yield rows or []
        if rows is None:
            return
        read += len(rows)


def _kept(value: object, channel: Channel) -> str:
    """The mark as it is stored: its type and value. One that might be personal data is refused: a mark stays unmasked."""
    kind = next((name for name, (cls, _, _) in KINDS.items() if isinstance(value, cls) and not isinstance(value, bool)), None)
    if kind is None:
        raise ContractError(f"{locate(channel, 'read.cursor')}：游标列「{channel.read.cursor}」是 {type(value).__name__} 类型，不能比较先后。选更新时间或递增编号。")
    written = KINDS[kind][1](value)
    if (kind == "text" and not written.isdigit() or len(written) == 11) and mask_text(written) != written:
        raise ContractError(f"{locate(channel, 'read.cursor')}：游标列「{channel.read.cursor}」里像是个人信息，不能保存为读取位置。选更新时间或递增编号。")
    return f"{kind}:{written}"


def restored(mark: str) -> object:
    """The value of a stored mark.

    >>> restored("int:42"), restored("datetime:2026-11-02T08:00:00")
    (42, datetime.datetime(2026, 11, 2, 8, 0))
    """
    kind, _, written = mark.partition(":")
    return KINDS[kind][2](written)


def _begin(mark: str) -> object:
    value = restored(mark)
    return value - LATE if isinstance(value, datetime) else value


def _in_future(value: object) -> bool:
    """A time after tomorrow is a mistake of the source; as a mark it would hide everything that comes."""
    latest = datetime.now(UTC) + timedelta(days=1)
    if isinstance(value, datetime):
        return value > (latest if value.tzinfo else latest.replace(tzinfo=None))
    if isinstance(value, str):
        return re.match(r"\d{4}-\d\d-\d\d", value) is not None and value[:10] > latest.date().isoformat()
    return isinstance(value, date) and value > latest.date()


KINDS = {  # datetime before date, whose subclass it is
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat), "date": (date, date.isoformat, date.fromisoformat),
    "int": (int, str, int), "float": (float, repr, float), "decimal": (Decimal, str, Decimal), "text": (str, str, str),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
}
