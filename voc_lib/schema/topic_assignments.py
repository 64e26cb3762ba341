"""Table `topic_assignments`: the best topic of a feedback under one version of the model; stored, never computed again."""

from voc_lib.schema import flag, moment, number, text

GRAIN = "a feedback with words x version of the topic model"
KEY = ("feedback_id", "version")
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "the feedback"),
    text("iso_week", "the feedback's own week"),
    text("version", "as in `topic_models`"),
    text("topic_id", "the best topic, as the model has it (before merges by hand); null where no topic can be named"),
    number("similarity", "cosine to the middle of the topic, -1 to 1"),
    flag("is_mapped", "whether that is as near as 95 % of the texts the topic was fitted on; else it counts as 未归类"),
    moment("assigned_at", "UTC"),
)
