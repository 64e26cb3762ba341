"""The databases that contracts name by an environment variable: opened read-only, and never talked about.

What is said about a failure names the driver and the host; user, password and the rest of the URL are taken out.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import polars as pl

from voc_lib.collect.contract import ContractError, locate
from voc_lib.collect.keys import keyed_hash
from voc_lib.collect.masking import mask_text
from voc_lib.collect.readers import ExportError
from voc_lib.contracts import Channel

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

CONNECT_SECONDS = 15
DATABASES = ("postgresql", "mysql", "mariadb", "sqlite", "oracle", "mssql")
SECRET_NAMES = re.compile(r"pass|pwd|user|uid|token|secret|key|odbc_connect", re.IGNORECASE)
HIDDEN = "〔已隐去〕"
FORM = "「驱动://用户:密码@主机:端口/库」，密码里的 @ : / % 等字符写成 %40 %3A %2F %25"


@dataclass(frozen=True, repr=False)
class Database:
    """A database as its environment variable names it. `shown` is all that may be said of it; `identity` a keyed hash."""

    url: URL
    shown: str
    identity: str


def open_database(channel: Channel) -> Database:
    """The database of a contract's `connection`. Raises ContractError when the variable is missing or is no URL."""
    from sqlalchemy import make_url

    name, at = channel.read.connection.removeprefix("env:"), locate(channel, "read.connection")
    given = os.environ.get(name, "").strip()
    if not given:
        raise ContractError(f"{at}：环境变量 {name} 没有设置或是空的。把数据库地址放在里面再运行，形式是{FORM}。")
    try:
        url = make_url(given)
    except Exception:
        url = None
    # With a bare @ in the password its tail would be taken for the host, and shown.
    if url is None or given.count("@") > 1:
        raise ContractError(f"{at}：环境变量 {name} 的内容不是数据库地址。形式是{FORM}。")
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        raise ContractError(f"{at}：环境变量 {name} 指的 SQLite 文件不存在。写绝对路径，形式是「sqlite:////文件夹/文件.db」。")
    place = pl.Series([f"{url.get_backend_name()} {url.host} {url.port} {url.database}"])
    return Database(url, f"驱动 {url.drivername}，主机 {url.host or '本机'}", keyed_hash("database", place).item()[:12])


@contextmanager
def connected(database: Database, channel: Channel) -> Iterator[Connection]:
    """A read-only connection. Raises ContractError (driver) or ExportError (not reached, refused)."""
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import NoSuchModuleError

    at, kind = locate(channel, "read.connection"), database.url.get_backend_name()
    ours = {"connect_timeout": CONNECT_SECONDS, "application_name": "voc"} if kind == "postgresql" else {}
    try:
        engine = create_engine(database.url, poolclass=NullPool, connect_args=ours)
        connection = engine.connect()
    except NoSuchModuleError:
        near = difflib.get_close_matches(kind, DATABASES, 1, 0.5)
        hint = f"是否想写「{near[0]}」？" if near else f"常用：{'、'.join(DATABASES)}。"
        raise ContractError(f"{at}：不认识的数据库驱动「{database.url.drivername}」。{hint}") from None
    except ImportError as error:
        raise ContractError(f"{at}：没有装数据库驱动「{error.name}」（{database.shown}）。运行 pip install {error.name} 后再试。") from None
    except Exception as error:
        raise ExportError(f"{at}：连不上数据库（{database.shown}）：{said(database, error)}。检查地址、网络和账号后再运行，库中已有的数据没有改动。") from None
    try:
        if kind == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        yield connection.execution_options(postgresql_readonly=True) if kind == "postgresql" else connection
    finally:
        with suppress(Exception):  # a connection that is gone cannot be closed
            connection.close()
        engine.dispose()


def said(database: Database, error: Exception) -> str:
    """The first line of what the driver says, without anything of the URL that is nobody's business."""
    told = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    first = told.splitlines()[0]
    url = database.url
    named = [(url.password, ""), (url.username, r"(?!\w)")]
    for key, value in url.query.items():
        named += [(part, "") for part in ([value] if isinstance(value, str) else value) if SECRET_NAMES.search(key)]
    if "odbc_connect" in url.query:
        named += [(part, "") for part in re.findall(r"(?:uid|pwd|user id|password)\s*=\s*([^;]+)", str(url.query["odbc_connect"]), re.IGNORECASE)]
    for secret, end in sorted(((str(s), e) for s, e in named if s), key=lambda pair: -len(pair[0])):
        start = r"(?<!\w)" if end else ""
        for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}:
            first = re.sub(f"{start}{re.escape(form)}{end}", HIDDEN, first, flags=re.IGNORECASE)
    return mask_text(first)
