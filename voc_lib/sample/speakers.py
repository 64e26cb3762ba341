"""Writes _truth/speakers.parquet: who said every feedback of the exports, so that linking can be judged for all and not only for what truths list."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from voc_lib.sample.exports import Stage
from voc_lib.sample.planting import FOLDER
from voc_lib.sample.utterance import OUTSIDE, Said

COLUMNS = ("channel", "source_id", "who", "author")


class Speakers:
    """Collects columns, packed week by week: a million feedback are some tens of MB, twenty of them on disk at most."""

    def __init__(self, stage: Stage) -> None:
        self.prefix = stage.frame.cast.id_prefix
        self.schema = dict(zip(COLUMNS, (pl.Enum(sorted(stage.frame.cast.channels)), pl.String, pl.Int32, pl.Int64), strict=True))
        self.week: list[tuple] = []
        self.weeks = [pl.DataFrame(schema=self.schema)]

    def take(self, said: Said) -> None:
        """One feedback, of anybody."""
        one = said.utterance
        self.week.append((one.channel, said.source_id, one.who, one.author))

    def close(self) -> None:
        """A week is over."""
        self.weeks.append(pl.DataFrame(self.week, schema=self.schema, orient="row"))
        self.week = []

    def write(self, out: Path) -> None:
        """One row a feedback: channel, source_id, customer_id (null for people outside the frame), author (the number of the account)."""
        number = pl.col("who").cast(pl.String).str.zfill(8)
        rows = pl.concat(self.weeks).select(
            pl.col("channel").cast(pl.String), "source_id", pl.when(pl.col("who") != OUTSIDE).then(pl.lit(self.prefix) + number).alias("customer_id"), "author")
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        rows.write_parquet(out / FOLDER / "speakers.parquet", compression="zstd", statistics=False)
