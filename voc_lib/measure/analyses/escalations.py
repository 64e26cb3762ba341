"""From a public post to the hotline to the workshop: which cases went up a level, over which channels, and how long that took."""

from __future__ import annotations

from datetime import date

import polars as pl

from voc_lib.measure.analyses.journeys import WINDOW
from voc_lib.measure.estimate import MIN_PEOPLE
from voc_lib.measure.levels import Levels
from voc_lib.stats.survival import kaplan_meier, median_interval, waiting_after

SOON = 30  # days within which a next level is spoken of
CLIMBS = {"case_id": pl.String, "person_id": pl.String, "code": pl.String, "from_channel": pl.String, "from_level": pl.Int64, "from_at": pl.Date, "to_channel": pl.String,
          "to_level": pl.Int64, "at": pl.Date, "days": pl.Int64}
STAYS = {"case_id": pl.String, "person_id": pl.String, "level": pl.Int64, "entered_at": pl.Date, "days": pl.Int64, "climbed": pl.Boolean}
TIMES = {"level": pl.Int64, "title": pl.String, "people": pl.Int64, "cases": pl.Int64, "climbed": pl.Int64, "share": pl.Float64, "share_low": pl.Float64, "share_high": pl.Float64,
         "median": pl.Float64, "median_low": pl.Float64, "median_high": pl.Float64}
TO_NOWHERE = "到此为止"


def climbs(steps: pl.DataFrame) -> pl.DataFrame:
    """One row each time a case went higher than it had been, from the voice by which it came to its old level: columns of `CLIMBS`, days between the two.

    Steps on a channel without a level, on the same or on a lower one are no climb.
    """
    before = [pl.col(name).shift(1).over("case_id").alias(f"from_{name}") for name in ("channel", "level", "at")]
    rows = _entries(steps).with_columns(before).filter(pl.col("from_level").is_not_null())
    return rows.select("case_id", "person_id", "code", "from_channel", "from_level", "from_at", pl.col("channel").alias("to_channel"), pl.col("level").alias("to_level"), "at",
                       (pl.col("at") - pl.col("from_at")).dt.total_days().alias("days")).cast(CLIMBS)


def _entries(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps by which each case came to a level higher than all before, its first level included."""
    told = steps.filter(pl.col("level").is_not_null()).sort("case_id", "step").with_columns(pl.col("level").cum_max().over("case_id").alias("highest"))
    return told.filter((pl.col("highest") > pl.col("highest").shift(1).over("case_id")).fill_null(True))


def stays(steps: pl.DataFrame, levels: Levels, until: date | None = None, window: int = WINDOW) -> pl.DataFrame:
    """How long each case stood on each level but the highest: one row per case x level reached, columns of `STAYS`.

    days to the next climb, or (climbed false) as long as it was looked at: to `until`, at most `window` days, for a later voice would be a new case.
    """
    until = until or steps["at"].max()
    rows = _entries(steps).with_columns((pl.col("at").shift(-1).over("case_id") - pl.col("at")).dt.total_days().alias("took")).filter((pl.col("level") < levels.top) & (pl.col("at") <= pl.lit(until)))
    watched = pl.min_horizontal((pl.lit(until) - pl.col("at")).dt.total_days(), pl.lit(window, pl.Int64))
    return rows.select("case_id", "person_id", "level", pl.col("at").alias("entered_at"), pl.coalesce(pl.when(pl.col("took") <= watched).then("took"), watched).alias("days"),
                       (pl.col("took") <= watched).fill_null(False).alias("climbed")).cast(STAYS)


def waiting_curve(stays: pl.DataFrame, level: int) -> pl.DataFrame:
    """The share of cases on a level that have not gone up yet, by days since they came to it (`kaplan_meier`, clustered by person)."""
    rows = stays.filter(pl.col("level") == level)
    return kaplan_meier(rows["days"].to_list(), rows["climbed"].to_list(), rows["person_id"].to_list())


def time_to_next(stays: pl.DataFrame, levels: Levels, soon: int = SOON) -> pl.DataFrame:
    """How many go up a level, and how soon: one row per level but the highest, columns of `TIMES`.

    share (0-1) that went up within `soon` days with its 95 % interval (Kaplan-Meier, so that cases still looked at count as long as they were); median days of those
    that did, with the exact interval from their order, one case a person (his first), for several of one person are no several witnesses. Under 10 people figures are null; climbed and median where 1 to 9 went up.
    """
    rows = []
    for level, title in enumerate(levels.titles[:-1]):
        mine = stays.filter(pl.col("level") == level).sort("person_id", "entered_at", "case_id")
        people = mine["person_id"].n_unique()
        row = dict.fromkeys(TIMES) | {"level": level, "title": title}
        if people >= MIN_PEOPLE:
            curve = waiting_curve(mine, level)
            held = waiting_after(curve, soon)
            low, high = held["conf_low"], held["conf_high"]
            up = mine.filter("climbed")["person_id"].n_unique()
            took = mine.filter("climbed").unique("person_id", keep="first", maintain_order=True)["days"]
            middle = median_interval(took.to_list()) if took.len() >= MIN_PEOPLE else dict.fromkeys(("median", "conf_low", "conf_high"))
            row |= {"people": people, "cases": mine.height, "climbed": None if 0 < up < MIN_PEOPLE else int(mine["climbed"].sum()), "share": 1 - held["waiting"], "share_low": None if high is None else 1 - high,
                    "share_high": None if low is None else 1 - low, "median": middle["median"], "median_low": middle["conf_low"], "median_high": middle["conf_high"]}
        rows.append(row)
    return pl.DataFrame(rows, schema=TIMES)


def transitions(steps: pl.DataFrame, levels: Levels, by: str = "channel") -> pl.DataFrame:
    """Where cases went next: from, to, from_level, to_level, people, cases; one row per pair, from the lowest level up.

    `by` channel or level. to is 到此为止 (to_level null) where a case went no higher. Every case starts at its first channel with a level. Pairs under 10 people keep their row; their figures are null.
    """
    if by not in ("channel", "level"):
        raise ValueError(f"升级去向只能按 channel（渠道）或 level（级）列，写的是「{by}」。")
    up = climbs(steps).select("case_id", "person_id", "from_channel", "from_level", "to_channel", "to_level")
    ends = _entries(steps).unique("case_id", keep="last", maintain_order=True).select("case_id", "person_id", pl.col("channel").alias("from_channel"), pl.col("level").alias("from_level"), pl.lit(TO_NOWHERE).alias("to_channel"),
                       pl.lit(None, pl.Int64).alias("to_level"))
    flows = pl.concat([up, ends])
    if by == "level":
        titles = dict(enumerate(levels.titles))
        flows = flows.with_columns(pl.col("from_level").replace_strict(titles, return_dtype=pl.String).alias("from_channel"),
                                   pl.col("to_level").replace_strict(titles, default=TO_NOWHERE, return_dtype=pl.String).fill_null(TO_NOWHERE).alias("to_channel"))
    counted = flows.group_by(pl.col("from_channel").alias("from"), pl.col("to_channel").alias("to"), "from_level", "to_level").agg(
        pl.col("person_id").n_unique().cast(pl.Int64).alias("people"), pl.col("case_id").n_unique().cast(pl.Int64).alias("cases"))
    shown = [pl.when(pl.col("people") >= MIN_PEOPLE).then(pl.col(name)).alias(name) for name in ("cases", "people")]
    return counted.with_columns(shown).select("from", "to", "from_level", "to_level", "people", "cases").sort("from_level", "from", "to_level", "to", nulls_last=True)
