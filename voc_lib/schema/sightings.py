"""Table `sightings`: a feedback seen in one export."""

from voc_lib.schema import flag, moment, text

GRAIN = "a feedback seen in one export"
KEY = ("feedback_id", "export_id")
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "what was seen"),
    text("iso_week", "the feedback's own week"),
    text("export_id", "the export it was seen in"),
    moment("seen_at", "date of that export, UTC"),
    flag("deleted", "the source marks it as deleted in that export; null where it does not tell"),
)
