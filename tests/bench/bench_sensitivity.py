"""Does the range of the silent hold the truth? Simulated customers whose satisfaction itself makes them speak, raked to their margins, many times over; and what the arithmetic costs.

Who speaks is drawn anew, the customers stay. `range` is the share of repetitions in which low <= truth <= high, `with error` with sampling error added; `tipping` the least odds
whose range reaches the truth. What the odds bound is the deviation from the average odds of customers with equal covariates: odds planted at x3 and x1.7 deviate by less, as the
first table says. That a range holds the truth here is a fact about the odds planted here, no guarantee. The simulator is a file of the shared cases. CPU seconds; nothing is
asserted.

    python tests/bench/bench_sensitivity.py [shared cases] [repetitions]
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.measure.weighting.cells import cells_of
from voc_lib.measure.weighting.changes import change_sensitivity
from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.outcomes import about_everybody
from voc_lib.measure.weighting.sensitivity import sensitivity
from voc_lib.measure.weighting.weights import calibrate
from voc_lib.stats.marginal_sensitivity import least_odds, odds_range

CUSTOMERS, RATE, SEED = 200_000, 0.1, 20_260
LOTS = 71  # who speaks; not the seed of the customers, whose first numbers would be drawn again
ODDS = (1.25, 1.5, 2.0)
SCENARIOS = ("mar_main", "mnar_angry", "mnar_j", "mnar_strong")
GOALS = {("mnar_angry", 1.5): ">= 99 %"}


def simulator(cases: Path):
    spec = importlib.util.spec_from_file_location("simvoc", cases / "weighting" / "simvoc" / "simvoc.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def customers(simvoc, seed: int, worse: int = 0) -> tuple[dict, pl.DataFrame, pl.DataFrame]:
    """The simulated people as the simulator has them, as a frame, and their cells; `worse` takes points off the satisfaction of one model's owners."""
    people = simvoc.population(CUSTOMERS, seed)
    people["y"] = np.maximum(people["y"] - worse * (people["model"] == 2), 0)
    people["nps"] = 100.0 * (people["y"] >= 9) - 100.0 * (people["y"] <= 6)
    frame = pl.DataFrame({name: people[name] for name in (*simvoc.COV, "y", "nps")})
    return people, frame, frame.group_by(simvoc.COV).agg(pl.len().alias("count")).sort(simvoc.COV)


def deviations(simvoc, people: dict, frame: pl.DataFrame, scenario: str) -> np.ndarray:
    """By how much the odds of each customer deviate from the average of his cell, as a factor of 1 or more."""
    told = frame.with_columns(pl.Series("p", simvoc.speak_prob(people, scenario, RATE))).with_columns(pl.col("p").mean().over(simvoc.COV).alias("average"))
    p, average = told["p"].to_numpy(), told["average"].to_numpy()
    return np.exp(np.abs(np.log(p / (1 - p)) - np.log(average / (1 - average))))


def held(simvoc, world, scenario: str, repetitions: int) -> list[tuple]:
    """A row per figure and odds."""
    people, frame, cells = world
    p, stream = simvoc.speak_prob(people, scenario, RATE), np.random.default_rng(LOTS)
    truth, seen = {figure: frame[figure].mean() for figure in ("y", "nps")}, {}
    for _ in range(repetitions):
        raked = calibrate(frame.filter(pl.Series(stream.random(CUSTOMERS) < p)), cells)
        for figure in truth:
            page = raked.with_columns(about_everybody(raked, figure, cells_of(raked, figure, cells)))
            for name, table, column in ((figure, raked, figure), (f"{figure}, as the page (around dr)", page, "around")):
                found = sensitivity(table, column, ODDS, threshold=truth[figure])  # the last row is that of the tipping odds
                for key, (odds, low, high, conf_low, conf_high, *_) in zip((*ODDS, "tipping"), found.iter_rows(), strict=True):
                    seen.setdefault((name, key), []).append((odds, low, high, conf_low, conf_high))
    truth, rows = {name: truth[name.split(",")[0]] for name, _ in seen}, []
    for figure, odds in ((figure, odds) for figure in truth for odds in ODDS):
        _, low, high, conf_low, conf_high = np.array(seen[figure, odds], float).T
        tipping = np.array(seen[figure, "tipping"], float)[:, 0]
        inside = [np.mean((lower <= truth[figure]) & (truth[figure] <= upper)) for lower, upper in ((low, high), (conf_low, conf_high))]
        rows.append((scenario, figure, odds, *inside, low.mean(), truth[figure], high.mean(), np.median(tipping), tipping.max(), GOALS.get((scenario, odds), "")))
    return rows


