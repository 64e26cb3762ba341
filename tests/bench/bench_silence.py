"""Speed of answering for the silent: ten million customers and a million who spoke, from the lake to weights on disk; a million people with thirty continuous columns. CPU seconds and memory.

With `--balance FOLDER`, a Python environment that has `balance` 0.23 and pyarrow (they cannot live beside this project): its rake on the same people in the same run, once with a row per
customer as it is meant to be used (against all we do, from the lake to disk: ours reads, weighs, estimates and writes; of theirs reading and raking, and raking alone, are printed), once with our
cells handed to it (against our weights alone).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

CUSTOMERS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 10_000_000
START, END = date(2026, 8, 17), date(2026, 11, 15)
GOALS = {"store": (5.0, 1000), "lines": (15.0, None)}

RAKE = """
import sys, time
import pandas as pd
from balance import Sample
begun = time.process_time()
people, everyone = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])
columns = sys.argv[3].split(",")
if "count" not in everyone:
    everyone["count"] = 1.0
start = time.process_time()
sample = Sample.from_frame(people[["customer_id", *columns]], id_column="customer_id")
target = Sample.from_frame(everyone.reset_index(names="customer_id"), id_column="customer_id", weight_column="count")
fitted = sample.set_target(target).adjust(method="rake", transformations=None)
print(time.process_time() - begun, time.process_time() - start, int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024)
"""


def plant(folder: Path) -> pl.DataFrame:
    """A lake of customers in some 15,000 cells; returns the answers of a tenth of them."""
    from bench_identity import ids_of

    from voc_lib.store_write import write_store

    lots, ids = np.random.default_rng(1), []
    with write_store("bench", "bench", domain="auto") as writer:
        for first in range(0, CUSTOMERS, 1_000_000):
            many = min(1_000_000, CUSTOMERS - first)
            ids.append(ids_of(lots, many))
            writer.append("customers", pl.DataFrame({
                "customer_id": ids[-1], "valid_from": date(2026, 7, 1), "product": lots.choice(["A7", "E3", "S5", "M9"], many), "region": lots.choice(list("甲乙丙丁戊己庚"), many),
                "visits": lots.integers(0, 6, many).astype(float), "app_days": lots.integers(0, 12, many).astype(float), "age": lots.normal(36, 5, many), "usage": lots.lognormal(6.95, 0.45, many),
                "spend": lots.lognormal(7.4, 0.8, many), "purchased_at": pl.Series(lots.integers(18_500, 20_600, many)).cast(pl.Int32).cast(pl.Date)}))
    spoke = pl.concat(ids).filter(pl.Series(lots.random(CUSTOMERS) < 0.1))
    return pl.DataFrame({"customer_id": spoke, "nps": lots.choice([-100.0, 0.0, 100.0], len(spoke))}).sort("customer_id")


def most_held() -> float:
    """MB this process held at most (`ru_maxrss` would count what the one that began it held then)."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def from_the_store(answers: Path, out: Path) -> None:
    """One process of its own, so that memory is its own too."""
    from voc_lib.measure.weighting.cells import levels_of, mean_of_cells
    from voc_lib.measure.weighting.frame import base_of, everyone_in
    from voc_lib.measure.weighting.weights import calibrate
    from voc_lib.measure.weighting.weights_file import weights_to_file
    from voc_lib.store import open_store

    start = time.process_time()
    store = open_store("bench")
    base = base_of(store, "vehicles", START, END)
    cells, _ = weights_to_file(store, base, answers, "nps", out)
    found = mean_of_cells(cells)
    used, memory = time.process_time() - start, most_held()
    people, columns = pl.read_parquet(out), levels_of(cells)
    again = time.process_time()
    calibrate(people.select(columns), cells.select(*columns, "count"))
    alone = time.process_time() - again
    print(f"{used:.2f} {memory:.0f} {cells.height} {people.height} {found['std_error'].item():.4f} {','.join(columns)} {alone:.2f}")
    cells.select(*columns, "count").write_parquet(out.with_name("cells.parquet"))
    everyone_in(store, base).select(columns).write_parquet(out.with_name("everyone.parquet"))


def lines(people: int = 1_000_000, columns: int = 30) -> tuple[float, float]:
    """Raking to the totals of thirty continuous columns."""
    from voc_lib.measure.weighting.weights import calibrate

    lots = np.random.default_rng(2)
    frame = pl.DataFrame({f"x{at}": lots.normal(0, 1, people) for at in range(columns)}).with_columns(region=pl.Series(lots.choice(["甲", "乙"], people)))
    margins = {"region": {"甲": 6e6, "乙": 4e6}} | {f"x{at}": 10e6 * 0.05 for at in range(columns)}
    start = time.process_time()
    weighted = calibrate(frame, margins)
    used = time.process_time() - start
    return used, max(abs((weighted["weight"] * weighted[name]).sum() / margins[name] - 1) for name in ("x0", "x29"))


def main() -> None:
    balance = Path(sys.argv[sys.argv.index("--balance") + 1]) if "--balance" in sys.argv else None
    with tempfile.TemporaryDirectory() as folder:
        from tests.conftest import make_home

        home = Path(folder) / "home"
        make_home(home)
        os.environ["VOC_HOME"] = str(home)
        answers, out = home / "answers.parquet", home / "weights.parquet"
        plant(home).write_parquet(answers)
        told = subprocess.run([sys.executable, __file__, "--store", str(answers), str(out)], capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}).stdout.split()
        used, memory = float(told[0]), float(told[1])
        print(f"{'':44}{'CPU s':>10}{'MB':>10}{'goal':>22}")
        print(f"{f'{CUSTOMERS:,} customers, {int(told[3]):,} spoke, {int(told[2]):,} cells':44}{used:>10.2f}{memory:>10,.0f}{'5 s, 1,000 MB':>22}")
        for name, what, ours in (("everyone", "a row per customer", used), ("cells", "our cells", float(told[6]))) if balance else ():
            there = subprocess.run([str(balance / "bin" / "python"), "-c", RAKE, str(out), str(home / f"{name}.parquet"), told[5]], capture_output=True, text=True)
            if there.returncode:
                print(f"balance with {what}: failed\n{there.stderr[-1500:]}")
                continue
            read, rake, held = (float(part) for part in there.stdout.split()[-3:])
            for part, theirs in (("reads and rakes", read), ("rakes", rake)) if name == "everyone" else (("rakes", rake),):
                print(f"{f'balance 0.23 {part}, {what}':44}{theirs:>10.2f}{held:>10,.0f}   ours {ours:.2f} s: {theirs / ours:.1f}x less CPU (goal 5x), {held / memory:.1f}x less memory (6x)")
        used, missed = lines()
        print(f"{'1,000,000 people, 30 continuous columns':44}{used:>10.2f}{'':>10}{'15 s':>22}   worst margin {missed:.1e}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    if "--store" in sys.argv:
        from_the_store(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
