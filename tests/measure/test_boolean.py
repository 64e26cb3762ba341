"""The language of a search: what each query finds among six texts, and what is said of a query that cannot be read."""

from __future__ import annotations

import duckdb
import pytest

from voc_lib.measure.boolean import MOST_PIECES, QueryError, condition

TEXTS = {"a": "空调有异响", "b": "车机异响", "c": "空调不制冷,app闪退", "d": "apple 空 调", "e": "续航100公里", "f": "a7的车机"}


def found(query: str) -> str:
    listed = ", ".join(f"('{name}', '{text}')" for name, text in TEXTS.items())
    rows = duckdb.sql(f"SELECT name FROM (VALUES {listed}) AS said(name, text) WHERE {condition(query)} ORDER BY name").pl()
    return "".join(rows["name"])


@pytest.mark.parametrize(("query", "names"), [
    ("异响", "ab"), ("异响 空调", "a"), ("异响 AND 空调", "a"), ("异响 NOT 车机", "a"), ("异响 AND NOT 空调", "b"), ("NOT 异响", "cdef"), ("NOT NOT 异响", "ab"),
    # AND binds closer than OR, NOT closer than AND
    ("异响 空调 OR 闪退", "ac"), ("闪退 OR 异响 空调", "ac"), ("异响 AND (空调 OR 车机)", "ab"), ("NOT (异响 OR 空调)", "def"), ("异响 (空调 OR 闪退) NOT 车机", "a"),
    # any width, any case, traditional characters
    ("異響 and not 空調", "b"), ("（异响 Or 闪退）NOT 车机", "ac"), ("异响 与 空调", "a"), ("闪退 或 续航", "ce"), ("异响 非 空调", "b"), ("ＡＰＰ", "c"),
    # Latin letters and digits are whole words, Chinese is not
    ("app", "c"), ("APP闪退", "c"), ("appl", ""), ("apple", "d"), ("100", "e"), ("10", ""), ("a7", "f"), ("a", ""), ("冷", "c"),
    # phrases: as they stand, operators and spaces among them
    ('"空 调"', "d"), ("“空调有”", "a"), ("「制冷」", "c"), ('"apple 空" OR 续航', "de"), ('"or"', ""), ("a.*", ""), ("'", "")])
def test_what_a_query_finds(query, names):
    assert found(query) == names


@pytest.mark.parametrize(("query", "place", "said"), [
    ("异响 AND", 4, "「AND」后面缺少要找的词"), ("OR 异响", 1, "「OR」前面缺少要找的词"), ("异响 OR AND 空调", 4, "「OR」后面缺少要找的词"), ("异响 非", 4, "「非」后面缺少"),
    ("异响 (空调", 4, "左括号没有合上"), ("异响）空调", 3, "多了一个右括号"), ("异响 ()", 4, "括号里没有词"), ("( OR 异响)", 1, "左括号后面缺少要找的词"), ("(异响 OR)", 5, "「OR」后面缺少"),
    ('异响 "空调', 4, "引号 \" 没有合上。请在短语后面补上"), ("异响” 空调", 3, "多了一个引号"), ('异响 ""', 4, "引号里没有字")])
def test_what_cannot_be_read_is_said_with_its_place(query, place, said):
    with pytest.raises(QueryError) as error:
        condition(query)
    assert f"检索式「{query}」第 {place} 个字符处：" in str(error.value) and said in str(error.value) and "例如：异响 AND" in str(error.value)


def test_no_words_and_too_many_are_said():
    with pytest.raises(QueryError, match="没有写要找的词"):
        condition("  ")
    assert condition(" ".join(["异"] * MOST_PIECES)).count("contains") == MOST_PIECES
    with pytest.raises(QueryError, match=f"{MOST_PIECES + 1:,} 个词和符号，最多"):
        condition("(" * MOST_PIECES + "异")
