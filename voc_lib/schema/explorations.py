"""Table `explorations`: where a feedback lies on the map of one exploration, and which of its topics it fell into."""

from voc_lib.schema import count, number, text

GRAIN = "a feedback x exploration"
KEY = ("exploration", "feedback_id")
IN_SNAPSHOT = False  # a drawing aid made from a snapshot: keeping it must not change the data it was made from
COLUMNS = (
    text("exploration", "fingerprint of the texts, their vectors, the parameters and the method"),
    text("feedback_id", "the feedback"),
    number("x", "place on the map; only nearness means something"),
    number("y", "place on the map"),
    count("topic", "number within this exploration only, by size from 0; -1 = in no topic"),
    number("probability", "how surely it belongs to the topic, 0-1; 0 outside every topic"),
)
