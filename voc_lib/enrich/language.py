"""Chinese as people type it, made fit for search, coding and embedding.

One implementation: `clean` runs the column version on a single value, so a word is cleaned the same
way wherever it is met. Cleaning never drops meaning: emoji stay, letters keep their case.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

# Raise by one whenever the output of clean() changes for any text: stored vectors then count as stale.
CLEANING_VERSION = 1

# The averaging encoders stop gaining after a few hundred characters, while cost grows with length.
EMBED_CHARACTERS = 1_000

# Controls, zero-width marks, bidi overrides, byte-order marks: invisible, but they split words.
_INVISIBLE = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u{AD}\u{200B}-\u{200C}\u{200E}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2069}\u{FEFF}\u{FFFD}]+"
# Runs of the same mark say the same thing once; Rust regex has no back-references, hence one rule per mark.
_RUNS = ((r"!{2,}", "!"), (r"\?{2,}", "?"), (r"[。.]{2,}", "。"), (r",{2,}", ","), (r"~{2,}", "~"), (r"[-—_=*#]{3,}", "-"))
_REPEATED = r"[!?,~]{2}|[。.]{2}|[-—_=*#]{3}"

# Words with which a new statement starts. 而 also covers 而且 and 反而.
BREAK_WORDS = ("但是", "不过", "可是", "虽然", "然而", "而", "但")
_BREAKS = "(" + "|".join(BREAK_WORDS) + ")"
_QUE = r"([^冷忘退])却"  # 却 as well, but not the one in 冷却液
_MARK = "\x01"
# A space between Chinese characters separates two complaints in a title; beside Latin it is only a space.
_SPACED = r"(\p{Han}) (\p{Han}|\d)"
# Some people use no punctuation at all; a cut keeps the work per clause bounded (a 20,000-character post is one clause).
CLAUSE_CHARACTERS = 100
_SIGNS = r",;:!?。、~…()\[\]{}<>《》「」【】\n"
_PIECES = rf"[^{_MARK}{_SIGNS}]{{1,{CLAUSE_CHARACTERS}}}|[{_SIGNS}]+"
_IS_SIGNS = f"^[{_SIGNS}]"

# Emoji that say how somebody feels, as the word a writer without emoji would use; shapes and things stay as they are.
_FEELINGS = {
    "赞": "👍👏💯✌🤝", "喜欢": "❤♥💕💖💗💓💞🥰😍😘💙💚💛🧡💜", "开心": "😀😃😄😁😊🙂☺😆🤗🥳🎉😋😎🤩🌹", "愤怒": "😡😠🤬👿💢", "差评": "👎💩🖕",
    "难过": "😢😭😞😔☹🙁😟😣😖😫😩🥺💔", "无语": "😒🙄😑😓🤦😤🤷", "恶心": "🤮🤢", "吃惊": "😱😨😰",
}  # fmt: skip
EMOJI_WORDS = {emoji: word for word, group in _FEELINGS.items() for emoji in group}
_EMOJI_RUN = "[\ufe0f\u200d\u2640\u2642\U0001f3fb-\U0001f3ff]*"  # variation, joiner, gender and skin tone belong to the emoji before them
_FEELING = f"[{''.join(EMOJI_WORDS)}]"
# A run of one emoji. A class and a look back are found twenty times faster than alternatives.
_EMOJI = re.compile(f"({_FEELING}){_EMOJI_RUN}(?:\\1{_EMOJI_RUN})*")
_PARTING = "\n0"  # between texts read in one pass
_STRETCHED = re.compile(r"(\D)\1{2,}")  # not digits: 10000 is not 100
WORD_FREQUENCY = 1_000  # enough for a domain word of four characters never to be cut
_WORDLIKE = re.compile(r"\w")


def clean(text: str | None) -> str:
    """One text, cleaned: NFKC, simplified characters, no invisible marks, one space, one mark.

    None becomes "". Lone surrogates, which no UTF-8 store can hold, are dropped. Length is not limited.

    >>> clean("方向盤抖動！！！  ５０公里")
    '方向盘抖动! 50公里'
    >>> clean(None), clean("a\\x00b\\ud800")
    ('', 'ab')
    """
    if not text:
        return ""
    if not isinstance(text, str):
        raise TypeError(f"要清洗的应是文本，得到的是 {type(text).__name__}")
    return clean_texts([text])[0]


def clean_texts(texts: list[str | None]) -> list[str]:
    """`clean` of many texts at once, which is much faster; the door for strings that may hold lone surrogates."""
    sound = [text.encode("utf-8", "ignore").decode("utf-8") if text else "" for text in texts]
    return clean_column(pl.Series(sound, dtype=pl.String)).to_list()


def clean_column(texts: pl.Series) -> pl.Series:
    """A String column, cleaned as by `clean`: same length and order, nulls become ""."""
    name = texts.name or "text"
    column = pl.col(name)
    frame = texts.cast(pl.String).alias(name).to_frame().lazy()
    frame = frame.with_columns(column.fill_null("").str.normalize("NFKC").str.replace_all(_INVISIBLE, ""))
    frame = frame.with_columns(column.str.replace_all(r"[\s\u{2028}\u{2029}]+", " ").str.strip_chars())
    squeezed = column
    for pattern, mark in _RUNS:
        squeezed = squeezed.str.replace_all(pattern, mark)
    frame = frame.with_columns(pl.when(column.str.contains(_REPEATED)).then(squeezed).otherwise(column).alias(name))
    return _simplified(frame.collect()[name])


def telling_texts(texts: list[str | None]) -> list[str]:
    """Texts as classifiers and the search for repeats read them: cleaned, lower case, a character at most twice in a row,
    and an emoji that carries feeling as the word it stands for (`EMOJI_WORDS`); any other emoji stays.

    What is stored and shown is `clean`; this is one step further and loses the strength of a 好好好好好, not its sense.

    >>> telling_texts(["太太太太好用了👍👍👍", "闪退！！！！😡"])
    ['太太好用了赞', '闪退!愤怒']
    """
    cleaned = clean_texts(texts)
    if not cleaned:
        return []
    # One pass over all of them joined: a pass per text costs more than what it finds. Cleaned text has no line break, and
    # the digit keeps the marks between empty texts from being one character many times.
    is_felt = pl.Series(cleaned).str.contains(_FEELING)
    told = _PARTING.join([_EMOJI.sub(_feeling, text) if hit else text for text, hit in zip(cleaned, is_felt, strict=True)])
    return _STRETCHED.sub(r"\1\1", told.lower()).split(_PARTING)


def tokens(texts: list[str | None], words: tuple[str, ...] = (), stopwords: frozenset[str] | tuple[str, ...] = ()) -> list[list[str]]:
    """Words of each text as rjieba cuts it, with a domain's `words` kept whole and `stopwords`, blanks and signs left out.

    >>> tokens(["方向盘抖动，烧机油"], ("烧机油",))
    [['方向盘', '抖动', '烧机油']]
    """
    cutter, stop = segmenter(tuple(words)), frozenset(stopwords)
    return [[word for word in cutter.cut(text) if word not in stop and _WORDLIKE.search(word)] for text in telling_texts(texts)]


@cache
def segmenter(words: tuple[str, ...] = ()):
    """rjieba with a domain's words kept whole."""
    import rjieba

    cutter = rjieba.Jieba()
    for word in words:
        cutter.add_word(word.lower(), WORD_FREQUENCY, None)
    return cutter


