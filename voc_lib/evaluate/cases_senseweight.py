"""A case of the R package senseweight: a survey, the targets it was raked to, and what an overlooked covariate would do; a row per figure.

The folder has one table of people (csv) and expected.json. Targets are shares named in R's way (`genderWomen`: column and level in one word; `(Intercept)`; the level that is not
named has the rest; a column by its own name is a mean). The column of numbers that no target names is the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from voc_lib.evaluate.found import UNKNOWN, EvaluateError
from voc_lib.measure.weighting.benchmarks import confounder_bias, covariate_benchmarks, robustness_value
from voc_lib.measure.weighting.margins import level_name
from voc_lib.measure.weighting.weights import calibrate

PEOPLE_EACH = 1_000   # customers per person of the sample: targets are shares, any size gives the same figures
MAJORITY = 0.5        # where the case names no threshold: half of a yes-or-no, as in the package's own example; 0 of anything else, its default
THRESHOLDS = ("b_star", "threshold")
SUMMARY = {"Unweighted": "speakers_mean", "Unweighted_SE": "speakers_error", "Estimate": "estimate", "SE": "std_error", "RV": "robustness_value"}
BENCHMARK = {"R2_benchmark": "r2_benchmark", "rho_benchmark": "rho_benchmark", "bias": "bias"}
BIAS = re.compile(r"bias_rho(-?[\d.]+)_R2([\d.]+)")

Row = tuple[str, str | None, float | None, float | None, float | None, str | None]


def senseweight_rows(folder: Path | str) -> Iterator[Row]:
    """(case, quantity, expected, found, difference, note) for every figure of expected.json; of weights the one that is farthest off. EvaluateError where the table does not fit the
    targets.
    """
    folder = Path(folder)
    want = json.loads((folder / "expected.json").read_text("utf-8"))
    tables = sorted(folder.glob("*.csv"))
    if len(tables) != 1:
        raise EvaluateError(f"{folder} 里应有一张调查的表（csv），现在有 {len(tables)} 张。请只放一张。")
    survey = pl.read_csv(tables[0], null_values=["", "NA"], infer_schema_length=None)
    margins, answer = _margins(survey, want["targets"])
    frame, case = calibrate(survey, margins), f"senseweight/{folder.name}" if folder.name != "senseweight" else "senseweight"
    for key, value in want.items():
        if key == "n":
            yield _row(case, "n", value, survey.height)
        elif key == "summary":
            for row in _rows(value):
                threshold, note = _threshold(want | row, survey[answer])
                found = robustness_value(frame, answer, threshold).row(0, named=True)
                yield from (_row(case, name, row[name], found[ours], note if name == "RV" else None) for name, ours in SUMMARY.items() if name in row)
        elif key == "benchmark":
            found = {row["variable"]: row for row in covariate_benchmarks(frame, answer, margins).iter_rows(named=True)}
            for row in _rows(value):
                yield from (_row(case, f"{name} {row['variable']}", row[name], found[row["variable"]][ours]) for name, ours in BENCHMARK.items() if name in row)
        elif key in ("w_head", "weights"):
            ours = (frame["weight"] / frame["weight"].mean()).head(len(value)).to_list()
            theirs, mine = max(zip(value, ours, strict=True), key=lambda pair: abs(pair[1] / pair[0] - 1))
            yield _row(case, "weights", theirs, mine)
        elif key in ("w_var", "varY"):
            found = robustness_value(frame, answer).row(0, named=True)
            yield _row(case, key, value, found["weight_variance" if key == "w_var" else "outcome_variance"])
        elif told := BIAS.fullmatch(key):
            yield _row(case, key, value, confounder_bias(frame, answer, float(told[1]), float(told[2])))
        elif key != "targets" and key not in THRESHOLDS:
            yield case, key, None, None, None, UNKNOWN


def _margins(survey: pl.DataFrame, targets: dict[str, float]) -> tuple[dict, str]:
    """Margins in people, and the column of the answer."""
    size, told = float(PEOPLE_EACH * survey.height), {}
    levels = {column: {level_name(level) for level in survey[column].drop_nulls().unique().to_list()} for column in survey.columns}
    for name, share in targets.items():
        if name == "(Intercept)":
            continue
        if name in survey.columns and survey.schema[name].is_numeric():
            told[name] = share * size
            continue
        column = max((column for column in survey.columns if name.startswith(column) and _level(name.removeprefix(column), levels[column])), key=len, default=None)
        if column is None:
            raise EvaluateError(f"目标「{name}」不是表里任何一列的一层。表里的列：{'、'.join(survey.columns)}。")
        told.setdefault(column, {})[_level(name.removeprefix(column), levels[column])] = share * size
    for column, given in told.items():
        if isinstance(given, dict):
            rest = levels[column] - set(given)
            if len(rest) > 1:
                raise EvaluateError(f"列「{column}」有 {len(rest)} 层没有目标（{'、'.join(sorted(rest))}），只能有一层。")
            given |= {level: size - sum(given.values()) for level in rest}
    others = [column for column in survey.columns if column not in told and survey.schema[column].is_numeric()]
    if "Y" in others:
        return told, "Y"
    if len(others) != 1:
        raise EvaluateError(f"不知道哪一列是回答：没有目标的数字列有 {'、'.join(others) or '零个'}。请只留一列，或叫 Y。")
    return told, others[0]


def _level(name: str, levels: set[str]) -> str | None:
    """The level as the table writes it; R writes truth values in capitals."""
    return name if name in levels else name.lower() if name in ("TRUE", "FALSE") and name.lower() in levels else None


def _threshold(told: dict, answer: pl.Series) -> tuple[float, str | None]:
    for name in THRESHOLDS:
        if name in told:
            return float(told[name]), None
    if answer.drop_nulls().cast(pl.Float64).is_in([0.0, 1.0]).all():
        return MAJORITY, f"例子没有记下门槛，这里用 {MAJORITY:g}"
    return 0.0, "例子没有记下门槛，这里用 0"


def _rows(value: list | dict) -> list[dict]:
    return value if isinstance(value, list) else [value]


def _row(case: str, quantity: str, expected: float, found: float | None, note: str | None = None) -> Row:
    difference = None if found is None else abs(found - expected) / max(abs(expected), 1e-300)
    return case, quantity, float(expected), None if found is None else float(found), difference, note
