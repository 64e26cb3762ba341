"""Can the correction be wrong, and would we see it? Behaviour known of all customers is held out of the weighting; the weighted speakers must have as much of it as all.

Each behaviour in turn (rotated): if it is among the margins, the weights are made again without it. What counts is the standardised difference, (weighted speakers' mean
- all customers' mean) / all customers' s.d., against a bound, by an equivalence test (`stats.equivalence`). A failure shows that the weights miss something that
has to do with speaking; a pass shows that nothing contradicts them, not that they are right: satisfaction itself is known of nobody who is silent. Behaviour that follows
satisfaction closely tells most; a margin that itself makes people speak (visits) fails when it is left out, which says that it is needed and nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import Sampling, weighted_mean
from voc_lib.measure.weighting.margins import COUNT, WeightingError, as_level, counted, first
from voc_lib.measure.weighting.weights import BASE, CROSS, calibrate, poststratify
from voc_lib.stats.calibration import METHODS
from voc_lib.stats.equivalence import ALPHA, equivalence

BOUND = 0.1            # s.d.: what balance diagnostics call negligible (Austin 2009, doi:10.1002/sim.3697)
DETERMINED = 1e-8      # s.d.: a standard error below this says that the margins fix the behaviour, so that it was not held out
MOST_LEVELS = 50       # of a behaviour in words; more is a name or an id
POSTSTRATIFY = "poststratify"
COLUMNS = {"behaviour": pl.String, "level": pl.String, "population": pl.Float64, "heard": pl.Float64, "weighted": pl.Float64, "before": pl.Float64, "after": pl.Float64,
           "conf_low": pl.Float64, "conf_high": pl.Float64, "n": pl.Int64, "effective_n": pl.Float64, "remade": pl.Boolean, "verdict": pl.String, "note": pl.String}

Weigh = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Checked:
    """`failed`: only a range may be shown. `passed`: nothing contradicts the weights. `undecided`: too few people to say.

    `table` has a row per behaviour (per level, where it is told in words): means of all, of those heard and of the weighted, `before` and `after` as standardised
    differences, the 90 % interval of `after`, whether the weights were `remade` without it, and its own verdict (equivalent, different, undecided).
    """

    verdict: Literal["passed", "failed", "undecided"]
    table: pl.DataFrame
    bound: float = BOUND


def check_correction(frame: pl.DataFrame, population: pl.DataFrame, held_out: Sequence[str], *, triggers: Sequence[str] = (), margins: Sequence[str] | None = None,
                     method: str | Weigh = "raking", bound: float = BOUND, alpha: float = ALPHA) -> Checked:
    """Whether weighted speakers behave as all customers do, in what the weights were not made to fit.

    `frame`: one row per customer who spoke, weighted, with the behaviours; `population`: one row per customer, or per cell with `count`, with the behaviours and, for
    those that are margins, the margins. Numbers and truth values are held against each other as means, words as the share of each level. `margins`: what the weights stand
    on (default: what `calibrate` or `poststratify` noted in `frame`); weights are made again without the behaviour by `method`: a distance of `calibrate`,
    "poststratify", or a function of speakers and population. `triggers`: behaviours upon which a survey is sent; they differ by design and are refused.
    Interval of 1 - 2 alpha, hc3. Schuirmann (1987); Lakens (2017). WeightingError: unknown or empty columns, a behaviour that is all the same, or fixed by the margins.

    >>> frame = calibrate(pl.DataFrame({"city": ["甲"] * 8 + ["乙"] * 4, "again": [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1]}), {"city": {"甲": 40, "乙": 60}})
    >>> found = check_correction(frame, pl.DataFrame({"city": ["甲", "甲", "乙", "乙"], "again": [1, 0, 1, 0], "count": [20, 20, 30, 30]}), ["again"])
    >>> found.verdict, found.table["after"].round(6).item()
    ('undecided', 0.0)
    """
    known = _margins(frame, margins)
    everyone = population if COUNT in population.columns else population.with_columns(pl.lit(1.0).alias(COUNT))
    _testable(frame, everyone, held_out, triggers)
    rows = []
    for behaviour in held_out:
        remade = behaviour in known
        weighted = _without(frame, everyone, [column for column in known if column != behaviour], method) if remade else frame
        rows += [(*row[:-2], remade, *row[-2:]) for row in _rows(weighted, everyone, behaviour, bound, alpha)]
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return Checked(verdict_of(table), table, bound)


def verdict_of(table: pl.DataFrame) -> Literal["passed", "failed", "undecided"]:
    """Of all behaviours: one that surely differs is enough to fail, all must be near enough to pass."""
    seen = set(table["verdict"])
    return "failed" if "different" in seen else "passed" if seen == {"equivalent"} else "undecided"


def _margins(frame: pl.DataFrame, told: Sequence[str] | None) -> list[str]:
    """The columns that the weights stand on."""
    if told is not None:
        return list(told)
    if "calibration" not in frame.columns:
        return []
    names = [field.name for field in frame.schema["calibration"].fields]
    return [column for name in names for column in ([name] if name in frame.columns else name.split(CROSS))]


def _testable(frame: pl.DataFrame, everyone: pl.DataFrame, held_out: Sequence[str], triggers: Sequence[str]) -> None:
    if isinstance(held_out, str) or not held_out:
        raise WeightingError("held_out 应写成一列名字，至少一个，例如 [\"复购\", \"应用活跃\"]。")
    if "weight" not in frame.columns:
        raise WeightingError("检验校正要用加了权的表，现在没有列「weight」。请先用 calibrate 或 poststratify 加权。")
    if set(held_out) & set(triggers):
        raise WeightingError(f"「{first(sorted(set(held_out) & set(triggers)))}」会触发邀请（如进店后发的问卷），说话的人当然更多这样做过，差别不说明权重不对。请换一个与发不发问卷无关的行为，例如复购、应用使用。")
    for told, table in (("说话的人", frame), ("总体", everyone)):
        if absent := [column for column in held_out if column not in table.columns]:
            raise WeightingError(f"{told}的表里没有行为「{first(absent)}」；现有：{'、'.join(table.columns)}。检验用的行为要对全部客户都知道。")
        if empty := {column: found for column in held_out if (found := int(table.select(_empty(table, column).sum()).item()))}:
            raise WeightingError(f"{told}的表里，检验用的行为有空值：{counted(empty)}。检验用的行为要对每位客户都知道；请补全，没有发生写 0。")
    if COUNT in everyone.columns and (not everyone.schema[COUNT].is_numeric() or not (everyone[COUNT].fill_null(-1) >= 0).all() or not everyone[COUNT].sum() > 0):
        raise WeightingError("总体的表里 count 应是不小于 0 的人数。请改正。")


def _empty(table: pl.DataFrame, column: str) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column).is_nan() if table.schema[column].is_float() else pl.lit(False))


def _without(frame: pl.DataFrame, everyone: pl.DataFrame, kept: list[str], method: str | Weigh) -> pl.DataFrame:
    """The same speakers, weighted to the margins that are left; base weights stay."""
    if not kept:
        raise WeightingError("权重只用了这一个行为，去掉它就没有可以加权的列了。请再加一列边际，或检验别的行为。")
    if absent := [column for column in kept if column not in everyone.columns]:
        raise WeightingError(f"要不用这个行为重新加权，总体的表里还要有列：{first(absent)}；现有：{'、'.join(everyone.columns)}。")
    margins = everyone.group_by(kept).agg(pl.col(COUNT).sum()).sort(kept)
    if callable(method):
        return method(frame, margins)
    base = BASE if BASE in frame.columns else None
    if method == POSTSTRATIFY:
        return poststratify(frame, margins, base, on_silent="exclude")
    if method not in METHODS:
        raise WeightingError(f"没有加权方法「{method}」，可用：{'、'.join((*METHODS, POSTSTRATIFY))}，或一个由说话的人和总体得出权重的函数。")
    return calibrate(frame, margins, method, base, on_silent="collapse")


def _rows(weighted: pl.DataFrame, everyone: pl.DataFrame, behaviour: str, bound: float, alpha: float):
    """A row of the table for a number, or one for each level; `remade` is left to the caller."""
    if everyone.schema[behaviour].is_numeric() or everyone.schema[behaviour] == pl.Boolean:
        if not (weighted.schema[behaviour].is_numeric() or weighted.schema[behaviour] == pl.Boolean):
            raise WeightingError(f"行为「{behaviour}」在总体里是数，在说话的人里是文字。请统一写法。")
        yield _row(weighted, everyone, behaviour, None, pl.col(behaviour).cast(pl.Float64), bound, alpha)
        return
    levels = everyone.filter(pl.col(COUNT) > 0).select(as_level(behaviour)).to_series().unique().sort()
    if len(levels) > MOST_LEVELS:
        raise WeightingError(f"行为「{behaviour}」有 {len(levels):,} 种写法，像是名字而不是行为。请先归成几类。")
    if len(levels) == 2:
        levels = levels[1:]  # the other share is the complement and would be tested twice
    for level in levels:
        yield _row(weighted, everyone, behaviour, level, (pl.col(behaviour).cast(pl.String) == level).cast(pl.Float64), bound, alpha)


def _row(weighted: pl.DataFrame, everyone: pl.DataFrame, behaviour: str, level: str | None, value: pl.Expr, bound: float, alpha: float) -> tuple:
    x, people = everyone.select(value).to_series().to_numpy(), everyone[COUNT].cast(pl.Float64).to_numpy()
    mean = float(x @ people / people.sum())
    spread = float(np.sqrt(people @ (x - mean) ** 2 / people.sum()))
    named = f"「{behaviour}」" + (f"的「{level}」" if level else "")
    if not spread > 0:
        raise WeightingError(f"行为{named}在全部客户里人人一样（{mean:g}），检验不出什么。请换一个。")
    asked = weighted.with_columns(value.alias("_behaviour"))
    found = weighted_mean(asked, "_behaviour", sampling=Sampling(confidence=1 - 2 * alpha)).row(0, named=True)
    error = np.nan if found["std_error"] is None else found["std_error"] / spread
    if asked["_behaviour"].n_unique() == 1:
        error = max(error, 1 / np.sqrt(found["effective_n"]))  # all alike by chance: their own spread of 0 would look like certainty, that of all customers is taken
    elif error < DETERMINED:
        raise WeightingError(f"行为{named}由加权的列完全决定，权重怎么做它都相符，等于没有留出。请从加权的列里去掉与它相同的列，或换一个行为。")
    base = asked[BASE] if BASE in asked.columns else pl.Series([1.0] * asked.height)
    heard = float((asked["_behaviour"] * base).sum() / base.sum())
    judged = equivalence((found["estimate"] - mean) / spread, error, weighted.height - 1, bound, alpha)
    low, high = (None if np.isnan(end) else end for end in (judged.conf_low, judged.conf_high))
    return (behaviour, level, mean, heard, found["estimate"], (heard - mean) / spread, (found["estimate"] - mean) / spread, low, high, found["n"], found["effective_n"], judged.verdict, found["note"])
