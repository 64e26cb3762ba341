"""以文搜文 on vectors one can draw: who is near whom, each wording once, and the rough look held against the exact one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.embedders import normalised
from voc_lib.measure import nearest as room
from voc_lib.measure import similar as asking
from voc_lib.measure.nearest import Index, nearest
from voc_lib.measure.similar import SimilarError, similar

EAST, NORTH_EAST, NORTH, WEST = (1.0, 0.0), (0.6, 0.8), (0.0, 1.0), (-1.0, 0.0)
SAID = ({"verbatim": "东", "vector": EAST}, {"verbatim": "东北", "vector": NORTH_EAST, "iso_week": "2026-W45"}, {"verbatim": "北", "vector": NORTH}, {"verbatim": "西", "vector": WEST},
        {"verbatim": "东北", "author_key": "a2"}, {"verbatim": "东北"}, {"verbatim": ""}, {"verbatim": "没有向量"})


def ids(frame) -> list[int]:
    return [int(name, 16) for name in frame["feedback_id"]]


class Compass:
    """An embedder that knows four words."""

    fingerprint = "hand"

    def encode(self, texts: list[str]) -> np.ndarray:
        known = {"东": EAST, "北": NORTH, "西": WEST}
        return np.array([known.get(text, (0.0, 0.0)) for text in texts], np.float32)


@pytest.fixture
def compass(monkeypatch):
    monkeypatch.setattr(asking, "get_embedder", lambda line, store: Compass())


def test_each_wording_once_nearest_first_with_its_repeats(told, compass):
    found = similar("东", told(*SAID))
    assert ids(found) == [1, 2, 3, 4] and found["similarity"].round(3).to_list() == [1.0, 0.6, 0.0, -1.0]
    assert found["repeats"].to_list() == [1, 3, 1, 1] and found["repeat_people"].to_list() == [1, 2, 1, 1]  # 东北 is said three times by two people
    assert found.columns[-3:] == ["similarity", "repeats", "repeat_people"]


@pytest.mark.parametrize(("asked", "found", "repeats"), [
    ({"period": "2026-W46"}, [1, 5, 3, 4], [1, 2, 1, 1]), ({"period": "2026-W45"}, [2], [1]), ({"n": 2}, [1, 2], [1, 3]), ({"channel": "forum", "n": 1}, [1], [1])])
def test_what_is_asked_for_limits_whom_it_can_be_and_what_is_counted(told, compass, asked, found, repeats):
    answer = similar("东", told(*SAID), **asked)
    assert ids(answer) == found and answer["repeats"].to_list() == repeats


def test_a_feedback_is_not_like_itself_nor_like_its_copies(told):
    store = told(*SAID)
    for who in (2, 5, 6):
        assert ids(similar(f"{who:032x}", store)) == [3, 1, 4]  # .8, .6, -.6
    with pytest.raises(SimilarError, match="有 8 条反馈的编号以「0000000000」开头"):
        similar("0000000000", store)


def test_new_vectors_are_found_at_the_new_snapshot_only(told, compass):
    before = told(*SAID)
    assert ids(similar("北", before, n=1)) == [3]
    after = told({"verbatim": "正北", "vector": (0.1, 0.99)})
    assert ids(similar("北", after, n=2)) == [3, 9] and ids(similar("北", before, n=2)) == [3, 2]


def test_what_cannot_be_compared_is_said(told, compass, monkeypatch):
    store = told(*SAID)
    for what, said in ((f"{7:032x}", "没有写字，或它的文字还没有向量"), (f"{8:032x}", "还没有向量"), ("f" * 32, "没有编号为"), ("南", "没有这个向量模型认得的字")):
        with pytest.raises(SimilarError, match=said):
            similar(what, store)
    monkeypatch.setattr(Compass, "fingerprint", "other")
    with pytest.raises(SimilarError, match="是另一个模型算的（hand）.*先运行 voc enrich"):
        similar("东", store)
    store.about.pop("fingerprint")
    with pytest.raises(SimilarError, match="还没有向量，不能以文搜文"):
        similar("东", store)


def index_of(vectors: np.ndarray, components: int, monkeypatch) -> Index:
    monkeypatch.setattr(room, "COMPONENTS", components)
    exact = vectors.astype("<f2")
    mean, axes = room._components(exact)
    return Index(pl.Series([str(at) for at in range(len(exact))]), exact, ((exact.astype(np.float32) - mean) @ axes), axes)


def test_with_all_components_the_rough_look_is_exact(monkeypatch):
    vectors = normalised(np.random.default_rng(0).normal(size=(3_000, 24)))
    index = index_of(vectors, 24, monkeypatch)
    monkeypatch.setattr(room, "CANDIDATES", 60)
    for vector in vectors[:20]:
        exact = index.exact.astype(np.float32) @ vector
        assert nearest(index, vector, 20)[0].tolist() == np.lexsort((np.arange(len(exact)), -exact))[:20].tolist()


def test_few_components_find_most_and_never_what_is_not_allowed(monkeypatch):
    lot = np.random.default_rng(1)
    vectors = normalised(lot.normal(size=(3_000, 24)) * 0.8 ** np.arange(24))
    index = index_of(vectors, 8, monkeypatch)
    monkeypatch.setattr(room, "CANDIDATES", 300)
    allowed = np.arange(3_000) % 2 == 0
    shares = []
    for vector in vectors[:20]:
        exact = np.where(allowed, index.exact.astype(np.float32) @ vector, -2)
        found, cosines = nearest(index, vector, 20, allowed)
        assert allowed[found].all() and np.allclose(cosines, exact[found], atol=1e-6) and (np.diff(cosines) <= 0).all()
        shares.append(len({*found} & {*np.argsort(-exact)[:20]}) / 20)
    assert np.mean(shares) > 0.9
