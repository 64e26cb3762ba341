"""Weeks that were missed: which have feedback and no page, and making them one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby

from voc_lib.measure.feedback import check_week, monday, week_of, weeks
from voc_lib.messages import Told
from voc_lib.pipeline import Run, RunError, gather, make_week
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

LISTED = 3  # consecutive weeks from which on only the first and the last are named


@dataclass
class CaughtUp:
    """What came of it: runs that published, weeks without feedback, weeks that failed with the reason."""

    gathered: Run
    runs: list[Run] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def catch_up(store: str, since: str, tell: Callable[[str, str], None]) -> CaughtUp:
    """Make every complete week from `since` on that has feedback and no page, the oldest first, each on its own.

    One that fails leaves the others alone. Raises RunError where no week is over yet since then.
    """
    last = week_of(datetime.now(UTC).date() - timedelta(weeks=1))
    if monday(since) > monday(last):
        raise RunError(f"从 {since} 起还没有一周是完整的；最近完整的一周是 {last}。请改 --since。")
    done = CaughtUp(gather(store, tell))
    known, have = weeks(open_store(store))["iso_week"].to_list(), published(store)
    if not known:  # no dates at all: the page without weeks
        done.runs.append(make_week(done.gathered, None, tell))
        return done
    asked = [week_of(monday(since) + timedelta(weeks=k)) for k in range((monday(last) - monday(since)).days // 7 + 1)]
    done.empty = [week for week in asked if week not in known and week not in have]
    for week in asked:
        if week in have or week not in known:
            continue
        try:
            done.runs.append(make_week(done.gathered, week, tell))
        except Told as error:
            done.failed[week] = str(error)
    return done


def missing(snapshot: Store, week: str) -> list[str]:
    """Weeks with feedback and no page between the first page of the store and `week`: those a scheduler has missed."""
    have = published(snapshot.name)
    first = min(have, default=week)
    return [known for known in weeks(snapshot)["iso_week"].to_list() if first < known < week and known not in have]


def published(store: str) -> set[str]:
    """The weeks a store has a page for."""
    from voc_lib.report.index import manifests

    return {str(found["week"]) for _, found in manifests(settings().reports) if found and found["store"] == store and found.get("week")}


def named(listed: list[str]) -> str:
    """Weeks in words, what follows each other shortened.

    >>> named(["2026-W40", "2026-W43", "2026-W44"]), named(["2026-W51", "2026-W52", "2026-W53", "2027-W01", "2027-W03"])
    ('2026-W40、2026-W43、2026-W44', '2026-W51 到 2027-W01、2027-W03')
    """
    spans = [[week for _, week in group] for _, group in groupby(enumerate(listed), lambda pair: monday(pair[1]) - timedelta(weeks=pair[0]))]
    return "、".join(f"{span[0]} 到 {span[-1]}" if len(span) >= LISTED else "、".join(span) for span in spans)
