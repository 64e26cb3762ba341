"""沉默的大多数: who speaks and who does not, what was heard against what all customers would say, and how far silence could move it."""

from __future__ import annotations

import math

import polars as pl

from voc_lib.measure.analyses.silence_checks import silent_need, tipping
from voc_lib.measure.weighting.correct import Correction
from voc_lib.measure.weighting.diagnostics import NEAR
from voc_lib.measure.weighting.unsolicited import problem_floor
from voc_lib.report import theme
from voc_lib.report.bases import BASES
from voc_lib.report.blocks import Block, Sentence, card, note
from voc_lib.report.charts import WHISKER, Chart, _beside
from voc_lib.report.escape import safe_label
from voc_lib.report.outreach import say_probe_size
from voc_lib.report.sensitivity import say_change_sensitivity, say_odds_from_posts, say_problem_floor, say_silent_mean, say_tipping
from voc_lib.report.words import channel_title, code_name, level_title, metric_words, plain_facts

SIGN = 0.05     # of a standard deviation: who is so little over or under is not named
MOST = 8        # rows of a table; three times as many of a love plot
FEW_NAMED = 1   # levels named in a sentence
KINDS = {"heard": "听到的（全部）", "heard_linked": "听到的（可关联）", "weighted": "折算到全体", "range": "沉默影响区间"}


def say_who_speaks(figures: dict, balance: pl.DataFrame, base: str = "customers") -> Sentence:
    """How many of the base answered, and which kinds of customers are over and under among them, from `Correction.figures` and `balance_now`."""
    if figures["speakers"] < theme.FEWEST or figures["customers"] < theme.FEWEST:
        return Sentence(f"{_of(base)}的客户里，答了这一题的{theme.SUPPRESSED if figures['speakers'] else '一位也没有'}，说不出谁没有开口。")
    start = f"{_of(base)} {theme.count_text(figures['customers'])} 位客户里，{theme.count_text(figures['speakers'])} 位答了这一题，"
    rate = (f"沉默的占 {theme.share_text(1 - figures['speak_rate'])}", "strong")
    levels = balance.filter((pl.col("kind") == "level") & (pl.col("before").abs() >= SIGN)).sort("before", "covariate", "level", descending=[True, False, False])
    more, fewer = (levels.filter(sign).head(FEW_NAMED) if head else levels.filter(sign).tail(FEW_NAMED).reverse() for sign, head in ((pl.col("before") > 0, True), (pl.col("before") < 0, False)))
    named = [f"{word}的是{'、'.join(_shares(row) for row in rows.iter_rows(named=True))}" for word, rows in (("偏多", more), ("偏少", fewer)) if rows.height]
    return Sentence(start, rate, "。", f"答的人里{'；'.join(named)}。" if named else "答的人和全体客户在各列上差不多。")


def say_who(one: Correction, balance: pl.DataFrame) -> Sentence:
    """`say_who_speaks` of a weighting, or why there is none."""
    return say_who_speaks(one.figures, balance, one.base.name) if one.refused is None else Sentence(("说不出沉默的是谁", "strong"), f"：{one.refused.rstrip('。')}。")


def cards_silence(answers: pl.DataFrame, metric: str, channel: str) -> list[dict]:
    """Three numbers for the head of the page: who answered, the metric as heard, and for all customers."""
    rows = answers.filter((pl.col("metric") == metric) & (pl.col("channel") == channel))
    label, heard, fixed = metric_words(metric).label, rows.filter(pl.col("kind") == "heard"), rows.filter(pl.col("kind") == "weighted")
    people = heard["people"].first() if heard.height else 0
    return [card("答了这一题的人", people, opens=True), card(f"听到的{label}", heard if heard.height else None, opens=True),
            card(f"折算到全体的{label}", fixed.with_columns(pl.lit("").alias("note")) if heard.height and fixed["estimate"].first() is not None else None, note="" if heard.height and fixed["estimate"].first() is not None else "没有折算，见下", opens=True)]


def say_overturn(one: Correction, goal: float, called: str = "目标") -> Sentence:
    """The two tipping points of a weighted figure against `goal`: the odds of the discontent, and the mean the silent would need."""
    if one.hidden is not None:
        return Sentence("没有折算到全体的数，也就没有可以推翻的。" if one.refused else f"{one.hidden}，没有可以推翻的数。")
    label, unit = one.metric.label, one.metric.unit
    found = tipping(one, goal)
    first = say_tipping(found, label, called, unit, one.metric.higher_is_better is not False)
    low, high = found["conf_low"].item(), found["conf_high"].item()
    if found["n"].item() < theme.FEWEST or (theme.is_number(low) and low <= goal <= high):
        return first  # there is nothing that the silent could overturn
    second = say_silent_mean(silent_need(one, goal), label, called, unit)
    return Sentence(*map(tuple, first.runs), *map(tuple, second.runs))


