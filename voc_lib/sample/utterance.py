"""One thing somebody says: who, where, when, about what, and to which planted truth it belongs. Words are found later, by the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from voc_lib.sample.language.tongue import Point

OUTSIDE = -1  # `who` of an author who is not in the frame


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is going to be said.

    `key` is unique in the world and names the chance by which the words are found. `who` is a row of the frame or OUTSIDE; `author` is the
    number of the account, also for people outside. `thread` and `parent` are keys. `truth` and `part` say which planted truth it is a
    piece of. `extra` are facts that only this channel's export has: `keyed` lets the row carry every key the source knows; `asked` is after
    how many days the company registers the phone of who wrote a public post.
    """

    key: str
    channel: str
    when: datetime
    who: int
    author: int
    points: tuple[Point, ...]
    mood: float
    role: str = "owner"
    motive: str = "none"
    slots: Mapping[str, str] = field(default_factory=dict)
    answers: str | None = None
    thread: str | None = None
    parent: str | None = None
    truth: str = ""
    part: str = ""
    deleted: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def worst(self) -> int:
        """The lowest polarity among the points; 0 without points."""
        return min((point.polarity for point in self.points), default=0)


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance with its words and its number, from which the source's id is made; ids of the thread and of what it answers likewise."""

    utterance: Utterance
    body: str
    title: str | None
    turns: tuple[tuple[str, str], ...]
    number: int
    source_id: str
    thread_id: str | None = None
    parent_id: str | None = None
