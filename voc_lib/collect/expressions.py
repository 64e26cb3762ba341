"""Raw columns to feedback columns: the contract's expressions, run by DuckDB on a connection that reaches nothing else."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from functools import cache

import duckdb
import polars as pl

from voc_lib import schema
from voc_lib.collect.contract import ContractError, locate
from voc_lib.collect.readers import LINE, ExportError, Reject
from voc_lib.contracts import Channel
from voc_lib.engine import quote
from voc_lib.messages import sql_words

TYPES = {c.name: c.duckdb_type for name in ("exposure", "customers", "touchpoints", "identities", "feedback") for c in schema.table(name).columns} | {"deleted": "BOOLEAN"}
TYPE_WORDS = {"DOUBLE": "数字", "BOOLEAN": "是/否", "TIMESTAMPTZ": "时间", "DATE": "日期"}
NEVER_EMPTY = {"customers": ("valid_from",), "touchpoints": ("occurred_on", "kind")}
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # before this no export of customer feedback exists
RANGES = {"nps": (0, 10)}
NAMED_FORMATS = {
    "iso": "TRY_CAST({raw} AS TIMESTAMPTZ)",
    "epoch_s": "to_timestamp(TRY_CAST({raw} AS DOUBLE))",
    "epoch_ms": "to_timestamp(TRY_CAST({raw} AS DOUBLE) / 1000)",
    # Days since 1899-12-30 as Excel counts them, to the second; a number that is no day between 1954 and 2119 is no date.
    "excel": "CASE WHEN TRY_CAST({raw} AS DOUBLE) BETWEEN 20000 AND 80000 THEN CAST(TIMESTAMP '1899-12-30' + to_seconds(CAST(round(TRY_CAST({raw} AS DOUBLE) * 86400) AS BIGINT)) AS TIMESTAMPTZ) END",
}


def apply_contract(raw: pl.DataFrame, channel: Channel) -> tuple[pl.DataFrame, list[Reject], int]:
    """Rows that fit (typed, plus `author`, `status`, `deleted`, `key_<type>` and the line), rejects, rows filtered out.

    Raises ExportError when a needed column is missing and ContractError when an expression is wrong.
    """
    header = set(raw.columns)
    raw = _aliased(raw, channel)
    columns = _columns_for(header | set(raw.columns), channel)
    raw = raw.with_columns(pl.lit(None, pl.String).alias(name) for name in channel.optional if name not in raw.columns)
    connection = _locked(channel.timezone).cursor()  # sees no table of another one
    connection.register("raw", raw)
    typed = _evaluate(connection, raw, channel, columns)
    connection.close()
    kept = typed.filter(pl.col("_keep"))
    if "occurred_at" in kept.columns:
        kept = kept.with_columns(pl.col("occurred_at").dt.convert_time_zone("UTC"))
    kept = kept.with_columns(_reason(kept, columns, channel).alias("_reason"))
    refused = kept.filter(pl.col("_reason").is_not_null())
    values = raw.select(LINE, *used_columns(raw.columns, channel, columns))
    rejects = [
        Reject(row[LINE], row["_reason"], {name: value for name, value in shown.items() if name != LINE})
        for row, shown in zip(
            refused.select(LINE, "_reason").iter_rows(named=True),
            refused.select(LINE).join(values, on=LINE, how="left", maintain_order="left").iter_rows(named=True), strict=True)
    ]
    good = kept.filter(pl.col("_reason").is_null()).drop("_reason", "_keep", *(n for n in kept.columns if n.startswith("_bad_")))
    return good, rejects, typed.height - kept.height


@cache
def _locked(timezone: str) -> duckdb.DuckDBPyConnection:
    """A database that reaches no file and whose settings nobody can change any more. Opening one for every piece of every file would cost more than reading it."""
    connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    connection.execute(f"SET GLOBAL TimeZone = {quote(timezone)}")
    connection.execute("SET lock_configuration = true")
    return connection


def used_columns(raw_columns: list[str], channel: Channel, columns: dict) -> list[str]:
    """Raw columns that the contract stores; never those it only hashes. Others are not even kept in quarantine."""
    stored = {name: value for name, value in columns.items() if name != "author"}
    words = " ".join(_words_of(value) for value in stored.values())
    secret = " ".join([*(channel.identity or {}).values(), _words_of(columns.get("author", ""))])
    return [n for n in raw_columns if n != LINE and _mentions(words, n) and not _mentions(secret, n)]


def _words_of(value: object) -> str:
    if isinstance(value, dict):
        return " ".join([value.get("from", ""), *value.get("hash_of", [])])
    return str(value)


def _mentions(words: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words, re.IGNORECASE) is not None


def _aliased(raw: pl.DataFrame, channel: Channel) -> pl.DataFrame:
    names = {}
    for target, others in channel.aliases.items():
        found = [name for name in others if name in raw.columns]
        if found and target not in raw.columns:
            names[found[0]] = target
    return raw.rename(names)


def _columns_for(header: set[str], channel: Channel) -> dict[str, object]:
    columns = dict(channel.columns)
    for variant in channel.variants:
        if set(variant.when_columns) <= header:
            columns |= variant.columns
    return columns


def expression_of(name: str, value: object) -> str:
    if isinstance(value, dict) and "hash_of" in value:
        parts = "||".join(f"coalesce(strlen({p}) || ':' || {p}, '-')" for p in (f'CAST("{c}" AS VARCHAR)' for c in value["hash_of"]))
        return f"substr(sha256({parts}), 1, 32)"
    if isinstance(value, dict):
        raw = f"nullif(trim(CAST(\"{value['from']}\" AS VARCHAR)), '')"
        formats = [f for f in value["formats"] if f not in NAMED_FORMATS]
        tries = [f"CAST(try_strptime({raw}, {quote(f)}) AS TIMESTAMPTZ)" for f in formats]
        tries += [NAMED_FORMATS[f].format(raw=raw) for f in value["formats"] if f in NAMED_FORMATS]
        return f"coalesce({', '.join(tries)})"
    return f"({value})"


def _given(value: object, expression: str) -> str:
    """Whether the source says anything at all: a blank cell is no answer, not a wrong one."""
    raw = f'"{value["from"]}"' if isinstance(value, dict) and "from" in value else expression
    return f"coalesce(trim(CAST({raw} AS VARCHAR)), '') <> ''"


def _evaluate(connection: duckdb.DuckDBPyConnection, raw: pl.DataFrame, channel: Channel, columns: dict) -> pl.DataFrame:
    parts = {LINE: [f'"{LINE}"'], "where": [f"coalesce(({channel.where or 'true'}), false) AS _keep"]}
    for name, value in columns.items():
        kind, expression = TYPES.get(name, "VARCHAR"), expression_of(name, value)
        if kind == "VARCHAR":
            parts[f"columns.{name}"] = [f"CAST({expression} AS VARCHAR) AS \"{name}\""]
        else:
            parts[f"columns.{name}"] = [
                f"TRY_CAST({expression} AS {kind}) AS \"{name}\"",
                f"(TRY_CAST({expression} AS {kind}) IS NULL AND {_given(value, expression)}) AS \"_bad_{name}\"",
            ]
    for key, column in (channel.identity or {}).items():
        parts[f"identity.{key}"] = [f"CAST(({column}) AS VARCHAR) AS \"key_{key}\""]
    try:
        answer = connection.sql(f"SELECT {', '.join(p for group in parts.values() for p in group)} FROM raw").pl()
    except duckdb.Error:
        for place, group in parts.items():
            try:
                connection.sql(f'SELECT "{LINE}", {", ".join(group)} FROM raw').pl()
            except duckdb.Error as error:
                _explain(error, place, raw, channel)
        raise
    if answer.height != raw.height:
        raise ContractError(f"合同 {channel.path.name}：{raw.height} 行进，{answer.height} 行出。columns 中只能用逐行计算的表达式，不能汇总或展开。")
    texts = [name for name in columns if TYPES.get(name, "VARCHAR") == "VARCHAR"]
    plain = pl.col(texts).str.strip_chars()
    return answer.with_columns(pl.when(plain != "").then(plain).name.keep())


def _explain(error: duckdb.Error, place: str, raw: pl.DataFrame, channel: Channel) -> None:
    first = str(error).strip().splitlines()[0]
    missing = re.search(r'Referenced column "(.+?)" (?:was )?not found', first)
    if missing:
        have = "、".join(name for name in raw.columns if name != LINE)
        near = difflib.get_close_matches(missing[1], [name for name in raw.columns if name != LINE], 1, 0.6)
        hint = f"是否想写「{near[0]}」？不是的话，" if near else ""
        where = "查询结果" if channel.read.sql else "文件"
        raise ExportError(
            f"{where}里没有列「{missing[1]}」（{locate(channel, place)}用到）。{where}的列：{have}。{hint}改写 aliases、加一个 variants，或写进 optional。"
        ) from None
    if "must appear in the GROUP BY" in first or "aggregate" in first.lower():
        raise ContractError(f"{locate(channel, place)}：「{place}」用了汇总函数。columns 中只能用逐行计算的表达式。") from None
    raise ContractError(f"{locate(channel, place)}：「{place}」的表达式有误：{sql_words(error)}。") from None


def _reason(rows: pl.DataFrame, columns: dict, channel: Channel) -> pl.Expr:
    """The first reason to refuse a row, or null."""
    checks = []
    if "source_id" in columns:
        checks.append(pl.when(pl.col("source_id").is_null()).then(pl.lit("没有编号（source_id 为空）")))
    if "in_use" in columns:
        checks.append(pl.when(~pl.col("month").str.contains(r"^\d{4}-(0[1-9]|1[0-2])$").fill_null(False)).then(pl.lit("month 不是 2026-11 这样的月份")))
        checks.append(pl.when(~(pl.col("in_use") >= 0).fill_null(False)).then(pl.lit("in_use 为空或小于 0")))
    for name in columns:
        if f"_bad_{name}" in rows.columns:
            word = TYPE_WORDS.get(TYPES[name], TYPES[name])
            checks.append(pl.when(pl.col(f"_bad_{name}")).then(pl.lit(f"{name} 不是{word}")))
    if channel.table in NEVER_EMPTY:
        checks.append(pl.when(pl.col("key_member").str.strip_chars().fill_null("") == "").then(pl.lit("没有客户编号")))
    checks += [pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} 为空")) for name in NEVER_EMPTY.get(channel.table, ())]
    if "occurred_at" in rows.columns:
        latest = datetime.now(UTC) + timedelta(days=1)
        checks.append(pl.when(pl.col("occurred_at") > latest).then(pl.lit("日期在将来")))
        checks.append(pl.when(pl.col("occurred_at") < EARLIEST).then(pl.lit("日期早于 1990 年")))
    if {"rating", "rating_scale"} <= set(rows.columns):
        outside = ~pl.col("rating").is_between(0, pl.col("rating_scale"))
        checks.append(pl.when(outside).then(pl.lit("rating 超出 0 到 rating_scale")))
    for name, (low, high) in RANGES.items():
        if name in rows.columns:
            checks.append(pl.when(~pl.col(name).is_between(low, high)).then(pl.lit(f"{name} 超出 {low}–{high}")))
    for column in schema.table("feedback").columns:
        if column.allowed and column.name in rows.columns:
            checks.append(pl.when(~pl.col(column.name).is_in(column.allowed)).then(pl.lit(f"{column.name} 不在允许的取值之内")))
    return pl.coalesce(*checks)
