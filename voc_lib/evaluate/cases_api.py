"""The cases of R survey on California's schools that can be computed here: sample, weights and design of each.

The population file gives the margins; `w1` cases start from base weights of 1, the others from the sample's own (`pw`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from voc_lib.measure.weighting.inference import Sampling
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.weights import calibrate, poststratify

NOT_CASES = ("truth", "truth_selfsel", "versions")  # what is true of all schools, and which R it was
BANDS = (20, 40, 60, 80)                            # of `meals`, upper ends, for the third margin of rake3: read off R's weights, the case does not name them
PLAIN, FPC = Sampling(se="taylor"), Sampling(se="taylor", fpc="fpc")
CLUSTERS, CLUSTERS_FPC = Sampling(se="taylor", cluster="dnum"), Sampling(se="taylor", cluster="dnum", fpc="fpc")
STRATA = Sampling(se="taylor", strata="stype", fpc="fpc")
NARROW = (0.9, 1.1)

Case = tuple[pl.DataFrame, Sampling, str | None]


@dataclass(frozen=True)
class Schools:
    """The population and its samples."""

    population: pl.DataFrame
    srs: pl.DataFrame
    strat: pl.DataFrame
    clusters: pl.DataFrame
    selfsel: pl.DataFrame

    def margin(self, column: str) -> dict:
        return dict(self.population.group_by(column).len().iter_rows())

    def lines(self) -> pl.DataFrame:
        """The population as the self-selected cases weight to it: two columns of levels, two lines."""
        return self.population.select("stype", "sch.wide", pl.col("meals", "ell").cast(pl.Float64))

    def raked3(self) -> pl.DataFrame:
        return calibrate(self.selfsel, {column: self.margin(column) for column in ("stype", "sch.wide", "band")})


def read_schools(folder: Path) -> Schools:
    return Schools(*(_read(folder / f"{name}.csv") for name in ("apipop", "apisrs", "apistrat", "apiclus1", "api_selfselected")))


def variable(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column, or in R's way a column and one of its levels in one word: awardsYes."""
    if name in frame.columns:
        return pl.col(name).cast(pl.Float64).alias("_variable")
    if name == "(Intercept)":
        return pl.col("weight").is_not_null().cast(pl.Float64).alias("_variable")
    column = max((column for column in frame.columns if name.startswith(column)), key=len)
    return (pl.col(column) == name.removeprefix(column)).cast(pl.Float64).alias("_variable")

# What is to be known of a case before its difference is read.
NOTED = {"srs_calibrate_logit_bounds_0.5_2.5_w1": "R 的权重是基础权重 1 的 27 到 35 倍，都在它自己的上下限之外（落在曲线的另一支上）；这里先把基础权重放大到总体人数，上下限是对它的倍数"}


