"""Table `audits`: what a person said about a verbatim, or about a mention in it, drawn by lot, against which a model's shares are corrected."""

from voc_lib.schema import moment, text

GRAIN = "a feedback, or a mention (with `code`), of an audit sample: a row when drawn, another when labelled by hand"
KEY = ("feedback_id", "audit")
COLUMNS = (
    text("feedback_id", "drawn by lot within its channel"),
    text("channel", "its channel: the population it was drawn from"),
    text("audit", "which draw"),
    text("opinion", "what the person read; wrong_code where the text does not speak of the code; null when drawn", ("negative", "neutral", "positive", "mixed", "wrong_code")),
    moment("read_at", "when the filled file was read back, UTC; the latest counts"),
    text("code", "code of the mention that was read; null where the text as a whole was, as in every audit before mentions were drawn"),
)
