"""Table `touchpoints`: what happened between a customer and the company, apart from words."""

from voc_lib.schema import day, moment, number, text

GRAIN = "one event of one customer: bought, visited, claimed, got an update, used the app, left"
KEY = ("touchpoint_id",)
COLUMNS = (
    text("touchpoint_id", "hash of register, customer, day, kind, order and note: the same event in two exports is one"),
    text("customer_id", "the customer, pseudonymous"),
    day("occurred_on", "the day in the register's time zone"),
    text("kind", "购车、进店、索赔、OTA、应用活跃、流失、复购…… as the register calls it"),
    text("dealer", "dealer or branch"),
    number("value", "what the kind counts: yuan of a visit, days of use; null where nothing is counted"),
    text("note", "what else is said: part, version; masked"),
    text("order_key", "HMAC of the order's number"),
    text("register", "the contract"),
    text("export_id", "the export it was read from"),
    moment("said_at", "date of that export, UTC"),
)