def say_silent_change(one: Correction, change: pl.DataFrame) -> Sentence:
    """The change since the period before under stable selection, from `silent_change`."""
    if one.hidden is not None and not one.refused:
        return Sentence(f"{one.hidden}，也不说变化。")
    if change.is_empty():
        return Sentence("前一段没有折算到全体的数，说不出变化。")
    return say_change_sensitivity(change, one.metric.label, one.metric.unit)


def say_probe_needed(one: Correction, size: pl.DataFrame) -> Sentence:
    """What a probe by lot would take, from `probe`."""
    if "note" in size.columns:
        return Sentence(f"要做一次探访：{size['note'][0]}")
    return say_probe_size(size, one.metric.unit) if size.height else Sentence("没有折算，不知道要探访多少人。")


def say_posted(found: pl.DataFrame) -> Sentence:
    """How much more the discontent post unasked, from `posted_odds`."""
    return say_odds_from_posts(found) if found.height else Sentence("这个问题没有可以和帖子对照的低分，估不出不满的人多爱发帖。")


def say_robustness(one: Correction, found: pl.DataFrame, goal: float) -> Sentence:
    """The robustness value in words, from `robustness`."""
    if found.is_empty() or not theme.is_number(found["robustness_value"][0]):
        return Sentence("没有折算，算不出要漏掉多强的东西才会推翻。")
    value = found["robustness_value"][0]
    return Sentence(f"要让{one.metric.label}变成 {theme.number_text(goal, one.metric.unit)}，漏掉的东西至少要同时解释权重和回答各 ", (theme.share_text(value), "strong"), " 的变动（稳健值，robustness value）。")


def say_smub(one: Correction, found: pl.DataFrame) -> Sentence:
    """The second opinion on selection by the answer (SMUB), from `second_opinion`; not given where the columns say too little about the answer."""
    if one.hidden is not None:
        return Sentence("第二意见（SMUB）：没有可以对照的数，不给。")
    if found.is_empty() or not theme.is_number(found["estimate"][0]):
        rho = f"（相关 {theme.score_text(found['rho'][0])}，不到 0.4）" if found.height and theme.is_number(found["rho"][0]) else ""
        return Sentence(f"第二意见（SMUB）：加权用的列说不清回答{rho}，不给。")
    low, middle, high = (theme.number_text(value, one.metric.unit) for value in found.sort("phi")["estimate"])
    return Sentence("第二意见（SMUB）：开口只看已知的列、一半看怎么想、全看怎么想，全体客户的数分别是 ", (f"{low}、{middle}、{high}", "strong"), "。")


def say_problems(rates: pl.DataFrame, titles: dict[str, str] | None = None) -> Sentence:
    """Of `base_rates` by code: the problem that most people of a channel's base were heard to have, as a floor and never as a share of customers."""
    told = rates.drop_nulls("estimate").sort("estimate", "channel", "code", descending=[True, False, False])
    if told.is_empty():
        return Sentence("没有一个渠道既有基数、又有十人以上说到同一个问题。")
    row = told.row(0, named=True)
    found = say_problem_floor(problem_floor(row["people"], row["in_use"]), code_name(row["code"]), row["base"])
    return Sentence(f"{channel_title(row['channel'], titles)}：", *map(tuple, found.runs))


def table_who(balance: pl.DataFrame, most: int = MOST) -> Block:
    """The kinds of customers that are most over or under among those who answered: share of all, share of them, and what weighting leaves of the difference."""
    levels = balance.filter(pl.col("kind") == "level").sort(pl.col("before").abs().round(12), "covariate", "level", descending=[True, False, False]).head(most)
    columns = [{"title": "哪些客户"}, *({"title": title, "tone": "number"} for title in ("占全体客户", "占答的人", "折算后")), {"title": "答得"}]
    rows = [[{"text": level_title(row["covariate"], row["level"]), "tone": "strong"}, {"text": theme.share_text(row["share"]), "tone": "number"}, {"text": theme.share_text(_among(row, "before")), "tone": "number"},
             {"text": theme.share_text(_among(row, "after")), "tone": "number"}, {"text": "偏多" if row["before"] >= SIGN else "偏少" if row["before"] <= -SIGN else "差不多"}] for row in levels.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note="差得最多的排在前面。" if rows else "只按一类客户折算，没有可比的。")


