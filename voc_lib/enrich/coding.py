"""The keyword coder: verbatims to codes of the taxonomy, clause by clause, several codes a feedback.

A code is found where one of its phrases occurs, or one word of each group of a pattern within one clause, unless
the wording is negated (see `negation`). Deterministic and the same from the first day on, so that weeks compare.
What it cannot do: opinions without a keyword, irony, a fault whose part was named a sentence earlier.
"""

from __future__ import annotations

import hashlib
import inspect
from functools import cache

import polars as pl

from voc_lib.enrich import coding_matches, coding_words, language, negation
from voc_lib.enrich.domain import Domain

UNMAPPED = "未归类"
# A question, a wish, hearsay or a condition (会不会烧机油, 听说变速箱顿挫) is not a report.
UNCERTAIN = r"会不会|有没有|是不是|担心|怕是|害怕|就怕|听说|据说|如果|万一|要是|希望别|希望不要|会.{1,8}吗|吗$|么$|请教|求问|想问|咨询"
UNCERTAIN_WORTH = 0.6  # what is left of a confidence in such a clause
SECONDARY_WORTH = 0.85  # and of a code that is not what the text is mainly about: often a consequence of the main one
ABSTAIN_BELOW = 0.4  # far and uncertain: no code

CODES_SCHEMA = {
    "feedback_id": pl.String,
    "code": pl.String,
    "confidence": pl.Float64,
    "span_start": pl.Int64,
    "span_end": pl.Int64,
    "source": pl.String,
    "model_version": pl.String,
    "clause_start": pl.Int64,
    "evidence": pl.String,
    "is_primary": pl.Boolean,
}
_FOUND = ("row", "code", "confidence", "span_start", "span_end", "clause_start", "evidence")


def code_keywords(texts: pl.DataFrame, domain: Domain) -> pl.DataFrame:
    """Codes found in raw verbatims: one row per feedback x code, in the order of the texts.

    Takes `feedback_id` (unique), `text` and, optionally, `channel`: a channel named in the domain's `scopes` gets
    codes of its systems only (a phone shop has no gearboxes). Gives the columns of `CODES_SCHEMA`; spans count
    characters of `language.clean(text)`. Confidence (0-1) is the share of such finds that was right on public data: .8 for a
    phrase, .7 for a pattern, .5 for one whose words stand 12 or more characters apart; times .6 in a clause that only asks
    or fears (below .4 the coder abstains), times .85 for all but the primary code (see `_ranked`). A feedback without a
    find gets one row 未归类, confidence and span null.
    ValueError where a column is missing or a feedback_id comes twice.
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
        lexicon = coding_words.lexicon_of(domain, scopes.get(channel))
        hits = coding_words.word_hits(part, lexicon)
        matches = coding_matches.complete_matches(hits, lexicon)
        parts.append(_sure(coding_matches.standing_matches(matches, lexicon), part).select(_FOUND))
    nothing = pl.DataFrame(schema={"row": pl.UInt32, **{name: CODES_SCHEMA[name] for name in _FOUND[1:]}})
    found = _ranked(_best(pl.concat([nothing, *parts])), domain)
    coded = cleaned.select("row", "feedback_id").join(found, on="row", how="left", maintain_order="left")
    return coded.with_columns(
        pl.col("code").fill_null(UNMAPPED),
        pl.col("is_primary").fill_null(True),
        source=pl.lit("keyword"),
        model_version=pl.lit(coder_version(domain)),
    ).select(*CODES_SCHEMA).cast(CODES_SCHEMA)


def _check(texts: pl.DataFrame) -> None:
    missing = {"feedback_id", "text"} - set(texts.columns)
    if missing:
        raise ValueError(f"编码需要 feedback_id 和 text 两列，缺少：{'、'.join(sorted(missing))}；现有列：{'、'.join(texts.columns)}")
    if texts["feedback_id"].is_duplicated().any():
        twice = texts.filter(pl.col("feedback_id").is_duplicated())["feedback_id"][0]
        raise ValueError(f"feedback_id 应不重复，「{twice}」出现了多次：请把一条反馈的标题、正文和追评连成一个 text")


@cache
def _rules_source() -> str:
    from voc_lib.enrich import coding

    modules = (coding, coding_words, coding_matches, negation, language)
    return "\n".join(inspect.getsource(module).replace("\r\n", "\n") for module in modules)


def coder_version(domain: Domain) -> str:
    """Short fingerprint of what decides a coding: the taxonomy with its edits, and the source of the rules themselves.

    Stored with every mention; where it differs, the feedback has to be coded again.
    """
    taxonomy = [(code.code, code.synonyms, code.patterns, code.excepts) for code in domain.taxonomy]
    content = repr((taxonomy, domain.hidden, domain.scopes, domain.conditions, domain.vague, domain.first, domain.last)) + _rules_source()
    return "keyword-" + hashlib.sha256(content.encode()).hexdigest()[:12]


def _sure(matches: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Confidence lowered in clauses that do not report; what falls below the threshold is left out."""
    asking = texts.filter(pl.col("text").str.contains(UNCERTAIN.replace("$", ""))).select("row", "text")
    doubtful = language.clause_rows(asking).filter(pl.col("clause").str.contains(UNCERTAIN))
    marked = matches.join(doubtful.select("row", "clause_start", doubtful=pl.lit(True)), on=["row", "clause_start"], how="left", maintain_order="left")
    worth = pl.when("doubtful").then(UNCERTAIN_WORTH).otherwise(1.0)
    return marked.with_columns((pl.col("confidence") * worth).round(3)).filter(pl.col("confidence") >= ABSTAIN_BELOW)


def _best(matches: pl.DataFrame) -> pl.DataFrame:
    """One row per text and code, the surest and then the earliest, in reading order."""
    surest = matches.sort("row", "code", "confidence", "span_start", "span_end", descending=[False, False, True, False, True])
    first = surest.unique(["row", "code"], keep="first", maintain_order=True)
    return first.sort("row", "span_start", "span_end", "code")


def _ranked(found: pl.DataFrame, domain: Domain) -> pl.DataFrame:
    """Mark what each text is about: foremost codes, then faults in reading order, then how it was handled, then plain mentions."""
    order = {code.code: _rank(code.code, code.is_plain_mention, domain) for code in domain.taxonomy}
    ranks = pl.DataFrame({"code": list(order), "rank": list(order.values())}, schema={"code": pl.String, "rank": pl.Int8})
    ranked = found.join(ranks, on="code", how="left", maintain_order="left")
    best = ranked.sort("row", "rank", "span_start", -pl.col("span_end"), "code").unique("row", keep="first", maintain_order=True)
    return ranked.join(best.select("row", "code", is_primary=pl.lit(True)), on=["row", "code"], how="left", maintain_order="left").with_columns(
        pl.col("is_primary").fill_null(False)).with_columns(
        pl.when("is_primary").then("confidence").otherwise((pl.col("confidence") * SECONDARY_WORTH).round(3)).alias("confidence"))


def _rank(code: str, is_plain: bool, domain: Domain) -> int:
    if is_plain:
        return 3
    for rank, beginnings in ((0, domain.first), (2, domain.last)):
        if any(code == beginning or code.startswith(f"{beginning}-") for beginning in beginnings):
            return rank
    return 1
