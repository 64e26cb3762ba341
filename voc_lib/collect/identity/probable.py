"""Accounts without a strong key that are probably one person: Fellegi and Sunter's model by splink, only when asked for.

Compared are accounts (channel and author) of channels that give a nickname: nickname (rare ones count for more), product and city they mostly speak of and
from. An account goes to another only when the match probability reaches the threshold and nothing else competes; two customers of a register are never made
one. The match weight (base 2 logarithm of the Bayes factor) is kept as the reason, the probability as the confidence.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.collect.identity.report import NOW
from voc_lib.collect.prepare import hashed_id
from voc_lib.messages import Told
from voc_lib.store import Store
from voc_lib.store_write import Writer

FEWEST = 50          # accounts with a nickname; of fewer nothing can be learnt
SEED = 7
PAIRS = 1_000_000    # random pairs from which is learnt how often strangers agree
FEATURES = ("nick", "product", "city")
LEAST = 0.85         # on the planted world 196 pairs reach it, 95 % of them right, of some 2,000 there are: enough to look at, not to count on
WORD = "splink"      # begins the reason of such a link: splink:w=12.3


class ProbableError(Told):
    """There is nothing to compare."""


@dataclass(frozen=True)
class Guessed:
    """How many accounts were compared, how many went to another, and how much feedback that moved."""

    accounts: int
    matched: int
    feedback: int


def link_probable(writer: Writer, least: float = LEAST) -> Guessed:
    """Link accounts that the rules know nothing of; decisions of earlier such runs that no longer hold are taken back.

    Raises ProbableError where fewer than 50 accounts have a nickname.
    """
    store = writer.reading()
    accounts = accounts_named(store)
    if accounts.height < FEWEST:
        raise ProbableError(f"库「{store.name}」里有昵称的账号只有 {accounts.height} 个，少于 {FEWEST} 个，概率方法学不出什么。请在渠道合同的 identity 里登记弱键，如 \"weak:nick\": 昵称列。")
    pairs = match(accounts, least)
    moved = _decide(accounts, pairs)
    rows = store.sql(
        "SELECT f.feedback_id, f.iso_week, f.channel, f.author_key, l.person_id AS held, l.reason AS held_reason FROM feedback_rows AS f "
        f"LEFT JOIN ({NOW}) AS l USING (feedback_id) WHERE f.author_key IS NOT NULL AND (l.person_id IS NULL OR l.reason LIKE '{WORD}%')")
    rows = rows.join(moved, on=["channel", "author_key"], how="left").filter(
        pl.col("person_id").ne_missing(pl.col("held")) | (pl.col("person_id").is_not_null() & pl.col("reason").ne_missing(pl.col("held_reason"))))
    now = datetime.now(UTC)
    writer.append("links", rows.select("feedback_id", "iso_week", "person_id", "customer_id", "reason", "confidence").with_columns(pl.lit(now).alias("linked_at")))
    return Guessed(accounts.height, moved.height, rows.height)


def accounts_named(store: Store) -> pl.DataFrame:
    """An account a row: unique_id, channel, author_key, nick, product, city (most frequent), person_id and customer_id as the rules found them."""
    return store.sql(f"""
        SELECT f.channel || ':' || f.author_key AS unique_id, f.channel, f.author_key, mode(k.key_hash) AS nick, mode(f.product) AS product, mode(f.city) AS city,
               any_value(l.person_id) FILTER (l.reason NOT LIKE '{WORD}%') AS person_id, any_value(l.customer_id) FILTER (l.reason NOT LIKE '{WORD}%') AS customer_id
        FROM feedback_rows AS f JOIN identity_keys AS k ON k.feedback_id = f.feedback_id AND k.key_type = 'weak:nick'
        LEFT JOIN ({NOW}) AS l ON l.feedback_id = f.feedback_id
        WHERE f.author_key IS NOT NULL AND f.author_kind NOT IN ('official', 'staff', 'media') GROUP BY f.channel, f.author_key ORDER BY 1""")


def match(accounts: pl.DataFrame, least: float) -> pl.DataFrame:
    """Pairs of accounts of different channels with a match probability of at least `least`: left, right, weight, probability."""
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI()
    table = api.register(accounts.select("unique_id", "channel", *FEATURES).to_arrow())
    settings = SettingsCreator(
        link_type="dedupe_only", blocking_rules_to_generate_predictions=[block_on("nick")], additional_columns_to_retain=["channel"],
        comparisons=[compare.ExactMatch("nick").configure(term_frequency_adjustments=True), compare.ExactMatch("product"), compare.ExactMatch("city")])
    linker = Linker(table, settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match([block_on("nick")], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=PAIRS, seed=SEED)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("nick"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("product", "city"))
    found = linker.inference.predict(threshold_match_probability=least).as_duckdbpyrelation().pl()
    return found.filter(pl.col("channel_l") != pl.col("channel_r")).select(
        pl.col("unique_id_l").alias("left"), pl.col("unique_id_r").alias("right"), pl.col("match_weight").alias("weight"), pl.col("match_probability").alias("probability"))


def _decide(accounts: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """channel, author_key, person_id, customer_id, reason, confidence of the accounts that go to somebody.

    An account the rules know nothing of goes to the one person its partners belong to; partners of two people cancel each other. Accounts none of whose
    partners is known make a person of their own.
    """
    both = pl.concat([pairs, pairs.rename({"left": "right", "right": "left"}).select(pairs.columns)])
    partners = both.join(accounts.select(pl.col("unique_id").alias("right"), "person_id", "customer_id"), on="right")
    known = accounts.filter(pl.col("person_id").is_not_null()).select(pl.col("unique_id").alias("left"))
    free = partners.join(known, on="left", how="anti")
    told = free.group_by("left").agg(pl.col("person_id").drop_nulls().n_unique().alias("people"), pl.col("person_id").drop_nulls().first(), pl.col("customer_id").drop_nulls().first(),
                                     pl.col("weight").max(), pl.col("probability").max(), pl.col("right").min())
    own = "p" + hashed_id("probable", told.select(pl.min_horizontal("left", "right")).to_series())
    told = told.filter(pl.col("people") <= 1).with_columns(pl.coalesce("person_id", own.filter(told["people"] <= 1)).alias("person_id"))
    return told.join(accounts.select(pl.col("unique_id").alias("left"), "channel", "author_key"), on="left").select(
        "channel", "author_key", "person_id", "customer_id", pl.format(WORD + ":w={}", pl.col("weight").round(1)).alias("reason"), pl.col("probability").alias("confidence"))
