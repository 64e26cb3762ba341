"""Do analysts label alike? Kappa of every two, by system and over all, and the feedback they read differently."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.labels import SUGGESTION
from voc_lib.stats.agreement import cohen_kappa, krippendorff_alpha

AGREEMENT_SCHEMA = {
    "first": pl.String, "second": pl.String, "system": pl.String, "n": pl.Int64, "named": pl.Int64, "agree_share": pl.Float64,
    "kappa": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "alpha": pl.Float64,
}  # fmt: skip
DISAGREEMENTS_SCHEMA = {
    "feedback_id": pl.String, "first": pl.String, "second": pl.String, "first_codes": pl.List(pl.String), "second_codes": pl.List(pl.String),
    "differs": pl.String,
}  # fmt: skip


def agreement(labels: pl.DataFrame) -> pl.DataFrame:
    """Agreement on feedback that both of two analysts labelled without having seen an answer; one row per pair and system.

    `system` null is over all: the main code (the first), as a choice of one. For a system the question is whether it was
    named at all, yes or no. `n` feedback, `named` those where at least one named the system (a main code at all), `agree_share`, Cohen's `kappa` with its 95 % interval (see `cohen_kappa`), and
    Krippendorff's `alpha` of all analysts on the same question. Takes the frame of `labels_given`; empty without a pair.
    """
    blind = _blind(labels)
    rows = []
    systems = sorted({system for codes in blind["codes"] for system in _systems(codes)})
    for first, second, joint in _pairs(blind):
        for system in [None, *systems]:
            ones, twos = (_answers(joint[column], system) for column in ("first_codes", "second_codes"))
            named = sum(one != twin or bool(one) and one != UNMAPPED for one, twin in zip(ones, twos, strict=True))
            if system is None or named:
                rows.append({"first": first, "second": second, "system": system, "n": joint.height, "named": named, **cohen_kappa(ones, twos), "alpha": _alpha(blind, system)})
    return pl.DataFrame(rows, schema=AGREEMENT_SCHEMA)


def disagreements(labels: pl.DataFrame) -> pl.DataFrame:
    """Feedback to which two analysts gave different codes, the gravest difference first.

    `differs`: system (the main codes are of different systems), code (same system), rest (only what stands beside the main code).
    """
    rows = []
    for first, second, joint in _pairs(_blind(labels)):
        for row in joint.iter_rows(named=True):
            kind = _difference(row["first_codes"], row["second_codes"])
            if kind:
                rows.append({"first": first, "second": second, "differs": kind, **row})
    order = pl.col("differs").replace_strict({"system": 0, "code": 1, "rest": 2}, return_dtype=pl.Int8)
    return pl.DataFrame(rows, schema=DISAGREEMENTS_SCHEMA).sort(order, maintain_order=True)


def _blind(labels: pl.DataFrame) -> pl.DataFrame:
    return labels.filter(pl.col("source") != SUGGESTION)


def _pairs(blind: pl.DataFrame):
    for first, second in combinations(blind["who"].unique(maintain_order=True).to_list(), 2):
        mine = blind.filter(pl.col("who") == first).select("feedback_id", first_codes="codes")
        yours = blind.filter(pl.col("who") == second).select("feedback_id", second_codes="codes")
        joint = mine.join(yours, on="feedback_id", maintain_order="left")
        if joint.height:
            yield first, second, joint


def _systems(codes: list[str]) -> set[str]:
    return {code.split("-")[0] for code in codes} - {UNMAPPED}


def _answers(column: pl.Series, system: str | None) -> list:
    return [codes[0] if system is None else system in _systems(codes) for codes in column.to_list()]


def _alpha(blind: pl.DataFrame, system: str | None) -> float | None:
    given = blind.group_by("feedback_id", maintain_order=True).agg("codes")
    return krippendorff_alpha([_answers(pl.Series(codes, dtype=pl.List(pl.String)), system) for codes in given["codes"].to_list()])


def _difference(first: list[str], second: list[str]) -> str:
    if first[0] != second[0]:
        return "code" if first[0].split("-")[0] == second[0].split("-")[0] else "system"
    return "rest" if set(first) != set(second) else ""
