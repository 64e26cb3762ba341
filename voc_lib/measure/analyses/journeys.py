"""One person, one matter: what one customer said here and there about the same thing, told as one case with its steps.

A voice goes on with an open case of its person (last heard of at most `window` days ago) if it names a part (系统-部件) that all voices of the case have
in common; the system alone is enough where it goes up a level (`journey.yaml`), because two channels word one fault differently and the workshop most of all.
What remains common is what the case is about, so that a voice which names two things cannot tie two matters together. Codes that say how a matter was
handled (`Levels.aside`: 售后服务, 价格) count only where a voice names nothing else. Feedback without a person, a date or a code is in no case; nobody is in a case of somebody else.

Tried on forty planted stories (public post, hotline, workshop) whose accounts are linked: all three steps come together in 23 (with the part alone in 11, with the full
code in 5; nine have a step without any code), of neighbours in a case 79 % are about the same thing (79 %, 81 %), and none of three look-alikes is tied. The system alone on the
flat, voices without a code, and nearness of vectors were tried and left: right in 3 % and 6 %, and no better than an area under the curve of .66.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache

import polars as pl

from voc_lib.collect.prepare import hashed_id
from voc_lib.enrich.domain import PLAIN_MENTION
from voc_lib.measure.estimate import MIN_PEOPLE
from voc_lib.measure.levels import Levels

PLAIN = f"-{PLAIN_MENTION}"
WINDOW = 45  # days of silence after which the same subject is a new matter
NEAR = 30    # for `near`. Of forty planted stories with all accounts linked it brings 39 together instead of 22; of the steps it adds one in twelve is of such a story
KEPT = ("person_id", "feedback_id", "channel", "local_date", "occurred_at", "codes", "product", "dealer", "wait_seconds", "transfers")
APART, ALIKE, LATER = (0, 0, 0), (0, 1, 0), (0, 0, 1)    # how near a voice is to a case: another matter; the same system, going up; only the same person soon after, going up
WORDS = {ALIKE: "system", LATER: "time"}
STEPS = {"case_id": pl.String, "person_id": pl.String, "code": pl.String, "system": pl.String, "feedback_id": pl.String, "step": pl.Int64, "at": pl.Date, "channel": pl.String,
         "level": pl.Int64, "by": pl.String, "product": pl.String, "dealer": pl.String, "wait_seconds": pl.Float64, "transfers": pl.Float64}
CASES = {"case_id": pl.String, "person_id": pl.String, "code": pl.String, "system": pl.String, "first_at": pl.Date, "last_at": pl.Date, "days": pl.Int64, "posts": pl.Int64,
         "steps": pl.Int64, "channels": pl.List(pl.String), "started": pl.Int64, "reached": pl.Int64, "product": pl.String, "dealer": pl.String, "open": pl.Boolean}


def case_steps(feedback: pl.DataFrame, levels: Levels, window: int = WINDOW, agree: int = 2, climbing: int = 1, about: str = "", near: int = 0) -> pl.DataFrame:
    """The voices of every case in order: one row per feedback that belongs to one, none to two.

    `feedback` as `voc.feedback` gives it. `agree`: how many parts of a code have to agree (1 the system, 2 the part, 3 all of it), `climbing`: where
    the voice goes up a level. A case grows only at its end: which voices it has on a day does not depend on later days. Columns of `STEPS`: case_id (hash of person and
    first feedback, it stays while the case grows), code (of what all voices have in common the one most of them name), step (1, 2, ...), level (null where the channel has none).
    `about` keeps the cases of a code or of one above it (车机, 车机-语音). With `near` a step up within so many days of what its person said last goes on with it
    even in other words or in none: most of what that adds is chance (see `NEAR`), so nothing is counted on it. `by` says on what a step rests: code, part, system, time; null for the first.
    """
    rows = feedback.select(name for name in KEPT if name in feedback.columns).filter(pl.col("person_id").is_not_null() & pl.col("local_date").is_not_null())
    rows = rows.sort("person_id", "local_date", "occurred_at" if "occurred_at" in rows.columns else "feedback_id", "feedback_id", nulls_last=True)
    about_what = cache(lambda codes: _Subject(codes, levels.aside, agree, climbing))
    subjects = [about_what(tuple(codes or ())) for codes in rows["codes"].to_list()]
    people, days = rows["person_id"].to_list(), rows["local_date"].to_list()
    ups = [levels.channels.get(channel, -1) for channel in rows["channel"].to_list()]
    found: list[_Case] = []
    going: list[_Case] = []
    for voice, subject in enumerate(subjects):
        day, up = days[voice], ups[voice]
        going = [case for case in going if (day - case.last).days <= window] if voice and people[voice] == people[voice - 1] else []
        fitting = [(*nearness, *case.far(nearness), case.last, -case.voices[0], case) for case in going if (nearness := case.nearness(subject, up, day, near)) != APART]
        if fitting:
            best = max(fitting, key=lambda one: one[:7])
            best[7].takes(voice, subject, up, day, WORDS[best[:3]] if best[:3] in WORDS else "part" if not best[0] else "code")
        elif subject.named or near and up >= 0:
            going.append(_Case(voice, subject, up, day))
            found.append(going[-1])
    found = [case for case in found if case.named]
    steps = _frame(rows, found, [_name(case, subjects) for case in found], levels)
    return steps.filter((pl.col("code") == about) | pl.col("code").str.starts_with(f"{about}-")) if about else steps


class _Subject:
    """What a voice is about: its codes, those that say how it was handled giving way; their parts and systems."""

    __slots__ = ("named", "parts", "systems")

    def __init__(self, codes: tuple[str, ...], aside: tuple[str, ...], agree: int, climbing: int) -> None:
        own = frozenset(code for code in codes if not any(code == word or code.startswith(f"{word}-") for word in aside))
        self.named = own or frozenset(codes)
        self.parts = frozenset(cut(code, agree) for code in self.named)
        self.systems = {part: cut(part, climbing) for part in self.parts}


class _Case:
    """A matter while it is being put together: its voices by row number, the parts all of them name with their systems, the level reached, when it was last heard of."""

    __slots__ = ("voices", "by", "systems", "named", "level", "last")

    def __init__(self, voice: int, subject: _Subject, level: int, day: date) -> None:
        self.voices, self.by, self.systems, self.named, self.level, self.last = [voice], [None], subject.systems, Counter(subject.named), level, day

    def far(self, nearness: tuple[int, int, int]) -> tuple[int, int]:
        """Where nothing but time speaks, a step up goes on with what has gone furthest."""
        return (self.level, len(self.voices)) if nearness == LATER else (0, 0)

    def takes(self, voice: int, subject: _Subject, level: int, day: date, by: str) -> None:
        common = {part: system for part, system in self.systems.items() if part in subject.parts}
        shared = set(self.systems.values()) & set(subject.systems.values())
        everything = self.systems | subject.systems
        self.systems = common or {part: system for part, system in everything.items() if system in shared} or everything
        self.voices.append(voice)
        self.by.append(by)
        self.named.update(subject.named)
        self.level, self.last = max(self.level, level), day

    def nearness(self, subject: _Subject, level: int, day: date, near: int) -> tuple[int, int, int]:
        """How many codes and parts a voice has in common with the case; going up a level the system is enough, and soon after even that it is the same person."""
        shared = len(subject.parts & self.systems.keys())
        if shared:
            return len(subject.named & self.named.keys()), shared, 0
        if not level > self.level >= 0:
            return APART
        if not set(self.systems.values()).isdisjoint(subject.systems.values()):
            return ALIKE
        return LATER if near and (day - self.last).days <= near else APART


def cut(code: str, parts: int) -> str:
    """The first parts of a code.

    >>> cut("充电-速度-慢", 2)
    '充电-速度'
    """
    return "-".join(code.split("-")[:parts])


def _name(case: _Case, subjects: list[_Subject]) -> tuple[str, str]:
    """(code, system): of the codes within what the voices have in common the one most of them name; of equals the one named first, then by name.

    A code that only says that a thing was talked about (…-评价) names a case only where nothing says more.
    """
    within = [code for code in case.named if any(code == part or code.startswith(f"{part}-") for part in case.systems)]
    within = [code for code in within if not code.endswith(PLAIN)] or within
    first = {code: next(voice for voice in case.voices if code in subjects[voice].named) for code in within} if len(within) > 1 else {}
    code = min(within, key=lambda name: (-case.named[name], first.get(name, 0), name))
    return code, cut(code, 1)


def _frame(rows: pl.DataFrame, cases: list[_Case], told: list[tuple[str, str]], levels: Levels) -> pl.DataFrame:
    if not cases:
        return pl.DataFrame(schema=STEPS)
    placed = pl.DataFrame({"row": [case.voices for case in cases], "by": [case.by for case in cases], "code": [code for code, _ in told], "system": [system for _, system in told]}, schema_overrides={"row": pl.List(pl.UInt32), "by": pl.List(pl.String)})
    placed = placed.with_row_index("case").explode("row", "by").with_columns(pl.int_range(1, pl.len() + 1).over("case").cast(pl.Int64).alias("step"))
    steps = placed.join(rows.with_row_index("row").drop("codes"), on="row", how="left", maintain_order="left").with_columns(
        pl.col("local_date").alias("at"), pl.col("channel").replace_strict(levels.channels, default=None, return_dtype=pl.Int64).alias("level"))
    first = steps.filter(pl.col("step") == 1).select("case", "person_id", "feedback_id")
    named = first.select("case", pl.Series("case_id", hashed_id("case", pl.Series([f"{person} {feedback}" for _, person, feedback in first.iter_rows()]))))
    missing = [pl.lit(None, kind).alias(name) for name, kind in STEPS.items() if name not in steps.columns and name != "case_id"]
    return steps.join(named, on="case", how="left", maintain_order="left").with_columns(missing).select(pl.col(name).cast(kind) for name, kind in STEPS.items()).sort("case_id", "step")


def cases(steps: pl.DataFrame, until: date | None = None, window: int = WINDOW) -> pl.DataFrame:
    """One row per case, the longest first: columns of `CASES`.

    days (from first to last voice), posts (feedback), channels (in order, each once in a row), steps (how often it went to another channel, plus 1),
    started and reached (its first and its highest level; null where no channel of it has one), open (heard of at most `window` days before `until`).
    """
    if steps.is_empty():
        return pl.DataFrame(schema=CASES)
    until = until or steps["at"].max()
    told = steps.sort("case_id", "step").group_by("case_id", maintain_order=True).agg(
        pl.col("person_id", "code", "system").first(), pl.col("at").first().alias("first_at"), pl.col("at").last().alias("last_at"), pl.len().cast(pl.Int64).alias("posts"),
        pl.col("channel").filter(pl.col("channel").ne_missing(pl.col("channel").shift(1))).alias("channels"), pl.col("level").drop_nulls().first().alias("started"),
        pl.col("level").max().alias("reached"), pl.col("product").drop_nulls().first(), pl.col("dealer").drop_nulls().last())
    return told.with_columns((pl.col("last_at") - pl.col("first_at")).dt.total_days().alias("days"), pl.col("channels").list.len().cast(pl.Int64).alias("steps"),
                             ((pl.lit(until) - pl.col("last_at")).dt.total_days() <= window).alias("open")).select(
        pl.col(name).cast(kind) for name, kind in CASES.items()).sort("days", "posts", "case_id", descending=[True, True, False])


def posts_cases_people(steps: pl.DataFrame, by: str = "code", feedback: pl.DataFrame | None = None) -> pl.DataFrame:
    """Posts, cases and people counted apart, one row per code (or `system`), most people first: <by>, posts, cases, people, climbed (cases that went up a level).

    With `feedback` also `heard`: all feedback that names it, of people known or not. Under 10 people every figure is null, and climbed where 1 to 9 people's cases did.
    """
    up = (pl.col("reached") > pl.col("started")).fill_null(False)
    few = pl.col("person_id").filter(up).n_unique().is_between(1, MIN_PEOPLE - 1)
    counted = cases(steps).group_by(by).agg(pl.col("posts").sum(), pl.len().cast(pl.Int64).alias("cases"), pl.col("person_id").n_unique().cast(pl.Int64).alias("people"),
                                            pl.when(few).then(None).otherwise(up.sum()).cast(pl.Int64).alias("climbed"))
    figures = ["posts", "cases", "people", "climbed"]
    if feedback is not None:
        name = pl.col("codes") if by == "code" else pl.col("codes").list.eval(pl.element().str.split("-").list.first()).list.unique()
        heard = feedback.select(name.alias(by)).explode(by, empty_as_null=False, keep_nulls=False).group_by(by).agg(pl.len().cast(pl.Int64).alias("heard"))
        counted, figures = counted.join(heard, on=by, how="left"), [*figures, "heard"]
    enough = pl.col("people") >= MIN_PEOPLE
    return counted.with_columns(pl.when(enough).then(pl.col(name)).alias(name) for name in figures).sort(
        "people", "posts", by, descending=[True, True, False], nulls_last=True)
