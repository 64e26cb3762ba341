"""Texts to vectors: the protocol of a back-end, and what is stored of it.

A back-end is a module `embedders_<name>.py` beside this one with a function `load() -> Embedder`; it is imported only
when asked for. A vector is stored once per cleaned text and fingerprint, so that a second run embeds nothing.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from voc_lib.enrich import language

_PREFIX = "embedders_"
BATCH = 512  # texts encoded at a time: what a crash costs, and some 10 MB of memory

VECTORS_SCHEMA = {"text_hash": pl.String, "fingerprint": pl.String, "dimensions": pl.Int64, "vector": pl.Binary}


class Embedder(Protocol):
    """A back-end. `encode` gives float32[n, dimensions], rows of length 1, in the order given.

    The same text has the same vector whatever stands beside it (to 1e-6). Texts are cleaned and cut to
    `language.EMBED_CHARACTERS`; one in which nothing is left gets the zero vector, near to nothing at all.
    `fingerprint` names package version, model and cleaning: vectors of two fingerprints never mix.
    """

    fingerprint: str
    dimensions: int

    def encode(self, texts: list[str]) -> np.ndarray: ...


def embedder_names() -> list[str]:
    """Names that `get_embedder` knows."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name.removeprefix(_PREFIX) for module in modules if module.name.startswith(_PREFIX))


@cache
def get_embedder(name: str) -> Embedder:
    """The embedder of that name, loaded once. ValueError with the list where there is none."""
    names = embedder_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"是不是想写“{near[0]}”？" if near else ""
        raise ValueError(f"没有叫“{name}”的向量模型。{hint}现有：{'、'.join(names)}。请检查 voc.toml 里的 embedder")
    return importlib.import_module(f"voc_lib.enrich.{_PREFIX}{name}").load()


def text_hash(text: str | None) -> str:
    """Key of a text in `vectors`: sha256 (hex) of the cleaned text.

    >>> text_hash("方向盤抖動!!") == text_hash("方向盘抖动！")
    True
    """
    return _sha256(language.clean(text))


def text_hashes(texts: pl.Series) -> pl.Series:
    """`text_hash` of a column: much faster than one by one."""
    cleaned = language.clean_column(texts)
    return pl.Series("text_hash", [_sha256(text) for text in cleaned], dtype=pl.String)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def embed_missing(texts: pl.DataFrame, known: set[str] | pl.Series, embedder: Embedder, batch: int = BATCH) -> Iterator[pl.DataFrame]:
    """Vectors of the texts whose hash is not known yet, batch by batch, ready to append to `vectors`.

    Takes `text_hash, text`; a hash listed twice is embedded once. Yields `text_hash, fingerprint, dimensions,
    vector` (little-endian float16), one row per text; nothing at all where every text is known.
    """
    wanted = texts.unique("text_hash", keep="first", maintain_order=True)
    wanted = wanted.filter(~pl.col("text_hash").is_in(list(known)))
    # Texts of one length share a batch: long ones do not hold up short ones, and memory stays flat.
    wanted = wanted.sort(pl.col("text").str.len_chars(), "text_hash", nulls_last=False)
    for part in wanted.iter_slices(batch):
        vectors = embedder.encode(part["text"].fill_null("").to_list())
        yield pl.DataFrame(
            {
                "text_hash": part["text_hash"],
                "fingerprint": [embedder.fingerprint] * part.height,
                "dimensions": [embedder.dimensions] * part.height,
                "vector": [row.tobytes() for row in vectors.astype("<f2")],
            },
            schema=VECTORS_SCHEMA,
        )


def decode_vectors(vectors: pl.Series, dimensions: int) -> np.ndarray:
    """Stored vectors as float32[n, dimensions]; rounding to float16 costs at most 0.0005 a component.

    Raises ValueError where a stored vector has another length, or is missing.
    """
    lengths = vectors.bin.size()
    wrong = (lengths != dimensions * 2).fill_null(True)
    if wrong.any():
        place = int(wrong.arg_true()[0])
        raise ValueError(f"第 {place + 1} 个向量应有 {dimensions * 2} 字节，实有 {lengths[place]}：可能混用了两个向量模型，请按 fingerprint 筛选后再读")
    joined = b"".join(vectors)
    return np.frombuffer(joined, dtype="<f2").reshape(len(vectors), dimensions).astype(np.float32)
