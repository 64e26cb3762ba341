"""One question in one solicited channel, answered for all of its base: from the store to a corrected figure, its standard error, and why there is none.

Who answered and is linked to a customer of the base is weighted (raking to the columns that the number of answers can bear); the figure is the doubly robust one. Who cannot be linked
gets no weight: what linking loses and what silence hides are told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from voc_lib.collect.contract_weighting import EVENT
from voc_lib.collect.customers import FrameError
from voc_lib.contracts import Channel, Metric
from voc_lib.measure.feedback import monday, week_of
from voc_lib.measure.weighting.cells import checked, levels_of, weigh_cells
from voc_lib.measure.weighting.checks import COLUMNS as TABLE
from voc_lib.measure.weighting.checks import Checked, check_correction, verdict_of
from voc_lib.measure.weighting.diagnostics import diagnose_cells
from voc_lib.measure.weighting.frame import Base, affordable, base_of, cells_for, everybody_of, frame_cells, speakers
from voc_lib.measure.weighting.margins import COUNT, PERSON, WeightingError
from voc_lib.measure.weighting.outcomes import about_everybody, dr_cells, mrp_cells, smooth
from voc_lib.measure.weighting.sensitivity import ODDS, sensitivity
from voc_lib.measure.weighting.spoken import BASE
from voc_lib.measure.weighting.weights import calibrate
from voc_lib.stats.intervals import logit_interval
from voc_lib.stats.mixed import CellFit
from voc_lib.store import Store

FEWEST = 10  # linked people who answered
UNASKED = "这个渠道是自己找上门来的：会不会说话取决于满不满意，折算不出全体"
ONLY_RANGE = "权重太不均匀或人太少，只给区间"
FAILED = "校正检验未通过，只给区间"  # in the words of the page


@dataclass(frozen=True)
class Correction:
    """What is known of a question after weighting. `refused` says why there is no corrected figure (None: there is one); the frames are then None.

    `cells` with `weight`, `columns` weighed by, `people` (one row a customer who answered: customer_id, y, columns, behaviours, weight), `figures` as `diagnose_cells`, `notes`, `fit` the outcome model, `checked` on behaviour held out. Of people, `around`
    is y less what the outcome model says of their cell, plus what it says of all: its weighted mean is the doubly robust figure, so that what is said of silence is said of that figure.
    """

    name: str
    channel: str
    refused: str | None
    metric: Metric | None = None
    base: Base | None = None
    cells: pl.DataFrame | None = None
    columns: tuple[str, ...] = ()
    people: pl.DataFrame | None = None
    figures: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fit: CellFit | None = None
    checked: Checked | None = None

    @property
    def hidden(self) -> str | None:
        """Why no single figure may be printed, only its range; None where it may."""
        if self.refused is not None:
            return self.refused
        return ONLY_RANGE if self.figures.get("verdict") == "range_only" else FAILED if self.checked is not None and self.checked.verdict == "failed" else None

    @property
    def scale(self) -> tuple[float, float]:
        """What an answer can be, at least and at most."""
        if self.metric is not None and self.metric.scale is not None:
            return self.metric.scale
        return (0.0, 1.0) if self.metric is not None and self.metric.unit == "share" else (float("-inf"), float("inf"))

    def total(self, confidence: float = 0.95) -> pl.DataFrame:
        """The doubly robust mean of all customers of the base, a row as `dr_cells` gives it."""
        return self._bounded(dr_cells(self.cells.drop("weight"), self.cells["weight"], confidence=confidence, fit=self.fit), confidence)

    def segments(self, by: str, confidence: float = 0.95) -> pl.DataFrame:
        """Of every level of a column weighed by: post-stratified predictions, a row as `mrp_cells` gives it."""
        return self._bounded(mrp_cells(self.cells.drop("weight"), by=by, confidence=confidence, fit=self.fit), confidence)

    def shift(self) -> tuple[float, float]:
        """How far weighting moved the figure away from the mean of those same people, and the standard error of that, in the unit of the answers.

        An answer counts weight (around - figure) / sum of weights in the one and (y - mean) / n in the other; their differences are squared (linearised). A shift within its error:
        who speaks does not noticeably go with the answer, as far as the columns weighed by can tell.
        """
        y, around, weight = (self.people[name].to_numpy() for name in ("y", "around", "weight"))
        figure, mean, n = (weight @ around) / weight.sum(), y.mean(), len(y)
        moves = weight * (around - figure) / weight.sum() - (y - mean) / n
        return float(figure - mean), float(np.sqrt((moves @ moves) * n / (n - 1)))

    def _bounded(self, found: pl.DataFrame, confidence: float) -> pl.DataFrame:
        """A share inside 0 to 1, its interval by the logit; another score inside its scale."""
        least, most = self.scale
        found = found.with_columns(pl.col("estimate").clip(least, most))
        if self.metric is None or self.metric.unit != "share":
            return found.with_columns(pl.col("conf_low", "conf_high").clip(least, most))
        low, high = logit_interval(found["estimate"], found["std_error"].fill_null(float("nan")), found["effective_n"], int(self.cells["n"].sum()) - 1, confidence)
        return found.with_columns(pl.Series("conf_low", low).fill_nan(None), pl.Series("conf_high", high).fill_nan(None))


def span(weeks: list[str]) -> tuple[date, date]:
    """The first and the last day of the weeks."""
    return monday(min(weeks)), monday(max(weeks)) + timedelta(days=6)


def weeks_of(start: date, end: date) -> list[str]:
    """The ISO weeks from a Monday to a Sunday."""
    return [week_of(start + timedelta(days=7 * at)) for at in range((end - start).days // 7 + 1)]


def answers_of(rows: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """`customer_id` and `y`: the answers of linked people to the metric, one row a customer, several answers as `Metric.per_person` says."""
    linked = rows.filter(metric.base & pl.col(PERSON).is_not_null()).select(PERSON, metric.value.cast(pl.Float64).alias("y")).filter(pl.col("y").is_finite())
    one = {"mean": pl.col("y").mean(), "any": pl.col("y").max(), "sum": pl.col("y").sum()}[metric.per_person]
    return linked.group_by(PERSON).agg(one).sort(PERSON)


def correct(store: Store, answers: pl.DataFrame, channel: Channel, start: date, end: date) -> dict[str, Correction]:
    """A `Correction` for every column of `answers` (one row a linked customer), for the base of the channel from `start` to `end`.

    Unsolicited channels are refused: people speak there because of what they think. So is a base of which nobody knows the members, and fewer than ten answers in it.
    """
    asked = [name for name in answers.columns if name != PERSON]
    if not channel.solicited:
        return {name: Correction(name, channel.channel, UNASKED) for name in asked}
    try:
        base = base_of(store, channel.base, start, end)
        people, everyone = speakers(store, base, answers), everybody_of(store, base)
        wide = frame_cells(store, base, people, tuple(asked), everyone=everyone)
    except (FrameError, WeightingError) as error:
        return {name: Correction(name, channel.channel, str(error)) for name in asked}
    found = {name: _one(name, channel.channel, base, wide, people, answers[name].count() - people[name].count()) for name in asked}
    return {name: one if one.refused else replace(one, checked=tested(one, everyone)) for name, one in found.items()}


def _one(name: str, channel: str, base: Base, wide: pl.DataFrame, people: pl.DataFrame, outside: int) -> Correction:
    answered = people.filter(pl.col(name).is_not_null())
    if answered.height < FEWEST:
        return Correction(name, channel, f"在基数里、答了这一题、又认得出是谁的不足 {FEWEST} 人", base=base)
    columns = affordable(wide, name, base.columns)
    try:
        if not columns:
            raise WeightingError("回答的人都在同一类客户里，没有可以折算的差别。")
        cells, notes = weigh_cells(checked(cells_for(wide, name, columns)), on_silent="extrapolate")
    except WeightingError as error:
        return Correction(name, channel, str(error), base=base)
    left = [column for column in base.columns if column not in columns]
    notes = (*notes, *((f"回答 {answered.height:,} 人，只够按 {len(columns)} 列折算，另有 {len(left)} 列没有用上",) if left else ()))
    notes = (*notes, *((f"另有{f' {outside:,} 位' if outside >= FEWEST else f'不足 {FEWEST} 位'}答了的客户不在这个基数里（如期初之后才买），没有算进来",) if outside else ()))
    weighted = answered.select(PERSON, pl.col(name).alias("y"), *base.columns, *base.held_out).join(cells.select(*columns, "weight"), on=columns, how="left", maintain_order="left")
    fit = smooth(cells.drop("weight"))
    weighted = weighted.with_columns(about_everybody(weighted, "y", cells.drop("weight"), fit))
    weighted = weighted.with_columns(pl.lit(1.0).alias(BASE), pl.struct(columns).alias("calibration"), pl.lit("；".join(notes) or None, dtype=pl.String).alias("weight_note"))
    return Correction(name, channel, None, None, base, cells, columns, weighted, diagnose_cells(cells, levels_of(cells)), notes, fit)


def ranges(one: Correction, odds: Sequence[float] = ODDS, by: str | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """The range of the doubly robust figure, or of the levels of `by`, under hidden selection of up to `odds`; see `sensitivity`. Cut to what the answers can be.

    The model is held fixed and the residuals are reweighed, as Zhao, Small & Bhattacharya (2019) do for augmented estimators. Levels are those of the weighted answers themselves.
    """
    found = sensitivity(one.people, "around" if by is None else "y", odds, by, confidence=confidence)
    least, most = one.scale
    return found.with_columns(pl.col("low", "high", "conf_low", "conf_high").clip(least, most))


def tested(one: Correction, everyone: pl.DataFrame) -> Checked:
    """The check of the correction on the behaviours held out: each in turn, with weights made without the columns it shows in.

    Behaviour by which the base is made (a visit for people who visited) is no test and left out. Without one that can be tested: undecided.
    `everyone`: the base as `everybody_of` gives it.
    """
    parts = []
    for name in one.base.held_out:
        kept = [column for column in one.columns if column not in (name, f"{name}_band")]
        if name.removeprefix(EVENT) in one.base.kinds or not kept or everyone[name].n_unique() < 2:
            continue
        try:
            people = one.people if len(kept) == len(one.columns) else calibrate(one.people.drop("weight", BASE, "calibration", "weight_note"), everyone.group_by(kept).agg(pl.col(COUNT).sum()), on_silent="extrapolate")
            found = check_correction(people, everyone, [name], margins=kept)
        except WeightingError:  # the margins that are left cannot be met, or fix the behaviour: it tests nothing
            continue
        parts.append(found.table.with_columns((pl.col("remade") | (len(kept) < len(one.columns))).alias("remade")))
    table = pl.concat(parts) if parts else pl.DataFrame(schema=TABLE)
    return Checked(verdict_of(table), table)
