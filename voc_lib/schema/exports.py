"""Table `exports`: an export file read through a contract."""

from voc_lib.schema import count, moment, text

GRAIN = "an export file read through a contract"
KEY = ("export_id", "channel", "contract")
COLUMNS = (
    text("export_id", "first 128 bits of sha256 over the file's name and bytes, hex"),
    text("channel", "the contract it was read through"),
    text("contract", "fingerprint of that contract: a changed contract reads the file again"),
    text("file", "path below the ingested folder, masked"),
    count("rows_read", "rows in the file"),
    count("rows_filtered", "rows left out by the contract's where"),
    count("rows_quarantined", "rows refused"),
    count("rows_repeated", "rows that repeat a feedback already stored or earlier in the same run"),
    count("feedback_stored", "feedback stored from it"),
    moment("exported_at", "date of the export (from its name, else the file's time), UTC"),
    moment("ingested_at", "UTC"),
)