def say_answer(answers: pl.DataFrame, metric: str, channel: str, titles: dict[str, str] | None = None) -> Sentence:
    """One metric in one channel: heard, linked, corrected with its interval, the range; or why there is no corrected figure."""
    rows = {row["kind"]: row for row in answers.filter((pl.col("metric") == metric) & (pl.col("channel") == channel)).iter_rows(named=True)}
    if "heard" not in rows:
        return Sentence("这段时间没有人回答。")
    words, heard = metric_words(rows["heard"]["metric"]), rows["heard"]
    name = f"{words.label}（{channel_title(heard['channel'], titles)}）"
    if not theme.is_number(heard["estimate"]):
        return Sentence(f"{name}：{heard['note'] or theme.SUPPRESSED}。")
    said = f"{name}听到的是 {theme.number_text(heard['estimate'], words.unit)}"
    linked = rows["heard_linked"]
    said += f"，认得出是谁的人里是 {theme.number_text(linked['estimate'], words.unit)}" if theme.is_number(linked["estimate"]) else ""
    fixed, silent = rows["weighted"], rows["range"]
    span = f"{theme.number_text(silent['conf_low'], words.unit)}～{theme.number_text(silent['conf_high'], words.unit)}" if theme.is_number(silent["conf_low"]) else ""
    if not theme.is_number(fixed["estimate"]):
        told = f"沉默影响区间是 {span}。" if span else ""
        return Sentence(f"{said}。", (f"{fixed['note'] or '没有折算到全体的数'}", "strong"), "。", told)
    now = f"折算到{_of(fixed['base'])}的全体客户是 {theme.number_text(fixed['estimate'], words.unit)}"
    ends = f"（{theme.number_text(fixed['conf_low'], words.unit)}～{theme.number_text(fixed['conf_high'], words.unit)}）" if theme.is_number(fixed["conf_low"]) else ""
    return Sentence(f"{said}；", (now, "strong"), f"{ends}；", f"把沉默的影响也算上，在 {span} 之间。" if span else "")


