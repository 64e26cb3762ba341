"""What counts as personal data in a number, a VIN, a plate or an address: spans of a folded text.

`fold` keeps the length, so that a span found in the folded text is a span of the original. Decided here:

- 400/800 and 95xxx numbers belong to companies and stay; so does a number without an area code,
  unless 电话, 座机, 固话, 传真 or tel stands before it.
- Whole groups of digits are judged, never a part of one: eleven digits inside a longer run are an order
  number, unless the run begins with 86, 086 or 0086.
- Luhn alone says "card" to one number in ten, so 订单号, 运单号 and their like before a number win.
- An ID card needs province, date and check digit, a VIN its check digit (ISO 3779) and a letter. After
  身份证号, 银行卡号 or 车架号 the word is believed: a mistyped check digit does not save the number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import cache

Span = tuple[int, int, str]
Group = tuple[int, int, str]

Z = "\u200b"  # what every invisible character folds to
INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u20e3\ufe0e\ufe0f\ufeff"
DASHES, DOTS = "‐‑‒–—―−﹘─━ーｰ~～", "•・‧∙⋅･"
GAPS = r" \-.·_/,()" + Z  # what may stand between two groups of one number
SPOKEN = {c: str(d) for d, group in enumerate("零〇洞 一幺壹 二两贰 三叁 四肆 五伍 六陆 七柒拐 八捌 九玖勾".split()) for c in group}
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LONGEST = 24  # digits; a card with its country code or extension has fewer


@cache
def fold_table() -> dict[int, str]:
    """Code point -> the one ASCII character that it stands for: digits of every script, full-width forms, dashes, spaces."""
    table = {ord(c): to for chars, to in ((INVISIBLE, Z), (DASHES, "-"), (DOTS, "·")) for c in chars}
    for point in (*range(0x80, 0xD800), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800)):
        char = chr(point)
        to = str(unicodedata.digit(char, "")) or unicodedata.normalize("NFKC", char)
        if char.isspace():
            to = " "
        if to != char and len(to) == 1 and to.isascii():
            table.setdefault(point, to)
    return table | dict.fromkeys((9, 10, 11, 12, 13), " ")


def odd_digits() -> dict[str, str]:
    """Every digit outside ASCII and what it folds to."""
    return {chr(point): to for point, to in fold_table().items() if to.isdigit()}


def fold(text: str) -> str:
    """The text as the detectors read it: one character for each, so positions stay.

    >>> fold("１３８—００ ④⑤")
    '138-00 45'
    """
    return text.translate(fold_table())


def without_opaque(folded: str) -> str:
    """The text with hashes, UUIDs, app ids and fractions blanked, as long as before."""
    return OPAQUE.sub(lambda match: "\0" * len(match[0]), folded) if MAYBE_OPAQUE.search(folded) else folded


RUN = re.compile(rf"\d(?:[{GAPS}]{{0,5}}\d)*")
GROUP = re.compile(rf"\d(?:{Z}*\d)*")
_D = rf"[\d{''.join(SPOKEN)}]"
SPOKEN_RUN = re.compile(rf"{_D}(?<!{_D}{{2}})(?:[ \-{Z}]{{0,2}}{_D}){{10}}(?!{_D})")  # class first: the engine then skips ahead
#: Digits that are no number of a person: hashes, UUIDs, app ids of WeChat, fractions below one.
OPAQUE = re.compile(r"(?i)(?<![0-9a-z])(?:(?=[0-9]*[a-f])[0-9a-f]{24,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|wx[0-9a-f]{16})(?![0-9a-z])|(?<![\d.])0\.\d+")
MAYBE_OPAQUE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}-|[0-9a-fA-F]{8})|0\.\d")
CHECK_X = re.compile(rf"[{GAPS}]{{0,3}}[xX](?![A-Za-z0-9])")
EXTENSION = re.compile(r"(?: ?(?:转|分机号?|[eE][xX][tT]\.?|#) ?:? ?|-)\d{1,5}(?!\d)")
AFTER_WORD = r"(?:号码?|件号?)?(?:是|为)?[: ]*\(?$"
SAYS_ID = re.compile(r"身份证" + AFTER_WORD)
SAYS_CARD = re.compile(r"(?:银行卡|银行账号|银行帐号|储蓄卡|信用卡|卡)" + AFTER_WORD)
SAYS_PHONE = re.compile(r"(?i)(?:电话|座机|固话|传真|(?<![a-z])tel\.?)" + AFTER_WORD)
SAYS_ORDER = re.compile(r"(?i)(?:订单|单号|运单|快递|流水|工单|案件|合同|保单|发票|商品|编号|货号|序列号?|sn|imei)(?:编?号码?)?(?:是|为)?[: #]*$")
UNIT = re.compile(r" ?(?:元|块|万|公里|米|人|个|次|步|年|月|分|条|多|左右|%|(?i:km))")

MOBILE = re.compile(r"(0{0,2}86|0)?1[3-9]\d{9}")
CARD = re.compile(r"6\d{15,18}|4(?:\d{12}|\d{15}|\d{18})|5\d{15}|5\d{18}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|35\d{14}|9(?:558|559|0|4)\d{12,15}")
#: The area codes in use, needed where no separator marks the code off.
AREA = re.compile(
    r"0(?:10|2[0-57-9])[1-9]\d{7}|0(?:3(?:1\d|35|49|5\d|7\d|9[1-8])|4(?:1\d|2[179]|3\d|5[1-9]|6[4-9]|7\d|8[235])|5(?:1\d|2[37]|3\d|4[36]|5\d|6[1-6]|7\d|8[0-24]|9\d)"
    r"|6(?:3[1-5]|6[0238]|9[12])|7(?:01|1\d|2[248]|3\d|4[3-6]|5\d|6[0268]|7\d|9\d)|8(?:1[2-9]|2[5-7]|3\d|5[1-9]|7\d|8[3678]|9\d)|9(?:0[1-9]|1[1-79]|3\d|4[1-3]|5[1-5]|7\d|9\d))[1-9]\d{6,7}"
)
#: How people group the digits of a mobile, a landline, an ID card, a bank card; trusted with any separators.
USUAL = {(3, 4, 4), (4, 4, 3), (4, 3, 4), (3, 3, 5), (5, 3, 3), (3, 8), (7, 4), (5, 6), (6, 5), (3, 2, 2, 2, 2), (3, 2, 2, 4), (4, 4), (3, 4), (2, 2, 2, 2),
         (6, 8, 4), (6, 12), (6, 4, 4, 4), (6, 4, 2, 2, 4), (6, 6, 3), (4, 4, 4, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 6, 5), (6, 10), (6, 13)}
REGIONS = frozenset("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split())


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812); 2333333 is laughter, not a card."""
    odd, even = digits[-1::-2], digits[-2::-2]
    return len(set(digits)) > 2 and (sum(map(int, odd)) + sum(sum(divmod(2 * int(d), 10)) for d in even)) % 10 == 0


