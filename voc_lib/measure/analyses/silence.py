"""What would all customers say? Heard, heard of linked customers, corrected for the silent, and how far silence could move it.

The three steps are never mixed: between 听到的(全部) and 听到的(可关联) lies what linking loses, between that and 折算到全体 who spoke, and around it what no weight can see. A figure whose
weights do not reproduce what is known of all customers is not printed, only its range.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import polars as pl

from voc_lib.contracts import Metric
from voc_lib.measure import metrics
from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.estimate import MIN_PEOPLE, NUMBERS, SUPPRESSED, estimate
from voc_lib.measure.feedback import UNDATED, feedback, weeks, weeks_before
from voc_lib.measure.weighting.correct import UNASKED, Correction, answers_of, correct, ranges, span
from voc_lib.measure.weighting.frame import base_of, everybody_of, totals_of
from voc_lib.measure.weighting.margins import COUNT, PERSON, WeightingError
from voc_lib.measure.weighting.sensitivity import HEADLINE
from voc_lib.measure.weighting.weights_file import weights_to_file
from voc_lib.store import Store, open_store

WEEKS = 13            # a quarter: the frame comes four times a year, and a week has too few answers
DIGITS = 8            # significant; models are solved, and another machine rounds otherwise far behind
CODES = 10            # of by="code", the most mentioned
KINDS = ("heard", "heard_linked", "weighted", "range")
NO_LEVEL = "认不出是谁的反馈，不知道属于哪一类"
UNMOVED = "折算前后之差没有超出误差，看不出谁开口对结果有影响"
COUNTED = "计数没有折算：每条、每人都已数到"


def answer(metric: str | Metric | list[str], by: str | None = None, store: Store | str | None = None, period: str | None = None, weeks: int = WEEKS, channel: str | list[str] | None = None,
           odds: float = HEADLINE, confidence: float = 0.95) -> pl.DataFrame:
    """The metric (or each of several) as heard, as heard of linked customers, corrected to the base of its channel, and its range under silence: four rows a channel, or a channel and level of `by`.

    `period`: the last ISO week (none: the store's newest) of `weeks` weeks. `by`: a column by which is weighted (levels by `mrp`), or "code" (of code_share; the most mentioned ten of a channel).
    Columns: metric, channel, base, [by,] kind (heard, heard_linked, weighted, range), estimate, std_error, conf_low, conf_high, n (feedback; of weighted: people), people, effective_n, linked_share,
    note, provenance (JSON). Of `range` conf_low and conf_high are what the figure can be where the odds of speaking are up to `odds` times off, sampling included. The weighted estimate is
    null, and the note says why, in channels nobody was asked in, without a list of the base, under ten linked people, where weights are too uneven or the check of the correction failed.
    Groups under ten people show no figure. Raises ValueError for an unknown metric or `by`, PeriodError for a week.
    """
    asked, store = [metrics.metric(one) for one in (metric if isinstance(metric, list) else [metric])], store if isinstance(store, Store) else open_store(store)
    if by == "code" and any(one.explode != "codes" for one in asked):
        raise ValueError("只有 code_share 能按 code 折算。其余指标请按加权用的列，或不分组。")
    if period == UNDATED:
        return _table([], by)  # what has no date has no base
    listed = asked_weeks(store, period, weeks)
    rows, contracts = feedback(store, listed, channel), channels_of(store)
    found = [_channel(store, one, by, part, contracts[name], listed, odds, confidence) for one in asked for name, part in _by_channel(rows, one) if name in contracts]
    return pl.concat(found) if found else _table([], by)


def correction(metric: str | Metric, channel: str, store: Store | str | None = None, period: str | None = None, weeks: int = WEEKS, code: str | None = None) -> Correction:
    """The weighting behind `answer` for one metric in one channel: cells, weights, people, diagnostics; `refused` says why there is none. `code`: of code_share, the code meant."""
    metric, store = metrics.metric(metric), store if isinstance(store, Store) else open_store(store)
    listed = asked_weeks(store, period, weeks)
    rows = feedback(store, listed, channel)
    metric = metric if code is None else _mentions(metric, code)
    return replace(correct(store, answers_of(rows, metric).rename({"y": metric.name}), channels_of(store)[channel], *span(listed))[metric.name], metric=metric)


def asked_weeks(store: Store, period: str | None, many: int) -> list[str]:
    """The ISO weeks of an answer, oldest first."""
    known = weeks(store)["iso_week"]
    last = period or (known[-1] if len(known) else None)
    if last is None:
        raise WeightingError(f"库「{store.name}」里还没有带日期的反馈。请先用 voc ingest 导入。")
    return [*weeks_before(last, many - 1), last]


def margins(channel: str, store: Store | str | None = None, period: str | None = None, weeks: int = WEEKS, lines: Sequence[str] = ()) -> dict:
    """What is known of all customers of a channel's base, for `calibrate` on a frame of one's own: `{column: {level: customers}}`, and of `lines` (numbers of the register: usage, spend, ...) their totals.

    Customers of whom a line is not known are not in its total: fill it in the frame, or weigh by bands. Raises FrameError as `base_of`, WeightingError where nobody is in it.
    """
    store = store if isinstance(store, Store) else open_store(store)
    base = base_of(store, channels_of(store)[channel].base, *span(asked_weeks(store, period, weeks)))
    everyone = everybody_of(store, base)
    levels = {column: dict(everyone.group_by(column).agg(pl.col(COUNT).sum()).sort(column).iter_rows()) for column in base.columns}
    return levels | totals_of(store, base, lines)


def write_weights(metric: str | Metric, channel: str, to: Path | str, store: Store | str | None = None, period: str | None = None, weeks: int = WEEKS,
                  answers: pl.DataFrame | Path | str | None = None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """A Parquet file `to` of `customer_id`, the columns weighed by and `weight` (customers a person stands for) of everybody who answered `metric` in the channel, for R, SPSS or a colleague.

    `answers`: instead of the store's own, a frame or a Parquet file with `customer_id` and a column named as the metric, a row a customer; as a file, a million of them are never held in
    memory. Gives back the cells with their weights (`mean_of_cells` makes the figure of them) and what must be said of them. Whether they reproduce what is known of all customers, and a
    figure may be told, says `correction(...).hidden`. Warns (UnevenWeights) where few people carry it all. WeightingError as `weights_to_file`, FrameError as `base_of`;
    ValueError for an unknown metric.
    """
    store = store if isinstance(store, Store) else open_store(store)
    contracts = channels_of(store)
    if channel not in contracts:
        raise WeightingError(f"库「{store.name}」里没有渠道「{channel}」。现有：{'、'.join(sorted(contracts))}。")
    if not contracts[channel].solicited:
        raise WeightingError(f"「{channel}」的权重算不出：{UNASKED}。请换一个问卷一类的渠道。")
    listed, metric = asked_weeks(store, period, weeks), metrics.metric(metric)
    if answers is None:
        answers = answers_of(feedback(store, listed, channel), metric).rename({"y": metric.name})
    base = base_of(store, contracts[channel].base, *span(listed))
    return weights_to_file(store, base, answers if isinstance(answers, pl.DataFrame) else Path(answers), metric.name, Path(to))


def _by_channel(rows: pl.DataFrame, metric: Metric):
    answered = rows.filter(metric.base)
    for name in answered["channel"].unique().sort():
        yield name, answered.filter(pl.col("channel") == name)


def _channel(store, metric, by, rows, contract, listed, odds, confidence) -> pl.DataFrame:
    told = {"store": store.name, "snapshot": store.snapshot, "filter": {"channel": contract.channel, "weeks": [listed[0], listed[-1]]}}
    if metric.unit == "count":
        heard = estimate(rows, metric, None, confidence=confidence, provenance=told).row(0, named=True)
        return _table([_row(metric, contract, "heard", heard | {"note": COUNTED})], by)
    if by == "code":
        return _codes(store, metric, rows, contract, listed, odds, confidence, told)
    one = replace(correct(store, answers_of(rows, metric).rename({"y": metric.name}), contract, *span(listed))[metric.name], metric=metric)
    return _table(_rows(metric, by, None, rows, contract, one, odds, confidence, told), by)


def _codes(store, metric, rows, contract, listed, odds, confidence, told) -> pl.DataFrame:
    said = rows.explode("codes", empty_as_null=False, keep_nulls=False).group_by("codes").agg(pl.col("person").n_unique().alias("people")).sort("people", "codes", descending=[True, False])
    codes = said.filter(pl.col("people") >= MIN_PEOPLE).head(CODES)["codes"].to_list()
    made = [_mentions(metric, code) for code in codes]
    answers = None
    for one in made:
        own = answers_of(rows, one).rename({"y": one.name})
        answers = own if answers is None else answers.join(own, on=PERSON, how="full", coalesce=True)
    found = {} if answers is None else correct(store, answers, contract, *span(listed))
    return _table([row for code, one in zip(codes, made, strict=True) for row in _rows(one, "code", code, rows, contract, replace(found[one.name], metric=one), odds, confidence, told)], "code")


def _mentions(metric: Metric, code: str) -> Metric:
    """Whether a person mentions the code, as a metric of its own."""
    return Metric(label=f"提到{code}的占比", unit="share", definition=f"听到的人中，提到「{code}」的人所占比例", value=pl.col("codes").list.contains(code).cast(pl.Float64), base=metric.base,
                  per_person="any", base_definition=metric.base_definition, name=f"{metric.name}:{code}")


def _rows(metric, by, code, rows, contract, one: Correction, odds, confidence, told) -> list[dict]:
    """The four rows, or four for every level."""
    told = told | {"weighed_by": list(one.columns), "odds": odds}
    linked = rows.filter(pl.col(PERSON).is_not_null())
    if by in (None, "code") or one.refused is not None:  # of a channel that is not corrected nobody's level is known
        heard = _heard(rows, metric, confidence, told)
        yours = _heard(linked, metric, confidence, told)
        figures = [_row(metric, contract, "heard", heard, by, code), _row(metric, contract, "heard_linked", yours, by, code)]
        return figures + [row | ({by: code} if by else {}) for row in _corrected(metric, contract, one, None, odds, confidence, heard["provenance"])]
    if by not in one.base.columns:
        raise ValueError(f"没有按「{by}」折算过。可用：{'、'.join(one.base.columns)}，或 code。")
    provenance = _heard(rows, metric, confidence, told)["provenance"]
    return [*_heard_by(linked, metric, contract, one, by, confidence, provenance), *_corrected(metric, contract, one, by, odds, confidence, provenance)]


def _heard_by(linked: pl.DataFrame, metric, contract, one: Correction, by: str, confidence: float, provenance: str) -> list[dict]:
    """What linked people of the base said, by level; of all heard it cannot be told, since only the register knows the level."""
    told = estimate(linked.drop(by, strict=False).join(one.people.select(PERSON, by), on=PERSON), metric, by, confidence=confidence)
    rows = []
    for row in told.iter_rows(named=True):
        rows += [_row(metric, contract, "heard", {"note": NO_LEVEL, "provenance": provenance}, by, row[by]), _row(metric, contract, "heard_linked", row | {"provenance": provenance}, by, row[by])]
    return rows


def _heard(rows: pl.DataFrame, metric: Metric, confidence: float, told: dict) -> dict:
    if rows.is_empty():
        return dict.fromkeys([*NUMBERS, "effective_n", "linked_share"]) | {"n": 0, "people": 0, "note": "没有一条关联到客户", "provenance": json.dumps(told, ensure_ascii=False, sort_keys=True)}
    found = estimate(rows, metric, None, confidence=confidence, provenance={name: told[name] for name in ("store", "snapshot", "filter")}).row(0, named=True)
    known = json.loads(found["provenance"]) | {name: told[name] for name in ("weighed_by", "odds")}
    found["provenance"] = json.dumps(known, ensure_ascii=False, sort_keys=True)
    return found if found["people"] >= MIN_PEOPLE else found | dict.fromkeys([*NUMBERS, "effective_n", "n", "people", "linked_share"]) | {"note": SUPPRESSED}


def _corrected(metric, contract, one: Correction, by, odds, confidence, provenance) -> list[dict]:
    """The weighted row and the range, of all or by level; one empty row of each where it is refused."""
    if one.refused is not None or (by is not None and by not in one.columns):
        reason = one.refused or f"回答的人不够按「{by}」折算"
        return [_row(metric, contract, kind, {"note": f"无法校正：{reason}" if kind == "weighted" else None, "provenance": provenance}, by) for kind in ("weighted", "range")]
    figures = one.total(confidence) if by is None else one.segments(by, confidence)
    silent = ranges(one, [odds], by, confidence)
    said = dict(silent.rows_by_key([by], unique=True, named=True)) if by else {None: silent.row(0, named=True)}
    rows = []
    for row in figures.iter_rows(named=True):
        level, few = row.get(by), row["n"] < MIN_PEOPLE
        notes = [*one.notes, row["note"]] if by is None else [row["note"]]
        known = {"people": row["n"], "linked_share": 1.0, "provenance": provenance}
        shown = {name: row[name] for name in (*NUMBERS, "n", "effective_n")}
        if few:
            shown, known, notes = {}, {"provenance": provenance}, [SUPPRESSED]
        elif one.hidden:
            shown, notes = {"n": row["n"], "effective_n": row["effective_n"]}, [one.hidden, *notes]
        elif by is None and _unmoved(one, confidence):
            notes.append(UNMOVED)
        rows.append(_row(metric, contract, "weighted", shown | known | {"note": "；".join(dict.fromkeys(one for one in notes if one)) or None}, by, level))
        span_ = {} if few or level not in said else {"conf_low": _least(said[level], "low"), "conf_high": _least(said[level], "high"), "n": row["n"], "people": row["n"]}
        rows.append(_row(metric, contract, "range", span_ | {"note": None if span_ else SUPPRESSED, "provenance": provenance}, by, level))
    return rows


def _unmoved(one: Correction, confidence: float) -> bool:
    """Whether weighting moved the figure by less than that can be told from chance."""
    moved, error = one.shift()
    return 0 < abs(moved) <= NormalDist().inv_cdf(0.5 + confidence / 2) * error


def _least(row: dict, side: str) -> float | None:
    return row[f"conf_{side}"] if row[f"conf_{side}"] is not None else row[side]


def _row(metric, contract, kind: str, figures: dict, by: str | None = None, level: str | None = None) -> dict:
    return {"metric": metric.name or metric.label, "channel": contract.channel, "base": contract.base} | ({by: level} if by else {}) | {"kind": kind} | {
        name: figures.get(name) for name in (*NUMBERS, "n", "people", "effective_n", "linked_share", "note", "provenance")}


def _table(rows: list[dict], by: str | None) -> pl.DataFrame:
    text, whole = {"metric", "channel", "base", "kind", "note", "provenance", *([by] if by else [])}, {"n", "people"}
    names = ["metric", "channel", "base", *([by] if by else []), "kind", *NUMBERS, "n", "people", "effective_n", "linked_share", "note", "provenance"]
    table = pl.DataFrame(rows, schema={name: pl.String if name in text else pl.Int64 if name in whole else pl.Float64 for name in names})
    return table.with_columns(pl.col(*NUMBERS, "effective_n", "linked_share").round_sig_figs(DIGITS))
