"""Feedback that says what another has said already: copies, lightly edited copies, forms, and praise written for a reward.

Two texts are near-duplicates when they share enough rare 4-grams of characters: a self-join in DuckDB over the grams that
few texts have (common ones say only that both are about cars). Whoever came first leads its group; a text joins the
leader it is most like, never a chain of others, so that a group holds together. Nothing is deleted: groups keep their count.
"""

from __future__ import annotations

import re

import duckdb
import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.schema.duplicates import TEMPLATE_COPIES, TEMPLATE_LETTERS

METHOD = "4gram-2"  # raise whenever the outcome changes: everything is then looked at again
GRAM = 4
RAREST, COMMONEST = 2, 20  # texts that share a gram: one alone connects nothing, beyond 20 it is a phrase of the trade
FEWEST_SHARED, FEWEST_ALIKE = 2, 0.12  # rare grams in common, and their part of the grams of both: worth a closer look
FEWEST_SAME = 0.75  # letters that need no editing (Levenshtein): the closer look
LONGEST = 1_000  # letters compared; Levenshtein costs their square, and who has copied a thousand has copied
SHORTEST = 8  # letters; below, two people say 好用 or 不错 without copying

_SPREAD, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)  # odd, with bits all over
_HALF = np.uint64(32)  # bits of a number that holds a gram above and a place below
_NOT_LETTERS = re.compile(r"[\W_]+")
_REWARD = (
    "返现|好评.{0,4}(?:红包|返|奖|送)|(?:红包|优惠券|积分|金币|京豆|奖励|抽奖).{0,6}(?:好评|评论|评价|晒)|(?:五星|5星|晒图|晒单|评价|评论|好评).{0,8}(?:红包|返|积分|京豆|金币|领券|奖励)"
    "|(?:为了|凑|够).{0,3}(?:字数|积分|京豆|金币)|凑.{0,2}字|刷单|刷好评|(?:十五|15|十|10)个?字(?:才|够)|复制.{0,6}(?:评价|好评)"
)
_DEFAULT_TEXT = "(?:此|该)?(?:用户|买家|客户|顾客).{0,3}(?:没有|未).{0,3}(?:填写|发表|写下?|作出|做出).{0,4}(?:评价|评论|内容)|(?:系统)?默认(?:给予)?好评|评价方未及时做出评价"


def find_duplicates(texts: pl.DataFrame, leaders: pl.DataFrame | None = None) -> pl.DataFrame:
    """What each text repeats: one row per text, in the order given, which is the order in which they were said.

    Takes `feedback_id, text`; `leaders` (`feedback_id, text`) are texts looked at before, which come first. Gives
    `feedback_id, duplicate_of, similarity, letters, mark`; `duplicate_of` and `similarity` are null where a text is alone or
    the first of its group, `letters` is how many count. Near repeats need 8 letters; signs, blanks and emoji do not count.
    The answer depends on which texts came first, never on how many threads looked. A `mark` by count is of this lot alone;
    the store's view `repeats` counts a group over all lots.

    >>> said = ["后备箱关不严，下雨天会漏水", "空调声音大得离谱", "后备箱关不严!!下雨天会漏水", "后备箱关不严，下雨时会漏水"]
    >>> find_duplicates(pl.DataFrame({"feedback_id": list("abcd"), "text": said}))["duplicate_of"].to_list()
    [None, None, 'a', 'a']
    """
    before = leaders.select("feedback_id", "text") if leaders is not None else texts.select("feedback_id", "text").clear()
    everything = pl.concat([before, texts.select("feedback_id", "text")]).with_columns(pl.col("text").fill_null(""))
    # The same signs first, then the same wording: each is cleaned once, and what is left for the join are different texts.
    different = everything.select("text").unique(maintain_order=True)
    letters = pl.Series("letters", [_NOT_LETTERS.sub("", text) for text in language.telling_texts(different["text"].to_list())], dtype=pl.String)
    rows = everything.with_row_index("place").join(different.with_columns(letters), on="text", how="left", maintain_order="left")
    long = rows.filter(pl.col("letters").str.len_chars() >= SHORTEST)
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
    placed = placed.slice(before.height)
    return placed.select("feedback_id", "duplicate_of", "similarity", letters=pl.col("letters").str.len_chars().cast(pl.Int64), mark=_mark())


