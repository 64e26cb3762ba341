"""What page one speaks of: the codes that moved or are unusual, each under an id of its own, with what is known of where."""

from __future__ import annotations

import polars as pl

from voc_lib.enrich.domain import load_domain
from voc_lib.measure.analyses.concentration import concentration
from voc_lib.measure.analyses.health import channels_of
from voc_lib.measure.bases import OUTSIDERS, PER, base_sizes
from voc_lib.measure.estimate import MIN_PEOPLE
from voc_lib.settings import settings
from voc_lib.store import Store

MOST = 12  # findings prepared: five are shown, the others wait for an analyst to pin them or to leave one out
MOVED = ("rise", "fall")
PLACE = {"column": pl.String, "value": pl.String, "people": pl.Int64, "of": pl.Int64, "share": pl.Float64, "share_elsewhere": pl.Float64}


def findings(store: Store, current: pl.DataFrame, movers: pl.DataFrame, most: int = MOST) -> pl.DataFrame:
    """The first `most` rows of `movers`, in its order, under ids that stay the same from run to run.

    Adds finding ("code:<code>"), moved (more than chance and the floor, or unusual), department (who answers for it, by the taxonomy),
    base, rate (people heard per 10,000 of the base whose channels name it most; null without a base or under 10 people) and place
    (what it is concentrated in: see `concentration`).
    """
    taxonomy = load_domain(settings().domains, store.about["domain"]).taxonomy
    departments = {code.code: code.department for code in taxonomy}
    shown = movers.head(most)
    rates = [_rate(store, current, code) for code in shown["code"]]
    return shown.with_columns(
        pl.format("code:{}", "code").alias("finding"),
        (pl.col("verdict").is_in(MOVED) | pl.col("unusual").is_not_null()).alias("moved"),
        pl.col("code").replace_strict(departments, default=None, return_dtype=pl.String).alias("department"),
        pl.Series("base", [base for base, _ in rates], pl.String),
        pl.Series("rate", [rate for _, rate in rates], pl.Float64),
        pl.Series("place", [concentration(current, code) for code in shown["code"]], pl.List(pl.Struct(PLACE))),
    )


def _rate(store: Store, current: pl.DataFrame, code: str) -> tuple[str | None, float | None]:
    """The base whose channels hold most of the people who name the code, and how many they are of 10,000 of it."""
    months = current["local_date"].drop_nulls().dt.strftime("%Y-%m").unique().sort().to_list()
    sizes = base_sizes(store, months)
    bases = {name: channel.base for name, channel in channels_of(store).items()}
    said = current.filter(pl.col("codes").list.contains(code) & ~pl.col("author_kind").is_in(OUTSIDERS).fill_null(False))
    heard = said.group_by(pl.col("channel").replace_strict(bases, default=None, return_dtype=pl.String).alias("base")).agg(pl.col("person").n_unique())
    heard = heard.filter(pl.col("base").is_in(list(sizes)) & (pl.col("person") >= MIN_PEOPLE)).sort(["person", "base"], descending=[True, False])
    if heard.is_empty():
        return None, None
    base, people = heard.row(0)
    return base, PER * people / sizes[base]
