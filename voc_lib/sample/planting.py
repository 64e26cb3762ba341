"""What a truth module hands over, and the notes from which its _truth file is written."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

from voc_lib.sample import truths
from voc_lib.sample.exports import Stage
from voc_lib.sample.utterance import Said, Utterance
from voc_lib.sample.world import Week, WorldError

FOLDER = "_truth"


def nothing(week: Week) -> Iterable[Utterance]:
    """No utterance of its own."""
    return ()


@dataclass(frozen=True)
class Planting:
    """A truth, ready to happen.

    `facts`: what is known beforehand (weeks, sizes, leaves, codes) for _truth/<name>.json. `say`: the utterances of a week. `alter`: changes
    an utterance that is going to be said. `answer`: what others reply to one. `close`: facts known only at the end. `asked`: channel and
    customer of the accounts that are registered because of it (see bindings), and for no other post.
    """

    facts: dict
    say: Callable[[Week], Iterable[Utterance]] = nothing
    alter: Callable[[Utterance], Utterance] | None = None
    answer: Callable[[Utterance], Iterable[Utterance]] | None = None
    close: Callable[[], dict] | None = None
    asked: frozenset[tuple[str, int]] = frozenset()


@dataclass
class Notes:
    """Which feedback a truth put into which export; kept as short as possible, since truths grow with the world."""

    feedback: dict[str, list[tuple]] = field(default_factory=dict)

    def take(self, said: Said) -> None:
        """Remember one utterance of a truth."""
        one = said.utterance
        self.feedback.setdefault(one.truth, []).append((one.channel, said.source_id, one.who, one.author, _label(one), sys.intern(one.part), one.points))

    def rows(self, truth: str, stage: Stage) -> Iterator[dict]:
        """The rows of a truth, as its file lists them."""
        for channel, source_id, who, author, week, part, points in self.feedback.get(truth, []):
            yield {"channel": channel, "source_id": source_id, "customer_id": stage.frame.customer_id(who) if who >= 0 else None,
                   "account": None if who >= 0 else author, "week": week, "part": part, "leaves": [point.leaf for point in points]}


def _label(one: Utterance) -> str:
    year, week, _ = one.when.isocalendar()
    return sys.intern(f"{year}-W{week:02d}")


@cache
def modules(domain: str) -> dict[str, ModuleType]:
    """The truth modules of a domain by name; a module says in DOMAIN where it belongs (both: no DOMAIN)."""
    found = {info.name: importlib.import_module(f"{truths.__name__}.{info.name}") for info in pkgutil.iter_modules(truths.__path__) if not info.name.startswith("_")}
    return {name: module for name, module in sorted(found.items()) if getattr(module, "DOMAIN", domain) == domain}


def kept_leaves(domain: str) -> frozenset[str]:
    """Leaves that only truths speak of, whether those are planted or not."""
    return frozenset(leaf for module in modules(domain).values() for leaf in getattr(module, "KEPT", ()))


def plantings(stage: Stage, speaking) -> dict[str, Planting]:
    """The truths of this world, without those switched off.

    Raises:
        WorldError: a name in `without` is no truth of the domain.
    """
    known = modules(stage.world.domain)
    for name in stage.world.without:
        if name not in known:
            raise WorldError(f"没有名为「{name}」的埋设。现有：{'、'.join(known)}。")
    return {name: module.plant(stage, speaking) for name, module in known.items() if name not in stage.world.without}


def write_truth(out: Path, name: str, content: dict, feedback: Iterable[dict] | None = None) -> None:
    """One file of the truth, readable; its feedback last, one line each."""
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    head = json.dumps(content, ensure_ascii=False, indent=1)
    with (folder / f"{name}.json").open("w", encoding="utf-8", newline="\n") as file:
        if feedback is None:
            file.write(head + "\n")
            return
        file.write(head[:-2] + ',\n "feedback": [')
        for at, row in enumerate(feedback):
            file.write((",\n  " if at else "\n  ") + json.dumps(row, ensure_ascii=False))
        file.write("\n ]\n}\n")
