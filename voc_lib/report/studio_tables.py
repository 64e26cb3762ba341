"""分类工作台 as a page: the queue, the codes, the labels and how far they agree, as tables and sentences without a button."""

from __future__ import annotations

from itertools import groupby

import polars as pl

from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.edits import LABEL, UNDO
from voc_lib.enrich.labels import SUGGESTION, edit_lines
from voc_lib.enrich.suggestions import ENOUGH_LABELS, enough_labels
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, card, note
from voc_lib.report.words import code_name
from voc_lib.settings import settings
from voc_lib.store import Store

ACTION_WORDS = {"add_synonym": "加说法", "move": "移动说法", "merge": "合并编码", "rename": "改名", LABEL: "标注", UNDO: "撤销"}
DIFFERS = {"system": "系统不同", "code": "系统相同，编码不同", "rest": "主要编码相同，其余不同"}
# Landis & Koch (1977), doi:10.2307/2529310: names for a range, no more than that.
KAPPA_WORDS = ((0.8, "很好"), (0.6, "较好"), (0.4, "一般"), (0.2, "较弱"), (-1.0, "很弱"))
QUOTED = 90  # characters of a verbatim in a table
LAST = 12  # lines of the log on a page
BY_HAND = "在 JupyterLab 里打开这本笔记本，就能在这里点选；不开笔记本，用命令 "


def cards_studio(feedback: pl.DataFrame, queue: pl.DataFrame, labels: pl.DataFrame) -> list[dict]:
    """Four cards: unmapped feedback, terms to look at, feedback with a label, feedback that two analysts labelled; they open what `trace_studio` gives."""
    unmapped = feedback.filter(pl.col("codes").list.len() == 0).height
    share = f"占全部反馈的 {theme.share_text(unmapped / feedback.height)}" if feedback.height else ""
    twice = labels.group_by("feedback_id").len().filter(pl.col("len") > 1).height
    return [card("没有编码的反馈", unmapped, note=share, opens=True), card("待看的说法", queue.height, note="反复出现，还没有编码", opens=True),
            card("标过的反馈", labels["feedback_id"].n_unique(), opens=True), card("两人以上标过", twice, opens=True)]


def say_queue(queue: pl.DataFrame) -> Sentence:
    """The most distinctive terms of the queue."""
    if queue.is_empty():
        return Sentence("没有反复出现的未归类说法。")
    return Sentence("还没有编码、又说得最有特点的是", ("、".join(f"「{term}」" for term in queue["term"].head(3)), "strong"), "。")


def table_queue(queue: pl.DataFrame) -> Block:
    """Terms without a code, most distinctive first, each with the code it may belong to and a clause it stood in."""
    if queue.is_empty():
        return note("没有反复出现的未归类说法。")
    heads = [("说法", ""), ("未归类", "number"), ("已归类", "number"), ("最接近的编码", ""), ("例句", "")]
    rows = []
    for row in queue.iter_rows(named=True):
        near = {"text": code_name(row["nearest_code"]), "small": f"接近 {row['nearness']:.2f}"} if row["nearest_code"] else {"text": theme.ABSENT}
        rows.append([{"text": row["term"], "tone": "strong"}, few_text(row["unmapped"]), few_text(row["coded"]), near, {"text": row["example"], "tone": "soft"}])
    return Block(kind="table", columns=[{"title": title, "tone": tone} for title, tone in heads], rows=rows, caption="",
                 note=f"{BY_HAND}voc codes edit add_synonym。")


def few_text(count: int) -> dict:
    """A cell with a count of feedback; under ten the number is not told."""
    few = 0 < count < theme.FEWEST
    return {"text": f"不足{theme.FEWEST}条" if few else theme.count_text(count), "tone": "suppressed" if few else "number"}


def table_codes(lake: Store) -> Block:
    """The taxonomy by system: codes, phrases, patterns."""
    systems: dict[str, list] = {}
    for code in load_domain(settings().domains, lake.about["domain"]).taxonomy:
        systems.setdefault(code.system, []).append(code)
    rows = [[{"text": system, "tone": "strong"}, {"text": theme.count_text(len(codes))}, {"text": theme.count_text(sum(len(c.synonyms) for c in codes))},
             {"text": theme.count_text(sum(len(c.patterns) for c in codes))}] for system, codes in systems.items()]
    heads = [("系统", ""), ("编码", "number"), ("短语", "number"), ("搭配", "number")]
    return Block(kind="table", columns=[{"title": title, "tone": tone} for title, tone in heads], rows=rows, caption="", note=f"{BY_HAND}voc codes edit。")


