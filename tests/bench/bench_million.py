"""A million feedback: ingest, code, look for repeats, judge, embed, one weekly page; seconds, rows a second and peak memory of every step.

The public reviews repeated with new ids and days, so that the texts to embed are the distinct ones; the embedder is also
timed alone, on the same texts, for the overhead of storing. Every step runs in a process of its own.

    python tests/bench/bench_million.py [rows] [texts to embed]
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

STEPS = ("ingest", "code", "repeats", "opinions", "embedder alone", "embed and store", "weekly")


def prepare(home: Path, count: int) -> None:
    from bench_store import CONTRACT, rows

    domain = home / "data" / "domains" / "bench"
    (domain / "channels").mkdir(parents=True)
    (domain / "domain.yaml").write_text("title: 量尺\nextends: public_auto\n", "utf-8")
    (domain / "taxonomy.yaml").write_text("codes: {}\n", "utf-8")
    (domain / "channels" / "reviews.yaml").write_text(CONTRACT % "parquet", "utf-8")
    (home / "exports").mkdir()
    rows(count).write_parquet(home / "exports" / "a.parquet")


def step(name: str, home: Path, texts: int) -> tuple[int, float, float]:
    """(rows, wall seconds, CPU seconds) of one step."""
    from voc_lib.enrich import judging
    from voc_lib.enrich import run as room
    from voc_lib.enrich.domain import load_domain
    from voc_lib.enrich.embedders import get_embedder
    from voc_lib.enrich.opinions import get_opinion_model
    from voc_lib.settings import settings
    from voc_lib.store import open_store

    if name == "ingest":
        from voc_lib.collect.ingest import ingest

        return timed(lambda: ingest("bench", home / "exports", "bench")[0].feedback_stored)
    if name == "code":
        domain = load_domain(settings().domains, "bench")
        return timed(lambda: room._code("bench", domain, room.coder_version(domain)))
    if name == "repeats":
        return timed(lambda: judging.find_repeats("bench"))
    if name == "opinions":
        model = get_opinion_model("start", "bench")  # fitted once per store, not counted
        return timed(lambda: judging.judge_mentions("bench", room.coder_version(load_domain(settings().domains, "bench")), model))
    if name == "weekly":
        from voc_lib import pipeline

        room.enrich = lambda store: None
        pipeline._enrich = lambda run: "此处不量"
        return timed(lambda: len(pipeline.weekly("bench", "2024-W30").notebooks))
    from voc_lib.enrich import embedding

    embedder = get_embedder(settings().embedder)
    embedder.encode(["热身"])
    room._hash("bench")
    missing = embedding.missing_texts(open_store("bench"), embedder.fingerprint).sample(texts, seed=1)
    if name == "embedder alone":
        ordered = missing.sort(pl.col("text").str.len_chars())["text"].to_list()
        return timed(lambda: sum(len(embedder.encode(ordered[at : at + 512])) for at in range(0, texts, 512)))
    embedding.missing_texts = lambda store, fingerprint: missing
    return timed(lambda: embedding.embed_texts("bench", embedder))


def timed(work) -> tuple[int, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    return done if isinstance(done, int) else done[0], time.perf_counter() - wall, time.process_time() - cpu


def main(count: int = 1_000_000, texts: int = 4_000) -> None:
    from conftest import make_home

    results = []
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home")
        prepare(home, count)
        for name in STEPS:
            asked = [sys.executable, __file__, "--step", name, str(home), str(texts)]
            done = subprocess.run(asked, env={**os.environ, "VOC_HOME": str(home)}, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name} failed:\n{done.stderr[-2000:]}")
                continue
            results.append((name, *json.loads(done.stdout.strip().splitlines()[-1])))
    with pl.Config(float_precision=1, tbl_width_chars=120, tbl_hide_dataframe_shape=True, thousands_separator=True):
        print(pl.DataFrame(results, ["step", "done", "wall s", "CPU s", "per s", "peak MB"], orient="row"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        done, wall, cpu = step(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        print(json.dumps([done, wall, cpu, done / wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
    else:
        main(*map(int, sys.argv[1:]))
