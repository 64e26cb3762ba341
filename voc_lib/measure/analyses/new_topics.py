"""What do people suddenly talk about that they did not before? Candidates for new topics, from what they say, without codes.

A candidate is a question to somebody who reads, not a finding: it says that many people use words they did not use before.
"""

from __future__ import annotations

import logging
from hashlib import sha256

import polars as pl

from voc_lib.enrich.batches import SEARCHED
from voc_lib.enrich.bursts import LEAST_LIFT, spoken_words
from voc_lib.enrich.candidates import CANDIDATE_SCHEMA, find_candidates
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.in_force import coder_in_force
from voc_lib.measure.feedback import check_present, feedback, weeks, weeks_before
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

WINDOW = 2  # weeks: a topic of eight people a week is seen sooner than in one, and no later than a week after one
FEWEST_WEEKS = 8  # of base with feedback: fewer do not know what is usual
YEAR = 52
# A year ago, one window before and one after as well: the first cold week is not the same in every year.
SEASON = range(YEAR - 1, YEAR + 3)
MOST_BASE = 60_000  # feedback: enough for a rate; beyond, people are drawn by lot (seconds of cutting words, and a gigabyte)
NOT_CUSTOMERS = ("official", "staff", "media")  # a statement of the maker that many repeat is no topic of customers
NEW_TOPICS_SCHEMA = {"candidate": pl.String, **CANDIDATE_SCHEMA}
log = logging.getLogger("voc.new_topics")


def new_topics(store: Store | str | None, week: str, base_weeks: int = 26) -> pl.DataFrame:
    """Candidates for new topics in the two weeks up to `week`, against the `base_weeks` before them, the surest first.

    Columns: candidate (id, the same every week that the same leading term is found in the same rise), name, terms (most people beyond
    the expected first), people (who use one of its five leading terms), expected (had people talked as in the base), lift, p_value
    (one-sided) and q_value (Benjamini-Hochberg at 1 % over all terms) of its surest term, known_code (a known code rises with it; null:
    new), feedback_ids (of those people, repeats left out). What was said as often in the same weeks a year ago is left out. Repeats, official
    accounts, staff and media do not count. Empty, with a word in the log (`new_topics_note`), where the base has
    feedback of fewer than 8 weeks. Raises PeriodError where the store has nothing in the week.
    """
    opened = store if isinstance(store, Store) else open_store(store)
    check_present(opened, week)
    if weeks_known(opened, week, base_weeks) < FEWEST_WEEKS:
        log.warning("%s", new_topics_note(opened, week, base_weeks))
        return pl.DataFrame(schema=NEW_TOPICS_SCHEMA)
    window, base, season = _frames(opened, week, base_weeks)
    left_out = _not_comparable(window, base)
    window = window.filter(~pl.col("channel").is_in(left_out))
    domain = load_domain(settings().domains, opened.about["domain"])
    cut = [frame.with_columns(words=pl.Series(spoken_words(_spoken(frame), domain), dtype=pl.List(pl.String))) for frame in (window, base, season)]
    if coder_in_force(opened) is None:
        cut = [frame.drop("codes") for frame in cut]  # not coded is not the same as uncoded
    found = find_candidates(*cut)
    seen = [_first_week(terms[0], cut[0], cut[1], week) for terms in found["terms"].to_list()]
    ids = [sha256(f"{terms[0]}:{first}".encode()).hexdigest()[:12] for terms, first in zip(found["terms"].to_list(), seen, strict=True)]
    return found.with_columns(pl.Series("candidate", ids, dtype=pl.String)).select(*NEW_TOPICS_SCHEMA)


def new_topics_note(store: Store | str | None, week: str, base_weeks: int = 26) -> str:
    """What `new_topics` cannot look at in that week, in words; empty where there is nothing to say."""
    opened = store if isinstance(store, Store) else open_store(store)
    known = weeks_known(opened, week, base_weeks)
    if known < FEWEST_WEEKS:
        return f"{week} 的前一周之前只有 {known} 周有反馈，不足 {FEWEST_WEEKS} 周，看不出什么是新的"
    left_out = _not_comparable(*_frames(opened, week, base_weeks)[:2])
    return f"这些渠道之前的反馈太少，没有参与比较：{'、'.join(left_out)}" if left_out else ""


