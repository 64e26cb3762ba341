"""Feedback frames drawn as text, and made weeks."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

SCHEMA = {
    "feedback_id": pl.String, "channel": pl.String, "person": pl.String, "thread": pl.String,
    "author_key": pl.String, "customer_id": pl.String, "rating": pl.Float64, "rating_scale": pl.Float64,
    "codes": pl.List(pl.String), "region": pl.String, "verbatim": pl.String, "iso_week": pl.String,
    "local_date": pl.Date,
}  # fmt: skip


def drawn(text: str) -> pl.DataFrame:
    """A table of words; `-` is null, `codes` are joined by commas (`.` none), `x3` in column `times` repeats."""
    head, *lines = [line.split() for line in text.strip().splitlines()]
    out = []
    for line in lines:
        row = dict(zip(head, line))
        times = int(row.pop("times", "1"))
        for copy in range(times):
            one = {name: None if value == "-" else value for name, value in row.items()}
            if times > 1 and "person" in one:
                one["person"] = f"{one['person']}{copy}"
            out.append(one)
    return completed(out)


def completed(rows: list[dict]) -> pl.DataFrame:
    """Rows of a feedback frame with what they leave out: every person an own author, thread and day."""
    for at, row in enumerate(rows):
        row.setdefault("feedback_id", f"f{at}")
        row.setdefault("person", f"p{at}")
        row.setdefault("thread", row["feedback_id"])
        row.setdefault("author_key", row["person"])
        row.setdefault("channel", "forum")
        row["codes"] = [code for code in str(row.get("codes", ".")).split(",") if code != "."]
        row["rating"] = None if row.get("rating") is None else float(row["rating"])
        row.setdefault("rating_scale", 5.0)
        row["rating_scale"] = None if row["rating_scale"] is None else float(row["rating_scale"])
        if row.get("iso_week"):
            row.setdefault("local_date", date.fromisoformat(f"{row['iso_week']}-1") + timedelta(days=at % 7))
    return pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA)


@pytest.fixture
def rows():
    """Draw a feedback frame from text."""
    return drawn


@pytest.fixture
def week_of():
    """Feedback of one week: `week_of("2020-W10", {"code": people}, silent=people without code, channel=...)`."""

    def make(label: str, codes: dict[str, int], silent: int = 0, channel: str = "forum") -> pl.DataFrame:
        said = [code for code, people in codes.items() for _ in range(people)] + ["."] * silent
        return completed(
            [
                {"feedback_id": f"{label}{channel}{at}", "person": f"{label}{channel}{at}", "codes": code,
                 "iso_week": label, "channel": channel}
                for at, code in enumerate(said)
            ]
        )  # fmt: skip

    return make


@pytest.fixture
def noisy_weeks():
    """Weeks of ratings, each group's share of low ratings shaken from week to week (beta): phi = 1 + (n-1) rho."""

    def make(seed: int, weeks: int, groups: int, people: int, share: float, rho: float) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        strength = (1 - rho) / rho
        true = rng.beta(share * strength, (1 - share) * strength, (weeks, groups))
        low = rng.random((weeks, groups, people)) < true[:, :, None]
        week, group, _ = np.indices(low.shape)
        return pl.DataFrame(
            {"week": week.ravel(), "group": group.ravel(), "rating": np.where(low.ravel(), 1.0, 5.0)}
        ).with_row_index("at").select(
            pl.format("f{}", "at").alias("feedback_id"),
            pl.format("a{}", "at").alias("author_key"),
            pl.format("g{}", "group").alias("region"),
            pl.format("2019-W{}", pl.col("week") + 10).alias("iso_week"),
            "rating",
            pl.lit(5.0).alias("rating_scale"),
        )  # fmt: skip

    return make


@pytest.fixture
def told(home):
    """Feedback written straight into a store: `told({"verbatim": "异响", "iso_week": "2026-W45"}, ...)`; ids 0…01, 0…02 in the order given."""
    from voc_lib.enrich.embedders import CLEANING, VECTORS_SCHEMA, text_hash
    from voc_lib.store import open_store
    from voc_lib.store_write import write_store

    written = []

    def write(*rows: dict):
        said = []
        for row in rows:
            written.append(row)
            said.append({"feedback_id": f"{len(written):032x}", "channel": "forum", "iso_week": "2026-W46", "verbatim": "", "author_key": f"a{len(written)}"} | row)
        with write_store("told", "test", "auto") as writer:
            writer.append("feedback", pl.DataFrame([{k: v for k, v in row.items() if k not in ("vector", "code")} for row in said], infer_schema_length=None))
            writer.append("texts", pl.DataFrame([{"feedback_id": row["feedback_id"], "cleaning": CLEANING, "text_hash": text_hash(row["verbatim"]) if row["verbatim"] else None} for row in said]))
            coded = [{"feedback_id": row["feedback_id"], "iso_week": row["iso_week"], "code": row["code"], "source": "keyword", "model_version": "k",
                      "coded_at": datetime(2026, 11, 20, tzinfo=UTC)} for row in said if "code" in row]
            writer.append("mentions", pl.DataFrame(coded))
            vectors = [{"text_hash": text_hash(row["verbatim"]), "fingerprint": "hand", "dimensions": len(row["vector"]),
                        "vector": np.array(row["vector"], "<f2").tobytes()} for row in said if "vector" in row]
            writer.append_new("vectors", pl.DataFrame(vectors, schema=VECTORS_SCHEMA))
            writer.remember(fingerprint="hand")
        return open_store("told")

    return write
