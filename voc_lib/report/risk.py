"""Who may go on: the list with what happened to its likes, how the scores held on newer days, and whether the list is better than none."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.analyses.risk import FEWEST_EVENTS, Risk
from voc_lib.report import theme
from voc_lib.report.blocks import SHORT_ID, Block, Sentence, note
from voc_lib.report.words import channel_title, code_name

OUTCOMES = {"climb": "走到更高一级", "churn": "流失"}
MOST = 20


def say_risk(risk: Risk) -> Sentence:
    """The verdict first: better than no list, 不比平均好, or too little to learn from."""
    told, figures = OUTCOMES[risk.outcome], risk.figures
    if risk.verdict == "too_few":
        return Sentence((f"{told}的太少，不建模型", "strong"), f"：可学的旧日子里 {theme.count_text(figures['taught'])} 次，可检验的新日子里 {theme.count_text(figures['events'])} 次，至少分别要 {FEWEST_EVENTS} 次和 {FEWEST_EVENTS // 2} 次。")
    auc = f"，排序 AUC {theme.score_text(figures['auc'])}" if theme.is_number(figures["auc"]) else ""  # none where all or none of the tested went on
    held = f"用较早的日子学、较新的日子检验：布里尔分数（Brier）与只报平均相比{_skill(figures['skill'])}（{_skill(figures['skill_low'])}～{_skill(figures['skill_high'])}）{auc}。"
    if risk.verdict == "no_better":
        return Sentence((f"{told}：不比平均好", "worse"), "。", held, "下面的名单只能当作随手抽查，不能当作谁更危险。")
    return Sentence((f"{told}：比平均好", "better"), "。", held, "名单上的每一档都写明同类里实际有几例。")


def table_risk(risk: Risk, titles: dict[str, str] | None = None, most: int = MOST) -> Block:
    """The list, likeliest first: who (pseudonymous), what, how many of the tested likes went on with the interval, and the reasons. Never a bare score."""
    if risk.verdict == "too_few":
        return note("没有名单：发生过的太少，列出来只是猜。")
    columns = [{"title": "谁"}, {"title": "什么事"}, {"title": "最近在"}, {"title": f"同档里{OUTCOMES[risk.outcome]}的", "tone": "number"}, {"title": "为什么排在前面"}]
    rows = [[{"text": row["person_id"][:SHORT_ID], "tone": "soft"}, {"text": code_name(row["code"]), "tone": "strong"}, {"text": channel_title(row["channel"], titles), "small": theme.day_label(row["last_at"])},
             {"text": f"{row['n']} 例中 {row['happened']} 例", "tone": "number", "small": f"{theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])}"},
             {"text": "；".join(row["reasons"]) or "没有特别的"}] for row in risk.listed.head(most).iter_rows(named=True)]
    remark = {"no_better": "不比平均好：排在前面不等于更危险。", "better": ""}[risk.verdict]
    return Block(kind="table", columns=columns, rows=rows, caption="", note=remark + f"一共 {theme.count_text(risk.listed.height)} 个，列出前 {min(most, risk.listed.height)} 个。" if rows else "现在没有还开着的事。")


def table_calibration(risk: Risk) -> Block:
    """How the scores held on newer days: what was said against what happened, group by group."""
    if risk.verdict == "too_few":
        return note("没有可以检验的分数。")
    columns = [{"title": "档"}, *({"title": title, "tone": "number"} for title in ("检验的例数", "人数", "模型说", "实际", "判断"))]
    rows = []
    for row in risk.calibration.iter_rows(named=True):
        inside = row["conf_low"] <= row["expected"] <= row["conf_high"]
        rows.append([{"text": f"第 {row['bin']} 档", "tone": "strong"}, {"text": theme.count_text(row["n"]), "tone": "number"}, {"text": theme.people_text(row["people"]), "tone": "number"}, {"text": theme.share_text(row["expected"]), "tone": "number"},
                     {"text": theme.share_text(row["share"]), "tone": "number", "small": f"{theme.share_text(row['conf_low'])}～{theme.share_text(row['conf_high'])}"}, {"text": "相符" if inside else "说高了" if row["expected"] > row["share"] else "说低了"}])
    return Block(kind="table", columns=columns, rows=rows, caption="", note=f"检验期里平时有 {theme.share_text(risk.calibration['happened'].sum() / risk.calibration['n'].sum())}；同一件事隔两周看一次，区间按人数算。")


def _skill(value: float) -> str:
    """How much better or worse than the average, in words; without a floor below."""
    if value < -1:
        return "差一倍以上"
    return f"{'好' if value > 0 else '差'} {theme.share_text(abs(value))}" if value else "不相上下"
