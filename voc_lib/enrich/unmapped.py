"""The unmapped queue: what people say for which the taxonomy has no code yet, and the code it may belong to.

A term is a word, or two words side by side in one clause. It is listed where it is frequent among unmapped feedback and
rarer among coded feedback: log odds ratio with half a count added to each cell (Haldane 1956), divided by its standard error.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.domain import Domain, load_domain
from voc_lib.enrich.embedders import CLEANING, decode_vectors, normalised
from voc_lib.enrich.exploration import cut_words
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

FEWEST = 3  # feedback: a term that two people used is chance
DISTINCTIVE = 1.64  # standard errors, one-sided 5 %
LONGEST = 10  # characters
ABSORBED = 0.8  # a word is left out where four in five of its uses are inside a longer term
CODED_SAMPLE = 20_000  # coded feedback to compare with: enough for a rate, and a second of work
CODE_FEEDBACK = 5  # a code heard less often has no dependable middle
EXAMPLE = 40  # characters of the clause shown

QUEUE_SCHEMA = {
    "term": pl.String, "unmapped": pl.Int64, "coded": pl.Int64, "distinctiveness": pl.Float64, "example": pl.String,
    "nearest_code": pl.String, "nearness": pl.Float64, "nearest_by": pl.String,
}  # fmt: skip


def unmapped_queue(store: Store | str, top: int = 50) -> pl.DataFrame:
    """The queue of a store, from the codes in force and the vectors already stored; see `unmapped_terms`."""
    lake = store if isinstance(store, Store) else open_store(store)
    domain = load_domain(settings().domains, lake.about["domain"])
    coded = lake.sql(f"SELECT feedback_id, code, coalesce(is_primary, true) AS is_primary FROM mentions WHERE {codes_in_force(lake)}")
    coded = coded.filter((pl.col("code") != UNMAPPED) | (pl.col("code") == UNMAPPED).all().over("feedback_id"))
    fingerprint = lake.about.get("fingerprint", "")
    rows = lake.sql(
        "SELECT feedback_id, f.verbatim AS text, v.dimensions, v.vector FROM feedback_rows f "
        f"LEFT JOIN (SELECT * FROM texts WHERE cleaning = '{CLEANING}') t USING (feedback_id) "
        f"LEFT JOIN (SELECT * FROM vectors WHERE fingerprint = '{fingerprint}') v USING (text_hash) ORDER BY feedback_id"
    )
    mentions = coded.filter("is_primary").unique("feedback_id", keep="any").select("feedback_id", "code")
    rows = rows.join(mentions, on="feedback_id", maintain_order="left")
    held = rows["code"] == UNMAPPED
    rows = pl.concat([rows.filter(held), rows.filter(~held).sort(pl.col("feedback_id").hash(0)).head(CODED_SAMPLE)])
    vectors = None
    if rows["vector"].is_not_null().any():
        size = int(rows["dimensions"].max())
        blank = pl.lit(bytes(2 * size), pl.Binary)
        vectors = decode_vectors(rows.select(pl.col("vector").fill_null(blank)).to_series(), size)
    return unmapped_terms(rows.select("feedback_id", "text", "code"), domain, vectors, top)


def unmapped_terms(rows: pl.DataFrame, domain: Domain, vectors: np.ndarray | None = None, top: int = 50) -> pl.DataFrame:
    """Terms frequent in unmapped feedback and distinctive against the coded, most distinctive first.

    Takes one row per feedback: `feedback_id, text, code` (its primary code or 未归类) and, in the same order, their vectors (zero
    where there is none). Gives `term`, how many `unmapped` and `coded` feedback contain it, `distinctiveness` in standard
    errors, an `example` clause, and the nearest existing code with its nearness: the cosine (-1 to 1) between the middle of the
    feedback with the term and that of the code, common part removed (`nearest_by` vectors), else the share of
    common character pairs with its wordings (characters, 0-1).
    """
    is_unmapped = (rows["code"] == UNMAPPED).to_numpy()
    places, examples = _terms(rows["text"].to_list(), is_unmapped, domain)
    total = int(is_unmapped.sum()), int((~is_unmapped).sum())
    known = {word for code in domain.taxonomy for word in code.synonyms}
    found = []
    for term, at in places.items():
        here = int(is_unmapped[at].sum())
        if here < FEWEST or term in known:
            continue
        score = _distinctiveness(here, len(at) - here, *total)
        if score >= DISTINCTIVE:
            found.append((term, here, len(at) - here, score))
    found = sorted(_without_absorbed(found), key=lambda row: (-row[3], row[0]))[:top]
    near = _nearest_codes(rows, domain, vectors, {term: [at for at in places[term] if is_unmapped[at]] for term, *_ in found})
    return pl.DataFrame([(*row[:3], round(row[3], 2), examples[row[0]], *near[row[0]]) for row in found], schema=QUEUE_SCHEMA, orient="row")


def _terms(texts: list[str | None], is_unmapped: np.ndarray, domain: Domain) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Where each term occurs (rows, each once), and the clause it was first seen in; terms of unmapped feedback only."""
    stopwords = frozenset(domain.stopwords)
    frame = pl.DataFrame({"row": np.arange(len(texts), dtype=np.uint32), "text": language.clean_column(pl.Series("text", texts, dtype=pl.String))})
    places: dict[str, list[int]] = defaultdict(list)
    examples: dict[str, str] = {}
    marks = pl.DataFrame({"row": frame["row"], "first": is_unmapped})
    clauses = language.clause_rows(frame).join(marks, on="row", maintain_order="left")
    for row, clause in clauses.sort(~pl.col("first"), "row", "clause_start").select("row", "clause").iter_rows():
        pieces = cut_words(clause, domain.words)
        spoken = [piece for piece in pieces if piece not in stopwords]
        spoken += [one + two for one, two in zip(pieces, pieces[1:], strict=False) if not {one, two} & stopwords and one + two in clause.lower()]
        for term in dict.fromkeys(spoken):
            if len(term) > LONGEST or (term not in places and not is_unmapped[row]):
                continue
            if not places[term] or places[term][-1] != row:
                places[term].append(row)
            examples.setdefault(term, clause.strip()[:EXAMPLE])
    return places, examples


