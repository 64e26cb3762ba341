"""Table `identities`: which hashed keys a register (CRM, order book, list of accounts) says belong together."""

from voc_lib.schema import day, moment, text

GRAIN = "a key of an entry of a register, as one export says it; the newest saying about an entry's key counts"
KEY = ("claim_id",)
COLUMNS = (
    text("claim_id", "hash of everything it says"),
    text("entry_id", "the entry of the register: keys of one entry belong together"),
    text("register", "the contract: crm, visits, accounts, ..."),
    text("customer_id", "the customer, pseudonymous; null where the register does not know customers"),
    text("key_type", "phone, vin, order, author:<channel>, ..."),
    text("key_hash", "HMAC of the normalised key; the key itself is never stored"),
    day("valid_from", "first day of ownership (a VIN) or of registration; null = always"),
    day("valid_to", "last day of ownership; null = still"),
    text("export_id", "the export it was read from"),
    moment("said_at", "date of that export, UTC"),
    moment("added_at", "when it entered the store, UTC"),
)
