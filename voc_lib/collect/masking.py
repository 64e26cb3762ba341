"""The one masking door: personal data becomes 〔手机号〕, 〔姓名〕 ... before anything is stored, logged or refused.

Most cells hold nothing. A column is therefore screened twice in Polars, by a cheap question (seven digits in
a row, an @, a word such as 微信?) and then by a sharper one; only what passes both is read in Python,
folded, and judged by check sums and neighbours. Where nothing is found the cell comes back to the bit.
"""

from __future__ import annotations

import logging
import re
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain

import polars as pl

from voc_lib.collect import masking_checks as checks
from voc_lib.collect import masking_names as names

#: A column is masked over its distinct values where (about) fewer than this share of its cells differ.
FEW_DISTINCT = 0.5
SMALL = 1_000  # cells; below this it is not worth asking

#: ⑩, ㎏, ℡, №: NFKC would grow them into letters and digits that stick to their neighbours.
EXPANDING = "\u2469-\u2473\u3250-\u33ff\u2100\u2101\u2105\u2106\u2116\u2121\u213b"

Detector = Callable[[str], Iterator[checks.Span]]
DETECTORS: tuple[Detector, ...] = (checks.find_emails, checks.find_numbers, checks.find_vins, checks.find_plates, names.find_accounts, names.find_names)


def mask_text(text: str, detectors: Sequence[Detector] = DETECTORS) -> str:
    """The text with personal data replaced by typed placeholders; for file names, log lines, error messages.

    >>> mask_text("我叫张伟,电话１３８-0013-8000,买了ID.4")
    '我叫〔姓名〕,电话〔手机号〕,买了ID.4'
    """
    folded = checks.fold(text)
    spans = sorted(chain.from_iterable(find(folded) for find in detectors), key=lambda span: (span[0], -span[1]))
    if not spans:
        return text
    merged: list[tuple[int, int, int, str]] = []  # start, end, length of the span that names it, label
    for start, end, label in spans:
        if merged and start < merged[-1][1]:  # overlapping finds: everything goes, under the longest one's name
            first, last, longest, name = merged[-1]
            merged[-1] = (first, max(last, end), *max((longest, name), (end - start, label), key=lambda named: named[0]))
        else:
            merged.append((start, end, end - start, label))
    pieces, position = [], 0
    for start, end, _, label in merged:
        while end < len(folded) and folded[end] == checks.Z:  # the rest of a key-cap digit
            end += 1
        pieces += [text[position:start], f"〔{label}〕"]
        position = end
    return "".join(pieces) + text[position:]


def mask(frame: pl.DataFrame, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The frame with personal data in its text columns replaced; nulls, order and every other column as they were.

    Without `columns` every column that holds text is masked: String, Categorical, Enum (which becomes
    String where something was found) and text inside lists and structs. Numbers are not text: cast a column
    of phone numbers to String before. Keys that must stay unique are hashed before they pass here.

    Raises:
        ValueError: a column is missing or holds no text.
    """
    if columns is None:
        columns = [name for name, dtype in frame.schema.items() if _holds_text(dtype)]
    for name in columns:
        if name not in frame.columns:
            raise ValueError(f"要遮蔽的列「{name}」不在表里。现有的列：{'、'.join(frame.columns)}。")
        if not _holds_text(frame.schema[name]):
            raise ValueError(f"列「{name}」是 {frame.schema[name]}，不是文本，无法遮蔽。请先用 cast(pl.String) 转成文本。")
    return frame.with_columns(_mask_column(frame[name]) for name in columns)


def _holds_text(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_holds_text(field.dtype) for field in dtype.fields)
    return _holds_text(dtype.inner) if isinstance(dtype, pl.List | pl.Array) else isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _mask_column(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.String):
        return _mask_strings(column)
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        plain = column.cast(pl.String)
        masked = _mask_strings(plain)
        if masked.equals(plain):
            return column
        return masked if isinstance(column.dtype, pl.Enum) else masked.cast(column.dtype)
    return pl.Series(column.name, [_mask_value(value) for value in column.to_list()], dtype=_unclosed(column.dtype))


def _unclosed(dtype: pl.DataType) -> pl.DataType:
    """A nested type that can hold placeholders: a closed list of categories cannot."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _unclosed(field.dtype) for field in dtype.fields})
    if isinstance(dtype, pl.List):
        return pl.List(_unclosed(dtype.inner))
    if isinstance(dtype, pl.Array):
        return pl.Array(_unclosed(dtype.inner), dtype.size)
    return pl.String() if isinstance(dtype, pl.Enum | pl.Categorical) else dtype


def _mask_value(value: object) -> object:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: _mask_value(inner) for key, inner in value.items()}
    return [_mask_value(inner) for inner in value] if isinstance(value, list) else value


