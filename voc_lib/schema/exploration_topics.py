"""Table `exploration_topics`: the topics of one exploration and how they join, pair by pair, into larger ones."""

from voc_lib.schema import count, number, text

GRAIN = "a node of an exploration's topic tree"
KEY = ("exploration", "node")
IN_SNAPSHOT = False  # as `explorations`
COLUMNS = (
    text("exploration", "as in `explorations`"),
    count("node", "0 to k-1: the topics; from k: two nodes joined"),
    count("parent", "the node that it joins into; null at the root"),
    number("distance", "1 - cosine of the words (c-TF-IDF, Ward) at which its two halves join; 0 for a topic"),
    count("documents", "different texts in it"),
    text("words", "the words that set it apart, joined by 、, weightiest first"),
)
