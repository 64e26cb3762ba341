"""Customer hotline: JSON lines by account month (21st to 20th), with speaker turns, seconds waited, transfers; the agent's summary."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from voc_lib.sample.exports import Stage, in_order, write_lines
from voc_lib.sample.identities import person_name
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import CALLING, Voice

VOICE = Voice(share=60, bad=1.1, anger=0.8, fresh=0.35, neutral=0.25, several=0.15, night=0.15, weekend=0.7, motives=CALLING)
CATEGORIES = {-1: "故障报修", 0: "咨询", 1: "表扬"}
MISSING_PHONE, KNOWN_VIN, RATED, DROPPED = 0.04, 0.4, 0.22, 0.012
ZONE = "+08:00"


def files(day: date) -> tuple[tuple[str, date], ...]:
    """By account month: the 21st belongs to the next."""
    month = (day.replace(day=1) + timedelta(days=32)).replace(day=1) if day.day > 20 else day.replace(day=1)
    return ((f"hotline/calls_{month:%Y-%m}.jsonl", month.replace(day=20)),)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"CC{utterance.when:%Y%m%d}{number % 10**8:08d}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    rows = [_row(one, stage) for one in in_order(said)]
    write_lines(path, rows)


def _row(one: Said, stage: Stage) -> dict:
    call, dice = one.utterance, stage.dice(one.number)
    frame, who = stage.frame, call.who
    city = frame.cast.cities[frame["city"][who]]
    shown = call.extra.get("phone") or stage.keys.phone_of(who)
    claims = call.worst < 0 and call.motive == "claim"
    waited = int(min(dice.expovariate(1 / 45) * (1.6 if call.when.hour in (9, 10, 14) else 1), 900))
    happy = dice.random() < RATED
    return {
        "call_id": one.source_id, "start_time": call.when.isoformat() + ZONE,
        "phone": None if dice.random() < MISSING_PHONE and not call.truth else written_phone(shown, dice),
        "vin": stage.keys.vin_of(who) if dice.random() < KNOWN_VIN or call.extra.get("keyed") else None,
        "customer_name": person_name(who), "product": call.slots["product"], "dealer": call.slots["dealer"] if dice.random() < 0.8 else None,
        "city": city.name, "region": city.region + ("大区" if dice.random() < 0.4 else ""),
        "category": "投诉" if claims else CATEGORIES[call.worst if call.worst < 0 else max((p.polarity for p in call.points), default=0)],
        "summary": one.body, "turns": [{"who": speaker, "said": words} for speaker, words in one.turns],
        "wait_seconds": waited, "transfers": dice.choices((0, 1, 2, 3), (72, 20, 6, 2))[0],
        "csat": max(1, min(5, round(3.6 + call.mood + dice.gauss(0, 0.5)))) if happy else None,
    }


def written_phone(phone: str, dice) -> str:
    """A number as systems and agents write it."""
    how = dice.random()
    if how < 0.75:
        return phone
    return f"{phone[:3]}-{phone[3:7]}-{phone[7:]}" if how < 0.85 else f"{phone[:3]} {phone[3:7]} {phone[7:]}" if how < 0.93 else f"+86{phone}"
