"""Table `coders`: a coder put in force, and the labels it learnt from where it was learnt."""

from voc_lib.schema import moment, text

GRAIN = "a coder put in force x a label it learnt from; one row without a label where there is none"
KEY = ("model_version", "feedback_id", "since")
COLUMNS = (
    text("model_version", "as in mentions: a keyword coder that came back, or <keyword coder>+labels-<fingerprint>"),
    text("feedback_id", "a labelled feedback; empty where nothing was learnt"),
    text("code", "its main code when the coder was fitted; 未归类 for none of those learnt"),
    moment("since", "UTC; the latest of its kind is the one in force at a snapshot"),
)
