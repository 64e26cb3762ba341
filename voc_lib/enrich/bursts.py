"""Terms that far more people use than before: candidates for what is new, found without any code.

A term is a word, or two words side by side. It bursts where the people who use it in a window are more than the base predicts,
the uncertainty of the base and the usual wobble of weeks included: the Gamma-Poisson predictive, a negative binomial
(Gelman et al., Bayesian Data Analysis, 2.6), widened by the dispersion that the base shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.domain import Domain
from voc_lib.enrich.exploration import cut_words
from voc_lib.stats.dispersion import PRIOR_PHI, count_tail, pearson, shrunk_phi
from voc_lib.stats.multiplicity import benjamini_hochberg

FEWEST = 5  # people in the window: fewer are an anecdote, whatever their p-value
FALSE_SHARE = 0.01  # of false ones among the terms called bursts
# A small store tests few terms, so that the adjustment asks little of each; but it tests them every week.
LARGEST_P = 1e-4
LEAST_LIFT = 3.0  # times the expected: less is a rise, not something new
NEVER = 0.5  # people in all of the base for a term never heard there (Jeffreys)
LONGEST = 12  # characters of a term
BREAK = ""  # in a list of words: across it no pair is formed
BURST_SCHEMA = {"term": pl.String, "people": pl.Int64, "expected": pl.Float64, "lift": pl.Float64, "phi": pl.Float64, "p_value": pl.Float64, "q_value": pl.Float64}


@dataclass(frozen=True)
class Uses:
    """Who says what when: `said` (feedback_id, person, channel, stretch, term) and `heard` (channel, stretch, heard: people)."""

    said: pl.DataFrame
    heard: pl.DataFrame


def spoken_words(texts: list[str | None], domain: Domain) -> list[list[str]]:
    """Words of each text as `cut_words` cuts them, clause by clause, with a break ("") where two do not stand side by side.

    >>> spoken_words(["方向盘抖动,方向盘的皮"], Domain("auto", "车", ("auto",), (), (), ("抖动",)))
    [['方向盘', '', '方向盘']]
    """
    stopwords = frozenset(domain.stopwords)
    rows = pl.DataFrame({"row": np.arange(len(texts), dtype=np.uint32), "text": language.clean_column(pl.Series("text", texts, dtype=pl.String))})
    words: list[list[str]] = [[] for _ in texts]
    for row, clause in language.clause_rows(rows).sort("row", "clause_start").select("row", "clause").iter_rows():
        said, lower, before = words[row], clause.lower(), BREAK
        for word in cut_words(clause, domain.words):
            if word not in stopwords:
                if said and (before == BREAK or before + word not in lower):
                    said.append(BREAK)
                said.append(word)
            before = BREAK if word in stopwords else word
    return words


def find_bursts(window: pl.DataFrame, base: pl.DataFrame, season: pl.DataFrame | None = None, repeats_once: bool = True) -> pl.DataFrame:
    """Terms that burst, the most people beyond the expected first: `term, people, expected, lift, phi, p_value, q_value`.

    Takes `feedback_id, person, words` (see `spoken_words`), optionally `channel` and `duplicate_of`; the base also `stretch`: which
    earlier time, as long as the window, a feedback belongs to. A person counts once in a stretch, and with `repeats_once` a feedback that
    repeats another does not count. expected: people of the window, had every channel's people used the term as often as
    in the base, half a person added; p_value one-sided; phi: by how many times more than chance the stretches scatter, never below
    1.5; q_value: Benjamini-Hochberg over all terms of 5 people. Listed are q <= 1 % and p <= 0.0001 with three times the expected or more.
    `season` is like the base, of the same time a year ago: what was said then nearly as often (under three times less) comes every year.
    Leave out channels that the base does not have: all their words would be new.
    """
    now, before = uses(terms_of(window, repeats_once)), uses(terms_of(base, repeats_once))
    tested = against_base(now, before)
    if tested.is_empty():
        return pl.DataFrame(schema=BURST_SCHEMA)
    found = tested.with_columns(pl.Series("q_value", _adjusted(tested, now.said)))
    found = found.filter(pl.col("q_value") <= FALSE_SHARE, pl.col("p_value") <= LARGEST_P, pl.col("lift") >= LEAST_LIFT)
    if season is not None and season.height and found.height:
        then = against_base(now, uses(terms_of(season, repeats_once)))
        found = found.join(then.filter(pl.col("lift") >= LEAST_LIFT), on="term", how="semi")
    return found.sort(pl.col("expected") - pl.col("people"), "p_value", "term").select(*BURST_SCHEMA)


def terms_of(frame: pl.DataFrame, repeats_once: bool = True) -> pl.DataFrame:
    """One row per feedback, with `terms`: its different words and pairs. Feedback that only repeats is left out with `repeats_once`.

    A frame that has them already is given back.
    """
    if "terms" in frame.columns:
        return frame
    if repeats_once and "duplicate_of" in frame.columns:
        frame = frame.filter(pl.col("duplicate_of").is_null())
    terms = [_terms(words) for words in frame["words"].to_list()]
    return frame.with_columns(pl.Series("terms", terms, pl.List(pl.String)))


def _terms(words: list[str]) -> list[str]:
    pairs = [one + two for one, two in zip(words, words[1:], strict=False) if BREAK not in (one, two) and one != two]
    return [term for term in dict.fromkeys([*words, *pairs]) if term != BREAK and len(term) <= LONGEST]


def uses(frame: pl.DataFrame, column: str = "terms") -> Uses:
    """Who uses what: the entries of a list column (terms, or codes), and how many people were heard."""
    for name in ("channel", "stretch"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit("").alias(name))
    heard = frame.group_by("channel", "stretch").agg(pl.col("person").n_unique().alias("heard")).sort("channel", "stretch")
    said = frame.select("feedback_id", "person", "channel", "stretch", pl.col(column).alias("term"))
    return Uses(said.explode("term", empty_as_null=False, keep_nulls=False), heard)


def against_base(now: Uses, before: Uses, fewest: int = FEWEST) -> pl.DataFrame:
    """What is used by `fewest` people now, against the base: `term, people, expected, lift, phi, p_value`, by term."""
    counted = now.said.group_by("term").agg(pl.col("person").n_unique().cast(pl.Int64).alias("people")).filter(pl.col("people") >= fewest).sort("term")
    if counted.is_empty() or before.heard.is_empty():
        return counted.clear().with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("expected", "lift", "phi", "p_value"))
    channels, stretches = before.heard["channel"].unique().sort().to_list(), before.heard["stretch"].unique().sort().to_list()
    heard = np.zeros((len(channels), len(stretches)))
    for channel, stretch, people in before.heard.iter_rows():
        heard[channels.index(channel), stretches.index(stretch)] = people
    today = dict(now.heard.group_by("channel").agg(pl.col("heard").sum()).iter_rows())
    ratio = np.array([today.get(channel, 0) for channel in channels]) / heard.sum(1)
    overall = sum(today.get(channel, 0) for channel in channels) / heard.sum()
    cells = before.said.join(counted.select("term"), on="term", how="semi").group_by("term", "channel", "stretch").agg(pl.col("person").n_unique().alias("people"))
    by_channel = _matrix(cells, counted["term"], "channel", channels)
    by_stretch = _matrix(cells, counted["term"], "stretch", stretches)
    usual = by_channel @ (heard / heard.sum(1, keepdims=True))  # people per stretch, had every channel's rate stood still
    with np.errstate(divide="ignore", invalid="ignore"):
        squares, degrees = pearson(by_stretch / usual, 1 / usual)
    # A rare term has not been watched for long enough to be called calm.
    phi = np.maximum(shrunk_phi(squares, degrees, usual.mean(1))[0], PRIOR_PHI)
    expected = by_channel @ ratio + NEVER * overall
    spread = by_channel @ ratio**2 + NEVER * overall**2
    people = counted["people"].to_numpy().astype(float)
    # Half of the two-sided p-value: only more than expected is news.
    p_value = np.where(people > expected, count_tail(people, expected, phi, phi * spread) / 2, 1.0)
    values = {"expected": expected, "lift": people / expected, "phi": phi, "p_value": p_value}
    return counted.with_columns(pl.Series(name, value) for name, value in values.items())


def _matrix(cells: pl.DataFrame, terms: pl.Series, column: str, values: list) -> np.ndarray:
    """People by term (rows) and value of the column."""
    places, at = {term: row for row, term in enumerate(terms)}, {value: place for place, value in enumerate(values)}
    found = np.zeros((len(places), len(values)))
    for term, value, people in cells.group_by("term", column).agg(pl.col("people").sum()).iter_rows():
        found[places[term], at[value]] = people
    return found


def _adjusted(tested: pl.DataFrame, said: pl.DataFrame) -> np.ndarray:
    """q-values in which the terms of one copied clause, all said in the same feedback, are one finding and not many."""
    same = said.group_by("term").agg(pl.col("feedback_id").sort().str.join(" ").hash().alias("same"))
    groups = tested.join(same, on="term", how="left", maintain_order="left")
    best = groups.group_by("same").agg(pl.col("p_value").min()).sort("p_value", "same")
    adjusted = np.minimum(benjamini_hochberg(best["p_value"].to_numpy()) * tested.height / best.height, 1.0)
    q_values = best.select("same", q=pl.Series(adjusted))
    return groups.join(q_values, on="same", how="left", maintain_order="left")["q"].to_numpy()