def weeks(simvoc, worlds, repetitions: int) -> list[tuple]:
    """The change between two populations, the second less content, under the same and under different selection: how often the true change is inside."""
    rows = []
    for before, now in (("mar_main", "mar_main"), ("mnar_angry", "mnar_angry"), ("mnar_j", "mnar_j"), ("mnar_angry", "mnar_strong")):
        stream, inside, width, plain = np.random.default_rng(LOTS + 1), [], [], []
        chances = [simvoc.speak_prob(people, scenario, RATE) for (people, *_), scenario in zip(worlds, (before, now), strict=True)]
        truth = worlds[1][1]["y"].mean() - worlds[0][1]["y"].mean()
        for _ in range(repetitions):
            raked = [calibrate(frame.filter(pl.Series(stream.random(CUSTOMERS) < p)), cells) for (_, frame, cells), p in zip(worlds, chances, strict=True)]
            found = change_sensitivity(*raked, "y", odds=(1.0, 1.25, 1.5))
            inside.append(((found["conf_low"] <= truth) & (truth <= found["conf_high"])).to_numpy())
            width.append((found["high"] - found["low"]).to_numpy())
            plain.append(found["change"][0])
        rows.append((before, now, truth, np.mean(plain), *np.mean(inside, 0), *np.mean(width, 0)))
    return rows


def costs() -> list[tuple]:
    """CPU seconds of a million people."""
    stream = np.random.default_rng(LOTS)
    values, silent = stream.normal(size=1_000_000), stream.exponential(9, 1_000_000)
    covariates = {f"c{at}": stream.integers(0, 6, 1_000_000) for at in range(6)}
    frame = calibrate(pl.DataFrame(covariates | {"score": stream.integers(0, 11, 1_000_000)}), {name: {level: 10_000_000 / 6 for level in range(6)} for name in covariates})
    calls = {
        "exact range of 1 million, 5 odds": lambda: odds_range(values, np.ones(1_000_000), silent, [1, 1.1, 1.25, 1.5, 2]),
        "tipping odds of 1 million": lambda: least_odds(values, np.ones(1_000_000), silent, 0.3),
        "sensitivity with errors, 1 million raked, 4 odds": lambda: sensitivity(frame, "score"),
        "weighted_mean of the same, to compare": lambda: weighted_mean(frame, "score"),
        "change_sensitivity, twice 1 million, 4 drifts": lambda: change_sensitivity(frame, frame, "score"),
    }
    rows = []
    for name, call in calls.items():
        began = time.process_time()
        call()
        rows.append((name, time.process_time() - began))
    return rows


def main(cases: str = "../shared/cases", repetitions: str = "300") -> None:
    if not (Path(cases) / "weighting" / "simvoc").is_dir():
        print(f"bench_sensitivity: no simulator in {cases}")
        return
    simvoc = simulator(Path(cases))
    worlds = [customers(simvoc, SEED), customers(simvoc, SEED + 1, worse=1)]
    with pl.Config(tbl_rows=50, float_precision=3, tbl_width_chars=180, tbl_hide_dataframe_shape=True, tbl_cols=20, fmt_str_lengths=60, tbl_hide_column_data_types=True):
        planted = [(scenario, *np.quantile(deviations(simvoc, worlds[0][0], worlds[0][1], scenario), (0.5, 0.9, 0.99, 1))) for scenario in SCENARIOS]
        print(pl.DataFrame(planted, ["deviation from average odds", "median", "90 %", "99 %", "most"], orient="row"))
        rows = [row for scenario in SCENARIOS for row in held(simvoc, worlds[0], scenario, int(repetitions))]
        print(pl.DataFrame(rows, ["scenario", "figure", "odds", "range", "with error", "mean low", "truth", "mean high", "tipping", "most", "goal for range"], orient="row"))
        rows = weeks(simvoc, worlds, max(int(repetitions) // 6, 2))
        print(pl.DataFrame(rows, ["before", "now", "true change", "plain", "inside 1", "inside 1.25", "inside 1.5", "width 1", "width 1.25", "width 1.5"], orient="row"))
        print(pl.DataFrame(costs(), ["CPU seconds", ""], orient="row"))


if __name__ == "__main__":
    main(*sys.argv[1:])
