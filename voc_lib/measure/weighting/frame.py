"""From the store to cells: whom a figure stands for, in which bands they fall, and how many of each answered what.

The base of a channel names its people: all in use at the start of the period (who left during it stays), or those of them with a touchpoint in it (a visit for a survey after visits). A person
answers once: several answers are averaged. The frame is grouped where it lies, in DuckDB, so that ten million customers come back as a few thousand cells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from voc_lib import schema
from voc_lib.collect.contract_weighting import EVENT
from voc_lib.collect.customers import DAYS_A_YEAR, TENURE, UNKNOWN, FrameError, band_levels, band_sql, bands_of, weighting_of
from voc_lib.engine import quote
from voc_lib.measure.weighting.margins import COUNT, PERSON, WeightingError
from voc_lib.store import Store

PEOPLE_A_LEVEL = 10  # answers for every level that is calibrated; below it weights follow single people


@dataclass(frozen=True)
class Base:
    """Whom a figure stands for: the `columns` to weigh by (most telling first), the `held_out` behaviours (numbers), the `kinds` of touchpoint that make it; `rows` (SQL) are its customers as
    the register has them, `said` how columns and behaviours follow from those.

    Banded columns come out of `sql` as places in `bands`; everything below gives them as words.
    """

    name: str
    start: date
    end: date
    columns: tuple[str, ...]
    held_out: tuple[str, ...]
    kinds: tuple[str, ...]
    bands: dict[str, list[str]]
    rows: str
    said: dict[str, str]

    @property
    def sql(self) -> str:
        """One row a customer: `customer_id`, columns, behaviours."""
        return f"SELECT customer_id, {self.selected(*self.said)} FROM ({self.rows})"

    def selected(self, *names: str) -> str:
        """Columns and behaviours as a list for SELECT, over `rows`."""
        return ", ".join(f'{self.said[name]} AS "{name}"' for name in names)


def base_of(store: Store, base: str, start: date, end: date) -> Base:
    """The people of `base` from `start` to `end`, both included, as the newest register not after `start` knew them.

    Which columns weigh, which behaviour is held out and whom a base holds says the contract of the register of customers. Raises FrameError where no register reaches back to
    `start`, or where the contract does not say whom the base holds.
    """
    register, bands = weighting_of(store), bands_of(store)
    if base not in (register.bases or {}):
        known = "、".join(register.bases or {}) or "没有"
        raise FrameError(f"没有「{base}」的名单，不知道哪些客户在里面，没法折算。有名单的：{known}；可在合同 {register.path.name} 的 bases 里补上。")
    newest = store.sql(f"SELECT max(valid_from) AS day, min(valid_from) AS first FROM customers WHERE valid_from <= DATE {quote(start.isoformat())}")
    if newest["day"].item() is None:
        raise FrameError(f"没有{_told(start)}或更早的客户档案，不知道那时有哪些客户。请补上期初的档案，或改看更晚的一段。")
    tenure = f"greatest(0, (DATE {quote(start.isoformat())} - purchased_at) / {DAYS_A_YEAR})"
    said, levels = {}, {}
    for name in register.weigh_by:
        if name in bands:
            said[f"{name}_band"], levels[f"{name}_band"] = band_sql(f"({tenure})" if name == TENURE else name, bands[name]), band_levels(bands[name])
        else:
            said[name] = name  # what is empty is named afterwards: words are dear to make ten million times
    behaviours = {name: _behaviour(name, tenure, start) for name in register.held_out}
    kinds = register.bases[base]
    met = f" AND customer_id IN (SELECT customer_id FROM touchpoints WHERE kind IN ({', '.join(map(quote, kinds))}) AND occurred_on BETWEEN {_day(start)} AND {_day(end)})" if kinds else ""
    rows = _as_of(newest["day"].item(), newest["first"].item() < newest["day"].item())
    rows = f"SELECT * FROM ({rows}) WHERE (churned_at IS NULL OR churned_at >= {_day(start)}) AND (purchased_at IS NULL OR purchased_at <= {_day(end)}){met}"
    return Base(base, start, end, tuple(said), tuple(behaviours), tuple(kinds), levels, rows, said | behaviours)


def frame_cells(store: Store, base: Base, people: pl.DataFrame, asked: tuple[str, ...], columns: tuple[str, ...] | None = None, everyone: pl.DataFrame | None = None) -> pl.DataFrame:
    """A row per cell of `columns` (all of the base's): the levels, `count` customers, and for every x of `asked` `x_n` people who answered it, `x_total` and `x_squares`; sorted.

    `people` as `speakers` gives them; `everyone`: what `everybody_of` gave, where that was asked for already. WeightingError where the base has nobody. `cells_for` makes of it the cells
    of one question.
    """
    columns = columns or base.columns
    everyone = in_words(base, everyone_as_cells(base, columns, store.sql)) if everyone is None else everyone
    everyone = everyone.group_by(columns).agg(pl.col(COUNT).sum())
    sums = [part for name in asked for part in (pl.col(name).count().alias(f"{name}_n"), pl.col(name).sum().alias(f"{name}_total"), (pl.col(name) ** 2).sum().alias(f"{name}_squares"))]
    cells = everyone.join(people.group_by(columns).agg(sums), on=columns, how="left")
    return cells.with_columns(pl.col(f"{name}_{part}").fill_null(0) for name in asked for part in ("n", "total", "squares")).sort(columns)


def everyone_as_cells(base: Base, columns: tuple[str, ...], ask: Callable[[str], pl.DataFrame]) -> pl.DataFrame:
    """The customers of the base as cells of `columns` (or behaviours) with `count`; bands as SQL has them, see `in_words`. `ask` answers a query. WeightingError where the base has nobody."""
    found = ask(f"SELECT {base.selected(*columns)}, count(*)::DOUBLE AS count FROM ({base.rows}) GROUP BY {_places(columns)}")
    if found.is_empty():
        raise WeightingError(f"「{base.name}」在{_told(base.start)}到{_told(base.end)}之间没有客户，没有可以折算到的人。请核对客户档案和触点的日期。")
    return found


def cells_for(cells: pl.DataFrame, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """Of `frame_cells` the cells of one question, as `cells.cells_of` makes them, summed over the columns that are not in `columns`."""
    sums = [pl.col(COUNT).sum(), pl.col(f"{name}_n").sum().cast(pl.Int64).alias("n"), pl.col(f"{name}_total").sum().alias("total"), pl.col(f"{name}_squares").sum().alias("squares")]
    return cells.group_by(columns).agg(sums).sort(columns)


def speakers(store: Store, base: Base, answers: pl.DataFrame, columns: tuple[str, ...] | None = None) -> pl.DataFrame:
    """`answers` (one row a customer; NaN is no answer) of the customers of the base, with their columns and behaviours (with `columns` these only), by customer.

    Who is not in the base is left out. WeightingError for a customer who comes twice.
    """
    answers = answers if answers[PERSON].is_sorted() else answers.sort(PERSON)
    if answers[PERSON].null_count() or (answers[PERSON] == answers[PERSON].shift()).any():
        raise WeightingError(f"回答的表里 {PERSON} 有空值或重复（{answers.height:,} 行，{answers[PERSON].n_unique():,} 位客户）。一人一行：请先把同一人的几条合成一条。")
    asked = answers.select(PERSON).with_row_index("answer")  # ten million ids are compared with; places and bands, small numbers, come back
    found = store.sql(f"SELECT a.answer, {base.selected(*(columns or base.said))} FROM ({base.rows}) JOIN asked AS a USING (customer_id)", asked=asked).sort("answer")
    given = answers[found["answer"]].with_columns(pl.exclude(PERSON).cast(pl.Float64).fill_nan(None))
    return pl.concat([given, in_words(base, found.drop("answer"))], how="horizontal")


def everyone_in(store: Store, base: Base) -> pl.DataFrame:
    """All customers of the base, one row each with `customer_id`, columns and behaviours, by customer."""
    return in_words(base, store.sql(f"{base.sql} ORDER BY customer_id"))


def everybody_of(store: Store, base: Base) -> pl.DataFrame:
    """All customers of the base as cells of its columns and behaviours, with `count`: a population frame. WeightingError where the base has nobody."""
    names = list(base.said)
    return in_words(base, everyone_as_cells(base, tuple(names), store.sql)).group_by(names).agg(pl.col(COUNT).sum()).sort(names)


def totals_of(store: Store, base: Base, lines: Collection[str]) -> dict[str, float]:
    """Totals of numbers of the register over the base, summed where they lie: margins for continuous columns. FrameError for a column that is no number of it."""
    numbers = [c.name for c in schema.table("customers").columns if c.type.is_numeric()]
    for name in lines:
        if name not in numbers:
            raise FrameError(f"客户档案里没有数字「{name}」。可用：{'、'.join(numbers)}。")
    return store.sql(f"SELECT {', '.join(f'sum({name}) AS {name}' for name in lines)} FROM ({base.rows})").row(0, named=True) if lines else {}


def affordable(cells: pl.DataFrame, name: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """As many of the columns, in their order, as there are ten answers for every level to be calibrated; at least the first that can be.

    A column in which only one level answered cannot be calibrated and is passed over.
    """
    answers, taken, levels = cells[f"{name}_n"].sum(), [], 0
    for column in columns:
        heard = cells.filter(pl.col(f"{name}_n") > 0)[column].n_unique()
        if heard > 1 and (levels + heard - 1) * PEOPLE_A_LEVEL <= answers:
            taken.append(column)
            levels += heard - 1
    return tuple(taken)


def in_words(base: Base, rows: pl.DataFrame) -> pl.DataFrame:
    """Banded columns as words, and what is empty as 未知."""
    bands = [pl.lit(pl.Series(levels)).gather(pl.col(name)).alias(name) for name, levels in base.bands.items() if name in rows.columns]
    texts = [name for name in base.columns if name in rows.columns and name not in base.bands]
    return rows.with_columns(*bands, *(pl.when(pl.col(name) != "").then(pl.col(name)).otherwise(pl.lit(UNKNOWN)).alias(name) for name in texts))


def _as_of(day: date, earlier: bool) -> str:
    """Each customer as the newest export not after the day knew him; who is missing from the newest is taken from an older one."""
    newest = f"SELECT * FROM customers WHERE valid_from = {_day(day)}"
    if not earlier:
        return newest
    older = f"SELECT * FROM customers AS o WHERE valid_from < {_day(day)} AND NOT EXISTS (SELECT 1 FROM customers AS n WHERE n.valid_from = {_day(day)} AND n.customer_id = o.customer_id)"
    return f"{newest} UNION ALL BY NAME ({older} QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY valid_from DESC) = 1)"


def _behaviour(name: str, tenure: str, start: date) -> str:
    if not name.startswith(EVENT):
        return f"CAST({tenure if name == TENURE else name} AS DOUBLE)"
    kind = quote(name.removeprefix(EVENT))
    return f"CAST(customer_id IN (SELECT customer_id FROM touchpoints WHERE kind = {kind} AND occurred_on >= {_day(start)}) AS DOUBLE)"


def _places(columns: Collection[str]) -> str:
    """The first columns of a SELECT, for GROUP BY."""
    return ", ".join(str(at) for at in range(1, len(columns) + 1))


def _day(day: date) -> str:
    return f"DATE {quote(day.isoformat())}"


def _told(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
