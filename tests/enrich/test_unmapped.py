"""The unmapped queue: counted by hand on a dozen sentences, with vectors that one can draw."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.domain import Code, Domain
from voc_lib.enrich.unmapped import QUEUE_SCHEMA, unmapped_terms

SHAKE = Code("转向-方向盘-抖动", "方向盘抖动", ("方向盘抖动",), (), "质量部")
NOISE = Code("底盘-悬架-异响", "悬架异响", ("悬架异响",), (), "质量部")
DOMAIN = Domain("t", "测试", ("t",), (SHAKE, NOISE), ("方向盘", "哆嗦"), ("今天",))

CODED = [("方向盘抖动", SHAKE.code)] * 6 + [("悬架异响", NOISE.code)] * 6
OPEN = [("今天方向盘哆嗦", UNMAPPED)] * 4 + [("今天天气晴朗", UNMAPPED)] * 2


def rows(said):
    return pl.DataFrame(said, schema=["text", "code"], orient="row").with_row_index("feedback_id").cast({"feedback_id": pl.String})


def drawn():
    """Codes on two axes; the open ones near the first."""
    places = [(1.0, 0.0)] * 6 + [(0.0, 1.0)] * 6 + [(0.9, 0.1)] * 4 + [(0.5, 0.5)] * 2
    return np.array(places, dtype=np.float32)


def test_a_term_is_counted_by_feedback_and_shown_with_its_clause():
    found = unmapped_terms(rows(CODED + OPEN), DOMAIN)
    assert found.schema == pl.Schema(QUEUE_SCHEMA)
    # 哆嗦 alone is part of 方向盘哆嗦 in all its uses; 天气 was said by two only; 方向盘 is as common among the coded
    assert found.select("term", "unmapped", "coded", "example").rows() == [("方向盘哆嗦", 4, 0, "今天方向盘哆嗦")]
    # odds 4.5/2.5 against 0.5/12.5: ln 45 = 3.807 over sqrt(1/4.5 + 1/2.5 + 1/0.5 + 1/12.5) = 1.644
    assert found["distinctiveness"].item() == pytest.approx(2.32, abs=0.01)


def test_the_nearest_code_by_vectors_and_by_characters():
    near = unmapped_terms(rows(CODED + OPEN), DOMAIN, drawn())
    assert near.select("nearest_code", "nearest_by").row(0) == (SHAKE.code, "vectors")
    assert 0.5 < near["nearness"].item() <= 1
    spelt = unmapped_terms(rows(CODED + OPEN), DOMAIN)
    # 方向 and 向盘 of 4 pairs each side: 2 x 2 / (4 + 4)
    assert spelt.select("nearest_code", "nearness", "nearest_by").row(0) == (SHAKE.code, 0.5, "characters")
    blank = unmapped_terms(rows(CODED + OPEN), DOMAIN, np.zeros((18, 2), dtype=np.float32))
    assert blank["nearest_by"].to_list() == ["characters"]


def test_nothing_to_list_is_an_empty_table():
    assert unmapped_terms(rows(CODED), DOMAIN).is_empty()
    assert unmapped_terms(rows(OPEN[:2]), DOMAIN).is_empty()
    assert unmapped_terms(rows([]).cast({"text": pl.String, "code": pl.String}), DOMAIN).schema == pl.Schema(QUEUE_SCHEMA)


def test_missing_texts_and_a_limit():
    said = rows([*CODED, *OPEN, (None, UNMAPPED), ("", UNMAPPED)])
    assert unmapped_terms(said, DOMAIN, top=1).height == 1
