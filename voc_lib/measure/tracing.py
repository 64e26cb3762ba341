"""From a number back to its rows: the SQL that gives them at the snapshot, how many, and some of them to read."""

from __future__ import annotations

import polars as pl

from voc_lib.contracts import Metric
from voc_lib.engine import connect, quote
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.measure import metrics
from voc_lib.measure.estimate import MIN_PEOPLE
from voc_lib.measure.held import held
from voc_lib.measure.sampling import sample_verbatims
from voc_lib.store import Store

MOST = 20  # verbatims shown with a number: enough to see what it is made of, few enough to read
WHO = "coalesce(person_id, author_key, feedback_id)"
COPY = "held"  # what a search reads, see `measure.held`
HELD_WORDS = f"-- {COPY}：检索用的副本，text 是标题、原话和追评整理后的字；voc trace 会备好它"


def trace(store: Store, frame: pl.DataFrame, metric: str | Metric, number: str, codes: list[str] | None = None, most: int = MOST,
          definition: str = "", asked: list[str] | None = None) -> dict:
    """What stands behind a metric over `frame` (feedback of whole weeks and channels), under the name `number`.

    With `codes`, of the feedback that carries one of them; with `asked` (of `asked_for`), `frame` is what a search or a saved selection found. `definition` says what is counted where that is not
    the metric. Gives number, metric, definition, base, sql, store, snapshot, n (feedback),
    people, and sample: up to `most` verbatims by lot, one a person, whoever was loudest has no better chance; none under 10 people.
    Raises ValueError where the SQL does not give the very rows of the frame: a number that cannot be traced is not shown.
    """
    metric = metrics.metric(metric)
    rows = frame.filter(metric.base)
    if codes is not None:
        rows = rows.filter(pl.col("codes").list.eval(pl.element().is_in(codes)).list.any())
    return resolved(store, rows, metric, number, _sql(store, frame, metric, codes, asked), most, definition)


def resolved(store: Store, rows: pl.DataFrame, metric: str | Metric, number: str, sql: str, most: int = MOST, definition: str = "") -> dict:
    """The description `trace` gives, of rows and the SQL that gives them; ValueError where it gives others."""
    metric = metrics.metric(metric)
    found = rows_of(store, sql)
    if set(found["feedback_id"]) != set(rows["feedback_id"]):
        raise ValueError(f"「{number}」追溯不到原始反馈：数字来自 {rows.height} 条，查询给出 {found.height} 条。能追溯的是整周、整渠道的反馈；检索或选取出来的，写上 asked=voc.asked_for(…)，条件与找的时候相同。")
    people = rows["person"].n_unique()
    sample = sample_verbatims(rows, most if people >= MIN_PEOPLE else 0, number)
    return {"number": number, "metric": metric.name or metric.label, "label": metric.label, "definition": definition or metric.definition, "base": metric.base_definition, "sql": sql,
            "store": store.name, "snapshot": store.snapshot, "n": rows.height, "people": people, "sample": sample}


def rows_of(store: Store, sql: str) -> pl.DataFrame:
    """The rows that the SQL of a traced number gives at the store's snapshot; what a search reads is a copy beside the lake, made where it is missing."""
    if f"FROM {COPY}\n" not in sql:
        return store.sql(sql)
    connection = connect()
    connection.register(COPY, held(store))
    return connection.sql(sql).pl()


def trace_refused(store: Store, number: str, count: int, definition: str) -> dict:
    """What stands behind a count of rows that never became feedback: the view `refused`, values masked. Raises ValueError where it holds other than `count` rows."""
    sql = "SELECT channel, file, line, reason FROM refused\nORDER BY channel, file, line"
    found = store.sql(sql)
    if found.height != count:
        raise ValueError(f"「{number}」追溯不到被隔离的行：数字是 {count}，隔离区里有 {found.height} 行。")
    return {"number": number, "metric": "refused", "label": number, "definition": definition, "base": "最近一次读入时仍不合格的行", "sql": sql, "store": store.name, "snapshot": store.snapshot,
            "n": count, "people": None, "sample": pl.DataFrame()}


def trace_codes(store: Store, frame: pl.DataFrame, found: pl.DataFrame, most: int = MOST) -> list[dict]:
    """`trace` for every finding of a code (columns finding, code): the people who named it."""
    return [trace(store, frame, "people", row["finding"], [row["code"]], most) for row in found.iter_rows(named=True)]


def find_feedback(store: Store, short: str) -> dict | None:
    """The feedback whose id starts with `short`; None where there is none, or more than one."""
    found = store.sql(f"SELECT * FROM feedback WHERE starts_with(feedback_id, {quote(short)}) LIMIT 2")
    return found.row(0, named=True) if found.height == 1 else None


def where_sql(conditions: list[str]) -> str:
    """SQL for the feedback of a store that fits every condition."""
    return "\n".join([f"SELECT feedback_id, {WHO} AS person, channel, local_date, verbatim", "FROM feedback", *_where(conditions), "ORDER BY feedback_id"])


def coded_sql(store: Store, condition: str) -> str:
    """SQL for the ids of the feedback with a code in force that fits the condition."""
    return f"SELECT feedback_id FROM mentions WHERE {codes_in_force(store)} AND {condition}"


def literals(values: pl.Series) -> str:
    """Distinct values as SQL literals; of none, a list that nothing is in."""
    return ", ".join(map(quote, values.unique().sort())) or "NULL"


def _sql(store: Store, frame: pl.DataFrame, metric: Metric, codes: list[str] | None, asked: list[str] | None) -> str:
    more = [metric.base_sql] if metric.base_sql else []
    if asked is not None:
        more += [f"len(list_filter(codes, lambda code: code IN ({literals(pl.Series(codes))}))) > 0"] if codes is not None else []
        return "\n".join([HELD_WORDS, "SELECT feedback_id, person, channel, local_date, verbatim", f"FROM {COPY}", *_where([*asked, *more]), "ORDER BY feedback_id"])
    everything = frame.height == store.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    within = [] if everything else [f"iso_week IN ({literals(frame['iso_week'])})", f"channel IN ({literals(frame['channel'])})"]
    more += [f"feedback_id IN ({coded_sql(store, f'code IN ({literals(pl.Series(codes))})')})"] if codes is not None else []
    return where_sql([*within, *more])


def _where(conditions: list[str]) -> list[str]:
    return [f"{'  AND' if at else 'WHERE'} {condition}" for at, condition in enumerate(conditions or ["true"])]
