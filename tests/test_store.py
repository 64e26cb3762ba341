"""The store's rules, each learnt by breaking it: append-only, one lock, atomic snapshots, views over pinned files."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest
from deltalake import DeltaTable

from voc_lib import schema
from voc_lib import store as module
from voc_lib.store import StoreError, open_store
from voc_lib.store_write import append_run, maintain, write_store

DAY = datetime(2020, 6, 8, tzinfo=UTC)


def feedback(ids, week="2020-W24", channel="forum"):
    return pl.DataFrame({"feedback_id": ids, "source_id": ids}).with_columns(
        channel=pl.lit(channel), iso_week=pl.lit(week), verbatim=pl.lit("方向盘抖动")
    )


def store_of(ids, name="s", **more):
    with write_store(name, "test", domain="auto") as writer:
        return writer.append_new("feedback", feedback(ids, **more))


def ids(store):
    return sorted(store.read("feedback", ["feedback_id"]).collect()["feedback_id"])


def test_only_new_keys_are_appended_and_a_repeat_publishes_nothing(home):
    assert store_of(["a", "b"]).height == 2
    first = open_store("s").snapshot
    assert store_of(["b", "a", "a"]).height == 0
    assert open_store("s").snapshot == first == "000001"
    assert store_of(["b", "c"])["feedback_id"].to_list() == ["c"]
    assert ids(open_store("s")) == ["a", "b", "c"]
    assert ids(open_store("s", snapshot=1)) == ["a", "b"]


def test_a_command_is_published_whole_or_not_at_all(home):
    store_of(["a"])
    with pytest.raises(RuntimeError):
        with write_store("s", "fails") as writer:
            writer.append("feedback", feedback(["b"]))
            writer.append("status_history", pl.DataFrame(
                {"feedback_id": ["b"], "iso_week": ["2020-W24"], "status": ["受理"], "seen_at": [DAY]}))
            raise RuntimeError
    assert ids(open_store("s")) == ["a"]
    assert store_of(["b"]).height == 1  # the row taken back is new again, and once
    assert ids(open_store("s")) == ["a", "b"]


def test_status_and_sightings_are_rows_and_the_current_state_is_a_view(home):
    store_of(["a"])
    later = DAY.replace(day=20)
    with write_store("s", "status") as writer:
        writer.append("status_history", pl.DataFrame({
            "feedback_id": ["a", "a"], "iso_week": ["2020-W24"] * 2, "status": ["已解决", "信息审核"], "seen_at": [later, DAY]}))
        writer.append("sightings", pl.DataFrame({
            "feedback_id": ["a", "a"], "iso_week": ["2020-W24"] * 2, "export_id": ["x", "y"],
            "seen_at": [DAY, later], "deleted": [False, True]}))
        writer.append("links", pl.DataFrame({"feedback_id": ["a"], "iso_week": ["2020-W24"], "person_id": ["c1"], "customer_id": ["c1"], "linked_at": [DAY]}))
        writer.append("duplicates", pl.DataFrame({"feedback_id": ["a"], "iso_week": ["2020-W24"], "duplicate_of": ["z"], "found_at": [DAY]}))
    row = open_store("s").read("feedback").collect().row(0, named=True)
    assert (row["status"], row["first_seen"], row["last_seen"], row["deleted"]) == ("已解决", DAY, later, True)
    assert (row["person_id"], row["customer_id"], row["duplicate_of"]) == ("c1", "c1", "z")


def test_undated_feedback_has_a_partition_of_its_own_and_empty_tables_answer(home):
    store_of(["a"], week="undated")
    store = open_store("s")
    assert (store.path / "feedback" / "iso_week=undated").is_dir()
    assert store.read("mentions").collect().height == 0
    assert store.read("feedback", where="iso_week = 'undated'").collect().height == 1
    with pytest.raises(StoreError, match="iso_week"):
        with write_store("s", "null week") as writer:
            writer.append("feedback", feedback(["b"]).with_columns(iso_week=pl.lit(None, pl.String)))


def test_a_column_added_to_the_schema_reads_old_and_new_rows(home, monkeypatch):
    store_of(["a"])
    wide = schema.Table(**{**schema.table("feedback").__dict__,
                           "columns": (*schema.table("feedback").columns, schema.text("colour", "colour of the car"))})
    monkeypatch.setattr(schema, "table", lambda name, real=schema.table: wide if name == "feedback" else real(name))
    assert open_store("s").read("feedback", ["colour"]).collect()["colour"].to_list() == [None]
    with write_store("s", "wider") as writer:
        writer.append_new("feedback", feedback(["b"]).with_columns(colour=pl.lit("白")))
    rows = open_store("s").read("feedback", ["feedback_id", "colour"]).collect().sort("feedback_id")
    assert rows["colour"].to_list() == [None, "白"]


def test_dates_read_back_in_utc_and_ill_typed_rows_are_refused(home):
    naive = feedback(["a"]).with_columns(occurred_at=pl.lit("2020-06-08 00:30:00").str.to_datetime().dt.replace_time_zone("Asia/Shanghai"))
    with write_store("s", "t", domain="auto") as writer:
        writer.append_new("feedback", naive)
    assert open_store("s").read("feedback").collect()["occurred_at"].item() == datetime(2020, 6, 7, 16, 30, tzinfo=UTC)
    for wrong, word in ((feedback(["b"]).with_columns(mood=pl.lit(1)), "mood"),
                        (feedback(["b"]).with_columns(rating=pl.lit("five")), "feedback"),
                        (feedback(["b"]).with_columns(author_kind=pl.lit("ghost")), "ghost")):
        with pytest.raises(StoreError, match=word):
            with write_store("s", "wrong") as writer:
                writer.append("feedback", wrong)


def test_what_is_not_there_is_answered_with_what_is(home):
    store_of(["a"], name="sample")
    with pytest.raises(StoreError, match="是否想写「sample」"):
        open_store("sampel")
    with pytest.raises(StoreError, match="没有快照「000009」"):
        open_store("sample", snapshot=9)
    with pytest.raises(StoreError, match="是否想写「feedback」"):
        open_store("sample").read("feedbak")
    with pytest.raises(StoreError, match="是否想写「verbatim」"):
        open_store("sample").read("feedback", ["verbatin"])
    with pytest.raises(StoreError, match="不能用"):
        open_store("../outside")


def _append_many(home, start, out):
    os.environ["VOC_HOME"] = str(home)
    for k in range(6):
        out.put(store_of([f"{start}{k}", f"shared{k}"]).height)


def test_two_writers_at_once_lose_nothing_and_repeat_nothing(home):
    store_of(["seed"])
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    writers = [context.Process(target=_append_many, args=(home, name, out)) for name in "xy"]
    for process in writers:
        process.start()
    for process in writers:
        process.join(120)
    assert ids(open_store("s")) == sorted(["seed", *(f"{n}{k}" for n in "xy" for k in range(6)), *(f"shared{k}" for k in range(6))])
    assert sum(out.get(timeout=5) for _ in range(12)) == 18


KILLED = """
import os, sys, polars as pl
sys.path.insert(0, {tests!r})
from test_store import feedback
from voc_lib.store_write import write_store
with write_store("s", "killed") as writer:
    writer.append("feedback", feedback([f"k{{i}}" for i in range(50)]))
    print("written", flush=True)
    sys.stdin.read()
