"""From words to codes: which rules are complete within a clause, and which matches give way to a better one.

A symptom belongs to the part it stands nearest to (发动机漏油变速箱异响: the noise is the gearbox's); a condition (怠速时)
gives way to a real part; a catch-all phrase gives way to a longer wording around it; a plain mention to a specific code.
"""

from __future__ import annotations

from itertools import product

import polars as pl

from voc_lib.enrich.coding_words import Lexicon

# What share of such finds was right on public complaints and forum posts, held halves of both (see `evaluate.real_codes`).
PHRASE_CONFIDENCE = 0.8
NEAR_CONFIDENCE = 0.7
FAR_CONFIDENCE = 0.5
FAR_CHARACTERS = 12  # part and symptom this far apart often belong to two statements
TOO_FAR_CHARACTERS = 16  # beyond this, fewer than half of the pairs read on real posts belonged together
ENUMERATED_CHARACTERS = 1  # two parts with a 和 or 及 between them share a symptom; with nothing, the first belongs to the second (空调压缩机)
SPELT_OUT = 4  # characters of a phrase that names part and symptom itself: 大灯发白, not 生锈

_PLACE = {name: pl.Int64 for name in ("span_start", "span_end", "part_start", "part_end", "symptom_start", "symptom_end", "gap")}
MATCHES_SCHEMA = {"row": pl.UInt32, "clause_start": pl.Int64, "code": pl.String, "confidence": pl.Float64, "evidence": pl.String, **_PLACE, "is_condition": pl.Boolean, "is_vague": pl.Boolean}


def complete_matches(hits: pl.DataFrame, lexicon: Lexicon) -> pl.DataFrame:
    """Rules whose every group occurs in one clause, with the places of part (first group) and symptom (last group)."""
    hits = hits.with_columns(needed=pl.col("rule").replace_strict(lexicon.groups, return_dtype=pl.UInt32))
    place = pl.col("clause_start")
    start, end = place + pl.col("start"), place + pl.col("end")
    phrases = hits.filter(pl.col("needed") == 1).select(
        "row", "clause_start", "code", confidence=pl.lit(PHRASE_CONFIDENCE), evidence=pl.lit("phrase"), span_start=start, span_end=end,
        part_start=start, part_end=start, symptom_start=start, symptom_end=end, gap=pl.lit(0, pl.Int64), is_condition=pl.lit(False), is_vague=pl.lit(False),
    )  # fmt: skip
    complete = (
        hits.filter(pl.col("needed") > 1)
        .group_by("row", "clause_start", "rule", "code", "needed", maintain_order=True)
        .agg(pl.col("group"), pl.col("start"), pl.col("end"), pl.col("is_weak"))
        .filter(pl.col("group").list.n_unique() == pl.col("needed"))
    )
    rows = []
    for row, clause_start, _, code, needed, groups, starts, ends, weak in complete.iter_rows():
        tightest = _tightest(needed, list(zip(groups, starts, ends, weak, strict=True)))
        if tightest is not None:
            gap, *places, is_condition, is_vague = tightest
            near = gap < FAR_CHARACTERS
            confidence = NEAR_CONFIDENCE if near else FAR_CONFIDENCE
            rows.append((row, clause_start, code, confidence, "near" if near else "far", *(clause_start + at for at in places), gap, is_condition, is_vague))
    return pl.concat([phrases.cast(MATCHES_SCHEMA), pl.DataFrame(rows, schema=MATCHES_SCHEMA, orient="row")])


def _tightest(needed: int, hits: list[tuple[int, int, int, bool]]) -> tuple[int, ...] | None:
    """Gap, places (span, part, symptom) and whether part and symptom are weak words, of the narrowest window with one word of each group, none overlapping."""
    by_group = [[(start, end, weak) for group, start, end, weak in hits if group == wanted] for wanted in range(needed)]
    best = None
    for chosen in product(*by_group):
        spans = sorted(chosen)
        gaps = [later[0] - earlier[1] for earlier, later in zip(spans, spans[1:], strict=False)]
        if min(gaps) < 0 or max(gaps) > TOO_FAR_CHARACTERS:
            continue
        # On equal gaps the longer words win: 抖动 rather than 抖.
        first, last = spans[0][0], spans[-1][1]
        candidate = (max(gaps), first - last, first, last, *chosen[0][:2], *chosen[-1][:2], chosen[0][2], chosen[-1][2])
        best = candidate if best is None else min(best, candidate)
    return None if best is None else (best[0], *best[2:])


