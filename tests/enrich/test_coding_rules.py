"""Which of two codes a symptom belongs to, which code is the main one, and how sure the coder is: by hand."""

from pathlib import Path

import polars as pl
import pytest

from voc_lib import schema
from voc_lib.enrich.coding import CODES_SCHEMA, code_keywords
from voc_lib.enrich.domain import Code, Domain, load_domain

DOMAINS = Path(__file__).parents[2] / "data" / "domains"


def domain(*codes, **settings):
    return Domain("t", "测试", ("t",), codes, (), (), **settings)


def code(name, *patterns, synonyms=()):
    return Code(name, name, tuple(synonyms), tuple(patterns), "质量部")


def coded(text, used):
    return code_keywords(pl.DataFrame({"feedback_id": ["1"], "text": [text]}), used)


def names(text, used):
    return coded(text, used)["code"].to_list()


ENGINE = code("发动机-本体-异响", (("发动机",), ("异响",)))
GEARBOX = code("变速箱-本体-异响", (("变速箱",), ("异响",)))
START = code("启动-启动-异响", (("启动",), ("异响",)))
LEAK = code("发动机-本体-漏油", (("发动机",), ("漏油",)))


def test_a_symptom_belongs_to_the_nearest_part():
    used = domain(ENGINE, GEARBOX, LEAK)
    assert names("发动机漏油变速箱异响", used) == ["发动机-本体-漏油", "变速箱-本体-异响"]
    assert names("发动机和变速箱异响", used) == ["发动机-本体-异响", "变速箱-本体-异响"]  # one character between: both
    assert names("发动机变速箱异响", used) == ["变速箱-本体-异响"]  # none between: the part of the part


def test_a_condition_gives_way_to_a_part_though_it_is_nearer():
    assert names("变速箱启动时异响", domain(GEARBOX, START, conditions=("启动",))) == ["变速箱-本体-异响"]
    assert names("变速箱启动时异响", domain(GEARBOX, START)) == ["启动-启动-异响"]
    assert names("启动时异响", domain(GEARBOX, START, conditions=("启动",))) == ["启动-启动-异响"]


def test_the_longer_part_and_the_longer_wording_win():
    door, lock = code("车身-车门-坏", (("车门",), ("坏",))), code("车身-门锁-坏", (("车门锁",), ("坏",)))
    assert names("车门锁坏", domain(door, lock)) == ["车身-门锁-坏"]
    rust, exhaust = code("车身-车身-生锈", synonyms=("生锈",)), code("底盘-排气管-生锈", (("排气管",), ("生锈",)))
    assert names("排气管生锈", domain(rust, exhaust)) == ["底盘-排气管-生锈"]
    assert names("生锈", domain(rust, exhaust)) == ["车身-车身-生锈"]


def test_a_phrase_that_spells_it_out_beats_a_pattern_around_it():
    part, spelt = code("轮胎-轮胎-坏", (("新车",), ("装配",))), code("轮胎-品牌-混装", synonyms=("轮胎装配",))
    assert names("新车轮胎装配", domain(part, spelt)) == ["轮胎-品牌-混装"]


def test_a_vague_word_gives_way_within_its_system():
    bad = code("变速箱-本体-故障", (("变速箱",), ("质量问题",)))
    leak = code("变速箱-本体-漏油", (("变速箱",), ("漏油",)))
    assert names("变速箱漏油有质量问题", domain(bad, leak, vague=("质量问题",))) == ["变速箱-本体-漏油"]
    assert names("变速箱有质量问题", domain(bad, leak, vague=("质量问题",))) == ["变速箱-本体-故障"]


def test_one_code_is_primary():
    fault, cause = code("发动机-启动-无法", synonyms=("无法启动",)), code("电气-电瓶-亏电", synonyms=("亏电",))
    promise, handling = code("销售-宣传-不符", synonyms=("与宣传不符",)), code("售后-商家-推诿", synonyms=("踢皮球",))
    plain = code("电气-电气-评价", synonyms=("电器",))
    used = domain(fault, cause, promise, handling, plain, first=("销售-宣传",), last=("售后",))

    def primary(text):
        return coded(text, used).filter("is_primary")["code"].to_list()

    assert primary("亏电导致无法启动,踢皮球") == ["电气-电瓶-亏电"]  # the first fault named
    assert primary("踢皮球,无法启动") == ["发动机-启动-无法"]  # how it was handled comes after
    assert primary("亏电,与宣传不符") == ["销售-宣传-不符"]  # foremost
    assert primary("电器,踢皮球") == ["售后-商家-推诿"]  # anything before a plain mention
    assert primary("天气好") == ["未归类"]


def test_confidence_by_hand():
    # phrase .8 and primary; the second phrase .8 x .85; asked about .8 x .6; a pattern .7
    one, two = code("甲-a-x", synonyms=("甲坏了",)), code("乙-b-y", synonyms=("乙坏了",))
    far = code("丙-c-z", (("丙",), ("抖动",)))
    used = domain(one, two, far)
    assert coded("甲坏了,乙坏了", used)["confidence"].to_list() == [0.8, 0.68]
    assert coded("听说甲坏了", used)["confidence"].to_list() == [0.48]
    assert coded("丙抖动", used)["confidence"].to_list() == [0.7]
    # 13 characters apart is .5; asked about it would be .3: the coder abstains
    assert coded("丙" + "一" * 13 + "抖动", used)["confidence"].to_list() == [0.5]
    assert names("听说丙" + "一" * 13 + "抖动", used) == ["未归类"]


def test_evidence_and_clause_are_kept():
    found = coded("起步好。甲坏了", domain(code("甲-a-x", synonyms=("甲坏了",))))
    assert found.select("clause_start", "span_start", "evidence", "is_primary").row(0) == (4, 4, "phrase", True)


def test_every_column_of_a_coding_is_a_column_of_the_table():
    table = schema.table("mentions").polars_schema
    assert {name: table[name] for name in CODES_SCHEMA} == CODES_SCHEMA


@pytest.mark.parametrize(("name", "systems", "leaves"), [("auto", 15, 250), ("bank", 10, 100)])
def test_taxonomies_are_as_wide_as_promised_and_lead_to_one_code_each(name, systems, leaves):
    loaded = load_domain(DOMAINS, name)
    assert len({code.system for code in loaded.taxonomy}) >= systems and len(loaded.taxonomy) >= leaves
    owners: dict[str, str] = {}
    for found in loaded.taxonomy:
        if not found.is_plain_mention:
            for word in found.synonyms:
                assert owners.setdefault(word, found.code) == found.code, word
    beginnings = {*(code.code for code in loaded.taxonomy), *(code.system for code in loaded.taxonomy)}
    beginnings |= {code.code.rsplit("-", 1)[0] for code in loaded.taxonomy}
    assert {*loaded.first, *loaded.last} <= beginnings
