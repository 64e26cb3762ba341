"""Table `topics`: what a topic was in one version of the model. What is in force after merges and renames is `enrich.ledger.topics_in_force`."""

from voc_lib.schema import count, number, text

GRAIN = "a topic x version of the topic model"
KEY = ("version", "topic_id")
COLUMNS = (
    text("version", "as in `topic_models`"),
    text("topic_id", "T0001 and on; never renumbered, never used again"),
    text("name", "phrases and words that set it apart, at most three parts"),
    text("words", "its weightiest words and phrases (c-TF-IDF), joined by 、"),
    text("system", "system of the taxonomy it lies in; null for one that was confirmed by hand"),
    count("documents", "different texts of the fit in it"),
    number("x", "place on the map of topics; only nearness means something"),
    number("y", "place on the map of topics"),
)
