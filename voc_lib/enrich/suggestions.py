"""What analysts' labels would say of feedback that no keyword reached: suggestions to accept, never codes by themselves."""

from __future__ import annotations

import numpy as np
import polars as pl

from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.embedders import Embedder, get_embedder
from voc_lib.enrich.fewshot import ABSTAIN_BELOW, LabelCoder, fit_labels
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.enrich.labels import labels_given
from voc_lib.settings import settings
from voc_lib.store import Store

ENOUGH_LABELS = 10  # of a code: with fewer the calibration rests on two or three held-out answers
LOOKED_AT = 2_000  # unmapped feedback, drawn by lot: some seconds of embedding
SUGGESTIONS_SCHEMA = {
    "feedback_id": pl.String, "text": pl.String, "code": pl.String, "confidence": pl.Float64, "nearest": pl.String, "nearness": pl.Float64,
}  # fmt: skip


def taught_codes(labels: pl.DataFrame) -> pl.DataFrame:
    """The main code of every labelled feedback on which its analysts agree: `feedback_id, code`."""
    mains = labels.select("feedback_id", code=pl.col("codes").list.first()).unique(maintain_order=True)
    return mains.filter(pl.len().over("feedback_id") == 1)


def enough_labels(labels: pl.DataFrame) -> pl.DataFrame:
    """Codes by labels that agree, most first: `code, labels, enough` (at least ten)."""
    counts = taught_codes(labels).group_by("code", maintain_order=True).agg(labels=pl.len().cast(pl.Int64))
    return counts.sort(["labels", "code"], descending=[True, False]).with_columns(enough=pl.col("labels") >= ENOUGH_LABELS)


def suggest_codes(lake: Store, top: int = 20, embedder: Embedder | None = None) -> pl.DataFrame:
    """Unmapped feedback nobody has labelled, with the code that labels suggest, surest and nearest first.

    Learns from codes with at least ten labels; empty where fewer than two have them. `confidence` is calibrated among the codes
    learnt (see `fewshot`; below .5 nothing is suggested). Most unmapped feedback belongs to none of them, so it must also be as near
    to a labelled feedback of its code, `nearest`, as half of the labelled are to each other (`nearness`, a cosine).
    """
    labels = labels_given(lake)
    ready = enough_labels(labels).filter("enough")["code"]
    if ready.len() < 2:
        return pl.DataFrame(schema=SUGGESTIONS_SCHEMA)
    rows = lake.sql(
        "SELECT feedback_id, verbatim AS text FROM feedback_rows WHERE verbatim IS NOT NULL AND feedback_id IN (SELECT feedback_id FROM mentions "
        f"WHERE {codes_in_force(lake)} GROUP BY feedback_id HAVING bool_and(code = '{UNMAPPED}')) ORDER BY feedback_id"
    ).join(labels.select("feedback_id").unique(), on="feedback_id", how="anti", maintain_order="left")
    texts = lake.sql("SELECT feedback_id, verbatim AS text FROM feedback_rows").join(labels, on="feedback_id", how="semi")
    taught = taught_codes(labels).filter(pl.col("code").is_in(ready.implode())).join(texts, on="feedback_id", maintain_order="left").drop_nulls("text")
    rows = rows.sort(pl.col("feedback_id").hash(0)).head(LOOKED_AT)
    coder = fit_labels(taught, embedder or get_embedder(settings().embedder, lake.name))
    said = pl.concat([rows, coder.predict(rows["text"].to_list())], how="horizontal")
    said = said.filter((pl.col("confidence") >= ABSTAIN_BELOW) & (pl.col("code") != UNMAPPED))
    near = near_enough(said, taught.unique("text", maintain_order=True), coder)
    return near.sort([pl.col("confidence") * pl.col("nearness"), "feedback_id"], descending=[True, False]).head(top).select(*SUGGESTIONS_SCHEMA).cast(SUGGESTIONS_SCHEMA)


def near_enough(said: pl.DataFrame, taught: pl.DataFrame, coder: LabelCoder) -> pl.DataFrame:
    """Rows near enough to a labelled text of their code, with that text."""
    kept = []
    for (code,), part in said.group_by("code", maintain_order=True):
        labelled = taught.filter(pl.col("code") == code)["text"]
        known = coder.features(labelled.to_list())
        among = (known @ known.T).toarray()
        np.fill_diagonal(among, -1.0)
        least = float(np.median(among.max(axis=1)))
        closeness = (coder.features(part["text"].to_list()) @ known.T).toarray()
        part = part.with_columns(nearest=labelled.gather(closeness.argmax(axis=1)), nearness=pl.Series(closeness.max(axis=1)))
        kept.append(part.filter(pl.col("nearness") >= least))
    return pl.concat(kept) if kept else said.with_columns(nearest=pl.lit(None, pl.String), nearness=pl.lit(None, pl.Float64))
