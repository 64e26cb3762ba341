"""Table `opinions`: how the author feels about a mention, or in a text as a whole, as one model judged it."""

from voc_lib.schema import moment, number, text

GRAIN = "a mention, or a text as a whole (code 全文), judged by one opinion model"
KEY = ("feedback_id", "code", "coder", "opinion_model")
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "whose"),
    text("iso_week", "the feedback's own week"),
    text("code", "code of the mention, or 全文"),
    text("coder", "model_version of the mentions that were judged"),
    text("opinion", "null where the model abstains", ("negative", "neutral", "positive", "mixed")),
    number("opinion_confidence", "0-1, probability of what is said; of the likeliest where the model abstains"),
    text("opinion_model", "fingerprint of the model and version of the judge"),
    moment("judged_at", "UTC; the latest counts"),
)
