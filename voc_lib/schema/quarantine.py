"""Table `quarantine`: a row of an export that was refused."""

from voc_lib.schema import count, moment, text

GRAIN = "a row of an export that was refused"
KEY = ("export_id", "line", "reason")
COLUMNS = (
    text("export_id", "the export it stands in"),
    text("channel", "the contract that refused it"),
    text("file", "path below the ingested folder, masked"),
    count("line", "line of the file (1 = first); sheet row in Excel; row number in Parquet"),
    text("reason", "why, in the analyst's words"),
    text("values", "the row as JSON, masked"),
    moment("quarantined_at", "UTC"),
)
