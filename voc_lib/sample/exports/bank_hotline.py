"""The bank's hotline: JSON lines by account month as the carmaker's, with the menu chosen and the agent's summary; no vehicle."""

from __future__ import annotations

from pathlib import Path

from voc_lib.sample.exports import Stage, in_order, write_lines
from voc_lib.sample.exports.auto_hotline import RATED, ZONE, files, source_id, written_phone
from voc_lib.sample.identities import person_name
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import CALLING, Voice

VOICE = Voice(share=300, bad=1.0, anger=0.8, fresh=0.3, neutral=0.3, several=0.12, night=0.2, weekend=0.8, motives=CALLING)
MENUS = ("账户查询", "转账汇款", "信用卡", "贷款", "挂失", "投诉建议")
MISSING_PHONE = 0.03

__all__ = ["VOICE", "files", "source_id", "write"]


def write(path: Path, said: list[Said], stage: Stage) -> None:
    write_lines(path, (_row(one, stage) for one in in_order(said)))


def _row(one: Said, stage: Stage) -> dict:
    call, dice, frame = one.utterance, stage.dice(one.number), stage.frame
    city = frame.cast.cities[frame["city"][call.who]]
    return {
        "call_id": one.source_id, "start_time": call.when.isoformat() + ZONE,
        "phone": None if dice.random() < MISSING_PHONE else written_phone(stage.keys.phone_of(call.who), dice),
        "customer_no": frame.customer_id(call.who) if dice.random() < 0.7 else None, "customer_name": person_name(call.who), "menu": dice.choice(MENUS),
        "city": city.name, "region": city.region, "product": call.slots["product"], "summary": one.body,
        "turns": [{"who": speaker, "said": words} for speaker, words in one.turns], "wait_seconds": int(min(dice.expovariate(1 / 60), 1200)),
        "transfers": dice.choices((0, 1, 2), (70, 24, 6))[0], "csat": max(1, min(5, round(3.6 + call.mood + dice.gauss(0, 0.5)))) if dice.random() < RATED else None,
    }
