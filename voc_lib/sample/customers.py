"""The frame: every customer, speaking or silent, as columns of equal length. Satisfaction and frailty are the truth's; no export has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from voc_lib.sample.cast import Cast, cast_of
from voc_lib.sample.world import World

NEVER = date(2999, 1, 1).toordinal()
FRAILTY = 0.11      # shape of the gamma by which people differ in speaking up: most never do, a few all the time
CHURN_MONTH = 0.006  # share leaving a month after the first year, at average satisfaction
NOISE = 0.85        # of satisfaction, in standard deviations


@dataclass(frozen=True)
class Frame:
    """Customers as arrays: `frame["city"]` is one number a customer. Places are those of the cast's tuples, days are ordinals."""

    cast: Cast
    columns: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["city"])

    def in_use(self, day: date) -> np.ndarray:
        """Who has bought and not yet left on that day."""
        now = day.toordinal()
        return (self["bought"] <= now) & (self["churned"] > now)

    def customer_id(self, at: int) -> str:
        """The customer number in the CRM."""
        return f"{self.cast.id_prefix}{at:08d}"


def make_frame(world: World) -> Frame:
    """All customers of the world, one stream a column, so that a new column moves no old one."""
    cast, many = cast_of(world.domain), world.customers
    draw = lambda name: world.stream("frame", name)  # noqa: E731
    city = _pick(draw("city"), np.array([c.weight for c in cast.cities]), many)
    product = _products(cast, city, draw("product").random(many))
    bought = _bought(world, cast, product, draw("bought").random(many))
    shop = _shops(cast, city, draw("shop").random(many))
    satisfaction = _satisfaction(cast, world, city, product, shop)
    heating = np.clip(np.array([c.cold for c in cast.cities])[city] * 0.28 + draw("heating").normal(0.06, 0.06, many), 0, 0.6)
    age = np.clip(draw("age").normal(38, 9, many), 21, 70)
    churned, again = _churn(world, bought, satisfaction)
    columns = {
        "city": city, "shop": shop, "product": product, "variant": _variants(cast, product, draw("variant").random(many)),
        "bought": bought, "churned": churned, "repurchased": again,
        "km_month": np.round(np.exp(draw("km").normal(6.95, 0.45, many))).astype(np.int32),
        "heating": heating.astype(np.float32), "fast": draw("fast").beta(2, 5, many).astype(np.float32),
        "visits": draw("visits").gamma(4, 0.5, many).astype(np.float32), "spend": np.round(np.exp(draw("spend").normal(7.4, 0.8, many))).astype(np.int32),
        "app_days": np.clip(draw("app").negative_binomial(1.2, 0.12, many), 0, 30).astype(np.int16), "age": age.astype(np.int16),
        "satisfaction": satisfaction.astype(np.float32), "frailty": draw("frailty").gamma(FRAILTY, 1 / FRAILTY, many).astype(np.float32),
        "made": bought - draw("made").integers(20, 75, many), "supplier": (draw("supplier").random(many) < 0.42).astype(np.int8),
        "account": draw("account").random(many).astype(np.float32),
    }
    return Frame(cast, columns)


def _pick(stream: np.random.Generator, weights: np.ndarray, many: int) -> np.ndarray:
    return np.searchsorted(np.cumsum(weights) / weights.sum(), stream.random(many)).astype(np.int16)


def _products(cast: Cast, city: np.ndarray, chance: np.ndarray) -> np.ndarray:
    shares = np.array([[p.shares.get(c.province, p.shares.get(c.region, p.shares[""])) for p in cast.products] for c in cast.cities])
    shares = np.cumsum(shares / shares.sum(1, keepdims=True), axis=1)
    return np.minimum((chance[:, None] > shares[city]).sum(1), len(cast.products) - 1).astype(np.int8)


def _bought(world: World, cast: Cast, product: np.ndarray, chance: np.ndarray) -> np.ndarray:
    # Sales grow: fewer cars of the first months.
    since = np.array([p.since.toordinal() for p in cast.products])[product]
    return (since + (world.last.toordinal() - since) * chance**0.85).astype(np.int32)


def _shops(cast: Cast, city: np.ndarray, chance: np.ndarray) -> np.ndarray:
    first = np.cumsum([0, *(len(c.shops) for c in cast.cities)])[:-1]
    many = np.array([len(c.shops) for c in cast.cities])
    return (first[city] + (chance * many[city]).astype(int)).astype(np.int16)


def _variants(cast: Cast, product: np.ndarray, chance: np.ndarray) -> np.ndarray:
    return (chance * np.array([len(p.variants) for p in cast.products])[product]).astype(np.int8)


def _satisfaction(cast: Cast, world: World, city: np.ndarray, product: np.ndarray, shop: np.ndarray) -> np.ndarray:
    """Standard deviations around the usual customer: liking of the product, the dealer's hand, a cold winter, and the person."""
    liking = np.array([p.liking for p in cast.products])[product]
    hand = world.stream("frame", "hand").normal(0, 0.25, len(cast.shops))[shop]
    cold = np.array([c.cold for c in cast.cities])[city]
    return liking + hand - 0.3 * (cold - 0.4) + world.stream("frame", "satisfaction").normal(0, NOISE, len(city))


def _churn(world: World, bought: np.ndarray, satisfaction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days of leaving and of buying again (NEVER): the unhappy leave sooner, the happy who leave often come back with a new car."""
    many = len(bought)
    months = world.stream("frame", "churn").exponential(1 / CHURN_MONTH, many) * np.exp(0.5 * satisfaction)
    left = bought + 365 + (months * 30.4).astype(np.int64)
    churned = np.where(left <= world.last.toordinal(), left, NEVER).astype(np.int32)
    back = (churned < NEVER) & (world.stream("frame", "again").random(many) < 1 / (1 + np.exp(0.6 - satisfaction)))
    again = np.where(back, churned + world.stream("frame", "wait").integers(0, 45, many), NEVER)
    return churned, np.where(again <= world.last.toordinal(), again, NEVER).astype(np.int32)


def nps_of(satisfaction: np.ndarray) -> np.ndarray:
    """What a customer would answer to "would you recommend", 0 to 10: the truth behind the survey, for the silent too."""
    return np.clip(np.round(7.4 + 2.1 * satisfaction), 0, 10)


def csat_of(satisfaction: np.ndarray) -> np.ndarray:
    """What a customer would answer to "are you satisfied", 1 to 5."""
    return np.clip(np.round(3.9 + 0.9 * satisfaction), 1, 5)


def ces_of(satisfaction: np.ndarray) -> np.ndarray:
    """What a customer would answer to "was it easy", 1 to 7."""
    return np.clip(np.round(5.2 + 1.2 * satisfaction), 1, 7)


def day_of(ordinal: int) -> date | None:
    """An ordinal as a day; None for NEVER."""
    return None if ordinal >= NEVER else date.min + timedelta(days=int(ordinal) - 1)
