"""Branch survey after a visit: one workbook a quarter, two lines above the header, NPS, CSAT, CES, blank lines and a total."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

from voc_lib.sample.customers import Frame, ces_of, csat_of, nps_of
from voc_lib.sample.exports import Stage, by_quarter, in_order
from voc_lib.sample.utterance import Said, Utterance
from voc_lib.sample.voice import PLAIN, Voice
from voc_lib.sample.workbook import write_workbook

VOICE = Voice(share=170, of_visits=True, anger=0.3, bad=-0.3, neutral=0.06, several=0.2, night=0, motives=PLAIN,
              systems=("网点", "柜台", "客户经理", "服务", "贷款", "理财", "账户", "大堂", "排队"))
HEADER = ("业务流水号", "办理日期", "分行", "城市", "网点", "业务", "客户号", "推荐意愿(0-10)", "总体满意度(1-5)", "办事省心(1-7)", "您的建议")
WORDLESS, BLANK_EVERY = 0.45, 80


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_quarter("branch_survey", "survey", "xlsx", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"BS{utterance.when:%Y%m%d}{number % 10**7:07d}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    answers = in_order(said)
    rows: list[tuple] = [("远山银行 网点服务满意度回访明细",), ("导出人：运营管理部（合成样例数据）",), HEADER]
    for at, one in enumerate(answers, 1):
        rows += [_row(one, stage)] + ([()] if at % BLANK_EVERY == 0 else [])
    rows.append((None, None, None, None, "合计", f"{len(answers)} 份"))
    write_workbook(path, "回访明细", rows)


def scores(visit: Utterance, dice: Random, frame: Frame) -> tuple[int, int, int]:
    """The answers to NPS, CSAT and CES."""
    felt = frame["satisfaction"][visit.who] + 0.35 * sum(point.polarity for point in visit.points) + dice.gauss(0, 0.25)
    return int(nps_of(felt)), int(csat_of(felt)), int(ces_of(felt))


def _row(one: Said, stage: Stage) -> tuple:
    visit, dice, frame = one.utterance, stage.dice(one.number), stage.frame
    (nps, csat, ces), asked = scores(visit, dice, frame), dice.random()
    city = frame.cast.cities[frame["city"][visit.who]]
    return (one.source_id, visit.when.date(), city.region + "分行", city.name, visit.slots["branch"], visit.slots["product"], frame.customer_id(visit.who),
            "不方便回答" if asked < 0.02 else f"{nps}分" if asked < 0.07 else nps, csat if dice.random() > 0.04 else None,
            ces if dice.random() > 0.1 else None, one.body if visit.truth or dice.random() > WORDLESS else None)
