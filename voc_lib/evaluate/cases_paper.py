"""Kang & Schafer (2007, doi:10.1214/07-STS227): people whose answers and silence follow four covariates, seen as they are or distorted. A row per setting and estimator.

The case holds what somebody else's simulation measured. Drawn anew here, so the figures agree only as two simulations do; the note says how far that is.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.outcomes import dr
from voc_lib.measure.weighting.propensity import ipw
from voc_lib.measure.weighting.spoken import UnevenWeights
from voc_lib.measure.weighting.weights import calibrate

TRUTH, SLOPES = 210.0, (27.4, 13.7, 13.7, 13.7)
VARIANCE = sum(slope**2 for slope in SLOPES) + 1  # of an answer
REPETITIONS, SEED = 300, 2007
SETTING = re.compile(r"n(\d+)_p(ok|wrong)_y(ok|wrong)")
WEIGHTS = {"rake": calibrate, "greg": partial(calibrate, method="linear"), "cbps": partial(calibrate, method="cbps"), "ipw_hajek": ipw}
ESTIMATORS = ("naive", *WEIGHTS, "dr_rake+ols")
NOT_OURS = "这里没有：倾向得分不收边时误差没有上限，结果模型单独用时没有校正可验；用 rake、cbps、dr"


def draw(n: int, lots: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(covariates as they are, as they are seen, answers, who speaks) of `n` people; (n, 4), (n, 4), (n,), (n,) bool. Half speak."""
    z = lots.normal(size=(n, 4))
    y = TRUTH + z @ SLOPES + lots.normal(size=n)
    speaks = lots.random(n) < 1 / (1 + np.exp(z @ [1, -0.5, 0.25, 0.1]))
    seen = np.column_stack([np.exp(z[:, 0] / 2), z[:, 1] / (1 + np.exp(z[:, 0])) + 10, (z[:, 0] * z[:, 2] / 25 + 0.6) ** 3, (z[:, 1] + z[:, 3] + 20) ** 2])
    return z, seen, y, speaks


def people_of(covariates: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({f"x{at}": column for at, column in enumerate(covariates.T)})


def paper_rows(file: Path | str, repetitions: int = REPETITIONS) -> Iterator[tuple]:
    """(case, quantity, expected, found, difference, note) for the RMSE of every estimator in every setting of the file."""
    want = json.loads(Path(file).read_text("utf-8"))
    settings = {name: told for name in want if (told := SETTING.fullmatch(name))}
    with warnings.catch_warnings(category=UnevenWeights, action="ignore"):  # weights as uneven as they come are what the paper is about
        off = {n: simulate(n, repetitions) for n in sorted({int(told[1]) for told in settings.values()})}
    for name, told in settings.items():
        for estimator, measured in want[name].items():
            case, quantity = f"kang_schafer/{name}", f"RMSE {estimator}"
            if estimator.startswith("_"):
                continue
            if estimator not in ESTIMATORS:
                yield case, quantity, measured["rmse"], None, None, NOT_OURS
                continue
            n, errors = int(told[1]), off[int(told[1])][estimator, *(part == "wrong" for part in _asked(estimator, told))]
            squares, lot, heard = errors**2, off[n]["everybody",] ** 2, np.isfinite(errors)
            # much of an error is that of the people drawn, whose size is known: what luck did to it is taken out (control variate)
            slope = np.cov(squares[heard], lot[heard])[0, 1] / lot[heard].var(ddof=1)
            calm = squares[heard] - slope * (lot[heard] - VARIANCE / n)
            found, expected = float(np.sqrt(calm.mean())), float(measured["rmse"])
            # the relative error of a root is half that of the mean under it
            unsure = np.hypot(calm.std(ddof=1) / np.sqrt(heard.sum()), squares[heard].std(ddof=1) / np.sqrt(measured["reps"])) / found**2 / 2
            note = f"另抽 {heard.sum()} 次的模拟，两次模拟本来就会差 {unsure:.1%} 左右" + (f"；{(~heard).sum()} 次不肯算" if not heard.all() else "")
            yield case, quantity, expected, found, abs(found / expected - 1), note


def simulate(n: int, repetitions: int) -> dict[tuple, np.ndarray]:
    """Errors about 210 by (estimator, *what is distorted of what it is given), NaN where it was refused."""
    lots, off = np.random.default_rng(SEED), {}
    for _ in range(repetitions):
        z, seen, y, speaks = draw(n, lots)
        everybody, told = {False: people_of(z), True: people_of(seen)}, pl.Series("y", y)
        raked = {}
        off.setdefault(("everybody",), []).append(y.mean() - TRUTH)
        off.setdefault(("naive",), []).append(y[speaks].mean() - TRUTH)
        for wrong, everyone in everybody.items():
            heard = everyone.with_columns(told).filter(speaks)
            for name, weigh in WEIGHTS.items():
                try:
                    weighted = weigh(heard, everyone)
                except WeightingError:
                    weighted = None
                off.setdefault((name, wrong), []).append(np.nan if weighted is None else (weighted["weight"] * weighted["y"]).sum() / weighted["weight"].sum() - TRUTH)
                if name == "rake":
                    raked[wrong] = weighted
        for weights in everybody:
            for model, everyone in everybody.items():
                missed = np.nan if raked[weights] is None else robust(everyone, told, speaks, raked[weights])["estimate"] - TRUTH
                off.setdefault(("dr_rake+ols", weights, model), []).append(missed)
    return {key: np.array(errors) for key, errors in off.items()}


def robust(everyone: pl.DataFrame, told: pl.Series, speaks: np.ndarray, weighted: pl.DataFrame) -> dict:
    """`dr` with a model on the covariates of `everyone` and weights that may have been made from others."""
    people = everyone.with_columns(told).filter(speaks).with_columns(weighted["weight"], weighted["base_weight"])
    return dr(people, told.name, everyone, weighted=people, fpc=True).row(0, named=True)


def _asked(estimator: str, told: re.Match) -> tuple[str, ...]:
    return () if estimator == "naive" else (told[2], told[3]) if estimator.startswith("dr") else (told[2],)
