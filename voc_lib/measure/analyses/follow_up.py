"""Did it fall? Every action's number in the week it was opened and now, and whether the difference is more than chance."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.compare import compare

CODE = "code:"
COLUMNS = {"people_then": pl.Int64, "people_now": pl.Int64, "share_then": pl.Float64, "share_now": pl.Float64, "verdict": pl.String, "why": pl.String}


def follow_up(actions: pl.DataFrame, current: pl.DataFrame, history: pl.DataFrame, period: str) -> pl.DataFrame:
    """The actions (columns week, finding) with people_then, people_now (who named the code), share_then, share_now (of those heard), verdict, why.

    Compared on the channels heard in both weeks, as `compare` does; `why` says what stood in the way where nothing could be compared.
    A fall after an action is no proof that it was the action.
    """
    if actions.is_empty():
        return actions.with_columns(pl.lit(None, kind).alias(name) for name, kind in COLUMNS.items())
    told = [_compared(row["finding"], row["week"], current, history, period) for row in actions.iter_rows(named=True)]
    return actions.hstack(pl.DataFrame(told, schema=COLUMNS))


def _compared(finding: str, week: str, current: pl.DataFrame, history: pl.DataFrame, period: str) -> dict:
    nothing = dict.fromkeys(COLUMNS)
    then = history.filter(pl.col("iso_week") == week)
    if not finding.startswith(CODE):
        return nothing | {"why": "这类发现不能按周比较"}
    if then.is_empty():
        return nothing | {"why": "那一周不在这一页读的范围里"}
    both = list(set(current["channel"]) & set(then["channel"]))
    now, then = (side.filter(pl.col("channel").is_in(both)) for side in (current, then))
    past = history.filter(pl.col("channel").is_in(both) & (pl.col("iso_week") < period))
    code = finding.removeprefix(CODE)
    named = pl.col("codes").list.contains(code)
    if not (now.select(named.any()).item() or then.select(named.any()).item()):
        return nothing | {"people_then": 0, "people_now": 0, "verdict": "within_error", "why": "两周都没有人提到"}
    row = compare(now, then, "code_share", "code", history=past).filter(pl.col("code") == code).row(0, named=True)
    return {"people_then": row["people_baseline"], "people_now": row["people"], "share_then": row["baseline"], "share_now": row["estimate"], "verdict": row["verdict"],
            "why": row["note"] or ""}
