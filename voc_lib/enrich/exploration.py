"""An exploration: texts with vectors to a map, topics, their words and how they join. BERTopic with our own sub-models.

Grootendorst (2022), arXiv:2203.05794; UMAP: McInnes et al. (2018), arXiv:1802.03426; HDBSCAN: Campello et al. (2013),
doi:10.1007/978-3-642-37456-2_14. Made for looking around: topic numbers follow size and mean nothing in another exploration.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stderr
from functools import partial
from importlib import metadata

import numpy as np
import polars as pl

from voc_lib.enrich import language
from voc_lib.enrich.domain import Domain

METHOD = 1  # raise it when the same input would give another exploration
NEIGHBOURS = 15
CLUSTER_DIMENSIONS = 5  # in 5 dimensions HDBSCAN leaves a fifth of the sample outside; on the map itself it cuts groups apart
# Without a limit HDBSCAN sometimes joins nine tenths into one topic (2 of 4 seeds on the sample); with it 10-15 topics,
# adjusted Rand .68 between seeds, .41 with the systems of the keyword coder (k-means .28).
LARGEST_SHARE = 5  # a fifth of the texts
WORDS = 8
FEWEST_TEXTS = 50  # with fewer, neighbours are chance
NEAREST = 0.0001  # 0 is kept for the topics themselves
NOWHERE = -1
_LIBRARIES = ("bertopic", "umap-learn", "scikit-learn", "rjieba")
_MASK = re.compile("〔[^〕]*〕")
_WORD = re.compile(r"[\u3400-\u9fff]{2,}|[a-z][a-z0-9+.-]+")
POINTS_SCHEMA = {"x": pl.Float64, "y": pl.Float64, "topic": pl.Int64, "probability": pl.Float64}
TREE_SCHEMA = {"node": pl.Int64, "parent": pl.Int64, "distance": pl.Float64, "documents": pl.Int64, "words": pl.String}


def cut_words(text: str, words: tuple[str, ...] = (), stopwords: frozenset[str] = frozenset()) -> list[str]:
    """Words of a cleaned text for naming topics: two Chinese characters or more, or Latin; no masks, no stopwords.

    >>> cut_words("〔手机号〕方向盘抖动,app闪退 3 次", stopwords=frozenset(["闪退"]))
    ['方向盘', '抖动', 'app']
    """
    pieces = language.segmenter(words).cut(_MASK.sub(" ", text).lower())
    return [piece for piece in pieces if _WORD.fullmatch(piece) and piece not in stopwords]


def method(domain: Domain) -> str:
    """What besides texts, vectors and parameters decides an exploration: our version, the libraries', the domain's words."""
    versions = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    return repr((METHOD, versions, domain.words, domain.stopwords))


def explore_texts(texts: list[str], vectors: np.ndarray, domain: Domain, smallest: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The map and the topics of different texts: (points, one row per text in order; tree, one row per node).

    Points: `x, y` to four decimals, `topic` (-1 in none), `probability`. Tree: as table `exploration_topics`. `smallest`
    is the least number of texts in a topic. Both frames are empty with fewer than 50 texts. The same input and
    seed give the same answer on one machine; another machine may round otherwise, which is why results are stored.
    """
    if len(texts) < FEWEST_TEXTS:
        return pl.DataFrame(schema=POINTS_SCHEMA), pl.DataFrame(schema=TREE_SCHEMA)
    cleaned = language.clean_texts(texts)
    # UMAP warns that a fixed seed uses one core (wanted); BERTopic draws progress bars whatever it is told.
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        model = _model(len(texts), domain, smallest, seed)
        topics, strength = model.fit_transform(cleaned, vectors)
        place = _reducer(2, 0.1, seed).fit_transform(vectors)
        tree = _tree(model, cleaned)
    points = pl.DataFrame({"x": place[:, 0], "y": place[:, 1], "topic": topics, "probability": strength}, schema=POINTS_SCHEMA, strict=False)
    return points.with_columns(pl.col("x", "y", "probability").round(4)), tree


def _model(count: int, domain: Domain, smallest: int, seed: int):
    from bertopic import BERTopic
    from sklearn.cluster import HDBSCAN
    from sklearn.feature_extraction.text import CountVectorizer

    tokenizer = partial(cut_words, words=domain.words, stopwords=frozenset(domain.stopwords))
    return BERTopic(
        language="multilingual",  # "english" strips every Chinese character
        embedding_model=None, top_n_words=WORDS, umap_model=_reducer(CLUSTER_DIMENSIONS, 0.0, seed),
        hdbscan_model=HDBSCAN(min_cluster_size=smallest, max_cluster_size=max(count // LARGEST_SHARE, 2 * smallest), copy=True),
        vectorizer_model=CountVectorizer(tokenizer=tokenizer, token_pattern=None, lowercase=False), verbose=False,
    )


def _reducer(dimensions: int, spread: float, seed: int):
    from umap import UMAP

    return UMAP(n_neighbors=NEIGHBOURS, n_components=dimensions, min_dist=spread, metric="cosine", random_state=seed, n_jobs=1)


def _tree(model, cleaned: list[str]) -> pl.DataFrame:
    sizes = {topic: size for topic, size in model.topic_sizes_.items() if topic != NOWHERE}
    rows = {topic: {"node": topic, "parent": None, "distance": 0.0, "documents": size, "words": _named(model, topic)}
            for topic, size in sorted(sizes.items())}
    if len(sizes) > 1:
        joins = model.hierarchical_topics(cleaned, use_ctfidf=True)
        for join in sorted(joins.to_dict("records"), key=lambda join: int(join["Parent_ID"])):  # in the order of joining: distances can tie
            node, halves = int(join["Parent_ID"]), (int(join["Child_Left_ID"]), int(join["Child_Right_ID"]))
            rows[node] = {"node": node, "parent": None, "distance": max(round(float(join["Distance"]), 4), NEAREST),
                          "documents": sum(sizes[topic] for topic in join["Topics"]), "words": "、".join(join["Parent_Name"].split("_"))}
            for half in halves:
                rows[half]["parent"] = node
    return pl.DataFrame(list(rows.values()), schema=TREE_SCHEMA).sort("node")


def _named(model, topic: int) -> str:
    return "、".join(word for word, weight in model.get_topic(topic) if word and weight > 0)
