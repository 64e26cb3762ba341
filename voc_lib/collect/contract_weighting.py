"""What the contract of a register of customers says of weighting: by which columns, what tests it. Whether the register has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from voc_lib import schema

EVENT = "touchpoint:"
TENURE, BOUGHT = "tenure", "purchased_at"  # computed from the other


def wrong_weighting(columns: Collection[str], bands: Collection[str], weigh_by: Sequence[str], held_out: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Place and words of what is wrong: columns by which is weighted are read by this register, numbers in bands; a behaviour held out is a number or a kind of touchpoint."""
    numbers = {TENURE, *(c.name for c in schema.table("customers").columns if c.type.is_numeric())}
    for place, names in (("weigh_by", weigh_by), ("held_out", held_out)):
        for at, name in enumerate(names):
            told = name.startswith(EVENT) and place == "held_out"
            if not (name in columns or told or (name == TENURE and BOUGHT in columns)):
                yield f"{place}.{at}", f"{place} 里的「{name}」不是这份档案读出的列。可用：{'、'.join(columns)}。"
            elif place == "weigh_by" and (name in numbers) != (name in bands):
                hint = f"「{name}」是数字，要先在 bands 里分档" if name in numbers else f"「{name}」不是数字，不能分档"
                yield f"{place}.{at}", f"weigh_by 里的{hint}。"
            elif place == "held_out" and not told and name not in numbers:
                yield f"{place}.{at}", f"held_out 里的「{name}」不是数字；种类请写 touchpoint:种类。"
