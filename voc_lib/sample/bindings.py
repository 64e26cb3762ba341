"""Which account belongs to which phone or car, as the company's own systems hold it: bindings/bindings-YYYY-MM.csv, written month by month.

A car's screen is activated when the car is bought; who complains in public is asked for the phone by private message, and some give it.
Accidents: a phone mistyped, and one account under which a shop's employee registered many customers.
"""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np

from voc_lib.sample.customers import day_of
from voc_lib.sample.exports import Stage, month_end
from voc_lib.sample.exports.auto_hotline import written_phone
from voc_lib.sample.exports.auto_in_car import device_of
from voc_lib.sample.exports.auto_short_video import user_of
from voc_lib.sample.outsiders import role_of
from voc_lib.sample.utterance import Utterance

HEADER = ("登记日期", "平台", "账号", "手机号", "VIN", "途径")
PLATFORMS = {"microblog": "微博", "car_forum": "汽车论坛", "short_video": "短视频"}
IN_CAR = "车机"
ACTIVATED, MESSAGE, BY_SHOP = "车机激活", "私信登记", "门店代登记"
GIVEN = 0.3                   # share of accounts that give their phone after the first public complaint
WAIT = 3                      # given within fewer than so many days
WITH_VIN = 0.4                # of those who give it
MISTYPED = 0.01               # of those phones
SHARED, SHARED_AT = 15, 4000  # customers under the employee's account, in a world of so many
FEWEST_SHARED = 3


class Bindings:
    """Collects public complaints of customers and writes who was registered, a file a month.

    `asked`: channel and customer of accounts that a truth registers itself, by `extra["asked"]` (days after the post); nothing else does.
    """

    def __init__(self, stage: Stage, asked: frozenset[tuple[str, int]]) -> None:
        self.stage, self.asked = stage, asked
        self.first: dict[tuple[str, int], tuple[datetime, int | None]] = {}  # the earliest complaint of an account, until its month is written
        self.done = {channel: np.zeros(len(stage.frame), dtype=bool) for channel in PLATFORMS}
        self.mistyped: list[int] = []
        self.employee = next(number for number in count(len(stage.frame)) if role_of(number) == "staff")
        self.shared = _customers_of_a_shop(stage)
        self.rows = [self._by_shop(who) for who in self.shared]

    def take(self, one: Utterance) -> None:
        """One utterance of anybody, not always in the order of time."""
        if one.channel not in PLATFORMS or one.who < 0 or one.worst >= 0 or self.done[one.channel][one.who]:
            return
        account, days = (one.channel, one.who), one.extra.get("asked")
        if account in self.asked and days is None:
            return
        if account not in self.first or one.when < self.first[account][0]:
            self.first[account] = (one.when, days)

    def write(self, month: date, out: Path) -> None:
        """The file of a month of which everything is said; the first also has what was bound before."""
        end = min(month_end(month), self.stage.world.last)
        for account in sorted(account for account, (when, _) in self.first.items() if when.date() <= end):
            self._ask(account, *self.first.pop(account))
        rows = [*self._activated(month, end), *(row for row in self.rows if row[0] <= end)]
        self.rows = [row for row in self.rows if row[0] > end]
        folder = out / "bindings"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"bindings-{month:%Y-%m}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(HEADER)
            table.writerows(sorted(rows))

    def accidents(self) -> dict:
        """What is wrong in the files, for the truth: customers behind the one account, customers whose phone was mistyped."""
        name = self.stage.frame.customer_id
        return {"shared_account": [name(who) for who in self.shared], "shared_account_uid": self._account("car_forum", self.employee), "mistyped": [name(who) for who in self.mistyped]}

    def _ask(self, account: tuple[str, int], when: datetime, days: int | None) -> None:
        channel, who = account
        self.done[channel][who] = True
        dice, keys = self.stage.world.dice("bindings", channel, who), self.stage.keys
        if days is None and dice.random() >= GIVEN:
            return
        day = when.date() + timedelta(days=dice.randrange(WAIT) if days is None else days)
        if day > self.stage.world.last:
            return
        phone = keys.phone_of(who)
        if days is None and dice.random() < MISTYPED:
            phone = _mistyped(phone, dice)
            self.mistyped.append(who)
        self.rows.append((day, PLATFORMS[channel], self._account(channel, who), written_phone(phone, dice), keys.vin_of(who) if dice.random() < WITH_VIN else "", MESSAGE))

    def _account(self, channel: str, author: int) -> str:
        return user_of(author, self.stage) if channel == "short_video" else self.stage.keys.account(channel, author)

    def _activated(self, month: date, end: date) -> list[tuple]:
        bought, keys = self.stage.frame["bought"], self.stage.keys
        since = 0 if month == self.stage.world.months[0] else month.toordinal()
        who = np.flatnonzero((bought >= since) & (bought <= end.toordinal()))
        return [(day_of(day), IN_CAR, device_of(one, self.stage), "", keys.vin_of(one), ACTIVATED) for one, day in zip(who.tolist(), bought[who].tolist(), strict=True)]

    def _by_shop(self, who: int) -> tuple:
        world = self.stage.world
        since = max(world.first.toordinal(), int(self.stage.frame["bought"][who]))
        day = since + int(world.dice("bindings", "shop", who).random() * (world.last.toordinal() - since + 1))
        return (day_of(day), PLATFORMS["car_forum"], self._account("car_forum", self.employee), self.stage.keys.phone_of(who), "", BY_SHOP)


def _customers_of_a_shop(stage: Stage) -> list[int]:
    """Customers of the second largest shop (the largest types its own phone on orders), no two with the same phone."""
    frame = stage.frame
    many = max(FEWEST_SHARED, min(SHARED, round(SHARED * len(frame) / SHARED_AT)))
    shop = np.argsort(-np.bincount(frame["shop"], minlength=len(frame.cast.shops)), kind="stable")[1]
    people = stage.world.stream("bindings", "shop").permutation(np.flatnonzero(frame["shop"] == shop)).tolist()
    return list({stage.keys.phone_of(who): who for who in people}.values())[:many]


def _mistyped(phone: str, dice) -> str:
    """Another of the invented numbers, one digit away."""
    at = dice.randrange(3, len(phone))
    return phone[:at] + dice.choice("0123456789".replace(phone[at], "")) + phone[at + 1:]
