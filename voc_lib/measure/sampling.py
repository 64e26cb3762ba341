"""Voices to quote, drawn by lot: not the angriest, not the longest, and not one person twice."""

from __future__ import annotations

from hashlib import sha256

import polars as pl

from voc_lib.measure.answers import columns_by

# The same words from 5 different people are a shop's default praise or a campaign, not anybody's own.
TEMPLATE_PEOPLE = 5


def sample_verbatims(frame: pl.DataFrame, n: int, seed_key: str, by: str | list[str] | None = None) -> pl.DataFrame:
    """`n` feedback drawn by lot (per group of `by`, "code" included), each from another person.

    Every person with something to quote has the same chance, however much he wrote: people are ordered by a
    hash of `seed_key` and person, his feedback by a hash of `seed_key` and feedback_id. The draw is
    the same for any order of rows, and changes with `seed_key` (the week, say). Empty verbatims and words
    repeated by 5 or more people are not quoted.

    Returns the frame's columns (and code, where asked for), in the order of the draw within sorted groups, plus
    eligible_people, skipped_empty, skipped_template (of the group). A group with nothing to quote has no row.
    """
    by = columns_by(frame, by)
    rows = frame.with_columns(
        pl.col("verbatim").fill_null("").str.replace_all(r"[\s\p{P}\p{S}\p{C}]+", "").alias("words"),
        pl.coalesce("person" if "person" in frame.columns else "author_key", "feedback_id").alias("speaker"),
    )
    shared = rows.group_by("words").agg(pl.col("speaker").n_unique().alias("speakers"))
    rows = rows.join(shared, on="words", how="left", maintain_order="left").with_columns(
        (pl.col("words") == "").alias("empty"),
        ((pl.col("words") != "") & (pl.col("speakers") >= TEMPLATE_PEOPLE)).alias("template"),
    )
    if "code" in by:
        rows = rows.with_columns(pl.col("codes").list.unique(maintain_order=True).alias("code"))
        rows = rows.explode("code", empty_as_null=False, keep_nulls=False)
    rows = rows.with_columns(
        _counted("empty", by).alias("skipped_empty"), _counted("template", by).alias("skipped_template")
    ).filter(~pl.col("empty") & ~pl.col("template"))
    rows = rows.with_columns(
        _lot(rows["speaker"], seed_key, "person").alias("lot"), _lot(rows["feedback_id"], seed_key, "feedback").alias("pick")
    )
    drawn = rows.sort(*by, "lot", "pick", nulls_last=True).unique([*by, "speaker"], keep="first", maintain_order=True)
    place = pl.int_range(pl.len())
    people = pl.len().cast(pl.Int64)
    drawn = drawn.with_columns(
        (place.over(by) if by else place).alias("place"), (people.over(by) if by else people).alias("eligible_people")
    )
    mentioned = ["code"] if "code" in by else []
    told = ["eligible_people", "skipped_empty", "skipped_template"]
    return drawn.filter(pl.col("place") < n).select(*frame.columns, *mentioned, *told)


def draw_labels(frame: pl.DataFrame, n: int, seed: int, only_unmapped: bool = False) -> pl.DataFrame:
    """The `n` feedback that every analyst labels: the same for the same seed and snapshot, whoever asks; see `sample_verbatims`."""
    rows = frame.filter(pl.col("codes").list.len() == 0) if only_unmapped else frame
    return sample_verbatims(rows, n, f"labels-{seed}")


def _counted(flag: str, by: list[str]) -> pl.Expr:
    total = pl.col(flag).sum().cast(pl.Int64)
    return total.over(by) if by else total


def _lot(keys: pl.Series, seed_key: str, what: str) -> pl.Series:
    """sha256 over length-prefixed parts, as ids are made: no two different pairs meet."""
    prefix = f"{len(seed_key)}:{seed_key}{what}:".encode()
    seen = {key: sha256(prefix + key.encode()).hexdigest() for key in keys.unique()}
    return keys.replace_strict(seen, return_dtype=pl.String) if seen else keys
