"""Table `audits`: what a person said about a verbatim drawn by lot, against which a model's shares are corrected."""

from voc_lib.schema import moment, text

GRAIN = "a feedback of an audit sample, labelled by hand"
KEY = ("feedback_id", "audit")
COLUMNS = (
    text("feedback_id", "drawn by lot within its channel"),
    text("channel", "its channel: the population it was drawn from"),
    text("audit", "which draw"),
    text("opinion", "what the person read", ("negative", "neutral", "positive", "mixed")),
    moment("read_at", "when the filled file was read back, UTC; the latest counts"),
)
