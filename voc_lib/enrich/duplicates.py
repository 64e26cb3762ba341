"""Feedback that says what another has said already: copies, lightly edited copies, forms, and praise written for a reward.

Two texts are near-duplicates when they share enough rare 4-grams of characters: a self-join in DuckDB over the grams that
few texts have (common ones say only that both are about cars). Whoever came first leads its group; a text joins the
leader it is most like, never a chain of others, so that a group holds together. Nothing is deleted: groups keep their count.
"""

from __future__ import annotations

import re

import duckdb
import polars as pl

from voc_lib.enrich import language

METHOD = "4gram-1"  # raise whenever the outcome changes: everything is then looked at again
GRAM = 4
RAREST, COMMONEST = 2, 20  # texts that share a gram: one alone connects nothing, beyond 20 it is a phrase of the trade
FEWEST_SHARED, FEWEST_ALIKE = 2, 0.12  # rare grams in common, and their part of the grams of both: worth a closer look
FEWEST_SAME = 0.75  # letters that need no editing (Levenshtein): the closer look
SHORTEST = 8  # letters; below, two people say 好用 or 不错 without copying
TEMPLATE_COPIES, TEMPLATE_LETTERS = 5, 12  # five of one wording that nobody types by chance

_NOT_LETTERS = re.compile(r"[\W_]+")
_REWARD = re.compile(
    "返现|好评.{0,4}(?:红包|返|奖|送)|(?:红包|优惠券|积分|金币|京豆|奖励|抽奖).{0,6}(?:好评|评论|评价|晒)|(?:五星|5星|晒图|晒单|评价|评论|好评).{0,8}(?:红包|返|积分|京豆|金币|领券|奖励)"
    "|(?:为了|凑|够).{0,3}(?:字数|积分|京豆|金币)|凑.{0,2}字|刷单|刷好评|(?:十五|15|十|10)个?字(?:才|够)|复制.{0,6}(?:评价|好评)"
)
_DEFAULT_TEXT = re.compile("(?:此|该)?(?:用户|买家|客户|顾客).{0,3}(?:没有|未).{0,3}(?:填写|发表|写下?|作出|做出).{0,4}(?:评价|评论|内容)|(?:系统)?默认(?:给予)?好评|评价方未及时做出评价")


def find_duplicates(texts: pl.DataFrame, leaders: pl.DataFrame | None = None) -> pl.DataFrame:
    """What each text repeats: one row per text, in the order given, which is the order in which they were said.

    Takes `feedback_id, text` and optionally `author_key`; `leaders` (`feedback_id, text`) are texts looked at before, which come first. Gives
    `feedback_id, duplicate_of, similarity, mark`; `duplicate_of` and `similarity` are null where a text is alone or
    the first of its group. Near repeats need 8 letters; signs, blanks and emoji do not count.

    >>> said = ["后备箱关不严，下雨天会漏水", "空调声音大得离谱", "后备箱关不严!!下雨天会漏水", "后备箱关不严，下雨时会漏水"]
    >>> find_duplicates(pl.DataFrame({"feedback_id": list("abcd"), "text": said}))["duplicate_of"].to_list()
    [None, None, 'a', 'a']
    """
    before = leaders.select("feedback_id", "text") if leaders is not None else texts.select("feedback_id", "text").clear()
    everything = pl.concat([before, texts.select("feedback_id", "text")])
    letters = pl.Series("letters", [_NOT_LETTERS.sub("", text) for text in language.telling_texts(everything["text"].to_list())], dtype=pl.String)
    rows = everything.select("feedback_id").with_row_index("place").with_columns(letters)
    long = rows.filter(pl.col("letters").str.len_chars() >= SHORTEST)
    # The same wording first: what is left for the join are different texts.
    same = long.join(long.group_by("letters").agg(pl.col("place").min().alias("leader")), on="letters", maintain_order="left")
    heads = same.filter(pl.col("place") == pl.col("leader"))
    led = _led(near_pairs(heads.select("place", "letters")))
    found = (
        same.join(led, left_on="leader", right_on="later", how="left", maintain_order="left")
        .with_columns(first=pl.col("earlier").fill_null(pl.col("leader")), similarity=pl.col("similarity").fill_null(1.0))
        .filter(pl.col("first") != pl.col("place"))
        .select("place", "first", "similarity")
    )
    names = rows.select(pl.col("place").alias("first"), duplicate_of="feedback_id")
    placed = rows.join(found, on="place", how="left", maintain_order="left").join(names, on="first", how="left", maintain_order="left")
    placed = placed.with_columns(texts=everything["text"].fill_null("")).slice(before.height)
    return placed.select("feedback_id", "duplicate_of", "similarity", mark=_marks(placed))


