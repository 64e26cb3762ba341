"""What a speaker can name: car, town, dealer, mileage, versions, months of ownership. The slots of the language."""

from __future__ import annotations

from datetime import date, timedelta

from voc_lib.sample.cast import Release, version_on
from voc_lib.sample.customers import Frame, day_of
from voc_lib.sample.identities import Keys, person_name
from voc_lib.sample.outsiders import place_of
from voc_lib.sample.words import GIVEN, SURNAMES
from voc_lib.sample.world import SEASONS, World

PRICES = (380, 599, 899, 1280, 1680, 2600, 3600, 12_000, 15_000)
OTA_BACK = 7  # weeks before the last in which the newest software is sent out, on a Thursday; see truths/garage_key.py


class Facts:
    """Slots of an utterance, from the frame and the day."""

    def __init__(self, world: World, frame: Frame, keys: Keys) -> None:
        self.world, self.frame, self.keys, self.cast = world, frame, keys, frame.cast
        self.shops = frame.cast.shops
        newest = Release("OTA 3.3.0", world.back(OTA_BACK).day(3))
        self.software = (*(release for release in frame.cast.software if release.day < newest.day), newest) if world.domain == "auto" else frame.cast.software

    def of(self, who: int, author: int, day: date, dice, role: str = "owner") -> dict[str, str]:
        """The slots; an author outside the frame knows no dealer, a prospect has no mileage."""
        slots = {
            "month": str(day.month), "season": SEASONS[day.month], "days": str(dice.choice((2, 3, 5, 7, 10, 15, 20, 35))), "times": str(dice.choice((2, 2, 3, 3, 4, 5))),
            "price": str(dice.choice(PRICES)), "other": dice.choice(self.cast.others), "author": str(author),
        }
        if self.world.domain == "bank":
            slots["amount"] = str(dice.choice((200, 500, 980, 1200, 3000, 5000, 20_000)))
            slots["bank"] = dice.choice(self.cast.others[:3])
            slots["card"] = f"{dice.randrange(10_000):04d}"
        if who < 0:
            slots["product"] = self.cast.products[place_of(author, len(self.cast.products))].name
            slots["city"] = self.cast.cities[place_of(author + 1, len(self.cast.cities))].name
            return slots
        frame = self.frame
        product, city = self.cast.products[frame["product"][who]], self.cast.cities[frame["city"][who]]
        owned = max(0, (day.toordinal() - int(frame["bought"][who])) // 30)
        slots |= {
            "product": product.name, "city": city.name, "province": city.province, "months": str(owned),
            "app_version": version_on(self.cast.apps, day), "surname": person_name(who)[0],
            "date": (day - timedelta(days=int(dice.random() * 20))).isoformat(),
        }
        shop = self.shops[frame["shop"][who]][1]
        if self.world.domain == "bank":
            return slots | {"branch": shop, "plate_city": city.name}
        slots["dealer"] = shop
        slots["version"] = version_on(self.software, day).removeprefix("OTA ")
        slots["mileage"] = str(max(60, int((owned + dice.random()) * int(frame["km_month"][who]))))
        return slots

    def bought(self, who: int) -> date:
        """The day of purchase."""
        return day_of(self.frame["bought"][who])

    def consultant(self, shop: int) -> str:
        """A salesperson of a dealer: surname and a given name that stay the same."""
        return SURNAMES[shop * 7 % len(SURNAMES)] + GIVEN[shop * 13 % len(GIVEN)]
