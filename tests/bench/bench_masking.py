"""How fast the masking door lets rows through: `python tests/bench/bench_masking.py [rows]` prints a table.

Reviews of the shared app stores, cut to 50 characters and repeated; the same with personal data planted in
2 % of them; columns of a usual export; a whole frame of ten text columns. CPU seconds, best of three.
"""

from __future__ import annotations

import sys
import time
from hashlib import sha256
from pathlib import Path

import polars as pl

from voc_lib.collect.masking import mask

REVIEWS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "appstore"
PLANTED = ("电话138001{}", "微信：abc_{}", "我叫李晓明，{}", "车牌京A·{}", "a{}@qq.com", "１３８ ００ １{}")


def reviews(rows: int) -> pl.DataFrame:
    """Title, text, author and time of the reviews as text, repeated to so many rows; made-up ones without the shared data."""
    files = sorted(REVIEWS.glob("*.csv"))
    if files:
        parts = [pl.read_csv(file, infer_schema=False) for file in files]
        one = pl.concat([part.select(title="标题", verbatim="内容", author="作者", time="发表时间", app="app", stars="评级") for part in parts])
    else:
        one = pl.DataFrame({"verbatim": [f"第{i}次打开就闪退，客服说要等3天，版本2.{i % 9}.1，希望早点修好这个问题，谢谢" for i in range(9_000)]})
        one = one.with_columns(title=pl.lit("闪退"), author=pl.int_range(pl.len()).hash().cast(pl.String), time=pl.lit("2020-06-15 10:23:45"), app=pl.lit("示例"), stars=pl.lit("1"))
    return pl.concat([one] * (rows // len(one) + 1)).head(rows).rechunk()


def planted(verbatim: pl.Series, every: int = 50) -> pl.Series:
    """The same texts with personal data, another in each, at the end of every fiftieth."""
    row = pl.int_range(pl.len())
    figures = (row % 90_000 + 10_000).cast(pl.String)
    kinds = [pl.format(form, figures) for form in PLANTED]
    kind = row // every % len(PLANTED)
    chosen = pl.coalesce(*(pl.when(kind == place).then(text) for place, text in enumerate(kinds)))
    return verbatim.to_frame("v").select(pl.when(row % every == 0).then(pl.col("v") + chosen).otherwise("v")).to_series()


def cpu_seconds(frame: pl.DataFrame) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        mask(frame)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    source = reviews(rows)
    short = source["verbatim"].fill_null("").str.slice(0, 50)
    fifty = (short + short).str.slice(0, 50)
    number = pl.int_range(rows, eager=True)
    cases = {
        "50-character comments": fifty.to_frame("verbatim"),
        "50-character comments, 2 % with personal data": planted(fifty).to_frame("verbatim"),
        "whole reviews": source.select("verbatim"),
        "order numbers of 12 digits": (number + 202_006_150_000).cast(pl.String).to_frame("order"),
        "ids of 16 digits": (number * 7 + 4_263_464_747_126_464).cast(pl.String).to_frame("id"),
        "timestamps": source.select("time"),
        "hashed authors": pl.DataFrame({"author": [sha256(str(row).encode()).hexdigest() for row in range(rows)]}),
        "app, stars (few values)": source.select("app", "stars"),
        "ten text columns": source.with_columns(planted(fifty).alias("reply"), city=pl.lit("上海"), dealer="app", status="stars"),
    }
    print(f"{'frame':50}{'columns':>8}{'rows':>12}{'CPU s':>9}{'rows/s':>13}")
    for title, frame in cases.items():
        seconds = cpu_seconds(frame)
        print(f"{title:50}{frame.width:>8}{frame.height:>12,}{seconds:>9.2f}{frame.height / seconds:>13,.0f}")


if __name__ == "__main__":
    main()
