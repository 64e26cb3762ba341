"""The word files of every domain: enough leaves, enough ways, clauses that are clauses, only known slots and parts, nothing of anybody."""

from __future__ import annotations

import re

import pytest

from voc_lib.sample.language.lines import slots_in
from voc_lib.sample.language.phrases import HERE, REGISTERS, read_leaves
from voc_lib.sample.language.spoken import SLOTS
from voc_lib.sample.language.styles import read_styles
from voc_lib.sample.language.telling import PARTS

DOMAINS = [folder.name for folder in sorted((HERE / "phrases").iterdir()) if any(folder.glob("*.yaml")) and any((HERE / "styles" / folder.name).glob("*.yaml"))]
LEAVES = {"auto": 70, "bank": 30}
NEEDED = ("空调-出风-异响 钥匙-蓝牙钥匙-地库失灵 制动-刹车片-尖叫 续航-冬季-打折 座舱-自动启停-存废 方向盘-转向-抖动 销售-承诺-不兑现 车机-语音-听不懂 车机-语音-误唤醒 "
          "充电-桩-跳枪 充电-桩-充不满 车机-方言包-缺失").split()
# Digits in a clause could contradict mileage, months or price; these name a thing.
NAMES_WITH_DIGITS = re.compile(r"OTA|360|yyds|hhh|B柱|A柱|12315|95588|2用车咨询|App")


@pytest.fixture(scope="module", params=DOMAINS)
def domain(request):
    return request.param


@pytest.fixture(scope="module")
def leaves(domain):
    return read_leaves(domain)


def clauses(leaves):
    for leaf in leaves.values():
        for registers in leaf.ways.values():
            for register, lines in registers.items():
                for line in lines:
                    yield leaf.name, register, line


def test_there_are_enough_leaves(domain, leaves):
    assert len(leaves) >= LEAVES.get(domain, 1)


def test_every_leaf_can_be_said_in_at_least_ten_ways(leaves):
    poor = {name: count for name, leaf in leaves.items() if (count := sum(len(dict.fromkeys(lines)) for registers in leaf.ways.values() for lines in registers.values())) < 10}
    assert poor == {}


def test_every_leaf_speaks_in_several_registers(leaves):
    assert [name for name, leaf in leaves.items() if len({register for registers in leaf.ways.values() for register in registers} & set(REGISTERS)) < 3] == []


def test_the_leaves_that_truths_need_are_there():
    if "auto" in DOMAINS:
        assert [name for name in NEEDED if name not in read_leaves("auto")] == []


def test_no_clause_ends_with_a_full_stop(leaves):
    ended = [(name, line.text) for name, _, line in clauses(leaves) if line.text[-1] in "。.，,；;！!"]
    assert ended == []


def test_short_clauses_are_short(leaves):
    def longest(nodes):
        return sum(len(n) if isinstance(n, str) else max(longest(inner) for _, inner in n[1]) if n[0] == "one" else 4 for n in nodes)

    assert [(name, line.text) for name, register, line in clauses(leaves) if register == "short" and longest(line.nodes) > 14] == []


def test_only_known_slots_are_named(domain, leaves):
    lines = [line for _, _, line in clauses(leaves)]
    lines += [line for leaf in leaves.values() for side in leaf.sides.values() for line in side]
    for style in read_styles(domain).values():
        lines += [line for group in (style.frames, style.titles, style.parts) for pool in group.values() for line in pool]
        lines += [turn.line for group in (style.scripts, style.blocks) for scripts in group.values() for script in scripts for turn in script]
    assert {slot for line in lines for slot in slots_in(line.nodes)} <= set(SLOTS)


def test_every_part_that_is_called_exists(domain):
    for channel, style in read_styles(domain).items():
        have = {name.split(".")[0] for name in style.parts} | set(style.parts) | set(PARTS)
        lines = [line for group in (style.frames, style.titles, style.parts) for pool in group.values() for line in pool]
        lines += [turn.line for group in (style.scripts, style.blocks) for scripts in group.values() for script in scripts for turn in script]
        assert {part for line in lines for part in line.parts} - have == set(), channel


def test_clauses_invent_no_figures(domain, leaves):
    if domain != "auto":
        pytest.skip("The bank's numbers (a queue ticket, a branch window) contradict no slot.")
    found = [(name, line.text) for name, _, line in clauses(leaves) if re.search(r"\d", NAMES_WITH_DIGITS.sub("", line.text))]
    assert found == []


def test_nothing_looks_like_a_telephone_number_an_address_or_a_bracket_left_over(domain):
    for folder in ("phrases", "styles"):
        for path in (HERE / folder / domain).glob("*.yaml"):
            text = path.read_text("utf-8")
            assert not re.search(r"\d{6,}|https?:|www\.|@\w+\.\w", text), path.name


def test_no_real_company_is_named(domain):
    # Written backwards, so that this file names nobody either.
    real = [name[::-1] for name in ("迪亚比", "拉斯特", "来蔚", "鹏小", "想理", "为华", "米小", "利吉", "城长", "安长", "众大", "田丰", "田本", "马宝", "迪奥", "跑零", "界问", "德高", "度百", "讯腾", "信微", "音抖", "博微",
                                           "手快", "宝付支", "里阿", "行银商招", "行银设建", "行银商工", "行银业农", "德时宁")]
    for folder in ("phrases", "styles"):
        for path in (HERE / folder / domain).glob("*.yaml"):
            text = path.read_text("utf-8")
            assert [name for name in real if name in text and name != "微信"] == [], path.name
