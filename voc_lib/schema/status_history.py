"""Table `status_history`: a status of a feedback as first seen in an export."""

from voc_lib.schema import moment, text

GRAIN = "a status of a feedback as first seen in an export"
KEY = ("feedback_id", "status", "seen_at")
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "whose status"),
    text("iso_week", "the feedback's own week"),
    text("status", "status as the source words it"),
    moment("seen_at", "date of the export in which this status was first seen, UTC"),
)
