"""The channels side by side: how much was heard in each, from how many, about what, and what cannot be told."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.compare import compare
from voc_lib.measure.coverage import say_uneven, uneven
from voc_lib.measure.estimate import MIN_PEOPLE, SUPPRESSED, estimate

RATES = ("coded_share", "linked_share", "no_author_share", "low_rating_share")


def channel_overview(
    current: pl.DataFrame, baseline: pl.DataFrame, titles: dict[str, str], history: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per channel heard in either period, most feedback first.

    Columns: channel, title, volume, volume_baseline, people, people_baseline, verdict (of the change in
    volume, against week-to-week dispersion where `history` is given), low_rating_share (0-1, null without at least
    10 people who rated), top_code (the code most people mention, null under 10 people), top_code_people, coded_share,
    linked_share, no_author_share (0-1, of feedback), note. Under 10 people only the volume is shown.
    A channel that one period lacks, or whose export covers another number of days, has verdict "suppressed".
    """
    changed = compare(current, baseline, "volume", by="channel", history=history, min_people=0)
    halves = {name: days for name in changed["channel"] if (days := uneven(*(s.filter(pl.col("channel") == name) for s in (current, baseline))))}
    partial = pl.col("channel").is_in(list(halves))
    table = changed.select(
        "channel",
        pl.col("n").alias("volume"),
        pl.col("n_baseline").alias("volume_baseline"),
        "people",
        "people_baseline",
        pl.when((pl.col("n") > 0) & (pl.col("n_baseline") > 0) & ~partial).then("verdict").otherwise(pl.lit("suppressed")).alias("verdict"),
        pl.when(partial).then(pl.col("channel").replace_strict({n: say_uneven(d) for n, d in halves.items()}, default=None, return_dtype=pl.String))
        .otherwise("note").alias("remark"),
    )
    table = table.join(_rates(current), on="channel", how="left").join(_top_codes(current), on="channel", how="left")
    table = table.join(_low_ratings(current), on="channel", how="left")
    small = pl.col("people") < MIN_PEOPLE
    known = [title for title in titles if title in set(table["channel"])]
    remarks = [
        pl.when(pl.col("volume") == 0).then(pl.lit("本期没有反馈")),
        pl.when(pl.col("volume_baseline") == 0).then(pl.lit("上一期没有反馈，变化不作判断")),
        pl.when(small & (pl.col("volume") > 0)).then(pl.lit(SUPPRESSED)),
        pl.when((pl.col("remark") != "") & (pl.col("volume") > 0) & (pl.col("volume_baseline") > 0)).then("remark"),
    ]
    return (
        table.with_columns(
            pl.col("channel").replace(known, [titles[name] for name in known]).alias("title"),
            pl.concat_str(remarks, separator="；", ignore_nulls=True).alias("note"),
            *(pl.when(~small).then(pl.col(name)).alias(name) for name in (*RATES, "people", "top_code", "top_code_people")),
        )
        .sort("volume", "channel", descending=[True, False])
        .select(
            *("channel", "title", "volume", "volume_baseline", "people", "people_baseline", "verdict"),
            *("low_rating_share", "top_code", "top_code_people", "coded_share", "linked_share", "no_author_share", "note"),
        )
    )


def _rates(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("channel").agg(
        (pl.col("codes").list.len() > 0).mean().alias("coded_share"),
        pl.col("customer_id").is_not_null().mean().alias("linked_share"),
        (pl.col("customer_id").is_null() & pl.col("author_key").is_null()).mean().alias("no_author_share"),
    )


def _top_codes(frame: pl.DataFrame) -> pl.DataFrame:
    people = estimate(frame, "people", by=["channel", "code"]).drop_nulls("people")
    best = people.sort("channel", "people", "code", descending=[False, True, False]).unique("channel", keep="first")
    return best.select("channel", pl.col("code").alias("top_code"), pl.col("people").alias("top_code_people"))


def _low_ratings(frame: pl.DataFrame) -> pl.DataFrame:
    return estimate(frame, "low_rating_share", by="channel").select("channel", pl.col("estimate").alias("low_rating_share"))