def table_edits(lake: Store) -> Block:
    """The last lines of the edit log: when, who, what, why."""
    lines = edit_lines(settings().domains, lake.about["domain"])
    if not lines:
        return note("还没有人改过编码表，也没有人标注过。")
    columns = [{"title": title} for title in ("时间（UTC）", "谁", "做了什么", "内容", "原因")]
    rows = []
    for (is_label, *_), group in groupby(lines, key=lambda line: (line["action"] == LABEL, line["who"], line["at"][:10], line["stands"])):
        group = list(group)
        for line in group[:1] if is_label else group:
            what = f"{theme.count_text(len(group))} 条，最近一条：{edit_words(line)}" if is_label else edit_words(line)
            what += "" if line["stands"] else "（已撤销）"
            rows.append([{"text": line["at"][:16].replace("T", " ")}, {"text": line["who"]}, {"text": ACTION_WORDS[line["action"]], "tone": "strong"},
                         {"text": what}, {"text": line.get("why") or theme.ABSENT, "tone": "soft"}])
    more = f"日志共 {theme.count_text(len(lines))} 行；同一人一天里接连的标注合成一行。" if len(lines) > len(rows[:LAST]) else ""
    return Block(kind="table", columns=columns, rows=rows[:LAST], caption="", note=more)


def edit_words(line: dict) -> str:
    """What a line of the log did, read aloud.

    >>> edit_words({"action": "merge", "code": "空调-运转-异响", "to": "空调-出风-异响"})
    '空调·运转异响 → 空调·出风异响'
    """
    if line["action"] == UNDO:
        return line_words(line["undid"]) if "undid" in line else f"编号 {line['of']} 的一行"
    if line["action"] == LABEL:
        seen = "（接受建议）" if line.get("source") == SUGGESTION else ""
        return "、".join(code_name(code) for code in line["codes"]) + seen
    code = code_name(line["code"])
    to = f" → {code_name(line['to'])}" if line.get("to") else ""
    return f"{code}{to}：「{line['wording']}」" if line.get("wording") else f"{code}{to}"


def line_words(line: dict) -> str:
    """A line of the log with what it is: 合并编码 空调·运转异响 → 空调·出风异响."""
    return f"{ACTION_WORDS[line['action']]} {edit_words(line)}"


def say_agreement(agreed: pl.DataFrame) -> Sentence:
    """Each pair of analysts over all: how much they share, kappa with its interval, what it is called."""
    whole = agreed.filter(pl.col("system").is_null())
    if whole.is_empty():
        return Sentence("还没有两位分析师各自标过同一条反馈，谈不上一致不一致。请另一位用同样的抽签号，不看别人的结果，再标一遍。")
    return Sentence(*[piece for row in whole.iter_rows(named=True) for piece in _pair_words(row)])


def _pair_words(row: dict) -> list:
    few = f"不到 {theme.FEWEST} 条，先别下结论。" if row["n"] < theme.FEWEST else ""
    start = f"{row['first']}和{row['second']}都标过 {theme.count_text(row['n'])} 条，主要编码一致的占 {theme.share_text(row['agree_share'])}"
    if row["kappa"] is None:
        return [f"{start}；两人从头到尾只用了同一个编码，算不出 kappa。{few}"]
    return [f"{start}；扣除碰巧，", (f"kappa {_kappa_text(row)}", "strong"), f"，{kappa_word(row['kappa'])}。{few}"]


def kappa_word(kappa: float) -> str:
    """A name for a kappa.

    >>> kappa_word(0.4), kappa_word(0.41), kappa_word(-0.1)
    ('较弱', '一般', '很弱')
    """
    return next(word for least, word in KAPPA_WORDS if kappa > least or least == -1.0)


def _kappa_text(row: dict) -> str:
    return f"{theme.score_text(row['kappa'])}（{theme.score_text(row['conf_low'])}～{theme.score_text(row['conf_high'])}）"


