"""Boolean search over everything that was said: 异响 AND 空调 NOT 车机."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.boolean import condition
from voc_lib.measure.held import rows_where, taken
from voc_lib.measure.selections import asked_for
from voc_lib.store import Store, open_store


def find(
    query: str, store: Store | str | None = None, period: str | list[str] | None = None, channel: str | list[str] | None = None,
    selection: str | None = None,
) -> pl.DataFrame:
    """Feedback in which the words stand, as a frame like that of `voc.feedback`: estimate, crosstab and sample_verbatims take it.

    >>> voc.find('异响 AND (空调 OR "出风口") NOT 车机', period="2026-W46")               # doctest: +SKIP

    Words beside one another must all stand in one feedback (title, verbatim and follow-up together); OR, NOT, parentheses and "短语" as
    above, half or full width, in capitals or not, also 与 或 非. A word of Chinese fits wherever its characters stand side by side, Latin
    letters and digits fit as whole words; traditional characters, full-width forms and capitals do not matter. `selection` is the name of
    a saved selection, and what is asked for here comes on top of it. Only masked text is searched and given back.

    Raises QueryError where the query cannot be read, with the place; PeriodError where the store has no such week or channel.
    """
    store = store if isinstance(store, Store) else open_store(store)
    return taken(store, rows_where(store, [condition(query)] + asked_for(store, period, channel, selection)))
