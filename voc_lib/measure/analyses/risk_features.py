"""What is known of an open case on a day, and whether it went on afterwards: the rows that `risk` learns from."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from voc_lib.measure.analyses.journeys import WINDOW
from voc_lib.measure.levels import Levels

EVERY = 14  # days between two looks at the same case
FEATURES = ["log_posts", "channels", "public", "displeased", "days_since", "log_minutes", "passed_on", "log_earlier", "log_tenure", "tenure_unknown"]
# How a feature that raises the risk is said of one case; empty where there is nothing to say.
WORDS = {
    "log_posts": lambda row: f"已说过 {row['posts']} 次" if row["posts"] > 1 else "",
    "channels": lambda row: f"走过 {row['channels']} 个渠道" if row["channels"] > 1 else "",
    "public": lambda row: "还只在公开处说" if row["public"] else "已经找过公司",
    "displeased": lambda row: "最低的情绪是不满" if row["displeased"] > 0 else "没有听到不满",
    "days_since": lambda row: "当天刚说过" if not row["days_since"] else f"{row['days_since']} 天前刚说过" if row["days_since"] < EVERY else f"已过去 {row['days_since']} 天",
    "log_minutes": lambda row: f"共等了 {row['minutes']:.0f} 分钟" if row["minutes"] >= 1 else "没有让他久等",
    "passed_on": lambda row: f"被转接 {row['passed_on']:.0f} 次" if row["passed_on"] else "没有被转接过",
    "log_earlier": lambda row: f"此前还有 {row['earlier']} 件事" if row["earlier"] else "第一次说事",
    "log_tenure": lambda row: f"用了约 {row['tenure']:.0f} 年" if row["tenure"] >= 1 else "用了不到一年",
    "tenure_unknown": lambda row: "" if row["tenure_unknown"] else "在客户档案里",
}


def landmarks(steps: pl.DataFrame, feedback: pl.DataFrame, levels: Levels, until: date, horizon: int, outcome: str, customers: pl.DataFrame | None = None,
              left: pl.DataFrame | None = None, window: int = WINDOW) -> pl.DataFrame:
    """One row per open case and day looked at (`until`, and every 14 days before): case_id, person_id, code, channel, level, posts, last_at, day, the features, happened.

    Only voices up to the day count. A case is looked at while it was heard of in the last `window` days and, for `climb`, is below the highest level. happened: it
    went up within `horizon` days (`climb`), or the person left (`churn`); null where the days ahead are not over. Who has left before is not looked at.
    """
    told = steps.sort("case_id", "step").with_columns(pl.col("level").fill_null(-1).cum_max().over("case_id").alias("highest"))
    told = told.join(_moods(feedback), on="feedback_id", how="left")
    first = told["at"].min() if told.height else until
    looks = [until - timedelta(days=EVERY * k) for k in range((until - first).days // EVERY + 1)] if told.height else [until]
    parts = [_as_of(told, day, window) for day in looks]
    rows = pl.concat([part for part in parts if part.height] or parts[:1])
    rows = rows.with_columns((pl.col("day") + pl.duration(days=horizon)).alias("ahead"))
    rows = _climbed(rows, told, levels) if outcome == "climb" else _left(rows, left)
    rows = rows.with_columns(pl.when((pl.col("ahead") <= pl.lit(until)) | pl.col("happened")).then("happened").alias("happened"))
    return _with_tenure(rows, customers).with_columns(
        pl.col("posts").log1p().alias("log_posts"), (pl.col("level") == 0).cast(pl.Float64).alias("public"), pl.col("minutes").log1p().alias("log_minutes"),
        pl.col("tenure").log1p().alias("log_tenure"), pl.col("earlier").log1p().alias("log_earlier")).sort("day", "case_id")


def _moods(feedback: pl.DataFrame) -> pl.DataFrame:
    mood = pl.col("mood") if "mood" in feedback.columns else pl.lit(None, pl.Float64)
    return feedback.select("feedback_id", mood.alias("mood")).unique("feedback_id")


def _as_of(told: pl.DataFrame, day: date, window: int) -> pl.DataFrame:
    """The cases as they stood on a day."""
    known = told.filter(pl.col("at") <= pl.lit(day))
    begun = known.filter(pl.col("step") == 1).group_by("person_id").agg(pl.len().alias("all"))
    rows = known.group_by("case_id").agg(
        pl.col("person_id", "code").first(), pl.col("channel").last(), pl.col("highest").max().alias("level"), pl.len().cast(pl.Int64).alias("posts"), pl.col("at").max().alias("last_at"),
        pl.col("channel").n_unique().cast(pl.Int64).alias("channels"), (pl.col("mood").min().fill_null(0) < 0).cast(pl.Float64).alias("displeased"),
        (pl.col("wait_seconds").sum() / 60).alias("minutes"), pl.col("transfers").sum().alias("passed_on"))
    rows = rows.filter((pl.lit(day) - pl.col("last_at")).dt.total_days() <= window).join(begun, on="person_id", how="left")
    return rows.with_columns(pl.lit(day).alias("day"), (pl.lit(day) - pl.col("last_at")).dt.total_days().alias("days_since"), (pl.col("all").cast(pl.Int64) - 1).alias("earlier")).drop("all")


def _climbed(rows: pl.DataFrame, told: pl.DataFrame, levels: Levels) -> pl.DataFrame:
    """Cases with a level below the highest, and whether they went above it in time."""
    rows = rows.filter((pl.col("level") >= 0) & (pl.col("level") < levels.top))
    later = rows.select("case_id", "day", "level", "ahead").join(told.select("case_id", "at", pl.col("highest").alias("then")), on="case_id")
    up = later.filter((pl.col("at") > pl.col("day")) & (pl.col("at") <= pl.col("ahead")) & (pl.col("then") > pl.col("level"))).select("case_id", "day").unique()
    return rows.join(up.with_columns(pl.lit(True).alias("happened")), on=["case_id", "day"], how="left").with_columns(pl.col("happened").fill_null(False))


def _left(rows: pl.DataFrame, left: pl.DataFrame | None) -> pl.DataFrame:
    """People who were still customers, one case each (the one last heard of), and whether they left in time."""
    gone = (left if left is not None else pl.DataFrame(schema={"person_id": pl.String, "left_at": pl.Date})).group_by("person_id").agg(pl.col("left_at").min())
    rows = rows.sort("last_at", "case_id", descending=[True, False]).unique(["person_id", "day"], keep="first", maintain_order=True)
    rows = rows.join(gone, on="person_id", how="left").filter(pl.col("left_at").is_null() | (pl.col("left_at") > pl.col("day")))
    return rows.with_columns((pl.col("left_at") <= pl.col("ahead")).fill_null(False).alias("happened")).drop("left_at")


def _with_tenure(rows: pl.DataFrame, customers: pl.DataFrame | None) -> pl.DataFrame:
    """Years since the first purchase, from what the frame said by that day; unknown where it did not."""
    if customers is None or customers.is_empty():
        return rows.with_columns(pl.lit(0.0).alias("tenure"), pl.lit(1.0).alias("tenure_unknown"))
    bought = customers.filter(pl.col("purchased_at").is_not_null()).group_by(pl.col("customer_id").alias("person_id")).agg(pl.col("purchased_at").min())
    years = (pl.col("day") - pl.col("purchased_at")).dt.total_days() / 365.25
    return rows.join(bought, on="person_id", how="left").with_columns(
        pl.when(years > 0).then(years).otherwise(0.0).fill_null(0.0).alias("tenure"), (~(years > 0).fill_null(False)).cast(pl.Float64).alias("tenure_unknown")).drop("purchased_at")
