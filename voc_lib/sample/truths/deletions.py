"""Truth 8b: platforms delete, and praise falls more often (it looks like advertising). What is deleted keeps its row and says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from voc_lib.sample.planting import Planting

TITLE = "平台删帖：好评被删得更多"
RATES = {1: 0.09, 0: 0.03, -1: 0.03}
WHERE = ("microblog", "car_forum", "short_video", "app_store", "bank_forum")


def plant(stage, speaking) -> Planting:
    seen, gone = Counter(), Counter()

    def alter(one):
        if one.channel not in WHERE or one.role in ("official", "media") or not one.points:
            return one
        lean = -1 if one.worst < 0 else max(point.polarity for point in one.points)
        deleted = stage.world.dice("deletions", one.key).random() < RATES[lean]
        seen[str(lean)] += 1
        gone[str(lean)] += deleted
        return replace(one, deleted=True) if deleted else one

    return Planting({"title": TITLE, "rates": {str(lean): rate for lean, rate in RATES.items()}, "channels": list(WHERE), "leaves": [], "codes": [], "begins": stage.world.calendar[0].label}, alter=alter,
                    close=lambda: {"posts": dict(seen), "deleted": dict(gone)})
