"""Table `duplicates`: a feedback that repeats another."""

from voc_lib.schema import moment, text

GRAIN = "a feedback that repeats another"
KEY = ("feedback_id",)
COLUMNS = (
    text("feedback_id", "the copy"),
    text("duplicate_of", "feedback_id of the first of its group"),
    text("method", "how it was found"),
    moment("found_at", "UTC"),
)
