"""A planted topic that is born: in which week it became a candidate, and what was called new in weeks in which nothing begins."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.new_topics import FEWEST_WEEKS, new_topics, weeks_known
from voc_lib.measure.feedback import monday, weeks_before
from voc_lib.store import Store

ITS_OWN = 0.5  # of a candidate's feedback that has to be planted for it to be the planted topic


def born_row(planted: dict, store: Store, rows: pl.DataFrame) -> dict | None:
    """The columns of `evaluate` for a truth with a newborn topic (`new`, `quiet_weeks`); None for any other.

    found_week: the first week, from the birth on, with a candidate that is new and mostly of planted feedback. False candidates: whatever is marked new in
    the quiet weeks that have a base long enough to say so.
    """
    if "new" not in planted:
        return None
    leaf, begins = planted["new"]["leaf"], planted["new"]["week"]
    told = [one for one in planted["feedback"] if leaf in one["leaves"]]
    listed = pl.DataFrame(told, schema={"channel": pl.String, "source_id": pl.String, "customer_id": pl.String})
    here = rows.select("feedback_id", "channel", "source_id").join(listed, on=["channel", "source_id"], how="semi")
    heard = set(rows["iso_week"])
    first = _first_week(store, planted, set(here["feedback_id"]), heard)
    late = (monday(first) - monday(begins)).days // 7 if first else None
    quiet = [week for week in planted["quiet_weeks"] if week in heard and weeks_known(store, week) >= FEWEST_WEEKS]
    false = sum(new_topics(store, week)["known_code"].is_null().sum() for week in quiet)
    seen = f"{first} 列入新话题候选，" + ("当周" if late == 0 else f"晚 {late} 周") if first else "没有成为新话题候选"
    calm = f"无事的 {len(quiet)} 周里误报 {false} 个" if quiet else "无事的几周之前历史太短，没有看"
    return {
        "truth": f"{planted['truth']}_new", "title": "新话题：多久成为候选，无事的几周有没有误报", "begins": begins, "planted": listed.height,
        "customers": listed["customer_id"].n_unique() - listed["customer_id"].has_nulls(), "sizes": "、".join(f"{week} {size} 人" for week, size in planted["new"]["sizes"].items()),
        "in_store": here.height, "first_week": first, "weeks_late": late, "found": f"{seen}；{calm}",
    }  # fmt: skip


def _first_week(store: Store, planted: dict, own: set[str], heard: set[str]) -> str | None:
    last = max(planted["new"]["sizes"])
    for week in [*weeks_before(last, len(planted["new"]["sizes"]) - 1), last]:
        if week not in heard:
            continue
        candidates = new_topics(store, week).filter(pl.col("known_code").is_null())
        if any(len(own.intersection(listed)) >= ITS_OWN * len(listed) for listed in candidates["feedback_ids"].to_list()):
            return week
    return None

