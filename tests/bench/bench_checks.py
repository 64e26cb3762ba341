"""Does the check of the correction catch what is wrong, do channels cry wolf, and do probes cover the truth? Simulated customers, many repetitions.

Prints a row per quantity with its goal: how often channels that are moved by known columns only are called in disagreement (Cochran's Q, at 5 %), and channels of which
one is moved by satisfaction itself (no goal: where the very low and the very high both speak, the mean hardly moves, and Q looks at the mean); how often a probe of 500
answers covers the truth at full response, and the printed range at 25 % response with odds of answering that depend on satisfaction, without and with call-backs; and the
verdicts of the check where weights are right and where they miss something. The simulator is read from the folder of cases.

    python tests/bench/bench_checks.py [folder of cases] [repetitions, default 300]
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.measure.weighting.channel_agreement import channel_agreement, shared_covariance
from voc_lib.measure.weighting.checks import BOUND, check_correction
from voc_lib.measure.weighting.inference import weighted_mean
from voc_lib.measure.weighting.probe import ODDS_RATIO, probe_estimate
from voc_lib.measure.weighting.weights import calibrate

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
REPETITIONS, PEOPLE, SEED = 300, 200_000, 11
LOTS = 7001  # never the seed of the customers: the same stream would draw by region
CALL_BACK_PART, CALL_BACK_RATE = 1 / 3, 0.4


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def chances(z: np.ndarray, rate: float) -> np.ndarray:
    """Chances of speaking with log odds `z` and a constant, `rate` on average."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if logistic(middle + z).mean() < rate else (low, middle)
    return logistic(low + z)


def row(what: str, found: str, goal: str, met: bool | None) -> None:
    print(f"{what:<104} {found:>16}   {goal:<14} {'' if met is None else 'met' if met else 'MISSED'}", flush=True)


def channels(everyone: pl.DataFrame, covariates: list[str], repetitions: int) -> None:
    """Social media, hotline and survey, each moved by columns of its own; then social media by very low and very high satisfaction, or the hotline by anger, as well."""
    y, column = everyone["y"].to_numpy(), {name: everyone[name].to_numpy().astype(float) for name in covariates}
    known = {"social": (0.6 * (column["usage"] - 2) - 0.4 * (column["tenure"] - 2) + 0.5 * (column["region"] == 1), 0.03),
             "call": (1.3 * column["visits"] + 0.6 * (column["model"] == 2), 0.05), "survey": (0.5 * (column["tenure"] - 2) + 0.3 * (column["spend"] - 2), 0.04)}
    pulls = {"all explained": {}, "mnar_social, odds x4 of <= 3 and x3 of >= 9": {"social": np.log(4) * (y <= 3) + np.log(3) * (y >= 9)}, "hotline, odds x3 of <= 4": {"call": np.log(3) * (y <= 4)}}
    population = everyone.group_by(covariates).agg(pl.len().alias("count"))
    everyone = everyone.with_columns((pl.col("y") >= 9).cast(pl.Float64).alias("promoter"))
    for name, pull in pulls.items():
        lots, fired, covered = np.random.default_rng(LOTS), Counter(), 0
        speak = {channel: chances(z + pull.get(channel, 0.0), rate) for channel, (z, rate) in known.items()}
        for _ in range(repetitions):
            frames = {channel: calibrate(everyone.filter(pl.Series(lots.random(PEOPLE) < chance)), population) for channel, chance in speak.items()}
            for asked in ("y", "promoter"):
                told = pl.concat([weighted_mean(frame, asked).with_columns(pl.lit(channel).alias("channel")) for channel, frame in frames.items()])
                found = channel_agreement(told, shared_covariance(frames, asked))
                fired[asked] += found.figures["p_value"] < 0.05
                if asked == "y":
                    fired["apart"] += channel_agreement(told).figures["p_value"] < 0.05
                    covered += found.figures["conf_low"] <= y.mean() <= found.figures["conf_high"]
        shares = {asked: fired[asked] / repetitions for asked in ("y", "promoter", "apart")}
        quiet = not pull
        row(f"channels, {name}: Q fires on mean, promoters", f"{shares['y']:.3f} {shares['promoter']:.3f}", "<= .08" if quiet else "", max(shares["y"], shares["promoter"]) <= 0.08 if quiet else None)
        row("    mean, shared people ignored; HKSJ interval over channels covers", f"{shares['apart']:.3f} {covered / repetitions:.3f}", "", None)