def table_answer(answers: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """听到的(全部) | 听到的(可关联) | 折算到全体 | 沉默影响区间: a row per metric and channel (and group), figures with intervals, people and the linked share; why a figure is missing."""
    groups = [name for name in answers.columns[3:4] if name != "kind"]
    columns = [{"title": "问的是什么"}, *({"title": title, "tone": "number"} for title in KINDS.values())]
    rows, notes = [], {}
    for key, part in answers.group_by("metric", "channel", *groups, maintain_order=True):
        by_kind = {row["kind"]: row for row in part.iter_rows(named=True)}
        words = metric_words(str(key[0]).split(":")[0])
        title = words.label if not groups or key[2] is None else code_name(key[2]) if groups == ["code"] else level_title(groups[0], key[2])
        first = {"text": title, "tone": "strong", "small": channel_title(key[1], titles)}
        rows.append([first, *(_cell(by_kind.get(kind), kind, words.unit) for kind in KINDS)])
        reasons = notes.setdefault(channel_title(key[1], titles), [])
        reasons.append((title, list(filter(None, ((by_kind.get("weighted") or {}).get("note") or "").split("；")))))
    return Block(kind="table", columns=columns, rows=rows, caption="", note="".join(_reasons(*said) for said in notes.items()) if rows else "这段时间没有人回答这些问题。")


def _reasons(channel: str, told: list[tuple[str, list[str]]]) -> str:
    """What is noted on a channel's figures: once what holds for all of them, and by name what holds for some.

    >>> _reasons("回访", [("甲", ["人少"]), ("乙", ["人少", "偏"])])
    '回访：人少；其中乙：偏。'
    """
    of: dict[str, list[str]] = {}
    for title, reasons in told:
        for reason in reasons:
            of.setdefault(reason, []).append(title)
    common = [plain_facts(reason) for reason, titles in of.items() if len(titles) == len(told)]
    some: dict[tuple[str, ...], list[str]] = {}
    for reason, titles in of.items():
        if len(titles) < len(told):
            some.setdefault(tuple(dict.fromkeys(titles)), []).append(plain_facts(reason))
    parts = [*common, *(f"其中{'、'.join(titles)}：{'；'.join(reasons)}" for titles, reasons in some.items())]
    return f"{channel}：{'；'.join(parts)}。" if parts else ""


def chart_answer(answers: pl.DataFrame, titles: dict[str, str] | None = None) -> Block:
    """Topics of channels that ask: ring = heard, dot and line = all customers with its interval, grey = what silence could make of it; a note without any."""
    told = answers.filter((pl.col("kind") == "weighted") & pl.col("estimate").is_not_null())
    if told.is_empty():
        return note("没有一个问题既有人被问到、又够折算到全体。")
    channel = told["channel"][0]
    shown = told.filter(pl.col("channel") == channel).sort("estimate", "code", descending=[True, False]).head(MOST).reverse()
    names, places = [code_name(code) for code in shown["code"]], list(range(shown.height))
    part = answers.filter(pl.col("channel") == channel)
    of = {kind: dict(zip(part.filter(pl.col("kind") == kind)["code"], part.filter(pl.col("kind") == kind).iter_rows(named=True), strict=True)) for kind in ("heard", "range")}
    grey = [{"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": theme.LIGHT["band"], "width": 12}, "x": [100 * of["range"][code]["conf_low"], 100 * of["range"][code]["conf_high"]], "y": [place] * 2}
            for place, code in zip(places, shown["code"], strict=True) if theme.is_number(of["range"][code]["conf_low"])]
    hover = [f"<b>{safe_label(name)}</b><br>听到 {theme.share_text(of['heard'][row['code']]['estimate'])}，折算到全体 {theme.share_text(row['estimate'])}<br>95% 区间 {theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])}"
             f"<br>{safe_label(theme.people_text(row['people']))}" for name, row in zip(names, shown.iter_rows(named=True), strict=True)]
    dots = {"type": "scatter", "mode": "markers", "x": (100 * shown["estimate"]).to_list(), "y": places, "hovertext": hover, "hoverinfo": "text", "marker": {"size": 10, "color": theme.LIGHT["blue"]},
            "error_x": {"type": "data", "symmetric": False, "thickness": 3, "width": 0, "color": theme.LIGHT["blue"], "array": (100 * (shown["conf_high"] - shown["estimate"])).to_list(),
                        "arrayminus": (100 * (shown["estimate"] - shown["conf_low"])).to_list()}}
    rings = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "y": places, "x": [_hundred(of["heard"][code]["estimate"]) for code in shown["code"]],
             "marker": {"size": 11, "symbol": "circle-open", "color": theme.LIGHT["ink"], "line": {"width": 1.5}}}
    layout = theme.chart_layout(WHISKER * shown.height + 44)
    layout["xaxis"] |= {"showgrid": True, "rangemode": "tozero", "ticksuffix": "%", "nticks": 6}
    layout["yaxis"] |= _beside(names)
    return Chart({"data": [*grey, dots, rings], "layout": layout}, f"{channel_title(channel, titles)}：被问到的客户里有多少人提到", "圈＝听到的；蓝点和线＝折算到全体及 95% 区间；灰＝沉默影响区间")


def chart_love(balance: pl.DataFrame, most: int = 3 * MOST) -> Block:
    """Standardised differences before (ring) and after (dot) weighting, the largest before first; dashed lines at the usual bound of .1; pairs of columns among them."""
    if balance.is_empty():
        return note("没有折算，没有可比的。")
    shown = balance.sort(pl.max_horizontal(pl.col("before").abs(), pl.col("after").abs()).round(12), "covariate", "level", descending=[True, False, False]).head(most).reverse()
    names, places = [level_title(row["covariate"], row["level"]) for row in shown.iter_rows(named=True)], list(range(shown.height))
    hover = [f"<b>{safe_label(name)}</b><br>折算前 {theme.score_text(row['before'])}，折算后 {theme.score_text(row['after'])}" for name, row in zip(names, shown.iter_rows(named=True), strict=True)]
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": theme.LIGHT["line"], "width": 2}}
    joined = [line | {"x": [row["before"], row["after"]], "y": [place] * 2} for place, row in zip(places, shown.iter_rows(named=True), strict=True)]
    bounds = [line | {"x": [end, end], "y": [-0.6, max(shown.height, 1) - 0.4], "line": {"color": theme.LIGHT["faint"], "width": 1, "dash": "dash"}} for end in (-NEAR, NEAR)]
    before = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "x": shown["before"].to_list(), "y": places, "marker": {"size": 10, "symbol": "circle-open", "color": theme.LIGHT["ink"], "line": {"width": 1.5}}}
    after = {"type": "scatter", "mode": "markers", "x": shown["after"].to_list(), "y": places, "hovertext": hover, "hoverinfo": "text", "marker": {"size": 9, "color": theme.LIGHT["blue"]}}
    layout = theme.chart_layout(26 * max(shown.height, 1) + 50)
    layout["xaxis"] |= {"showgrid": True, "nticks": 7}
    layout["yaxis"] |= _beside(names)
    return Chart({"data": [*bounds, *joined, before, after], "layout": layout}, "答的人与全体客户差多少（标准化差）", "圈＝折算前，点＝折算后；虚线为通常算作够近的 ±0.1；两列相乘的是没有直接校准的组合")