def near_pairs(texts: pl.DataFrame) -> pl.DataFrame:
    """Pairs of different texts that share enough rare 4-grams: `earlier, later, similarity`. Takes `place, letters`."""
    connection = duckdb.connect()
    connection.register("texts", texts.to_arrow())
    return connection.sql(f"""
        WITH grams AS (SELECT DISTINCT place, hash(substr(letters, i::INTEGER, {GRAM})) AS gram
                       FROM texts, unnest(range(1, length(letters) - {GRAM - 2})) AS grams_at(i)),
             rare AS (SELECT gram FROM grams GROUP BY gram HAVING count(*) BETWEEN {RAREST} AND {COMMONEST}),
             kept AS (SELECT grams.* FROM grams JOIN rare USING (gram)),
             sizes AS (SELECT place, count(*) AS size FROM grams GROUP BY place),
             pairs AS (SELECT a.place AS earlier, b.place AS later, count(*) AS shared
                       FROM kept AS a JOIN kept AS b ON a.gram = b.gram AND a.place < b.place
                       GROUP BY a.place, b.place HAVING count(*) >= {FEWEST_SHARED}),
             near AS (SELECT earlier, later, a.letters AS one, b.letters AS other FROM pairs
                      JOIN sizes AS m ON m.place = earlier JOIN sizes AS n ON n.place = later
                      JOIN texts AS a ON a.place = earlier JOIN texts AS b ON b.place = later
                      WHERE shared >= {FEWEST_ALIKE} * (m.size + n.size - shared)),
             measured AS (SELECT earlier, later, 1 - levenshtein(one, other) / greatest(strlen(one), strlen(other)) AS similarity FROM near)
        SELECT earlier, later, similarity FROM measured WHERE similarity >= {FEWEST_SAME}
    """).pl()


def _led(pairs: pl.DataFrame) -> pl.DataFrame:
    """Who follows whom: in the order of time, a text joins the most similar earlier text that itself leads."""
    followers: dict[int, tuple[int, float]] = {}
    ordered = pairs.sort("later", "similarity", "earlier", descending=[False, True, False])
    for earlier, later, similarity in ordered.iter_rows():
        if later not in followers and earlier not in followers:
            followers[later] = (earlier, similarity)
    rows = [(later, earlier, similarity) for later, (earlier, similarity) in followers.items()]
    return pl.DataFrame(rows, schema={"later": pl.UInt32, "earlier": pl.UInt32, "similarity": pl.Float64}, orient="row")


def _marks(placed: pl.DataFrame) -> pl.Expr:
    """Reward and template by their wording; a template also where five of this lot have one leader's long wording."""
    wording = placed["texts"].to_list()
    reward = pl.Series([bool(_REWARD.search(text)) for text in wording], dtype=pl.Boolean)
    default = pl.Series([bool(_DEFAULT_TEXT.search(text)) for text in wording], dtype=pl.Boolean)
    group = pl.coalesce("duplicate_of", "feedback_id")
    many = (pl.len().over(group) >= TEMPLATE_COPIES) & (pl.col("letters").str.len_chars() >= TEMPLATE_LETTERS)
    return pl.when(pl.lit(reward)).then(pl.lit("reward")).when(pl.lit(default) | many).then(pl.lit("template"))
