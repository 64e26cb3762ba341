"""What the silent could change, in words: the range of a figure, the odds that overturn it, the mean the silent would need, whether a change holds, and the least that is known
of a problem.

优势（odds）is how likely to speak against how likely not to; 偏离平均 x 倍 is against the average of customers alike in all that was weighted on.
"""

from __future__ import annotations

import polars as pl

from voc_lib.measure.weighting.sensitivity import HEADLINE
from voc_lib.report import theme
from voc_lib.report.bases import BASES, rate_text
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import fact_title, plain_facts

SLIGHT = 1.005  # odds that would be printed as 1
MOST = 1e9      # a factor beyond is not told apart from it
UNLIKE = "不满意者"


def say_sensitivity(found: pl.DataFrame, label: str, unit: str = "points", odds: float = HEADLINE) -> Sentence:
    """`sensitivity` of one group at one of its odds: the range of all customers' figure, then with sampling error. `unit` is share or points."""
    rows = found.filter((pl.col("odds") - odds).abs() < 1e-9)
    if rows.is_empty():
        return Sentence(f"{label}：没有按 {times_text(odds)} 倍算过沉默的影响。")
    row = rows.row(0, named=True)
    if row["n"] < theme.FEWEST:
        return Sentence(f"{label}：人数{theme.SUPPRESSED}，不说沉默的影响。")
    if not theme.is_number(row["low"]) or not theme.is_number(row["high"]):
        return Sentence(f"{label}：没有可用的回答，算不出沉默的影响。")
    error = f"（连同抽样误差 {_between(row['conf_low'], row['conf_high'], unit)}）" if _known(row, "conf_low", "conf_high") else ""
    if odds <= SLIGHT:
        return Sentence(f"若同类客户开口与满意与否无关，全体客户的{label}是 ", (theme.number_text(row["low"], unit), "strong"), f"{error}。")
    return Sentence(f"若同类客户中{UNLIKE}开口的优势（odds）偏离平均不超过 {times_text(odds)} 倍，全体客户的{label}在 ", (_between(row["low"], row["high"], unit), "strong"), f" 之间{error}。")


def say_tipping(found: pl.DataFrame, label: str, goal: str = "目标", unit: str = "points", higher_is_better: bool = True) -> Sentence:
    """One row of `tipping_odds`: 「除非同类客户中不满意者开口的优势偏离平均 x 倍以上」 the figure stays on its side of the threshold, which is called `goal`."""
    row = found.row(0, named=True)
    if row["n"] < theme.FEWEST or not _known(row, "estimate", "threshold"):
        return Sentence(f"{label}：{'人数' + theme.SUPPRESSED if row['n'] < theme.FEWEST else '没有可用的回答'}，不与{goal}比。")
    now, there = theme.number_text(row["estimate"], unit), f"{goal} {theme.number_text(row['threshold'], unit)}"
    above = row["estimate"] > row["threshold"]
    if row["estimate"] == row["threshold"] or (_known(row, "conf_low", "conf_high") and row["conf_low"] <= row["threshold"] <= row["conf_high"]):
        return Sentence(f"{label} {now}，与{there} 的差别在误差范围内，谈不上{'高' if above else '低'}过它，也就没有可以推翻的。")
    stands = f"{label} {now}，{'高于' if above else '低于'}{there}"
    if row["odds"] is None or not row["odds"] < float("inf"):
        return Sentence(stands, "：", (f"无论同类客户中{UNLIKE}开口的优势偏离平均多少倍", "strong"), "，这都不变。")
    keen = "更不爱" if above == higher_is_better else "更爱"
    if row["odds"] < SLIGHT:
        return Sentence(stands, "；", (f"同类客户中{UNLIKE}只要比平均稍微{keen}开口", "worse"), "，这就不成立。")
    return Sentence((f"除非同类客户中{UNLIKE}开口的优势（odds）偏离平均 {times_text(row['odds'])} 倍以上", "strong"), f"（{keen}开口），{stands}。")


