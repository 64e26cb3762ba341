"""Truth 3: brakes of one supplier, built in some months and driven in one region, squeal four times as often. Age raises everybody's risk.

Claims carry VIN, batch and supplier; the vehicles in use stand in exposure/. The crude rate is confounded by age: compare within batches.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from voc_lib.sample.crowd import weekly
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting
from voc_lib.sample.world import EVENT_WEEKS

TITLE = "刹车片尖叫：一家供应商的几批件，在一个大区，风险四倍"
DOMAIN = "auto"
LEAF, CODES = "制动-刹车片-尖叫", ("制动-刹车-异响",)
KEPT = (LEAF,)
RISK = 4.0
BASE = 0.004            # claims a vehicle-month of a new car
AGE_STEP = 0.03         # more of it for every month of age
SUPPLIER, REGION = 1, "华东"
BUILT = (600, 270)      # days before the last day between which the bad parts were built in
SPEAKS = 0.3            # of those with a claim, who also say so
ALSO = {"hotline": 3, "car_forum": 2, "complaint_site": 2, "online_chat": 2, "dealer_notes": 2}
WEEKS_A_MONTH = 365.25 / 12 / 7


def plant(stage, speaking) -> Planting:
    world, frame = stage.world, stage.frame
    last = world.last.toordinal()
    regions = np.array([city.region for city in frame.cast.cities])[frame["city"]]
    first = date.fromordinal(last - BUILT[0]).replace(day=1).toordinal()                       # whole months: a batch is a month
    end = date.fromordinal(last - BUILT[1]).replace(day=1).toordinal()
    affected = (frame["supplier"] == SUPPLIER) & (regions == REGION) & (frame["made"] >= first) & (frame["made"] < end)
    tally = {"affected": [0, 0.0], "others": [0, 0.0]}
    bad = (Point(LEAF, -1),)

    def say(week):
        on = frame.in_use(week.day(3))
        age = np.maximum((week.day(3).toordinal() - frame["bought"]) / 30.4, 0)
        risk = BASE / WEEKS_A_MONTH * (1 + AGE_STEP * age)
        hot = affected & (week.left < EVENT_WEEKS)
        claims = np.flatnonzero(on & (world.stream("brake_batch", week.label).random(len(frame)) < risk * np.where(hot, RISK, 1.0)))
        if week.left < EVENT_WEEKS:
            for name, which in (("affected", affected), ("others", ~affected)):
                tally[name][0] += int(which[claims].sum())
                tally[name][1] += float((on & which).sum()) / WEEKS_A_MONTH
        for part, which in (("affected", claims[hot[claims]]), ("usual", claims[~hot[claims]])):
            yield from weekly(stage, speaking, "brake_batch", week, which.tolist(), {"warranty": 1}, bad, part, extra={"claim": True})
            talk = world.stream("brake_batch", "talk", week.label, part).random(len(which)) < SPEAKS
            yield from weekly(stage, speaking, "brake_batch", week, which[talk].tolist(), ALSO, bad, part + "_says")

    def close() -> dict:
        return {"vehicle_months": {name: round(months, 1) for name, (_, months) in tally.items()}, "claims": {name: claims for name, (claims, _) in tally.items()}}

    return Planting({
        "title": TITLE, "leaves": [LEAF], "codes": list(CODES), "relative_risk": RISK, "base_per_vehicle_month": BASE, "age_step": AGE_STEP,
        "supplier": frame.cast.suppliers[SUPPLIER], "region": REGION, "built_from": str(date.fromordinal(first)), "built_before": str(date.fromordinal(end)),
        "vehicles": int((affected & frame.in_use(world.last)).sum()), "begins": world.back(EVENT_WEEKS - 1).label,
        "weeks": [week.label for week in world.calendar[-EVENT_WEEKS:]], "first_day": str(world.back(EVENT_WEEKS - 1).monday), "last_day": str(world.last + timedelta(0)),
    }, say, close=close)
