"""Table `quarantine`: a row of an export that was refused."""

from voc_lib.schema import count, moment, text

GRAIN = "a row of an export that was refused"
KEY = ("export_id", "contract", "line", "reason")
COLUMNS = (
    text("export_id", "the export it stands in"),
    text("channel", "the contract that refused it"),
    text("contract", "fingerprint of that contract, as in `exports`: what a mended one refuses is told apart; null in stores of earlier versions"),
    text("file", "path below the ingested folder, masked"),
    count("line", "line of the file (1 = first); sheet row in Excel; row number in Parquet"),
    text("reason", "why, in the analyst's words"),
    text("values", "the row as JSON, masked"),
    moment("quarantined_at", "UTC"),
)
