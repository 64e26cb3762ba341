"""Speed of linking: ten million keys from nothing, and one day's news in a store of many. CPU seconds and memory; nothing is asserted."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.collect.identity.decide import decide
from voc_lib.collect.identity.link import link
from voc_lib.store_write import write_store

DAYS = 5    # how often the same day is linked


def world(keys: int, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Feedback with one to two keys of customers, a third of whom no register knows; hashes as the store has them."""
    stream = np.random.default_rng(seed)
    people = keys // 4
    feedback = int(keys / 1.5)
    who = stream.integers(0, people, feedback)
    record = np.arange(feedback)
    second = stream.random(feedback) < 0.5
    hashed = ids_of(stream, people * 2)
    rows = pl.concat([
        pl.DataFrame({"record": record, "key_type": "phone", "key_hash": hashed[who.tolist()]}),
        pl.DataFrame({"record": record[second], "key_type": "vin", "key_hash": hashed[(who[second] + people).tolist()]}),
    ])
    ids = ids_of(stream, feedback)
    rows = rows.with_columns(ids.gather(rows["record"]).alias("record"), pl.lit("2026-W40").alias("iso_week"), pl.lit(None, pl.Date).alias("day"))
    known = np.arange(people * 2 // 3)
    customers = ids_of(stream, len(known))
    claims = pl.DataFrame({"customer_id": pl.concat([customers, customers]), "key_type": ["phone"] * len(known) + ["vin"] * len(known),
                           "key_hash": pl.concat([hashed[known.tolist()], hashed[(known + people).tolist()]])})
    return rows, claims.with_columns(pl.lit(None, pl.Date).alias("valid_from"), pl.lit(None, pl.Date).alias("valid_to"))


def ids_of(stream: np.random.Generator, many: int) -> pl.Series:
    """Ids of 32 letters as a keyed hash gives them: without order, with nothing to compress."""
    letters = stream.bytes(16 * many).hex()
    return pl.Series([letters[at:at + 32] for at in range(0, len(letters), 32)])


def in_a_store(keys: int, day: int = 20_000) -> None:
    """The same in a lake: everything once, then the news of one day, each in a process of its own as the commands are."""
    rows, claims = world(keys + 2 * day)
    feedback = rows.select("record").unique(maintain_order=True)
    weeks = [f"20{24 + n // 52}-W{n % 52 + 1:02}" for n in range(104)]
    feedback = feedback.with_columns(pl.Series([weeks[n * len(weeks) // feedback.height] for n in range(feedback.height)]).alias("iso_week")).select(
        pl.col("record").alias("feedback_id"), pl.lit("hotline").alias("channel"), pl.col("record").alias("source_id"), "iso_week", pl.lit(False).alias("solicited"))
    old, new = feedback.head(feedback.height - day), feedback.tail(day)
    told = rows.select(pl.col("record").alias("feedback_id"), "key_type", "key_hash", pl.lit("hotline").alias("channel"))
    said = claims.with_columns(pl.col("customer_id").alias("entry_id"), pl.lit("crm").alias("register"), pl.lit(datetime.now(UTC)).alias("added_at"), pl.lit(datetime.now(UTC)).alias("said_at"),
                               (pl.col("customer_id") + pl.col("key_type")).alias("claim_id"))

    def put(frame: pl.DataFrame, claims: pl.DataFrame | None = None) -> None:
        with write_store("bench", "bench", domain="auto") as writer:
            writer.append("feedback", frame.with_columns(pl.lit(datetime.now(UTC)).alias("ingested_at")))
            writer.append("identity_keys", told.join(frame, on="feedback_id", how="semi"))
            if claims is not None:
                writer.append("identities", claims)

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(__file__).parents[2] / "voc.toml", folder)
        os.environ["VOC_HOME"] = folder
        put(old, said)
        _apart("everything")
        put(new)
        del rows, claims, feedback, old, new, told, said
        for _ in range(DAYS):
            _apart("one day")


def _apart(what: str) -> None:
    os.sync()    # what was written to set the scene is no part of it
    subprocess.run([sys.executable, __file__, what], check=True)


def linked(what: str) -> None:
    """Link the store of the environment once and say what it took; a day leaves no trace, so that it can be repeated."""
    try:
        with write_store("bench", "bench") as writer:
            wall, cpu = time.perf_counter(), time.process_time()
            done = link(writer, what == "everything")
            print(f"{what}: {done.looked_at:,} feedback looked at, {done.changed:,} decided, {time.perf_counter() - wall:.2f} s ({time.process_time() - cpu:.1f} CPU s)")
            if what == "one day":
                raise InterruptedError
    except InterruptedError:
        pass


def main(keys: int) -> None:
    rows, claims = world(keys)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    wall, cpu = time.perf_counter(), time.process_time()
    found, doubts = decide(rows, claims)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{rows.height:,} keys of {found.height:,} feedback, {claims.height:,} claims: {wall:.1f} s ({cpu:.1f} CPU s), peak {peak:.1f} GB (inputs {before:.1f} GB); "
          f"linked {found['person_id'].count():,}, people {found['person_id'].n_unique():,}, doubts {doubts.height:,}")
    del rows, claims, found, doubts
    in_a_store(keys)


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "10000000"
    main(int(asked)) if asked.isdigit() else linked(asked)
