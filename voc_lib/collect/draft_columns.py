"""What a column of an export looks like from its values: dates and their forms, scores, phones, ids, texts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import duckdb
import polars as pl

from voc_lib.collect.draft_words import ROW_NUMBERS, likeness
from voc_lib.collect.expressions import expression_of
from voc_lib.collect.masking_checks import vin_check_digit
from voc_lib.collect.readers import LINE
from voc_lib.engine import quote

LOOKED_AT = 2_000  # rows whose values are looked at
DATED = 300  # distinct values tried as dates
PARSED = 0.8  # share of values that must be what the column is taken for; the rest is for quarantine to tell
DAY = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d")
CLOCK = (" %H:%M:%S", " %H:%M", "")
FORMATS = (
    *(day + clock for day in DAY for clock in CLOCK), "%Y年%m月%d日 %H时%M分%S秒", "%Y年%m月%d日 %H时%M分", "%Y年%m月%d日%H时%M分", "%Y年%m月%d日%H:%M:%S", "%Y年%m月%d日%H:%M",
    "%Y-%m-%d %H:%M:%S.%f", "%a %b %d %H:%M:%S %z %Y", "%Y%m%d%H%M%S", "%Y%m%d", "iso", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y",
)
NUMBERED = {"excel": (36_526, 55_000), "epoch_s": (1e9, 2.1e9), "epoch_ms": (1e12, 2.1e12)}  # 2000 to 2050; only under a head that says time
SAYS_TIME = re.compile(r"时间|日期|时刻|date|time|created|posted|published|(?:^|_)ts(?:_|$)|_at$", re.I)
WORD_SCORES = {"非常满意": 5, "很满意": 5, "十分满意": 5, "比较满意": 4, "满意": 4, "一般": 3, "较不满意": 2, "不太满意": 2, "不满意": 2, "很不满意": 1, "非常不满意": 1,
               "好评": 5, "中评": 3, "差评": 1, "很好": 5, "好": 4, "差": 2, "很差": 1}
YES, NO = ("是", "已删除", "true", "yes", "y", "1", "deleted"), ("否", "未删除", "正常", "false", "no", "n", "0")
HAN = re.compile(r"[一-鿿]{2}")


@dataclass
class Column:
    """A column (or a value inside a nested one) with what its first values show. `path` leads into a nested one."""

    head: str
    raw: str
    path: tuple[str, ...]
    rows: int
    values: list[str]
    formats: list[str] = field(default_factory=list)
    dated: float = 0.0

    def share(self, test) -> float:
        return sum(map(bool, map(test, self.values))) / len(self.values) if self.values else 0.0

    @property
    def filled(self) -> float:
        return len(self.values) / self.rows if self.rows else 0.0

    @property
    def distinct(self) -> float:
        return len(set(self.values)) / len(self.values) if self.values else 0.0

    @property
    def length(self) -> float:
        return sum(map(len, self.values)) / len(self.values) if self.values else 0.0

    @property
    def chinese(self) -> float:
        return self.share(HAN.search)

    @property
    def numbers(self) -> list[float]:
        """The numbers in the values, as in 5, 5.0, 5星, 9 分."""
        found = (re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:星|颗星|分|stars?)?", value.strip()) for value in self.values)
        return [float(match[1]) for match in found if match]

    @property
    def numeric(self) -> float:
        return len(self.numbers) / len(self.values) if self.values else 0.0

    @property
    def words_of_praise(self) -> float:
        return self.share(lambda value: value.strip() in WORD_SCORES)

    @property
    def flags(self) -> float:
        return self.share(lambda value: value.strip().lower() in (*YES, *NO))

    @property
    def personal(self) -> str | None:
        """phone, vin, or other (an ID card, an e-mail, a number already starred out), where most values are one."""
        tests = {
            "phone": lambda v: re.fullmatch(r"(?:\+?(?:00)?86)?1[3-9]\d{9}", re.sub(r"[\s\-()（）]", "", v)),
            "vin": lambda v: re.fullmatch(r"(?=.*\d)(?=.*[A-Z])[A-HJ-NPR-Z0-9]{17}", v.strip().upper()) and vin_check_digit(v.strip().upper()) == v.strip()[8].upper(),
            "other": lambda v: re.fullmatch(r"\d{17}[\dXx]|[^@\s]+@[^@\s]+\.\w+|1[3-9]\d\*{3,}\d{2,4}|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}", v.strip()),
        }
        return next((kind for kind, test in tests.items() if self.share(test) >= 0.5), None)

    @property
    def counts_rows(self) -> bool:
        """Whether it only numbers the rows of this export: the next one begins at 1 again."""
        if likeness(self.head, ROW_NUMBERS) == 3:
            return True
        whole = self.values[:LOOKED_AT]
        return len(whole) >= 3 and self.filled == 1 and whole == [str(n) for n in range(1, len(whole) + 1)]


def columns_of(frame: pl.DataFrame) -> list[Column]:
    """Every column, those inside JSON objects too (one level down), with the forms of date that read it."""
    first = frame.drop(LINE).head(LOOKED_AT)
    found = []
    for name in first.columns:
        texts = [None if value is None else str(value) for value in first[name].cast(pl.String, strict=False)]
        nested = [_object(text) for text in texts]
        if any(nested) and all(given is not None or not text for given, text in zip(nested, texts, strict=True)):
            for key in dict.fromkeys(key for given in nested if given for key in given):
                found.append(_column(f"{name}.{key}", name, (key,), [_scalar(given.get(key)) if given else None for given in nested]))
        else:
            found.append(_column(name, name, (), texts))
    return found


def _object(text: str | None) -> dict | None:
    if not text or not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _scalar(value: object) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)


def _column(head: str, raw: str, path: tuple[str, ...], texts: list[str | None]) -> Column:
    column = Column(head, raw, path, len(texts), [text for text in texts if text and text.strip()])
    column.formats, column.dated = forms_of_date(column)
    return column


def forms_of_date(column: Column) -> tuple[list[str], float]:
    """The fewest formats that read the values as dates, the one that reads most first, and the share they read."""
    values = list(dict.fromkeys(column.values))[:DATED]
    names = [*FORMATS, *(NUMBERED if SAYS_TIME.search(column.head) else ())]
    if not values or sum(any(c.isdigit() for c in value) for value in values) < PARSED * len(values):
        return [], 0.0
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'Asia/Shanghai'")
    connection.register("raw", pl.DataFrame({"v": values}))
    tried = ", ".join(f"({_sane(name)}) AS {quote_name(name)}" for name in names)
    reads = connection.sql(f"SELECT {tried} FROM raw").pl()
    connection.close()
    left, chosen = set(range(len(values))), []
    while left:
        best = max(names, key=lambda name: sum(reads[name][row] for row in left))
        gained = {row for row in left if reads[best][row]}
        if not gained:
            break
        chosen.append(best)
        left -= gained
    return list(dict.fromkeys([*chosen, *(near for form in chosen for near in _siblings(form))])), 1 - len(left) / len(values)


def _siblings(form: str) -> list[str]:
    """The same day with another clock, which next month's export may hold; beside Excel's numbers, its dates as text."""
    day = next((day for day in DAY if form.startswith(day)), DAY[0] if form == "excel" else None)
    return [day + clock for clock in CLOCK] if day else []


def _sane(name: str) -> str:
    moment = expression_of("occurred_at", {"from": "v", "formats": [name]})
    if name in NUMBERED:
        low, high = NUMBERED[name]
        return f"coalesce(TRY_CAST(v AS DOUBLE) BETWEEN {low} AND {high}, false) AND {moment} IS NOT NULL"
    return f"coalesce(year({moment}) BETWEEN 1990 AND 2100, false)" + (f" AND NOT regexp_matches(v, {quote('^[0-9.]+$')})" if name == "iso" else "")


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
