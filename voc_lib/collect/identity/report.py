"""How well people are linked: by channel, by size, and what links nobody."""

from __future__ import annotations

import polars as pl

from voc_lib.store import Store

NOW = "SELECT feedback_id, iso_week, unnest(arg_max(struct_pack(person_id, customer_id, reason, confidence), linked_at)) FROM links GROUP BY feedback_id, iso_week"


def links_now(store: Store, where: str = "true") -> pl.DataFrame:
    """The decisions in force: feedback_id, iso_week, person_id, customer_id, reason, confidence."""
    return store.sql(f"SELECT * FROM ({NOW}) WHERE {where}")


def link_rates(store: Store) -> pl.DataFrame:
    """How much of each channel is linked: channel, n, keyed (has a key a rule can use), person (a person is known), customer (he is in a register), shares 0-1."""
    return store.sql(f"""
        SELECT f.channel, count(*) AS n, count(l.feedback_id) AS keyed, count(l.person_id) AS person, count(l.customer_id) AS customer,
               person / n AS person_share, customer / n AS customer_share
        FROM feedback_rows AS f LEFT JOIN ({NOW}) AS l USING (feedback_id) GROUP BY f.channel ORDER BY f.channel""")


def people_sizes(store: Store) -> pl.DataFrame:
    """How many people have 1, 2, 3-5, 6-10, 11+ feedback, in one channel or several: feedback, people, several (heard in two channels or more)."""
    return store.sql(f"""
        SELECT CASE WHEN n = 1 THEN '1' WHEN n = 2 THEN '2' WHEN n <= 5 THEN '3-5' WHEN n <= 10 THEN '6-10' ELSE '11+' END AS feedback,
               count(*) AS people, count(*) FILTER (channels > 1) AS several
        FROM (SELECT l.person_id, count(*) AS n, count(DISTINCT f.channel) AS channels FROM ({NOW}) AS l JOIN feedback_rows AS f USING (feedback_id)
              WHERE l.person_id IS NOT NULL GROUP BY l.person_id)
        GROUP BY 1 ORDER BY min(n)""")


def doubts_now(store: Store) -> pl.DataFrame:
    """What links nobody, the largest first: key_type, key_hash, why, customers, feedback, found_at."""
    return store.sql("""
        SELECT * FROM (SELECT key_hash, unnest(arg_max(struct_pack(key_type, why, customers, feedback), found_at)), max(found_at) AS found_at FROM identity_doubts GROUP BY key_hash)
        WHERE why IS NOT NULL ORDER BY feedback DESC NULLS LAST, key_hash""").select("key_type", "key_hash", "why", "customers", "feedback", "found_at")


def reasons(store: Store) -> pl.DataFrame:
    """Why feedback is linked, or not: reason, linked (a person is known), n, the most frequent first."""
    return store.sql(f"SELECT reason, person_id IS NOT NULL AS linked, count(*) AS n FROM ({NOW}) GROUP BY 1, 2 ORDER BY n DESC, reason")

