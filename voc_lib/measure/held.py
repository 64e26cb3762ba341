"""The feedback of a snapshot, held beside the lake in one file that is mapped and not read: a search over a million answers at once.

Reading every column of the few rows found back out of a thousand Parquet files takes longer than finding them. So the first search after
a snapshot writes `voc.feedback(store)`, with the text a search reads, as an uncompressed Arrow file into `<lake>/<store>/_search` (700 bytes
a feedback). It is a copy that can be deleted at any time, and the next search makes it again.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import polars as pl

from voc_lib.engine import connect
from voc_lib.enrich.batches import SEARCHED
from voc_lib.enrich.embedders import CLEANING
from voc_lib.enrich.language import clean_column
from voc_lib.measure.feedback import feedback
from voc_lib.store import Store

METHOD = f"{CLEANING}.1"  # raise the last number whenever what is held changes
OWN = ("row", "text", "text_hash")  # columns that a feedback frame does not have
SLOW = 100_000  # feedback of which nobody waits in silence
log = logging.getLogger("voc.search")


def searchable(texts: pl.Series) -> pl.Series:
    """Texts as they are searched, and words as they are searched for: cleaned as everywhere, in lower case.

    >>> searchable(pl.Series(["空調ＡＰＰ！！"])).item()
    '空调app!'
    """
    return clean_column(texts).str.to_lowercase()


def spoken(frame: pl.DataFrame) -> pl.Series:
    """`text`: all that a customer wrote in one feedback, title and follow-up too, as it is searched; "" where nothing was written."""
    return searchable(frame.select(pl.concat_str(SEARCHED, separator="。", ignore_nulls=True).alias("text")).to_series())


def search_folder(store: Store) -> Path:
    """Where a store keeps what searches are quick by."""
    folder = store.path / "_search"
    folder.mkdir(exist_ok=True)
    return folder


def version_of(store: Store) -> str:
    """Names a snapshot's content: its number alone might be given twice, where somebody went back to the one before."""
    published = f"{store.published_at:%Y%m%d%H%M%S}" if store.published_at else "empty"
    return f"{store.snapshot}-{published}-{METHOD}"


def held(store: Store):
    """The feedback frame of the snapshot as a mapped Arrow table, with `row`, `text` (see `spoken`) and `text_hash`; made where it is missing."""
    path = search_folder(store) / f"feedback-{version_of(store)}.arrow"
    if not path.exists():
        _hold(store, path)
    return _mapped(path)


def rows_where(store: Store, conditions: list[str]) -> pl.Series:
    """The rows of `held` that fit every SQL condition on its columns, in order."""
    connection = connect()
    connection.register("held", held(store))
    return connection.sql(f"SELECT row FROM held WHERE {' AND '.join(conditions) or 'true'} ORDER BY row").pl()["row"]


def taken(store: Store, rows: pl.Series) -> pl.DataFrame:
    """Those rows as a feedback frame, in the order given."""
    return pl.from_arrow(held(store).drop_columns(list(OWN)).take(rows.to_arrow())).rechunk()


def _hold(store: Store, path: Path) -> None:
    known = sorted(path.parent.glob(f"feedback-*-{METHOD}.arrow"), key=lambda file: file.stat().st_mtime)
    frame = feedback(store)
    if frame.height > SLOW:
        log.info("库「%s」快照 %s 的第一次检索：先整理 %s 条反馈，以后就快了……", store.name, store.snapshot, f"{frame.height:,}")
    hashes = store.sql(f"SELECT feedback_id, text_hash FROM texts WHERE cleaning = '{CLEANING}'")
    frame = frame.join(_texts(frame, known[-1] if known else None), on="feedback_id", how="left", maintain_order="left")
    frame = frame.join(hashes, on="feedback_id", how="left", maintain_order="left").with_row_index("row")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    # In one batch: taking scattered rows out of many would put them together first.
    frame.rechunk().write_ipc(beside, compression="uncompressed", compat_level=pl.CompatLevel.oldest(), record_batch_size=max(frame.height, 1))
    os.replace(beside, path)
    for file in known:
        with suppress(OSError):  # Windows keeps what somebody has mapped
            file.unlink()


def _texts(frame: pl.DataFrame, before: Path | None) -> pl.DataFrame:
    """feedback_id, text: as held before where a feedback was there, since what was said never changes; else cleaned now."""
    said = frame.select("feedback_id", *SEARCHED)
    had = said.select("feedback_id").clear().with_columns(pl.lit("").alias("text"))
    if before is not None:
        had = pl.from_arrow(_mapped(before).select(["feedback_id", "text"])).join(said.select("feedback_id"), on="feedback_id", how="semi")
        said = said.join(had, on="feedback_id", how="anti")
    return pl.concat([had, said.select("feedback_id", spoken(said))])


@lru_cache(maxsize=2)
def _mapped(path: Path):
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
