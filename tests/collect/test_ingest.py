"""From files to the store: counted beforehand, idempotent, nothing lost, one bad file does not stop the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from voc_lib.collect.ingest import IngestError, ingest
from voc_lib.store import open_store

SAMPLE = Path(__file__).resolve().parents[1] / "exports"


def only(counts):
    (count,) = counts
    return count


def test_a_second_export_adds_only_what_is_new_and_keeps_the_status_history(site):
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,信息审核", "2,响,2020-06-08,信息审核", "2,响,2020-06-08,信息审核")
    first = only(ingest("s", folder, "test"))
    assert (first.rows_read, first.feedback_stored, first.rows_repeated) == (3, 2, 1)
    site("2020-06-15.csv", "1,抖,2020-06-07,厂家受理", "2,响,2020-06-09,信息审核", "3,漏,2020-06-14,信息审核")
    second = only(ingest("s", folder, "test"))
    assert (second.files_known, second.rows_read, second.feedback_stored, second.rows_repeated) == (1, 6, 1, 5)
    store = open_store("s")
    rows = store.read("feedback").collect().sort("source_id")
    assert rows["status"].to_list() == ["厂家受理", "信息审核", "信息审核"]
    assert rows["iso_week"].to_list() == ["2020-W23", "2020-W24", "2020-W24"]  # the week it was stored under stays
    assert [d.day for d in rows["first_seen"].dt.convert_time_zone("Asia/Shanghai")] == [8, 8, 15]
    assert [d.day for d in rows["last_seen"].dt.convert_time_zone("Asia/Shanghai")] == [15, 15, 15]
    assert store.read("status_history").collect().height == 4  # 1: two statuses; 2 and 3: one each


def test_ingesting_the_same_again_stores_nothing_and_publishes_nothing(site):
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,信息审核")
    ingest("s", folder, "test")
    before = open_store("s").snapshot
    again = only(ingest("s", folder))
    assert (again.feedback_stored, again.rows_read, again.files_known) == (0, 1, 1)
    assert open_store("s").snapshot == before
    shutil.copy(folder / "site" / "2020-06-08.csv", folder / "site" / "copy.csv")  # the same rows under another name
    assert only(ingest("s", folder)).feedback_stored == 0


def test_a_file_that_does_not_fit_stops_itself_only(site):
    site("2020-06-01.csv", "1,抖,2020-06-07", header="number,text,day")
    folder = site("2020-06-08.csv", "2,响,2020-06-08,信息审核")
    count = only(ingest("s", folder, "test"))
    assert count.feedback_stored == 1 and list(count.failed) == ["site/2020-06-01.csv"]
    assert "没有列「id」" in count.failed["site/2020-06-01.csv"]
    site("2020-06-01.csv", "1,抖,2020-06-07", header="id,text,day")
    mended = only(ingest("s", folder))
    assert mended.feedback_stored == 1 and not mended.failed


def test_a_row_that_does_not_fit_goes_to_quarantine_and_comes_back_with_a_better_contract(site, home):
    folder = site("2020-06-08.csv", "1,抖,2020/06/07,信息审核", "2,响,2020-06-08,信息审核")
    assert (only(ingest("s", folder, "test")).rows_quarantined, open_store("s").read("feedback").collect().height) == (1, 1)
    row = open_store("s").read("quarantine").collect().row(0, named=True)
    assert (row["line"], row["reason"], row["file"]) == (2, "occurred_at 不是时间", "site/2020-06-08.csv")
    assert "抖" in row["values"]
    path = home / "data" / "domains" / "test" / "channels" / "site.yaml"
    path.write_text(path.read_text("utf-8").replace('["%Y-%m-%d"]', '["%Y-%m-%d", "%Y/%m/%d"]'), "utf-8")
    count = only(ingest("s", folder))
    assert (count.feedback_stored, count.rows_repeated, count.rows_quarantined) == (1, 1, 0)
    assert open_store("s").read("sightings").collect().height == 2  # each seen once in the one export


def test_threads_authors_keys_and_deleted_rows(site):
    head = "id,text,day,thread,answers,nick,gone,mobile"
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,t,,小王,false,13800138000", "2,我也是,2020-06-08,t,1,小李,true,+86 138 0013 8000",
                  "3,早,2020-06-08,,,小王,false,", header=head)
    ingest("s", folder, "test")
    rows = open_store("s").read("feedback").collect().sort("source_id")
    assert rows["parent_id"].to_list() == [None, rows["feedback_id"][0], None]
    assert rows["thread_id"][0] == rows["thread_id"][1] and rows["thread_id"][2] is None
    assert rows["author_key"][0] == rows["author_key"][2] != rows["author_key"][1]
    assert rows["deleted"].to_list() == [False, True, False]
    keys = open_store("s").read("identity_keys").collect()
    assert keys.height == 2 and keys["key_hash"].n_unique() == 1  # one phone, however written


def test_what_cannot_be_ingested_says_what_to_do(site, tmp_path):
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,x")
    with pytest.raises(IngestError, match="用 --domain 说明领域.*test"):
        ingest("s", folder)
    with pytest.raises(IngestError, match="没有文件夹"):
        ingest("s", tmp_path / "nowhere", "test")
    (tmp_path / "empty").mkdir()
    with pytest.raises(IngestError, match="没有任何文件符合.*site/"):
        ingest("s", tmp_path / "empty", "test")
    ingest("s", folder, "test")
    with pytest.raises(IngestError, match="属于领域「test」"):
        ingest("s", folder, "auto")


def test_a_command_that_fails_halfway_can_be_run_again(site, monkeypatch):
    folder = site("2020-06-08.csv", "1,抖,2020-06-07,信息审核")
    from voc_lib.collect import ingest as room

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(room, "_store_sightings", full)
        with pytest.raises(OSError):
            ingest("s", folder, "test")
    assert open_store("s").read("feedback").collect().height == 0
    assert only(ingest("s", folder, "test")).feedback_stored == 1


def test_the_bundled_sample_gives_what_its_readme_says(home):
    counts = {c.channel: c for c in ingest("sample", SAMPLE, "auto")}
    assert {n: c.feedback_stored for n, c in counts.items()} == {"app_store": 186, "complaint_site": 162, "dealer_survey": 285, "hotline": 254}
    assert counts["hotline"].rows_quarantined == 2
    states = open_store("sample").sql("SELECT feedback_id, count(*) AS n FROM status_history GROUP BY feedback_id HAVING n > 1")
    assert states.height == 42  # complaints whose status changed between the two exports


@pytest.mark.parametrize(("domain", "expected"), [
    ("public_auto", {"complaint_site": (4920, 2434), "car_forum": (9947, 8290), "app_store": (11835, 11823), "shops": (9215, 9215)}),
    ("public_bank", {"bank_forum": (6022, 6022)}),
])
def test_the_public_sources_give_the_counts_made_beforehand(home, shared, domain, expected):
    counts = ingest("real", shared / "data", domain)
    assert {c.channel: (c.rows_read, c.feedback_stored) for c in counts} == expected
    assert not any(c.failed or c.rows_quarantined for c in counts)
    store = open_store("real")
    if domain == "public_auto":
        week = store.read("feedback", where="iso_week = '2020-W24'").collect()
        assert week.height == 644 and set(week["channel"]) == {"complaint_site"}
        states = set(store.read("feedback", where="channel = 'complaint_site'").collect()["status"])
        assert states == {"信息审核", "厂家受理", "处理反馈", "用户评分"}  # never an id from the column `status` of two files
    assert all(c.feedback_stored == 0 for c in ingest("real", shared / "data"))


def test_the_week_is_the_contracts_week_not_utcs(site):
    """A post on Monday 00:30 in Shanghai is a Sunday in UTC; it belongs to the week its author lived in."""
    ingest("s", site("2020-06-08.csv", "1,抖,2020-06-08,x"), "test")
    row = open_store("s").read("feedback").collect().row(0, named=True)
    assert (row["iso_week"], row["occurred_at"].strftime("%A"), row["local_date"].strftime("%A")) == ("2020-W24", "Sunday", "Monday")


def test_many_rows_are_written_in_pieces_with_the_same_result(site, monkeypatch):
    monkeypatch.setattr("voc_lib.collect.ingest.FLUSH_ROWS", 2)
    for day in range(1, 6):
        folder = site(f"2020-06-0{day}.csv", f"{day},a,2020-06-0{day},x", "0,b,2020-06-01,x")
    count = only(ingest("s", folder, "test"))
    assert (count.feedback_stored, count.rows_repeated) == (6, 4)
    assert open_store("s").read("sightings").collect().height == 10
    assert open_store("s").snapshot == "000001"


def test_a_week_is_one_file_however_many_channels_speak_in_it(home):
    counts = ingest("s", SAMPLE, "auto")
    store = open_store("s")
    weeks = store.sql("SELECT count(DISTINCT iso_week) AS n FROM feedback_rows")["n"].item()
    assert len(counts) == 4 and len(store.files()["feedback"]) == len(store.files()["sightings"]) == weeks


def test_a_file_that_two_channels_claim_counts_for_each(home):
    channels = home / "data" / "domains" / "auto" / "channels"
    twin = (channels / "app_store.yaml").read_text("utf-8").replace("channel: app_store", "channel: app_store_b")
    (channels / "app_store_b.yaml").write_text(twin, "utf-8")
    counts = {count.channel: count for count in ingest("s", SAMPLE, "auto")}
    stored = dict(open_store("s").sql("SELECT channel, count(*) AS n FROM feedback_rows GROUP BY 1").iter_rows())
    one, other = counts["app_store"], counts["app_store_b"]
    assert one.feedback_stored == other.feedback_stored == stored["app_store"] == stored["app_store_b"] > 0
    assert (one.rows_read, one.rows_repeated) == (other.rows_read, other.rows_repeated)
