"""Who and what there is in a world: products, cities, dealers or branches, suppliers, versions. The words stand in cast_<domain>.py."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class City:
    """A city: sales region, province, tier (1 largest), share of customers, how cold its winter is (0 Sanya, 1 Harbin), its shops."""

    name: str
    province: str
    region: str
    tier: int
    weight: float
    cold: float
    shops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A product: code, trims, price in yuan, first month of sale, liking (shift of satisfaction) and its share by region ("" = elsewhere)."""

    code: str
    name: str
    variants: tuple[str, ...]
    price: int
    since: date
    liking: float
    shares: dict[str, float]


@dataclass(frozen=True, slots=True)
class Release:
    """A version and the day it reached the customers."""

    version: str
    day: date


@dataclass(frozen=True)
class Cast:
    """Everything of a domain that has a name."""

    brand: str
    company: str                         # as official accounts call themselves
    cities: tuple[City, ...]
    products: tuple[Product, ...]
    suppliers: tuple[str, ...]           # of the part that a truth needs; one column of the exposure
    software: tuple[Release, ...]        # of the car or the core system
    apps: tuple[Release, ...]            # of the phone application
    others: tuple[str, ...]              # products of other brands (invented)
    id_prefix: str                       # of customer numbers
    channels: tuple[str, ...]

    @property
    def shops(self) -> tuple[tuple[int, str], ...]:
        """(place of the city, name) of every dealer or branch."""
        return tuple((at, shop) for at, city in enumerate(self.cities) for shop in city.shops)


def cast_of(domain: str) -> Cast:
    """The cast of a domain, from cast_<domain>.py."""
    return importlib.import_module(f"voc_lib.sample.cast_{domain}").CAST


def version_on(releases: tuple[Release, ...], day: date) -> str:
    """The version in force on a day; before the first, the first.

    >>> version_on((Release("1", date(2025, 1, 1)), Release("2", date(2026, 1, 1))), date(2026, 5, 1))
    '2'
    """
    return next((release.version for release in reversed(releases) if release.day <= day), releases[0].version)
