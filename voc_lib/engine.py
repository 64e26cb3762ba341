"""Where SQL runs: DuckDB in memory, with a view per table over the files of one pinned version."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb

from voc_lib import schema
from voc_lib.schema.duplicates import TEMPLATE_COPIES, TEMPLATE_LETTERS

# The current state of a feedback is joined in, never stored. Grouping by iso_week too lets a filter on the week
# reach every table below the joins, so that one week of a large store opens one folder of each.
FEEDBACK_VIEW = """
CREATE VIEW feedback AS
SELECT f.*, l.person_id, l.customer_id, d.duplicate_of, st.status, se.first_seen, se.last_seen, se.deleted
FROM feedback_rows AS f
LEFT JOIN (SELECT iso_week, feedback_id, unnest(arg_max(struct_pack(person_id, customer_id), linked_at))
           FROM links GROUP BY iso_week, feedback_id) AS l
       ON l.iso_week = f.iso_week AND l.feedback_id = f.feedback_id
LEFT JOIN (SELECT iso_week, feedback_id, nullif(arg_max(coalesce(duplicate_of, ''), found_at), '') AS duplicate_of
           FROM duplicates GROUP BY iso_week, feedback_id) AS d
       ON d.iso_week = f.iso_week AND d.feedback_id = f.feedback_id
LEFT JOIN (SELECT iso_week, feedback_id, arg_max(status, seen_at) AS status
           FROM status_history GROUP BY iso_week, feedback_id) AS st
       ON st.iso_week = f.iso_week AND st.feedback_id = f.feedback_id
LEFT JOIN (SELECT iso_week, feedback_id, min(seen_at) AS first_seen, max(seen_at) AS last_seen,
                  arg_max(deleted, seen_at) AS deleted
           FROM sightings GROUP BY iso_week, feedback_id) AS se
       ON se.iso_week = f.iso_week AND se.feedback_id = f.feedback_id
"""

# A wording becomes a template with its fifth copy, in whichever lot or week that comes; the rows stored before stay as they are.
REPEATS_VIEW = f"""
CREATE VIEW repeats AS
SELECT feedback_id, iso_week, duplicate_of, similarity, letters, copies,
       coalesce(mark, CASE WHEN copies >= {TEMPLATE_COPIES} AND letters >= {TEMPLATE_LETTERS} THEN 'template' END) AS mark
FROM (SELECT *, count(*) OVER (PARTITION BY coalesce(duplicate_of, feedback_id)) AS copies
      FROM (SELECT feedback_id, iso_week, unnest(arg_max(struct_pack(duplicate_of, similarity, letters, mark), found_at))
            FROM duplicates GROUP BY feedback_id, iso_week))
"""

# What is still refused: by the latest reading of an export, unless a file of the same name has come since. Of a database
# every pull under the contract in force counts, for it reads only what is new.
REFUSED_VIEW = """
CREATE VIEW refused AS
SELECT q.*
FROM quarantine AS q
JOIN (SELECT export_id, channel, contract, file, rows_quarantined, file LIKE 'env:%' AS pulled,
             row_number() OVER (PARTITION BY channel, export_id ORDER BY ingested_at DESC) AS by_export,
             row_number() OVER (PARTITION BY channel, file ORDER BY ingested_at DESC) AS by_file,
             first_value(contract) OVER (PARTITION BY channel, file ORDER BY ingested_at DESC) AS newest
      FROM exports) AS r
  ON r.export_id = q.export_id AND r.channel IN (q.channel, 'base:' || q.channel) AND coalesce(q.contract, r.contract) = r.contract
WHERE r.rows_quarantined > 0 AND r.by_export = 1 AND (r.by_file = 1 OR r.pulled AND r.newest = r.contract)
"""


VIEWS = {"feedback": FEEDBACK_VIEW, "repeats": REPEATS_VIEW, "refused": REFUSED_VIEW}


def connect() -> duckdb.DuckDBPyConnection:
    """A fresh in-memory DuckDB that speaks UTC."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def view_name(table: str) -> str:
    return "feedback_rows" if table == "feedback" else table


def named_in(query: str) -> set[str]:
    """What a query may read: every table and view whose name stands in it as a word, and what those views read; all there are where none is named (SHOW TABLES).

    A column of such a name costs a view nobody needs.

    >>> sorted(named_in("SELECT feedback_id FROM feedback_rows JOIN texts USING (feedback_id)"))
    ['feedback_rows', 'texts']
    """
    known = {*map(view_name, schema.table_names()), *VIEWS}
    named = known.intersection(re.findall(r"\w+", query.lower())) or known
    for view in named & VIEWS.keys():
        named |= known.intersection(re.findall(r"\w+", VIEWS[view]))
    return named


def create_views(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[Path]], mixed: Collection[str] = (), wanted: Collection[str] | None = None) -> None:
    """One view per table of the schema over the given Parquet files; a table without files is empty, not missing.

    Beside them stand `feedback` (its rows with their current state), `repeats` (what repeats what, each with the size of its group) and `refused` (what of the quarantine still stands).
    `mixed` names the tables whose files differ in columns: only for them every file has to be looked into. `wanted` names the only views to make, as `named_in` gives them.
    """
    statements = [f"CREATE VIEW {view_name(name)} AS {_select(name, files.get(name, ()), name in mixed)}"
                  for name in schema.table_names() if wanted is None or view_name(name) in wanted]
    statements += [view for name, view in VIEWS.items() if wanted is None or name in wanted]
    connection.execute(";\n".join(statements))


def _select(name: str, files: Sequence[Path], mixed: bool) -> str:
    typed = ", ".join(f'NULL::{c.duckdb_type} AS "{c.name}"' for c in schema.table(name).columns)
    empty = f"SELECT {typed} WHERE false"
    if not files:
        return empty
    listed = ", ".join(quote(str(path)) for path in files)
    return (
        f"{empty} UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], "
        f"hive_partitioning=true, hive_types_autocast=false, union_by_name={str(mixed).lower()})"
    )


def quote(value: str) -> str:
    """A string as an SQL literal.

    >>> quote("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"
