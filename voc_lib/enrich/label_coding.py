"""The step of enrich in which labels code what no keyword reaches, under a model version of its own: <keyword coder>+labels-<fingerprint>.

The table `coders` keeps the labels each such version learnt from, so that new feedback is coded by the same ones week after week and any
snapshot can be made again. It learns anew when a fifth of the labels changed, when a code gets or loses enough of them, when the
keyword coder changed, or by `voc codes refit`. A version is put in force last, when everything unmapped has been looked at.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich import language
from voc_lib.enrich.batches import SPOKEN, each_batch
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.embedders import CLEANING, decode_vectors
from voc_lib.enrich.in_force import LEARNT, coder_in_force, labels_in_force
from voc_lib.enrich.label_coder import VERSION, Learnt, StoredVectors, learn, learnable
from voc_lib.enrich.labels import labels_given
from voc_lib.enrich.suggestions import taught_codes
from voc_lib.settings import settings
from voc_lib.store import Store, open_store
from voc_lib.store_write import Writer, write_store

ROWS = 20_000  # unmapped feedback coded per commit: their features take some 300 MB
STEP = 0.2  # share of the labels learnt from that has to change before all unmapped feedback is coded again
CHARACTERS = "characters"  # in place of an embedder's fingerprint where the store has no vectors
BY_HAND = 1.0  # confidence of the code that analysts gave to this very feedback
LABELS = {"feedback_id": pl.String, "code": pl.String}


@dataclass(frozen=True)
class LabelCount:
    """What the step did: feedback looked at, the version in force (None: never any labels), labels learnt from, labels not yet learnt."""

    feedback: int
    version: str | None
    labels: int
    waiting: int


def code_by_labels(store: str, coder: str, fingerprint: str, again: bool = False) -> LabelCount:
    """Code unmapped feedback by labels; `again` learns from all labels now, however few are new. Resumes, and does nothing when nothing is new."""
    lake = open_store(store)
    fingerprint = fingerprint if lake.sql(f"SELECT 1 FROM vectors WHERE fingerprint = {quote(fingerprint)} LIMIT 1").height else CHARACTERS
    held, given = labels_in_force(lake, coder), learnable(taught_codes(labels_given(lake)).cast(LABELS))
    if held is None and given.is_empty():
        return LabelCount(0, None, 0, 0)
    known = lake.sql(f"SELECT feedback_id, code FROM coders WHERE model_version = {quote(held or '')} AND since = "
                     f"(SELECT max(since) FROM coders WHERE model_version = {quote(held or '')}) AND feedback_id <> '' ORDER BY feedback_id")
    stays = held == labels_version(coder, known, fingerprint) and not again and not _moved(known, given)
    taught = known if stays else given
    version = labels_version(coder, taught, fingerprint)
    done = _code(store, coder, version, taught, fingerprint)
    if version != held:
        rows = taught if taught.height else pl.DataFrame({"feedback_id": [""], "code": [None]}, schema=LABELS)
        with write_store(store, "enrich: labels") as writer:
            writer.append("coders", rows.with_columns(pl.lit(version).alias("model_version"), pl.lit(datetime.now(UTC)).alias("since")))
    return LabelCount(done, version, taught.height, given.join(taught, on=["feedback_id", "code"], how="anti").height)


def put_in_force(store: str, coder: str) -> None:
    """A keyword coder whose codes are all there but that did not code last (an edit was taken back) is in force again."""
    if coder_in_force(open_store(store)) not in (coder, None):
        with write_store(store, "enrich: coder") as writer:
            writer.append("coders", pl.DataFrame({"model_version": [coder], "feedback_id": [""], "since": [datetime.now(UTC)]}))


def learnt_codes(lake: Store) -> pl.DataFrame:
    """Codes that the labels in force were learnt for, most labels first: `code, labels, feedback` they coded, mean `confidence`."""
    version = labels_in_force(lake, coder_in_force(lake) or "") or ""
    said = lake.sql(f"SELECT code, count(*) AS feedback, avg(confidence) AS confidence FROM mentions WHERE model_version = {quote(version)} GROUP BY code")
    labels = lake.sql(f"SELECT code, count(DISTINCT feedback_id) AS labels FROM coders WHERE model_version = {quote(version)} AND code <> '{UNMAPPED}' GROUP BY code")
    return labels.join(said, on="code", how="left").with_columns(pl.col("feedback").fill_null(0)).sort(["labels", "code"], descending=[True, False])


def labels_version(coder: str, taught: pl.DataFrame, fingerprint: str) -> str:
    """What decides the codes from labels: the keyword coder that leaves feedback to them, the labels, the features, the rules."""
    return coder + LEARNT + (hashlib.sha256(repr((taught.rows(), fingerprint, VERSION)).encode()).hexdigest()[:12] if taught.height else "none")


def _moved(known: pl.DataFrame, given: pl.DataFrame) -> bool:
    if set(known["code"]) - {UNMAPPED} != set(given["code"]) - {UNMAPPED}:
        return True
    on = ["feedback_id", "code"]
    return known.join(given, on=on, how="anti").height + given.join(known, on=on, how="anti").height >= STEP * known.height > 0


def _code(store: str, coder: str, version: str, taught: pl.DataFrame, fingerprint: str) -> int:
    """Look at what is unmapped under `coder` and not yet seen by `version`; nothing where nothing can be learnt."""
    if taught.is_empty():
        return 0
    missing = (
        f"SELECT feedback_id, channel, iso_week FROM feedback_rows WHERE {SPOKEN} <> '' AND feedback_id IN (SELECT feedback_id FROM mentions WHERE model_version = "
        f"'{coder}' AND code = '{UNMAPPED}') AND feedback_id NOT IN (SELECT feedback_id FROM mentions WHERE model_version = '{version}') ORDER BY iso_week, feedback_id LIMIT {ROWS}"
    )
    fitted: list[tuple[StoredVectors, Learnt | None, dict]] = []

    def code(writer: Writer, rows: pl.DataFrame) -> None:
        if not fitted:  # only now: a week in which nothing is missing loads nothing heavy
            fitted.append((*fit_version(writer, taught, fingerprint), dict(load_domain(settings().domains, open_store(store).about["domain"]).scopes)))
        vectors, learnt, scopes = fitted[0]
        spoken = _spoken(writer, rows["feedback_id"], fingerprint)
        vectors.batch = _vectors_of(spoken)
        texts = rows.select("feedback_id").join(spoken, on="feedback_id", how="left", maintain_order="left")["text"].to_list()
        writer.append("mentions", _mentions(rows, texts, taught, learnt, scopes, version))

    return each_batch(store, "labels", missing, code, "已照标注看过 %d 条")


def fit_version(lake: Store | Writer, taught: pl.DataFrame, fingerprint: str) -> tuple[StoredVectors, Learnt | None]:
    """The coder that learns from these labels: with stored vectors where the store has any of this fingerprint, else by characters alone."""
    spoken = _spoken(lake, taught["feedback_id"], fingerprint)
    vectors = StoredVectors(fingerprint, int(spoken["dimensions"].max() or 1), _vectors_of(spoken))
    return vectors, learn(taught.join(spoken, on="feedback_id", maintain_order="left"), vectors)


def _spoken(lake: Store | Writer, wanted: pl.Series, fingerprint: str) -> pl.DataFrame:
    """What was said in each feedback, with the stored vector of its verbatim: `feedback_id, text, dimensions, vector`."""
    listed = ", ".join(map(quote, wanted))
    return lake.sql(
        f"SELECT feedback_id, {SPOKEN} AS text, v.dimensions, v.vector FROM feedback_rows "
        f"LEFT JOIN (SELECT feedback_id, text_hash FROM texts WHERE cleaning = '{CLEANING}' AND feedback_id IN ({listed})) USING (feedback_id) "
        f"LEFT JOIN (SELECT * FROM vectors WHERE fingerprint = {quote(fingerprint)}) AS v USING (text_hash) WHERE feedback_id IN ({listed}) ORDER BY feedback_id"
    )


def _vectors_of(spoken: pl.DataFrame) -> dict:
    stored = spoken.filter(pl.col("vector").is_not_null()).unique("text", keep="first", maintain_order=True)
    return dict(zip(stored["text"], decode_vectors(stored["vector"], int(stored["dimensions"][0])), strict=True)) if stored.height else {}


def _mentions(rows: pl.DataFrame, texts: list[str], taught: pl.DataFrame, learnt: Learnt | None, scopes: dict, version: str) -> pl.DataFrame:
    nothing = pl.DataFrame({"code": [UNMAPPED] * rows.height, "confidence": [None] * rows.height}, schema={"code": pl.String, "confidence": pl.Float64})
    said = pl.concat([rows, learnt.say(texts) if learnt else nothing, pl.DataFrame({"text": texts})], how="horizontal")
    said = said.join(taught.rename({"code": "given"}), on="feedback_id", how="left", maintain_order="left").with_columns(
        code=pl.coalesce("given", "code"), confidence=pl.when(pl.col("given").is_not_null()).then(BY_HAND).otherwise("confidence"))
    inside = [code == UNMAPPED or given is not None or scopes.get(channel) is None or code.split("-")[0] in scopes[channel]
              for code, given, channel in said.select("code", "given", "channel").iter_rows()]
    said = said.with_columns(code=pl.when(pl.Series(inside)).then("code").otherwise(pl.lit(UNMAPPED)))
    is_said = pl.col("code") != UNMAPPED
    length = language.clean_column(said["text"]).str.len_chars().cast(pl.Int64)
    return said.select(
        "feedback_id", "iso_week", "code",
        confidence=pl.when(is_said).then("confidence"), span_start=pl.when(is_said).then(pl.lit(0, pl.Int64)), span_end=pl.when(is_said).then(length),
        clause_start=pl.when(is_said).then(pl.lit(0, pl.Int64)), source=pl.lit("labels"), evidence=pl.when(is_said).then(pl.lit("labels")),
        is_primary=pl.lit(True), model_version=pl.lit(version), coded_at=pl.lit(datetime.now(UTC)),
    )
