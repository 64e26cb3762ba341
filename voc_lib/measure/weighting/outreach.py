"""Reaching the silent with little disturbance: whom to ask, at which moment, and what it would add to the effective number of answers.

Invitations go where an answer adds most: with N people and n answers in a cell, the variance of a mean weighted to all grows with the sum of N^2 / n, and Kish's
effective n is (sum N)^2 over it. The lot decides who is asked within a cell; a moment at which he had to do with us only decides the day. Nobody is asked who
asked not to be, who was asked lately or often, or whom the lot keeps out of every campaign (hold-out), so that what asking itself does can be seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from voc_lib.measure.weighting.margins import WeightingError, as_level, counted, first

GAP_DAYS = 90        # between two contacts of one customer: a quarter
YEARLY = 2           # contacts in 365 days
HOLDOUT = 0.1        # of all customers, never asked
HORIZON = 28         # days of a plan: four weeks
YEAR = 365
STEPS = 200          # halvings on a logarithmic scale: to the last bit
LOT = 2.0**-64       # eight bytes of a hash as a number from 0 to 1
PLAIN = "平常日"      # no moment falls in the plan: a day by lot, so that not all are asked at once
MOMENTS = {"customer_id": pl.String, "trigger": pl.String, "day": pl.Date}


@dataclass(frozen=True)
class Trigger:
    """A moment at which being asked disturbs little: `days` after a touchpoint of `kind`, on its anniversary, or once there was none for `days`."""

    name: str
    kind: str
    when: Literal["after", "anniversary", "quiet"]
    days: int = 0


TRIGGERS = (Trigger("进店之后", "进店", "after", 3), Trigger("索赔办完之后", "索赔", "after", 7), Trigger("来电办结之后", "来电", "after", 1),
            Trigger("购车周年", "购车", "anniversary"), Trigger("应用久未使用", "应用活跃", "quiet", 60))


@dataclass(frozen=True)
class OutreachPlan:
    """`cells`: a row per segment, what adds most first. `people`: a row per customer to invite, by day. Customers without a cell in `cells` do not exist.

    `cells`: the segment columns, `customers`, `n` (speak already), `able` (may be asked), `held_out`, `response_rate`, `invite`, `expected` (answers), `gain_per_contact` (of
    effective n, for the first contact; null where nobody speaks yet, which comes before all), and down to this row `effective_n_before`, `effective_n_after`, `covered_share`
    (of customers in cells with an answer). `people`: `customer_id`, the segment columns, `trigger`, `day`.
    """

    cells: pl.DataFrame
    people: pl.DataFrame


def outreach_plan(customers: pl.DataFrame, asked: pl.DataFrame | None, touchpoints: pl.DataFrame | None, by: Sequence[str], *, today: date, budget: int, response_rate: float = 0.2,
                  key: str = "outreach", horizon: int = HORIZON, gap_days: int = GAP_DAYS, yearly: int = YEARLY, holdout: float = HOLDOUT, triggers: Sequence[Trigger] = TRIGGERS) -> OutreachPlan:
    """Whom to invite in the `horizon` days from `today`, at most `budget` customers, so that the answers stand best for all. The same arguments give the same plan.

    `customers`: one row per customer with `customer_id`, the columns `by` (bands that weights stand on), `spoke` (true: an answer is there), and where known `no_contact`
    (true or empty: not asked) and `propensity` (0 to 1: how likely an answer is; else `response_rate`). `asked`: past contacts, `customer_id, asked_on`. `touchpoints`:
    `customer_id, kind, occurred_on`. `key` names the lot: another key draws others, but keep it, or the hold-out changes. Kish (1965); allocation as Neyman (1934), equal spread.
    WeightingError: missing columns, a customer twice, nobody to ask.

    >>> customers = pl.DataFrame({"customer_id": list("abcdef"), "city": ["甲"] * 3 + ["乙"] * 3, "spoke": [True, True, False, True, False, False]})
    >>> plan = outreach_plan(customers, None, None, ["city"], today=date(2026, 3, 2), budget=1, holdout=0, response_rate=1.0)
    >>> plan.cells.select("city", "n", "invite", "expected").rows(), plan.people["city"].to_list()
    ([('乙', 1, 1, 1.0), ('甲', 2, 0, 0.0)], ['乙'])
    """
    _usable(customers, asked, touchpoints, by, budget, response_rate, holdout, horizon)
    by = list(by)
    rate = pl.col("propensity").cast(pl.Float64) if "propensity" in customers.columns else pl.lit(float(response_rate))
    refused = pl.col("no_contact").cast(pl.Boolean).fill_null(True) if "no_contact" in customers.columns else pl.lit(False)
    rows = customers.select(pl.col("customer_id").cast(pl.String), *(as_level(column) for column in by), pl.col("spoke").cast(pl.Boolean), rate.alias("rate"), refused.alias("refused"))
    rows = rows.with_columns(pl.Series("kept_out", lot(rows["customer_id"], f"{key}/holdout") < holdout), _tired(rows, asked, today, gap_days, yearly))
    rows = rows.with_columns((~(pl.col("spoke") | pl.col("refused") | pl.col("kept_out") | pl.col("tired"))).alias("able"))
    if not rows["able"].any():
        raise WeightingError(f"{rows.height:,} 位客户里没有可以邀请的：都已说过话、不愿被打扰、近期问过或被抽作对照。请放宽 gap_days、yearly 或等到下一期。")
    how_many = [pl.col(column).sum().cast(pl.Int64).alias(name) for column, name in (("spoke", "n"), ("able", "able"), ("kept_out", "held_out"))]
    likely = pl.col("rate").filter("able").mean().fill_null(0.0).alias("response_rate")
    cells = rows.group_by(by).agg(pl.len().cast(pl.Int64).alias("customers"), *how_many, likely).sort(by)
    invite = allocate(*(cells[column].to_numpy() for column in ("customers", "n", "response_rate", "able")), budget)
    cells = cells.with_columns(pl.Series("invite", invite, pl.Int64))
    drawn = rows.filter("able").with_columns(pl.Series("order", lot(rows.filter("able")["customer_id"], f"{key}/{today}"))).sort("order", "customer_id")
    drawn = drawn.with_columns(pl.int_range(pl.len()).over(by).alias("place")).join(cells.select(*by, "invite"), on=by).filter(pl.col("place") < pl.col("invite"))
    invited = drawn.select("customer_id", *by, "order").join(_moments(touchpoints, triggers, today, horizon), on="customer_id", how="left")
    spread = pl.lit(today) + pl.duration(days=(pl.col("order") * 1e6 % 1 * horizon).floor().cast(pl.Int64))
    invited = invited.with_columns(pl.col("trigger").fill_null(PLAIN), pl.col("day").fill_null(spread.cast(pl.Date)))
    return OutreachPlan(_told(cells, by), invited.select("customer_id", *by, "trigger", "day").sort("day", "customer_id"))


def lot(ids: pl.Series, key: str) -> np.ndarray:
    """A number from 0 to 1 for every id, the same in every run and unknown without the key: the first eight bytes of SHA-256 over key and id.

    >>> bool((lot(pl.Series(["a", "b"]), "k") == lot(pl.Series(["a", "b"]), "k")).all())
    True
    """
    start = hashlib.sha256(f"{len(key)}:{key}".encode())
    found = np.empty(len(ids))
    for at, name in enumerate(ids):
        hashed = start.copy()
        hashed.update(str(name).encode())
        found[at] = int.from_bytes(hashed.digest()[:8], "big") * LOT
    return found


def allocate(people, spoke, response_rate, able, budget: int) -> np.ndarray:
    """Invitations by cell, at most `able` each and `budget` in all, under which the sum of people^2 / (spoke + rate x invitations) is least.

    Where it can choose, the next contact adds the same in every cell; found by bisection, then rounded to whole people, the largest remainders up.

    >>> allocate([100, 100], [50, 10], [0.5, 0.5], [100, 100], 40).tolist()
    [0, 40]
    """
    people, spoke, rate, able = (np.asarray(given, float) for given in (people, spoke, response_rate, able))
    able = np.where((rate > 0) & (people > 0), able, 0.0)
    if able.sum() <= budget:
        return able.astype(int)
    safe = np.where(rate > 0, rate, 1.0)
    low, high = -100.0, 100.0  # of the logarithm of what a contact adds

    def wanted(level: float) -> np.ndarray:
        return np.clip((people * np.sqrt(safe) * np.exp(-level / 2) - spoke) / safe, 0, able)

    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if wanted(middle).sum() > budget else (low, middle)
    share = wanted(high)
    whole = np.floor(share + 1e-9)
    left = int(round(budget - whole.sum()))
    order = np.lexsort((np.arange(len(share)), -(share - whole)))
    for at in order:
        if left > 0 and whole[at] < able[at]:
            whole[at] += 1
            left -= 1
    return whole.astype(int)


def _told(cells: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The cells, what adds most first, with the effective n as it grows down the list."""
    people, spoke, rate, invite = (cells[column].to_numpy().astype(float) for column in ("customers", "n", "response_rate", "invite"))
    expected = rate * invite
    now = people[spoke > 0].sum() ** 2 / (people[spoke > 0] ** 2 / spoke[spoke > 0]).sum() if (spoke > 0).any() else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where((spoke > 0) & (rate > 0), now**2 / people[spoke > 0].sum() ** 2 * people**2 * rate / np.maximum(spoke, 1) ** 2, np.nan)
    cells = cells.with_columns(pl.Series("expected", expected), pl.Series("gain_per_contact", gain).fill_nan(None))
    first_of_all = (pl.col("n") == 0) & (pl.col("invite") > 0)
    down = [True, True, True, *[False] * len(by)]
    cells = cells.with_columns(first_of_all.alias("_silent")).sort("_silent", "gain_per_contact", "customers", *by, descending=down, nulls_last=True).drop("_silent")
    people, spoke, expected = (cells[column].to_numpy().astype(float) for column in ("customers", "n", "expected"))
    after, covered = np.empty(len(people)), np.empty(len(people))
    for at in range(len(people)):
        answers = spoke + np.where(np.arange(len(people)) <= at, expected, 0.0)
        there = answers > 0
        after[at] = people[there].sum() ** 2 / (people[there] ** 2 / answers[there]).sum() if there.any() else 0.0
        covered[at] = people[there].sum() / people.sum()
    return cells.with_columns(pl.lit(float(now)).alias("effective_n_before"), pl.Series("effective_n_after", after), pl.Series("covered_share", covered))