def _feeling(found: re.Match) -> str:
    return EMOJI_WORDS[found[0][0]]


def clauses(text: str | None) -> list[str]:
    """The statements of one text: cut at punctuation, at words of contrast (`BREAK_WORDS`)
    and, where there is neither, after `CLAUSE_CHARACTERS`.

    >>> clauses("外观好看,但是油耗高;空间不错")
    ['外观好看', '但是油耗高', '空间不错']
    """
    frame = clause_rows(pl.DataFrame({"row": [0], "text": [clean(text)]}, schema={"row": pl.UInt32, "text": pl.String}))
    return frame["clause"].str.strip_chars().to_list()


def clause_rows(texts: pl.DataFrame) -> pl.DataFrame:
    """Clauses of many cleaned texts: one row per clause, with its place in characters of the text.

    Takes `row, text`; gives `row, clause, clause_start`, in order. Blank clauses are left out.
    """
    # The boundary word stays with its clause, so an inserted mark is the only change and is not counted.
    marked = pl.col("text").str.replace_all(_BREAKS, _MARK + "${1}")
    marked = marked.str.replace_all(_QUE, "${1}" + _MARK + "却")
    marked = marked.str.replace_all(_SPACED, "${1}" + _MARK + " ${2}")
    pieces = texts.select("row", marked.str.extract_all(_PIECES).alias("clause")).explode("clause", empty_as_null=False, keep_nulls=False)
    length = pl.col("clause").str.len_chars().cast(pl.Int64)
    placed = pieces.with_columns((length.cum_sum().over("row") - length).alias("clause_start"))
    return placed.filter(~pl.col("clause").str.contains(_IS_SIGNS) & (pl.col("clause") != " "))


@cache
def _converter():
    """OpenCC traditional to simplified, and a pattern of the characters it would change."""
    import opencc

    converter = opencc.OpenCC("t2s")
    ideographs = [chr(point) for point in range(0x4E00, 0xA000)]
    simplified = converter.convert("\n".join(ideographs)).split("\n")
    changed = "".join(old for old, new in zip(ideographs, simplified, strict=True) if old != new)
    return converter.convert, f"[{changed}]"


def _simplified(texts: pl.Series) -> pl.Series:
    convert, traditional = _converter()
    hit = texts.str.contains(traditional)
    if not hit.any():
        return texts
    # Converting only the rows that need it keeps ordinary columns at Polars speed.
    converted = iter([convert(text) for text in texts.filter(hit)])
    values = [next(converted) if is_hit else text for text, is_hit in zip(texts, hit, strict=True)]
    return pl.Series(texts.name, values, dtype=pl.String)
