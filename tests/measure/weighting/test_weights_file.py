"""Weights from the store to a file: the same as from people in memory, and nothing half-written."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import voc_lib as voc
from tests.measure.weighting.conftest import END, START, WEEK
from voc_lib.measure.weighting.frame import base_of, frame_cells, speakers
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.spoken import UnevenWeights
from voc_lib.measure.weighting.weights_file import weights_to_file
from voc_lib.store import open_store
from voc_lib.store_write import write_store


@pytest.fixture
def asked(silence):
    """Answers in no order: some empty, some no number at all, one of a stranger."""
    _, there = silence
    answers = there.sample(400, seed=5, shuffle=True).select("customer_id", pl.col("score").alias("nps"))
    answers = answers.with_columns(pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).when(pl.int_range(pl.len()) % 11 == 0).then(float("nan")).otherwise("nps").alias("nps"))
    return pl.concat([answers, pl.DataFrame({"customer_id": ["stranger"], "nps": [3.0]})])


def in_memory(store, answers: pl.DataFrame) -> pl.DataFrame:
    """Weights of the people as `calibrate` makes them, on the columns the file was weighed by."""
    base = base_of(store, "visits", START, END)
    people = speakers(store, base, answers).filter(pl.col("nps").is_not_null())
    cells = frame_cells(store, base, people, ("nps",))
    return people, cells


def test_the_file_holds_the_weights_of_calibrating_people(silence, asked, tmp_path):
    store, _ = silence
    people, everyone = in_memory(store, asked)
    cells, notes = weights_to_file(store, base_of(store, "visits", START, END), asked, "nps", tmp_path / "w.parquet")
    found = pl.read_parquet(tmp_path / "w.parquet").sort("customer_id")
    columns = [name for name in found.columns if name not in ("customer_id", "weight")]
    made = voc.calibrate(people, everyone.group_by(columns).agg(pl.col("count").sum()), on_silent="extrapolate")
    assert len(columns) >= 3 and found.height == people.height < 400
    assert_frame_equal(found, made.sort("customer_id").select(found.columns), rel_tol=1e-8)
    assert found["weight"].sum() == pytest.approx(everyone["count"].sum())
    figure, theirs = voc.mean_of_cells(cells), voc.weighted_mean(made, "nps")
    assert figure["estimate"].item() == pytest.approx(theirs["estimate"].item()) and figure["std_error"].item() == pytest.approx(theirs["std_error"].item())
    assert cells["n"].sum() == people.height and isinstance(notes, tuple)


def test_a_frame_and_a_file_of_answers_give_the_same(silence, asked, tmp_path):
    store, _ = silence
    asked.write_parquet(tmp_path / "answers.parquet")
    base = base_of(store, "visits", START, END)
    one, _ = weights_to_file(store, base, asked, "nps", tmp_path / "one.parquet")
    other, _ = weights_to_file(store, base, tmp_path / "answers.parquet", "nps", tmp_path / "other.parquet")
    assert_frame_equal(one, other)
    assert_frame_equal(*(pl.read_parquet(tmp_path / f"{name}.parquet").sort("customer_id") for name in ("one", "other")))


def test_a_level_that_is_empty_or_missing_is_one_level(silence, asked, tmp_path):
    """In the register an unknown region is NULL or ""; both are 未知 and weighed as one."""
    store, _ = silence
    changed = store.sql("SELECT * FROM customers").with_columns(pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).when(pl.int_range(pl.len()) % 5 == 1).then(pl.lit("")).otherwise("region").alias("region"))
    with write_store("empty", "test", "auto") as writer:
        writer.append("customers", changed)
        writer.append("touchpoints", store.sql("SELECT * FROM touchpoints"))
    store = open_store("empty")
    cells, _ = weights_to_file(store, base_of(store, "visits", START, END), asked, "nps", tmp_path / "w.parquet")
    found = pl.read_parquet(tmp_path / "w.parquet")
    assert cells.filter(pl.col("region") == "未知")["count"].sum() == pytest.approx(found.filter(pl.col("region") == "未知")["weight"].sum()) and found["region"].null_count() == 0 == (found["region"] == "").sum()


def test_uneven_weights_are_told_with_their_cells_as_those_of_people_are(silence, tmp_path):
    store, there = silence
    few, many = there.filter(pl.col("visits") < 1).head(12), there.filter(pl.col("visits") > 5)
    answers = pl.concat([few, many]).select("customer_id", pl.col("score").alias("nps"))
    people, everyone = in_memory(store, answers)
    with pytest.warns(UnevenWeights, match="权重很不均匀.*最重的是 .*visits_band=") as told:
        cells, notes = weights_to_file(store, base_of(store, "visits", START, END), answers, "nps", tmp_path / "w.parquet")
    columns = pl.read_parquet(tmp_path / "w.parquet").drop("customer_id", "weight").columns
    with pytest.warns(UnevenWeights) as theirs:
        voc.calibrate(people, everyone.group_by(columns).agg(pl.col("count").sum()), on_silent="extrapolate")
    assert str(told[0].message) == str(theirs[0].message) == notes[-1]


def test_an_analyst_writes_the_weights_of_a_question(silence, tmp_path):
    store, _ = silence
    cells, _ = voc.write_weights("nps", "dealer_survey", tmp_path / "w.parquet", store, WEEK)
    corrected = voc.correction("nps", "dealer_survey", store, WEEK)
    assert_frame_equal(pl.read_parquet(tmp_path / "w.parquet").select("customer_id", "weight").sort("customer_id"), corrected.people.select("customer_id", "weight").sort("customer_id"), rel_tol=1e-8)
    assert voc.mean_of_cells(cells)["estimate"].item() == pytest.approx((corrected.people["y"] * corrected.people["weight"]).sum() / corrected.people["weight"].sum())
    again, _ = voc.write_weights("nps", "dealer_survey", tmp_path / "again.parquet", store, WEEK, answers=corrected.people.select("customer_id", pl.col("y").alias("nps")))
    assert_frame_equal(again, cells, rel_tol=1e-8)


@pytest.mark.parametrize(("change", "said"), [
    (lambda answers: answers.drop("nps"), "没有列：nps；现有：customer_id"),
    (lambda answers: pl.concat([answers, answers.head(3)]), r"重复（404 行，401 位客户）"),
    (lambda answers: answers.with_columns(customer_id=pl.when(pl.int_range(pl.len()) > 0).then("customer_id")), "有空值或重复（401 行，400 位客户）"),
    (lambda answers: answers.with_columns(nps=pl.lit("满意")), "「nps」应是数，有 401 行不是"),
    (lambda answers: answers.tail(1), "答了「nps」的有 0 人，太少或"),
    (lambda answers: answers.with_columns(nps=pl.when(pl.int_range(pl.len()) % 80 == 3).then(7.0)), r"答了「nps」的有 \d 人，太少或"),
])
def test_answers_that_cannot_be_weighed_are_said_and_leave_an_older_file(silence, asked, tmp_path, change, said):
    store, _ = silence
    (tmp_path / "w.parquet").write_text("older")
    with pytest.raises(WeightingError, match=said):
        weights_to_file(store, base_of(store, "visits", START, END), change(asked), "nps", tmp_path / "w.parquet")
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["w.parquet"] and (tmp_path / "w.parquet").read_text() == "older" and not list(tmp_path.glob(".*.parquet"))


def test_files_that_cannot_be_read_or_written_are_named(silence, asked, tmp_path):
    store, _ = silence
    base, broken = base_of(store, "visits", START, END), tmp_path / "答.parquet"
    broken.write_text("no parquet")
    with pytest.raises(WeightingError, match="读不了回答的表「.*答.parquet」"):
        weights_to_file(store, base, broken, "nps", tmp_path / "w.parquet")
    with pytest.raises(WeightingError, match="写不了文件「.*w.parquet」"):
        weights_to_file(store, base, asked, "nps", tmp_path / "nowhere" / "w.parquet")


@pytest.mark.parametrize(("channel", "said"), [("hotline", "「hotline」的权重算不出：这个渠道是自己找上门来的"), ("hotlin", "没有渠道「hotlin」。现有：")])
def test_only_channels_in_which_people_were_asked_have_weights(silence, tmp_path, channel, said):
    with pytest.raises(WeightingError, match=said):
        voc.write_weights("nps", channel, tmp_path / "w.parquet", silence[0], WEEK)