def probes(everyone: pl.DataFrame, covariates: list[str], repetitions: int) -> None:
    y = everyone["y"].to_numpy()
    z = (y - y.mean()) / y.std()
    population = everyone.group_by("visits", "model").agg(pl.len().alias("count"))
    known = 0.5 * everyone["visits"].to_numpy() - 0.3 * (everyone["usage"].to_numpy() - 2)
    cases = [("500 answers, all answer", 1.0, 1.0, 0.0, 0.0), ("25 % answer, odds x .8 per s.d.", 0.25, 0.8, 0.0, 0.0), ("25 % answer, odds x 1.25 per s.d.", 0.25, 1.25, 0.0, 0.0),
             ("25 % answer, odds x 1.5 per s.d.", 0.25, 1.5, 0.0, 0.0), ("25 % answer, odds x .8 per s.d. and by visits, usage", 0.25, 0.8, 1.0, 0.0),
             ("25 % answer, odds x .8 per s.d., a third called again", 0.25, 0.8, 0.0, CALL_BACK_PART), ("25 % answer, odds x .67 per s.d. at both, a third called again", 0.25, 1 / 1.5, 0.0, CALL_BACK_PART)]
    for name, rate, odds, by_known, part in cases:
        lots, spans = np.random.default_rng(LOTS + 1), Counter()
        first = np.ones(PEOPLE) if rate == 1 else chances(np.log(odds) * z + by_known * known, rate)
        again = chances(np.log(odds) * z, CALL_BACK_RATE)
        widths = []
        for _ in range(repetitions):
            drawn = lots.choice(PEOPLE, int(round(500 / rate)), replace=False)
            answered = lots.random(len(drawn)) < first[drawn]
            called = ~answered & (lots.random(len(drawn)) < part)
            late = called & (lots.random(len(drawn)) < again[drawn])
            disposition = np.select([answered, late, called], ["first", "call_back", "no_answer"], "not_followed")
            probe = everyone[drawn].with_columns(pl.Series("disposition", disposition), pl.when(pl.Series(answered | late)).then("y").alias("y"))
            probe = probe.with_columns((pl.col("y") >= 9).cast(pl.Float64).alias("promoter"))
            asked = {"plain": probe_estimate(probe, "y"), "raked": probe_estimate(probe, "y", population), "narrow": probe_estimate(probe, "y", odds_ratio=1.25), "share": probe_estimate(probe, "promoter")}
            for told, found in asked.items():
                ends = {kind: (low, high) for kind, low, high in found.select("kind", "conf_low", "conf_high").iter_rows()}
                truth = (y >= 9).mean() if told == "share" else y.mean()
                spans[told, "range"] += ends["range"][0] <= truth <= ends["range"][1]
                spans[told, "weighted"] += ends["weighted"][0] <= truth <= ends["weighted"][1]
                if told == "plain":
                    widths.append(ends["range"][1] - ends["range"][0])
        if rate == 1:
            for told in ("plain", "raked", "share"):
                share = spans[told, "weighted"] / repetitions
                row(f"probe, {name}, {told}: interval covers", f"{share:.3f}", ".91-.97", 0.91 <= share <= 0.97)
            continue
        told = "raked" if by_known else "plain"  # where columns of the frame move people to answer, the frame has to be given
        share = spans[told, "range"] / repetitions
        row(f"probe, {name}: range at {ODDS_RATIO:g} covers{', raked' if by_known else ''} (width in s.d.)", f"{share:.3f} ({np.mean(widths) / y.std():.2f})", ">= .95", share >= 0.95)
        others = (("plain", "range"), ("raked", "range"), ("share", "range"), ("narrow", "range"), ("plain", "weighted"))
        row("    range at 1.5: plain, raked to visits and model, of the promoters; range at 1.25; interval alone", " ".join(f"{spans[which] / repetitions:.2f}" for which in others), "", None)


def verdicts(everyone: pl.DataFrame, covariates: list[str], lin: dict[str, np.ndarray], repetitions: int) -> None:
    """Repurchase that follows satisfaction weakly and closely, by scenario and number of speakers; what is true is the difference that is left with everybody's chance known."""
    lots = np.random.default_rng(LOTS + 2)
    y = everyone["y"].to_numpy()
    for closely, slope in (("weakly", 0.3), ("closely", 1.2)):
        everyone = everyone.with_columns(pl.Series("again", (lots.random(PEOPLE) < logistic(-1 + slope * (y - 6))).astype(float)))
        cells = everyone.group_by([*covariates, "again"]).agg(pl.len().alias("count"))
        for scenario, z in lin.items():
            for speakers in (500, 2_000, 20_000):
                chance, seen, left = chances(z, speakers / PEOPLE), Counter(), []
                for _ in range(repetitions):
                    frame = calibrate(everyone.filter(pl.Series(lots.random(PEOPLE) < chance)), cells.select(*covariates, "count"), on_silent="collapse")
                    found = check_correction(frame, cells, ["again"])
                    seen[found.verdict] += 1
                    left.append(found.table["after"].item())
                told = " ".join(f"{seen[verdict] / repetitions:.2f}" for verdict in ("passed", "failed", "undecided"))
                wrong = seen["failed" if abs(np.mean(left)) <= BOUND else "passed"] / repetitions
                row(f"check, {scenario}, {speakers:,} speakers, bought again {closely}: left {np.mean(left):+.2f}; passed failed undecided", told, "wrong <= .05", wrong <= 0.05)


def main() -> None:
    cases = Path(sys.argv[1]) if len(sys.argv) > 1 else CASES
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else REPETITIONS
    simulator = cases / "weighting" / "simvoc" / "simvoc.py"
    if not simulator.is_file():
        print(f"bench_checks: no {simulator}")
        return
    spec = importlib.util.spec_from_file_location("simvoc", simulator)
    simvoc = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(simvoc)
    told = simvoc.population(PEOPLE, SEED)
    everyone = pl.DataFrame({"customer_id": np.arange(PEOPLE), "y": told["y"].astype(float)} | {name: told[name].astype(np.int64) for name in simvoc.COV})
    print(f"{repetitions} repetitions, {PEOPLE:,} customers")
    channels(everyone, simvoc.COV, repetitions)
    probes(everyone, simvoc.COV, repetitions)
    verdicts(everyone, simvoc.COV, {name: simvoc.lin(told, name) for name in ("mar_main", "mnar_angry", "mnar_strong")}, repetitions)


if __name__ == "__main__":
    sys.exit(main())
