"""Sentences written by functions: the only way a number gets into the prose of a page.

Each returns a `Sentence`. Counts change in people and 环比, shares in 百分点; what may be chance is called
在误差范围内; what looks like an alarm is called 疑似, because a list of customers' words proves nothing yet.
"""

from __future__ import annotations

import polars as pl

from voc_lib.report import theme
from voc_lib.report.blocks import Sentence
from voc_lib.report.words import change_tone, channel_title, code_name, finding, metric_words, period_before

# Below this a percentage change of a count says more about the small base than about the change.
SMALLEST_FOR_RATIO = 20


def _strong(text: str, tone: str = "strong") -> tuple[str, str]:
    return text, tone


def say_change(comparison: pl.DataFrame, name: str = "", before: str = "上周") -> Sentence:
    """One row of `compare` in words, e.g. 「低分占比 23.5%，比上周高 3.1 个百分点（95% 区间 1.0～5.2）。」"""
    if comparison.height != 1:
        raise ValueError(f"这句话要一行比较结果，这里有 {comparison.height} 行。请先筛选到一行。")
    row = comparison.row(0, named=True)
    words = metric_words(row["metric"])
    label = name or words.label
    why = row["note"] or theme.SUPPRESSED
    if not theme.is_number(row["estimate"]):
        return Sentence(f"{label}：人数{theme.SUPPRESSED}，不单列。" if theme.SUPPRESSED in why else f"{label}：{why}。")
    now = f"{label} {theme.number_text(row['estimate'], words.unit)}{' ' + words.word if words.word else ''}"
    if not theme.is_number(row["baseline"]):
        return Sentence(_strong(now), f"，{before}没有可比的数字。")
    if not theme.is_number(row["difference"]):
        return Sentence(_strong(now), f"；与{before}不比较：{row['note']}。")
    if row["verdict"] == "within_error":
        return Sentence(_strong(now), f"，与{before}持平（在误差范围内）。")
    size = _size(row, words.unit, words.word)
    if row["verdict"] == "too_small":
        return Sentence(_strong(now), f"，比{before}{size}，差别太小，不足为据。")
    return Sentence(_strong(now), f"，比{before}", _strong(size, change_tone(row["metric"], row["verdict"])), _interval(row, words.unit), "。")


def _size(row: dict, unit: str, word: str) -> str:
    difference = row["difference"]
    if unit == "share":
        return f"{'高' if difference > 0 else '低'} {theme.points_text(difference)}"
    if unit == "points":
        return f"{'高' if difference > 0 else '低'} {theme.score_text(abs(difference))} 分"
    return f"{'多' if difference > 0 else '少'} {theme.count_text(abs(difference))} {word or '条'}{_ratio(row)}"


def _ratio(row: dict, word: str = "环比") -> str:
    """环比 or 同比, where the base carries a percentage; a rise to three times and more is told in 倍."""
    if row["baseline"] < SMALLEST_FOR_RATIO:
        return ""
    ratio = row["estimate"] / row["baseline"]
    if ratio >= 3:
        return f"（为其 {times_text(ratio)} 倍）"
    return f"（{word} {'+' if ratio >= 1 else '−'}{abs(ratio - 1):.0%}）"


def times_text(ratio: float) -> str:
    """How many times as many: one decimal, none from a hundred.

    >>> times_text(5.43), times_text(123.4), times_text(12_340)
    ('5.4', '123', '1.2万')
    """
    return theme.count_text(ratio) if ratio >= 99.95 else f"{ratio:.1f}"


def _interval(row: dict, unit: str) -> str:
    """The 95 % interval of a difference, from its smaller to its larger size; counts tell theirs in the band."""
    low, high = row.get("conf_low"), row.get("conf_high")
    if unit != "share" or not theme.is_number(low) or not theme.is_number(high):
        return ""
    small, large = (low, high) if row["difference"] > 0 else (-high, -low)
    return f"（95% 区间 {small * 100:.1f}～{large * 100:.1f}）".replace("-", "−")


def say_year(comparison: pl.DataFrame, label: str | None) -> Sentence:
    """One row of `compare` against the same week a year earlier (`match_year`), in words: people, and 同比 where the base carries it."""
    if label is None or comparison.height != 1:
        return Sentence("没有去年同一周的数据，不作同比。")
    row = comparison.row(0, named=True)
    if not theme.is_number(row["estimate"]) or not theme.is_number(row["baseline"]):
        return Sentence("没有去年同一周的数据，不作同比。")
    then = f"去年同一周（{label[:4]}年{theme.week_short(label)}）{theme.people_text(row['baseline'])}，按两年都有的渠道，今年 {theme.people_text(row['estimate'])}"
    if not theme.is_number(row["difference"]):
        return Sentence(then, f"；不作同比：{row['note']}。")
    if row["verdict"] == "within_error":
        return Sentence(then, "，同比在误差范围内。")
    said = (f"，{'多' if row['difference'] > 0 else '少'} {theme.count_text(abs(row['difference']))} 人{_ratio(row, '同比')}", change_tone(row["metric"], row["verdict"]))
    return Sentence(then, said, "，差别太小，不足为据。" if row["verdict"] == "too_small" else "。")


