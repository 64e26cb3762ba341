"""A contract tried on the first rows of an export: what would be stored and what refused, with nothing written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import polars as pl
import polars.selectors as cs

from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.masking import mask, mask_text
from voc_lib.collect.readers import LINE, Chunk, Reject, read_export
from voc_lib.contracts import Channel

ROWS = 1_000  # rows looked at: enough to meet every form of date and score that is not rare
LINES = 5  # line numbers named per reason


@dataclass
class Trial:
    """What became of the first rows of a file. `refused` maps a reason to the lines it stands on; `typed` are rows that fit."""

    file: str
    read: int = 0
    fit: int = 0
    filtered: int = 0
    refused: dict[str, list[int]] = field(default_factory=dict)
    typed: pl.DataFrame = field(default_factory=pl.DataFrame)
    timezone: str = "UTC"

    def as_dict(self) -> dict:
        return {"file": self.file, "read": self.read, "fit": self.fit, "filtered": self.filtered,
                "refused": [{"reason": reason, "rows": len(lines), "lines": lines[:LINES]} for reason, lines in self.refused.items()]}


def try_contract(channel: Channel, path: Path, rows: int = ROWS) -> Trial:
    """Run the first rows of a file through the contract. Raises ExportError or ContractError as `ingest` would."""
    return try_rows(channel, next(read_export(path, channel.read)), mask_text(path.name), rows)


def try_rows(channel: Channel, chunk: Chunk, file: str, rows: int = ROWS) -> Trial:
    """The same for rows already read."""
    first = chunk.frame.head(rows)
    last = first[LINE].max() if chunk.frame.height > rows else None
    unread = [reject for reject in chunk.rejects if last is None or reject.line <= last]
    typed, refused, filtered = apply_contract(first, channel)
    found = by_reason([*unread, *refused])
    return Trial(file, first.height + len(unread), typed.height, filtered, found, typed, channel.timezone)


def by_reason(rejects: list[Reject]) -> dict[str, list[int]]:
    """Reasons with their lines, the most frequent first."""
    ordered = sorted(((mask_text(reject.reason), reject.line) for reject in rejects))
    found = {reason: [line for _, line in lines] for reason, lines in groupby(ordered, key=lambda pair: pair[0])}
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def preview(trial: Trial, rows: int = 20) -> pl.DataFrame:
    """The first rows as they would be stored, masked; keys and authors, which are only hashed, are not shown."""
    shown = trial.typed.head(rows)
    shown = shown.select(name for name in shown.columns if name not in (LINE, "author", "author_kind") and not name.startswith("key_"))
    shown = shown.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone(trial.timezone))
    return mask(shown.select(name for name in shown.columns if shown[name].null_count() < shown.height))


def say_lines(lines: list[int]) -> str:
    """第 3、4、9 行 …

    >>> say_lines([3, 4]), say_lines([1, 2, 3, 4, 5, 6])
    ('第 3、4 行', '第 1、2、3、4、5 行等')
    """
    return f"第 {'、'.join(map(str, lines[:LINES]))} 行" + ("等" if len(lines) > LINES else "")
