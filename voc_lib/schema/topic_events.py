"""Table `topic_events`: the ledger. Lines are only ever added; replaying them gives the topics in force."""

from voc_lib.schema import count, moment, text

ACTIONS = ("birth", "split", "merge", "retire", "rename", "noise", "move", "confirm", "refit", "apart", "together")
GRAIN = "one thing that happened to a topic"
KEY = ("event",)
COLUMNS = (
    count("event", "1, 2, 3 ... in the order of happening"),
    moment("at", "UTC"),
    text("who", "the analyst, or 机器 for what a fit found"),
    text("action", "what happened", ACTIONS),
    text("topic_id", "the topic it happened to; of a merge the one that goes on, of a split the one that ends; null for refit"),
    text("others", "the other topics, joined by blanks: merged ones, parts of a split; of a move the feedback"),
    text("name", "of a rename or confirmation: the name"),
    text("version", "version of the topic model in force after it"),
    text("why", "the reason: of an analyst in her words, of a fit the figures"),
)
