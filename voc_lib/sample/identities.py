"""The keys by which one person can be known (phone, VIN, account, name) and the accidents that make keys lie.

Accidents: a family shares a phone; one dealer types its own number on many orders; a car is sold on and its VIN changes owner. All invented:
phones begin with 160 to 164 (not in use), VINs with LXL (no maker's code) and carry a right check digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from voc_lib.sample.customers import NEVER, Frame
from voc_lib.sample.words import FIRST, LAST, SURNAMES, GIVEN
from voc_lib.sample.world import World

FAMILY = 0.03        # share of customers who gave a relative's phone
RESOLD = 0.01        # share of customers who drive a car that another customer had before
DEALER_ORDERS = 500  # orders under one dealer's own phone, at the usual size of the world
CODES = {"A7": "BA7E5", "S5": "CS5D1", "E3": "AE3A2"}
YEARS = "HJKLMNPRSTVWXY"  # VIN letter of the model years 2017 to 2030
_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)) | {str(n): n for n in range(10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_STEP = 387_420_489  # coprime to every range below: numbers look mixed, none comes twice
_PLATFORMS = {"microblog": 11, "car_forum": 23, "short_video": 37, "app_store": 53, "in_car": 71, "bank_forum": 23, "online_chat": 91}


@dataclass(frozen=True)
class Keys:
    """Who is who: phone numbers, whose VIN a customer drives, which dealer's phone stands on which share of its orders."""

    frame: Frame
    phone: np.ndarray
    vin_owner: np.ndarray
    vins: pl.Series
    family: tuple[tuple[int, int], ...]
    resold: tuple[tuple[int, int], ...]
    dealer: int
    dealer_phone: str
    pool: int

    def phone_of(self, who: int) -> str:
        """11 digits."""
        return str(self.phone[who])

    def vin_of(self, who: int) -> str:
        """17 characters; of the first owner where the car was sold on."""
        return self.vins[int(self.vin_owner[who])]

    def account(self, platform: str, author: int) -> str:
        """The number of an account, different in every platform."""
        return str(1_000_000 + (author * _STEP + _PLATFORMS.get(platform, 7) * 104_729) % 899_999_963 % 9_000_000_000)

    def nick(self, platform: str, author: int) -> str:
        """The name shown; a third of the people use one name everywhere."""
        salt = 0 if author % 3 == 0 else _PLATFORMS.get(platform, 7)
        size = self.pool
        number = (author * _STEP + salt * 7919) % size
        first, rest = divmod(number, len(LAST))
        suffix, first = divmod(first, len(FIRST))
        return FIRST[first] + LAST[rest] + ("" if suffix == 0 else str(suffix))


def make_keys(world: World, frame: Frame) -> Keys:
    """Keys of all customers with their accidents; `pool` is larger than all accounts there can be."""
    many = len(frame)
    phone = 16_000_000_000 + (np.arange(many, dtype=np.int64) * _STEP + world.seed * 7919) % 499_999_993
    stream = world.stream("identities")
    borrowers = np.flatnonzero(stream.random(many) < FAMILY)
    lenders = (borrowers + 1 + stream.integers(0, 40, len(borrowers))) % many
    same = [(int(a), int(b)) for a, b in zip(borrowers, lenders, strict=True) if a != b]
    own = phone.copy()
    for borrower, lender in same:
        phone[borrower] = own[lender]
    owner = np.arange(many, dtype=np.int32)
    resold = _resold(frame, stream, round(many * RESOLD))
    for second, first in resold:
        owner[second] = first
        for name in ("made", "supplier", "variant"):
            frame[name][second] = frame[name][first]
    shops = np.bincount(frame["shop"], minlength=len(frame.cast.shops))
    size = len(FIRST) * len(LAST)
    pool = size * (1 + int(many * 2.2) // size)
    return Keys(frame, phone, owner, _vins(frame, world), tuple(same), resold, int(shops.argmax()), "16000006688", pool + (1 if pool % 3 == 0 else 0))


def _resold(frame: Frame, stream: np.random.Generator, wanted: int) -> tuple[tuple[int, int], ...]:
    """(second owner, first owner): the second bought the same product after the first had left."""
    left = np.flatnonzero(frame["churned"] < NEVER)
    left = left[np.argsort(stream.random(len(left)), kind="stable")][: wanted * 2]
    ordered = [np.flatnonzero(frame["product"] == at) for at in range(len(frame.cast.products))]
    ordered = [rows[np.argsort(frame["bought"][rows], kind="stable")] for rows in ordered]
    found: dict[int, int] = {}
    for first in left.tolist():
        rows = ordered[frame["product"][first]]
        start = int(np.searchsorted(frame["bought"][rows], frame["churned"][first], side="right"))
        if start < len(rows) and len(found) < wanted:
            found.setdefault(int(rows[start + int(stream.random() * (len(rows) - start))]), first)
    return tuple(found.items())


def _vins(frame: Frame, world: World) -> pl.Series:
    """Valid check digits, computed for all at once."""
    many = len(frame)
    code = np.array([list(CODES.get(p.code, "ZZ000")) for p in frame.cast.products])[frame["product"]]
    year = np.array(list(YEARS))[np.clip(_year(frame["made"]) - 2017, 0, len(YEARS) - 1)]
    serial = (np.arange(many, dtype=np.int64) * _STEP + world.seed * 104_729) % 999_983
    table = np.empty((many, 17), dtype="<U1")
    table[:, :3], table[:, 3:8], table[:, 8], table[:, 9], table[:, 10] = list("LXL"), code, "0", year, "K"
    for place in range(6):
        table[:, 16 - place] = np.array(list("0123456789"))[serial // 10**place % 10]
    values = np.zeros(128, dtype=np.int64)
    for letter, value in _VALUES.items():
        values[ord(letter)] = value
    numbers = values[table.view(np.uint32).reshape(many, 17)]
    table[:, 8] = np.array(list("0123456789X"))[(numbers * np.array(_WEIGHTS)).sum(1) % 11]
    return pl.Series("vin", np.ascontiguousarray(table).view("<U17").ravel().tolist())


def _year(ordinals: np.ndarray) -> np.ndarray:
    return (ordinals / 365.2425).astype(np.int64) + 1


def person_name(number: int) -> str:
    """A name for a customer: 王先生, 李女士, or a full name (as agents write them)."""
    surname = SURNAMES[number % len(SURNAMES)]
    how = number // 7 % 10
    if how < 6:
        return surname + ("先生" if number // 70 % 10 < 6 else "女士")
    given = GIVEN[number // 13 % len(GIVEN)]
    return surname + given + (GIVEN[number // 97 % len(GIVEN)] if how < 8 else "")