"""


def test_a_writer_killed_in_the_middle_leaves_nothing_behind(home):
    store_of(["a"])
    reader = open_store("s")
    code = KILLED.format(tests=os.path.dirname(__file__))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "written"
    with pytest.raises(StoreError, match="正被另一个命令写入"):
        with write_store("s", "waits", timeout=0.2):
            pass
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert DeltaTable(str(reader.path / "feedback")).version() > reader.versions["feedback"]
    assert ids(open_store("s")) == ids(reader) == ["a"]
    store_of(["k1", "b"])
    assert ids(open_store("s")) == ["a", "b", "k1"]


def test_vacuum_keeps_every_snapshot_a_run_names_and_disturbs_no_reader(home):
    for k in range(6):
        store_of([f"a{k}"])
    named = open_store("s", snapshot=3)
    append_run("s", {"run_id": "r1", "command": "weekly", "snapshot": "000003", "outcome": "published",
                     "manifest": json.dumps(named.versions)})
    reader = open_store("s", snapshot=3)
    maintain("s", keep_days=0)
    assert ids(reader) == ids(open_store("s", snapshot="000003")) == ["a0", "a1", "a2"]
    assert ids(open_store("s")) == [f"a{k}" for k in range(6)]
    with pytest.raises(StoreError, match="000002"):
        open_store("s", snapshot=2)
    store_of(["b"])
    assert open_store("s").read("runs").collect()["run_id"].to_list() == ["r1"]


def test_vacuum_removes_what_no_kept_snapshot_needs(home):
    for k in range(4):
        store_of([f"a{k}"])
    before = len(list((open_store("s").path / "feedback").rglob("*.parquet")))
    assert before == 4
    removed = maintain("s", keep_days=0)
    assert removed["feedback"] == 4 and ids(open_store("s")) == ["a0", "a1", "a2", "a3"]


def test_ids_are_laid_down_letters_apart_from_lengths_by_every_writer(home):
    def encodings():
        store = open_store("s")
        listed = ", ".join(f"'{file}'" for file in store.files(["feedback_rows"])["feedback"])
        rows = store.sql(f"SELECT path_in_schema AS name, encodings FROM parquet_metadata([{listed}])")
        return {name: set(",".join(rows.filter(pl.col("name") == name)["encodings"]).replace(" ", "").split(",")) for name in ("feedback_id", "channel")}

    store_of(["a"])
    store_of(["b"])
    assert "DELTA_LENGTH_BYTE_ARRAY" in encodings()["feedback_id"] and "RLE_DICTIONARY" not in encodings()["feedback_id"]
    assert "RLE_DICTIONARY" in encodings()["channel"]    # what repeats itself keeps its dictionary
    maintain("s", keep_days=0)
    assert "DELTA_LENGTH_BYTE_ARRAY" in encodings()["feedback_id"] and "RLE_DICTIONARY" not in encodings()["feedback_id"]
    assert ids(open_store("s")) == ["a", "b"]


def test_a_reader_goes_on_while_a_writer_and_a_vacuum_run(home):
    for k in range(3):
        store_of([f"a{k}"])
    reader = open_store("s")
    with write_store("s", "slow") as writer:
        writer.append("feedback", feedback(["z"]))
        assert ids(reader) == ids(open_store("s")) == ["a0", "a1", "a2"]
    maintain("s", keep_days=7)
    assert ids(reader) == ["a0", "a1", "a2"]


def test_read_is_lazy_and_pushes_columns_and_filters_down(home):
    store_of(["a", "b"])
    store_of(["c"], week="2020-W25")
    frame = open_store("s").read("feedback", where="channel = 'forum'")
    assert isinstance(frame, pl.LazyFrame)
    assert frame.filter(pl.col("iso_week") == "2020-W25").select("feedback_id").collect()["feedback_id"].to_list() == ["c"]
    assert frame.select(pl.len()).collect().item() == 3 and frame.collect_schema()["occurred_at"] == pl.Datetime("us", "UTC")
    with pytest.raises(StoreError, match="答不了这个查询"):
        open_store("s").read("feedback", where="nosuch = 1")


def test_a_query_opens_only_the_tables_it_names(home, monkeypatch):
    store_of(["a"])
    with write_store("s", "more") as writer:
        writer.append("status_history", pl.DataFrame({"feedback_id": ["a"], "iso_week": ["2020-W24"], "status": ["受理"], "seen_at": [DAY]}))
    opened, real = [], module.table_files
    monkeypatch.setattr(module, "table_files", lambda table, folder: opened.append(folder.name) or real(table, folder))
    lake = open_store("s")
    assert lake.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item() == 1 and opened == ["feedback"]
    assert lake.sql("SELECT status FROM Feedback")["status"].to_list() == ["受理"] and opened == ["feedback", "status_history"]
    assert lake.sql('SELECT count(*) AS n FROM "feedback_rows", quarantine')["n"].item() == 0 and opened == ["feedback", "status_history"]
    names = set(lake.sql("SHOW TABLES").to_series())
    assert names == {*schema.table_names(), "feedback_rows", "repeats", "refused"}
    with pytest.raises(StoreError, match="没有表「nothing」"):
        lake.sql("SELECT * FROM nothing JOIN feedback_rows USING (feedback_id)")
