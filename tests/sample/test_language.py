"""What Tongue promises: everybody can speak everywhere, the same dice say the same, mood agrees with polarity, little is repeated."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections import Counter
from difflib import SequenceMatcher

import pytest

from voc_lib.sample.language.hearing import MIX, asking
from voc_lib.sample.language.lines import compile_line
from voc_lib.sample.language.noise import misspell, roughen, tidy
from voc_lib.sample.language.spoken import chinese, mileage, months
from voc_lib.sample.language.styles import ANSWERS, MOTIVES, ROLES
from voc_lib.sample.language.tongue import Ask, Point, Tongue, sign_of

FACTS = {"product": "星澜A7", "city": "成都", "dealer": "成都星澜高新店", "mileage": "12300", "months": "8", "version": "3.2.1", "season": "夏", "month": "7", "days": "7", "times": "3", "price": "1280"}
SHARES = {"in_car": 0.15, "app_store": 0.10, "dealer_survey": 0.15}


@pytest.fixture(scope="module")
def tongue():
    return Tongue("auto")


def said(tongue, seed=1, **changes):
    asked = {"channel": "car_forum", "points": (Point("空调-出风-异响", -1),), "mood": -1.0, "slots": FACTS} | changes
    return tongue.say(random.Random(seed), Ask(**asked))


def test_every_channel_role_motive_and_answer_can_speak(tongue):
    leaves = itertools.cycle(tongue.leaves)
    for channel, role, motive, answers, polarity in itertools.product(tongue.styles, ROLES, MOTIVES, (None, *ANSWERS), (-1, 0, 1)):
        for slots in ({}, FACTS):
            saying = said(tongue, channel=channel, points=(Point(next(leaves), polarity),), role=role, motive=motive, answers=answers, slots=slots, mood=polarity)
            text = "".join((saying.body, saying.title or "", *(words for _, words in saying.turns)))
            assert not re.search(r"[{}<>|()]|None|，，|。。|，。|。，", text), text


def test_every_leaf_can_be_told_in_every_polarity_without_any_fact(tongue):
    for leaf, polarity, channel in itertools.product(tongue.leaves, (-1, 0, 1), ("car_forum", "complaint_site", "in_car")):
        assert said(tongue, channel=channel, points=(Point(leaf, polarity),), slots={}).body


def test_an_utterance_without_points_is_idle_talk(tongue):
    assert all(said(tongue, channel=channel, points=(), mood=0.0) for channel in tongue.styles)


def test_the_same_dice_say_the_same(tongue):
    def all_of(seed):
        dice = random.Random(seed)
        return [tongue.say(dice, asking(tongue, dice, channel)) for channel in tongue.styles for _ in range(40)]

    assert all_of(5) == all_of(5) == [*all_of(5)]
    assert all_of(5) != all_of(6)


def test_dialogues_have_turns_and_a_summary(tongue):
    for seed in range(60):
        call = said(tongue, seed, channel="hotline")
        assert call.body and {speaker for speaker, _ in call.turns} == {"客户", "坐席"} and all(words for _, words in call.turns)
        chat = said(tongue, seed, channel="online_chat")
        assert {"客户"} < {speaker for speaker, _ in chat.turns} <= {"客户", "坐席", "机器人"}


def test_titles_stand_where_the_channel_has_them_and_on_no_reply(tongue):
    assert said(tongue, channel="complaint_site").title and said(tongue, channel="microblog").title is None
    assert said(tongue, answers="metoo").title is None


def test_barrage_is_short(tongue):
    lengths = [len(said(tongue, seed, channel="in_car").body) for seed in range(400)]
    assert sum(length <= 12 for length in lengths) > 0.97 * len(lengths) and min(lengths) >= 2


def test_complaints_are_long_and_carry_facts(tongue):
    bodies = [said(tongue, seed, channel="complaint_site").body for seed in range(200)]
    assert sum(map(len, bodies)) / len(bodies) > 60
    assert sum("12300公里" in body or "8个月" in body or "高新店" in body for body in bodies) > 150


def test_mood_agrees_with_polarity(tongue):
    style = tongue.styles["car_forum"]
    sweet = {line.text for key in ("feel.glad", "feel.delighted") for line in style.parts[key]}
    sour = {line.text for key in ("feel.furious", "feel.angry") for line in style.parts[key]}
    for channel, leaf, seed in itertools.product(("microblog", "car_forum", "app_store", "dealer_survey"), ("空调-出风-异响", "座椅-坐垫-硬", "售后-态度-好"), range(60)):
        furious = said(tongue, seed, channel=channel, points=(Point(leaf, -1),), mood=-1.9).body
        pleased = said(tongue, seed, channel=channel, points=(Point(leaf, 1),), mood=-1.9).body  # the mood is kept on the side of the points
        assert not any(line in furious.split("，") for line in sweet if "(" not in line), furious
        assert not any(line in re.split("[，。！ ]", pleased) for line in sour if "(" not in line), pleased


def test_praise_and_complaint_in_one_breath_are_joined_by_a_turn(tongue):
    turns = re.compile("不过|但|就是|可惜|缺点|不爽|槽点|扣分|可|好在|别的|除了|夸一句|不然|优点")
    points = (Point("外观-设计-好看", 1), Point("空调-出风-异响", -1))
    assert all(turns.search(said(tongue, seed, points=points, mood=0.0).body) for seed in range(200))


def test_seasons_follow_the_slot(tongue):
    winter = re.compile("零下|冬天|大冷天|冻")
    leaves = [leaf for leaf in tongue.leaves.values() if not leaf.months or 7 in leaf.months]
    for seed in range(3000):
        leaf = leaves[seed % len(leaves)]
        body = said(tongue, seed, channel=("car_forum", "microblog", "complaint_site")[seed % 3], points=(Point(leaf.name, -1),)).body
        assert not winter.search(body), body


def test_what_needs_a_car_is_not_said_by_a_prospect(tongue):
    own = re.compile(r"\d公里|万公里|提车[一二三四五六七八九十两]|我这台|刚提车")
    for seed in range(500):
        for leaf in ("空调-出风-异响", "座椅-坐垫-硬"):
            body = said(tongue, seed, role="prospect", points=(Point(leaf, -1),)).body
            assert not own.search(body), body


def test_a_dealer_keeps_one_name_and_a_record_says_no_i(tongue):
    for seed in range(300):
        assert "我" not in said(tongue, seed, channel="warranty").body.replace("我司", "")


def test_repeats_stay_rare_and_speech_is_fast(tongue):
    everything: list[str] = []
    began, texts = time.perf_counter(), 0
    for channel in tongue.styles:
        dice = random.Random(f"repeat/{channel}")
        bodies = [tongue.say(dice, asking(tongue, dice, channel)).body for _ in range(60 * MIX[channel])]
        texts += len(bodies)
        bodies = [body for body in bodies if body]
        assert 1 - len(set(bodies)) / len(bodies) < SHARES.get(channel, 0.05), channel
        everything += bodies
    assert 1 - len(set(everything)) / len(everything) < 0.05
    # Askings are made in the same loop; the margin allows for a busy machine.
    assert (time.perf_counter() - began) / texts < 600e-6


def test_spam_is_one_skeleton_with_small_edits(tongue):
    texts = Counter(said(tongue, seed, channel="microblog", motive="spam", slots=FACTS | {"campaign": "2"}).body for seed in range(50))
    first = next(iter(texts))
    assert len(texts) > 1 and all(SequenceMatcher(None, first, text).ratio() > 0.6 for text in texts)


def test_an_author_keeps_one_habit():
    rates, text = {"spaces": 0.3, "bang": 0.3}, "空调响，风一大就响。修了没用"
    assert len({roughen(text, random.Random(seed), rates, (), (), "小河") for seed in range(20)}) == 1
    assert len({roughen(text, random.Random(seed), rates, (), (), None) for seed in range(20)}) > 1


def test_unknown_things_are_named():
    tongue = Tongue("auto")
    for changes, word in (({"channel": "fax"}, "fax"), ({"points": (Point("没有-这个-叶", -1),)}, "没有-这个-叶"), ({"slots": {"phone": "1"}}, "phone"), ({"role": "king"}, "king")):
        with pytest.raises(ValueError, match=word):
            said(tongue, **changes)
    with pytest.raises(ValueError, match="left open"):
        compile_line("(一|二")


def test_small_parts():
    assert tidy("，空调响，，。关了，就好，") == "空调响。关了，就好"
    assert misspell("蓝牙不灵", random.Random(1), (("蓝牙", "蓝芽"),)) == "蓝芽不灵"
    assert [chinese(n) for n in (2, 10, 12, 20, 35)] == ["两", "十", "十二", "二十", "三十五"]
    assert mileage("12300", random.Random(1), "formal") == "12300公里"
    assert [months(str(n), random.Random(1), "talk") for n in (0, 6, 13, 23, 24)] == ["不到一个月", "半年", "一年多", "快两年", "两年"]
    assert sign_of((Point("a", 1), Point("b", -1))) == "mixed"