def api_cases(schools: Schools) -> dict[str, Callable[[], Case]]:
    """By the name of the case, what makes its weighted sample, its design and the column of its domains (None: none)."""
    population, srs, strat, clusters, selfsel = schools.population, schools.srs, schools.strat, schools.clusters, schools.selfsel
    cells = {columns: population.group_by(columns).agg(pl.len().alias("count")) for columns in (("stype",), ("stype", "sch.wide"))}
    raked = _margins(population, ["stype", "sch.wide"])
    lines = _margins(population, ["stype"], ["api99"])
    long_lines = _margins(population, ["stype", "sch.wide"], ["meals", "ell"])

    def own(frame: pl.DataFrame, column: str = "pw") -> pl.DataFrame:
        return frame.with_columns(pl.col(column).alias("weight"))

    def raked_srs() -> pl.DataFrame:
        return calibrate(srs, raked)

    found = {
        "srs_fpc": lambda: (own(srs), FPC, None),
        "srs_nofpc": lambda: (own(srs), PLAIN, None),
        "srs_poststratify_stype_w1": lambda: (poststratify(srs, cells["stype",]), PLAIN, None),
        "srs_poststratify_stype_schwide_w1": lambda: (poststratify(srs, cells["stype", "sch.wide"]), PLAIN, None),
        "srs_calibrate_linear_w1": lambda: (calibrate(srs, lines, "linear"), PLAIN, None),
        "srs_calibrate_raking_w1": lambda: (calibrate(srs, lines), PLAIN, None),
        "srs_calibrate_linear_bounds_0.8_1.2": lambda: (calibrate(srs, lines, "linear", "pw", bounds=(0.8, 1.2)), PLAIN, None),
        "srs_calibrate_logit_bounds_0.5_2.5_w1": lambda: (calibrate(srs, lines, "logit", bounds=(0.5, 2.5)), PLAIN, None),
        "srs_calibrate_logit_bounds_0.5_2.5_pw": lambda: (calibrate(srs, lines, "logit", "pw", bounds=(0.5, 2.5)), PLAIN, None),
        "srs_rake_domain_stype": lambda: (raked_srs(), PLAIN, "stype"),
        "srs_rake_domain_awards": lambda: (raked_srs(), PLAIN, "awards"),
        "pub_dclus1": lambda: (own(clusters), CLUSTERS_FPC, None),
        "pub_dclus1g": lambda: (poststratify(clusters, cells["stype",], "pw"), CLUSTERS_FPC, None),
        "pub_dclus1g3": lambda: (calibrate(clusters, lines, "linear", "pw"), CLUSTERS_FPC, None),
        "pub_dclus1g3b_bounds": lambda: (calibrate(clusters, lines, "linear", "pw", bounds=(0.6, 1.6)), CLUSTERS_FPC, None),
        "pub_dclus1g3c_raking": lambda: (calibrate(clusters, lines, "raking", "pw"), CLUSTERS_FPC, None),
        "pub_dclus1g3d_logit": lambda: (calibrate(clusters, lines, "logit", "pw", bounds=(0.5, 2.5)), CLUSTERS_FPC, None),
        "dclus1_rake": lambda: (calibrate(clusters, raked, "raking", "pw"), CLUSTERS_FPC, None),
        "clus_w1_nofpc_rake": lambda: (calibrate(clusters, raked), CLUSTERS, None),
        "clus_w1_nofpc_calibrate_linear": lambda: (calibrate(clusters, lines, "linear"), CLUSTERS, None),
        "clus_w1_nofpc_calibrate_raking": lambda: (calibrate(clusters, lines), CLUSTERS, None),
        "pub_dstrat": lambda: (own(strat), STRATA, None),
        "selfsel_naive": lambda: (selfsel.with_columns(pl.lit(1.0).alias("weight")), PLAIN, None),
        "selfsel_calibrate_linear": lambda: (calibrate(selfsel, long_lines, "linear"), PLAIN, None),
        "selfsel_calibrate_raking": lambda: (calibrate(selfsel, long_lines), PLAIN, None),
        "selfsel_rake3_by_stype": lambda: (schools.raked3(), PLAIN, "stype"),
        "selfsel_infeasible_bounds": lambda: _refused(selfsel, long_lines),
    }
    found |= {name: lambda: (raked_srs(), PLAIN, None) for name in ("srs_rake_w1", "srs_rake_shares_awards", "srs_rake_nps", "srs_rake_ratio_apistu_enroll", "srs_rake_ciprop_awards_logit", "kish")}
    return found | {name: lambda: (schools.raked3(), PLAIN, None) for name in ("selfsel_rake3", "selfsel_rake3_diag", "selfsel_rake3_nps", "selfsel_rake3_ciprop", "selfsel_rake3_ratio")}


def _read(path: Path) -> pl.DataFrame:
    schools = pl.read_csv(path, null_values=["", "NA"], infer_schema_length=None)
    return schools.with_columns(sum((pl.col("meals") > end).cast(pl.Int8) for end in BANDS).alias("band"))


def _margins(population: pl.DataFrame, levels: list[str], totals: list[str] = ()) -> dict:
    return {column: dict(population.group_by(column).len().iter_rows()) for column in levels} | {column: population[column].sum() for column in totals}


def _refused(selfsel: pl.DataFrame, margins: dict) -> bool:
    """Whether weights within a tenth of each other are refused, as R refused its own narrow bounds."""
    try:
        calibrate(selfsel, margins, "logit", bounds=NARROW)
    except WeightingError:
        return True
    return False