def _mask_strings(column: pl.Series) -> pl.Series:
    if len(column) > SMALL and column.approx_n_unique() < FEW_DISTINCT * len(column):
        distinct = column.unique()
        changed = _changes(distinct)
        before, after = distinct.gather([row for row, _ in changed]), pl.Series([text for _, text in changed], dtype=pl.String)
        return column.replace(before, after) if changed else column
    changed = _changes(column)
    if not changed:
        return column
    return column.clone().scatter([row for row, _ in changed], [text for _, text in changed])


def _changes(column: pl.Series) -> list[tuple[int, str]]:
    """Row and new text of every cell in which something is found."""
    rows = column.str.contains(_coarse()).arg_true()
    if rows.is_empty():  # most columns of most exports
        return []
    plain = column.gather(rows).str.replace_all(f"[{checks.INVISIBLE}]+", "").str.replace_all(f"[{EXPANDING}]", " ").str.normalize("NFKC")
    suspect = pl.zeros(len(rows), pl.UInt8, eager=True)
    for detector, pattern in _sharp():
        suspect = suspect | (plain.str.contains(pattern).cast(pl.UInt8) * (1 << detector))
    found = suspect > 0
    rows, suspect, plain = rows.filter(found), suspect.filter(found), plain.filter(found)
    kept = ~_mere_ids(plain)
    rows, suspect = rows.filter(kept), suspect.filter(kept)
    masked: dict[str, str] = {}  # advertisements and the company's own replies come in hundreds of copies
    changes = []
    for row, bits, text in zip(rows.to_list(), suspect.to_list(), column.gather(rows).to_list(), strict=True):
        if text not in masked:
            masked[text] = mask_text(text, [find for place, find in enumerate(DETECTORS) if bits >> place & 1])
        if masked[text] != text:
            changes.append((row, masked[text]))
    return changes


def _mere_ids(plain: pl.Series) -> pl.Series:
    """Cells that are one number of 12-19 digits and neither card nor ID card nor mobile: columns of order numbers stay cheap."""
    number = plain.str.extract(r"^([1-9][0-9]{11}|[0-9]{13,19})$").cast(pl.UInt64)
    personal = plain.str.contains(r"^0{0,2}86|^0|^[1-8]\d{5}(?:19|20)?\d\d[01]\d[0-3]\d{4,5}$")
    total, rest = pl.zeros(len(plain), pl.UInt64, eager=True), number.fill_null(0)
    for place in range(19):  # Luhn, from the last digit on
        digit = rest % 10 * (1 + place % 2)
        total, rest = total + digit - 9 * (digit > 9).cast(pl.UInt64), rest // 10
    return number.is_not_null() & ~personal & ((total % 10 != 0) | (plain.str.len_bytes() == 12))


def _written(folded: str) -> str:
    """The inside of a character class: everything that folds to one of these characters."""
    points = {ord(c) for c in folded} | {point for point, to in checks.fold_table().items() if to in folded}
    return "".join(f"\\x{{{point:x}}}" for point in sorted(points))


@cache
def _coarse() -> str:
    """What every cell with a find matches as it stands, as one Rust regular expression."""
    spoken, gap = "".join(checks.SPOKEN), f"[{_written(' -.·_/,()' + checks.Z)}]{{0,5}}"
    digit = f"[{_written('0123456789')}{spoken}]"
    letter = _written("".join(map(chr, (*range(65, 91), *range(97, 123)))))
    spaced = f"[{_written(' -.·_' + checks.Z)}]{{0,3}}"
    short = f"[{_written(' ' + checks.Z)}]{{0,2}}"

    def word(text: str) -> str:
        return short.join(f"[{_written(c.lower() + c.upper())}]" if c.isascii() else c for c in text if c != " ")

    accounts = "|".join(word(text) for text in (*names.WECHAT_WORDS, *names.QQ_WORDS))
    announced = "|".join((*names.FORM, *names.SPEECH, *names.LOOSE))
    return "|".join((
        f"(?:{digit}{gap}){{6}}{digit}", f"[{_written('@')}]", f"[{_written('([')}](?:at|AT|艾特)", f"[{checks.PROVINCES}]{spaced}[{letter}]", f"使{short}[{_written('0123456789')}]",
        accounts, announced, f"姓[{_written(' ')}]{{0,3}}名", f"(?:[{letter}{_written('0123456789')}]{spaced}){{16}}[{letter}{_written('0123456789')}]",
    ))


