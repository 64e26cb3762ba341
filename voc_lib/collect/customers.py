"""The frame: every customer at the start of a period, speaking or silent, in coarse bands that a weight can rest on.

Bands are those of the register's contract (`bands`, upper bounds, included in their band). They are coarse on purpose: every band must hold enough people who
speak. Who has left stays in the frame; `active` tells.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from voc_lib.collect.registers import load_registers
from voc_lib.contracts import Channel
from voc_lib.engine import quote
from voc_lib.messages import Told
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

UNKNOWN = "未知"
TENURE = "tenure"        # years since purchase; computed, not read
DAYS_A_YEAR = 365.25


class FrameError(Told):
    """There is no frame to speak of."""


def load_frame(store: Store | str | None = None, at: date | str | None = None) -> pl.DataFrame:
    """One row a customer as the newest export not after `at` (a day, or the Monday of an ISO week; none = the newest of all) knew him.

    Columns: those of the table `customers` without its export, `tenure` (years, at `at`), `active` (not left by then), and for each of the contract's `bands` a
    column <name>_band (text, 未知 where the value is missing). Raises FrameError where no register was read, or none reaches back that far.
    """
    store = store if isinstance(store, Store) else open_store(store)
    day = _day(at)
    where = f"valid_from <= DATE {quote(day.isoformat())}" if day else "true"
    rows = store.sql(f"SELECT * FROM customers WHERE {where} QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY valid_from DESC) = 1").drop("export_id", "said_at").sort("customer_id")
    if rows.is_empty():
        raise FrameError(_none(store, day))
    then = pl.lit(day) if day else pl.col("valid_from").max()
    rows = rows.with_columns(
        ((then - pl.col("purchased_at")).dt.total_days() / DAYS_A_YEAR).clip(0).alias(TENURE), (pl.col("churned_at").is_null() | (pl.col("churned_at") > then)).alias("active"))
    return rows.with_columns(band(name, cuts) for name, cuts in bands_of(store).items())


def bands_of(store: Store) -> dict[str, list[float]]:
    """The upper bounds by which the store's registers of customers are banded, by column. Raises FrameError for a column that does not exist."""
    found = {name: cuts for register in load_registers(settings().domains, store.about["domain"]) if register.table == "customers" for name, cuts in (register.bands or {}).items()}
    numbers = ("age", "spend", "app_days", "visits", "usage", TENURE)
    for name in found:
        if name not in numbers:
            raise FrameError(f"客户档案合同的 bands 里写了「{name}」，但没有这个数字列。可分档：{'、'.join(numbers)}。")
    return found


def weighting_of(store: Store) -> Channel:
    """The register of customers whose contract says how to weigh: `weigh_by`, `held_out`, `bases`. Raises FrameError where none does."""
    for register in load_registers(settings().domains, store.about["domain"]):
        if register.table == "customers" and register.weigh_by:
            return register
    raise FrameError(f"没有一份客户档案的合同写了 weigh_by（按哪些列折算到全体）。请在 data/domains/{store.about['domain']}/customers 里补上。")


def band_sql(name: str, cuts: list[float]) -> str:
    """The place of `band` among `band_levels` in SQL, for a frame that is too large to bring into memory: numbers are grouped several times faster than words."""
    cases = " ".join(f"WHEN {name} <= {cut!r} THEN {at}" for at, cut in enumerate(cuts))
    return f"CAST(CASE WHEN {name} IS NULL THEN {len(cuts) + 1} {cases} ELSE {len(cuts)} END AS TINYINT)"


def band_levels(cuts: list[float]) -> list[str]:
    """Bands in rising order, then 未知.

    >>> band_levels([30, 50])
    ['≤30', '30–50', '>50', '未知']
    """
    return [*_words(cuts), UNKNOWN]


def band(name: str, cuts: list[float]) -> pl.Expr:
    """The band of a number: at most the first bound, between two, above the last.

    >>> pl.DataFrame({"age": [30.0, 31.0, 51.0, None]}).select(band("age", [30, 50])).to_series().to_list()
    ['≤30', '30–50', '>50', '未知']
    """
    words = _words(cuts)
    chosen = pl.when(pl.col(name).is_null()).then(pl.lit(UNKNOWN))
    for cut, word in zip(cuts, words, strict=False):
        chosen = chosen.when(pl.col(name) <= cut).then(pl.lit(word))
    return chosen.otherwise(pl.lit(words[-1])).alias(f"{name}_band")


def _words(cuts: list[float]) -> list[str]:
    return [f"≤{cuts[0]:g}", *(f"{low:g}–{high:g}" for low, high in zip(cuts, cuts[1:], strict=False)), f">{cuts[-1]:g}"]


def _day(at: date | str | None) -> date | None:
    if not isinstance(at, str):
        return at
    try:
        return date.fromisoformat(f"{at}-1" if "W" in at else at)
    except ValueError:
        raise FrameError(f"「{at}」不是日期，也不是一周。请写成 2026-10-01 或 2026-W40。") from None


def _none(store: Store, day: date | None) -> str:
    first = store.sql("SELECT min(valid_from) AS first FROM customers")["first"].item()
    if first is None:
        return f"库「{store.name}」还没有客户档案。把 CRM 导出放进导出文件夹（合同见 data/domains/{store.about['domain']}/customers），再运行 voc ingest。"
    return f"库「{store.name}」最早的客户档案截至 {first}，没有 {day} 之前的。请用 {first} 或以后的日期。"
