"""Table `exports`: an export file, or a pull from a database, read through a contract."""

from voc_lib.schema import count, moment, text

GRAIN = "an export file, or a pull from a database, read through a contract"
KEY = ("export_id", "channel", "contract")
COLUMNS = (
    text("export_id", "first 128 bits of sha256 over the file's name and bytes, hex; of a pull, over channel, contract and its number"),
    text("channel", "the contract it was read through"),
    text("contract", "fingerprint of that contract: a changed contract reads the file again; of a pull, with a keyed hash of the database"),
    text("file", "path below the ingested folder, masked; of a pull, the contract's connection (env:NAME)"),
    count("rows_read", "rows in the file"),
    count("rows_filtered", "rows left out by the contract's where"),
    count("rows_quarantined", "rows refused"),
    count("rows_repeated", "rows that repeat a feedback already stored or earlier in the same run"),
    count("feedback_stored", "feedback stored from it"),
    moment("exported_at", "date of the export (from its name, else the file's time), or when the pull began, UTC"),
    moment("ingested_at", "UTC"),
    text("cursor", "of a pull: type and value of the cursor column up to which everything is stored, e.g. int:42; null for files"),
)
