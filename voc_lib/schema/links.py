"""Table `links`: whose a feedback is, as far as its keys tell."""

from voc_lib.schema import moment, number, text

GRAIN = "what was decided about a feedback's person; the latest decision counts"
KEY = ("feedback_id", "linked_at")
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "the feedback"),
    text("iso_week", "the week it is stored under"),
    text("person_id", "one person, pseudonymous: the customer, or 'p' and a hash where no register knows him; null where the keys cannot tell"),
    text("customer_id", "the customer of the register, pseudonymous (the keyed hash of his number); null for people no register knows"),
    text("reason", "which keys said so (phone+vin; author:x< where the key was handed on from another), or why none could: shared, crowd, conflict, chain, period, edit"),
    number("confidence", "1 where a rule linked it; below 1 the match probability of the probabilistic step"),
    moment("linked_at", "UTC; the latest link counts"),
)
