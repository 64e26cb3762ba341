"""The keyword coder: verbatims to codes of the taxonomy, clause by clause, several codes a feedback.

A code is found where one of its phrases occurs, or one word of each group of a pattern within one clause, unless
the wording is negated (see `negation`). Deterministic and the same from the first day on, so that weeks compare.
What it cannot do: opinions without a keyword, irony, a fault whose part was named a sentence earlier.
"""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import polars as pl

from voc_lib.enrich import language, negation
from voc_lib.enrich.domain import Domain

UNMAPPED = "未归类"
PHRASE_CONFIDENCE = 0.9
NEAR_CONFIDENCE = 0.8
FAR_CONFIDENCE = 0.6
FAR_CHARACTERS = 12  # part and symptom this far apart often belong to two statements
TOO_FAR_CHARACTERS = 16  # beyond this, fewer than half of the pairs read on real posts belonged together

CODES_SCHEMA = {
    "feedback_id": pl.String,
    "code": pl.String,
    "confidence": pl.Float64,
    "span_start": pl.Int64,
    "span_end": pl.Int64,
    "source": pl.String,
    "model_version": pl.String,
}


_NOTHING = pl.DataFrame(
    schema={"row": pl.UInt32, "code": pl.String, "confidence": pl.Float64, "span_start": pl.Int64, "span_end": pl.Int64}
)


@dataclass(frozen=True)
class _Lexicon:
    """The taxonomy turned inside out: from a word to the rules it takes part in."""

    words: tuple[str, ...]
    places: pl.DataFrame  # word, rule, group
    groups: dict[int, int]  # rule -> groups that must occur
    codes: tuple[str, ...]  # rule -> code
    hiding: pl.DataFrame  # hider, code ("" hides from every code)
    plain: tuple[str, ...]


def code_keywords(texts: pl.DataFrame, domain: Domain) -> pl.DataFrame:
    """Codes found in raw verbatims: one row per feedback x code, in the order of the texts.

    Takes `feedback_id` (unique), `text` and, optionally, `channel`: a channel named in the domain's `scopes` gets
    codes of its systems only (a phone shop has no gearboxes). Gives the columns of `CODES_SCHEMA`; spans count
    characters of `language.clean(text)`. Confidence is .9 for a phrase, .8 for a pattern, .6 for a pattern whose
    words stand 12 or more characters apart. A feedback without a find gets one row 未归类, confidence and span null.
    A plain mention (…-评价) gives way, within its clause, to a specific code of its system or one whose wording
    contains it. ValueError where a column is missing or a feedback_id comes twice.
    """
    _check(texts)
    cleaned = texts.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        "feedback_id",
        channel=pl.col("channel") if "channel" in texts.columns else pl.lit(None, pl.String),
        text=language.clean_column(texts["text"]),
    )
    scopes = dict(domain.scopes)
    parts = []
    for (channel,), part in cleaned.group_by("channel", maintain_order=True):
        lexicon = _lexicon(domain, scopes.get(channel))
        parts.append(_best(_without_outranked(_matches(_hits(part, lexicon), lexicon), lexicon)))
    found = pl.concat([_NOTHING, *parts])
    coded = cleaned.select("row", "feedback_id").join(found, on="row", how="left", maintain_order="left")
    return coded.select(
        "feedback_id",
        pl.col("code").fill_null(UNMAPPED),
        "confidence",
        "span_start",
        "span_end",
        source=pl.lit("keyword"),
        model_version=pl.lit(coder_version(domain)),
    ).cast(CODES_SCHEMA)


def _check(texts: pl.DataFrame) -> None:
    missing = {"feedback_id", "text"} - set(texts.columns)
    if missing:
        raise ValueError(f"编码需要 feedback_id 和 text 两列，缺少：{'、'.join(sorted(missing))}；现有列：{'、'.join(texts.columns)}")
    if texts["feedback_id"].is_duplicated().any():
        twice = texts.filter(pl.col("feedback_id").is_duplicated())["feedback_id"][0]
        raise ValueError(f"feedback_id 应不重复，“{twice}”出现了多次：请把一条反馈的标题、正文和追评连成一个 text")


@cache
def _rules_source() -> str:
    from voc_lib.enrich import coding

    return "\n".join(inspect.getsource(module).replace("\r\n", "\n") for module in (coding, negation, language))


def coder_version(domain: Domain) -> str:
    """Short fingerprint of what decides a coding: the taxonomy, and the source of the rules themselves.

    Stored with every mention; where it differs, the feedback has to be coded again.
    """
    taxonomy = [(code.code, code.synonyms, code.patterns, code.excepts) for code in domain.taxonomy]
    content = repr((taxonomy, domain.hidden, domain.scopes)) + _rules_source()
    return "keyword-" + hashlib.sha256(content.encode()).hexdigest()[:12]


@lru_cache(maxsize=32)
def _lexicon(domain: Domain, systems: tuple[str, ...] | None) -> _Lexicon:
    """The lexicon of a domain, of some of its systems only where a channel has a scope."""
    places, codes, groups = [], [], {}
    hiding = [(word, "") for word in domain.hidden]
    taxonomy = [code for code in domain.taxonomy if systems is None or code.system in systems]
    for code in taxonomy:
        for wording in [(code.synonyms,), *code.patterns] if code.synonyms else code.patterns:
            rule = len(codes)
            codes.append(code.code)
            groups[rule] = len(wording)
            places += [(word, rule, group) for group, words in enumerate(wording) for word in words]
        hiding += [(word, code.code) for word in code.excepts]
    frame = pl.DataFrame(places, schema={"word": pl.String, "rule": pl.UInt32, "group": pl.UInt32}, orient="row")
    frame = frame.with_columns(language.clean_column(frame["word"]))
    hiders = pl.DataFrame(hiding, schema={"hider": pl.String, "code": pl.String}, orient="row")
    words = dict.fromkeys([*frame["word"], *hiders["hider"]])
    plain = tuple(code.code for code in taxonomy if code.is_plain_mention)
    return _Lexicon(tuple(words), frame.unique(maintain_order=True), groups, tuple(codes), hiders, plain)


