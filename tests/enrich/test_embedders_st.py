"""The sentence-transformers back-end on a small model folder that the test makes: nothing is fetched."""

import shutil

import numpy as np
import pytest

from voc_lib.enrich import embedders_st
from voc_lib.enrich.embedders import EmbedderError, encode_queries, get_embedder

TEXTS = ["方向盘抖动", "空调不制冷，等了半个小时", "好", "续航不准 app闪退"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny BERT with random weights and a WordPiece vocabulary of single characters, saved by the library itself."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    place = tmp_path_factory.mktemp("模型 文件夹")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", "query", "app", *sorted(set("".join(TEXTS)) - set("ap q"))]
    (place / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64}
    BertModel(BertConfig(vocab_size=len(words), **shape)).save_pretrained(place / "bert")
    BertTokenizer(str(place / "vocab.txt")).save_pretrained(place / "bert")
    made = SentenceTransformer(modules=[Transformer(str(place / "bert")), Pooling(32)])
    made.save(str(place / "tiny"))
    return place / "tiny"


@pytest.fixture
def embedder(folder, home, monkeypatch):
    monkeypatch.setattr(embedders_st, "fitting_dtype", lambda: "float32")
    return get_embedder(f"st:{folder}")


def test_rows_are_float32_of_length_one_and_nothing_is_nothing(embedder):
    vectors = embedder.encode([*TEXTS, "", "\u200b"])
    assert vectors.dtype == np.float32 and vectors.shape == (6, 32) == (6, embedder.dimensions)
    assert np.linalg.norm(vectors, axis=1).round(5).tolist() == [1, 1, 1, 1, 0, 0]
    assert embedder.encode([]).shape == (0, 32)


def test_same_text_same_vector_in_any_company(embedder):
    together, backwards = embedder.encode(TEXTS), embedder.encode(TEXTS[::-1])[::-1]
    alone = np.vstack([embedder.encode([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5 and np.abs(together - backwards).max() < 1e-5
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_texts_are_cleaned_first(embedder):
    first, second = embedder.encode(["方向盤抖動", "方向盘抖动"])
    assert np.array_equal(first, second)


def test_bfloat16_gives_float32_near_to_the_exact_vector_under_another_fingerprint(folder, embedder, monkeypatch):
    monkeypatch.setattr(embedders_st, "fitting_dtype", lambda: "bfloat16")
    half = get_embedder(f"st:{folder}")
    assert next(half._model.parameters()).dtype.itemsize == 2
    vectors = half.encode(TEXTS)
    assert vectors.dtype == np.float32 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert 0 < np.abs(vectors - embedder.encode(TEXTS)).max() < 0.05
    assert "bfloat16" in half.fingerprint and half.fingerprint != embedder.fingerprint


@pytest.mark.parametrize("line, dtype", [
    ("flags\t\t: fpu avx2 avx512_bf16 amx_bf16", "bfloat16"), ("flags\t\t: fpu avx2 avx512f", "float32"), ("Features\t: fp asimd bf16", "bfloat16"), ("", "float32")])
def test_bfloat16_follows_the_processor(line, dtype, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n")
    assert embedders_st.fitting_dtype(tmp_path / "cpuinfo") == dtype
    assert embedders_st.fitting_dtype(tmp_path / "nothing") == "float32"


def test_fingerprint_follows_content_not_place(folder, embedder, tmp_path):
    moved = shutil.copytree(folder, tmp_path / "别处")
    (moved / "README.md").write_text("另一份说明", encoding="utf-8")
    assert get_embedder(f"st:{moved}").fingerprint == embedder.fingerprint
    named = shutil.copytree(folder, tmp_path / "multilingual-e5-tiny")  # another prompt
    trained = shutil.copytree(folder, tmp_path / "trained")
    (trained / "config_extra.json").write_text("{}")
    others = {get_embedder(f"st:{place}").fingerprint for place in (named, trained)}
    assert len(others | {embedder.fingerprint}) == 3


def test_the_prompt_stands_before_every_text(folder, embedder, tmp_path):
    prompted = get_embedder(f"st:{shutil.copytree(folder, tmp_path / 'multilingual-e5-tiny')}")
    assert prompted.prompts == ("query: ", "query: ") and embedder.prompts == ("", "")
    assert np.abs(prompted.encode(["好"]) - embedder.encode(["query: 好"])).max() < 1e-5


def test_bge_wants_an_instruction_for_questions_only(folder, embedder, tmp_path):
    bge = get_embedder(f"st:{shutil.copytree(folder, tmp_path / 'bge-small-zh-v1.5')}")
    assert np.abs(bge.encode(TEXTS) - embedder.encode(TEXTS)).max() < 1e-6
    assert np.abs(encode_queries(bge, TEXTS) - bge.encode(TEXTS)).max() > 1e-3
    assert np.array_equal(encode_queries(embedder, TEXTS), embedder.encode(TEXTS))


@pytest.mark.parametrize("name, own, expected", [
    ("Qwen/Qwen3-Embedding-0.6B", {"query": "x"}, ("", embedders_st.FAMILIES["qwen3-embedding"][1])), ("models/bge-m3", {}, ("", "")),
    ("intfloat/multilingual-e5-large-instruct", {}, (embedders_st.TASK,) * 2), ("e5-base", {}, ("query: ",) * 2), ("some/made5-x", {}, ("", "")),
    ("x/y", {"query": "ask: ", "document": "", "clustering": "group: "}, ("group: ", "ask: ")), ("x/y", {"clustering": "group: "}, ("group: ",) * 2)])
def test_prompts_of_known_families_and_of_the_model_itself(name, own, expected):
    assert embedders_st.prompts(name, own) == expected


def test_a_missing_model_says_how_to_bring_it_and_asks_nobody(home, monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in ("nobody/none-such", "none-such", "/no/such/folder", "models/none such"):
        with pytest.raises(EmbedderError, match="本机没有向量模型.*不会自动联网下载.*hf download"):
            get_embedder(f"st:{name}")


def test_a_folder_beside_voc_toml_may_be_named_from_there(folder, home):
    shutil.copytree(folder, home / "models" / "tiny")
    assert embedders_st.find_folder("models/tiny") == (home / "models" / "tiny").resolve()


def test_a_folder_that_is_no_model_is_refused(home):
    (home / "models" / "half").mkdir(parents=True)
    (home / "models" / "half" / "config.json").write_text("{}")
    with pytest.raises(EmbedderError, match="打不开.*modules.json"):
        get_embedder("st:models/half")
