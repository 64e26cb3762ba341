"""Contracts proposed for exports nobody has seen: what is guessed, what is doubted, what stays outside, and that they ingest as they are."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from voc_lib.collect.contract import load_contract
from voc_lib.collect.contract_check import CheckError, check_contracts
from voc_lib.collect.draft import DraftError, draft
from voc_lib.collect.ingest import ingest
from voc_lib.collect.trial import preview
from voc_lib.store import open_store

SURVEY = {"source_id": "答卷编号", "occurred_at": "填写时间", "product": "车型", "region": "大区", "csat": "总体满意度（1-5）", "nps": "推荐意愿(0-10)", "verbatim": "5、您还有什么想对我们说的？"}
HOTLINE = {"source_id": "受理编号", "occurred_at": "来电时间", "product": "车系", "city": "所在城市", "verbatim": "诉求内容", "status": "处理状态"}
FORUM = {"source_id": "post_id", "occurred_at": "created_at", "thread_id": "thread_id", "title": "title", "verbatim": "content", "rating": "stars", "city": "user.city"}


def write(folder: Path, name: str, *lines: str, encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding)
    return folder / name


@pytest.mark.parametrize(("made", "channel", "fields", "left_out", "doubted"), [
    ("survey", "survey", SURVEY, ["客户姓名"], ["2 张工作表", "3 处上下合并", "表头上面还有 3 行", "合计", "Excel 的数字"]),
    ("hotline", "hotline_2", HOTLINE, [], ["GBK"]),
    ("forum", "crawl_posts", FORUM, ["user.name"], ["满分按 5 分算"]),
])
def test_every_column_of_the_three_layouts_is_guessed_and_the_doubts_are_marked(home, tmp_path, unseen, made, channel, fields, left_out, doubted):
    done = draft([getattr(unseen, made)(tmp_path / "导出")], "auto")
    assert (done.channel, done.fields, done.left_out) == (channel, fields, left_out)
    told = " ".join(words for _, words in done.doubts)
    assert [words for words in doubted if words not in told] == []
    lines = done.path.read_text("utf-8").splitlines()
    assert all(f"# 存疑：{words}" in lines[number - 1] for number, words in done.doubts)
    (trial,) = done.trials
    assert (trial.fit, trial.refused, trial.filtered) == (unseen.ROWS, {}, 1 if made == "survey" else 0)


def test_the_three_are_ingested_as_drafted_to_the_row(home, tmp_path, unseen):
    folder = tmp_path / "导出"
    for write_export in (unseen.survey, unseen.hotline, unseen.forum):
        draft([write_export(folder)], "auto")
    counts = {c.channel: c for c in ingest("mine", folder, "auto")}
    assert {name: (c.feedback_stored, c.rows_quarantined, c.failed) for name, c in counts.items()} == dict.fromkeys(("crawl_posts", "hotline_2", "survey"), (60, 0, {}))
    rows = open_store("mine").read("feedback").collect().sort("channel", "source_id")
    survey = rows.filter(pl.col("channel") == "survey")
    assert survey["region"].value_counts().sort("region").rows() == [("华东", 20), ("华北", 20), ("西南", 20)]  # merged over twenty rows each
    assert survey["occurred_at"].dt.convert_time_zone("Asia/Shanghai")[0].isoformat() == "2025-09-01T09:00:00+08:00" and survey["solicited"].all()
    assert survey["csat"].sum() == sum(n % 5 + 1 for n in range(60)) and survey["verbatim"].null_count() == 15
    hotline = rows.filter(pl.col("channel") == "hotline_2")
    assert hotline["occurred_at"].dt.convert_time_zone("Asia/Shanghai")[1].isoformat() == "2025-09-02T09:01:00+08:00" and hotline["status"].n_unique() == 2
    forum = rows.filter(pl.col("channel") == "crawl_posts")
    assert (forum["thread_id"].n_unique(), forum["author_key"].n_unique(), forum["city"].n_unique(), forum["rating_scale"].unique().to_list()) == (15, 20, 3, [5.0])
    linked = open_store("mine").read("identity_keys").collect()
    assert linked["key_type"].value_counts().sort("key_type").rows() == [("phone", 120), ("vin", 60)]
    assert rows.filter(pl.col("channel") == "survey")["author_key"].n_unique() == 60
    lake = rows.write_json()
    assert unseen.mobile(3) not in lake and "张三丰" not in lake and "车友" not in lake


def test_no_personal_data_is_shown_or_written_into_the_contract(home, tmp_path, unseen):
    done = draft([unseen.hotline(tmp_path / "导出")], "auto")
    shown = preview(done.trials[0])
    assert shown.height == 20 and "〔手机号〕" in shown["verbatim"][0] and not any(name.startswith("key_") or name == "author" for name in shown.columns)
    everything = shown.write_json() + done.path.read_text("utf-8") + json.dumps([t.as_dict() for t in done.trials])
    assert not any(unseen.mobile(n) in everything for n in range(60)) and "LSVAA" not in everything


def test_without_an_id_one_is_made_of_columns_and_doubted_and_row_numbers_are_no_id(home, tmp_path):
    lines = [f"{n},2025/11/{n} 9:05,第{n}次来了，服务不错，环境也好,{n % 5 + 1}星,138{n:08d}" for n in range(1, 25)]
    done = draft([write(tmp_path / "x", "门店评价2025.csv", "序号,评价时间,评价内容,评分,手机号", *lines)], "auto", "shops")
    contract = load_contract(done.path)
    assert contract.columns["source_id"] == {"hash_of": ["occurred_at", "verbatim", "rating"]} and "phone" in contract.identity
    assert any("没有编号列" in words for _, words in done.doubts) and done.unused == ["序号"]
    assert done.trials[0].fit == 24 and done.trials[0].typed["rating"].to_list()[:3] == [2.0, 3.0, 4.0]


def test_further_files_add_their_heads_and_what_not_all_have_is_optional(home, tmp_path):
    first = write(tmp_path / "x", "反馈_1.csv", "工单号,投诉时间,投诉内容,城市", *(f"A{n},2025-11-0{n},空调不冷修了{n}次,杭州" for n in range(1, 9)))
    second = write(tmp_path / "x", "反馈_2.csv", "工单号,反馈日期,问题描述", *(f"B{n},2025-11-0{n},异响一直没修好{n}" for n in range(1, 9)))
    done = draft([first, second], "auto", "tickets")
    contract = load_contract(done.path)
    assert contract.aliases["occurred_at"] == ("投诉时间", "反馈日期") and contract.aliases["verbatim"] == ("投诉内容", "问题描述") and contract.optional == ("city",)
    assert [(t.fit, t.refused) for t in done.trials] == [(8, {}), (8, {})] and contract.read.glob == ("**/反馈_*.csv",)


@pytest.mark.parametrize(("cells", "formats"), [
    (["2025年11月3日", "2025年12月11日"], "%Y年%m月%d日"), (["2025/11/3 9:05", "2025/1/13 19:05"], "%Y/%m/%d %H:%M"), (["20251103", "20251130"], "%Y%m%d"),
    (["2025-11-03T09:05:00+08:00"] * 2, "iso"), (["1762131900000", "1762131960000"], "epoch_ms"), (["45964", "45965.5"], "excel"), (["11/23/2025", "12/01/2025"], "%m/%d/%Y"),
])
def test_forms_of_date(home, tmp_path, cells, formats):
    done = draft([write(tmp_path / "x", "a反馈.csv", "编号,反馈时间,内容", *(f"A{n},{cells[n % 2]},空调不冷，修了{n}次还不好" for n in range(10)))], "auto", "dates")
    assert load_contract(done.path).columns["occurred_at"]["formats"][0] == formats
    assert done.trials[0].fit == 10 and done.trials[0].typed["occurred_at"].dt.year().unique().to_list() == [2025]


def test_a_contract_that_is_there_is_never_written_over(home, tmp_path, unseen):
    there = home / "data" / "domains" / "auto" / "channels" / "hotline.yaml"
    before = there.read_bytes()
    with pytest.raises(DraftError, match="hotline.yaml 已经在那里，没有改动.*--channel"):
        draft([unseen.hotline(tmp_path / "导出")], "auto", "hotline")
    assert there.read_bytes() == before
    draft([unseen.hotline(tmp_path / "导出")], "auto", "first")
    second = draft([unseen.hotline(tmp_path / "导出")], "auto", "second")
    assert any("合同 first 已经认领这样的文件，导入会读两遍" in words for _, words in second.doubts)
    with pytest.raises(DraftError, match="没有名为「autos」的领域.*domain.yaml.*extends: auto"):
        draft([unseen.hotline(tmp_path / "导出")], "autos")


def test_locks_are_skipped_and_files_that_cannot_be_read_are_named(home, tmp_path, unseen):
    path = unseen.survey(tmp_path / "导出")
    lock = write(tmp_path / "导出", f"~${path.name}", "x")
    page = write(tmp_path / "导出", "登录.xls", "<html><title>系统登录</title><body>请登录</body></html>")
    done = draft([lock, path, page], "auto")
    assert "正在 Excel 或 WPS 里开着" in done.skipped[lock.name] and "没存的改动不在里面" in done.skipped[f"{path.name}（照读）"]
    assert "标题是「系统登录」" in done.skipped["登录.xls"] and len(done.trials) == 1
    with pytest.raises(DraftError, match="给出的都是锁文件"):
        draft([lock], "auto")


def test_check_says_what_is_wrong_where_and_what_would_be_refused(home, tmp_path, unseen):
    path = unseen.hotline(tmp_path / "导出")
    done = draft([path], "auto")
    (good,) = check_contracts("mine", ["hotline_2"], "auto", path)
    assert not good.wrong and good.trials[0].fit == 60 and len(good.doubts) == len(done.doubts)
    text = done.path.read_text("utf-8")
    done.path.write_text(text.replace("%Y年%m月%d日", "%d.%m.%Y"), "utf-8")
    (refused,) = check_contracts("mine", [str(done.path)], None, path)
    assert refused.wrong and refused.trials[0].refused == {"occurred_at 不是时间": list(range(2, 62))}
    done.path.write_text(text.replace('  status: "status"', '  staus: "status"'), "utf-8")
    (wrong,) = [found for found in check_contracts("mine", [], "auto") if found.wrong]
    assert "合同 hotline_2.yaml 第" in wrong.error and "是否想写「status」" in wrong.error
    with pytest.raises(CheckError, match="没有渠道「hotlin」的合同。是否想写「hotline」"):
        check_contracts("mine", ["hotlin"], "auto")
    assert not (home / "data" / "lake").exists()  # nothing was stored