def _hits(cleaned: pl.DataFrame, lexicon: _Lexicon) -> pl.DataFrame:
    """Words of the lexicon as they occur: row, clause_start, rule, group, code, start, end; no negated, no hidden ones."""
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
    return _without_hidden(standing, found, lexicon).select("row", "clause_start", "rule", "group", "code", "start", "end")


def _without_hidden(placed: pl.DataFrame, found: pl.DataFrame, lexicon: _Lexicon) -> pl.DataFrame:
    """Drop words that are only part of a longer one: the 响 of 影响."""
    hiders = found.join(lexicon.hiding, left_on="word", right_on="hider").select(
        "row", "clause_start", hider_code="code", hider_start="start", hider_end="end"
    )
    placed = placed.with_row_index("place")
    pairs = placed.join(hiders, on=["row", "clause_start"])
    inside = (pl.col("start") >= pl.col("hider_start")) & (pl.col("end") <= pl.col("hider_end"))
    shorter = (pl.col("end") - pl.col("start")) < (pl.col("hider_end") - pl.col("hider_start"))
    concerns = (pl.col("hider_code") == "") | (pl.col("hider_code") == pl.col("code"))
    return placed.join(pairs.filter(inside & shorter & concerns), on="place", how="anti")


def _matches(hits: pl.DataFrame, lexicon: _Lexicon) -> pl.DataFrame:
    """Rules whose every group occurs in one clause: row, clause_start, code, confidence, span_start, span_end."""
    needed = pl.col("rule").replace_strict(lexicon.groups, return_dtype=pl.UInt32)
    hits = hits.with_columns(needed.alias("needed"))
    place = pl.col("clause_start")
    phrases = hits.filter(pl.col("needed") == 1).select(
        "row",
        "clause_start",
        "code",
        confidence=pl.lit(PHRASE_CONFIDENCE),
        span_start=place + pl.col("start"),
        span_end=place + pl.col("end"),
    )
    complete = (
        hits.filter(pl.col("needed") > 1)
        .group_by("row", "clause_start", "rule", "code", "needed", maintain_order=True)
        .agg(pl.col("group"), pl.col("start"), pl.col("end"))
        .filter(pl.col("group").list.n_unique() == pl.col("needed"))
    )
    rows = []
    for row, clause_start, _, code, needed_groups, groups, starts, ends in complete.iter_rows():
        tightest = _tightest(needed_groups, list(zip(groups, starts, ends, strict=True)))
        if tightest is not None:
            start, end, confidence = tightest
            rows.append((row, clause_start, code, confidence, clause_start + start, clause_start + end))
    return pl.concat([phrases, pl.DataFrame(rows, schema=phrases.schema, orient="row")])


def _tightest(needed: int, hits: list[tuple[int, int, int]]) -> tuple[int, int, float] | None:
    """The narrowest window with one word of each group, none overlapping; None if too wide."""
    by_group = [[(start, end) for group, start, end in hits if group == wanted] for wanted in range(needed)]
    best = None
    for chosen in product(*by_group):
        spans = sorted(chosen)
        gaps = [later[0] - earlier[1] for earlier, later in zip(spans, spans[1:], strict=False)]
        if min(gaps) < 0 or max(gaps) > TOO_FAR_CHARACTERS:
            continue
        # On equal gaps the longer words win: 抖动 rather than 抖.
        candidate = (max(gaps), -(spans[-1][1] - spans[0][0]), spans[0][0], spans[-1][1])
        best = candidate if best is None else min(best, candidate)
    if best is None:
        return None
    return best[2], best[3], FAR_CONFIDENCE if best[0] >= FAR_CHARACTERS else NEAR_CONFIDENCE


def _without_outranked(matches: pl.DataFrame, lexicon: _Lexicon) -> pl.DataFrame:
    """Plain mentions give way: in 大灯发白 the lamp is a fault, not also a mention of equipment."""
    marked = matches.with_columns(system=pl.col("code").str.split("-").list.first()).with_row_index("match")
    is_plain = pl.col("code").is_in(lexicon.plain)
    named = marked.filter(~is_plain).select("row", "clause_start", by="system", by_start="span_start", by_end="span_end")
    pairs = marked.filter(is_plain).join(named, on=["row", "clause_start"])
    inside = (pl.col("span_start") >= pl.col("by_start")) & (pl.col("span_end") <= pl.col("by_end"))
    outranked = pairs.filter((pl.col("system") == pl.col("by")) | inside)
    return marked.join(outranked, on="match", how="anti")


def _best(matches: pl.DataFrame) -> pl.DataFrame:
    """One row per text and code, the surest and then the earliest, in reading order."""
    surest = matches.sort("row", "code", "confidence", "span_start", "span_end", descending=[False, False, True, False, True])
    first = surest.unique(["row", "code"], keep="first", maintain_order=True)
    return first.sort("row", "span_start", "span_end", "code").select("row", "code", "confidence", "span_start", "span_end")