def say_mover(row: dict, before: str = "上周") -> Sentence:
    """One row of `movers` in words: people, the period before, the normal band, and whether it may be chance."""
    people, past, low, high = row["people"], row["people_baseline"], row.get("band_low"), row.get("band_high")
    if row["verdict"] == "suppressed" or not theme.is_number(people):
        return Sentence("两期都不足10人，不比较。")
    band = theme.is_number(low) and theme.is_number(high)
    normal = f"正常波动 {theme.count_text(low)}～{theme.count_text(high)} 人" if band else "没有正常波动可比"
    told = theme.is_number(row.get("share")) and people >= theme.FEWEST
    share = f"占发声者 {theme.share_text(row['share'])}，" if told else ""
    chance = {"rise": f"与{before}相比上升", "fall": f"与{before}相比下降", "too_small": f"与{before}相比变化太小，不足为据"}
    compared = chance.get(row["verdict"], f"与{before}相比在误差范围内") if past else f"{before}无人提到"
    if row.get("unusual"):    # the calm weeks of the year tell more than one week against one week
        side = "高于" if row["unusual"] == "above" else "低于"
        tone = change_tone("code_share", row["unusual"], row["code"])
        return Sentence(share, _strong("疑似异常", tone), f"：{side}{normal}；{compared}。")
    if row["verdict"] in ("rise", "fall"):
        where = normal if not band else f"低于{normal}" if people < low else f"高于{normal}" if people > high else f"仍在{normal}之内"
        return Sentence(share, "" if past else f"{before}无人提到，", where, "。")
    return Sentence(share, compared, f"；{normal}。")


def say_movers(movers: pl.DataFrame, before: str = "上周") -> Sentence:
    """The page's lead on what changed most; says so when nothing did."""
    if movers.is_empty():
        return Sentence("本期没有可以比较的问题。")
    moved = [row for row in movers.iter_rows(named=True) if finding(row) in ("rise", "fall", "above", "below")]
    if not moved:
        return Sentence("没有一个问题的变化超出误差范围。")
    first = moved[0]
    before = period_before(first, before)
    past = theme.past_text(before, first["people_baseline"]) if first["people_baseline"] else f"{before}无人提到"
    usual = f"，正常 {theme.count_text(first['band_low'])}～{theme.count_text(first['band_high'])} 人，疑似异常" if first.get("unusual") else ""
    return Sentence(
        "变化最大的是", _strong(code_name(first["code"]), change_tone("code_share", finding(first), first["code"])),
        f"，{theme.people_text(first['people'])}提到，{past}{usual}", f"；另有 {theme.count_text(len(moved) - 1)} 项超出误差或常态。" if moved[1:] else "。")


def say_coverage(feedback: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """What the page rests on: feedback, people, channels, how much has no author and how much is linked."""
    if feedback.is_empty():
        return Sentence("本期没有反馈。")
    unnamed = feedback.select((pl.col("author_key").is_null() & pl.col("customer_id").is_null()).mean()).item()
    linked = feedback.select(pl.col("customer_id").is_not_null().mean()).item()
    names = "、".join(channel_title(name, titles) for name in sorted(feedback["channel"].unique()))
    return Sentence(
        "依据 ", _strong(f"{theme.count_text(feedback.height)} 条"), f"反馈、{theme.count_text(feedback['person'].n_unique())} 人，来自{names}。",
        f"其中 {theme.share_text(unnamed)} 没有作者标识，按条计人。" if unnamed else "",
        f"{theme.share_text(linked)} 可关联到客户。" if linked else "没有一条能关联到客户。")


def say_undated(undated: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """Feedback without a date (one row per channel with `n`, as `undated` gives): it enters no weekly figure."""
    total = undated["n"].sum() if undated.height else 0
    if not total:
        return Sentence("所有反馈都有日期。")
    names = "、".join(channel_title(name, titles) for name in undated.filter(pl.col("n") > 0)["channel"].sort())
    return Sentence("另有 ", _strong(f"{theme.count_text(total)} 条"), f"反馈没有日期（{names}），只用来发现主题，不进入任何一周的数字。")


def say_silence(feedback: pl.DataFrame) -> Sentence:
    """Who is not represented: those who did not speak, and why nothing here is a share of all customers."""
    if feedback.is_empty():
        return Sentence("本期没有听到任何人，不等于没有问题。")
    unsolicited = feedback.select((~pl.col("solicited").fill_null(False)).mean()).item()
    linked = feedback.select(pl.col("customer_id").is_not_null().any()).item()
    correction = "只有可关联的部分才谈得上折算到全体。" if linked else "没有一条能关联到客户名册，因此无法校正（no weighting）。"
    return Sentence(
        "没有开口的客户不在这些数字里。", f"{theme.share_text(unsolicited)} 的反馈是主动发声，",
        "有问题的人更愿意说：这里的比例是发声者中的比例，不是客户中的比例。", correction)
