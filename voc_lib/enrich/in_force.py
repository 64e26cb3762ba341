"""Which codes count at a snapshot: those of the keyword coder in force, and what the labels in force add to it."""

from __future__ import annotations

from voc_lib.engine import quote
from voc_lib.store import Store

LEARNT = "+labels-"  # between the version of a keyword coder and that of the labels which speak where it is silent


def coder_in_force(store: Store) -> str | None:
    """The keyword coder that coded last or was put back last at this snapshot: one version serves every week, so that weeks compare."""
    return store.sql(
        "SELECT arg_max(model_version, since) AS version FROM (SELECT model_version, max(coded_at) AS since FROM mentions WHERE source IS DISTINCT FROM 'labels' "
        "GROUP BY model_version UNION ALL SELECT model_version, since FROM coders WHERE NOT contains(model_version, '+'))"
    )["version"].item()


def labels_in_force(store: Store, coder: str) -> str | None:
    """The coder learnt from labels that was put in force last for this keyword coder; None where there has been none."""
    return store.sql(f"SELECT arg_max(model_version, since) AS version FROM coders WHERE starts_with(model_version, {quote(coder + LEARNT)})")["version"].item()


def codes_in_force(store: Store) -> str:
    """The SQL condition on `mentions` that keeps what counts; a feedback may have 未归类 by keywords and a code by labels."""
    coder = coder_in_force(store)
    versions = [version for version in (coder, coder and labels_in_force(store, coder)) if version]
    return f"model_version IN ({', '.join(map(quote, versions))})" if versions else "false"
