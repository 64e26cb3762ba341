"""Reaching the silent, told and listed: how many to ask, what a probe says of all, and whom to invite when."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.weighting.outreach import PLAIN, OutreachPlan
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import CROSSED, fact_title, level_title

MOST = 8   # cells listed
ONE_SIDED = "500 份回答胜过两万份自愿的发声，前提是不回答与满意度无关。"


def say_probe_size(size: pl.DataFrame, unit: str = "share") -> Sentence:
    """How many to invite for the error asked for, and how wide it becomes once those who never answer are counted in. One row of `probe_size`."""
    row = _one(size)
    plan = f"要请 {theme.count_text(row['invitations'])} 位，预计接触到 {theme.count_text(row['contacts'])} 位、回答 {theme.count_text(row['answers'])} 位"
    again = f"（其中回访没有回答的 {theme.count_text(row['call_backs'])} 位，答 {theme.count_text(row['call_back_answers'])} 位）" if row["call_backs"] else ""
    goal = f"，误差到 ±{_margin(row['margin'], unit)}（95%）。"
    if row["unheard_share"] < 0.0005:
        return Sentence((plan, "strong"), again, goal, "人人都会回答时才是这样。")
    return Sentence((plan, "strong"), again, goal, f"仍有 {theme.share_text(row['unheard_share'])} 的人不会回答：{_odds(row['odds_ratio'])}，连同他们误差是 ±{_margin(row['range_margin'], unit)}。", ONE_SIDED)


def say_probe(estimate: pl.DataFrame, label: str, unit: str = "points") -> Sentence:
    """What a probe says of all customers: the figure if not answering has nothing to do with it, and the range if it has. Three rows of `probe_estimate`."""
    rows = {row["kind"]: row for row in estimate.iter_rows(named=True)}
    weighted, spanned = rows.get("weighted"), rows.get("range")
    if weighted is None or spanned is None or not theme.is_number(weighted["estimate"]):
        return Sentence(f"{label}：探访没有可用的回答。")
    if weighted["n"] < theme.FEWEST:
        return Sentence(f"{label}：探访里回答的{theme.SUPPRESSED}，不单列。")
    figure = (f"{label} {theme.number_text(weighted['estimate'], unit)}", "strong")
    certain = f"（95% 区间 {_span(weighted, unit)}）" if theme.is_number(weighted["conf_low"]) else ""
    start = Sentence("随机探访了客户，", theme.people_text(weighted["n"]), "回答：").runs
    pieces = [*((text, tone) for text, tone in start), figure, certain]
    if spanned["unheard_share"] < 0.0005:
        return Sentence(*pieces, "；抽到的人都有回答，或有回访到的人代表。")
    return Sentence(*pieces, f"，前提是不回答与满意度无关。{theme.share_text(spanned['unheard_share'])} 的人没有回答；{_odds(spanned['odds_ratio'])}，全体在 ", (_span(spanned, unit), "strong"), " 之间（沉默影响区间）。")


def say_outreach(plan: OutreachPlan) -> Sentence:
    """How many to invite, where, what it should add, and who is left in peace."""
    cells, invited = plan.cells, plan.people.height
    if not invited:
        return Sentence("这一期没有要邀请的人。", _spared(cells))
    expected, opened = cells["expected"].sum(), cells.filter((pl.col("n") == 0) & (pl.col("invite") > 0)).height
    where = f"，先去 {theme.count_text(opened)} 个还没有人说过话的分组" if opened else ""
    before, after = cells["effective_n_before"][0], cells["effective_n_after"][-1]
    moved = f"约从 {theme.count_text(before)} 到 {theme.count_text(after)}" if theme.count_text(before) != theme.count_text(after) else f"仍约 {theme.count_text(after)}"
    gained = f"；预计回答{_answers(expected)}，有效样本（effective n）{moved}，覆盖 {theme.share_text(cells['covered_share'][-1])} 的客户所在的分组。"
    return Sentence((f"计划邀请 {theme.count_text(invited)} 位", "strong"), where, gained, _spared(cells))


def table_outreach(plan: OutreachPlan, most: int = MOST) -> Block:
    """The segments to invite from, what adds most first, with what has been gained down to each."""
    segments = plan.cells.columns[: plan.cells.columns.index("customers")]
    shown = plan.cells.filter(pl.col("invite") > 0)
    if shown.is_empty():
        return note("没有要邀请的分组。")
    columns = [{"title": "分组（" + CROSSED.join(map(fact_title, segments)) + "）"}, *({"title": title, "tone": "number"} for title in ("客户", "已说话", "邀请", "预计回答", "有效样本到", "覆盖到"))]
    rows = []
    for row in shown.head(most).iter_rows(named=True):
        numbers = (theme.people_text(row["customers"]), theme.people_text(row["n"]), f"{theme.count_text(row['invite'])} 位", _answers(row["expected"]).strip(),
                   theme.count_text(row["effective_n_after"]), theme.share_text(row["covered_share"]))
        rows.append([{"text": _segment(segments, row), "tone": "strong"}, *({"text": number, "tone": "number"} for number in numbers)])
    told = f"每多问一位收获最大的在前；一共 {theme.count_text(shown.height)} 个分组，列出前 {theme.count_text(min(most, shown.height))} 个。谁被邀请由抽签决定，触点只决定哪一天。"
    return Block(kind="table", columns=columns, rows=rows, caption="", note=told)


def table_moments(plan: OutreachPlan) -> Block:
    """At which moments, how many and when."""
    if plan.people.is_empty():
        return note("没有要邀请的人。")
    moments = plan.people.group_by("trigger").agg(pl.len().alias("people"), pl.col("day").min().alias("start"), pl.col("day").max().alias("end"))
    moments = moments.with_columns((pl.col("trigger") == PLAIN).alias("plain")).sort("plain", "people", "trigger", descending=[False, True, False])
    columns = [{"title": "时机"}, {"title": "邀请", "tone": "number"}, {"title": "日子"}]
    rows = [[{"text": row["trigger"], "tone": "strong"}, {"text": f"{theme.count_text(row['people'])} 位", "tone": "number"},
             {"text": theme.day_label(row["start"]) + (f"至{theme.day_label(row['end'])}" if row["end"] > row["start"] else "")}] for row in moments.iter_rows(named=True)]
    return Block(kind="table", columns=columns, rows=rows, caption="", note=f"「{PLAIN}」：这段时间没有触点，日子由抽签分散。")


def _segment(names: list[str], row: dict) -> str:
    if len(names) == 1:
        return level_title(names[0], str(row[names[0]]))
    return level_title(CROSSED.join(names), CROSSED.join(str(row[name]) for name in names))


def _spared(cells: pl.DataFrame) -> str:
    held = (cells["held_out"].sum() if "held_out" in cells.columns else 0) or 0
    kept = f"{theme.people_text(held)}抽作对照，从不邀请；" if held else ""
    return f"{kept}不愿被打扰的、近期问过的不邀请。"


def _answers(expected: float) -> str:
    return "不到 1 位" if 0 < expected < 1 else f" {theme.count_text(expected)} 位"


def _one(size: pl.DataFrame) -> dict:
    if size.height != 1:
        raise ValueError(f"这句话要一行 probe_size 的结果，这里有 {size.height} 行。")
    return size.row(0, named=True)


def _margin(value: float, unit: str) -> str:
    return theme.points_text(value) if unit == "share" else theme.score_text(value)


def _span(row: dict, unit: str) -> str:
    low, high = (row["conf_low"], row["conf_high"]) if unit != "share" else (max(0.0, row["conf_low"]), min(1.0, row["conf_high"]))
    return f"{theme.number_text(low, unit)}～{theme.number_text(high, unit)}"


def _odds(odds_ratio: float) -> str:
    if odds_ratio == 1:
        return "若回答与否同满意度无关"
    return f"若满意度每差一个标准差，回答的优势（odds）最多差到 {odds_ratio:g} 倍"
