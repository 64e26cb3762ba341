"""One customer: all that was said and done in order, what it is about, what is still owed. Nobody's name, number or age stands here, only who the keys say is one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from voc_lib.collect.customers import DAYS_A_YEAR, bands_of
from voc_lib.collect.identity.report import links_now
from voc_lib.engine import quote
from voc_lib.measure.analyses.journeys import WINDOW, cases
from voc_lib.measure.levels import Levels
from voc_lib.messages import Told
from voc_lib.store import Store

SHORTEST = 8  # characters of a person_id that are enough to find it
QUIET = ("应用活跃",)  # kinds of touchpoints that come every month and tell nothing one by one
TIMELINE = {"at": pl.Date, "kind": pl.String, "channel": pl.String, "what": pl.String, "codes": pl.List(pl.String), "mood": pl.Float64, "case": pl.Int64, "reason": pl.String,
            "confidence": pl.Float64, "feedback_id": pl.String}
OWED = {"case_id": pl.String, "person_id": pl.String, "code": pl.String, "channels": pl.List(pl.String), "last_at": pl.Date, "posts": pl.Int64, "waited": pl.Int64, "overdue": pl.Int64}
PLAIN = ("product", "variant", "region", "city_tier")
BANDED = ("age", "spend", "app_days", "visits", "usage", "tenure")


class CustomerError(Told, ValueError):
    """No such person, or nobody in the store can be told apart."""


@dataclass(frozen=True)
class Customer:
    """One person as of `until`: `timeline` (columns of TIMELINE, oldest first), `cases`, `owed`, `roles` (channel, author_kind, n: as whom he spoke there), `facts` (name -> value or (low, high] band; empty for somebody no register knows)."""

    person_id: str
    until: date
    known: bool
    timeline: pl.DataFrame
    cases: pl.DataFrame
    owed: pl.DataFrame
    facts: dict
    roles: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"channel": pl.String, "author_kind": pl.String, "n": pl.UInt32}))


def owed(cases: pl.DataFrame, steps: pl.DataFrame, feedback: pl.DataFrame, touchpoints: pl.DataFrame, levels: Levels, until: date) -> pl.DataFrame:
    """Open cases that nobody took up: below the highest level, no reply to the last voice, no touchpoint of `levels.answers` since; the longest waiting first. Columns of `OWED`.

    waited: days since the last voice; overdue: days beyond `levels.owed_days`, 0 while it is in time. A case in which no voice is displeased
    is left out, where `feedback` has moods. `touchpoints`: customer_id, occurred_on, kind.
    """
    told = steps.join(feedback.select("feedback_id", *(name for name in ("mood", "reply") if name in feedback.columns)), on="feedback_id", how="left", maintain_order="left").sort("case_id", "step")
    mood = pl.col("mood") if "mood" in told.columns else pl.lit(-1.0)
    reply = pl.col("reply") if "reply" in told.columns else pl.lit(None, pl.String)
    heard = told.group_by("case_id").agg(mood.min().alias("lowest"), reply.last().alias("answer"))
    taken = touchpoints.filter(pl.col("kind").is_in(levels.answers)).group_by(pl.col("customer_id").alias("person_id")).agg(pl.col("occurred_on").max().alias("taken_at"))
    rows = cases.filter(pl.col("open") & (pl.col("reached").fill_null(0) < levels.top)).join(heard, on="case_id", how="left").join(taken, on="person_id", how="left")
    rows = rows.filter((pl.col("lowest") < 0) & (pl.col("answer").fill_null("") == "") & (pl.col("taken_at").is_null() | (pl.col("taken_at") < pl.col("last_at"))))
    waited = (pl.lit(until) - pl.col("last_at")).dt.total_days()
    return rows.with_columns(waited.alias("waited"), pl.max_horizontal(waited - levels.owed_days, pl.lit(0, pl.Int64)).alias("overdue")).select(
        pl.col(name).cast(kind) for name, kind in OWED.items()).sort("waited", "case_id", descending=[True, False])


def pick_person(owed: pl.DataFrame, cases: pl.DataFrame, person: str = "") -> str:
    """The person asked for (the beginning of a person_id is enough), else the one who waits longest, else the one with the longest case.

    Ties go to more posts, then to the smaller id, so that the same snapshot always gives the same page. Raises CustomerError: unknown, not the only one, nobody at all.
    """
    everyone = cases["person_id"].unique().sort()
    if person:
        found = everyone.filter(everyone.str.starts_with(person)) if len(person) >= SHORTEST else everyone.clear()
        if found.len() == 1:
            return found[0]
        raise CustomerError(f"「{person}」{'不止对应一个人，请写长一些' if found.len() else f'不是这段时间里认得出的人。person 写客户旅程页上的编号，至少 {SHORTEST} 位；空着就取等得最久的人'}。")
    if everyone.is_empty():
        raise CustomerError("这段时间里没有一个认得出是谁、又说得出什么事的人。先导入客户档案或账号登记（data/domains 里的 customers、accounts），再用 voc ingest。")
    first = owed.sort("waited", "posts", "person_id", descending=[True, True, False]) if owed.height else cases.sort("days", "posts", "person_id", descending=[True, True, False])
    return first["person_id"][0]


def customer(store: Store, feedback: pl.DataFrame, steps: pl.DataFrame, levels: Levels, person: str = "", until: date | None = None, window: int = WINDOW) -> Customer:
    """Everything of one person (see `pick_person`) in a feedback frame with moods, its cases and the registers, up to `until`."""
    until = until or feedback["local_date"].max()
    told, events = cases(steps, until, window), touchpoints(store, until)
    waiting = owed(told, steps, feedback, events, levels, until)
    who = pick_person(waiting, told, person)
    own, done, known = told.filter(pl.col("person_id") == who).sort("first_at", "case_id"), events.filter(pl.col("customer_id") == who), facts(store, who, until)
    return Customer(who, until, bool(known) or done.height > 0, timeline(store, feedback, steps, done, own, who), own, waiting.filter(pl.col("person_id") == who), known,
                    feedback.filter(pl.col("person_id") == who).group_by("channel", "author_kind").agg(pl.len().alias("n")).sort("n", "channel", descending=[True, False]))


def touchpoints(store: Store, until: date) -> pl.DataFrame:
    """What happened apart from words up to a day, without what comes every month: customer_id, occurred_on, kind, dealer, note."""
    return store.sql(f"SELECT customer_id, occurred_on, kind, dealer, note FROM touchpoints WHERE occurred_on <= {quote(str(until))}::DATE AND kind NOT IN ({', '.join(map(quote, QUIET))}) "
                     "ORDER BY customer_id, occurred_on, kind")


def timeline(store: Store, feedback: pl.DataFrame, steps: pl.DataFrame, events: pl.DataFrame, cases: pl.DataFrame, person: str) -> pl.DataFrame:
    """Feedback and touchpoints of a person in order, columns of `TIMELINE`: `case` numbers his cases by their beginning, reason is that of the link."""
    said = feedback.filter(pl.col("person_id") == person)
    listed = ", ".join(map(quote, said["feedback_id"])) or "NULL"
    why = links_now(store, f"feedback_id IN ({listed})").select("feedback_id", "reason", "confidence")
    numbers = steps.select("feedback_id", "case_id").join(cases.with_row_index("case", offset=1).select("case_id", pl.col("case").cast(pl.Int64)), on="case_id")
    mood = pl.col("mood") if "mood" in said.columns else pl.lit(None, pl.Float64)
    voices = said.join(why, on="feedback_id", how="left").join(numbers, on="feedback_id", how="left").select(
        pl.col("local_date").alias("at"), pl.lit("说").alias("kind"), "channel", pl.coalesce("verbatim", "title").alias("what"), "codes", mood.alias("mood"), "case", "reason", "confidence", "feedback_id")
    others = [pl.lit(None, kind).alias(name) for name, kind in TIMELINE.items() if name not in ("at", "kind", "channel", "what")]
    done = events.select(pl.col("occurred_on").alias("at"), "kind", pl.lit(None, pl.String).alias("channel"),
                         pl.concat_str(["dealer", "note"], separator="，", ignore_nulls=True).alias("what"), *others)
    return pl.concat([part.select(pl.col(name).cast(kind) for name, kind in TIMELINE.items()) for part in (voices, done)]).sort("at", "kind", "feedback_id", nulls_last=True)


def facts(store: Store, person: str, until: date) -> dict:
    """What the frame knew of a customer as of `until`: names as they stand, numbers only as the band of the register's contract, (low, high]."""
    rows = store.sql(f"SELECT * FROM customers WHERE customer_id = {quote(person)} AND valid_from <= {quote(str(until))}::DATE ORDER BY valid_from DESC, said_at DESC LIMIT 1")
    if rows.is_empty():
        return {}
    row = rows.row(0, named=True)
    row["tenure"] = (row["valid_from"] - row["purchased_at"]).days / DAYS_A_YEAR if row["purchased_at"] else None
    bands = bands_of(store)
    told = {name: row[name] for name in PLAIN if row[name]}
    return told | {name: band(row[name], bands[name]) for name in BANDED if name in bands and row[name] is not None} | {"valid_from": row["valid_from"]}


def band(value: float, cuts: list[float]) -> tuple[float | None, float | None]:
    """The coarse group of a value: above the first, up to and with the second; None is open.

    >>> band(30, [30, 40]), band(31, [30, 40]), band(99, [30, 40])
    ((None, 30), (30, 40), (40, None))
    """
    place = sum(value > cut for cut in cuts)
    return (cuts[place - 1] if place else None), (cuts[place] if place < len(cuts) else None)
