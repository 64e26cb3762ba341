"""Negation around a word: 没有异响, 不抖了, 异响没有了. Rules for Rust regex, which has no look-around.

A word is negated when a negator stands directly before it, with nothing but fillers between (没有 任何 明显的 异响),
or when it is said to be gone directly after it. Two negators cancel out (不是没有异响). The choice questions
有没有异响 and 抖不抖 come out as negated: asking is not reporting. Other questions and wishes (会烧机油吗, 希望降价)
are not handled: they count as mentions.
"""

from __future__ import annotations

import polars as pl

NEGATORS = (
    "没有", "并没有", "从没有", "没", "从没", "并没", "还没", "未", "从未", "并未", "尚未", "毫无", "绝无", "全无", "并无", "无",
    "不是", "并不是", "不会", "从不", "并不", "不", "别说", "谈不上", "说不上", "不存在", "避免", "杜绝", "告别", "远离", "免除",
)  # fmt: skip

# What may stand between the negator and the word. 无 + 法 is no negation: 无法启动 is a fault, and so is 无故熄火.
FILLERS = (
    "任何", "什么", "啥", "一点", "一丝", "半点", "丝毫", "明显", "出现", "发现", "发生", "感觉", "感到", "觉得", "听到", "见到", "看到", "闻到",
    "遇到", "有", "过", "再", "怎么", "太", "那么", "这么", "特别", "很", "算", "到", "的", "了", "多少", "所谓", "因为", "真的", "会", "啊",
)  # fmt: skip

# 问题 and the like may stand between the word and its end: 异响问题已经解决了.
_TOPIC = ("的", "问题", "现象", "毛病", "故障", "情况", "都", "也", "已经", "已", "全部", "全", "基本", "完全", "终于", "彻底", "就", "给")
_GONE = (
    "没有了", "没了", "消失", "不见了", "不存在", "没有出现", "没出现", "没再出现", "没有再出现",
    "解决了", "修好了", "处理好了", "修复了", "消除了", "治好了", "搞定了", "不明显",
)  # fmt: skip


def _any(words: tuple[str, ...]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_BEFORE = f"{_any(NEGATORS)}{_any(FILLERS)}*$"
# A negator counts twice only when another full one precedes it; 没有 is one, not 没 and 有.
_TWICE = f"(?:不是|并非|不能|不会|不可能|没有){_any(FILLERS)}*(?:没有|没|不|无){_any(FILLERS)}*$"
_AFTER = f"^{_any(_TOPIC)}*{_any(_GONE)}"
_WINDOW = 12  # characters looked at on either side


def is_denied(before: pl.Expr) -> pl.Expr:
    """Whether the text before a word (same clause) denies it."""
    near = before.str.tail(_WINDOW)
    return near.str.contains(_BEFORE) & ~near.str.contains(_TWICE)


def is_choice(word: pl.Expr, before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether a word only asks: both 烧 in 烧不烧机油, the 不足 in 动力足不足."""
    asked_after = word.str.starts_with("不") & (word.str.len_chars() > 1) & before.str.ends_with(word.str.slice(1))
    return asked_after | after.str.starts_with(pl.concat_str(pl.lit("不"), word))


def is_gone(after: pl.Expr) -> pl.Expr:
    """Whether the text after a word (same clause) says that it is over."""
    return after.str.head(_WINDOW).str.contains(_AFTER)
