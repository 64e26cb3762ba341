"""What is known of all customers: how many there are of each level (margins), and totals of what is measured on everybody.

A margin is `{column: {level: people}}` with `{column: total}` for continuous ones, or a frame of the population: its Float columns are continuous, every other
column but `count` (people of a row; 1 where there is no such column) and `customer_id` is a margin of levels. Levels are compared as text, so 1 and "1" are the same level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from voc_lib.messages import Told

AGREE = 1e-6   # relative: margins are counts of the same people, more than rounding is a mistake
COUNT, PERSON = "count", "customer_id"
SILENT = ("raise", "collapse", "extrapolate", "exclude")
RESERVED = ("weight", "base_weight", "calibration", "weight_note", "cell", "high")  # columns that weighting makes
LISTED = 6     # more than this in a message is not read


class WeightingError(Told, ValueError):
    """Weights or weighted figures cannot be made: says what is wrong, what was found, what to do."""


@dataclass(frozen=True)
class Margins:
    """`levels` people by column and level; `totals` of continuous columns; `size` people in all; `notes` what was changed; `population` where they came from; `people` their ids."""

    levels: dict[str, dict[str, float]]
    totals: dict[str, float]
    size: float
    notes: tuple[str, ...] = ()
    population: pl.DataFrame | None = None
    people: pl.Series | None = None

    @property
    def columns(self) -> list[str]:
        return [*self.levels, *self.totals]


def read_margins(told: Mapping | pl.DataFrame) -> Margins:
    """Margins as told; those that differ by rounding only are brought to the size of the first. WeightingError where they make no sense together."""
    if isinstance(told, pl.DataFrame):
        return _from_population(told)
    if not isinstance(told, Mapping):
        raise WeightingError("margins 应写成 {列: {层: 人数}}，或给一张总体的表（有 count 列）。")
    levels = {column: {level_name(level): _number(column, people, level) for level, people in given.items()} for column, given in told.items() if isinstance(given, Mapping)}
    totals = {column: _number(column, total) for column, total in told.items() if not isinstance(told[column], Mapping)}
    if taken := [column for column in told if column in RESERVED]:
        raise WeightingError(f"边际的列不能叫「{'、'.join(taken)}」，加权的结果要用这些名字。请改名。")
    if not levels:
        raise WeightingError("margins 里没有一个分层的边际，不知道总体有多少人。请至少写一个 {列: {层: 人数}}。")
    for column, given in levels.items():
        if not given or len(given) < len(told[column]) or any(people < 0 for people in given.values()) or not sum(given.values()) > 0:
            raise WeightingError(f"边际「{column}」应至少有一层有人，层名不重复（1 和「1」算同一层），人数不能是负数；现在是 {given}。")
    sums = {column: sum(given.values()) for column, given in levels.items()}
    size = next(iter(sums.values()))
    if max(abs(total - size) for total in sums.values()) > AGREE * size:
        listed = "，".join(f"{column} {total:,.10g}" for column, total in sums.items())
        raise WeightingError(f"各边际的总人数不一致：{listed}。它们应数的是同一批客户，请核对后再加权。")
    levels = {column: {level: people * size / sums[column] for level, people in given.items()} for column, given in levels.items()}
    return Margins(levels, totals, size)


def _from_population(population: pl.DataFrame) -> Margins:
    people = population[PERSON] if PERSON in population.columns else None
    if people is not None and (people.null_count() or people.n_unique() < len(people)):
        raise WeightingError(f"总体的表里 {PERSON} 应一人一行、没有空值：{len(people):,} 行里有 {people.n_unique():,} 个不同的编号。请先去重。")
    population = population.drop(PERSON, strict=False)
    population = population if COUNT in population.columns else population.with_columns(pl.lit(1.0).alias(COUNT))
    columns = [column for column in population.columns if column != COUNT]
    continuous = [column for column in columns if population.schema[column].is_float()]
    if not columns:
        raise WeightingError("总体的表里没有可以加权的列，只有人数。请放一列所有客户都知道的（如地区、车型、里程）。")
    if not population.schema[COUNT].is_numeric():
        raise WeightingError(f"总体的表里 count 应是人数，现在是{population.schema[COUNT]}。请改成数。")
    population = population.with_columns(as_level(column) for column in columns if column not in continuous).with_columns(pl.col(COUNT, *continuous).cast(pl.Float64).fill_nan(None))
    empty = {column: population[column].null_count() for column in population.columns if population[column].null_count()}
    if empty:
        raise WeightingError(f"总体的表里有空值：{counted(empty)}。请补全，或把空值写成一层（例如「未知」）。")
    if not (population[COUNT] >= 0).all() or not 0 < population[COUNT].sum() < np.inf:
        raise WeightingError("总体的表里 count 应是不小于 0 的有限的数，且加起来大于 0。请核对人数。")
    told = {column: dict(population.group_by(column).agg(pl.col(COUNT).sum()).sort(column).iter_rows()) for column in columns if column not in continuous}
    totals = {column: float((population[column] * population[COUNT]).sum()) for column in continuous}
    found = read_margins(told | totals) if told else Margins({}, {column: _number(column, total) for column, total in totals.items()}, population[COUNT].sum())
    return replace(found, population=population, people=people)


def settle_silent(margins: Margins, spoken: Mapping[str, set[str]], on_silent: str) -> Margins:
    """Margins without the levels in which nobody spoke, by `on_silent`: an error; their people counted to the largest level that spoke, or to all in proportion; or left out.

    Left out of a population frame exactly; without one the other margins shrink in proportion, which is said in `notes`.
    """
    if on_silent not in SILENT:
        raise WeightingError(f"on_silent 没有「{on_silent}」，可用：{'、'.join(SILENT)}。")
    silent = {column: {level: people for level, people in given.items() if people > 0 and level not in spoken[column]} for column, given in margins.levels.items()}
    silent = {column: given for column, given in silent.items() if given}
    if silent and on_silent == "raise":
        listed = first([f"「{column}」的「{level}」{people:,.0f} 位客户（{people / margins.size:.1%}）" for column, given in silent.items() for level, people in given.items()], "；")
        raise WeightingError(f"总体里有人、样本里没有人的层：{listed}。请写 on_silent=\"collapse\"（并入样本所及的最大一层）、\"extrapolate\"（由其余各层按比例外推）或 \"exclude\"（结果不代表他们），或先自己合并相近的层。")
    levels = {column: {level: people for level, people in given.items() if level in spoken[column]} for column, given in margins.levels.items()}
    if any(not sum(given.values()) > 0 for given in levels.values()):
        raise WeightingError("有一个边际在样本里一层也没有说话的人，没法加权。请核对层名的写法。")
    if not silent:
        return replace(margins, levels=levels)
    named = first([f"{column}={level}" for column, given in silent.items() for level in given])
    if on_silent == "collapse":
        notes = []
        for column, given in silent.items():
            largest = max(levels[column], key=levels[column].get)
            levels[column][largest] += sum(given.values())
            notes.append(f"{first([f'{column}={level}' for level in given])} 没有人说话，{sum(given.values()):,.0f} 位客户并入「{largest}」")
        return replace(margins, levels=levels, notes=(*margins.notes, *notes))
    if on_silent == "extrapolate":
        notes = [f"{first([f'{column}={level}' for level in given])} 没有人说话，{sum(given.values()):,.0f} 位客户由其余各层按比例外推" for column, given in silent.items()]
        levels = {column: {level: people * margins.size / sum(given.values()) for level, people in given.items()} for column, given in levels.items()}
        return replace(margins, levels=levels, notes=(*margins.notes, *notes))
    if margins.population is not None:
        heard = margins.population.filter(pl.all_horizontal(~pl.col(column).is_in(list(given)) for column, given in silent.items()))
        kept = settle_silent(_from_population(heard), spoken, "raise")
        return replace(kept, notes=(*margins.notes, f"不代表没有人说话的 {named}：{margins.size - kept.size:,.0f} 位客户"))
    if margins.totals:
        raise WeightingError(f"要排除 {named}，但不知道「{'、'.join(margins.totals)}」的合计里有多少是他们的。请改给总体的表，或用 on_silent=\"collapse\"。")
    size = margins.size * float(np.prod([1 - sum(given.values()) / margins.size for given in silent.values()]))
    levels = {column: {level: people * size / sum(given.values()) for level, people in given.items()} for column, given in levels.items()}
    note = f"不代表没有人说话的 {named}：约 {margins.size - size:,.0f} 位客户；其余边际按比例缩小，因为不知道他们分在哪些层"
    return replace(margins, levels=levels, size=size, notes=(*margins.notes, note))


def level_name(level: object) -> str:
    """A level as text, as Polars writes it."""
    return str(level).lower() if isinstance(level, bool) else str(level)


def as_level(column: str) -> pl.Expr:
    """A column of levels as text; "NaN" is no level but nothing."""
    text = pl.col(column).cast(pl.String)
    return pl.when(text != "NaN").then(text).alias(column)


def counted(found: Mapping[str, int]) -> str:
    return first([f"{name} {count:,} 行" for name, count in found.items()], "，")


def first(names: list[str], between: str = "、") -> str:
    """The first few, and how many there are in all."""
    return between.join(names[:LISTED]) + (f"……共 {len(names):,} 个" if len(names) > LISTED else "")


def _number(column: str, value: object, level: object = None) -> float:
    place = f"边际「{column}」" + (f"的「{level}」" if level is not None else "")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise WeightingError(f"{place}应是一个数，现在是「{value}」。") from None
    if not np.isfinite(number):
        raise WeightingError(f"{place}应是一个有限的数，现在是「{value}」。")
    return number
