"""Which column of an export is which column of feedback: by the words of its head and by what stands in it.

Personal columns are set aside first, so that no guess can take one for the customer's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from voc_lib.collect.draft_columns import PARSED, Column
from voc_lib.collect.draft_words import AUTHOR, IDENTITY, LEFT_OUT, NOT_SAID, WORDS, likeness, plain

ENOUGH = 1.3  # likeness below which a head says nothing
CLOSE = 0.4  # two columns so near in score are a doubt
LONG = 12  # characters: from here on a text is somebody's words and no label
CODED = ("region", "city", "dealer", "product", "brand", "variant", "stage", "batch", "status", "software_version")
THREADS = ("thread_id", "parent_id")  # a wrong one ties strangers together: part of a head is not enough
# A head that says what it is needs less proof: landlines, VINs without a check digit; but nothing starred out.
KEYS = {"phone": re.compile(r"^(?!.*\*)(?:\D*\d){7}"), "vin": re.compile(r"^\s*[A-Za-z0-9]{17}\s*$"), "account": re.compile(r"^[^*]+$")}
INSIDE_AUTHOR = ("id", "uid", "name", "nick", "nickname", "username", "screenname", "openid")


@dataclass
class Guess:
    """Columns of feedback with the column that fills each; `doubts` by the name of the field."""

    fields: dict[str, Column] = field(default_factory=dict)
    identity: dict[str, Column] = field(default_factory=dict)
    author: Column | None = None
    left_out: list[Column] = field(default_factory=list)
    unused: list[Column] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)


def guess(columns: Iterable[Column]) -> Guess:
    found = Guess()
    open_columns = [column for column in columns if column.values and not _personal(column, found)]
    scores = {(name, place): score for name in WORDS for place, column in enumerate(open_columns) if (score := _score(name, column)) is not None}
    order = list(WORDS)
    taken: set[int] = set()
    for (name, place), score in sorted(scores.items(), key=lambda item: (-item[1], order.index(item[0][0]), item[0][1])):
        if name in found.fields or place in taken:
            continue
        found.fields[name] = open_columns[place]
        taken.add(place)
        rivals = [open_columns[other].head for (field_, other), near in scores.items() if field_ == name and other not in taken and near > score - CLOSE]
        if rivals and name in ("source_id", "occurred_at", "verbatim", "rating"):
            found.doubts[name] = f"也可能是「{'」「'.join(rivals[:3])}」"
    _by_content(found, [column for place, column in enumerate(open_columns) if place not in taken])
    _keep_apart(found)
    used = {id(column) for column in found.fields.values()}
    found.unused = [column for column in open_columns if id(column) not in used]
    _own_doubts(found)
    return found


def _personal(column: Column, found: Guess) -> bool:
    """Set aside what is a key, an author or personal data; true where it was."""
    kind, outer = column.personal, plain(column.head.rpartition(".")[0])
    of_author = bool(outer) and likeness(outer, AUTHOR) == 3 and plain(column.head).rpartition(".")[2] in INSIDE_AUTHOR
    feedback = max(likeness(column.head, words) for words in WORDS.values())
    named = max(IDENTITY, key=lambda name: likeness(column.head, IDENTITY[name]))
    if kind in IDENTITY and kind not in found.identity:
        found.identity[kind] = column
    elif kind is not None:
        found.left_out.append(column)
    elif of_author or likeness(column.head, AUTHOR) >= 2 and likeness(column.head, AUTHOR) > feedback:
        _author(column, found)
    elif likeness(column.head, IDENTITY[named]) >= 2 and likeness(column.head, IDENTITY[named]) > feedback:
        usable = named not in found.identity and column.share(lambda value: KEYS[named].search(value)) >= 0.5
        (found.identity.__setitem__(named, column) if usable else found.left_out.append(column))
    elif likeness(column.head, LEFT_OUT) >= 2 and likeness(column.head, LEFT_OUT) > feedback and column.length < 4 * LONG:
        found.left_out.append(column)
    else:
        return False
    return True


def _author(column: Column, found: Guess) -> None:
    """The one with an id before the one with a name: names change and repeat."""
    by_id = re.search(r"id|编号", plain(column.head)) is not None
    if found.author is None or by_id and not re.search(r"id|编号", plain(found.author.head)):
        found.left_out += [found.author] if found.author else []
        found.author = column
    else:
        found.left_out.append(column)


def _score(name: str, column: Column) -> float | None:
    """Likeness of the head plus up to one for the content; None where either rules the field out."""
    said = likeness(column.head, WORDS[name])
    if said < (2 if name in THREADS else ENOUGH):
        return None
    fits = _fits(name, column)
    depth = 0.2 * len(column.path)
    return None if fits is None else said + fits - depth


def _fits(name: str, column: Column) -> float | None:
    dated, numeric = column.dated >= PARSED, column.numeric
    if name == "source_id":
        good = column.filled > 0.95 and column.distinct >= 0.9 and column.chinese < 0.2 and not column.counts_rows and not (dated and numeric < 0.5)
        return column.distinct if good else None
    if name == "occurred_at":
        return column.dated * column.filled if dated and not _about_else(column) else None
    if name in ("verbatim", "title", "reply", "followup"):
        text = numeric < 0.5 and not dated and column.flags < 0.5 and column.words_of_praise < 0.5 and column.share(lambda v: v.startswith("http")) < 0.5
        few = name != "title" and len(set(column.values)) < 10 <= len(column.values) and column.length < LONG
        if not text or few or name == "title" and column.length > 80:
            return None
        return min(column.length / 40, 1.0) if name == "verbatim" else 0.3
    if name == "rating":
        good = numeric >= PARSED and max(column.numbers) <= 100 and len(set(column.numbers)) <= 101
        return 0.5 if good or column.words_of_praise >= PARSED else None
    if name == "nps":
        return 0.6 if numeric >= 0.6 and max(column.numbers) <= 10 else None
    if name == "csat":
        return 0.5 if numeric >= 0.6 and max(column.numbers) <= 100 or column.words_of_praise >= PARSED else None
    if name == "ces":
        return 0.5 if numeric >= 0.6 and max(column.numbers) <= 10 else None
    if name == "deleted":
        return 0.5 if column.flags >= PARSED else None
    if name in THREADS:
        return 0.2 if column.chinese < 0.2 and column.length <= 64 else None
    return 0.4 if not dated and column.length <= 30 and (name in ("batch", "software_version") or numeric < 0.9) else None


def _about_else(column: Column) -> bool:
    head = plain(column.head)
    return any(word in head for word in NOT_SAID)


def _by_content(found: Guess, rest: list[Column]) -> None:
    """What no head named: the longest Chinese text, a column of unlike ids, the only dates."""
    texts = [c for c in rest if c.chinese >= 0.6 and c.length >= LONG / 2 and (c.distinct > 0.3 or c.length >= LONG)]
    if "verbatim" not in found.fields and texts:
        found.fields["verbatim"] = max(texts, key=lambda c: c.length)
        found.doubts["verbatim"] = "表头没有说明，取了最长的一列中文"
    dates = [c for c in rest if c.dated >= PARSED]
    if "occurred_at" not in found.fields and dates:
        found.fields["occurred_at"] = next((c for c in dates if not _about_else(c)), dates[0])
        found.doubts["occurred_at"] = "表头没有说明是什么时间，取了像日期的一列"
    used = {id(column) for column in found.fields.values()}
    ids = [c for c in rest if id(c) not in used and c.filled == 1 and c.distinct == 1 and len(c.values) >= 20 and c.chinese == 0
           and 3 <= c.length <= 64 and c.dated < PARSED and not c.counts_rows and c.share(lambda v: any(s.isdigit() for s in v)) == 1 and c.share(lambda v: "." in v) < 0.1]
    if "source_id" not in found.fields and ids:
        found.fields["source_id"] = ids[0]
        found.doubts["source_id"] = "表头没有说明，取了各行都不同的一列"


def _keep_apart(found: Guess) -> None:
    """No field from inside an object that holds a name, unless the contract hashes something of it: quarantine would keep the whole object."""
    hashed = {column.raw for column in (*found.identity.values(), found.author) if column}
    named = {column.raw for column in found.left_out if column.path} - hashed
    found.fields = {name: column for name, column in found.fields.items() if not (column.path and column.raw in named)}


def _own_doubts(found: Guess) -> None:
    if "verbatim" not in found.fields:
        found.doubts[""] = "没有认出客户的原话是哪一列；没有原话就没有编码和主题"
    identifier, moment = found.fields.get("source_id"), found.fields.get("occurred_at")
    if identifier and identifier.distinct < 1:
        found.doubts["source_id"] = f"有 {1 - identifier.distinct:.1%} 的编号重复：编号相同的只存第一行"
    if moment and {"%m/%d/%Y", "%d/%m/%Y"} & {form[:8] for form in moment.formats}:
        found.doubts["occurred_at"] = "月和日谁在前，请对照文件核对"
    if moment and moment.dated < 1:
        found.doubts.setdefault("occurred_at", f"有 {1 - moment.dated:.1%} 的值读不成日期，会进隔离区")
    if moment and "excel" in moment.formats:
        found.doubts.setdefault("occurred_at", "有的日期是 Excel 的数字（1900 年起的天数），已按日期读")
    others = [c.head for c in found.unused if c.chinese >= 0.6 and c.length >= 2 * LONG]
    if others and "verbatim" in found.fields:
        found.doubts.setdefault("verbatim", f"另有长文字的列没有用：「{'」「'.join(others[:3])}」")