def say_silent_mean(found: pl.DataFrame, label: str, goal: str = "目标", unit: str = "points") -> Sentence:
    """One row of `silent_mean`: 「沉默客户的均值须低于 y 才会推翻」, or that no answer of theirs could."""
    row = found.row(0, named=True)
    if row["n"] < theme.FEWEST or not _known(row, "estimate", "threshold"):
        return Sentence(f"{label}：{'人数' + theme.SUPPRESSED if row['n'] < theme.FEWEST else '没有可用的回答'}，不说沉默客户要怎么想。")
    if not _known(row, "silent_mean"):
        return Sentence(f"{label}：人人都说了话，没有沉默的客户。")
    there = f"{goal} {theme.number_text(row['threshold'], unit)}"
    if row["side"] is None:
        return Sentence(f"全体客户的{label}正好是{there}，没有可以推翻的。")
    beyond, side = ("低于", "高于") if row["side"] == "below" else ("高于", "低于")
    if not row["possible"]:
        return Sentence(f"全体客户的{label}{side}{there}：", ("沉默客户怎么想都不会推翻", "strong"), f"，要推翻，他们的均值得{beyond}量表的{'最低' if row['side'] == 'below' else '最高'}分。")
    needed = theme.number_text(row["silent_mean"], unit)
    needed = f"{beyond} {needed} " if row["silent_mean"] >= 0 else f"在 {needed} {'以下' if row['side'] == 'below' else '以上'}"  # 低于 −3 reads as a sign said twice
    now = f"按权重估计他们现在是 {theme.number_text(row['silent_estimate'], unit)}。" if _known(row, "silent_estimate") else ""
    return Sentence(f"全体客户的{label}{side}{there}；", (f"沉默客户的均值须{needed}才会推翻", "strong"), f"，没有开口的占 {theme.share_text(1 - row['speaking_share'])}。", now)


def say_change_sensitivity(found: pl.DataFrame, label: str, unit: str = "points") -> Sentence:
    """`change_sensitivity`: whether the direction holds if selection is the same in both weeks, and up to which drift."""
    if found.is_empty() or min(found["n"].min(), found["n_before"].min()) < theme.FEWEST:
        return Sentence(f"{label}：两期至少有一期{theme.SUPPRESSED}，不说变化。")
    rows = [row for row in found.sort("odds").iter_rows(named=True) if _known(row, "low", "high", "conf_low", "conf_high")]
    if not rows:
        return Sentence(f"{label}：算不出变化的范围。")
    first = rows[0]
    alike = "若两期里谁更爱开口没有变" if first["odds"] <= SLIGHT else f"若两期之间开口的优势漂移不超过 {times_text(first['odds'])} 倍"
    ends = f"（连同抽样误差 {_signed(first['conf_low'], unit)}～{_signed(first['conf_high'], unit)}）"
    stated = f"{alike}，{label}的变化在 {_signed(first['low'], unit)}～{_signed(first['high'], unit)} 之间{ends}"
    held = [row for row in rows if row["conf_low"] > 0 or row["conf_high"] < 0]
    if not held or held[0] is not first:
        return Sentence(stated, "，", ("是升是降说不准", "strong"), "。")
    way, most = "上升" if first["conf_low"] > 0 else "下降", held[-1]["odds"]
    further = f"；漂移到 {times_text(most)} 倍仍然成立" if most > SLIGHT and most > first["odds"] else ""
    fails = f"，到 {times_text(rows[len(held)]['odds'])} 倍就说不准" if len(held) < len(rows) else ""
    return Sentence(stated, "，", (f"{way}站得住", "strong"), further, fails if further else f"；漂移{fails.removeprefix('，')}" if fails else "", "。")


def say_problem_floor(found: pl.DataFrame, problem: str, base: str = "customers") -> Sentence:
    """One row of `problem_floor`: people heard per 10,000 of the base, what the classifier leaves of them, and that it is a floor of those who have it."""
    row = found.row(0, named=True)
    of = f"每一万{BASES.get(base, base).removesuffix('数')}里"
    if 0 < row["people"] < theme.FEWEST:
        return Sentence(f"说到「{problem}」的{theme.SUPPRESSED}，不单列；没有开口的还有多少，不知道。")
    if not row["people"]:
        return Sentence(f"没有听到谁说「{problem}」；没有听到不等于没有人遇到。")
    error = "分类没有抽检过，错分了多少不知道"
    if _known(row, "floor"):
        ends = f"（{rate_text(row['conf_low'])}～{rate_text(row['conf_high'])}）" if _known(row, "conf_low", "conf_high") else ""
        error = f"除去分类的错分是 {rate_text(row['floor'])} 人{ends}"
    tip = ""
    if _known(row, "claim") and row["odds"] is not None and row["odds"] > SLIGHT:
        claim = f"每一万里只有 {rate_text(row['claim'])} 人遇到"
        tip = f"若{claim}，他们开口的优势（odds）就得偏离平均至少 {times_text(row['odds'])} 倍。" if theme.is_number(row["odds"]) else f"说{claim}是不对的，听到的就不止这些。"
    return Sentence(of, f"，听到 {rate_text(row['heard'])} 人", f"说「{problem}」；{error}。", ("这只是下限", "strong"), "：人是因为遇到了才开口，没有开口的还有多少，权重补不出来。", tip)


