"""Table `identity_keys`: a hashed key that came with a feedback."""

from voc_lib.schema import text

GRAIN = "a hashed key that came with a feedback"
KEY = ("feedback_id", "key_type", "key_hash")
COLUMNS = (
    text("feedback_id", "where the key stood"),
    text("key_type", "phone, vin, account, ... as the contract's identity section names it"),
    text("key_hash", "HMAC of the normalised key; the key itself is never stored"),
    text("channel", "the contract"),
)