def table_diagnostics(figures: dict) -> Block:
    """How uneven the weights are and who is missing, for the appendix."""
    if not figures:
        return note("没有折算，没有权重可以检查。")
    told = [("基数里的客户", theme.count_text(figures["customers"]), ""), ("答了的人", theme.people_text(figures["speakers"]), f"开口率 {theme.share_text(figures['speak_rate'])}"),
            ("设计效应（Kish）", theme.score_text(figures["design_effect"]), "1 为权重全都一样；5 以上要小心，20 以上不给数"), ("等效人数", theme.count_text(figures["effective_n"]), "权重不等，抵得上多少人"),
            ("最大的权重", f"平均的 {theme.score_text(figures['max_ratio'], 1)} 倍", "没有修剪"), ("没有人答的格", f"{figures['silent_cells']:,} / {figures['cells']:,}", f"里面有 {theme.share_text(figures['silent_share'])} 的客户，由相近的客户代表"),
            ("最不爱开口的一类", theme.share_text(figures["least_propensity"]), "估计的开口率"), ("边际误差", "<0.0001%" if figures["margin_error"] < 1e-6 else theme.share_text(figures["margin_error"]), "折算后的人数与名单差多少"),
            ("折算前最大的差", theme.score_text(figures["before"]), "标准化差，单列"), ("折算后最大的差", theme.score_text(figures["after"]), "标准化差，单列"), ("折算后组合里最大的差", theme.score_text(figures["after_pairs"]), "标准化差，两列的组合")]
    return Block(kind="table", columns=[{"title": "项目"}, {"title": "数", "tone": "number"}, {"title": "说明"}], rows=[[{"text": name, "tone": "strong"}, {"text": value, "tone": "number"}, {"text": words}] for name, value, words in told],
                 caption="权重有多不均匀", note="")


def _cell(row: dict | None, kind: str, unit: str) -> dict:
    if row is None:
        return {"text": theme.ABSENT, "tone": "suppressed"}
    low, high = theme.number_text(row["conf_low"], unit), theme.number_text(row["conf_high"], unit)
    if kind == "range":
        return {"text": f"{low}～{high}", "tone": "number"} if theme.is_number(row["conf_low"]) else {"text": theme.ABSENT, "tone": "suppressed"}
    if not theme.is_number(row["estimate"]):
        short = "只给区间" if "只给区间" in (row["note"] or "") else "无法校正" if "无法校正" in (row["note"] or "") else "没有关联" if "没有一条" in (row["note"] or "") else theme.ABSENT if "不知道属于" in (row["note"] or "") else theme.SUPPRESSED
        return {"text": short, "tone": "suppressed"}
    people = theme.people_text(row["people"])
    ends = f"{low}～{high}，" if theme.is_number(row["conf_low"]) else ""
    more = f"，等效 {theme.count_text(row['effective_n'])}" if kind == "weighted" and theme.is_number(row["effective_n"]) else ""
    return {"text": theme.number_text(row["estimate"], unit), "tone": "number", "small": f"{ends}{people}{more}"}


def _among(row: dict, name: str) -> float:
    """The share among those who answered, from the standardised difference."""
    return min(max(row["share"] + row[name] * math.sqrt(row["share"] * (1 - row["share"])), 0.0), 1.0)


def _shares(row: dict) -> str:
    return f"{level_title(row['covariate'], row['level'])}（{theme.share_text(_among(row, 'before'))}，全体 {theme.share_text(row['share'])}）"


def _of(base: str) -> str:
    return {"vehicles": "在用车主", "visits": "进过店", "app_users": "用应用", "customers": "在册", "calls": "来过电", "accounts": "在册账户"}.get(base, BASES.get(base, base).removesuffix("数"))


def _hundred(value: float | None) -> float | None:
    return 100 * value if theme.is_number(value) else None
