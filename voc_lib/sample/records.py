"""What the company's own systems hold beside words: CRM, touchpoints, telemetry, accounts, vehicles in use (the denominators). Written month by month."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.sample.bindings import Bindings
from voc_lib.sample.customers import NEVER
from voc_lib.sample.exports import Stage, month_end
from voc_lib.sample.exports.bank_app_behaviour import write_month
from voc_lib.sample.orders import order_number, order_phone
from voc_lib.sample.utterance import Said
from voc_lib.sample.world import SEASONS, Week

BOUND_APP, BOUND_FORUM = 0.55, 0.3  # share of customers whose account the CRM knows
SCHEMA = {"customer_id": pl.String, "day": pl.Date, "kind": pl.String, "order_no": pl.String, "phone": pl.String, "dealer": pl.String, "value": pl.Float64, "note": pl.String}


class Book:
    """Collects visits and claims of a month and writes the month's files when it is over."""

    def __init__(self, stage: Stage, out: Path, asked: frozenset[tuple[str, int]] = frozenset()) -> None:
        self.stage, self.frame, self.out = stage, stage.frame, out
        self.rows: list[list] = []
        self.visit: dict[tuple[str, date], list] = {}  # of this week
        self.months, self.quarters = list(stage.world.months), list(stage.world.quarters)
        self.bindings = Bindings(stage, asked) if stage.world.domain == "auto" else None
        cast = stage.frame.cast
        self.ids = pl.select(pl.lit(cast.id_prefix) + pl.int_range(len(stage.frame)).cast(pl.String).str.zfill(8)).to_series()
        self.shops, self.products = np.array([shop for _, shop in cast.shops]), np.array([product.name for product in cast.products])

    def visits(self, week: Week, visits: tuple[np.ndarray, np.ndarray]) -> None:
        """Service visits (branch visits of a bank), with the phone that the front desk typed."""
        stage, frame = self.stage, self.frame
        stream = stage.world.stream("orders", week.label)
        numbers = stream.integers(0, 2**62, len(visits[0]))
        amounts = np.round(np.exp(stream.normal(6.3, 0.8, len(visits[0]))))
        days = [week.day(weekday) for weekday in range(7)]
        self.visit = {}
        for who, weekday, number, amount in zip(visits[0].tolist(), visits[1].tolist(), numbers.tolist(), amounts.tolist(), strict=True):
            day = days[weekday]
            row = [frame.customer_id(who), day, "进店", order_number(number, day), order_phone(stage, who, number), str(self.shops[frame["shop"][who]]), amount, None]
            self.rows.append(row)
            self.visit[row[0], day] = row

    def take(self, said: Said) -> None:
        """A warranty claim is a touchpoint too; a survey asks about a visit, under its order; who complains in public may be asked for the phone."""
        one = said.utterance
        if self.bindings:
            self.bindings.take(one)
        if one.channel == "dealer_survey" and (row := self.visit.get((self.frame.customer_id(one.who), one.when.date()))):
            row[3:5] = said.source_id, order_phone(self.stage, one.who, said.number)
        if one.channel == "warranty":
            self.rows.append([self.frame.customer_id(one.who), one.when.date(), "索赔", said.source_id, None, one.slots["dealer"], None, one.points[0].leaf.split("-")[1] if one.points else None])

    def close(self, week: Week) -> None:
        """Write what is complete: months that ended, quarters that began."""
        world = self.stage.world
        last = week.left == 0
        while self.quarters and self.quarters[0] <= week.day(6):
            self._crm(self.quarters.pop(0))
        while self.months and (last or month_end(self.months[0]) < week.day(7)):
            month = self.months.pop(0)
            self._touchpoints(month)
            self._exposure(month)
            if self.bindings:
                self._telemetry(month)
                self.bindings.write(month, self.out)
            else:
                write_month(month, self.stage, self.ids, self.out)

    def _write(self, folder: str, month: date, frame: pl.DataFrame) -> None:
        path = self.out / folder
        path.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path / f"{folder}_{month:%Y-%m}.parquet", compression="zstd", statistics=False)

    def _touchpoints(self, month: date) -> None:
        end = month_end(month)
        mine = [row for row in self.rows if row[1] <= end]
        self.rows = [row for row in self.rows if row[1] > end]
        frame, kinds = self.frame, [pl.DataFrame(mine, schema=SCHEMA, orient="row")]
        bought = "购车" if self.stage.world.domain == "auto" else "开户"
        for kind, column in ((bought, "bought"), ("流失", "churned"), ("复购", "repurchased")):
            who = np.flatnonzero((frame[column] >= month.toordinal()) & (frame[column] <= end.toordinal()))
            kinds.append(self._events(who, frame[column][who], kind))
        for release in self.stage.facts.software:
            if month <= release.day <= end:
                who = np.flatnonzero(frame.in_use(release.day))
                wait = self.stage.world.stream("ota", release.version).exponential(4, len(who)).astype(int)
                kinds.append(self._events(who, release.day.toordinal() + wait, "OTA" if bought == "购车" else "系统升级", note=release.version))
        active = np.flatnonzero(frame.in_use(month) & (frame["app_days"] > 0))
        kinds.append(self._events(active, np.full(len(active), end.toordinal()), "应用活跃", value=frame["app_days"][active].astype(float)))
        self._write("touchpoints", month, pl.concat(kinds).sort("day", "customer_id", "kind", "order_no", maintain_order=True))

    def _events(self, who: np.ndarray, ordinals: np.ndarray, kind: str, value: np.ndarray | None = None, note: str | None = None) -> pl.DataFrame:
        return pl.DataFrame({
            "customer_id": self.ids[who.tolist()] if len(who) else pl.Series([], dtype=pl.String), "day": days_of(ordinals), "kind": [kind] * len(who),
            "order_no": pl.Series([None] * len(who), dtype=pl.String), "phone": pl.Series([None] * len(who), dtype=pl.String),
            "dealer": self.shops[self.frame["shop"][who]].tolist(), "value": pl.Series(value if value is not None else [None] * len(who), dtype=pl.Float64),
            "note": pl.Series([note] * len(who), dtype=pl.String),
        }, schema=SCHEMA)

    def _exposure(self, month: date) -> None:
        """In use in the middle of the month: product x region x batch x supplier, with the age in months summed."""
        frame, middle = self.frame, month + timedelta(days=14)
        on = np.flatnonzero(frame.in_use(middle))
        regions = np.array([city.region for city in frame.cast.cities])
        rows = pl.DataFrame({
            "product": self.products[frame["product"][on]], "region": regions[frame["city"][on]], "built": days_of(frame["made"][on]),
            "supplier": np.array(frame.cast.suppliers)[frame["supplier"][on]], "months": (middle.toordinal() - frame["bought"][on]) // 30,
        }).with_columns(pl.col("product").str.tail(2) + "-" + pl.col("built").dt.strftime("%y%m")) if self.stage.world.domain == "auto" else None
        if rows is None:
            rows = pl.DataFrame({"product": self.products[frame["product"][on]], "region": regions[frame["city"][on]]})
            counted = rows.group_by("product", "region").agg(pl.len().alias("in_use")).sort("product", "region")
        else:
            rows = rows.rename({"product": "batch"}).with_columns(("星澜" + pl.col("batch").str.head(2)).alias("product"))
            counted = rows.group_by("product", "region", "batch", "supplier").agg(pl.len().alias("in_use"), pl.col("months").sum().alias("age_months")).sort("product", "region", "batch", "supplier")
        self._write("exposure", month, counted.with_columns(pl.lit(month).alias("month")))

    def _telemetry(self, month: date) -> None:
        frame = self.frame
        on = np.flatnonzero(frame.in_use(month))
        stream = self.stage.world.stream("telemetry", month)
        cold = SEASONS[month.month] == "冬"
        heating = np.clip(frame["heating"][on] * (1 if cold else 0.12) + stream.normal(0, 0.015, len(on)), 0, 0.8)
        self._write("telemetry", month, pl.DataFrame({
            "customer_id": self.ids[on.tolist()], "km": np.round(frame["km_month"][on] * stream.uniform(0.7, 1.3, len(on))).astype(np.int32), "heating_share": heating.round(4),
            "fast_charge_share": np.clip(frame["fast"][on] + stream.normal(0, 0.03, len(on)), 0, 1).round(4), "charges": stream.poisson(6, len(on)).astype(np.int32),
        }))

    def _crm(self, start: date) -> None:
        """The frame as of the quarter's first day; who left stays in it."""
        frame, keys, world = self.frame, self.stage.keys, self.stage.world
        known = np.flatnonzero(frame["bought"] <= start.toordinal())
        cities = frame.cast.cities
        city = frame["city"][known]
        variants = [product.variants for product in frame.cast.products]
        left = np.where(frame["churned"][known] <= start.toordinal(), frame["churned"][known], NEVER)
        again = np.where(frame["repurchased"][known] <= start.toordinal(), frame["repurchased"][known], NEVER)
        account = frame["account"][known]
        pick = known.tolist()
        columns = {
            "客户编号": self.ids[pick], "手机号": pl.Series(keys.phone[known]).cast(pl.String),
            "App账号": pl.Series(np.where(account < BOUND_APP, 1, 0)).cast(pl.Boolean), "论坛账号": pl.Series(np.where(account * 7 % 1 < BOUND_FORUM, 1, 0)).cast(pl.Boolean),
            "大区": np.array([c.region for c in cities])[city], "省份": np.array([c.province for c in cities])[city], "城市": np.array([c.name for c in cities])[city],
            "城市级别": np.array([c.tier for c in cities])[city], "产品": self.products[frame["product"][known]],
            "版本": [variants[p][v] for p, v in zip(frame["product"][known].tolist(), frame["variant"][known].tolist(), strict=True)],
            "购买月份": days_of(frame["bought"][known]).dt.strftime("%Y-%m"), "门店": self.shops[frame["shop"][known]],
            "年龄": frame["age"][known], "年消费": frame["spend"][known], "月活跃天数": frame["app_days"][known], "近一年进店": np.round(frame["visits"][known]).astype(np.int32),
            "流失日期": days_of(left), "复购日期": days_of(again), "截至": [str(start)] * len(known),
        }
        if world.domain == "auto":
            columns["VIN"] = keys.vins[keys.vin_owner[known].tolist()]
            columns["月均里程"] = frame["km_month"][known]
        table = pl.DataFrame(columns)
        numbers = pl.Series(pick, dtype=pl.Int64)
        for column, platform in (("App账号", "app_store"), ("论坛账号", "car_forum")):
            table = table.with_columns(pl.when(pl.col(column)).then(account_numbers(keys, platform, numbers)).alias(column))
        path = self.out / "crm"
        path.mkdir(parents=True, exist_ok=True)
        table.write_csv(path / f"customers-{start.year}Q{(start.month - 1) // 3 + 1}.csv", include_bom=True)


def days_of(ordinals: np.ndarray) -> pl.Series:
    """Ordinals as days; NEVER as null."""
    days = np.asarray(ordinals, dtype=np.int64) - date(1970, 1, 1).toordinal()
    series = pl.Series(days.astype(np.int32)).cast(pl.Date)
    return pl.select(pl.when(pl.Series(np.asarray(ordinals) < NEVER)).then(series)).to_series()


def account_numbers(keys, platform: str, numbers: pl.Series) -> pl.Series:
    """Accounts of many authors at once, as `Keys.account` gives them one at a time."""
    return pl.Series([keys.account(platform, number) for number in numbers.to_list()], dtype=pl.String)
