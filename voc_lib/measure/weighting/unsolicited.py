"""What unasked posts can and cannot say: a floor of people heard for having a problem, and how much more the dissatisfied post, where survey answers link to posts.

People speak of a problem because they have it. How many have it and keep still no weight can tell, so that people heard, per 10,000 of the base, is the least there are and never
a share of customers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import optimize

from voc_lib.measure.weighting.inference import numbers_of, check_there
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.stats.marginal_sensitivity import least_odds
from voc_lib.stats.odds_ratio import common_odds_ratio

PER = 10_000
FEWEST = 10  # people in each of the four groups (low or not, posted or not); with fewer an odds ratio is a guess
FLOOR = {"people": pl.Int64} | {name: pl.Float64 for name in ("base", "heard", "floor", "conf_low", "conf_high", "claim", "odds")} | {"note": pl.String}
POSTS = {name: pl.Float64 for name in ("odds_ratio", "log_error", "conf_low", "conf_high", "odds", "odds_low", "odds_high")} | {name: pl.Int64 for name in ("n", "low_n", "posted", "low_posted", "strata")} | {"note": pl.String}


def problem_floor(people: int, base: float, precision: float | tuple[float, float, float] | None = None, claim: float | None = None, speakers: int | None = None) -> pl.DataFrame:
    """People heard to have a problem per 10,000 of the base: one row `people, base, heard, floor, conf_low, conf_high, claim, odds, note`. A floor, never a share of customers.

    `heard` = people / base; `floor` takes off those whom the classifier put here wrongly: `precision` (0 to 1) is the share of people heard who truly speak of it, alone or with
    its interval as (estimate, low, high), which gives `conf_low` and `conf_high`; without it nothing is known of the classifier and `floor` is null. Chance is no part of it:
    people are counted, not drawn. `claim` (per 10,000) with `speakers` (all people heard in the channel): `odds` is the least deviation from average odds of speaking at which
    the affected are no more than `claim` (Zhao, Small & Bhattacharya 2019); infinite where `claim` lies below the floor. WeightingError: counts or precision that cannot be.

    >>> problem_floor(120, 400_000, .8)["floor"].round(6).item()
    2.4
    """
    if not (np.isfinite(base) and base > 0 and 0 <= people <= base):
        raise WeightingError(f"听到的人（{people:,}）应在 0 和基数（{base:,.6g}）之间，基数要大于 0。请核对是不是同一个渠道的基数。")
    right = (None, None, None) if precision is None else (float(precision), None, None) if np.isscalar(precision) else tuple(float(part) for part in precision)
    if len(right) != 3 or any(part is not None and not 0 <= part <= 1 for part in right) or (right[1] is not None and not right[1] <= right[0] <= right[2]):
        raise WeightingError(f"precision 应是 0 到 1 的份额，或（估计，下限，上限）；现在是 {precision}。")
    heard = PER * people / base
    floor, low, high = (None if part is None else heard * part for part in right)
    note = "分类没有抽检过，不知道错分多少" if precision is None else "分类的误差已扣除，没有它的区间" if low is None else None
    odds = None
    if claim is not None:
        if speakers is None or not people <= speakers <= base:
            raise WeightingError(f"要算多少倍才不超过 {claim:,.6g}，请写 speakers=：这个渠道听到的全部的人，不少于 {people:,}，不多于基数。")
        odds = _claimed(people * (1 if right[0] is None else right[0]), speakers, base, claim / PER)
    return pl.DataFrame([(people, float(base), heard, floor, low, high, claim, odds, note)], schema=FLOOR, orient="row")


def _claimed(affected: float, speakers: int, base: float, share: float) -> float:
    """The least odds at which the affected are `share` of the base or fewer; 1 where they are so among those heard."""
    if affected <= speakers * share:
        return 1.0
    if affected > base * share:  # as many were heard
        return float("inf")
    people = np.array([speakers - affected, affected])
    return least_odds([0.0, 1.0], people, people * (base / speakers - 1), share)


def odds_from_posts(survey: pl.DataFrame, posts: pl.DataFrame, column: str, low: float, within: Sequence[str] = (), customer: str = "customer_id", confidence: float = 0.95) -> pl.DataFrame:
    """How many times likelier, in odds, customers of a low score are to have posted unasked than others of their like; and what that is against the average, which is what
    `sensitivity` takes.

    `survey`: one row per customer who was asked and answered, with `column` (low: at most `low`) and the covariates `within`; `posts`: any rows with the customers linked to
    unasked posts. One row: `odds_ratio, log_error, conf_low, conf_high` (Mantel-Haenszel within cells of `within`; Robins, Breslow & Greenland 1986), `odds, odds_low, odds_high`
    (1 or more), and `n, low_n, posted, low_posted, strata` (cells that tell anything), `note`. Figures are null where one of the four groups has fewer than 10 people. It speaks
    for those who answer surveys: who keeps still in both is not seen.
    """
    said = numbers_of(survey, column)
    for name in (customer, *within):
        check_there(survey, name)
    check_there(posts, customer)
    asked = survey.select(pl.col(customer).alias("customer"), *within, pl.Series("low", said).fill_nan(None) <= low).drop_nulls(["customer", "low"])
    if asked["customer"].n_unique() < asked.height:
        raise WeightingError(f"调查表里有重复的客户：{asked.height - asked['customer'].n_unique():,} 行。一人一行，请先按客户取平均或取最近一次。")
    asked = asked.with_columns(asked["customer"].is_in(posts[customer].drop_nulls().unique().to_list()).alias("posted"))
    groups = {name: (pl.col("low") == lower) & (pl.col("posted") == spoke) for name, lower, spoke in (("a", True, True), ("b", True, False), ("c", False, True), ("d", False, False))}
    counts = [made.sum().alias(name) for name, made in groups.items()]
    cells = (asked.group_by(*within, maintain_order=True).agg(counts) if within else asked.select(counts)).select("a", "b", "c", "d").cast(pl.Float64)
    a, b, c, d = (cells[name].to_numpy() for name in cells.columns)
    telling = int(((a * d > 0) | (b * c > 0)).sum())
    sums = {"n": asked.height, "low_n": int(a.sum() + b.sum()), "posted": int(a.sum() + c.sum()), "low_posted": int(a.sum()), "strata": telling}
    fewest = min(a.sum(), b.sum(), c.sum(), d.sum()) if asked.height else 0
    ratio, error, lower, upper = common_odds_ratio(a, b, c, d, confidence)
    if fewest < FEWEST or not np.isfinite(error):
        return _posts(sums | {"note": f"答过调查又能连到帖子的人太少：低分或其他、发过或没发过，至少有一组不足 {FEWEST} 人，估不出倍数"})
    against = [_against_average(one, sums) for one in (ratio, lower, upper)]
    ends = (1.0, max(against[1:])) if lower <= 1 <= upper else sorted(against[1:])
    return _posts(sums | {"odds_ratio": ratio, "log_error": error, "conf_low": lower, "conf_high": upper, "odds": against[0], "odds_low": ends[0], "odds_high": ends[1],
                          "note": None if telling >= len(a) / 2 else f"{len(a):,} 格里只有 {telling:,} 格有可比的人"})


def _posts(figures: dict) -> pl.DataFrame:
    return pl.DataFrame([{name: figures.get(name) for name in POSTS}], schema=POSTS)


def _against_average(ratio: float, sums: dict) -> float:
    """The larger deviation of the two groups from the odds of both together, when one speaks at `ratio` times the odds of the other."""
    part, spoke = sums["low_n"] / sums["n"], sums["posted"] / sums["n"]

    def average(log_odds: float) -> float:
        low, other = (1 / (1 + np.exp(-(log_odds + shift))) for shift in (np.log(ratio), 0.0))
        return part * low + (1 - part) * other - spoke

    other = optimize.brentq(average, -40 - abs(np.log(ratio)), 40 + abs(np.log(ratio)))
    apart = other - np.log(spoke / (1 - spoke))  # log odds of the others against the average
    return float(np.exp(max(abs(apart), abs(apart + np.log(ratio)))))