def _tired(rows: pl.DataFrame, asked: pl.DataFrame | None, today: date, gap_days: int, yearly: int) -> pl.Series:
    """Who was asked less than `gap_days` ago, or `yearly` times within a year; a contact already planned counts as one."""
    if asked is None or asked.is_empty():
        return pl.Series("tired", np.zeros(rows.height, bool))
    lately = (pl.col("asked_on").max() > today - timedelta(days=gap_days)).alias("lately")
    past = asked.group_by(pl.col("customer_id").cast(pl.String)).agg(lately, (pl.col("asked_on") > today - timedelta(days=YEAR)).sum().alias("often"))
    found = rows.select("customer_id").join(past, on="customer_id", how="left", maintain_order="left")
    return found.select((pl.col("lately").fill_null(False) | (pl.col("often").fill_null(0) >= yearly)).alias("tired")).to_series()


def _moments(touchpoints: pl.DataFrame | None, triggers: Sequence[Trigger], today: date, horizon: int) -> pl.DataFrame:
    """The first moment of each customer that falls into the plan: `customer_id, trigger, day`."""
    empty = pl.DataFrame(schema=MOMENTS)
    if touchpoints is None or touchpoints.is_empty():
        return empty
    end, found = today + timedelta(days=horizon - 1), []
    for place, trigger in enumerate(triggers):
        events = touchpoints.select(pl.col("customer_id").cast(pl.String), "kind", "occurred_on").filter((pl.col("kind") == trigger.kind) & (pl.col("occurred_on") <= today))
        last = events.group_by("customer_id").agg(pl.col("occurred_on").max())
        if trigger.when == "anniversary":
            years = [(pl.col("occurred_on").dt.offset_by(f"{n}y")) for n in range(1, end.year - (events["occurred_on"].min() or end).year + 1)]
            days = events.select("customer_id", pl.concat_list(years).alias("day")).explode("day") if years else empty.select("customer_id", "day")
        else:
            days = last.select("customer_id", (pl.col("occurred_on") + pl.duration(days=trigger.days)).cast(pl.Date).alias("day"))
        due = days.filter(pl.col("day").is_between(today, end))
        found.append(due.select("customer_id", pl.lit(trigger.name).alias("trigger"), "day", pl.lit(place).alias("place")))
    return pl.concat(found).sort("day", "place").unique("customer_id", keep="first", maintain_order=True).drop("place") if found else empty


