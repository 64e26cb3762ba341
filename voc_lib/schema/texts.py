"""Table `texts`: the cleaned text of a feedback, by its hash."""

from voc_lib.schema import text

GRAIN = "the cleaned text of a feedback, by its hash"
KEY = ("feedback_id", "cleaning")
COLUMNS = (
    text("feedback_id", "whose verbatim"),
    text("cleaning", "version of the cleaning"),
    text("text_hash", "sha256 of the cleaned verbatim: the key of its vector; null where nothing is left of it"),
)
