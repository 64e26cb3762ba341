"""The file for an SQL client: what its views count is what voc counts, it outlives tidying up, and it is written over nothing of anybody else."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from voc_lib.measure.analyses.topic_weeks import with_topics
from voc_lib.measure.duckdb_file import LEFT_OUT, VIEWS, ExportError, export_duckdb
from voc_lib.measure.estimate import estimate
from voc_lib.measure.feedback import feedback
from voc_lib.runs import runs
from voc_lib.store import open_store
from voc_lib.store_write import maintain, write_store


def asked(path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_views_count_what_voc_counts(sample, tmp_path):
    lake, path = open_store("sample"), tmp_path / "给 SQL.duckdb"
    done = export_duckdb(lake, path)
    frame = feedback(lake)
    assert done["rows"]["feedback"] == frame.height and done["snapshot"] == lake.snapshot
    by_channel = dict(frame.group_by("channel").agg(pl.col("person").n_unique()).iter_rows())
    assert dict(asked(path, "SELECT channel, count(DISTINCT person) FROM feedback JOIN people USING (feedback_id) GROUP BY 1")) == by_channel
    named = dict(frame.explode("codes", empty_as_null=False, keep_nulls=False).group_by("codes").len().iter_rows())
    assert dict(asked(path, "SELECT code, count(*) FROM codes GROUP BY 1")) == named
    top = estimate(frame, "code_share", by="code").sort("people", descending=True, nulls_last=True).row(0, named=True)
    assert asked(path, f"SELECT count(DISTINCT person) FROM codes JOIN people USING (feedback_id) WHERE code = '{top['code']}'") == [(top["people"],)]
    assert dict(asked(path, "SELECT feedback_id, status FROM feedback")) == dict(frame.select("feedback_id", "status").iter_rows())
    assert asked(path, "SELECT count(*) FROM feelings WHERE code = '全文'")[0][0] > 0
    tables = {name for name, in asked(path, "SELECT table_name FROM information_schema.tables")}
    assert {"about", "feedback", "people", "codes", "feelings", "status_history"} <= tables and not tables & set(LEFT_OUT)
    about = dict(asked(path, "FROM about"))
    assert about["snapshot"] == lake.snapshot and "绝对路径" in about["请注意"] and "-readonly" in about["打开方式"] and set(VIEWS) < set(about)
    with duckdb.connect(str(path), read_only=True) as connection, pytest.raises(duckdb.Error):
        connection.execute("CREATE TABLE mine AS SELECT 1")


def test_topics_are_those_of_the_ledger(small_world, tmp_path, monkeypatch):
    import shutil

    home = shutil.copytree(small_world, tmp_path / "home")
    monkeypatch.setenv("VOC_HOME", str(home))
    lake = open_store("sample")
    export_duckdb(lake, tmp_path / "a.duckdb")
    placed = with_topics(lake, feedback(lake)).filter(pl.col("topic_id").is_not_null() & pl.col("is_mapped"))
    counted = asked(tmp_path / "a.duckdb", "SELECT topic, count(*) FROM feedback_topics WHERE is_mapped GROUP BY 1")
    assert dict(counted) == dict(placed.group_by("topic").len().iter_rows()) and len(counted) > 5


def test_what_it_points_to_outlives_tidying_up(sample, tmp_path):
    lake, path = open_store("sample"), tmp_path / "a.duckdb"
    export_duckdb(lake, path)
    before = asked(path, "SELECT count(*), count(status), max(verbatim) FROM feedback")
    with write_store("sample", "test") as writer:
        writer.append("feedback", pl.DataFrame([{"feedback_id": "f" * 32, "channel": "hotline", "iso_week": "2026-W46", "verbatim": "新来的"}]))
    maintain("sample", keep_days=0)
    assert runs("sample")["command"].to_list() == ["export duckdb"] and open_store("sample").snapshot > lake.snapshot
    assert asked(path, "SELECT count(*), count(status), max(verbatim) FROM feedback") == before and open_store("sample", lake.snapshot)


def test_it_replaces_its_own_file_and_nobody_elses(sample, tmp_path):
    lake, path = open_store("sample"), tmp_path / "a.duckdb"
    export_duckdb(lake, path)
    export_duckdb(lake, path)
    for name, make in (("text.duckdb", lambda file: file.write_text("notes")), ("other.duckdb", lambda file: duckdb.connect(str(file)).execute("CREATE TABLE mine AS SELECT 1").close())):
        make(tmp_path / name)
        kept = (tmp_path / name).read_bytes()
        with pytest.raises(ExportError, match="不是 voc 导出的文件，不覆盖它。请换一个文件名"):
            export_duckdb(lake, tmp_path / name)
        assert (tmp_path / name).read_bytes() == kept
    with pytest.raises(ExportError, match="请以 .duckdb 结尾"):
        export_duckdb(lake, tmp_path / "a.db")
    with duckdb.connect(str(path), read_only=True), pytest.raises(ExportError, match="正被别的程序打开"):
        export_duckdb(lake, path)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["a.duckdb", "other.duckdb", "text.duckdb"]