def _usable(customers, asked, touchpoints, by, budget, response_rate, holdout, horizon) -> None:
    if isinstance(by, str) or not by:
        raise WeightingError("by 应写成一列名字，至少一个分层的列，例如 [\"地区\", \"车型\"]。")
    needed = (("客户", customers, ["customer_id", "spoke", *by]), ("已问过的人", asked, ["customer_id", "asked_on"]), ("触点", touchpoints, ["customer_id", "kind", "occurred_on"]))
    for told, table, columns in needed:
        if table is not None and (absent := [column for column in columns if column not in table.columns]):
            raise WeightingError(f"{told}的表里没有列：{first(absent)}；现有：{'、'.join(table.columns)}。")
    for told, table, column in (("已问过的人", asked, "asked_on"), ("触点", touchpoints, "occurred_on")):
        if table is not None and table.schema[column] != pl.Date:
            raise WeightingError(f"{told}的表里「{column}」应是日期，现在是{table.schema[column]}。请先转成日期。")
    if twice := customers.height - customers["customer_id"].n_unique():
        raise WeightingError(f"客户的表里有 {twice:,} 行的 customer_id 重复。请每位客户只留一行。")
    if empty := {column: customers[column].null_count() for column in ["customer_id", "spoke", *by] if customers[column].null_count()}:
        raise WeightingError(f"客户的表里有空值：{counted(empty)}。请补全，或把空值写成一层（例如「未知」）。")
    if "propensity" in customers.columns and not customers["propensity"].fill_null(-1).is_between(0, 1).all():
        raise WeightingError("propensity 应是 0 到 1 之间的可能性，不能为空。请改正，或去掉这一列改写 response_rate。")
    if not 0 < response_rate <= 1 or not 0 <= holdout < 1 or budget < 1 or horizon < 1:
        raise WeightingError(f"response_rate 应在 0 到 1 之间，holdout 从 0 到不足 1，budget 和 horizon 至少 1；现在是 {response_rate}、{holdout}、{budget}、{horizon}。")
