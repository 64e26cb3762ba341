"""How often does `movers` call a code unusual or moved when nothing happened?

Real coded feedback of a store with the weeks of every channel's people dealt out anew at random: the volume of every
week stays, every real event is gone. Prints, per channel, weeks looked at, weeks with any alarm, codes listed per week;
and the same for the weeks as they were. Needs an ingested and enriched store.

    python tests/bench/bench_movers.py [store]
"""

import sys

import numpy as np
import polars as pl

import voc_lib as voc
from voc_lib.store import StoreError

WEEKS, SEED = 40, 7


def dealt(feedback: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The same weeks, given to the people of the channel at random: one person stays in one week."""
    people = feedback.group_by("person", maintain_order=True).agg(pl.col("iso_week").first())
    weeks = people["iso_week"].to_numpy().copy()
    rng.shuffle(weeks)
    return feedback.drop("iso_week").join(people.with_columns(pl.Series("iso_week", weeks)), on="person")


def alarms(feedback: pl.DataFrame, weeks: list[str]) -> tuple[float, float, float]:
    """Share of weeks with anything unusual, with a rise or fall, and codes listed per week."""
    listed = []
    for week in weeks:
        now, past = feedback.filter(pl.col("iso_week") == week), feedback.filter(pl.col("iso_week") < week)
        found = voc.movers(now, past, week, n=1000)
        listed.append((found["unusual"].is_not_null().any(), found["verdict"].is_in(["rise", "fall"]).any(), found.height))
    return tuple(np.mean(listed, axis=0))


def main(store: str = "real") -> None:
    try:
        everything = voc.feedback(store)
    except StoreError as error:
        print(f"bench_movers: {error}")
        return
    rng = np.random.default_rng(SEED)
    rows = []
    for (channel,), part in everything.filter(pl.col("iso_week") != "undated").group_by("channel", maintain_order=True):
        weeks = sorted(part["iso_week"].unique())[-WEEKS:]
        if len(weeks) < 10:
            continue
        part = part.filter(pl.col("local_date") >= part["local_date"].max() - pl.duration(weeks=2 * WEEKS))
        for title, feedback in (("as it was", part), ("weeks dealt out anew", dealt(part, rng))):
            rows.append((channel, title, len(weeks), *alarms(feedback, weeks)))
    names = ["channel", "weeks of", "weeks", "any unusual", "any rise or fall", "codes per week"]
    with pl.Config(tbl_rows=50, float_precision=3, tbl_width_chars=120, tbl_hide_dataframe_shape=True):
        print(pl.DataFrame(rows, names, orient="row"))


if __name__ == "__main__":
    main(*sys.argv[1:])
