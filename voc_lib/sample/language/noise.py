"""What fingers and habits do to a sentence: typos by sound, marks left out or swapped, emoji, letters repeated, an end cut off.

Rates (per text) come from the channel's style: typo, dropped (a mark lost), spaces (blanks for commas), run_on (no marks at all), bang
(！ for 。), ellipsis (… for ，), wave (～), emoji, stretch (a last word repeated), cut (the sentence breaks off). Habits of punctuation
follow the author where the slot `author` is given.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Mapping

# In a run of marks the stronger one stays.
WEAK_BEFORE = re.compile(r"[，、；：,]+(?=[，。！？；…~～）”])")
WEAK_AFTER = re.compile(r"(?<=[。！？：…~～，、；（“])[，、；。]+")
AFTER = re.compile(r"(?<=.)，客户(?:反映|投诉)")
# Lines of the trade often begin with the customer, who was named already.
TWICE = re.compile(r"((?:客户|车主|太太|家属|先生|女士|客诉|报修|接车|描述|返修|进厂|故障)?(?:反映|反馈|提到|说|称|报修|报|投诉|：))客户(?:反映|投诉)?")
AGAIN = re.compile(r"(?:怎么)?(?:又|还|天天都)是(?=又|求|还我|还没|还在)")
LEADING = re.compile(r"^[\s，。、；：…！]+")
BETWEEN_FIGURES = re.compile(r"(?<=[A-Za-z0-9])，(?=[0-9])")
HABITS = ("spaces", "run_on", "bang", "ellipsis", "wave")
# Words that people draw out at the end of a short text.
STRETCHED = {"啊": "啊啊啊", "哈": "哈哈哈", "呜": "呜呜呜", "赞": "赞赞赞", "好": "好好好", "烦": "烦烦烦", "气": "气气气", "呵": "呵呵呵", "坑": "坑坑坑"}
# One mood in five uses none of its marks twice; three in a row are common among the furious.
TRIPLE = 0.25


def tidy(text: str) -> str:
    """Marks that met because a part was empty, and blanks at the edges, taken away."""
    if "，" in text or "。" in text or "、" in text or "；" in text:
        text = WEAK_BEFORE.sub("", text)
        text = WEAK_AFTER.sub("", text)
    if "客户" in text[2:]:
        text = AFTER.sub("，", TWICE.sub(r"\1", text))
    if "是又" in text or "是求" in text or "是还" in text:
        text = AGAIN.sub("", text)
    return LEADING.sub("", text).strip().rstrip("，、；：")


def roughen(text: str, dice: random.Random, rates: Mapping[str, float], typos: tuple[tuple[str, str], ...], emoji: tuple[str, ...], author: str | None) -> str:
    """The text as it was really typed; the mood's emoji are given by the caller."""
    if not text or not rates:
        return text
    chance = dice.random
    if chance() < rates.get("typo", 0):
        text = misspell(text, dice, typos)
    text = _punctuate(text, dice, rates, author)
    if chance() < rates.get("dropped", 0):
        text = _drop(text, dice)
    if chance() < rates.get("stretch", 0) and text and text[-1] in STRETCHED:
        text = text[:-1] + STRETCHED[text[-1]]
    if len(text) > 14 and chance() < rates.get("cut", 0) and "#" not in text and "@" not in text:
        text = _cut(text, dice)
    if emoji and chance() < rates.get("emoji", 0):
        text = _decorate(text, dice, emoji)
    return text


def misspell(text: str, dice: random.Random, typos: tuple[tuple[str, str], ...]) -> str:
    """One word spelt as it sounds or as the input method guessed; the text itself if it has none of the words."""
    start = int(dice.random() * len(typos)) if typos else 0
    for right, wrong in (*typos[start:], *typos[:start]):
        if right in text:
            return text.replace(right, wrong, 1)
    return text


def _punctuate(text: str, dice: random.Random, rates: Mapping[str, float], author: str | None) -> str:
    # An author keeps to one habit: the same number for the same name, whatever the dice say.
    roll = zlib.crc32(author.encode()) % 9973 / 9973 if author else dice.random()
    for habit in HABITS:
        rate = rates.get(habit, 0)
        if roll < rate:
            return _apply(habit, text)
        roll -= rate
    return text


def _apply(habit: str, text: str) -> str:
    if habit == "spaces":
        return text.replace("，", " ").replace("。", " ").strip()
    if habit == "run_on":
        return BETWEEN_FIGURES.sub(" ", text).replace("，", "").rstrip("。") if len(text) < 26 else text.replace("。", "，").rstrip("，")
    if habit == "bang":
        return text.replace("。", "！")
    if habit == "ellipsis":
        return text.replace("。", "……") if text.count("。") < 3 else text.replace("。", "…", 1)
    return text.rstrip("。") + "～" if text[-1] not in "？！～…" else text


def _drop(text: str, dice: random.Random) -> str:
    places = [i for i, mark in enumerate(text) if mark in "，。"]
    if not places:
        return text
    at = places[int(dice.random() * len(places))]
    return text[:at] + text[at + 1 :]


def _cut(text: str, dice: random.Random) -> str:
    # People break off at a comma, or press send in the middle of the last clause.
    last = text.rfind("，", 6)
    if last > 0 and dice.random() < 0.6:
        return text[:last] + ("…" if dice.random() < 0.5 else "，")
    return text[: -int(1 + dice.random() * 3)].rstrip("，。")


def _decorate(text: str, dice: random.Random, emoji: tuple[str, ...]) -> str:
    mark = emoji[int(dice.random() * len(emoji))]
    if dice.random() < TRIPLE:
        mark *= 2 if dice.random() < 0.5 else 3
    if dice.random() < 0.15 and "，" in text:
        return text.replace("，", mark, 1)
    return text.rstrip("。") + mark
