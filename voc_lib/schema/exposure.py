"""Table `exposure`: how many could have spoken: vehicles, accounts, users in use. The denominators of rates."""

from voc_lib.schema import moment, number, text

GRAIN = "a base x month x product x region x batch x supplier, as one export gives it; the newest export of a cell counts"
KEY = ("base", "month", "product", "region", "batch", "supplier", "export_id")
COLUMNS = (
    text("base", "what is counted: vehicles, app_users, customers, ...; a contract in data/domains/<domain>/bases"),
    text("month", "calendar month, e.g. 2026-11"),
    text("product", "model or product; '' where the export does not tell"),
    text("region", "sales region; '' where the export does not tell"),
    text("batch", "production batch; '' where the export does not tell"),
    text("supplier", "supplier of the part in question; '' where the export does not tell"),
    number("in_use", "how many were in use, on average over the month; not negative"),
    text("export_id", "the export it was read from"),
    moment("exported_at", "date of that export, UTC"),
)
