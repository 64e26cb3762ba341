"""Whether the correction holds, told and listed: behaviour held out of the weights, and channels that ought to agree once they are weighted."""

from __future__ import annotations

from voc_lib.measure.weighting.channel_agreement import Agreement
from voc_lib.measure.weighting.checks import Checked
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, note
from voc_lib.report.words import EVENT, channel_title, fact_title

VERDICTS = {"passed": "未发现矛盾", "failed": "校正检验未通过，只给区间", "undecided": "人太少，说不准"}
JUDGED = {"equivalent": "相符", "different": "不符", "undecided": "说不准"}
MOST_NAMED = 3
LARGE = 1000  # a Q from here on is told without decimals


def say_check(checked: Checked, names: dict[str, str] | None = None) -> Sentence:
    """The verdict first, then what was held out and how far the weighted speakers are from all customers. `names`: how a behaviour is called."""
    rows = checked.table.rows(named=True)
    told = list(dict.fromkeys((names or {}).get(row["behaviour"], fact_title(row["behaviour"])) for row in rows))
    behaviours = "、".join(told[:MOST_NAMED]) + (f"等 {theme.count_text(len(told))} 项" if len(told) > MOST_NAMED else "")
    if not rows or max(row["n"] for row in rows) < theme.FEWEST:
        return Sentence((VERDICTS["undecided"], "strong"), f"：说话的人{theme.SUPPRESSED}，校正无从检验。")
    held = f"留出{behaviours}不用来加权，再看加权后的说话者与全体客户差多少"
    if checked.verdict == "failed":
        worst = max((row for row in rows if row["verdict"] == "different"), key=lambda row: abs(row["after"]))
        return Sentence((VERDICTS["failed"], "worse"), f"。{held}：{_named(worst, names)}{_apart(worst['after'])}（90% 区间 {_span(worst)}），超过 {checked.bound:g} 个标准差（等效检验，equivalence test）。",
                        "权重没有补上与开口有关的差别，所以不给折算到全体的单一数字。")
    widest = max(rows, key=lambda row: abs(row["after"]))
    before = max(abs(row["before"]) for row in rows)
    if checked.verdict == "passed":
        return Sentence((VERDICTS["passed"], "better"), f"。{held}：最多差 {_size(widest['after'])} 个标准差，90% 区间都在 ±{checked.bound:g} 以内（等效检验，equivalence test）；加权前最多差 {_size(before)} 个。",
                        "没有矛盾不等于校正正确：沉默的人满不满意，没有一项行为能替他们回答。")
    unsure = max((row for row in rows if row["verdict"] == "undecided"), key=lambda row: abs(row["after"]))
    span = f"（90% 区间 {_span(unsure)}）" if theme.is_number(unsure["conf_low"]) else ""
    return Sentence((VERDICTS["undecided"], "strong"), f"。{held}：{_named(unsure, names)}{_apart(unsure['after'])}{span}，跨过了 {checked.bound:g} 个标准差的界限（等效检验，equivalence test），既不能说相符，也不能说不符。")


def say_verdict(checked: Checked) -> Sentence:
    """The verdict alone, for the head of a page."""
    return Sentence("校正检验（与全体客户都知道的行为对照）：", (VERDICTS[checked.verdict], {"passed": "better", "failed": "worse"}.get(checked.verdict, "strong")), "。")


def table_check(checked: Checked, names: dict[str, str] | None = None) -> Block:
    """What was held out, row by row: all customers, those heard, the weighted, the difference before and after, and the verdict. Few people are not shown."""
    if checked.table.is_empty():
        return note("没有留出检验的行为。")
    columns = [{"title": "留出的行为"}, *({"title": title, "tone": "number"} for title in ("全体客户", "听到的", "加权后", "加权前差", "加权后差")), {"title": "判断"}]
    rows = []
    for row in checked.table.iter_rows(named=True):
        said = {"text": _named(row, names), "tone": "strong"} | ({"small": "重新加权时不用它"} if row["remade"] else {})
        if row["n"] < theme.FEWEST:
            known = {"text": theme.score_text(row["population"]), "tone": "number"}
            rows.append([said, known, *[{"text": theme.SUPPRESSED, "tone": "suppressed"}] * 4, {"text": JUDGED["undecided"]}])
            continue
        span = {"small": _span(row)} if theme.is_number(row["conf_low"]) else {}
        rows.append([said, *({"text": _level(row, name), "tone": "number"} for name in ("population", "heard", "weighted")), {"text": theme.score_text(row["before"]), "tone": "number"},
                     {"text": theme.score_text(row["after"]), "tone": "number"} | span, {"text": JUDGED[row["verdict"]]}])
    return Block(kind="table", columns=columns, rows=rows, caption="", note=f"差以全体客户的标准差为单位，界限 {checked.bound:g}；小字为 90% 区间，整个在界限之内才算相符，整个在界限之外才算不符。")


