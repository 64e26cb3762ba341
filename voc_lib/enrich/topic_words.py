"""What a topic is called: BERTopic carries the fit, counts words and phrases by topic (c-TF-IDF), and the names are made of them.

Grootendorst (2022), arXiv:2203.05794. Phrases follow part-of-speech patterns of Chinese: a thing and what it does or is like (刹车 异响).
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from contextlib import redirect_stderr

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.domain import Domain
from voc_lib.enrich.topics import SeededConsensus

WORDS = 12  # kept of a topic
LOOKED_AT = 80  # of the weightiest by c-TF-IDF
PARTS = 3  # of a name at most
FEWEST_TEXTS = 3  # a phrase must stand in, or it is one person's
PHRASE, PHRASE_WORTH = 4, 2.2  # characters of a phrase; what it is worth beside a word of the same weight: it says what is the matter
_THINGS, _HAPPENS = ("n", "vn", "eng", "l"), ("v", "a", "z")
_CONTENT = (*_THINGS, *_HAPPENS, "j", "b", "i")
# Verbs and adjectives that say nothing alone; the domain's stopwords say the rest.
_EMPTY = frozenset("是 有 没 没有 要 会 能 可以 到 说 看 想 做 用 开 买 去 来 觉得 感觉 知道 应该 需要 出现 大 小 多 少 高 低 好 新 差 不错 可能 问 请问 请教 发现 准备 打算 车 车子 时 人 事 时候 问题 情况 东西 地方 左右".split())


def phrases(text: str, words: tuple[str, ...] = (), stopwords: frozenset[str] = frozenset()) -> list[str]:
    """Words that carry content, and phrases of two neighbours: thing + what happens, thing + thing.

    >>> phrases("刹车异响,怎么办")
    ['刹车', '异响', '刹车异响']
    """
    found, last = [], None
    for word, kind in language.segmenter(words).tag(text):
        if word in stopwords or word in _EMPTY or not kind.startswith(_CONTENT) or (len(word) < 2 and kind[0] not in "va"):
            last = None if kind.startswith(("x", "w", "c")) else last
            continue
        if len(word) > 1 and not word.isdigit():
            found.append(word)
        if last and last[1].startswith(_THINGS) and kind.startswith((*_HAPPENS, *_THINGS)) and last[0] != word:
            found.append(last[0] + word)
        last = (word, kind)
    return found


def carried(texts: list[str], vectors: np.ndarray, seeds: np.ndarray, cluster: SeededConsensus, domain: Domain) -> dict[int, list[str]]:
    """BERTopic fitted with `cluster` in place of UMAP and HDBSCAN: the words of each of its topics, most telling first.

    A word counts by its c-TF-IDF and by the square root of the share of the topic's texts it stands in: what few of them say names nothing.
    """
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction.text import CountVectorizer

    stopwords = frozenset(domain.stopwords)
    told = [phrases(text, domain.words, stopwords) for text in language.telling_texts(texts)]
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        model = BERTopic(language="multilingual", embedding_model=None, umap_model=BaseDimensionalityReduction(), hdbscan_model=cluster, top_n_words=LOOKED_AT,
                         vectorizer_model=CountVectorizer(analyzer=str.split), ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True))
        numbers, _ = model.fit_transform([" ".join(words) for words in told], vectors, y=seeds)
    found = {}
    for number in sorted(set(numbers)):
        rows = np.flatnonzero(np.array(numbers) == number)
        within = Counter(word for row in rows for word in set(told[row]))
        weighed = {word: weight * (within[word] / len(rows)) ** 0.5 * (PHRASE_WORTH if len(word) >= PHRASE else 1)
                   for word, weight in model.get_topic(number) or [] if within[word] >= FEWEST_TEXTS}
        found[int(cluster.labels_[rows[0]])] = sorted(weighed, key=lambda word: (-weighed[word], word))[:WORDS]
    return found


def name_of(words: list[str], most: int = PARTS) -> str:
    """`刹车异响、踏板`: the first words of which none repeats a part of another.

    >>> name_of(["刹车异响", "异响", "刹车", "踏板", "刹车踏板"])
    '刹车异响、踏板'
    """
    chosen: list[str] = []
    for word in words:
        pieces = {word[at : at + 2] for at in range(len(word) - 1)}
        if not any(pieces & {had[at : at + 2] for at in range(len(had) - 1)} or word in had or had in word for had in chosen):
            chosen.append(word)
        if len(chosen) == most:
            break
    return "、".join(chosen)
