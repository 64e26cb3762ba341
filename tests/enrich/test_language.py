"""Cleaning: what must survive, what must go, and that both doors give the same."""

import hashlib

import polars as pl
import pytest

from voc_lib.enrich import language
from voc_lib.enrich.language import clauses, clean, clean_column, clause_rows

PROBES = [
    "", "  ", "方向盤抖動！！！", "ＡＢＣ　１２３", "a\x00b\x07c", "好\u200b用\ufeff", "\u202eabc", "第一行\r\n\r\n第二行\t完",
    "👍👍🏻👨‍👩‍👧", "好。。。。真的.....", "？？？", "～～~", "------分割------", "℃㎞①", "著名的乾隆", "這車髮動機後來漏油，但是4S店沒處理",
]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, ""),
        ("", ""),
        ("方向盤抖動！！！  ５０公里", "方向盘抖动! 50公里"),
        ("a\x00b\x1fc", "abc"),
        ("坏\ud800了\udfff", "坏了"),
        ("好\u200b用\u2060啊\ufeff", "好用啊"),
        ("\u202e反着写", "反着写"),
        ("一行\n\n二行\u2028三行\u3000完", "一行 二行 三行 完"),
        ("真好👍👍", "真好👍👍"),
        ("等等。。。。。", "等等。"),
        ("啊…………", "啊。"),
        ("這台車的發動機漏油", "这台车的发动机漏油"),
        ("著名品牌", "著名品牌"),
        ("iPhone XR", "iPhone XR"),
    ],
)
def test_clean(raw, expected):
    assert clean(raw) == expected


def test_cleaning_again_changes_nothing():
    assert [clean(clean(probe)) for probe in PROBES] == [clean(probe) for probe in PROBES]


def test_column_and_single_agree_and_keep_length_and_order():
    column = clean_column(pl.Series("verbatim", [*PROBES, None]))
    assert column.name == "verbatim"
    assert column.to_list() == [*(clean(probe) for probe in PROBES), ""]
    assert clean_column(pl.Series("x", [], dtype=pl.String)).to_list() == []
    assert clean_column(pl.Series([None, None])).to_list() == ["", ""]


def test_long_posts_are_not_cut_by_cleaning():
    assert len(clean("好" * 20_000)) == 20_000


def test_only_text_is_cleaned():
    with pytest.raises(TypeError, match="应是文本"):
        clean(12)


def test_version_is_raised_when_the_output_changes():
    """If this fails, raise CLEANING_VERSION (stored vectors are stale) and write the new digest here."""
    digest = hashlib.sha256("\n".join(clean(probe) for probe in PROBES).encode()).hexdigest()[:16]
    assert (language.CLEANING_VERSION, digest) == (1, "ab3af77a9268f829")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("外观好看,但是油耗高;空间不错", ["外观好看", "但是油耗高", "空间不错"]),
        ("发动机烧机油 空调不制冷", ["发动机烧机油", "空调不制冷"]),
        ("连 wifi 不上", ["连 wifi 不上"]),
        ("冷却液少了却没人管", ["冷却液少了", "却没人管"]),
        ("动力不足而油耗高", ["动力不足", "而油耗高"]),
        ("吹风“哒哒”响", ["吹风“哒哒”响"]),
        ("！！！", []),
        (None, []),
    ],
)
def test_clauses(text, expected):
    assert clauses(text) == expected


def test_clauses_know_their_place():
    texts = pl.DataFrame({"row": [0, 1], "text": ["好看。但是贵,却 耐用 而且省", "a,b"]}, schema={"row": pl.UInt32, "text": pl.String})
    placed = clause_rows(texts).join(texts, on="row")
    cut = placed.with_columns(pl.col("text").str.slice(pl.col("clause_start"), pl.col("clause").str.len_chars()))
    assert cut["text"].to_list() == placed["clause"].to_list()
    assert placed["clause"].str.strip_chars().to_list() == ["好看", "但是贵", "却", "耐用", "而且省", "a", "b"]


def test_emoji_that_carry_feeling_become_words_and_others_stay():
    told = language.telling_texts(["太太太太好用了👍👍🏻", "闪退！！！！😡", "🚗跑了10000公里", None, ""])
    assert told == ["太太好用了赞", "闪退!愤怒", "🚗跑了10000公里", "", ""]


def test_tokens_keep_domain_words_and_drop_stopwords_and_signs():
    assert language.tokens(["方向盘抖动，烧机油"], ("烧机油",)) == [["方向盘", "抖动", "烧机油"]]
    assert language.tokens(["我的车，烧机油！"], ("烧机油",), ("我", "的")) == [["车", "烧机油"]]
    assert language.tokens(["", None]) == [[], []]


def test_texts_read_in_one_pass_stay_apart():
    texts = ["", "", "", None, "啊啊", "啊啊", "😡", "😡", "000", "000", "a\n0b", ""]
    assert language.telling_texts(texts) == [told for text in texts for told in language.telling_texts([text])]
    assert language.telling_texts([]) == []