def say_channel_agreement(agreement: Agreement, unit: str = "points", titles: dict[str, str] | None = None) -> Sentence:
    """Whether channels that ask the same still disagree after weighting, and what that suggests without proving it."""
    channels, figures = agreement.table, agreement.figures
    if agreement.verdict == "too_few":
        return Sentence("问同一个问题、加权后有数字的渠道" + ("只有一个" if channels.height else "一个也没有") + "，没有可比的。")
    if agreement.verdict == "agree":
        return Sentence(f"加权之后，{theme.count_text(channels.height)} 个渠道的回答", ("没有显出不一致", "strong"), "（Cochran’s Q）。渠道少、人少时只看得出大的差别，没有显出不等于一致。")
    top, bottom = (channels.sort("estimate", "channel", descending=[down, False]).row(0, named=True) for down in (True, False))
    extremes = f"最高的{channel_title(top['channel'], titles)} {theme.number_text(top['estimate'], unit)}，最低的{channel_title(bottom['channel'], titles)} {theme.number_text(bottom['estimate'], unit)}"
    if agreement.verdict == "too_small":
        return Sentence("加权之后，渠道之间的差别超出偶然（Cochran’s Q），但太小，不足为据：", extremes, "。")
    return Sentence("加权之后，", ("渠道之间仍不一致", "worse"), f"：{extremes}；彼此的差别里 {theme.share_text(figures['i2'])} 不是偶然（Cochran’s Q，I²）。",
                    "这提示、但不能证明，开口与否和满意度本身有关；也可能是问法或时机不同。")


def table_channel_agreement(agreement: Agreement, unit: str = "points", titles: dict[str, str] | None = None) -> Block:
    """Each channel's weighted figure, how far it lies from the mean over channels, and that mean with its interval."""
    if agreement.verdict == "too_few":
        return note("不到两个渠道有加权后的数字，没有可比的。")
    columns = [{"title": "渠道"}, *({"title": title, "tone": "number"} for title in ("加权后", "回答的人", "与平均差", "在平均里占"))]
    rows = []
    for row in agreement.table.iter_rows(named=True):
        named = {"text": channel_title(row["channel"], titles), "tone": "strong"}
        if row.get("n") is not None and row["n"] < theme.FEWEST:
            rows.append([named, {"text": theme.SUPPRESSED, "tone": "suppressed"}, *[{"text": theme.ABSENT, "tone": "number"}] * 3])
            continue
        rows.append([named, {"text": theme.number_text(row["estimate"], unit), "tone": "number"}, {"text": theme.people_text(row.get("n")), "tone": "number"},
                     {"text": _difference(row["apart"], unit), "tone": "number"}, {"text": theme.share_text(row["share"]), "tone": "number"}])
    found = agreement.figures
    low, high = ((max(0.0, found["conf_low"]), min(1.0, found["conf_high"])) if unit == "share" else (found["conf_low"], found["conf_high"]))
    told = (f"各渠道的平均 {theme.number_text(found['estimate'], unit)}（95% 区间 {theme.number_text(low, unit)}～{theme.number_text(high, unit)}，HKSJ）；"
            f"Q {theme.score_text(found['q']) if found['q'] < LARGE else theme.count_text(found['q'])}，自由度 {found['degrees']}，I² {theme.share_text(found['i2'])}。")
    return Block(kind="table", columns=columns, rows=rows, caption="", note=told)


def _level(row: dict, name: str) -> str:
    """A mean of a behaviour: of what happened or not, as a share."""
    return theme.share_text(row[name]) if row["behaviour"].startswith(EVENT) or row["level"] else theme.score_text(row[name])


def _named(row: dict, names: dict[str, str] | None) -> str:
    called = (names or {}).get(row["behaviour"], fact_title(row["behaviour"]))
    return f"{called}（{row['level']}）" if row["level"] else called


def _size(value: float) -> str:
    """Of a standardised difference; what is nearly nothing is not rounded to it."""
    return "不到 0.01" if abs(value) < 0.005 else f"{abs(value):.2f}"


def _apart(value: float) -> str:
    return f"{'高' if value > 0 else '低'} {abs(value):.2f} 个标准差" if abs(value) >= 0.005 else "几乎没有差"


def _span(row: dict) -> str:
    return f"{theme.score_text(row['conf_low'])}～{theme.score_text(row['conf_high'])}"


def _difference(value: float, unit: str) -> str:
    """With its sign; a share in points of a hundred."""
    if unit != "share":
        return theme.score_text(value)
    return ("−" if value <= -0.0005 else "") + theme.points_text(value) if abs(value) >= 0.0005 else "0"
