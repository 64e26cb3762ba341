"""The bank's words: enough leaves and ways, every channel speaks for every role and motive, few repeats, nobody real."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from voc_lib.sample.language import phrases, styles
from voc_lib.sample.language.phrases import REGISTERS, read_leaves
from voc_lib.sample.language.styles import ANSWERS, MOTIVES, ROLES
from voc_lib.sample.language.tongue import Ask, Point, Saying, Tongue

CHANNELS = ("app_store", "bank_forum", "branch_survey", "card_complaints", "hotline")
# Leaves that planted truths speak of.
PLANTED = ("转账-到账-失败", "转账-诈骗-屏幕共享", "分期-手续费-看不懂", "通行-代扣-套牌", "通行-代扣-失败")
OUTSIDE_FACTS = ("amount", "bank", "card", "city", "days", "month", "other", "product", "season", "times")
# The names that would slip in most easily; none may stand in the words.
REAL_NAMES = ("工商银行", "建设银行", "农业银行", "中国银行", "招商", "浦发", "平安", "民生", "光大", "中信", "兴业", "邮储", "支付宝", "微信", "云闪付", "花呗", "借呗", "京东", "美团", "粤通卡", "苏通卡", "余额宝")
TEXTS = 4000
MOST_REPEATS = 0.05
HALF_BUILT = re.compile(r"[{}<>|()]|，，|。。|，。|。，|？？|^[，。、；]|None")


@pytest.fixture(scope="module")
def tongue() -> Tongue:
    return Tongue("bank")


def facts(dice: random.Random, inside: bool) -> dict[str, str]:
    month, season = dice.choice([(1, "冬"), (4, "春"), (7, "夏"), (10, "秋")])
    known = {
        "amount": dice.choice(("500", "1200", "20000")), "bank": dice.choice(("汇川银行", "南桥银行")), "card": f"{dice.randrange(10_000):04d}", "city": dice.choice(("成都", "沈阳", "杭州", "南宁")),
        "days": dice.choice(("3", "7", "15", "35")), "month": str(month), "other": "青石支付", "product": "远山信用卡", "season": season, "times": dice.choice(("2", "3", "5")),
    }
    if inside:
        known |= {"app_version": "8.2.3", "branch": dice.choice(("成都武侯支行", "沈阳和平支行")), "date": f"2026-{month:02d}-{dice.randrange(1, 28):02d}", "months": str(dice.randrange(80)), "surname": dice.choice("王李陈覃")}
    return known


def askings(tongue: Tongue, channel: str, many: int) -> list[Ask]:
    """Everyday askings of the channel, complaints more often than praise."""
    dice = random.Random(channel)
    leaves, weights = list(tongue.leaves), [leaf.weight for leaf in tongue.leaves.values()]
    made = []
    for _ in range(many):
        role = dice.choices(ROLES[:3], (6, 2, 1))[0] if channel == "bank_forum" else "owner"
        count = dice.choices((1, 2, 3), (80, 17, 3))[0]
        points = tuple(Point(leaf, dice.choices((-1, 0, 1), (6, 1, 3))[0]) for leaf in dict.fromkeys(dice.choices(leaves, weights, k=count)))
        answers = dice.choice((None, "metoo", "disagree")) if channel == "bank_forum" else None
        points = points[:1] if answers else points
        lowest = min(point.polarity for point in points)
        motive = dice.choice(("vent", "claim", "ask", "tease", "none")) if lowest < 0 else "ask" if lowest == 0 else "praise"
        made.append(Ask(channel, points, dice.gauss(0.9 * lowest, 0.6), role, motive, facts(dice, role == "owner"), answers))
    return made


def words_of(saying: Saying) -> str:
    return "\n".join([saying.title or "", saying.body, *(said for _, said in saying.turns)])


def test_there_are_enough_leaves_and_each_can_be_said_in_many_ways():
    leaves = read_leaves("bank")
    ways = {name: max(len({line.text for lines in registers.values() for line in lines}) for registers in leaf.ways.values()) for name, leaf in leaves.items()}
    assert len(leaves) >= 50
    assert {name: count for name, count in ways.items() if count < 10} == {}


def test_complaints_are_said_in_all_registers_and_have_a_noun():
    for name, leaf in read_leaves("bank").items():
        assert len(leaf.ways[-1].keys() & set(REGISTERS)) >= 4, name
        assert leaf.sides["thing"] and leaf.sides["fault"], name


def test_the_planted_leaves_have_at_least_twenty_complaints():
    leaves = read_leaves("bank")
    for name in PLANTED:
        assert sum(len(set(lines)) for lines in leaves[name].ways[-1].values()) >= 20, name


def test_names_are_system_part_and_what_happens():
    assert [name for name in read_leaves("bank") if name.count("-") != 2] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_role_motive_and_answer_speaks_of_every_polarity(tongue, channel):
    dice = random.Random(4)
    for role in ROLES:
        for motive in MOTIVES:
            for answers in (None, *(ANSWERS if channel == "bank_forum" else ())):
                for polarity in (-1, 0, 1):
                    leaf = dice.choice(list(tongue.leaves))
                    said = tongue.say(dice, Ask(channel, (Point(leaf, polarity),), polarity * 1.2, role, motive, facts(dice, role == "owner"), answers))
                    assert said.body, (role, motive, answers, polarity, leaf)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_leaf_speaks_from_few_facts_and_from_none(tongue, channel):
    dice = random.Random(9)
    for leaf in tongue.leaves:
        for polarity in (-1, 0, 1):
            for known in (facts(dice, False), {}):
                assert tongue.say(dice, Ask(channel, (Point(leaf, polarity),), polarity * 1.0, slots=known)).body, (leaf, polarity)


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_is_left_half_built_and_few_texts_repeat(tongue, channel):
    dice = random.Random(1)
    said = [tongue.say(dice, ask) for ask in askings(tongue, channel, TEXTS)]
    assert [text for saying in said for text in words_of(saying).split("\n") if HALF_BUILT.search(text)] == []
    bodies = [saying.body for saying in said]
    assert 1 - len(set(bodies)) / len(bodies) < MOST_REPEATS
    # Cards and telephones: the last four digits are all anybody says.
    assert [body for body in bodies if re.search(r"\d{6,}", body)] == []


def test_calls_have_turns_of_both_and_a_summary_without_the_first_person(tongue):
    dice = random.Random(2)
    calls = [tongue.say(dice, ask) for ask in askings(tongue, "hotline", 300)]
    assert all({"客户", "坐席"} <= {speaker for speaker, _ in call.turns} for call in calls)
    complaints = [tongue.say(dice, ask) for ask in askings(tongue, "hotline", 600) if all(point.polarity < 0 for point in ask.points)]
    assert [call.body for call in complaints if re.search(r"我(?!行)", call.body)] == []


def test_people_without_an_account_do_not_speak_of_their_years_with_it(tongue):
    dice = random.Random(3)
    for leaf in tongue.leaves:
        for polarity in (-1, 1):
            said = tongue.say(dice, Ask("bank_forum", (Point(leaf, polarity),), polarity * 1.0, "prospect", "none", facts(dice, False)))
            assert not re.search(r"用了.{1,4}年|老客户了|老用户", said.body), said.body


def test_the_same_dice_say_the_same(tongue):
    again = Tongue("bank")
    for ask in askings(tongue, "bank_forum", 50):
        assert tongue.say(random.Random(7), ask) == again.say(random.Random(7), ask)


def test_the_words_name_nobody_real():
    folders = [Path(phrases.__file__).parent / "phrases" / "bank", Path(styles.__file__).parent / "styles" / "bank"]
    written = "\n".join(path.read_text("utf-8") for folder in folders for path in sorted(folder.glob("*.yaml")))
    assert [name for name in REAL_NAMES if name in written] == []
    assert re.findall(r"\d{5,}", written) == []