def weeks_known(store: Store, week: str, base_weeks: int = 26) -> int:
    """How many of the weeks to compare with have feedback."""
    base = weeks_before(weeks_before(week, WINDOW - 1)[0], base_weeks)
    return weeks(store)["iso_week"].is_in(base).sum()


def _frames(store: Store, week: str, base_weeks: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Window, base and the same time a year ago, the last two with `stretch`: which two weeks a feedback belongs to."""
    window = [*weeks_before(week, WINDOW - 1), week]
    base = weeks_before(window[0], base_weeks)[::-1]
    year = weeks_before(week, max(SEASON))[::-1]
    season = [year[back - 1] for back in SEASON if year[back - 1] not in base]
    rows = feedback(store, [*window, *base, *season])
    rows = rows.filter(~pl.col("author_kind").is_in(NOT_CUSTOMERS).fill_null(False))
    rows = rows.select("feedback_id", "person", "channel", "iso_week", "duplicate_of", "codes", *SEARCHED)
    return (rows.filter(pl.col("iso_week").is_in(window)), *(_drawn(_stretched(rows, labels)) for labels in (base, season)))


def _stretched(rows: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    """Rows of the weeks named (newest first), two and two."""
    places = pl.DataFrame({"iso_week": labels, "stretch": [at // WINDOW for at in range(len(labels))]}, schema={"iso_week": pl.String, "stretch": pl.Int64})
    return rows.join(places, on="iso_week", maintain_order="left")


def _drawn(rows: pl.DataFrame) -> pl.DataFrame:
    """About so many rows at most, of people by lot: each with all or nothing, the same ones every time."""
    if rows.height <= MOST_BASE:
        return rows
    people = rows["person"].unique().sort()
    lots = pl.Series([int.from_bytes(sha256(one.encode()).digest()[:4]) / 2**32 for one in people])
    return rows.filter(pl.col("person").is_in(people.filter(lots < MOST_BASE / rows.height).implode()))


def _not_comparable(window: pl.DataFrame, base: pl.DataFrame) -> list[str]:
    """Channels of the window heard in less than half of the base: every word of a new export would be new."""
    heard = base.group_by("channel").agg(pl.col("stretch").n_unique()).filter(pl.col("stretch") * 2 >= base["stretch"].n_unique())
    return sorted(set(window["channel"]) - set(heard["channel"]))


def _spoken(frame: pl.DataFrame) -> list[str]:
    return frame.select(pl.concat_str(*SEARCHED, separator="。", ignore_nulls=True)).to_series().to_list()


def _first_week(term: str, window: pl.DataFrame, base: pl.DataFrame, week: str) -> str:
    """The first of the unbroken weeks, back from the last, in which the term was said far more than in the middle week of the base."""
    columns = "iso_week", "person", "words"
    rows = pl.concat([window.select(columns), base.select(columns)])
    said = pl.Series([_says(term, words) for words in rows["words"].to_list()], dtype=pl.Boolean)
    people = dict(rows.filter(said).group_by("iso_week").agg(pl.col("person").n_unique()).iter_rows())
    back = [week, *weeks_before(week, base["iso_week"].n_unique() + WINDOW - 1)[::-1]]
    usual = pl.Series([people.get(one, 0) for one in back[WINDOW:]]).median()
    loud = [people.get(one, 0) > LEAST_LIFT * usual for one in back]
    start = 0 if loud[0] else 1
    end = next((at for at in range(start, len(back)) if not loud[at]), len(back))
    return back[max(end - 1, 0)]


def _says(term: str, words: list[str]) -> bool:
    return term in words or any(one + two == term for one, two in zip(words, words[1:], strict=False))
