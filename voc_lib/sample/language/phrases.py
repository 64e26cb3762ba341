"""Reads phrases/<domain>/*.yaml: for every leaf the ways to complain, praise and ask about it, in the speaker's voice.

```yaml
空调-出风-异响:
  weight: 3                # how often it comes up by itself
  season: [5, 6, 7, 8]     # months; left out = all year
  products: [A7]           # left out = all
  thing: |                 # what it is about, a noun, one way a line
  fault: |                 # the trouble as a noun phrase, for titles, replies, agents: 空调异响
  gain: |                  # the good of it as a noun phrase
  complaint: {plain: |..., social: |..., formal: |..., short: |..., shop: |...}     # no full stop at the end
  praise:    {plain, social, short, formal}
  question:  {plain, social, short}
  tease: |                 # praise words that mean the contrary
  when: |  effect: |  find: |  fix: |  tip: |      # circumstance, what it does to the day, what the shop found and did, what helped
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from voc_lib.sample.language.lines import Line, compile_lines

HERE = Path(__file__).parent
REGISTERS = ("plain", "social", "formal", "short", "shop")
KINDS = {"complaint": -1, "question": 0, "praise": 1}
SIDES = ("thing", "fault", "gain", "tease", "when", "effect", "find", "fix", "tip")
KNOWN = {*KINDS, *SIDES, "weight", "season", "products"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A place in the language's own tree. `polarities` are those it has words of its own for; `months` its season or None."""

    name: str
    system: str
    weight: float
    polarities: tuple[int, ...]
    products: tuple[str, ...] | None
    months: tuple[int, ...] | None
    ways: Mapping[int, Mapping[str, tuple[Line, ...]]]
    sides: Mapping[str, tuple[Line, ...]]


def read_leaves(domain: str) -> dict[str, Leaf]:
    """All leaves of a domain in the order of the files.

    Raises:
        ValueError: a file names a field or register that does not exist, or a leaf twice.
    """
    leaves: dict[str, Leaf] = {}
    for path in sorted((HERE / "phrases" / domain).glob("*.yaml")):
        for name, written in (yaml.load(path.read_text("utf-8"), Loader=_loader()) or {}).items():
            if name in leaves:
                raise ValueError(f"{path.name}: the leaf {name} is written twice.")
            if unknown := sorted(set(written) - KNOWN):
                raise ValueError(f"{path.name}: {name} has {unknown}. It takes: {', '.join(sorted(KNOWN))}.")
            leaves[name] = _leaf(path.name, name, written)
    if not leaves:
        raise ValueError(f"No phrases for the domain {domain!r}: phrases/{domain}/ has no YAML file.")
    return leaves


def _leaf(file: str, name: str, written: dict) -> Leaf:
    ways: dict[int, dict[str, tuple[Line, ...]]] = {}
    for kind, polarity in KINDS.items():
        registers = written.get(kind) or {}
        if unknown := sorted(set(registers) - set(REGISTERS)):
            raise ValueError(f"{file}: {name}, {kind} has the registers {unknown}. They are: {', '.join(REGISTERS)}.")
        compiled = {register: compile_lines(lines) for register, lines in registers.items()}
        # A joke sets its own scene: no circumstance is put before it.
        compiled["social"] = tuple(replace(line, full=True) for line in compiled.get("social", ()))
        if any(compiled.values()):
            ways[polarity] = {register: lines for register, lines in compiled.items() if lines}
    months = written.get("season")
    return Leaf(
        name, name.split("-")[0], float(written.get("weight", 1)), tuple(sorted(ways)), tuple(written["products"]) if written.get("products") else None,
        tuple(months) if months else None, ways, {side: compile_lines(written.get(side)) for side in SIDES},
    )


def _loader() -> type:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