def id_check_digit(first_17: str) -> str:
    """GB 11643-1999: the 18th character of an ID card number."""
    return "10X98765432"[sum(int(d) * 2 ** (17 - i) for i, d in enumerate(first_17)) % 11]


def is_date(digits: str) -> bool:
    try:
        return 1900 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year <= 2099
    except ValueError:
        return False


def _one_number(shape: tuple[int, ...], between: list[str], usual: bool = True) -> bool:
    """Whether groups of these lengths read as one number rather than as a list of numbers, a date or a version."""
    if len(shape) == 1 or usual and shape in USUAL:
        return True
    marks = {mark for gap in between for mark in gap.replace(Z, "")}
    if marks - {" "}:
        marks -= {" "}
    if len(marks) > 1 or shape[:3] == (4, 2, 2):
        return False
    if set(shape) == {1}:
        return True
    if marks & set("./,()"):  # decimals, versions, addresses, thousands
        return marks == {"."} and len(shape) <= 3 and min(shape) >= 3
    return len(shape) <= (4 if marks - {" "} else 3)


def _phone(digits: str, shape: tuple[int, ...], between: list[str], before: str, after: str) -> str | None:
    plus, order = before.endswith("+"), SAYS_ORDER.search(before)
    if mobile := MOBILE.fullmatch(digits):
        prefix = len(mobile[1] or "")
        while prefix and shape:  # the country code's groups are not part of the number's shape
            taken = min(prefix, shape[0])
            shape, prefix = ((shape[0] - taken,) if shape[0] > taken else ()) + shape[1:], prefix - taken
        between = between[len(between) + 1 - len(shape):]
        return "手机号" if _one_number(shape, between) and not (len(shape) > 1 and UNIT.match(after)) else None
    if (plus and 10 <= len(digits) <= 15 or digits.startswith("0086") and 13 <= len(digits) <= 16) and _one_number(shape[1:] or shape, between[1:]):
        return "固定电话" if digits.lstrip("0").startswith("86") else "手机号"
    if len(shape) == 1 or set(shape) == {1}:
        if AREA.fullmatch(digits) and not order:
            return "固定电话"
    elif re.fullmatch(r"0[12]\d{9}|0[3-9]\d{9,10}", digits) and shape[0] == (3 if digits[1] in "12" else 4) and _one_number(shape[1:], between[1:]):
        return "固定电话"
    if re.fullmatch(r"[2-8]\d{6,7}", digits) and SAYS_PHONE.search(before) and shape in {(7,), (8,), (4, 4), (3, 4)} and not is_date(digits):
        return "固定电话"
    return None


