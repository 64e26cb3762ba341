"""The texts of a store nearest to a vector, among a million in a tenth of a second: a rough look at all, an exact one at the best.

Rough: the principal components that carry most of the vectors, held as float32 beside the lake and mapped, one product over all texts.
Exact: cosine of the stored float16 vectors of the `CANDIDATES` best. How many of the true twenty nearest that finds is printed by
tests/bench/bench_search.py. The files belong to one version of the table `vectors` and are made again for the next; they can be deleted.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from voc_lib.measure.held import SLOW, held, search_folder, version_of
from voc_lib.store import Store

COMPONENTS = 128  # of the rough look: half a gigabyte for a million texts; 64 miss one true neighbour in forty
CANDIDATES = 4_000  # looked at exactly: 4 MB of 512 numbers
FITTED_ON = 20_000  # texts from which the components are learnt
ROWS = 50_000  # read and projected at a time: some 150 MB
log = logging.getLogger("voc.search")


class Index(NamedTuple):
    """Vectors of texts by number: hashes, exact float16 [texts, d], rough float32 [texts, components], and the way from one to the other."""

    hashes: pl.Series
    exact: np.ndarray
    rough: np.ndarray
    axes: np.ndarray


def index_of(store: Store, fingerprint: str) -> Index:
    """The vectors of an embedder at this snapshot; put on disk where they are not there yet."""
    name = hashlib.sha256(fingerprint.encode()).hexdigest()[:12]
    folder = search_folder(store) / f"vectors-{name}-{store.versions.get('vectors', 0)}"
    if not folder.exists():
        _build(store, fingerprint, folder, name)
    return _opened(folder)


def nearest(index: Index, vector: np.ndarray, n: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(numbers of the n nearest texts, nearest first, their cosines); `allowed` says of every text whether it may be among them."""
    rough = index.rough @ (index.axes.T @ vector)
    if allowed is not None:
        rough[~allowed] = -np.inf
    best = np.flatnonzero(np.isfinite(rough)) if len(rough) <= CANDIDATES else np.argpartition(-rough, CANDIDATES)[:CANDIDATES]
    best = np.sort(best[np.isfinite(rough[best])])  # read from the disk in order
    cosines = index.exact[best].astype(np.float32) @ vector
    order = np.lexsort((best, -cosines))[:n]
    return best[order], cosines[order]


def text_of_rows(store: Store, fingerprint: str) -> np.ndarray:
    """For every row of `held` the number of its text in the index; -1 where it has no text or no vector."""
    index = index_of(store, fingerprint)
    path = search_folder(store) / f"texts-{version_of(store)}-{hashlib.sha256(fingerprint.encode()).hexdigest()[:12]}.npy"
    if not path.exists():
        numbers = index.hashes.to_frame("text_hash").with_row_index("number")
        rows = pl.from_arrow(held(store).select(["text_hash"])).join(numbers, on="text_hash", how="left", maintain_order="left")
        for old in path.parent.glob("texts-*.npy"):
            with suppress(OSError):
                old.unlink()
        beside = path.with_name(f".{os.getpid()}.{path.name}")
        np.save(beside, rows["number"].cast(pl.Int32).fill_null(-1).to_numpy())
        os.replace(beside, path)
    return np.load(path, mmap_mode="r")


def _build(store: Store, fingerprint: str, folder: Path, name: str) -> None:
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    count, dimensions = _size(store, fingerprint)
    if count > SLOW:
        log.info("库「%s」的第一次以文搜文：先整理 %s 条文字的向量，以后就快了……", store.name, f"{count:,}")
    exact = np.lib.format.open_memmap(beside / "exact.npy", mode="w+", dtype="<f2", shape=(count, dimensions))
    hashes, at = [], 0
    for part, vectors in _batches(store, fingerprint):
        exact[at : at + len(part)] = vectors
        hashes.append(part)
        at += len(part)
    mean, axes = _components(exact)
    rough = np.lib.format.open_memmap(beside / "rough.npy", mode="w+", dtype=np.float32, shape=(count, axes.shape[1]))
    for start in range(0, count, ROWS):
        rough[start : start + ROWS] = (exact[start : start + ROWS].astype(np.float32) - mean) @ axes
    exact.flush(), rough.flush()
    del exact, rough
    np.save(beside / "axes.npy", axes)
    pl.DataFrame({"text_hash": pl.concat(hashes) if hashes else pl.Series([], dtype=pl.String)}).write_parquet(beside / "hashes.parquet")
    with suppress(OSError):  # another process was first
        os.replace(beside, folder)
    shutil.rmtree(beside, ignore_errors=True)
    for old in folder.parent.glob(f"vectors-{name}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def _size(store: Store, fingerprint: str) -> tuple[int, int]:
    counted = [(len(part), vectors.shape[1]) for part, vectors in _batches(store, fingerprint)]
    return sum(count for count, _ in counted), max((dimensions for _, dimensions in counted), default=1)


def _batches(store: Store, fingerprint: str) -> Iterator[tuple[pl.Series, np.ndarray]]:
    """text_hash and float16 vectors of one embedder, file by file: a million of them do not fit beside everything else."""
    import pyarrow.parquet as pq

    for file in store.files().get("vectors", []):
        for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=["text_hash", "fingerprint", "vector"]):
            rows = pl.from_arrow(batch).filter(pl.col("fingerprint") == fingerprint)
            if rows.height:
                yield rows["text_hash"], np.frombuffer(b"".join(rows["vector"]), dtype="<f2").reshape(rows.height, -1)


def _components(exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and principal axes [d, components] of the vectors, from a sample spread evenly over them."""
    if not len(exact):
        return np.zeros(exact.shape[1], np.float32), np.eye(exact.shape[1], 1, dtype=np.float32)
    sample = exact[:: max(len(exact) // FITTED_ON, 1)].astype(np.float32)
    mean = sample.mean(axis=0)
    _, axes = np.linalg.eigh((sample - mean).T @ (sample - mean))
    return mean, np.ascontiguousarray(axes[:, ::-1][:, :COMPONENTS], dtype=np.float32)


@lru_cache(maxsize=2)
def _opened(folder: Path) -> Index:
    exact, rough = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("exact", "rough"))
    return Index(pl.read_parquet(folder / "hashes.parquet")["text_hash"], exact, rough, np.load(folder / "axes.npy"))