def say_odds_from_posts(found: pl.DataFrame) -> Sentence:
    """One row of `odds_from_posts`: how much more the dissatisfied post, against others of their like and against the average."""
    row = found.row(0, named=True)
    if not _known(row, "odds_ratio", "conf_low", "conf_high"):
        return Sentence("答过调查、又能连到帖子的人太少，估不出低分的人主动发帖的优势是其他人的多少倍。")
    ends = f"（{times_text(row['conf_low'])}～{times_text(row['conf_high'])}）"
    who = f"在答过调查的 {theme.count_text(row['n'])} 人里，同类客户中低分的人主动发帖的优势（odds）是其他人的 "
    if row["conf_low"] <= 1 <= row["conf_high"]:
        return Sentence(who, f"{times_text(row['odds_ratio'])} 倍{ends}，看不出差别；两样都不做的人不在其中。")
    return Sentence(who, (f"{times_text(row['odds_ratio'])} 倍", "strong"), f"{ends}，相当于偏离平均 {times_text(row['odds'])} 倍；两样都不做的人不在其中。")


def table_sensitivity(found: pl.DataFrame, unit: str = "points", by: str | None = None) -> Block:
    """`sensitivity` as a table: a row per odds (and group), the range, and the range with sampling error; groups under 10 people are not shown."""
    if found.is_empty():
        return note("没有可用的回答，算不出沉默的影响。")
    columns = [*([{"title": "分组"}] if by else []), {"title": "开口的优势偏离平均", "tone": "number"}, {"title": "全体客户的范围", "tone": "number"}, {"title": "连同抽样误差", "tone": "number"}]
    rows = []
    for row in found.iter_rows(named=True):
        group = [{"text": str(row[by]), "tone": "strong"}] if by else []
        cells = [_between(row["low"], row["high"], unit), _between(row["conf_low"], row["conf_high"], unit)]
        told = [{"text": text, "tone": "number"} for text in cells] if row["n"] >= theme.FEWEST else [{"text": theme.SUPPRESSED, "tone": "suppressed"}] * 2
        rows.append([*group, {"text": f"{times_text(row['odds'])} 倍" if theme.is_number(row["odds"]) else "不论多少倍", "tone": "number"}, *told])
    return Block(kind="table", columns=columns, rows=rows, caption="沉默影响：偏离不同倍数时", note=plain_facts("；".join(found["note"].drop_nulls().unique(maintain_order=True))))


def table_benchmarks(found: pl.DataFrame, unit: str = "points") -> Block:
    """`covariate_benchmarks` as a table: had a covariate as strong as this one been overlooked, how far the figure would move."""
    if found.is_empty():
        return note("没有可以比照的列：不到两列用来折算。")
    if found.is_empty():
        return note("没有可以比照的列：不到两列用来折算。")
    columns = [{"title": "像它这样的列若漏掉了"}, {"title": "估计会移动", "tone": "number"}, {"title": "要几倍才到门槛", "tone": "number"}, {"title": "R²", "tone": "number"}, {"title": "rho", "tone": "number"}]
    rows = [[{"text": fact_title(row["variable"]), "tone": "strong"}, {"text": _signed(row["bias"], unit), "tone": "number"},
             {"text": f"{times_text(row['times_to_threshold'])} 倍" if theme.is_number(row["times_to_threshold"]) else "到不了", "tone": "number"},
             {"text": theme.score_text(row["r2_benchmark"]), "tone": "number"}, {"text": theme.score_text(row["rho_benchmark"]), "tone": "number"}] for row in found.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="漏掉一列会怎样", note="")


def times_text(odds: float | None) -> str:
    """A factor: two decimals without trailing noughts, one from ten, none from a hundred; never 0 for something.

    >>> times_text(1.5), times_text(1.2909), times_text(12.34), times_text(12_340), times_text(0.001)
    ('1.5', '1.29', '12.3', '1.2万', '<0.01')
    """
    if not theme.is_number(odds):
        return theme.ABSENT
    if 0 < odds < 0.005:
        return "<0.01"
    if odds >= 99.95:
        return theme.count_text(min(odds, MOST))
    return f"{odds:.{2 if odds < 9.995 else 1}f}".rstrip("0").rstrip(".")


def _between(low: float | None, high: float | None, unit: str) -> str:
    if not theme.is_number(low) or not theme.is_number(high):
        return theme.ABSENT
    return f"{theme.number_text(low, unit)}～{theme.number_text(high, unit)}"


def _signed(value: float | None, unit: str) -> str:
    """A difference with its sign; of shares in 百分点."""
    if not theme.is_number(value):
        return theme.ABSENT
    size = theme.score_text(value) if unit != "share" else theme.score_text(100 * value, 1)
    plus = "" if size.startswith("−") or not size.strip("0.") else "+"
    return f"{plus}{size}{' 个百分点' if unit == 'share' else ''}"


def _known(row: dict, *names: str) -> bool:
    return all(theme.is_number(row[name]) for name in names)