def _document(digits: str, shape: tuple[int, ...], between: list[str], before: str) -> str | None:
    said, order = SAYS_ID.search(before), SAYS_ORDER.search(before)
    if digits[:2] in REGIONS and _one_number(shape, between) or said:
        if len(digits) == 18 and (said or is_date(digits[6:14]) and id_check_digit(digits[:17]) == digits[17]):
            return "身份证号"
        if len(digits) == 15 and (said or not order and is_date("19" + digits[6:12])):
            return "身份证号"
    if 12 <= len(digits) <= 19 and digits.isdigit():
        if SAYS_CARD.search(before) or CARD.fullmatch(digits) and luhn(digits) and not order and _one_number(shape, between):
            return "银行卡号"
    return None


def find_numbers(folded: str) -> Iterator[Span]:
    """Mobile and landline numbers, ID and bank cards: windows of whole digit groups, the longest first."""
    for match in SPOKEN_RUN.finditer(folded):
        if not set(match[0]) & SPOKEN.keys():
            continue
        spoken = "".join(SPOKEN.get(c, c) for c in match[0] if c.isdigit() or c in SPOKEN)
        if re.fullmatch(r"1[3-9]\d{9}", spoken):
            yield match.start(), match.end(), "手机号"
    text = re.sub(r"(?<=\d)一(?=\d)", "-", without_opaque(folded)) if "一" in folded else without_opaque(folded)
    for run in RUN.finditer(text):
        groups = [(m.start(), m.end(), m[0].replace(Z, "")) for m in GROUP.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            last, span = _longest(text, groups, first)
            if span:
                yield span
            first = last + 1


def _longest(text: str, groups: list[Group], first: int) -> tuple[int, Span | None]:
    start, windows, digits = groups[first][0], [], ""
    for last in range(first, len(groups)):
        digits += groups[last][2]
        if len(digits) > LONGEST:
            break
        windows.append((last, digits))
    before = text[max(0, start - 16):start]
    for last, digits in reversed(windows):
        if len(digits) < 7:
            break
        if last - first > 7 and any(len(group[2]) > 1 for group in groups[first + 1:last + 1]):
            continue  # a list of numbers
        end = groups[last][1]
        inside = groups[first:last + 1]
        shape = tuple(len(g[2]) for g in inside)
        if len(digits) == 17 and (check := CHECK_X.match(text, end)):
            digits, end, shape = digits + "X", check.end(), (*shape[:-1], shape[-1] + 1)
        between = [text[a[1]:b[0]] for a, b in zip(inside, inside[1:], strict=False)]
        phone = _phone(digits, shape, between, before, text[end:end + 4])
        if phone and (extension := EXTENSION.match(text, end)) and (phone == "固定电话" or extension[0][0] != "-"):
            end = extension.end()
        if label := phone or _document(digits, shape, between, before):
            head = re.search(r"\(?\+?$" if between and ")" in between[0] else r"\+?$", before)
            while last + 1 < len(groups) and groups[last + 1][0] < end:
                last += 1
            return last, (start - len(head[0]), end, label)
    return first, None


SAYS_VIN = re.compile(r"(?i)(?:车架|底盘|识别代?|vin)(?:号码?|码)?(?:是|为)?[: ]*$")
VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
ALNUM_GROUP = re.compile(rf"[A-Za-z0-9](?:{Z}*[A-Za-z0-9])*")


def vin_check_digit(vin: str) -> str:
    """ISO 3779: what stands at position 9 of a VIN in capitals (0-9 or X)."""
    return "0123456789X"[sum(VIN_VALUES[c] * w for c, w in zip(vin, VIN_WEIGHTS, strict=True)) % 11]


def _is_vin(vin: str, shape: tuple[int, ...], said: bool) -> bool:
    figures = sum(c.isdigit() for c in vin)
    if len(vin) != 17 or figures == 17:
        return False
    if said:
        return figures > 0
    if set(vin) - VIN_VALUES.keys() or not figures:
        return False
    whole = len(shape) == 1 or figures >= 4 and (len(shape) <= 5 or set(shape) == {1})
    return whole and (vin_check_digit(vin) == vin[8] or len(shape) == 1 and vin[3:6] == "ZZZ" and vin[-5:].isdigit())


def find_vins(folded: str) -> Iterator[Span]:
    """VINs in either case, whole or in groups; European ones carry ZZZ in place of a check digit."""
    text = without_opaque(folded)
    done = 0
    for run in re.finditer(rf"[A-Za-z0-9](?:[ \-.·_{Z}]{{0,3}}[A-Za-z0-9])*", text):
        if run.end() - run.start() < 17 or run[0].isdigit():
            continue
        groups = [(m.start(), m.end(), m[0].replace(Z, "").upper()) for m in ALNUM_GROUP.finditer(text, run.start(), run.end())]
        for first, (start, end, token) in enumerate(groups):
            if start < done:
                continue
            if token.startswith("VIN") and len(token) == 20:
                start, token = next(i for i in range(start, end) if end - i - text.count(Z, i, end) == 17), token[3:]
            said, vin = bool(SAYS_VIN.search(text[max(0, start - 12):start])), ""
            for last in range(first, len(groups)):
                vin += token if last == first else groups[last][2]
                if len(vin) >= 17:
                    break
            if _is_vin(vin, tuple(len(g[2]) for g in groups[first:last + 1]), said):
                done = groups[last][1]
                yield start, done, "车架号"


PLATE = re.compile(
    rf"(?:WJ[ {Z}]?)?[{PROVINCES}][ {Z}]{{0,2}}[A-HJ-Z][ \-.·_{Z}]{{0,3}}"
    rf"(?:[DF]{Z}*[A-HJ-NP-Z0-9](?:{Z}*\d){{4}}|\d(?:{Z}*\d){{4}}{Z}*[DF]|(?:[A-HJ-NP-Z0-9]{Z}*){{4}}(?:[A-HJ-NP-Z0-9挂学警港澳领]|应急)|\d(?: \d){{4}})(?![A-Z0-9])"
    rf"|使{Z}*\d(?:[ ·\-{Z}]?\d){{5}}(?!\d)"
)


def find_plates(folded: str) -> Iterator[Span]:
    """Plates with 5 characters, 6 of new energy, and those ending in 挂, 学, 警, 港, 澳, 领, 应急."""
    for match in PLATE.finditer(folded.upper() if len(folded.upper()) == len(folded) else folded):
        if sum(c.isdigit() for c in match[0]) >= 2:
            yield *match.span(), "车牌"


_AT = rf"[ {Z}]{{0,2}}(?:@|[\[(](?:at|AT|@|艾特)[\])])[ {Z}]{{0,2}}"
_LABEL = rf"[A-Za-z0-9][A-Za-z0-9\-{Z}]{{0,62}}"
EMAIL = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9._%+\-{Z}]{{0,80}}{_AT}"
    rf"(?:(?:{_LABEL}[.。]){{1,5}}[A-Za-z]{{2,12}}|{_LABEL}[ {Z}]{{0,2}}[.。][ {Z}]{{0,2}}(?:com|cn|net|org)(?![A-Za-z]))"
)


def find_emails(folded: str) -> Iterator[Span]:
    """E-mail addresses, also with a full-width ＠, (at), or spaces around the mark."""
    if "@" in folded or re.search(r"[\[(](?:at|AT|艾特)", folded):
        for match in EMAIL.finditer(folded):
            yield *match.span(), "邮箱"
