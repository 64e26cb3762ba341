"""Bursting terms joined into candidates for new topics: terms of the same feedback are one, and a rise of a known code is marked as that."""

from __future__ import annotations

import polars as pl

from voc_lib.enrich.bursts import Uses, against_base, find_bursts, terms_of, uses
from voc_lib.enrich.domain import PLAIN_MENTION

TOGETHER = 0.5  # of a term's feedback that a candidate has already: it is said about the same thing
LEADING = 5  # terms of a candidate, its largest, that decide which feedback it has; the rest only describe it
KNOWN_SHARE = 0.5  # of a candidate's feedback with one code
EXPLAINED = 0.5  # of the candidate's people beyond the expected that the code's own people beyond the expected make up
CODE_RISES = 0.05  # p-value of one code, named by the candidate: nobody searched all codes for it
NAMED = 3  # parts of a name
FULLER = 0.5  # of the feedback with a term that says a longer one: 方言包下架 for 方言包
NAMED_SHARE = 0.25  # of a candidate's feedback that a part of its name has to occur in
CANDIDATE_SCHEMA = {
    "name": pl.String, "terms": pl.List(pl.String), "people": pl.Int64, "expected": pl.Float64, "lift": pl.Float64, "p_value": pl.Float64,
    "q_value": pl.Float64, "known_code": pl.String, "feedback_ids": pl.List(pl.String),
}  # fmt: skip


def find_candidates(window: pl.DataFrame, base: pl.DataFrame, season: pl.DataFrame | None = None, repeats_once: bool = True) -> pl.DataFrame:
    """Candidates for new topics, the surest first, those of a known code last.

    Takes the frames of `find_bursts`, with `codes` (list) where they are known. Columns: name, terms (most people beyond the expected
    first), people who use a leading term, expected and lift of the same, p_value and q_value (of the surest term),
    known_code (null where it is new: mostly uncoded, or of codes that did not rise with it), feedback_ids (with a
    leading term, repeats left out).
    """
    now, then = terms_of(window, repeats_once), terms_of(base, repeats_once)
    bursts = find_bursts(now, then, season, repeats_once)
    if bursts.is_empty():
        return pl.DataFrame(schema=CANDIDATE_SCHEMA)
    said, before = uses(now), uses(then)
    told = said.said.join(bursts.select("term"), on="term", how="semi").group_by("term").agg(pl.col("feedback_id").unique())
    feedback = {term: set(listed) for term, listed in told.iter_rows()}
    groups = _joined(bursts["term"].to_list(), feedback)
    rises = against_base(uses(now, "codes"), uses(then, "codes"), fewest=1) if "codes" in window.columns else None
    rows = _measured(groups, said, before)
    known = [_known_code(row, _within(terms, feedback), now, rises) for row, terms in zip(rows, groups, strict=True)]
    merged = _one_per_code(groups, known)
    if len(merged) < len(groups):
        groups, known = [terms for terms, _ in merged], [code for _, code in merged]
        rows = _measured(groups, said, before)
    sure = {term: (p, q) for term, p, q in bursts.select("term", "p_value", "q_value").iter_rows()}
    found = [(_name(terms, feedback), terms, row["people"], row["expected"], row["lift"], *min(sure[term] for term in terms), code, sorted(_within(terms, feedback)))
             for terms, row, code in zip(groups, rows, known, strict=True)]
    return pl.DataFrame(found, schema=CANDIDATE_SCHEMA, orient="row").sort(pl.col("known_code").is_not_null(), "p_value", "name", maintain_order=True)


def _joined(terms: list[str], feedback: dict[str, set[str]]) -> list[list[str]]:
    """The largest term first; each next joins the candidate it shares most feedback with, or starts its own.

    A term never ties two candidates together: 无法使用 is said of both.
    """
    groups: list[tuple[list[str], set[str]]] = []
    for term in terms:
        own = feedback[term]
        shared = [len(own & held) / min(len(own), len(held)) for _, held in groups]
        best = max(range(len(groups)), key=lambda at: (shared[at], -at), default=None)
        if best is None or shared[best] < TOGETHER:
            groups.append(([term], set(own)))
        else:
            groups[best][0].append(term)
            groups[best][1].update(own)
    return [names for names, _ in groups]


def _within(terms: list[str], feedback: dict[str, set[str]]) -> set[str]:
    return set().union(*(feedback[term] for term in terms[:LEADING]))


def _measured(groups: list[list[str]], said: Uses, before: Uses) -> list[dict]:
    """people, expected, lift of each candidate: of everyone who uses one of its leading terms."""
    leads = pl.DataFrame([(term, str(at)) for at, terms in enumerate(groups) for term in terms[:LEADING]], schema={"term": pl.String, "group": pl.String}, orient="row")
    now, then = (Uses(side.said.join(leads, on="term").drop("term").rename({"group": "term"}), side.heard) for side in (said, before))
    found = {int(row["term"]): row for row in against_base(now, then, fewest=1).iter_rows(named=True)}
    return [found[at] for at in range(len(groups))]


def _known_code(row: dict, inside: set[str], now: pl.DataFrame, rises: pl.DataFrame | None) -> str | None:
    """The code that half of the feedback has and whose own rise accounts for the candidate's; None where there is none."""
    if rises is None:
        return None
    coded = now.filter(pl.col("feedback_id").is_in(inside)).select(pl.col("codes").alias("term")).explode("term", empty_as_null=False, keep_nulls=False)
    counted = coded.filter(~pl.col("term").str.ends_with(f"-{PLAIN_MENTION}")).group_by("term").agg(pl.len().alias("with")).sort("with", "term", descending=[True, False])
    for code in counted.filter(pl.col("with") >= KNOWN_SHARE * len(inside)).join(rises, on="term", maintain_order="left").iter_rows(named=True):
        if code["p_value"] <= CODE_RISES and code["people"] - code["expected"] >= EXPLAINED * (row["people"] - row["expected"]):
            return code["term"]
    return None


def _one_per_code(groups: list[list[str]], known: list[str | None]) -> list[tuple[list[str], str | None]]:
    """Candidates of one known code are one rise: their terms in one list, the larger candidate's first."""
    merged: list[tuple[list[str], str | None]] = []
    for terms, code in zip(groups, known, strict=True):
        same = next((listed for listed, other in merged if code is not None and other == code), None)
        if same is None:
            merged.append((list(terms), code))
        else:
            same.extend(terms)
    return merged


def _name(terms: list[str], feedback: dict[str, set[str]]) -> str:
    """Up to three of the terms, none of which repeats a part of another; the first as long as half of its feedback says it.

    >>> _name(["方言", "车机", "方言包"], {"方言": {"a", "b", "c"}, "车机": {"c"}, "方言包": {"a", "b"}})
    '方言包、车机'
    """
    fuller = [term for term in terms if terms[0] in term and len(feedback[term]) >= FULLER * len(feedback[terms[0]])]
    chosen = [max(fuller, key=len)]
    enough = NAMED_SHARE * len(_within(terms, feedback))
    for term in terms[1:]:
        repeated = any(term[at : at + 2] in other for at in range(len(term) - 1) for other in chosen)
        side_by_side = any(other + term in terms or term + other in terms for other in [terms[0], *chosen])
        if len(chosen) < NAMED and not repeated and not side_by_side and len(feedback[term]) >= enough:
            chosen.append(term)
    return "、".join(chosen)