@cache
def _sharp() -> list[tuple[int, str]]:
    """What the detector at this place may find, after NFKC and without invisible characters.

    Several small patterns, because one large one overflows the cache of the regex engine and runs ten times slower.
    """
    # Digits that NFKC does not know (❶, Arabic ones) stand for any digit.
    odd = "".join(char for char in checks.odd_digits() if not unicodedata.normalize("NFKC", char).isascii()) + "".join(checks.SPOKEN)
    d, one, second, zero, some = f"[0-9{odd}]", f"[1{odd}]", f"[3-9{odd}]", f"[0{odd}]", f"[1-9{odd}]"
    gap = rf"[\s\-.·_/,(){checks.DASHES}{checks.DOTS}]{{0,5}}"
    spaced = rf"[\s\-.·_{checks.DASHES}{checks.DOTS}]{{0,3}}"
    join = rf"""(?:姓名|名字|名叫|叫做|叫|是|为|[\s:=(\-{checks.DASHES}"'“「\[]){{0,5}}"""
    accounts = "|".join(re.escape(text).replace(r"\ ", r"\s?").replace("微信", r"微\s?信") for text in (*names.WECHAT_WORDS, *names.QQ_WORDS))
    announced = "|".join((*names.FORM, *names.SPEECH, *names.LOOSE, r"姓\s{1,3}名"))
    patterns: dict[Detector, tuple[str, ...]] = {
        checks.find_emails: (r"@|[\[(](?:at|艾特)[\])]",),
        checks.find_numbers: (
            f"{one}{gap}{second}(?:{gap}{d}){{9}}", f"{zero}{gap}{some}(?:{gap}{d}){{8}}", f"{some}(?:{gap}{d}){{12}}", rf"\+[\s(]{{0,3}}{d}(?:{gap}{d}){{9}}",
            f"(?:电话|座机|固话|传真|tel).{{0,16}}?{d}(?:{gap}{d}){{6}}", f"(?:卡|银行账号|银行帐号|身份证).{{0,16}}{d}(?:{gap}{d}){{11}}",
        ),
        checks.find_vins: (f"(?:^|[^0-9A-Z]|VIN|0\\.[0-9]{{1,40}})[0-9A-Z{odd}](?:{spaced}[0-9A-Z{odd}]){{16}}(?:[^0-9A-Z]|$)",),
        checks.find_plates: (rf"[{checks.PROVINCES}]\s{{0,2}}[A-Z]{spaced}[0-9A-Z{odd}]|使{d}",),
        names.find_accounts: (f"(?:{accounts}).{{0,32}}?(?:[0-9a-z{odd}][0-9a-z_\\-{checks.DASHES}{odd}]{{4}}|{d}(?:[\\s\\-{checks.DASHES}]{{0,2}}{d}){{4}})",),
        names.find_names: (
            rf"(?:{announced}){join}(?:[{names.SURNAMES}A-Z]|{'|'.join(names.COMPOUND)}|[一-鿿]{{1,8}}[·{checks.DOTS}])",
            rf"(?:{'|'.join(names.FORM)}|姓\s{{1,3}}名).{{0,6}}[:=]",
        ),
    }
    return [(DETECTORS.index(find), f"(?is){pattern}") for find, several in patterns.items() for pattern in several]


class MaskingLogFilter(logging.Filter):
    """Masks every record that passes: message, arguments, exception, stack and extra text.

    Add it to handlers (`handler.addFilter(MaskingLogFilter())`): a filter on a logger does not see the
    records of the loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # a malformed record must neither stop the program nor leak its arguments
            message = f"{record.msg} {record.args}"
        record.msg, record.args = mask_text(message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        record.exc_info = None  # a handler that renders the exception itself would show it unmasked
        for name, value in vars(record).items():
            if isinstance(value, str) and name not in {"levelname", "name", "funcName", "threadName", "processName"}:
                setattr(record, name, mask_text(value))
        return True