def standing_matches(matches: pl.DataFrame, lexicon: Lexicon) -> pl.DataFrame:
    """Matches that do not give way to another one of their clause."""
    marked = matches.with_row_index("match").with_columns(
        system=pl.col("code").str.split("-").list.first(), is_plain=pl.col("code").is_in(lexicon.plain))
    kept = _without_rivals(marked)
    return _without_outranked(kept)


def _without_rivals(marked: pl.DataFrame) -> pl.DataFrame:
    """Drop specific matches whose symptom, or whose words, belong to a better match of another code."""
    specific = marked.filter(~pl.col("is_plain"))
    crowded = specific.filter(pl.len().over("row", "clause_start") > 1)
    others = crowded.select("row", "clause_start", pl.exclude("row", "clause_start").name.prefix("other_"))
    pairs = crowded.join(others, on=["row", "clause_start"]).filter(pl.col("code") != pl.col("other_code"))
    length, other_length = pl.col("span_end") - pl.col("span_start"), pl.col("other_span_end") - pl.col("other_span_start")
    at_an_end = (pl.col("span_start") == pl.col("other_span_start")) | (pl.col("span_end") == pl.col("other_span_end"))
    inside = (pl.col("span_start") >= pl.col("other_span_start")) & (pl.col("span_end") <= pl.col("other_span_end"))
    is_phrase, other_is_phrase = pl.col("evidence") == "phrase", pl.col("other_evidence") == "phrase"
    swallowed = inside & at_an_end & (length < other_length) & is_phrase & ~((length >= SPELT_OUT) & (pl.col("other_gap") > 0))
    shared = (pl.col("symptom_start") < pl.col("other_symptom_end")) & (pl.col("other_symptom_start") < pl.col("symptom_end"))
    one_symptom = shared & ~is_phrase & ~other_is_phrase
    overlap = (pl.col("part_start") < pl.col("other_part_end")) & (pl.col("other_part_start") < pl.col("part_end"))
    shorter_part = overlap & (pl.col("part_end") - pl.col("part_start") < pl.col("other_part_end") - pl.col("other_part_start"))
    between = pl.max_horizontal(pl.col("other_part_start") - pl.col("part_end"), pl.col("part_start") - pl.col("other_part_end"))
    farther = ~overlap & (pl.col("gap") > pl.col("other_gap")) & (between != ENUMERATED_CHARACTERS)
    weaker, stronger = pl.col("is_condition") & ~pl.col("other_is_condition"), ~pl.col("is_condition") & pl.col("other_is_condition")
    beaten = one_symptom & (weaker | (~stronger & (shorter_part | farther)))
    # A phrase that spells out part and symptom takes the symptom from the parts around it.
    spelt = shared & ~is_phrase & other_is_phrase & (pl.col("gap") > 0) & (other_length >= SPELT_OUT)
    vaguer = pl.col("is_vague") & ~pl.col("other_is_vague") & (pl.col("system") == pl.col("other_system"))
    return marked.join(pairs.filter(swallowed | beaten | spelt | vaguer), on="match", how="anti")


def _without_outranked(marked: pl.DataFrame) -> pl.DataFrame:
    """Plain mentions give way: in 大灯发白 the lamp is a fault, not also a mention of equipment."""
    named = marked.filter(~pl.col("is_plain")).select("row", "clause_start", by="system", by_start="span_start", by_end="span_end")
    pairs = marked.filter("is_plain").join(named, on=["row", "clause_start"])
    inside = (pl.col("span_start") >= pl.col("by_start")) & (pl.col("span_end") <= pl.col("by_end"))
    outranked = pairs.filter((pl.col("system") == pl.col("by")) | inside)
    return marked.join(outranked, on="match", how="anti")
