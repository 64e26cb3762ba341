"""Writes _truth/visits.parquet: what every visitor would have answered to the survey, asked or not, so that figures for all customers can be judged.

The dice of an answer hang on the visit alone: whoever did answer gave these very scores. Of a large world the first 20,000 customers (numbers say nothing about
people) stand for all. Answers that a truth plants or alters are not among them.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

from voc_lib.sample.exports import Stage
from voc_lib.sample.planting import FOLDER
from voc_lib.sample.speaking import Speaking

FILE = "visits.parquet"
ASKED = 20_000  # customers at most
SCHEMA = {"channel": pl.String, "iso_week": pl.String, "customer_id": pl.String, "nps": pl.Float64, "csat": pl.Float64, "ces": pl.Float64}


class Visitors:
    """Asks all who came, week by week, in every channel that surveys visits (its module has `scores`)."""

    def __init__(self, stage: Stage, speaking: Speaking, channels: dict[str, ModuleType]) -> None:
        self.stage, self.speaking = stage, speaking
        self.surveys = {name: module for name, module in channels.items() if hasattr(module, "scores")}
        self.rows: list[tuple] = []

    def take(self, week, visits: tuple[np.ndarray, np.ndarray], number) -> None:
        """All visits of a week; `number` gives the 64 bits of an utterance's key."""
        frame = self.stage.frame
        for channel, module in self.surveys.items():
            for who, day in zip(*(part.tolist() for part in visits), strict=True):
                if who < ASKED:
                    one = self.speaking.after_visit(week, channel, who, day)
                    self.rows.append((channel, week.label, frame.customer_id(who), *map(float, module.scores(one, self.stage.dice(number(one.key)), frame))))

    def write(self, out: Path) -> None:
        """One row a visit: channel, iso_week, customer_id, nps (0 to 10), csat (1 to 5), ces (1 to 7)."""
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        pl.DataFrame(self.rows, schema=SCHEMA, orient="row").write_parquet(out / FOLDER / FILE, compression="zstd", statistics=False)
