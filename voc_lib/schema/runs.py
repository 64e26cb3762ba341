"""Table `runs`: a run of a notebook or of the week."""

from voc_lib.schema import moment, number, text

GRAIN = "a run of a notebook or of the week"
KEY = ("run_id",)
IN_SNAPSHOT = False
COLUMNS = (
    text("run_id", "time-ordered id"),
    text("command", "what was asked"),
    text("week", "ISO week, or null"),
    text("parameters", "JSON"),
    text("snapshot", "the store's snapshot it read"),
    text("manifest", "JSON {table: version} of that snapshot; vacuum keeps these versions"),
    text("versions", "JSON of library versions"),
    text("git_commit", "commit of the project, or null outside git"),
    text("headline", "JSON of the headline numbers"),
    text("outcome", "how it ended", ("published", "failed")),
    moment("started_at", "UTC"),
    number("seconds", "wall time"),
)