def table_agreement(agreed: pl.DataFrame) -> Block:
    """`agreement` as a sentence over a table: over all and by system; Krippendorff's alpha where there are three analysts or more."""
    if agreed.is_empty():
        return note(say_agreement(agreed))
    several = len({*agreed["first"], *agreed["second"]}) > 2
    heads = [("系统", ""), ("两位", ""), ("都标过", "number"), ("提到", "number"), ("一致", "number"), ("kappa", "number"), ("算是", "")] + ([("全体 alpha", "number")] if several else [])
    rows = []
    for row in agreed.sort([pl.col("system").is_not_null(), -pl.col("named")], maintain_order=True).iter_rows(named=True):
        known = row["kappa"] is not None
        kappa = {"text": theme.score_text(row["kappa"]), "small": f"{theme.score_text(row['conf_low'])}～{theme.score_text(row['conf_high'])}"} if known else {"text": theme.ABSENT}
        cells = [{"text": row["system"] or "全部", "small": "" if row["system"] else "主要编码", "tone": "strong"}, {"text": f"{row['first']}、{row['second']}"}, {"text": theme.count_text(row["n"])},
                 {"text": theme.count_text(row["named"])}, {"text": theme.share_text(row["agree_share"])}, kappa, {"text": kappa_word(row["kappa"]) if known and row["named"] >= theme.FEWEST else "太少，难说", "tone": "soft"}]
        rows.append(cells + ([{"text": theme.score_text(row["alpha"])}] if several else []))
    return Block(kind="table", columns=[{"title": title, "tone": tone} for title, tone in heads], rows=rows, caption=str(say_agreement(agreed)),
                 note="每个系统问的是：这条反馈提没提到它；“提到”是至少一位认为提到的条数。命令 voc codes agreement 给出同样的数字。")


def table_disagreements(differing: pl.DataFrame, feedback: pl.DataFrame, most: int = 30) -> Block:
    """`disagreements` with the words they are about, the gravest first."""
    if differing.is_empty():
        return note("没有两人标得不同的反馈。")
    words = feedback.select("feedback_id", "verbatim")
    rows = [[{"text": cut(row["verbatim"])}, _given(row["first"], row["first_codes"]), _given(row["second"], row["second_codes"]), {"text": DIFFERS[row["differs"]], "tone": "soft"}]
            for row in differing.head(most).join(words, on="feedback_id", how="left", maintain_order="left").iter_rows(named=True)]
    columns = [{"title": title} for title in ("原话", "一位标的", "另一位标的", "差在哪里")]
    more = f"共 {theme.count_text(differing.height)} 条，这里列出 {most} 条。" if differing.height > most else ""
    return Block(kind="table", columns=columns, rows=rows, caption="", note=more)


def _given(who: str, codes: list[str]) -> dict:
    return {"text": "、".join(code_name(code) for code in codes), "small": who}


def cut(text: str | None, longest: int = QUOTED) -> str:
    """One line of a verbatim, cut."""
    plain = " ".join((text or "").split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def say_taught(labels: pl.DataFrame) -> Sentence:
    """Which codes have labels enough to learn from, and what is missing."""
    counts = enough_labels(labels)
    ready = counts.filter("enough").height
    if ready >= 2:
        return Sentence(f"标够 {ENOUGH_LABELS} 条的编码有 {theme.count_text(ready)} 个，推荐由它们学来：把握不到一半的，和标过的话不够像的，都不推荐。把握只是在这几个编码之间比。")
    nearest = "、".join(f"{code_name(row['code'])}（{theme.count_text(row['labels'])} 条）" for row in counts.head(3).iter_rows(named=True))
    have = f"现在标得最多的是{nearest}。" if nearest else "现在一条也没有。"
    return Sentence(f"要有两个编码各标够 {ENOUGH_LABELS} 条、几位标的又一致，才能照标注推荐。{have}")


def table_suggestions(suggested: pl.DataFrame, labels: pl.DataFrame) -> Block:
    """Unmapped feedback with the code that labels suggest and how sure that is; without any, why."""
    if suggested.is_empty():
        none = "没有一条推荐得有把握。" if enough_labels(labels).filter("enough").height >= 2 else ""
        return note(f"{say_taught(labels)}{none}")
    heads = [("原话", ""), ("像是", ""), ("把握", "number"), ("标过的最像它的", "")]
    rows = [[{"text": cut(row["text"])}, {"text": code_name(row["code"]), "tone": "strong"}, {"text": theme.share_text(row["confidence"])},
             {"text": cut(row["nearest"], 40), "small": f"相像 {row['nearness']:.2f}", "tone": "soft"}]
            for row in suggested.iter_rows(named=True)]
    return Block(kind="table", columns=[{"title": title, "tone": tone} for title, tone in heads], rows=rows, caption="",
                 note=f"{say_taught(labels)}{BY_HAND}voc codes suggest。")
