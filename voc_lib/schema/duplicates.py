"""Table `duplicates`: a feedback that was looked at for repeats, and what it repeats."""

from voc_lib.schema import moment, number, text

MARKS = ("template", "reward")

GRAIN = "a feedback that was looked at for repeats"
KEY = ("feedback_id",)
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "the feedback"),
    text("iso_week", "the feedback's own week"),
    text("duplicate_of", "feedback_id of the first of its group; null where it is the first, or alone"),
    number("similarity", "0-1, shared 4-grams of all 4-grams of both; 1 where the wording is the same"),
    text("mark", "template (a form or default text many use), reward (written for a reward); null otherwise. Marked, never deleted", MARKS),
    text("method", "how it was found, with its version"),
    moment("found_at", "UTC; the latest counts"),
)
