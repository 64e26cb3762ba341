"""Table `links`: which customer a feedback belongs to."""

from voc_lib.schema import moment, number, text

GRAIN = "which customer a feedback belongs to"
KEY = ("feedback_id",)
COLUMNS = (
    text("feedback_id", "the feedback"),
    text("customer_id", "the customer, pseudonymous"),
    text("reason", "why they are linked"),
    number("confidence", "0-1"),
    moment("linked_at", "UTC; the latest link counts"),
)
