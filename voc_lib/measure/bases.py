"""People heard per 10,000 of a channel's base, where the store knows how large the base is."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.estimate import MIN_PEOPLE, SUPPRESSED
from voc_lib.stats.intervals import wilson
from voc_lib.store import Store

PER = 10_000
OUTSIDERS = ("prospect", "other_brand", "official", "staff", "media")  # not in any base
UNKNOWN = "没有基数"
SCHEMA = {"channel": pl.String, "base": pl.String, "in_use": pl.Float64, "people": pl.Int64, "estimate": pl.Float64, "conf_low": pl.Float64,
          "conf_high": pl.Float64, "note": pl.String}


def base_sizes(store: Store, months: list[str]) -> dict[str, float]:
    """How many there were of each base, on average over the months given (`2026-11`) that the store knows.

    Of a month the newest export counts, whole: an older one is a correction's past.
    """
    known = store.sql(
        "WITH newest AS (SELECT base, month, max(exported_at) AS exported_at FROM exposure GROUP BY base, month) "
        "SELECT base, month, sum(in_use) AS in_use FROM exposure JOIN newest USING (base, month, exported_at) GROUP BY base, month ORDER BY base, month"
    )
    asked = known.filter(pl.col("month").is_in(months))
    return dict(asked.group_by("base", maintain_order=True).agg(pl.col("in_use").mean()).iter_rows())


def base_rates(store: Store, feedback: pl.DataFrame, by: str | None = None) -> pl.DataFrame:
    """People heard per 10,000 of the base: one row per channel of the frame (and code, with by="code"), by channel.

    Columns: channel, (code,) base, in_use (average over the months of the frame), people, estimate, conf_low, conf_high (people per
    10,000, 95 %, Wilson), note. Prospects, owners of other brands, officials, staff and media are in no base and not counted; people of
    unknown kind are. Without a base, and under 10 people, the figures are null and the note says so. It counts who
    spoke, not who has the problem: an upper limit of nothing.
    """
    inside = feedback.filter(~pl.col("author_kind").is_in(OUTSIDERS).fill_null(False))
    keys = ["channel"] if by is None else ["channel", by]
    rows = inside if by is None else inside.explode("codes", empty_as_null=False, keep_nulls=False).rename({"codes": by})
    heard = rows.group_by(keys).agg(pl.col("person").n_unique().cast(pl.Int64).alias("people")).sort(keys)
    contracts = channels_of(store)
    months = feedback["local_date"].drop_nulls().dt.strftime("%Y-%m").unique().sort().to_list()
    sizes = base_sizes(store, months)
    bases = {name: contracts[name].base for name in heard["channel"].unique() if name in contracts}
    heard = heard.with_columns(pl.col("channel").replace_strict(bases, default=None, return_dtype=pl.String).alias("base"))
    heard = heard.with_columns(pl.col("base").replace_strict(sizes, default=None, return_dtype=pl.Float64).alias("in_use"))
    share = (heard["people"] / heard["in_use"]).clip(0, 1)
    low, high = wilson(share.fill_null(0).to_numpy(), heard["in_use"].fill_null(1).clip(1).to_numpy())
    few = pl.col("people") < MIN_PEOPLE
    hidden = few | pl.col("in_use").is_null()
    figures = {"estimate": share, "conf_low": pl.Series(low), "conf_high": pl.Series(high)}
    note = pl.when(few).then(pl.lit(SUPPRESSED)).when(pl.col("in_use").is_null()).then(pl.lit(UNKNOWN)).otherwise(pl.lit(""))
    heard = heard.with_columns((PER * values).alias(name) for name, values in figures.items())
    heard = heard.with_columns(note.alias("note"), *(pl.when(~hidden).then(pl.col(name)).alias(name) for name in figures))
    columns = {name: kind for name, kind in ({"channel": pl.String} | ({by: pl.String} if by else {}) | SCHEMA).items()}
    return heard.with_columns(pl.when(~few).then("people").alias("people")).select(list(columns))
