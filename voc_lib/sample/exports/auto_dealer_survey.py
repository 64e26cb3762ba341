"""Dealer survey after a visit: one workbook a quarter with two lines above the header, NPS, CSAT and CES, blank lines and a total at the end."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

from voc_lib.sample.customers import Frame, ces_of, csat_of, nps_of
from voc_lib.sample.exports import Stage, by_quarter, in_order
from voc_lib.sample.identities import person_name
from voc_lib.sample.orders import order_number, order_phone
from voc_lib.sample.utterance import Said, Utterance
from voc_lib.sample.voice import PLAIN, Voice
from voc_lib.sample.workbook import write_workbook

VOICE = Voice(share=60, of_visits=True, anger=0.3, bad=-0.4, neutral=0.06, several=0.25, night=0, motives=PLAIN,
              systems=("售后", "服务", "维修", "保养", "门店", "销售", "配件", "经销商", "交付", "空调", "制动", "底盘", "车机", "座椅", "续航", "充电"))
HEADER = ("工单号", "进店日期", "大区", "城市", "经销商", "车型", "客户姓名", "手机号", "推荐意愿(0-10)", "总体满意度(1-5)", "办事省心(1-7)", "您还有什么想说的")
WORDLESS = 0.4   # answer the scores and write nothing
URGED = 0.25     # the shop asked for a ten
BLANK_EVERY = 60


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_quarter("dealer_survey", "survey", "xlsx", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return order_number(number, utterance.when)


def write(path: Path, said: list[Said], stage: Stage) -> None:
    answers = in_order(said)
    rows: list[tuple] = [("星澜汽车 售后服务满意度回访明细",), (f"导出条件：{answers[0].utterance.when:%Y-%m-%d} 至 {answers[-1].utterance.when:%Y-%m-%d}　导出人：客户关系部（合成样例数据）",), HEADER]
    for at, one in enumerate(answers, 1):
        rows.append(_row(one, stage))
        if at % BLANK_EVERY == 0:
            rows.append(())
    rows.append((None, None, None, None, "合计", f"{len(answers)} 份"))
    write_workbook(path, "回访明细", rows)


def scores(visit: Utterance, dice: Random, frame: Frame) -> tuple[int, int, int]:
    """The answers to NPS, CSAT and CES."""
    felt = frame["satisfaction"][visit.who] + 0.35 * (sum(point.polarity for point in visit.points)) + dice.gauss(0, 0.25)
    return 10 if dice.random() < URGED and felt > -0.6 else int(nps_of(felt)), int(csat_of(felt)), int(ces_of(felt))


def _row(one: Said, stage: Stage) -> tuple:
    visit, dice, frame = one.utterance, stage.dice(one.number), stage.frame
    nps, csat, ces = scores(visit, dice, frame)
    asked = dice.random()
    told = "不方便回答" if asked < 0.02 else f"{nps}分" if asked < 0.07 else nps
    city = frame.cast.cities[frame["city"][visit.who]]
    product = visit.slots["product"]
    phone = order_phone(stage, visit.who, one.number)
    words = one.body if visit.truth or dice.random() > WORDLESS else None
    return (one.source_id, visit.when.date(), city.region, city.name, visit.slots["dealer"], product if dice.random() < 0.6 else product[-2:], person_name(visit.who),
            int(phone) if dice.random() < 0.15 else phone + (" " if dice.random() < 0.05 else ""), told,
            csat if dice.random() > 0.04 else None, ces if dice.random() > 0.1 else None, words)
