"""What the front desk writes down: a workbook a month, in the adviser's shorthand, with the adviser's name and the kind of contact."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from voc_lib.sample.exports import Stage, by_month, in_order, letters
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import PLAIN, Voice
from voc_lib.sample.words import SURNAMES
from voc_lib.sample.workbook import write_workbook

VOICE = Voice(share=30, of_visits=True, bad=0.7, neutral=0.15, several=0.35, night=0.05, motives=PLAIN)
HEADER = ("记录编号", "登记时间", "经销商", "大区", "城市", "客户编号", "车型", "接触方式", "登记人", "客户反映")


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("dealer_notes", "notes", "xlsx", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"DN{utterance.when:%y%m}-{letters(number, 8)}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    write_workbook(path, "一线记录", [HEADER, *(_row(one, stage) for one in in_order(said))])


def _row(one: Said, stage: Stage) -> tuple:
    note, dice, frame = one.utterance, stage.dice(one.number), stage.frame
    city = frame.cast.cities[frame["city"][note.who]]
    clerk = SURNAMES[int(frame["shop"][note.who]) * 11 % len(SURNAMES)] + dice.choice(("工", "顾问", "主管"))
    return (one.source_id, note.when.strftime("%Y-%m-%d %H:%M"), note.slots["dealer"], city.region, city.name, frame.customer_id(note.who) if dice.random() < 0.85 or note.extra.get("keyed") else None,
            note.slots["product"], dice.choice(("到店", "到店", "电话", "微信群", "试驾")), clerk, one.body)
