"""Warranty claims and repair orders: Parquet by month, with VIN, batch, supplier, labour and parts; the complaint and what the shop found."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from voc_lib.sample.customers import day_of
from voc_lib.sample.exports import Stage, by_month, in_order
from voc_lib.sample.orders import order_phone
from voc_lib.sample.utterance import Said
from voc_lib.sample.voice import PLAIN, Voice

VOICE = Voice(share=50, of_visits=True, bad=9.0, neutral=0.0, several=0.1, night=0.0, motives=PLAIN,
              systems=("空调", "钥匙", "制动", "方向盘", "转向", "底盘", "悬架", "车机", "座椅", "车身", "电池", "续航", "充电", "动力", "电机", "内饰", "外观", "车灯", "音响", "天窗", "车门", "轮胎", "电气"))
SCHEMA = {
    "claim_no": pl.String, "order_no": pl.String, "claim_date": pl.Date, "vin": pl.String, "phone": pl.String, "model": pl.String, "variant": pl.String,
    "built": pl.Date, "sold": pl.Date, "mileage_km": pl.Int32, "batch": pl.String, "brake_supplier": pl.String, "dealer": pl.String, "province": pl.String, "city": pl.String,
    "part": pl.String, "text": pl.String, "kind": pl.String, "labour_yuan": pl.Int32, "parts_yuan": pl.Int32,
}


def files(day: date) -> tuple[tuple[str, date], ...]:
    return by_month("warranty", "claims", "parquet", day)


def source_id(number: int, utterance, body, title, stage) -> str:
    return f"WC{utterance.when:%y%m}{number % 10**9:09d}"


def write(path: Path, said: list[Said], stage: Stage) -> None:
    rows = [_row(one, stage) for one in in_order(said)]
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(path, compression="zstd", statistics=False)


def _row(one: Said, stage: Stage) -> tuple:
    claim, dice, frame, who = one.utterance, stage.dice(one.number), stage.frame, one.utterance.who
    city, product = frame.cast.cities[frame["city"][who]], frame.cast.products[frame["product"][who]]
    part = claim.points[0].leaf.split("-")[1] if claim.points else ""
    return (one.source_id, f"RO{claim.when:%Y%m%d}{one.number // 11 % 10**7:07d}", claim.when.date(), stage.keys.vin_of(who), order_phone(stage, who, one.number),
            product.name, product.variants[frame["variant"][who]], day_of(frame["made"][who]), day_of(frame["bought"][who]), int(claim.slots["mileage"]),
            batch_of(frame, who), frame.cast.suppliers[frame["supplier"][who]], claim.slots["dealer"], city.province, city.name, part, one.body,
            "索赔" if claim.extra.get("claim") or dice.random() < 0.7 else "付费维修", dice.randrange(80, 900, 10), int(dice.paretovariate(1.2) * 120) % 20_000)


def batch_of(frame, who: int) -> str:
    """The production batch: product and the month in which the car was built."""
    built = day_of(frame["made"][who])
    return f"{frame.cast.products[frame['product'][who]].code}-{built:%y%m}"