def near_pairs(texts: pl.DataFrame) -> pl.DataFrame:
    """Pairs of different texts that share enough rare 4-grams: `earlier, later, similarity`, in no particular order. Takes `place, letters`."""
    texts = texts.with_columns(pl.col("letters").str.slice(0, LONGEST))
    connection = duckdb.connect()
    connection.register("texts", texts.with_columns(size=pl.col("letters").str.len_chars() - (GRAM - 1)).to_arrow())
    connection.register("kept", rare_grams(texts).to_arrow())
    # The last condition stands outside: within, DuckDB would measure every pair twice, once to choose and once to show.
    return connection.sql(f"""
        WITH pairs AS (SELECT a.place AS earlier, b.place AS later, count(*) AS shared
                       FROM kept AS a JOIN kept AS b ON a.gram = b.gram AND a.place < b.place
                       GROUP BY a.place, b.place HAVING count(*) >= {FEWEST_SHARED}),
             near AS (SELECT earlier, later, a.letters AS one, b.letters AS other FROM pairs
                      JOIN texts AS a ON a.place = earlier JOIN texts AS b ON b.place = later
                      WHERE shared >= {FEWEST_ALIKE} * (a.size + b.size - shared))
        SELECT earlier, later, 1 - levenshtein(one, other) / greatest(strlen(one), strlen(other)) AS similarity FROM near
    """).pl().filter(pl.col("similarity") >= FEWEST_SAME)


def rare_grams(texts: pl.DataFrame) -> pl.DataFrame:
    """The 4-grams that 2 to 20 texts have: `place, gram`, each once per text, `gram` a number with no meaning. Takes `place, letters`.

    No string is cut: a gram is a 64-bit hash of its four letters, so that ten million different ones hardly ever meet by chance.
    """
    lengths = texts["letters"].str.len_chars().to_numpy().astype(np.int64)
    letters = np.frombuffer("".join(texts["letters"].to_list()).encode("utf-32-le"), np.uint32)
    begins = np.flatnonzero(np.arange(letters.size) <= np.repeat(np.cumsum(lengths) - GRAM, lengths))  # none reaches into the next text
    grams = np.zeros(begins.size, np.uint64)
    for at in range(GRAM):
        grams = grams * _SPREAD + letters[begins + at]
    places = np.repeat(texts["place"].to_numpy().astype(np.uint64), np.maximum(lengths - GRAM + 1, 0))
    # Most grams are one text's alone. Counting in buckets drops nearly all of those before the sort, and never one that is shared.
    bits = max(grams.size.bit_length() + 1, 8)
    buckets = (grams * _MIX >> np.uint64(64 - bits)).astype(np.int64)
    shared = np.bincount(buckets, minlength=1 << bits)[buckets] >= RAREST
    grams, places = grams[shared], places[shared]
    order = np.argsort(grams)
    number = np.cumsum(_first_of_run(grams[order])).astype(np.uint64)
    kept = np.sort(number << _HALF | places[order])  # by gram, then by place, whatever the order they came in
    kept = kept[_first_of_run(kept)]
    number = (kept >> _HALF).astype(np.int64)
    having = np.bincount(number)[number]
    rare = (having >= RAREST) & (having <= COMMONEST)
    return pl.DataFrame({"place": kept[rare].astype(np.uint32), "gram": number[rare].astype(np.uint32)})


def _first_of_run(ordered: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones(min(ordered.size, 1), bool), ordered[1:] != ordered[:-1]])


def _led(pairs: pl.DataFrame) -> pl.DataFrame:
    """Who follows whom: in the order of time, a text joins the most similar earlier text that itself leads."""
    followers: dict[int, tuple[int, float]] = {}
    ordered = pairs.sort("later", "similarity", "earlier", descending=[False, True, False])
    for earlier, later, similarity in ordered.iter_rows():
        if later not in followers and earlier not in followers:
            followers[later] = (earlier, similarity)
    rows = [(later, earlier, similarity) for later, (earlier, similarity) in followers.items()]
    return pl.DataFrame(rows, schema={"later": pl.UInt32, "earlier": pl.UInt32, "similarity": pl.Float64}, orient="row")


def _mark() -> pl.Expr:
    """Reward and template by their wording; a template also where five of this lot have one leader's long wording."""
    group = pl.coalesce("duplicate_of", "feedback_id")
    many = (pl.len().over(group) >= TEMPLATE_COPIES) & (pl.col("letters").str.len_chars() >= TEMPLATE_LETTERS)
    reward, default = pl.col("text").str.contains(_REWARD), pl.col("text").str.contains(_DEFAULT_TEXT)
    return pl.when(reward).then(pl.lit("reward")).when(default | many).then(pl.lit("template"))
