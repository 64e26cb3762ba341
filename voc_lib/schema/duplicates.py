"""Table `duplicates`: a feedback that was looked at for repeats, and what it repeats.

Rows are never rewritten, but a group grows on over lots and weeks: its size and the mark that comes with it are counted when
read, by the view `repeats`.
"""

from voc_lib.schema import count, moment, number, text

MARKS = ("template", "reward")
TEMPLATE_COPIES, TEMPLATE_LETTERS = 5, 12  # five of one wording that nobody types by chance

GRAIN = "a feedback that was looked at for repeats"
KEY = ("feedback_id",)
PARTITION = "iso_week"
COLUMNS = (
    text("feedback_id", "the feedback"),
    text("iso_week", "the feedback's own week"),
    text("duplicate_of", "feedback_id of the first of its group; null where it is the first, or alone"),
    number("similarity", "0-1, letters that need no editing (Levenshtein, by UTF-8 bytes); 1 where the wording is the same"),
    count("letters", "letters and digits of its cleaned wording; null in rows written before it was counted"),
    text("mark", "template (a form or default text many use), reward (written for a reward); null otherwise. Counted in its own lot: see the "
         "view `repeats`. Marked, never deleted", MARKS),
    text("method", "how it was found, with its version"),
    moment("found_at", "UTC; the latest counts"),
)
