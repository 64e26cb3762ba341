"""The cases of R survey that are no plain mean or total: quantiles, jackknife, trimming, propensities, balance. What each yields is a row per figure, as in `cases`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from voc_lib.evaluate.cases_api import CLUSTERS_FPC, PLAIN, Schools, variable
from voc_lib.measure.weighting.diagnostics import balance
from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.outcomes import dr
from voc_lib.measure.weighting.propensity import ipw
from voc_lib.measure.weighting.quantiles import jackknife, weighted_quantile
from voc_lib.measure.weighting.trimming import trim_weights
from voc_lib.measure.weighting.weights import calibrate

Rows = Iterator[tuple[str, float, float | None, str | None]]
QUARTERS = [0.25, 0.5, 0.75]
FOUR_ROUNDS = "R 的 rake 到各层相差不到 1 人就停，刀切的每一份也只做同样的 4 轮；这里都算到收敛"


def special_cases(schools: Schools) -> dict[str, Callable[[dict], Rows]]:
    """By the name of the case, what makes its rows `quantity, expected, found, note` from what R found."""
    raked = {"stype": schools.margin("stype"), "sch.wide": schools.margin("sch.wide")}
    found = {
        "srs_rake_quantiles": lambda want: _quantiles(want, calibrate(schools.srs, raked)),
        "srs_rake_w1_jk1": lambda want: _jackknife(want, jackknife(schools.srs, "api00", raked)),
        "pub_rclus1r_jkn": lambda want: _jackknife(want, jackknife(schools.clusters, "api00", raked, base_weight="pw", sampling=CLUSTERS_FPC), FOUR_ROUNDS),
        "selfsel_ipw_glm": lambda want: _ipw(want, schools),
        "selfsel_dr": lambda want: _dr(want, schools),
        "selfsel_smd": lambda want: _balance(want, schools),
    }
    for times in (3, 2):
        for strict in (True, False):
            found[f"selfsel_rake3_trim{times}xmean_strict{str(strict).upper()}"] = lambda want, times=times, strict=strict: _trimmed(want, schools.raked3(), times, strict)
    return found


def _quantiles(want: dict, frame: pl.DataFrame) -> Rows:
    ours = weighted_quantile(frame, "api00", QUARTERS, PLAIN)
    for at, share in enumerate(QUARTERS):
        yield f"q{share:g}", want["q"][at], ours["estimate"][at], None
        yield f"se q{share:g}", want["se"][at], ours["std_error"][at], None


def _jackknife(want: dict, ours: pl.DataFrame, note: str | None = None) -> Rows:
    names = {"mean": "estimate", "se": "std_error", "total": "total", "total_se": "total_std_error"}
    yield from ((f"{key} api00", want[key]["api00"], ours[name].item(), note) for key, name in names.items() if key in want)


def _trimmed(want: dict, frame: pl.DataFrame, times: float, strict: bool) -> Rows:
    upper = times * frame["weight"].mean()
    cut = trim_weights(frame, upper, strict)
    mean = weighted_mean(cut, "api00", sampling=PLAIN)
    ours = {"upper": upper, "max": cut["weight"].max(), "sum": cut["weight"].sum(), "n_at_cap": float((cut["weight"] >= upper * (1 - 1e-9)).sum())}
    yield from ((key, want[key], ours[key], None) for key in ours if key in want)
    yield "mean api00", want["mean"]["api00"], mean["estimate"].item(), None
    yield "se api00", want["se"]["api00"], mean["std_error"].item(), None
    if "weights" in want:
        yield from _weights(want["weights"], cut)


def _ipw(want: dict, schools: Schools) -> Rows:
    frame = ipw(schools.selfsel, schools.lines())
    names = list(want["coef"])  # of the intercept first
    columns = [np.ones(frame.height), *(frame.select(variable(frame, name)).to_series().to_numpy() for name in names[1:])]
    odds = np.log(frame["propensity"] / (1 - frame["propensity"])).to_numpy()
    coefficients = np.linalg.lstsq(np.column_stack(columns), odds, rcond=None)[0]
    yield from ((f"coef {name}", want["coef"][name], float(value), None) for name, value in zip(names, coefficients, strict=True))
    total = float((frame["weight"] * frame["api00"]).sum())
    ours = {"hajek": total / frame["weight"].sum(), "ht": total / schools.population.height, "sum_w": frame["weight"].sum(), "max_w": frame["weight"].max()}
    yield from ((key, want[key], ours[key], None) for key in ours if key in want)


def _dr(want: dict, schools: Schools) -> Rows:
    lines = schools.lines()
    ours = {"aipw_hajek": lambda: dr(schools.selfsel, "api00", lines, outcome="linear", weighting="ipw"), "aipw_ht": lambda: dr(schools.selfsel, "api00", lines, outcome="linear", weighting="ipw", divide="people"),
            "om": lambda: weighted_mean(calibrate(schools.selfsel, lines, "linear"), "api00")}  # a line over everybody is the mean by its own weights
    yield from ((key, want[key], figure()["estimate"].item(), None) for key, figure in ours.items() if key in want)


def _balance(want: dict, schools: Schools) -> Rows:
    lines = list(want["before"])
    everyone = schools.population.select(pl.col(lines).cast(pl.Float64))
    ours = {row["covariate"]: row for row in balance(schools.raked3(), everyone).iter_rows(named=True)}
    for key, part in (("before", "before"), ("after_rake3", "after")):
        yield from ((f"{key} {name}", want[key][name], ours[name][part], None) for name in lines)


def _weights(theirs: list[float], frame: pl.DataFrame) -> Rows:
    """The weight that is farthest off."""
    ours, told = frame["weight"].to_numpy()[:len(theirs)], np.array(theirs)
    farthest = int(np.argmax(np.abs(ours / told - 1)))
    yield "weights", float(told[farthest]), float(ours[farthest]), None
