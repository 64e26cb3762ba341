"""How often does a week look different from the week before, when mostly nothing happened?

Low ratings of the three public app stores, each week against the last week that has feedback. Prints, per app, how
often a plain binomial test and `compare` (history: the weeks strictly before) fire at nominal 5 %, unadjusted, and
how often `compare` says rise or fall. Incidents are real: weeks named in the README of the data are also left out.

    python tests/bench/bench_compare.py [folder of the app store exports]
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from voc_lib.measure.compare import compare

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "appstore"
# Days on which low ratings came in bursts, with the week after: it falls back just as visibly.
INCIDENTS = {
    "米家": ["2018-W42", "2018-W43", "2019-W13", "2019-W14", "2019-W15"],
    "海尔智家": ["2019-W27", "2019-W28"],
    "小米商城": [],
}
NOMINAL = 0.05


def reviews(path: Path) -> pl.DataFrame:
    """The export in the columns of a feedback frame; identical time, author, title and text are one."""
    raw = pl.read_csv(path, infer_schema_length=0).unique(["发表时间", "作者", "标题", "内容"], maintain_order=True)
    return raw.with_row_index("feedback_id").select(
        pl.col("feedback_id").cast(pl.String),
        pl.col("作者").alias("author_key"),
        pl.col("评级").cast(pl.Float64).alias("rating"),
        pl.lit(5.0).alias("rating_scale"),
        pl.col("发表时间").str.to_datetime("%Y-%m-%d %H:%M:%S").dt.strftime("%G-W%V").alias("iso_week"),
    )


def plain(now: pl.DataFrame, before: pl.DataFrame) -> bool:
    """Two-sample binomial test on reviews, as everybody computes it."""
    low = [(side["rating"] <= 2).sum() for side in (now, before)]
    pooled = sum(low) / (now.height + before.height)
    error = np.sqrt(pooled * (1 - pooled) * (1 / now.height + 1 / before.height))
    return bool(error > 0 and 2 * stats.norm.sf(abs(low[0] / now.height - low[1] / before.height) / error) < NOMINAL)


def fired(feedback: pl.DataFrame) -> pl.DataFrame:
    """One row per week from the second on: plain, ours (p below nominal), verdict (rise or fall), people, phi."""
    weeks = feedback["iso_week"].unique().sort().to_list()
    by_week = feedback.partition_by("iso_week", as_dict=True)
    rows = []
    for before, week in zip(weeks, weeks[1:]):
        now, then = by_week[(week,)], by_week[(before,)]
        history = feedback.filter(pl.col("iso_week") < week)
        row = compare(now, then, "low_rating_share", history=history, min_people=0).row(0, named=True)
        people = min(row["people"], row["people_baseline"])
        ours, said = (row["p_value"] or 1) < NOMINAL, row["verdict"] in ("rise", "fall")
        rows.append((week, plain(now, then), ours, said, people, row["dispersion"]))
    return pl.DataFrame(rows, ["iso_week", "plain", "ours", "verdict", "people", "phi"], orient="row")


def table(folder: Path) -> pl.DataFrame:
    """One row per app, least number of people a week, and with or without incidents: weeks and firing rates."""
    rows = []
    for app, incidents in INCIDENTS.items():
        weeks = fired(reviews(folder / f"{app}.csv"))
        for least in (1, 10, 20):
            for kept, title in ((weeks, "all"), (weeks.filter(~pl.col("iso_week").is_in(incidents)), "no incidents")):
                some = kept.filter(pl.col("people") >= least)
                rates = [some[name].mean() for name in ("plain", "ours", "verdict")]
                rows.append((app, least, title, some.height, *rates, some["phi"].median()))
    names = ["app", "people >=", "weeks of", "weeks", "plain", "ours 5 %", "rise or fall", "median phi"]
    return pl.DataFrame(rows, names, orient="row")


if __name__ == "__main__":
    with pl.Config(tbl_rows=50, float_precision=3, tbl_cols=20, tbl_width_chars=140, tbl_hide_dataframe_shape=True):
        print(table(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
