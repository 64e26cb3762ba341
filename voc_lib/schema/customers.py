"""Table `customers`: the frame. Every customer, speaking or silent, as a register knew him at the start of a period."""

from voc_lib.schema import count, day, moment, number, text

GRAIN = "one customer as of the start of a period; who has left stays in it"
KEY = ("customer_id", "valid_from")
COLUMNS = (
    text("customer_id", "the customer, pseudonymous: the keyed hash of his number"),
    day("valid_from", "the day as of which the export speaks"),
    text("product", "model or product owned"),
    text("variant", "trim or version"),
    text("region", "sales region"),
    text("province", "province"),
    text("city", "city"),
    text("city_tier", "tier of the city, 1 the largest"),
    text("dealer", "dealer or branch in charge"),
    number("age", "years"),
    number("spend", "spent a year, yuan"),
    number("app_days", "days of the month on which the app was used, 0-31"),
    number("visits", "visits to a dealer or branch in the last year"),
    number("usage", "kilometres or transactions a month"),
    day("purchased_at", "first purchase; the first day of the month where only the month is known"),
    day("churned_at", "when he left; null = still a customer"),
    day("repurchased_at", "when he bought again after leaving"),
    text("export_id", "the export it was read from"),
    moment("said_at", "date of that export, UTC"),
)
