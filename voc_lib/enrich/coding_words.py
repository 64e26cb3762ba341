"""Where the words of a taxonomy occur: row, clause and place of every word, but for negated and hidden ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from voc_lib.enrich import language, negation
from voc_lib.enrich.domain import Domain


@dataclass(frozen=True)
class Lexicon:
    """The taxonomy turned inside out: from a word to the rules it takes part in."""

    words: tuple[str, ...]
    places: pl.DataFrame  # word, rule, group, is_weak: a condition as part, a vague word as symptom
    groups: dict[int, int]  # rule -> groups that must occur
    codes: tuple[str, ...]  # rule -> code
    hiding: pl.DataFrame  # hider, code ("" hides from every code)
    plain: tuple[str, ...]


@lru_cache(maxsize=32)
def lexicon_of(domain: Domain, systems: tuple[str, ...] | None) -> Lexicon:
    """The lexicon of a domain, of some of its systems only where a channel has a scope."""
    places, codes, groups = [], [], {}
    hiding = [(word, "") for word in domain.hidden]
    conditions, vague = set(domain.conditions), set(domain.vague)
    taxonomy = [code for code in domain.taxonomy if systems is None or code.system in systems]
    for code in taxonomy:
        for wording in [(code.synonyms,), *code.patterns] if code.synonyms else code.patterns:
            rule = len(codes)
            codes.append(code.code)
            groups[rule] = len(wording)
            places += [(word, rule, group, word in (vague if group else conditions)) for group, words in enumerate(wording) for word in words]
        hiding += [(word, code.code) for word in code.excepts]
    frame = pl.DataFrame(places, schema={"word": pl.String, "rule": pl.UInt32, "group": pl.UInt32, "is_weak": pl.Boolean}, orient="row")
    frame = frame.with_columns(language.clean_column(frame["word"]))
    hiders = pl.DataFrame(hiding, schema={"hider": pl.String, "code": pl.String}, orient="row")
    words = dict.fromkeys([*frame["word"], *hiders["hider"]])
    plain = tuple(code.code for code in taxonomy if code.is_plain_mention)
    return Lexicon(tuple(words), frame.unique(maintain_order=True), groups, tuple(codes), hiders, plain)


def word_hits(cleaned: pl.DataFrame, lexicon: Lexicon) -> pl.DataFrame:
    """Words of the lexicon as they occur: row, clause_start, rule, group, code, start, end, is_weak; no negated, no hidden ones."""
    words = list(lexicon.words)
    screened = cleaned.filter(pl.col("text").str.contains_any(words, ascii_case_insensitive=True))
    clauses = language.clause_rows(screened).filter(pl.col("clause").str.contains_any(words, ascii_case_insensitive=True))
    found = clauses.with_columns(
        word=pl.col("clause").str.extract_many(words, ascii_case_insensitive=True, overlapping=True),
        byte=pl.col("clause").str.find_many(words, ascii_case_insensitive=True, overlapping=True),
    ).explode("word", "byte", empty_as_null=False, keep_nulls=False)
    # Offsets come in bytes; what stands before and after the word is wanted as text anyway.
    raw = pl.col("clause").cast(pl.Binary)
    end_byte = pl.col("byte") + pl.col("word").str.len_bytes()
    found = found.with_columns(
        pl.col("word").str.to_lowercase(),
        before=raw.bin.slice(0, pl.col("byte")).cast(pl.String),
        after=raw.bin.slice(end_byte).cast(pl.String),
    )
    start = pl.col("before").str.len_chars().cast(pl.Int64)
    found = found.select(
        "row",
        "clause_start",
        "word",
        start=start,
        end=start + pl.col("word").str.len_chars().cast(pl.Int64),
        denied=negation.is_denied(pl.col("before")) | negation.is_choice(pl.col("word"), pl.col("before"), pl.col("after")),
        gone=negation.is_gone(pl.col("after")),
    )
    codes = pl.DataFrame({"rule": range(len(lexicon.codes)), "code": lexicon.codes}, schema={"rule": pl.UInt32, "code": pl.String})
    placed = found.join(lexicon.places, on="word").join(codes, on="rule")
    last = pl.col("rule").replace_strict(lexicon.groups, return_dtype=pl.UInt32) - 1
    # A part is not "gone" (设备 in 设备消失 is the sufferer); only the symptom, the last group, can be.
    negated = pl.col("denied") | (pl.col("gone") & (pl.col("group") == last))
    standing = placed.filter(~negated | pl.col("code").is_in(lexicon.plain))
    return _without_hidden(standing, found, lexicon).select("row", "clause_start", "rule", "group", "code", "start", "end", "is_weak")


def _without_hidden(placed: pl.DataFrame, found: pl.DataFrame, lexicon: Lexicon) -> pl.DataFrame:
    """Drop words that are only part of a longer one that hides them, or is denied: the 响 of 影响, and of 没有异响."""
    listed = found.join(lexicon.hiding, left_on="word", right_on="hider")
    denied = found.filter("denied").with_columns(code=pl.lit(""))
    hiders = pl.concat([part.select("row", "clause_start", hider_code="code", hider_start="start", hider_end="end") for part in (listed, denied)])
    placed = placed.with_row_index("place")
    pairs = placed.join(hiders, on=["row", "clause_start"])
    inside = (pl.col("start") >= pl.col("hider_start")) & (pl.col("end") <= pl.col("hider_end"))
    shorter = (pl.col("end") - pl.col("start")) < (pl.col("hider_end") - pl.col("hider_start"))
    concerns = (pl.col("hider_code") == "") | (pl.col("hider_code") == pl.col("code"))
    return placed.join(pairs.filter(inside & shorter & concerns), on="place", how="anti")
