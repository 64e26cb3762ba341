"""Table `mentions`: a feedback x code found by one version of a coder."""

from voc_lib.schema import count, flag, moment, number, text

GRAIN = "a feedback x code found by one version of a coder"
KEY = ("feedback_id", "code", "model_version")
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "where it was found"),
    text("iso_week", "the feedback's own week"),
    text("code", "系统-部件-现象, or 未归类 where nothing was found"),
    number("confidence", "0-1, the share of such finds that was right: on public data, of labels on those held out (1 where an analyst labelled this very feedback); null for 未归类"),
    count("span_start", "first character of the words that matched"),
    count("span_end", "one past the last"),
    text("source", "who coded it", ("keyword", "vectors", "labels")),
    text("model_version", "fingerprint of taxonomy and coder; +labels-... for codes that labels add to what it left unmapped"),
    moment("coded_at", "UTC; the keyword version coded last is in force at a snapshot, unless `coders` put another back later"),
    count("clause_start", "first character of the clause it was found in"),
    text("evidence", "how it was found: one phrase, words near or far apart, by meaning, by labels", ("phrase", "near", "far", "vectors", "labels")),
    flag("is_primary", "whether the feedback is mainly about this code; one a feedback and version"),
)
