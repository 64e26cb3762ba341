"""The week on the bundled sample, from raw exports to the page, twice: prints seconds and what each step did.

    python tests/bench/bench_weekly.py
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import make_home  # noqa: E402


def main() -> None:
    from voc_lib import pipeline

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VOC_HOME"] = str(make_home(Path(folder) / "home"))
        for title in ("first", "second"):
            before, wall = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)], time.perf_counter()
            run = pipeline.weekly("sample")
            wall = time.perf_counter() - wall
            after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
            cpu = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after))
            rows.append((title, round(wall, 1), round(cpu, 1), f"{run.page.stat().st_size / 1e6:.1f} MB", run.said["ingest"], run.said["enrich"]))
    with pl.Config(fmt_str_lengths=60, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
        print(pl.DataFrame(rows, ["voc weekly", "wall s", "CPU s", "index.html", "ingest", "enrich"], orient="row"))


if __name__ == "__main__":
    main()
