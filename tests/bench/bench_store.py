"""Speed of ingest with masking, of opening a large store, and of importing the library: prints a table, asserts nothing.

Rows are the app-store reviews beside the project repeated with new ids and days (the bundled sample where they are missing).

    python tests/bench/bench_store.py [rows]
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

PROJECT = Path(__file__).resolve().parents[2]
REVIEWS = PROJECT.parent / "shared" / "data" / "appstore"
CONTRACT = """
channel: reviews
title: 评论
owner: 产品部
base: app_users
solicited: false
cannot_tell: 只有愿意打分的人
read: {glob: "*.%s"}
columns:
  source_id: "id"
  occurred_at: {from: time, formats: ["%%Y-%%m-%%d %%H:%%M:%%S"]}
  verbatim: "body"
  title: "headline"
  author: "nick"
  rating: "stars"
  rating_scale: "5"
  product: "app"
"""
WEEKS = 104


def rows(count: int) -> pl.DataFrame:
    """`count` reviews over 104 weeks, ids all different, authors as in the source."""
    names = {"发表时间": "time", "作者": "nick", "评级": "stars", "标题": "headline", "内容": "body", "app": "app"}
    if REVIEWS.is_dir():
        real = pl.concat([pl.read_csv(path, infer_schema=False) for path in sorted(REVIEWS.glob("*.csv"))]).rename(names).select(names.values())
    else:
        lines = (PROJECT / "tests" / "exports" / "app_store" / "reviews.csv").read_text("utf-8-sig").splitlines()
        real = pl.DataFrame({"body": lines}).with_columns(nick=pl.col("body"), stars=pl.lit("3"), headline=pl.lit("评"), app=pl.lit("样例"), time=pl.lit(""))
    many = pl.concat([real] * (count // real.height + 1)).head(count)
    start = datetime(2024, 1, 1)
    days = pl.Series([(start + timedelta(minutes=k * WEEKS * 7 * 1440 / count)).strftime("%Y-%m-%d %H:%M:%S") for k in range(count)])
    return many.with_columns(pl.int_range(count).cast(pl.String).alias("id"), days.alias("time"))


def timed(name: str, count: int, work) -> tuple:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return name, count, round(wall, 3), round(cpu, 3), round(count / wall)


def main(count: int = 2_000_000) -> None:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "voc.toml").write_text("")
        os.environ["VOC_HOME"] = folder
        from voc_lib.collect.ingest import ingest
        from voc_lib.store import open_store

        data = rows(count)
        short = data.with_columns(pl.col("body").str.slice(0, 50))
        unlike = data.with_columns(pl.col("body") + pl.col("id"))
        shapes = (("as they are, copies among them", "parquet", data, count), ("every text unlike the others", "unlike", unlike, min(count, 500_000)),
                  ("cut at 50", "short", short, min(count, 500_000)), ("as they are", "csv", data, min(count, 300_000)))
        for title, kind, table, size in shapes:
            suffix = "csv" if kind == "csv" else "parquet"
            channels = home / "data" / "domains" / kind / "channels"
            channels.mkdir(parents=True)
            (channels / "reviews.yaml").write_text(CONTRACT % suffix, "utf-8")
            exports = home / kind
            exports.mkdir()
            part = table.head(size)
            part.write_csv(exports / "a.csv") if suffix == "csv" else part.write_parquet(exports / "a.parquet")
            mean = part["body"].str.len_chars().mean()
            results.append(timed(f"ingest {suffix}, masked ({title}: {mean:.0f} characters on average)", size, lambda k=kind, e=exports: ingest(k, e, k)))
            results.append(timed(f"ingest {suffix} again", size, lambda k=kind, e=exports: ingest(k, e)))
        week = "SELECT count(*) AS n, count(DISTINCT author_key) AS people, avg(rating) AS rating FROM feedback WHERE iso_week = '2024-W30'"
        for attempt in ("first", "second"):
            results.append(timed(f"open, sum up one week ({attempt})", count, lambda: open_store("parquet").sql(week)))
        results.append(timed("open, read one week whole", count, lambda: open_store("parquet").read("feedback", where="iso_week = '2024-W31'").collect()))
    imports = [sys.executable, "-c", "import voc_lib as voc; voc.open_store, voc.feedback, voc.movers, voc.chart_trend"]
    results.append(timed("python: import voc_lib and the names of a page", 1, lambda: subprocess.run(imports, check=True)))
    results.append(timed("python: start alone", 1, lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
    with pl.Config(tbl_rows=50, fmt_str_lengths=60, tbl_width_chars=120, tbl_hide_dataframe_shape=True, thousands_separator=True):
        print(pl.DataFrame(results, ["what", "rows", "wall s", "CPU s", "rows/s"], orient="row"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