def _distinctiveness(here: int, there: int, unmapped: int, coded: int) -> float:
    """Standard errors by which the odds of a term among unmapped feedback exceed those among coded.

    Ten of 20 against none of 100: odds 1 and 0.5/100.5, ln 201 = 5.30 over sqrt(2/10.5 + 1/0.5 + 1/100.5) = 1.48.

    >>> round(_distinctiveness(10, 0, 20, 100), 2)
    3.58
    """
    odds = np.log((here + 0.5) / (unmapped - here + 0.5)) - np.log((there + 0.5) / (coded - there + 0.5))
    return float(odds / np.sqrt(1 / (here + 0.5) + 1 / (unmapped - here + 0.5) + 1 / (there + 0.5) + 1 / (coded - there + 0.5)))


def _without_absorbed(found: list[tuple]) -> list[tuple]:
    """Terms that are not merely part of a longer one."""
    return [row for row in found if not any(row[0] != other[0] and row[0] in other[0] and other[1] >= ABSORBED * row[1] for other in found)]


def _nearest_codes(rows: pl.DataFrame, domain: Domain, vectors: np.ndarray | None, places: dict[str, list[int]]) -> dict[str, tuple]:
    """Code, nearness and what it rests on, by term."""
    middles = _code_middles(rows, vectors) if vectors is not None else None
    near = {}
    for term, at in places.items():
        spoken = [place for place in at if middles is not None and np.any(vectors[place])]
        if middles is not None and middles[0] and spoken:
            codes, centres, common = middles
            closeness = centres @ normalised((vectors[spoken] - common).mean(axis=0, keepdims=True))[0]
            best = int(np.argmax(closeness))
            near[term] = (codes[best], round(float(closeness[best]), 3), "vectors")
        else:
            near[term] = _nearest_by_characters(term, domain)
    return near


def _code_middles(rows: pl.DataFrame, vectors: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Codes heard often enough, their mean vectors (length 1), and the mean of all that was taken off."""
    spoken = np.any(vectors != 0, axis=1)
    common = vectors[spoken].mean(axis=0) if spoken.any() else np.zeros(vectors.shape[1], dtype=np.float32)
    codes, centres = [], []
    for (code,), part in rows.with_row_index("at").filter(pl.Series(spoken)).group_by("code", maintain_order=True):
        if code != UNMAPPED and part.height >= CODE_FEEDBACK:
            codes.append(code)
            centres.append((vectors[part["at"].to_numpy()] - common).mean(axis=0))
    return codes, normalised(np.array(centres, dtype=np.float32).reshape(len(codes), vectors.shape[1])), common


def _nearest_by_characters(term: str, domain: Domain) -> tuple[str | None, float | None, str | None]:
    """Dice coefficient of character pairs with the wordings of every code; nothing where no pair is shared."""
    wanted = _pairs(term)
    best: tuple[float, str] = (0.0, "")
    for code in domain.taxonomy:
        wordings = [*code.synonyms, *("".join(parts) for pattern in code.patterns for parts in [(pattern[0][0], pattern[-1][0])])]
        for word in [*wordings, code.label]:
            pairs = _pairs(word)
            shared = 2 * len(wanted & pairs) / (len(wanted) + len(pairs)) if wanted and pairs else 0.0
            best = max(best, (shared, code.code), key=lambda found: found[0])
    return (best[1], round(best[0], 3), "characters") if best[0] else (None, None, None)


def _pairs(word: str) -> set[str]:
    return {word[i : i + 2] for i in range(len(word) - 1)} or {word}
