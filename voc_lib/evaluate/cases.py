"""`voc evaluate --cases`: what the library computes, held against what other software computed from the same data, a row per figure.

A folder laid out like the shared cases: `weighting/api` (R survey on California's schools), `weighting/simvoc` (R survey on simulated customers) and `weighting/senseweight`.
A case that nothing here computes, or that is refused, is a row that says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.evaluate.cases_api import NARROW, NOT_CASES, NOTED, api_cases, read_schools, variable
from voc_lib.evaluate.cases_more import special_cases
from voc_lib.evaluate.cases_paper import REPETITIONS, paper_rows
from voc_lib.evaluate.cases_senseweight import senseweight_rows
from voc_lib.evaluate.found import UNKNOWN, EvaluateError
from voc_lib.measure.weighting.inference import Sampling, kish, weighted_mean, weighted_nps, weighted_ratio, weighted_share, weighted_total
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate

ROWS = {"case": pl.String, "quantity": pl.String, "expected": pl.Float64, "found": pl.Float64, "difference": pl.Float64, "note": pl.String}
PAPER = "kang_schafer_measured.json"
PROMOTER, DETRACTOR = 750, 599  # an NPS of schools, 750 points and more minus under 600: the case does not name them, these give its population and both samples


def evaluate_cases(folder: Path | str, repetitions: int = REPETITIONS) -> pl.DataFrame:
    """The table `case, quantity, expected, found, difference, note`; `difference` is relative; expected and found are null where `note` says 不认识这个例子.

    Of weights it shows the one that is farthest off; simulations are repeated `repetitions` times. EvaluateError where the folder has no case that is known here.
    """
    place = Path(folder) / "weighting"
    rows = []
    if (place / "api" / "expected.json").is_file():
        rows += _api(place / "api")
    if (place / "simvoc" / "expected_R_raking.json").is_file():
        rows += [row for group, want in json.loads((place / "simvoc" / "expected_R_raking.json").read_text("utf-8")).items() for row in _told(f"simvoc/{group}", lambda: _simvoc(place / "simvoc", group, want))]  # noqa: B023
    if (place / "senseweight" / "expected.json").is_file():
        rows += senseweight_rows(place / "senseweight")
    if (place / PAPER).is_file():
        rows += paper_rows(place / PAPER, repetitions)
    if not rows:
        raise EvaluateError(f"{folder} 里没有认识的例子。请写一个含 weighting/api 或 weighting/simvoc 的文件夹，例如 voc evaluate --cases ../shared/cases。")
    rows += [_unknown(other.name) for other in sorted(Path(folder).iterdir()) if other.is_dir() and other.name != "weighting"]
    return pl.DataFrame(rows, schema=ROWS, orient="row")


def _api(folder: Path) -> list[tuple]:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    schools, rows = read_schools(folder), []
    known, special = api_cases(schools), special_cases(schools)
    for case, want in expected.items():
        if case in NOT_CASES:
            continue
        name = f"api/{case}"
        if case in special:
            rows += _told(name, lambda: [(*_row(name, quantity, told, found)[:-1], note) for quantity, told, found, note in special[case](want)])  # noqa: B023
        elif case not in known:
            rows.append(_unknown(name))
        elif case == "selfsel_infeasible_bounds":
            rows.append((*_row(name, "refused", 1, float(known[case]()))[:-1], f"例子没有记下 R 的上下限，这里用 {NARROW[0]} 到 {NARROW[1]}"))
        else:
            rows += [(*row[:-1], row[-1] or NOTED.get(case)) for row in _told(name, lambda: _figures(name, want, *known[case]()))]  # noqa: B023
    return rows


def _told(case: str, made: Callable[[], Iterable[tuple]]) -> list[tuple]:
    """The rows of a case, or one that says why it was refused here."""
    try:
        return list(made())
    except WeightingError as error:
        return [(case, None, None, None, None, f"这里不肯算：{error}")]


def _figures(case: str, want: dict, frame: pl.DataFrame, sampling: Sampling, by: str | None) -> Iterator[tuple]:
    """A row for every figure in `want`, named as R survey names it."""
    kinds = {"mean": (weighted_mean, "estimate"), "se": (weighted_mean, "std_error"), "total": (weighted_total, "estimate"), "total_se": (weighted_total, "std_error")}
    for key, value in want.items():
        if key in kinds and by:
            figure, part = kinds[key]
            found = dict(figure(frame, "api00", by, sampling).select(by, part).iter_rows())
            yield from (_row(case, f"{key} api00 {by}={level}", number, found[level]) for level, number in value.items())
        elif key in kinds:
            figure, part = kinds[key]
            for name, number in value.items():
                made = (weighted_nps(frame, "api00", None, sampling, PROMOTER, DETRACTOR) if name == "nps" and name not in frame.columns
                        else figure(frame.with_columns(variable(frame, name)), "_variable", None, sampling))
                yield _row(case, f"{key} {name}", number, made[part].item())
        elif key in ("weights", "w_head"):
            ours, theirs = frame["weight"].to_numpy()[:len(value)], np.array(value)
            farthest = int(np.argmax(np.abs(ours / theirs - 1)))
            yield _row(case, "weights", theirs[farthest], ours[farthest])
        elif key == "pop_totals":
            yield from (_row(case, f"total {name}", number, float((frame.select(variable(frame, name)).to_series() * frame["weight"]).sum())) for name, number in value.items())
        elif key in ("kish_deff", "deff", "ess", "max_over_mean", "max_ratio", "min_over_mean"):
            ours = kish(frame["weight"])
            yield _row(case, key, value, ours[{"ess": "effective_n", "max_over_mean": "max_ratio", "max_ratio": "max_ratio", "min_over_mean": "min_ratio"}.get(key, "design_effect")])
        elif key == "cv":
            yield _row(case, key, value, float(np.sqrt(kish(frame["weight"])["design_effect"] * frame.height - frame.height) / np.sqrt(frame.height - 1)))
        elif key == "n":
            yield _row(case, key, value, frame.height)
        elif key == "est" and "se" in want:
            yield from _ratio(case, want, frame, sampling)
            return
        elif key == "est":
            yield from _share(case, want, frame, sampling)
            return
        elif key in ("xlogit", "logit"):
            yield from _share(f"{case}/{key}", value, frame, sampling)
        elif isinstance(value, dict):
            yield from _figures(f"{case}/{key}", value, frame, sampling, by)
        else:
            yield _unknown(f"{case}/{key}")


def _ratio(case: str, want: dict, frame: pl.DataFrame, sampling: Sampling) -> Iterator[tuple]:
    found = weighted_ratio(frame, "api.stu", "enroll", None, sampling).row(0, named=True)
    yield _row(case, "ratio api.stu/enroll", want["est"], found["estimate"])
    yield _row(case, "se api.stu/enroll", want["se"], found["std_error"])


def _share(case: str, want: dict, frame: pl.DataFrame, sampling: Sampling) -> Iterator[tuple]:
    found = weighted_share(frame.with_columns(variable(frame, "awardsYes")), "_variable", None, sampling).row(0, named=True)
    yield _row(case, "share awardsYes", want["est"], found["estimate"])
    yield _row(case, "conf_low awardsYes", want["ci"][0], found["conf_low"])
    yield _row(case, "conf_high awardsYes", want["ci"][1], found["conf_high"])


def _simvoc(folder: Path, group: str, want: dict) -> Iterator[tuple]:
    population = pl.read_csv(folder / "population_cells.csv").rename({"N": "count"})
    frame = calibrate(pl.read_csv(folder / f"speakers_{group}.csv.gz"), population)
    ours = weighted_mean(frame, "y", "region", Sampling(se="taylor"))
    figures = {key: value for key, value in want.items() if key not in ("how", "r_secs", "by_region")}  # how R did it and how long it took
    yield from _figures(f"simvoc/{group}", figures, frame, Sampling(se="taylor"), None)
    for key, part in (("mean", "estimate"), ("se", "std_error")) if "by_region" in want else ():
        yield from (_row(f"simvoc/{group}", f"{key} y region={at}", number, ours[part][at]) for at, number in enumerate(want["by_region"][key]))


def _row(case: str, quantity: str, expected: float, found: float | None) -> tuple:
    difference = None if found is None else abs(found - expected) / max(abs(expected), 1e-300)
    return case, quantity, float(expected), found, difference, None


def _unknown(case: str) -> tuple:
    return case, None, None, None, None, UNKNOWN
