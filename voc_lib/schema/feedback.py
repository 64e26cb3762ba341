"""Table `feedback`: one utterance through one channel."""

from voc_lib.schema import day, flag, moment, number, text

AUTHOR_KINDS = (
    "owner_verified", "owner_likely", "prospect", "other_brand", "official", "staff", "media", "unknown",
)

GRAIN = "one utterance through one channel"
KEY = ("feedback_id",)
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "first 128 bits of sha256(channel, source_id), hex"),
    text("channel", "name of the contract it came through"),
    text("source_id", "id in the source; keyed hash where the id itself is personal"),
    text("thread_id", "hash of the thread it belongs to; null where the channel has no threads"),
    text("parent_id", "feedback_id of what it answers"),
    text("author_key", "HMAC of the author's name or id in the channel; null where the source tells none"),
    text("author_kind", "who wrote it", AUTHOR_KINDS),
    moment("occurred_at", "when it was said, UTC; null where the source has no date"),
    day("local_date", "calendar day in the contract's time zone"),
    text("iso_week", "%G-W%V in the contract's time zone, or 'undated'"),
    text("verbatim", "the customer's own words, masked"),
    text("title", "title given by author or editor, masked"),
    text("followup", "what the author added later to the same feedback, masked"),
    text("reply", "what the company or platform answered, masked"),
    number("rating", "stars or score as given"),
    number("rating_scale", "the best possible rating, e.g. 5"),
    number("nps", "0-10, likelihood to recommend"),
    number("csat", "satisfaction as given, on the channel's scale"),
    number("ces", "effort as given, on the channel's scale"),
    number("wait_seconds", "how long the customer waited to be answered"),
    number("transfers", "how often the customer was passed on"),
    text("brand", "brand spoken of"),
    text("product", "model, app or product spoken of"),
    text("variant", "trim or version of the product"),
    text("software_version", "software or app version"),
    text("batch", "production batch"),
    text("region", "sales region or province"),
    text("city", "city"),
    text("dealer", "dealer or branch"),
    text("stage", "life-cycle stage of the customer at that moment"),
    flag("solicited", "true where the company asked"),
    text("export_id", "the export in which it was first read"),
    moment("ingested_at", "when it entered the store, UTC"),
)
