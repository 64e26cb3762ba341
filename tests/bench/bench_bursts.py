"""New topics on real comments: how often is something called new when nothing is, and in which week is a hidden theme found?

Comments of a car forum without dates are dealt into pseudo weeks of 430 at random, so that nothing begins in any of them. For the
second table, comments with a word are kept out of the base and put into the last weeks, so many a week. Prints candidates in 100 quiet weeks,
and the week after its start in which a candidate is mostly of the theme, by theme, strength and draw (- not within four weeks). Last, reviews of apps in
their own weeks: real incidents are among what is found there. Needs ../shared/data.

    python tests/bench/bench_bursts.py
"""

import random
import sys
import time
from pathlib import Path

import polars as pl

from voc_lib.enrich.bursts import spoken_words
from voc_lib.enrich.candidates import find_candidates
from voc_lib.enrich.domain import load_domain

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT.parent / "shared" / "data"
WEEK, BASE_WEEKS, WINDOW = 430, 12, 2
HALF_YEAR = 26  # of base where there are weeks enough, as `voc.new_topics` takes
QUIET_DRAWS, QUIET_WEEKS = 20, 6  # 8,290 comments fill 19 weeks: no comment twice in a draw
THEMES, STRENGTHS, DRAWS, PATIENCE = ("机油", "导航", "异响"), (8, 16, 32, 60), 3, 4


def looked_at(rows: pl.DataFrame, week: int, base_weeks: int) -> pl.DataFrame:
    """Candidates of the two weeks up to `week`; rows have `week` (whole numbers)."""
    window = rows.filter(pl.col("week").is_between(week - WINDOW + 1, week))
    first = week - WINDOW + 1 - base_weeks
    base = rows.filter(pl.col("week").is_between(first, week - WINDOW)).with_columns(stretch=(pl.col("week") - first) // WINDOW)
    return find_candidates(window, base)


def dealt(texts: pl.DataFrame, weeks: int, lots: random.Random, size: int = WEEK) -> pl.DataFrame:
    """`weeks` weeks of comments by lot, no comment twice, each said by somebody else."""
    rows = texts[lots.sample(range(texts.height), weeks * size)].with_row_index("at").with_columns(week=(pl.col("at") // size).cast(pl.Int64))
    return rows.with_columns(feedback_id=pl.format("f{}", "at"), person=pl.format("p{}", "at"))


def quiet(texts: pl.DataFrame) -> None:
    names, looked = [], 0
    for draw in range(QUIET_DRAWS):
        rows = dealt(texts, BASE_WEEKS + WINDOW + QUIET_WEEKS - 1, random.Random(draw))
        for week in range(BASE_WEEKS + WINDOW - 1, BASE_WEEKS + WINDOW - 1 + QUIET_WEEKS):
            names += looked_at(rows, week, BASE_WEEKS)["name"].to_list()
            looked += 1
    print(f"quiet weeks   {looked} looked at, {100 * len(names) / looked:.1f} candidates in 100 {names[:5]}")


def hidden(texts: pl.DataFrame, theme: str) -> None:
    about = texts["content"].str.contains(theme)
    rest, injected = texts.filter(~about), texts.filter(about)
    for strength in STRENGTHS:
        found = [first_week(rest, injected, strength, draw) for draw in range(DRAWS)]
        print(f"hidden theme  {theme}   {strength:3d} a week of {WEEK}   found in week {'  '.join(found)}")


def first_week(rest: pl.DataFrame, injected: pl.DataFrame, strength: int, draw: int) -> str:
    lots = random.Random(100 + draw)
    rows = dealt(rest, BASE_WEEKS + PATIENCE + 1, lots)
    picked = injected.sample(min(strength * PATIENCE, injected.height), seed=draw, shuffle=True).with_row_index("at")
    new = picked.with_columns(week=BASE_WEEKS + 1 + (pl.col("at") // strength).cast(pl.Int64), feedback_id=pl.format("n{}", "at"), person=pl.format("n{}", "at"))
    both = pl.concat([rows, new.select(rows.columns)])
    for week in range(PATIENCE):
        for listed in looked_at(both, BASE_WEEKS + 1 + week, BASE_WEEKS)["feedback_ids"].to_list():
            if sum(one.startswith("n") for one in listed) >= len(listed) / 2:
                return str(week + 1)
    return "-"


def as_they_were(path: Path, words) -> None:
    rows = pl.read_csv(path, infer_schema=False).select(content=pl.concat_str("标题", "内容", separator="。", ignore_nulls=True), said="发表时间")
    rows = rows.with_columns(day=pl.col("said").str.slice(0, 10).str.to_date(strict=False)).drop_nulls()
    rows = rows.with_columns(week=(pl.col("day") - pl.col("day").min()).dt.total_days() // 7).with_row_index("at")
    rows = rows.with_columns(words(rows), feedback_id=pl.format("f{}", "at"), person=pl.format("p{}", "at"))
    many = rows.group_by("week").len()["len"].median()
    weeks = range(HALF_YEAR + WINDOW - 1, rows["week"].max() + 1)
    found = [(week, name) for week in weeks for name in looked_at(rows, week, HALF_YEAR)["name"].to_list()]
    if len(weeks):
        print(f"as they were  {path.stem}   {many:.0f} reviews a week, {len(weeks)} weeks, {len({week for week, _ in found})} of them with a candidate {found[:6]}")


def main() -> None:
    comments = DATA / "bdci2018_car" / "train.csv"
    if not comments.is_file():
        print("bench_bursts: no ../shared/data/bdci2018_car")
        return
    domain = load_domain(PROJECT / "data" / "domains", "auto")

    def words(frame: pl.DataFrame) -> pl.Series:
        return pl.Series("words", spoken_words(frame["content"].to_list(), domain), pl.List(pl.String))

    texts = pl.read_csv(comments, infer_schema=False).select("content").unique(maintain_order=True)
    texts = texts.with_columns(words(texts))
    began = time.process_time()
    quiet(texts)
    print(f"speed         {(time.process_time() - began) / (QUIET_DRAWS * QUIET_WEEKS):.2f} CPU seconds a week of {WEEK} against {BASE_WEEKS} weeks")
    for theme in THEMES:
        hidden(texts, theme)
    for path in sorted((DATA / "appstore").glob("*.csv")):
        as_they_were(path, words)


if __name__ == "__main__":
    sys.exit(main())
