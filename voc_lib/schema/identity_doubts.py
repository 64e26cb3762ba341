"""Table `identity_doubts`: keys that link nobody, and why."""

from voc_lib.schema import count, moment, text

WHYS = ("shared", "crowd", "conflict", "malformed", "chain")

GRAIN = "a key (or a feedback whose keys disagree) that was left out of linking; the latest finding counts"
KEY = ("key_hash", "found_at")
COLUMNS = (
    text("key_type", "phone, vin, ...; 'feedback' where it is a feedback whose keys disagree"),
    text("key_hash", "the hashed key, or the feedback_id"),
    text("why", "shared: two customers claim it; crowd: it came with too many people; conflict: keys of different customers on one feedback; "
         "chain: a chain of keys without a customer, too long to be one person; malformed: no hash, or one under two types; null = doubted no more", WHYS),
    count("customers", "how many customers it would have joined, as far as known"),
    count("feedback", "how many feedback carry it"),
    moment("found_at", "UTC"),
)
