"""Runs of one to three characters (n-grams) of many texts, counted in numpy: some ten times faster than word by word in Python.

An n-gram is one number: three code points of 21 bits each, 0 where it is shorter. Texts come cleaned; letters count in lower case.
"""

from __future__ import annotations

import numpy as np

LONGEST = 3
_BITS = np.uint64(21)  # a code point is below 2**21, three of them fit into 64 bits
_SCATTER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: multiplying spreads near numbers far apart
_ROOM = 8  # places in the look-up table per n-gram: nearly all are found at the first
TEXTS_AT_ONCE = 4_000  # at most 1,000 characters each: some 300 MB


class Ngrams:
    """Finds the n-grams it was given, at the columns in which they stand."""

    def __init__(self, ngrams: np.ndarray) -> None:
        self.ngrams = ngrams
        bits = max(len(ngrams) * _ROOM, 2).bit_length()
        self._shift, self._mask = np.uint64(64 - bits), (1 << bits) - 1
        self._keys = np.zeros(1 << bits, dtype=np.uint64)  # 0 is no n-gram: cleaning leaves no NUL
        self._columns = np.full(1 << bits, -1, dtype=np.int32)
        keys, columns = _packed(ngrams), np.arange(len(ngrams), dtype=np.int32)
        places = self._places(keys)
        while len(keys):
            free = self._keys[places] == 0
            self._keys[places[free]] = keys[free]
            home = self._keys[places] == keys
            self._columns[places[home]] = columns[home]
            keys, columns, places = keys[~home], columns[~home], self._next(places[~home])  # the place was taken: the next one

    def count(self, texts: list[str]):
        """How often each n-gram stands in each text: scipy.sparse float32 [texts, n-grams], columns in order."""
        from scipy.sparse import csr_array, vstack

        shape = (0, len(self.ngrams))
        parts = [self._count(texts[at : at + TEXTS_AT_ONCE]) for at in range(0, len(texts), TEXTS_AT_ONCE)]
        return vstack(parts, format="csr") if parts else csr_array(shape, dtype=np.float32)

    def _count(self, texts: list[str]):
        from scipy.sparse import csr_array

        found = []
        for rows, keys in _runs(texts):
            columns = self._find(keys)
            known = columns >= 0
            found.append(rows[known] * len(self.ngrams) + columns[known])
        cells, counts = np.unique(np.concatenate(found), return_counts=True)
        rows, columns = np.divmod(cells, max(len(self.ngrams), 1))
        starts = np.searchsorted(rows, np.arange(len(texts) + 1)).astype(np.int32)
        return csr_array((counts.astype(np.float32), columns.astype(np.int32), starts), shape=(len(texts), len(self.ngrams)))

    def _places(self, keys: np.ndarray) -> np.ndarray:
        return ((keys * _SCATTER) >> self._shift).astype(np.int64)

    def _next(self, places: np.ndarray) -> np.ndarray:
        return (places + 1) & self._mask

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """Columns of packed n-grams, -1 where one is not known."""
        places = self._places(keys)
        held = self._keys[places]
        columns = np.where(held == keys, self._columns[places], np.int32(-1))
        left = np.flatnonzero((held != keys) & (held != 0))
        places = places[left]
        while len(left):
            places = self._next(places)
            held, wanted = self._keys[places], keys[left]
            columns[left] = np.where(held == wanted, self._columns[places], np.int32(-1))
            going = (held != wanted) & (held != 0)
            left, places = left[going], places[going]
        return columns


def frequent_ngrams(texts: list[str], most: int, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """N-grams of at least `fewest` texts, at most `most`, those of most texts first; and in how many texts each stands."""
    kept = []
    for rows, keys in _runs(texts):
        distinct, at = np.unique(keys, return_inverse=True)
        pairs = np.unique(at.reshape(-1).astype(np.int64) * len(texts) + rows)
        within = np.bincount(pairs // max(len(texts), 1), minlength=len(distinct))
        kept.append((distinct[within >= fewest], within[within >= fewest]))
    keys, within = (np.concatenate(part) for part in zip(*kept, strict=True))
    first = np.lexsort((keys, -within))[:most]
    return _unpacked(keys[first]), within[first]


def telling_ngrams(texts: list[str], most: int, fewest: int) -> np.ndarray:
    """N-grams of at least `fewest` texts, at most `most`, those said most often; sorted. The same ones as scikit-learn's vectorizers keep, in the same order."""
    kept, said = [], []
    for rows, keys in _runs(texts):
        order = np.argsort(keys, kind="stable")  # rows of one n-gram stay in order
        keys, rows = keys[order], rows[order]
        is_first = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
        first = np.flatnonzero(is_first)
        another_text = is_first | np.append(True, rows[1:] != rows[:-1])[: len(keys)]
        often = np.add.reduceat(another_text, first, dtype=np.int64) >= fewest if len(first) else np.empty(0, dtype=bool)
        kept.append(_unpacked(keys[first])[often])
        said.append(np.diff(np.append(first, len(keys)))[often])
    ngrams, times = np.concatenate(kept), np.concatenate(said)
    order = np.argsort(ngrams)
    ngrams, times = ngrams[order], times[order].astype(np.float32)
    return ngrams if len(ngrams) <= most else ngrams[np.sort((-times).argsort()[:most])]


def weighted(counts, weights: np.ndarray):
    """Counts as 1 + log(count), times the weight of each n-gram; rows of length 1, a row without any stays empty."""
    rows = counts.copy()
    rows.data = ((1 + np.log(rows.data)) * weights.astype(np.float32)[rows.indices]).astype(np.float32)
    of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    length = np.sqrt(np.bincount(of, rows.data.astype(np.float64) ** 2, minlength=rows.shape[0]))
    rows.data /= length[of].astype(np.float32)
    return rows


def _runs(texts: list[str]):
    """For n = 1, 2, 3: (row of the text, packed n-gram) of every run of n characters."""
    lowered = [text.lower() for text in texts]
    points = np.frombuffer("".join(lowered).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    rows = np.repeat(np.arange(len(lowered)), [len(text) for text in lowered])
    packed = points
    yield rows, packed
    for more in range(1, LONGEST):
        packed = packed[:-1] | (points[more:] << (_BITS * np.uint64(more)))
        inside = rows[more:] == rows[: len(packed)]
        yield rows[more:][inside], packed[inside]


def _packed(ngrams: np.ndarray) -> np.ndarray:
    points = np.ascontiguousarray(ngrams.astype(f"<U{LONGEST}")).view("<u4").reshape(len(ngrams), LONGEST).astype(np.uint64)
    return points[:, 0] | points[:, 1] << _BITS | points[:, 2] << (_BITS + _BITS)


def _unpacked(keys: np.ndarray) -> np.ndarray:
    mask = (np.uint64(1) << _BITS) - np.uint64(1)
    points = np.column_stack([keys >> (_BITS * np.uint64(at)) & mask for at in range(LONGEST)]).astype("<u4")
    return np.ascontiguousarray(points).view(f"<U{LONGEST}").reshape(-1)
