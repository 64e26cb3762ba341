"""Who was heard and who was not: means of all customers against means of those who spoke, for _truth/selection.json."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np

from voc_lib.sample.customers import csat_of, nps_of
from voc_lib.sample.exports import Stage
from voc_lib.sample.planting import write_truth
from voc_lib.sample.utterance import Utterance

WRITTEN_BY_OTHERS = ("warranty", "dealer_notes")  # about a customer, not by one: does not break the silence


def cast_channels(stage: Stage) -> tuple[str, ...]:
    """All channels of the world."""
    return stage.frame.cast.channels


class Heard:
    """Counts speakers by quarter and channel while the weeks go by."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.frame = stage, stage.frame
        self.sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
        self.public: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2, dtype=int))
        self.channels = sorted(cast_channels(stage))
        self.bits = {name: 1 << at for at, name in enumerate(self.channels)}
        # One bit a channel, a number a customer: a million customers over ten quarters fit into 20 MB.
        self.spoke: dict[date, np.ndarray] = {quarter: np.zeros(len(stage.frame), dtype=np.uint16) for quarter in stage.world.quarters}
        self.nps, self.csat = nps_of(self.frame["satisfaction"]), csat_of(self.frame["satisfaction"])

    def take(self, one: Utterance) -> None:
        """One utterance of anybody."""
        self.public[one.channel][int(one.who < 0)] += 1
        if one.who < 0:
            return
        satisfaction = self.frame["satisfaction"][one.who]
        self.sums[one.channel] += (1, satisfaction, self.nps[one.who])
        quarter = date(one.when.year, (one.when.month - 1) // 3 * 3 + 1, 1)
        self.spoke[quarter][one.who] |= self.bits[one.channel]

    def accounts(self) -> np.ndarray:
        """The channels in which every customer was ever heard, as bits of `self.bits`."""
        return np.bitwise_or.reduce(list(self.spoke.values()))

    def write(self, out: Path) -> None:
        """Population and speakers, by quarter and by channel."""
        write_truth(out, "selection", {
            "title": "谁说话：全体客户与发声客户的真实平均", "selection": self.stage.world.selection,
            "quarters": [self._quarter(quarter) for quarter in self.stage.world.quarters],
            "channels": {name: self._channel(name) for name in sorted(self.public)},
        })

    def _quarter(self, start: date) -> dict:
        frame, channels = self.frame, self.spoke[start]
        by_others = sum(self.bits.get(name, 0) for name in WRITTEN_BY_OTHERS)
        spoke = (channels & np.uint16(0xFFFF ^ by_others)) > 0
        ordinal = start.toordinal()
        known = frame["bought"] <= ordinal + 90  # the frame keeps those who left
        in_use = frame.in_use(start)
        return {
            "start": str(start), "customers": int(known.sum()), "in_use": int(in_use.sum()), "spoke": int(spoke.sum()),
            "silent_share": round(1 - float(spoke[known].mean()), 4) if known.any() else None,
            "everyone": self._means(in_use), "speakers": self._means(spoke),
            "speakers_by_channel": {name: int((channels & bit > 0).sum()) for name, bit in self.bits.items()},
        }

    def _means(self, who: np.ndarray) -> dict:
        if not who.any():
            return {}
        nps = self.nps[who]
        return {"satisfaction": round(float(self.frame["satisfaction"][who].mean()), 4), "csat": round(float(self.csat[who].mean()), 4),
                "nps_points": round(100 * float((nps >= 9).mean() - (nps <= 6).mean()), 2)}

    def _channel(self, name: str) -> dict:
        many, satisfaction, nps = self.sums[name]
        customers, outside = self.public[name].tolist()
        return {"feedback": customers + outside, "outside_share": round(outside / max(customers + outside, 1), 4),
                "mean_satisfaction": round(satisfaction / many, 4) if many else None, "mean_nps": round(nps / many, 4) if many else None}
