"""Codes by meaning: seeds of a small taxonomy, an embedder one can draw, and abstention."""

import numpy as np
import polars as pl

from voc_lib.enrich.coding import CODES_SCHEMA, UNMAPPED, code_keywords
from voc_lib.enrich.domain import Code, Domain
from voc_lib.enrich.seeds import code_by_seeds, seed_phrases

SHAKE = Code("转向-方向盘-抖动", "抖", ("打手抖", "抖"), ((("方向盘", "转向盘"), ("颤动", "震手")),), "质量部")
LEAK = Code("车身-天窗-漏水", "漏", ("天窗漏水",), (), "质量部")
PLAIN = Code("车身-车身-评价", "车身", ("车身好看",), (), "质量部")
DOMAIN = Domain("t", "测试", ("t",), (SHAKE, LEAK, PLAIN), (), (), scopes=(("app", ("车身",)),))


class Drawn:
    """Shaking along one axis, water along the other; everything else halfway between."""

    fingerprint, dimensions = "drawn", 2

    def encode(self, texts):
        marks = [[any(c in text for c in "抖颤震哆"), any(c in text for c in "漏水渗滴")] for text in texts]
        vectors = np.array([[1.0, 1.0] if not any(mark) else mark for mark in marks], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def coded(*texts, channel=None):
    rows = pl.DataFrame({"feedback_id": [str(at) for at in range(len(texts))], "text": list(texts), "channel": [channel] * len(texts)},
                        schema={"feedback_id": pl.String, "text": pl.String, "channel": pl.String})
    return code_by_seeds(code_keywords(rows, DOMAIN), rows, DOMAIN, Drawn())


def test_seeds_are_phrases_and_pairs_of_specific_codes():
    # 抖 alone is too short to mean anything; a plain mention has none
    assert seed_phrases(DOMAIN).rows() == [
        (SHAKE.code, "打手抖"), (SHAKE.code, "方向盘颤动"), (SHAKE.code, "方向盘震手"), (SHAKE.code, "转向盘颤动"), (SHAKE.code, "转向盘震手"),
        (LEAK.code, "天窗漏水"),
    ]


def test_meaning_speaks_only_where_keywords_are_silent_and_it_is_near():
    found = coded("天窗漏水", "今天很好,手里一直哆嗦", "今天天气好", "", None)
    assert found.schema == pl.Schema(CODES_SCHEMA)
    assert found.select("code", "source").rows() == [
        (LEAK.code, "keyword"), (SHAKE.code, "vectors"), (LEAK.code if found["code"][2] == LEAK.code else SHAKE.code, "vectors"), (UNMAPPED, "keyword"), (UNMAPPED, "keyword")]
    assert found.select("span_start", "span_end", "confidence").row(1) == (5, 11, 0.75)
    assert found["confidence"][2] == 0.65  # halfway, cosine .71: barely near enough
    assert found["model_version"].str.ends_with("+seeds-drawn").all()


def test_a_channel_keeps_to_its_systems():
    assert coded("手里一直哆嗦", channel="app")["code"].to_list() == [UNMAPPED]
    assert coded("顶上一直滴答水", channel="app")["code"].to_list() == [LEAK.code]
