"""Repair orders: their numbers, and the phone that stands on them (one dealer types its own)."""

from __future__ import annotations

from datetime import datetime

from voc_lib.sample.identities import DEALER_ORDERS

VISITS_A_YEAR = 2.0
SHARE_OF_ORDERS = 0.6  # of the orders of that dealer, at most


def order_number(number: int, when: datetime) -> str:
    """RO, the day, and digits."""
    return f"RO{when:%Y%m%d}{number % 10**7:07d}"


def dealer_share(stage) -> float:
    """Share of the one dealer's orders that carry its own phone, so that about DEALER_ORDERS do at the usual size."""
    world, frame = stage.world, stage.frame
    customers = int((frame["shop"] == stage.keys.dealer).sum())
    orders = customers * VISITS_A_YEAR * world.weeks / 52 * 0.6  # six in ten are in use at a time
    return min(SHARE_OF_ORDERS, world.scaled(DEALER_ORDERS * world.weeks / 120) / max(orders, 1))


def order_phone(stage, who: int, number: int) -> str:
    """The customer's phone, or the dealer's own."""
    if stage.frame["shop"][who] == stage.keys.dealer and number // 7 % 1000 < dealer_share(stage) * 1000:
        return stage.keys.dealer_phone
    return stage.keys.phone_of(who)
