"""Truth 4: range in winter. Within every model Heilongjiang complains twice as often as Guangdong; overall Guangdong complains more, because
small electric cars sell in the south and hybrids in the north (a Simpson reversal). What drives it is heating, which telemetry shows.
"""

from __future__ import annotations

import numpy as np

from voc_lib.sample.crowd import weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting

TITLE = "冬季续航：黑龙江与广东，车型构成把结论颠倒过来"
DOMAIN = "auto"
LEAF, CODES = "续航-冬季-打折", ("电池续航-续航-缩水",)
KEPT = (LEAF,)
WINTER = (11, 12, 1, 2, 3)
A_WINTER = {"E3": 0.16, "A7": 0.05, "S5": 0.012}   # share of owners who complain in a winter, at the usual heating
USUAL_HEATING, STEP = 0.15, 2.6                    # odds by heating: from Guangdong (.07) to Heilongjiang (.34) they double
WINTER_WEEKS = 21.5
COLD, WARM = "黑龙江", "广东"
CHANNELS = {"hotline": 4, "car_forum": 5, "complaint_site": 2, "in_car": 3, "online_chat": 3, "microblog": 3, "dealer_notes": 1}


def plant(stage, speaking) -> Planting:
    frame, world = stage.frame, stage.world
    codes = [product.code for product in frame.cast.products]
    chance = np.array([A_WINTER[code] for code in codes])[frame["product"]] * np.exp(STEP * (frame["heating"] - USUAL_HEATING)) / WINTER_WEEKS
    provinces = np.array([city.province for city in frame.cast.cities])[frame["city"]]
    weeks_owned, complained = np.zeros(len(frame)), np.zeros(len(frame), dtype=int)
    bad = (Point(LEAF, -1),)

    def say(week):
        if week.day(3).month not in WINTER:
            return
        on = frame.in_use(week.monday)
        weeks_owned[on] += 1
        who = np.flatnonzero(on & (world.stream("winter_range", week.label).random(len(frame)) < chance))
        complained[who] += 1
        # Autumn by the calendar, winter by the thermometer.
        yield from weekly(stage, speaking, "winter_range", week, who.tolist(), CHANNELS, bad, slots={"season": "冬"})

    def close() -> dict:
        def rates(province: str) -> dict:
            here = provinces == province
            each = {code: here & (frame["product"] == at) for at, code in enumerate(codes)}
            return {name: {"owners": int((which & (weeks_owned > 0)).sum()), "complaints": int(complained[which].sum()), "owner_winters": round(float(weeks_owned[which].sum()) / WINTER_WEEKS, 1),
                           "per_winter": round(float(complained[which].sum() / max(weeks_owned[which].sum() / WINTER_WEEKS, 1e-9)), 4)} for name, which in (("all", here), *each.items())}
        loud = complained > 0
        heard, silent = (loud & (weeks_owned > 0)), (~loud & (weeks_owned > 0))
        return {"provinces": {COLD: rates(COLD), WARM: rates(WARM)},
                "heating": {"complained": round(float(frame["heating"][heard].mean()), 4) if heard.any() else None, "silent": round(float(frame["heating"][silent].mean()), 4) if silent.any() else None}}

    winters = [week.label for week in world.calendar if week.day(3).month in WINTER]
    return Planting({"title": TITLE, "leaves": [LEAF], "codes": list(CODES), "a_winter": A_WINTER, "odds_by_heating": STEP, "weeks": winters,
                     "begins": next((week.label for week in world.calendar[-12:] if week.day(3).month in WINTER), None)}, say, close=close)
