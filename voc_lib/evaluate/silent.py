"""Answers corrected for the silent against what every visitor of the planted world would have answered. Rows a metric: how much nearer than what was heard, and how often interval and range hold the truth.

One window of 13 weeks after the other, from the newest back, as long as there is a register of customers for its first day.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.contracts import Metric
from voc_lib.evaluate.people import SCHEMA
from voc_lib.measure import metrics
from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.analyses.silence import WEEKS, answer, asked_weeks
from voc_lib.measure.feedback import weeks, weeks_before
from voc_lib.store import Store

FILE = "visits.parquet"
ASKED = ("nps", "csat", "ces")


def silent_rows(store: Store, folder: Path) -> pl.DataFrame:
    """measure, found, reach (null: none set), note. Empty where the world does not tell what visitors think, or no window can be corrected."""
    if not (folder / FILE).exists():
        return pl.DataFrame(schema=SCHEMA)
    visits = pl.read_parquet(folder / FILE)
    known = channels_of(store)
    return pl.DataFrame([row for name, told in sorted(visits.group_by("channel")) if name[0] in known for row in _channel(store, name[0], told)], schema=SCHEMA, orient="row")


def truth_of(visits: pl.DataFrame, metric: Metric, listed: list[str]) -> float | None:
    """The metric over everybody who came in these weeks; a person who came twice counts once. None where nobody did."""
    people = visits.filter(pl.col("iso_week").is_in(listed) & metric.base).group_by("customer_id").agg(metric.value.mean().alias("y"))
    return people["y"].mean()


def _channel(store: Store, channel: str, visits: pl.DataFrame) -> Iterator[tuple]:
    windows, last = [], weeks(store)["iso_week"][-1]
    while True:
        found = answer(list(ASKED), store=store, period=last, weeks=WEEKS, channel=channel)
        if not found.filter((pl.col("kind") == "range") & pl.col("conf_low").is_not_null()).height:
            break
        windows.append((asked_weeks(store, last, WEEKS), found))
        last = weeks_before(windows[-1][0][0], 1)[0]
    for name in ASKED if windows else ():
        yield from _metric(metrics.metric(name), visits, [(listed, found.filter(pl.col("metric") == name)) for listed, found in windows])


def _metric(metric: Metric, visits: pl.DataFrame, windows: list[tuple[list[str], pl.DataFrame]]) -> Iterator[tuple]:
    truth = np.array([truth_of(visits, metric, listed) for listed, _ in windows], float)
    rows = {kind: [found.filter(pl.col("kind") == kind).row(0, named=True) for _, found in windows] for kind in ("heard_linked", "weighted", "range")}
    heard, corrected = (np.array([row["estimate"] for row in rows[kind]], float) for kind in ("heard_linked", "weighted"))
    given = np.isfinite(corrected)
    many, label = f"{len(truth)} 段各 {WEEKS} 周", metric.label
    if given.any():
        off = [float(np.sqrt(((figure - truth)[given] ** 2).mean())) for figure in (heard, corrected)]
        lean = [float((figure - truth)[given].mean()) for figure in (heard, corrected)]  # what is left of it is luck, which weighting only adds to
        yield (f"折算：{label}比听到的近几倍", off[0] / off[1], None, f"听到的（可关联）差 {off[0]:.3g}，其中总往一边偏 {lean[0]:+.3g}；折算后差 {off[1]:.3g}，偏 {lean[1]:+.3g}；"
               f"{given.sum()} 段给了数，共 {many}")
        low, high = (np.array([row[side] for row in rows["weighted"]], float)[given] for side in ("conf_low", "conf_high"))
        yield f"折算：{label}的 95% 区间含真值", float(((low <= truth[given]) & (truth[given] <= high)).mean()), None, f"{given.sum()} 段"
    low, high = (np.array([row[side] for row in rows["range"]], float) for side in ("conf_low", "conf_high"))
    yield f"折算：{label}的沉默影响区间含真值", float(((low <= truth) & (truth <= high)).mean()), None, many
