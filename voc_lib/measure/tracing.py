"""From a number back to its rows: the SQL that gives them at the snapshot, how many, and some of them to read."""

from __future__ import annotations

import polars as pl

from voc_lib.contracts import Metric
from voc_lib.engine import quote
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.measure import metrics
from voc_lib.measure.estimate import MIN_PEOPLE
from voc_lib.measure.sampling import sample_verbatims
from voc_lib.store import Store

MOST = 20  # verbatims shown with a number: enough to see what it is made of, few enough to read
WHO = "coalesce(customer_id, author_key, feedback_id)"


def trace(store: Store, frame: pl.DataFrame, metric: str | Metric, number: str, codes: list[str] | None = None, most: int = MOST,
          definition: str = "") -> dict:
    """What stands behind a metric over `frame` (feedback of whole weeks and channels), under the name `number`.

    With `codes`, of the feedback that carries one of them; `definition` says what is counted where that is not the metric. Gives number, metric, definition, base, sql, store, snapshot, n (feedback),
    people, and sample: up to `most` verbatims by lot, one a person, whoever was loudest has no better chance; none under 10 people.
    Raises ValueError where the SQL does not give the very rows of the frame: a number that cannot be traced is not shown.
    """
    metric = metrics.metric(metric)
    rows = frame.filter(metric.base)
    if codes is not None:
        rows = rows.filter(pl.col("codes").list.eval(pl.element().is_in(codes)).list.any())
    sql = _sql(store, frame, metric, codes)
    found = store.sql(sql)
    if set(found["feedback_id"]) != set(rows["feedback_id"]):
        raise ValueError(f"「{number}」追溯不到原始反馈：数字来自 {rows.height} 条，查询给出 {found.height} 条。只能追溯整周、整渠道的反馈。")
    people = rows["person"].n_unique()
    sample = sample_verbatims(rows, most if people >= MIN_PEOPLE else 0, number)
    return {"number": number, "metric": metric.name or metric.label, "label": metric.label, "definition": definition or metric.definition, "base": metric.base_definition, "sql": sql,
            "store": store.name, "snapshot": store.snapshot, "n": rows.height, "people": people, "sample": sample}


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


def _sql(store: Store, frame: pl.DataFrame, metric: Metric, codes: list[str] | None) -> str:
    everything = frame.height == store.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    within = ["WHERE true"] if everything else [f"WHERE iso_week IN ({_listed(frame['iso_week'])})", f"  AND channel IN ({_listed(frame['channel'])})"]
    lines = [f"SELECT feedback_id, {WHO} AS person, channel, local_date, verbatim", "FROM feedback", *within]
    lines += [f"  AND {metric.base_sql}"] if metric.base_sql else []
    if codes is not None:
        coded = f"SELECT feedback_id FROM mentions WHERE {codes_in_force(store)} AND code IN ({_listed(pl.Series(codes))})"
        lines += [f"  AND feedback_id IN ({coded})"]
    return "\n".join([*lines, "ORDER BY feedback_id"])


def _listed(values: pl.Series) -> str:
    """Distinct values as SQL literals; of none, a list that nothing is in."""
    return ", ".join(map(quote, values.unique().sort())) or "NULL"
