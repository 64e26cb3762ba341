"""How a fact is said: 12300 kilometres as 1.2万公里 in a post, 一万二 on the phone, 12300公里 in a complaint.

SLOTS is the list of facts a line may name; the values come as plain strings (numbers without a unit).
"""

from __future__ import annotations

import random
from collections.abc import Callable

DIGITS = "零一二三四五六七八九"
FORMAL = ("formal", "shop")


def chinese(number: int) -> str:
    """1 to 99 as a Chinese speaker counts things (两 for 2): 12 -> 十二, 2 -> 两."""
    if number == 2:
        return "两"
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else DIGITS[tens] + "十") + (DIGITS[ones] if ones or not tens else "")


def mileage(value: str, dice: random.Random, register: str) -> str:
    """Kilometres with their unit: 800公里, 1.2万公里, 一万二公里, 快两万公里."""
    km = int(value)
    if register in FORMAL:
        return f"{km}公里"
    if km < 9500:
        rounded = max(round(km, -2), 100)
        return f"{rounded}公里" if rounded % 1000 or dice.random() < 0.4 else f"{chinese(rounded // 1000)}千公里"
    how = dice.random()
    tenths = round(km / 1000)
    whole, rest = divmod(tenths, 10)
    if how < 0.45:
        return f"{tenths / 10:g}万公里"
    if how < 0.6:
        return f"{tenths / 10:g}w公里" if register == "social" else f"{km // 100 * 100}公里"
    if rest >= 8:
        return f"快{chinese(whole + 1)}万公里"
    if rest == 0:
        return f"{chinese(whole)}万公里"
    return f"{chinese(whole)}万多公里" if rest > 5 or dice.random() < 0.5 else f"{chinese(whole)}万{DIGITS[rest]}千公里"


def months(value: str, dice: random.Random, register: str) -> str:
    """Months owned: 不到一个月, 三个月, 半年, 一年多, 两年."""
    count = int(value)
    if count < 1:
        return "不到一个月"
    years, rest = divmod(count, 12)
    if years == 0:
        if count == 6:
            return "半年"
        return f"{count}个月" if register in FORMAL or dice.random() < 0.3 else f"{chinese(count)}个月"
    if rest == 0:
        return f"{chinese(years)}年"
    if rest >= 10:
        return f"快{chinese(years + 1)}年"
    return f"{chinese(years)}年{'半' if 5 <= rest <= 7 else '多'}"


def price(value: str, dice: random.Random, register: str) -> str:
    """Yuan with their unit: 380块, 1280元, 1.3万."""
    yuan = int(float(value))
    if register in FORMAL:
        return f"{yuan}元"
    if yuan >= 10000 and yuan % 1000 == 0:
        tenths = yuan // 1000
        return f"{tenths / 10:g}万" if tenths % 10 or dice.random() < 0.5 else f"{chinese(tenths // 10)}万"
    if yuan >= 10000 and dice.random() < 0.5:
        return f"{round(yuan / 1000) / 10:g}万"
    return f"{yuan}{'块' if dice.random() < 0.6 else '元'}"


def days(value: str, dice: random.Random, register: str) -> str:
    """Days: 三天, 一个星期, 半个月, 20天, 一个多月."""
    count = int(value)
    if register in FORMAL:
        return f"{count}天"
    if count == 7:
        return "一个星期"
    if 14 <= count <= 16:
        return "半个月"
    if count > 60:
        return f"{chinese(count // 30)}个多月"
    if count > 30:
        return "一个多月"
    return f"{chinese(count)}天" if count <= 10 or dice.random() < 0.3 else f"{count}天"


def times(value: str, dice: random.Random, register: str) -> str:
    """A count of visits or calls without its measure word: 三, 3."""
    return value if register in FORMAL and dice.random() < 0.6 else chinese(int(value))


def date(value: str, dice: random.Random, register: str) -> str:
    """An ISO date: 2026年3月8日 (formal), 3月8号, 三月初."""
    year, month, day = (int(part) for part in value[:10].split("-"))
    if register in FORMAL or dice.random() < 0.3:
        return f"{year}年{month}月{day}日"
    third = "初" if day <= 10 else "中" if day <= 20 else "底"
    return f"{month}月{day}号" if dice.random() < 0.5 else f"{month}月{third}"


def dealer(value: str, dice: random.Random, register: str) -> str:
    """成都星澜高新店 in full where it is a complaint, 高新店 or 高新那家店 among friends (what follows the brand)."""
    if register in FORMAL:
        return value
    short = value.split("星澜")[-1] if "星澜" in value else value
    return value if dice.random() < 0.25 or len(short) < 3 else short


def product(value: str, dice: random.Random, register: str) -> str:
    """星澜A7 in full, A7, or a7 as people type it."""
    bare = value.replace("星澜", "").strip()
    if register in FORMAL or not bare:
        return value
    how = dice.random()
    return value if how < 0.3 else bare.lower() if how > 0.82 and register in ("social", "plain") else bare


def plain(value: str, dice: random.Random, register: str) -> str:
    """As given."""
    return value


SLOTS: dict[str, Callable[[str, random.Random, str], str]] = {
    "product": product, "mileage": mileage, "months": months, "price": price, "days": days, "times": times, "date": date, "dealer": dealer,
    "city": plain, "province": plain, "version": plain, "app_version": plain, "season": plain, "month": plain, "other": plain, "consultant": plain,
    "person": plain, "surname": plain, "order": plain, "batch": plain, "supplier": plain, "part": plain, "branch": dealer, "card": plain,
    "amount": price, "bank": plain, "plate_city": plain,
}
# Given to the engine, never said: who writes (habits of punctuation) and which spam skeleton.
SILENT_SLOTS = ("author", "campaign")
