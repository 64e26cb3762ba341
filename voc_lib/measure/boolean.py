"""The small language of a search: words, "短语", AND, OR, NOT and parentheses, turned into an SQL condition.

A word of Chinese fits wherever its characters stand side by side: 空调 is found in 车载空调器. It need not be a word of the segmentation,
which would lose a third of what was said about 刹车 (急刹车, 刹车片). Latin letters and digits are whole words: `app` is not in
`apple`, nor `10` in `100`. Words beside one another must all be there (AND); NOT binds closest, then AND, then OR.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import polars as pl

from voc_lib.engine import quote
from voc_lib.measure.held import searchable
from voc_lib.messages import Told

MOST_PIECES = 200  # words, operators and parentheses of one query: more is a list to be joined, not a question, and nesting has an end
OPERATORS = {"and": "AND", "与": "AND", "&": "AND", "or": "OR", "或": "OR", "|": "OR", "not": "NOT", "非": "NOT"}
QUOTES = {'"': '"', "“": "”", "＂": "＂", "「": "」"}
OPEN, CLOSE = "(（", ")）"
_ENDS = re.escape("".join({*QUOTES, *QUOTES.values()}) + OPEN + CLOSE)
_PIECE = re.compile(rf"[^\s{_ENDS}]+")
_LATIN = "[a-z0-9]"
EXAMPLE = '例如：异响 AND (空调 OR "出风口") NOT 车机'


class QueryError(Told, ValueError):
    """A search is not written so that it can be read in one way."""


class Piece(NamedTuple):
    """A word, an operator or a parenthesis, and the character (from 1) at which it stands."""

    kind: str  # word, AND, OR, NOT, ( or )
    text: str
    place: int


def condition(query: str, text: str = "text") -> str:
    """The SQL condition that a query puts on a column of searchable text.

    >>> condition("异响 NOT 车机")
    "(contains(text, '异响') AND NOT contains(text, '车机'))"

    Raises QueryError, in Chinese, with the place of the first mistake and what to write instead.
    """
    pieces = _pieces(query)
    if not pieces:
        raise QueryError(f"没有写要找的词。{EXAMPLE}。")
    if len(pieces) > MOST_PIECES:
        raise QueryError(f"检索式里有 {len(pieces)} 个词和符号，最多 {MOST_PIECES} 个。请拆成几次检索。")
    return _Reader(pieces, query, text).whole()


def _pieces(query: str) -> list[Piece]:
    found, at = [], 0
    while at < len(query):
        sign = query[at]
        if sign in QUOTES:
            end = query.find(QUOTES[sign], at + 1)
            if end < 0:
                raise QueryError(_at(query, at + 1, f"这里的引号 {sign} 没有合上", f"在短语后面补上 {QUOTES[sign]}"))
            found.append(Piece("word", query[at + 1 : end], at + 1))
            at = end + 1
        elif sign in OPEN or sign in CLOSE:
            found.append(Piece("(" if sign in OPEN else ")", sign, at + 1))
            at += 1
        elif word := _PIECE.match(query, at):
            found.append(Piece(OPERATORS.get(word[0].lower(), "word"), word[0], at + 1))
            at = word.end()
        elif sign.isspace():
            at += 1
        else:
            raise QueryError(_at(query, at + 1, f"多了一个引号 {sign}", "删去它，或在短语前面补上另一半"))
    return found


class _Reader:
    """Reads pieces from left to right: OR of AND of NOT of words and parentheses."""

    def __init__(self, pieces: list[Piece], query: str, text: str) -> None:
        self.pieces, self.query, self.text, self.next = pieces, query, text, 0

    def whole(self) -> str:
        read = self._any()
        if self._kind():  # only a parenthesis can stop the reading
            raise self._wrong("多了一个右括号", "删去它，或在前面补上左括号")
        return read

    def _any(self) -> str:
        parts = [self._all()]
        while self._kind() == "OR":
            self.next += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"

    def _all(self) -> str:
        parts = [self._one()]
        while self._kind() not in (None, "OR", ")"):
            self.next += self._kind() == "AND"
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"

    def _one(self) -> str:
        kind = self._kind()
        if kind == "NOT":
            self.next += 1
            return f"NOT {self._one()}"
        if kind == "(":
            opened = self.next
            self.next += 1
            inside = self._any()
            if self._kind() != ")":
                self.next = opened
                raise self._wrong("这里的左括号没有合上", "在后面补上右括号")
            self.next += 1
            return inside
        if kind == "word":
            self.next += 1
            return self._contains(self.pieces[self.next - 1])
        raise self._missing()

    def _contains(self, piece: Piece) -> str:
        word = searchable(pl.Series([piece.text])).item()
        if not word:
            raise QueryError(_at(self.query, piece.place, "引号里没有字", "写上要找的短语，或删去这对引号"))
        there = f"contains({self.text}, {quote(word)})"
        before, after = ("(^|[^a-z0-9])" if re.match(_LATIN, word) else ""), ("([^a-z0-9]|$)" if re.search(f"{_LATIN}$", word) else "")
        if not before and not after:
            return there
        # The plain search first: it is some ten times faster, and few texts are left for the pattern.
        return f"({there} AND regexp_matches({self.text}, {quote(before + re.escape(word) + after)}))"

    def _kind(self) -> str | None:
        return self.pieces[self.next].kind if self.next < len(self.pieces) else None

    def _missing(self) -> QueryError:
        """A word was wanted: what stands there instead, or what stands before the end."""
        before = self.pieces[self.next - 1] if self.next else None
        if before is not None and before.kind in ("AND", "OR", "NOT"):
            self.next -= 1
            return self._wrong(f"「{before.text}」后面缺少要找的词", f"补上一个词，或删去「{before.text}」；要找这个词本身时，给它加引号")
        if before is not None and before.kind == "(":
            self.next -= 1
            return self._wrong("括号里没有词" if self._after() == ")" else "左括号后面缺少要找的词", "写上要找的词，或删去括号")
        if self._kind() == ")":
            return self._wrong("多了一个右括号", "删去它，或在前面补上左括号")
        said = self.pieces[self.next].text
        return self._wrong(f"「{said}」前面缺少要找的词", f"补上一个词，或删去「{said}」；要找这个词本身时，给它加引号")

    def _after(self) -> str | None:
        return self.pieces[self.next + 1].kind if self.next + 1 < len(self.pieces) else None

    def _wrong(self, what: str, remedy: str) -> QueryError:
        return QueryError(_at(self.query, self.pieces[self.next].place, what, remedy))


def _at(query: str, place: int, what: str, remedy: str) -> str:
    return f"检索式「{query}」第 {place} 个字符处：{what}。请{remedy}。{EXAMPLE}。"
