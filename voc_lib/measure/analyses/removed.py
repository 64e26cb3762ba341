"""What platforms removed and how that tilts what is left; and what arrives long after it was said."""

from __future__ import annotations

import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure.compare import compare
from voc_lib.measure.estimate import MIN_PEOPLE, estimate

DELETED = Metric(
    label="被平台删除", unit="share", definition="说过话的人中，反馈被平台删除的比例；一人多条取平均", base_definition="来源标明是否删除的反馈",
    value=pl.col("deleted").cast(pl.Float64), base=pl.col("deleted").is_not_null(),
)
PRODUCTS = 10  # of a channel, with the most people
LATE_DAYS = 14  # two weekly exports: what comes later was missing from a page that is published
TILTS = {"rise": "more", "fall": "fewer"}  # of the ratings left, against those removed

SHARES = {name: pl.Float64 for part in ("deleted", "kept", "gone") for name in (f"{part}_share", f"{part}_low", f"{part}_high")}
REMOVED = {"channel": pl.String, "product": pl.String, "people": pl.Int64, "rows_share": pl.Float64} | SHARES | {"whole_share": pl.Float64, "difference": pl.Float64, "tilt": pl.String}
LATE = {"channel": pl.String, "feedback": pl.Int64, "before": pl.Int64, "late": pl.Int64, "late_share": pl.Float64, "median_days": pl.Float64}


def removed(feedback: pl.DataFrame) -> pl.DataFrame:
    """Per channel that tells what was deleted, and per product of it: how much is gone, and who rates low among what is left and what is gone.

    Shares 0-1 of people (low ratings: as `low_rating_share`), each with its 95 % Wilson interval; `whole_share` is low ratings of
    both together; `rows_share` is the feedback deleted, of all feedback, which one person with many can move. Columns: channel,
    product (null for the whole channel), people, rows_share, deleted_share|low|high, kept_..., gone_..., whole_share, difference (kept minus gone), tilt: more or fewer low ratings among what is left, too_small, within_error, or
    suppressed (fewer than 10 people rated on one side: figures null).
    """
    told = feedback.filter(pl.col("deleted").is_not_null())
    if told.is_empty():
        return pl.DataFrame(schema=REMOVED)
    parts = [_removed(told, ["channel"]).with_columns(pl.lit(None, pl.String).alias("product"))]
    named = told.filter(pl.col("product").is_not_null())
    several = named.group_by("channel").agg(pl.col("product").n_unique()).filter(pl.col("product") > 1)
    named = named.join(several.select("channel"), on="channel", how="semi")
    if named.height:
        split = _removed(named, ["channel", "product"]).drop_nulls("people").sort("channel", "people", "product", descending=[False, True, False])
        parts.append(split.group_by("channel", maintain_order=True).head(PRODUCTS))
    whole = pl.concat([part.select(list(REMOVED)) for part in parts])
    return whole.sort("channel", "product", nulls_last=False, maintain_order=True)


def _removed(told: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    def low(rows: pl.DataFrame, name: str) -> pl.DataFrame:
        found = estimate(rows, "low_rating_share", by=by)
        return found.select(*by, pl.col("estimate").alias(f"{name}_share"), pl.col("conf_low").alias(f"{name}_low"), pl.col("conf_high").alias(f"{name}_high"))

    kept, gone = told.filter(~pl.col("deleted")), told.filter("deleted")
    table = estimate(told, DELETED, by=by).select(
        *by, "people", pl.col("estimate").alias("deleted_share"), pl.col("conf_low").alias("deleted_low"), pl.col("conf_high").alias("deleted_high"))
    table = table.join(told.group_by(by).agg(pl.col("deleted").mean().alias("rows_share")), on=by, how="left", maintain_order="left")
    table = table.with_columns(pl.when(pl.col("people").is_not_null()).then("rows_share").alias("rows_share"))
    for rows, name in ((kept, "kept"), (gone, "gone"), (told, "whole")):
        table = table.join(low(rows, name), on=by, how="left", maintain_order="left")
    compared = compare(kept, gone, "low_rating_share", by=by)
    table = table.join(compared.select(*by, "difference", "verdict"), on=by, how="left", maintain_order="left")
    # Where one side is withheld the whole would give it away.
    shown = pl.col("kept_share").is_not_null() & pl.col("gone_share").is_not_null()
    tilt = pl.when(shown).then(pl.col("verdict").replace(TILTS)).otherwise(pl.lit("suppressed")).fill_null("suppressed")
    return table.with_columns(tilt.alias("tilt"), *(pl.when(shown).then(pl.col(name)).alias(name) for name in ("whole_share", "difference")))


def late(feedback: pl.DataFrame, days: int = LATE_DAYS) -> pl.DataFrame:
    """How much of a channel's feedback was first seen more than `days` days after it was said: it was missing from pages published before.

    Only what was said after the channel's first export can be late; what that export brought along is counted in `before`. Columns
    channel, feedback (said since), before, late, late_share (0-1), median_days (from said to seen); figures null under 10 feedback.
    """
    dated = feedback.filter(pl.col("occurred_at").is_not_null() & pl.col("first_seen").is_not_null())
    if dated.is_empty():
        return pl.DataFrame(schema=LATE)
    waited = (pl.col("first_seen") - pl.col("occurred_at")).dt.total_seconds() / 86_400
    since = pl.col("occurred_at") >= pl.col("first_seen").min().over("channel")
    table = dated.with_columns(waited.alias("waited"), since.alias("since")).group_by("channel").agg(
        pl.col("since").sum().cast(pl.Int64).alias("feedback"), (~pl.col("since")).sum().cast(pl.Int64).alias("before"),
        (pl.col("since") & (pl.col("waited") > days)).sum().cast(pl.Int64).alias("late"), pl.col("waited").filter("since").median().alias("median_days"),
    ).sort("channel")
    enough = pl.col("feedback") >= MIN_PEOPLE
    return table.with_columns((pl.col("late") / pl.col("feedback")).alias("late_share")).with_columns(
        pl.when(enough).then(pl.col(name)).alias(name) for name in ("late", "late_share", "median_days")).select(list(LATE))
