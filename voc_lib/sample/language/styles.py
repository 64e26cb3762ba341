"""Reads styles/<domain>/<channel>.yaml: how a channel builds an utterance; `_shared.yaml` holds what all channels have.

```yaml
registers: {plain: 6, social: 3}      # weights of the registers of clauses
endings: {"": 5, "。": 3, "！": 1}     # the last mark
noise: {typo: 0.05, emoji: 0.1, ...}  # rates, see noise.py
join: 3                               # at most so many points are told; left out = all
frames: {bad: |..., good: |...}       # how an utterance is built, one pattern a line, parts as <open>
titles: {bad: |...}                   # left out = no title
parts:  {open: |..., feel.angry: |...}
scripts: {bad: [ |..., |... ]}        # dialogues: lines of `客户: ...`, `坐席?: ...` (said half the time), `+: asking` (a block)
blocks: {asking: [ |... ]}            # turns that belong together, a question and its answers; asking.<kind> besides
record: true                          # written by an agent or technician about the speaker: no 我, motives change nothing but claim
```
A part <feel> is looked up as feel.<role> (if there is one and the role is not owner: only that), otherwise as the union of feel,
feel.<bad|even|good>, feel.<band>, feel.<motive>, feel.<kind> (kinds: {repair: 空调 制动, service: 销售 ...}, by a leaf's beginning); in the channel first, then in the shared file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from voc_lib.sample.language.lines import Line, compile_lines

HERE = Path(__file__).parent
BANDS = ((-1.4, "furious"), (-0.5, "angry"), (0.5, "flat"), (1.4, "glad"), (9.0, "delighted"))
ROLES = ("owner", "prospect", "other_brand", "official", "staff", "media")
MOTIVES = ("vent", "warn", "ask", "claim", "praise", "help", "tease", "spam", "none")
ANSWERS = ("metoo", "official", "staff", "disagree")


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of a script: who speaks, what, and whether it may be left out."""

    speaker: str
    line: Line
    optional: bool


@dataclass(frozen=True, slots=True)
class Style:
    """How one channel speaks; everything compiled."""

    channel: str
    registers: tuple[str, ...]
    endings: tuple[str, ...]
    noise: Mapping[str, float]
    frames: Mapping[str, tuple[Line, ...]]
    titles: Mapping[str, tuple[Line, ...]]
    parts: Mapping[str, tuple[Line, ...]]
    scripts: Mapping[str, tuple[tuple[Turn, ...], ...]]
    emoji: Mapping[str, tuple[str, ...]]
    typos: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    blocks: Mapping[str, tuple[tuple[Turn, ...], ...]]
    record: bool

    def kind_of(self, leaf: str) -> str:
        """The kind of matter a leaf is (repair, service ...), by the first beginning in the shared file that fits; empty if none."""
        return next((kind for start, kind in self.kinds if leaf.startswith(start)), "")


def band_of(mood: float) -> str:
    """The mood band of a mood from -2 to 2."""
    return next(name for below, name in BANDS if mood < below)


def read_styles(domain: str) -> dict[str, Style]:
    """The style of every channel of a domain, shared parts already merged in (the channel's own win by name)."""
    folder = HERE / "styles" / domain
    shared = _read(folder / "_shared.yaml") if (folder / "_shared.yaml").exists() else {}
    styles = {path.stem: _style(path.stem, _read(path), shared) for path in sorted(folder.glob("[!_]*.yaml"))}
    if not styles:
        raise ValueError(f"No styles for the domain {domain!r}: styles/{domain}/ has no YAML file.")
    return styles


def _read(path: Path) -> dict:
    return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}


def _style(channel: str, own: dict, shared: dict) -> Style:
    def merged(section: str) -> dict:
        return {**(shared.get(section) or {}), **(own.get(section) or {})}

    titles = {key: compile_lines(lines) for key, lines in merged("titles").items()} if "titles" in own else {}
    return Style(
        channel, _spread(own["registers"]), _spread(own.get("endings") or {"": 1}), own.get("noise") or {},
        {key: compile_lines(lines) for key, lines in merged("frames").items()}, titles,
        {key: compile_lines(lines) for key, lines in merged("parts").items()},
        {key: tuple(_script(text) for text in texts) for key, texts in (own.get("scripts") or {}).items()},
        {band: tuple(marks.split()) for band, marks in (shared.get("emoji") or {}).items()},
        tuple(tuple(row.split()[:2]) for row in (shared.get("typos") or "").splitlines() if row.strip()),
        tuple((start, kind) for kind, starts in (shared.get("kinds") or {}).items() for start in starts.split()),
        {key: tuple(_script(text) for text in texts) for key, texts in (own.get("blocks") or {}).items()}, bool(own.get("record")),
    )


def _spread(weights: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(name for name, weight in weights.items() for _ in range(weight))


def _script(text: str) -> tuple[Turn, ...]:
    turns = []
    for row in text.splitlines():
        if row.strip():
            speaker, _, said = row.partition(":")
            turns.append(Turn(speaker.strip().rstrip("?"), compile_lines([said])[0], speaker.strip().endswith("?")))
    return tuple(turns)
