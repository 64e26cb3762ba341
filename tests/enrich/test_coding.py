"""The keyword coder against sentences one can judge by reading: codes that must come, codes that must not."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from voc_lib.enrich.coding import CODES_SCHEMA, UNMAPPED, code_keywords, coder_version
from voc_lib.enrich.domain import Code, Domain, load_domain
from voc_lib.enrich.language import clean

DOMAINS = Path(__file__).parents[2] / "data" / "domains"


@pytest.fixture(scope="module")
def auto():
    return load_domain(DOMAINS, "auto")


@pytest.fixture(scope="module")
def bank():
    return load_domain(DOMAINS, "bank")


def rows(*texts, **columns):
    return pl.DataFrame({"feedback_id": [f"f{i}" for i in range(len(texts))], "text": list(texts), **columns}, schema_overrides={"text": pl.String})


def codes(text, domain):
    return set(code_keywords(rows(text), domain)["code"])


def tiny(*codes_, hidden=(), scopes=()):
    return Domain("t", "测试", ("t",), codes_, (), (), hidden, scopes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("方向盘抖动", {"转向-方向盘-抖动"}),
        ("驾驶时方向盘在颤动", {"转向-方向盘-抖动"}),
        ("转向盘一直震手", {"转向-方向盘-抖动"}),
        ("不时抖动的方向盘", {"转向-方向盘-抖动"}),
        ("发动机无法启动", {"发动机-启动-无法启动"}),
        ("无故熄火", {"发动机-行驶-熄火"}),
        ("空调不制冷", {"空调-制冷-效果差"}),
        ("喇叭没有声音", {"车机-音响-失灵杂音"}),
        ("减振器漏油", {"底盘-减震器-漏油"}),
        ("冷却液减少", {"发动机-冷却-高温漏液"}),
        ("蓝牙钥匙连不上车", {"车机-数字钥匙-失灵"}),
        ("空调一开就有哨子一样的声音", {"空调-运转-异响"}),
        ("客户称除雾时出风口“哒哒哒”像打机关枪", {"空调-运转-异响"}),
        ("冬天续航直接打六折", {"电池续航-续航-缩水"}),
        ("提车才半个月就降了五千", {"价格-成交价-降价"}),
        ("刚买就降价，还不给保价", {"价格-成交价-降价"}),
        ("销售承诺的油卡没有兑现", {"销售服务-承诺-不兑现"}),
        ("4S店一直拖延不处理", {"售后服务-商家-推诿不处理"}),
        ("天窗异响一直未解决", {"车身-天窗-漏水异响"}),
        ("車內異味很大", {"内饰-气味-异味"}),
        ("大燈起霧", {"外观-车灯-起雾进水"}),
        ("车机卡顿 倒车影像黑屏", {"车机-系统-卡顿黑屏", "车机-影像-倒车影像故障"}),
        ("外观好看，但是掉漆严重；油耗不高，空间也大", {"外观-造型-评价", "外观-漆面-掉漆色差", "油耗-油耗-评价", "空间-空间-评价"}),
    ],
)
def test_codes_that_must_be_found(auto, text, expected):
    assert expected <= codes(text, auto)


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("方向盘不抖", "转向-方向盘-抖动"),
        ("没有方向盘抖动的问题", "转向-方向盘-抖动"),
        ("方向盘很稳，发动机也没有抖动", "转向-方向盘-抖动"),
        ("方向盘正常，发动机抖动", "转向-方向盘-抖动"),
        ("变速箱无顿挫", "变速箱-换挡-顿挫"),
        ("从不烧机油", "发动机-机油-烧机油"),
        ("这车烧不烧机油", "发动机-机油-烧机油"),
        ("动力足不足", "动力-加速-无力"),
        ("检查后未发现发动机漏油", "发动机-本体-漏油"),
        ("变速箱没有任何明显的异响", "变速箱-本体-异响"),
        ("变速箱异响已经解决了", "变速箱-本体-异响"),
        ("不是变速箱异响，是天窗异响", "变速箱-本体-异响"),
        ("油耗不高", "油耗-油耗-偏高"),
        ("方向盘按键故障", "转向-助力-沉重卡滞"),
        ("大灯发白影响安全", "安全-安全性-评价"),
    ],
)
def test_codes_that_must_not_be_found(auto, text, absent):
    assert absent not in codes(text, auto)


def test_a_double_negation_is_a_statement(auto):
    assert "变速箱-本体-异响" in codes("不是没有变速箱异响", auto)


def test_symptom_binds_to_the_part_of_its_own_clause(auto):
    found = codes("发动机很安静,但是变速箱抖动,座椅舒服", auto)
    assert "变速箱-本体-抖动" in found and "发动机-本体-抖动" not in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("手机银行登录不上", "手机银行-登录-失败"),
        ("卡被盗刷了两千", "账户-盗刷-欺诈"),
        ("分期手续费太高", "信用卡-分期-手续费利息"),
        ("网点排队两小时", "网点-排队-办理慢"),
        ("用了半年终于提额了", "信用卡-额度-提降"),
        ("账户突然被冻结", "账户-冻结-非柜限制"),
    ],
)
def test_bank_codes(bank, text, expected):
    assert expected in codes(text, bank)


def test_shape_confidence_and_spans_by_hand():
    shake = Code("转向-方向盘-抖动", "抖", ("打手",), ((("方向盘",), ("抖",)),), "质量部")
    text = "起步好。方向盘有点抖，打手"
    found = code_keywords(rows(text, "方向盘在车辆行驶到一百码以上就抖", "方向盘" + "一" * 17 + "抖", None), tiny(shake))
    assert found.schema == pl.Schema(CODES_SCHEMA)
    # the phrase (0.8) beats the pattern (0.7); 13 characters apart is far (0.5); 17 are too far
    assert found["confidence"].to_list() == [0.8, 0.5, None, None]
    assert found["code"].to_list() == [shake.code, shake.code, UNMAPPED, UNMAPPED]
    start, end = found["span_start"][0], found["span_end"][0]
    assert clean(text)[start:end] == "打手"
    assert found["span_start"][2] is None
    assert found["source"].unique().to_list() == ["keyword"]


def test_words_inside_hiding_words_do_not_count():
    noise = Code("车身-车身-异响", "响", ("响",), (), "质量部", excepts=("响应",))
    domain = tiny(noise, hidden=("影响",))
    assert codes("影响心情", domain) == {UNMAPPED}
    assert codes("响应很快", domain) == {UNMAPPED}
    assert codes("影响心情,一直响", domain) == {noise.code}


def test_plain_mention_gives_way_only_in_its_clause():
    fault = Code("空调-制冷-效果差", "不冷", ("不制冷",), (), "质量部")
    mention = Code("空调-空调-评价", "空调", ("空调",), (), "质量部")
    assert codes("空调不制冷", tiny(fault, mention)) == {fault.code}
    assert codes("不制冷,空调声音倒是小", tiny(fault, mention)) == {fault.code, mention.code}


def test_scope_of_a_channel_limits_the_systems():
    screen = Code("手机-屏幕-评价", "屏幕", ("屏幕",), (), "手机部")
    display = Code("车机-屏幕-评价", "屏幕", ("屏幕",), (), "车联网部")
    domain = tiny(screen, display, scopes=(("shops", ("手机",)),))
    found = code_keywords(rows("屏幕好", "屏幕好", channel=["shops", "hotline"]), domain)
    assert found.filter(pl.col("feedback_id") == "f0")["code"].to_list() == [screen.code]
    assert set(found.filter(pl.col("feedback_id") == "f1")["code"]) == {screen.code, display.code}


def test_each_code_once_and_every_feedback_present(auto):
    found = code_keywords(rows("方向盘抖,方向盘还是抖,方向盘又抖", "天气不错", "", None), auto)
    assert found.group_by("feedback_id", "code").len()["len"].max() == 1
    assert found["feedback_id"].unique(maintain_order=True).to_list() == ["f0", "f1", "f2", "f3"]
    assert found.filter(pl.col("feedback_id") != "f0")["code"].unique().to_list() == [UNMAPPED]


def test_order_of_rows_and_neighbours_change_nothing(auto):
    texts = rows("方向盘抖动", "天窗漏水 空调不制冷", "好车", "app闪退,升级后车机黑屏")
    together = code_keywords(texts, auto)
    alone = pl.concat([code_keywords(texts[i], auto) for i in range(4)])
    backwards = code_keywords(texts.reverse(), auto).sort("feedback_id", maintain_order=True)
    assert together.equals(alone)
    assert together.equals(backwards)


def test_dirty_texts_do_not_crash(auto):
    dirty = ["方向盘\x00抖动", "😀" * 50, "方向盘抖动" * 4000, "\u200b", "ＡＰＰ闪退！！！", "\u202e方向盘抖动", "  "]
    found = code_keywords(rows(*dirty), auto)
    coded = set(found.filter(pl.col("code") == "转向-方向盘-抖动")["feedback_id"])
    assert coded == {"f0", "f2", "f5"}
    assert "f4" in set(found.filter(pl.col("code") != UNMAPPED)["feedback_id"])
    assert code_keywords(rows(), auto).schema == pl.Schema(CODES_SCHEMA)


def test_version_changes_with_the_taxonomy_and_only_then(auto):
    again = load_domain(DOMAINS, "auto")
    assert coder_version(auto) == coder_version(again)
    first = auto.taxonomy[0]
    changed = replace(auto, taxonomy=(replace(first, synonyms=(*first.synonyms, "新说法")), *auto.taxonomy[1:]))
    assert coder_version(changed) != coder_version(auto)
    assert coder_version(replace(auto, hidden=())) != coder_version(auto)
    assert coder_version(replace(auto, taxonomy=(replace(first, department="别的部"), *auto.taxonomy[1:]))) == coder_version(auto)


def test_version_changes_with_the_rules(auto, monkeypatch):
    from voc_lib.enrich import coding

    before = coder_version(auto)
    monkeypatch.setattr(coding, "_rules_source", lambda: "other rules")
    assert coder_version(auto) != before


def test_wrong_input_is_answered_in_chinese(auto):
    with pytest.raises(ValueError, match="缺少：text"):
        code_keywords(pl.DataFrame({"feedback_id": ["a"], "verbatim": ["好"]}), auto)
    with pytest.raises(ValueError, match="「a」出现了多次"):
        code_keywords(pl.DataFrame({"feedback_id": ["a", "a"], "text": ["好", "坏"]}), auto)
