"""Who says what where: every code in every channel, and where a channel stands apart from the others."""

from __future__ import annotations

import polars as pl

from voc_lib.enrich.domain import Domain, load_domain
from voc_lib.measure import metrics
from voc_lib.measure.compare import compare
from voc_lib.measure.estimate import MIN_PEOPLE, estimate
from voc_lib.settings import settings
from voc_lib.stats.intervals import wilson
from voc_lib.stats.multiplicity import benjamini_hochberg
from voc_lib.store import Store

ALPHA = 0.05
TOLERANCE = 1e-9  # as in verdicts: a difference of exactly the floor counts
FIGURES = ("estimate", "conf_low", "conf_high", "people")
NUMBERS = ("estimate", "conf_low", "conf_high", "others", "difference", "p_adjusted")
SCHEMA = (
    {"code": pl.String, "channel": pl.String, "heard": pl.Int64, "people": pl.Int64} | dict.fromkeys(NUMBERS, pl.Float64) | {"verdict": pl.String}
)


def channel_codes(frame: pl.DataFrame, store: Store | None = None) -> pl.DataFrame:
    """The share of people heard in a channel who mention a code: one row per code x channel, most mentioned code first.

    Codes that fewer than 10 people mention in every channel are left out. Columns: code, channel, heard (people heard in
    the channel), people (who mention the code), estimate, conf_low, conf_high (0-1, Wilson, 95 %), others (share among
    the people of all other channels that are coded for it), difference, p_adjusted (Benjamini-Hochberg over all cells
    compared), verdict.

    verdict: above, below (than the other channels: p_adjusted at most 5 % and 2 percentage points apart), too_small,
    within_error, suppressed (figures null: the channel was heard from fewer than 10 people, or too few mention it here
    and elsewhere to compare), unread (the domain's `scopes` keep the channel from this code: not a zero). A cell of 1-9
    people has no figures; one of nobody is 0. No channel is corrected for what its coder misses.
    """
    heard = dict(estimate(frame, "people", by="channel").select("channel", "people").iter_rows()) if frame.height else {}
    cells = estimate(frame, "code_share", by=["channel", "code"])
    listed = _listed(cells)
    if not listed:
        return pl.DataFrame(schema=SCHEMA)
    domain = load_domain(settings().domains, store.about["domain"]) if store else None
    grid = pl.DataFrame({"code": listed}).join(pl.DataFrame({"channel": sorted(heard)}), how="cross")
    grid = grid.with_columns(
        pl.col("channel").replace_strict(heard, return_dtype=pl.Int64).alias("heard"),
        pl.Series("read", [_reads(domain, channel, code) for code, channel in grid.iter_rows()]),
    )
    table = grid.join(cells.select("code", "channel", *FIGURES, pl.lit(True).alias("said")), on=["code", "channel"], how="left", maintain_order="left")
    table = _with_nobody(table)
    table = table.join(_contrasts(frame, grid), on=["code", "channel"], how="left", maintain_order="left")
    return _judged(table).select(list(SCHEMA))


def _listed(cells: pl.DataFrame) -> list[str]:
    """Codes with at least one cell of 10 people, by the people who mention them in all such cells."""
    named = cells.drop_nulls("people").group_by("code").agg(pl.col("people").sum())
    return named.sort("people", "code", descending=[True, False])["code"].to_list()


def _reads(domain: Domain | None, channel: str, code: str) -> bool:
    scope = dict(domain.scopes).get(channel) if domain else None
    return scope is None or code.partition("-")[0] in scope


def _with_nobody(table: pl.DataFrame) -> pl.DataFrame:
    """Where a channel is read for a code and nobody mentions it, the share is 0 with its upper limit."""
    low, high = wilson(0.0, table["heard"].fill_null(1).cast(pl.Float64).to_numpy())
    nobody = pl.col("said").is_null() & pl.col("read") & (pl.col("heard") >= MIN_PEOPLE)
    zero = {"estimate": pl.lit(0.0), "conf_low": pl.Series(low), "conf_high": pl.Series(high), "people": pl.lit(0, pl.Int64)}
    whole = pl.col("heard") >= MIN_PEOPLE
    table = table.with_columns(pl.when(nobody).then(value).otherwise(pl.col(name)).alias(name) for name, value in zero.items())
    return table.with_columns(pl.when(whole & pl.col("read")).then(pl.col(name)).alias(name) for name in FIGURES)


def _contrasts(frame: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """Each channel against all others that are coded for the same codes, people and threads in both accounted for."""
    readers = grid.filter("read").group_by("code", maintain_order=True).agg(pl.col("channel").sort())
    found = [pl.DataFrame(schema={"code": pl.String, "channel": pl.String} | dict.fromkeys(("others", "difference", "p_value"), pl.Float64)
                          | {"out": pl.Boolean, "few_others": pl.Boolean})]
    for channels, codes in readers.group_by("channel", maintain_order=True):
        rows = frame.filter(pl.col("channel").is_in(list(channels[0])))
        for channel in channels[0]:
            here, there = rows.filter(pl.col("channel") == channel), rows.filter(pl.col("channel") != channel)
            compared = compare(here, there, "code_share", by="code").filter(pl.col("code").is_in(codes["code"].to_list()))
            found.append(compared.select("code", pl.lit(channel).alias("channel"), pl.col("baseline").alias("others"), "difference", "p_value",
                                         (pl.col("verdict") == "suppressed").alias("out"),
                                         pl.col("people_baseline").is_between(1, MIN_PEOPLE - 1).alias("few_others")))
    return pl.concat(found)


def _judged(table: pl.DataFrame) -> pl.DataFrame:
    out = pl.col("out").fill_null(True) | pl.col("p_value").is_null()
    table = table.with_columns(out.alias("out"))
    tested = table.select(pl.when(~pl.col("out")).then("p_value").fill_null(float("nan")))["p_value"].to_numpy()
    table = table.with_columns(pl.Series("p_adjusted", benjamini_hochberg(tested)).fill_nan(None))
    verdict = (
        pl.when(~pl.col("read")).then(pl.lit("unread"))
        .when(pl.col("out")).then(pl.lit("suppressed"))
        .when(pl.col("p_adjusted") > ALPHA).then(pl.lit("within_error"))
        .when(pl.col("difference").abs() + TOLERANCE < metrics.metric("code_share").floor).then(pl.lit("too_small"))
        .when(pl.col("difference") > 0).then(pl.lit("above"))
        .otherwise(pl.lit("below"))
    )  # fmt: skip
    # A difference would give away the share that is withheld, here or among the others.
    shown = pl.col("estimate").is_not_null() & ~pl.col("out") & ~pl.col("few_others").fill_null(True)
    return table.with_columns(verdict.alias("verdict"), *(pl.when(shown).then(pl.col(name)).alias(name) for name in ("others", "difference", "p_adjusted")))
