"""New topics of a store: found in the week they begin, with the same name tag the week after; nothing is said without a past."""

import random
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

import voc_lib as voc
from voc_lib.collect.ingest import ingest
from voc_lib.measure.analyses import new_topics
from voc_lib.measure.analyses.new_topics import NEW_TOPICS_SCHEMA
from voc_lib.measure.feedback import PeriodError

PROJECT = Path(__file__).resolve().parents[3]
CONTRACT = """
channel: {channel}
title: {channel}
owner: 质量部
base: vehicles
solicited: false
cannot_tell: 无。
timezone: Asia/Shanghai
read: {{glob: "{channel}/*.csv"}}
columns: {{source_id: "id", verbatim: '"text"', author: "who", author_kind: "kind", occurred_at: {{from: day, formats: ["%Y-%m-%d"]}}}}
"""
FIRST, WEEKS, A_WEEK = date(2026, 1, 5), 20, 40  # 2026-W02 to 2026-W21; the new topic begins in W20
WHAT, HOW = ("空调", "座椅", "油耗", "导航", "底盘", "隔音", "轮胎", "灯光", "后备箱", "车漆"), ("真不错", "还可以", "一般般", "让人失望", "超出预期", "有点小毛病")
MUSIC = ("车里唱歌的麦克风总是断线", "周末唱歌麦克风连不上", "孩子要唱歌，麦克风没声音", "买来唱歌的麦克风坏了")


def posts() -> list[str]:
    """Id, text, author, kind and day of what people say: the usual every week, and something about singing in the last two."""
    lots, lines = random.Random(2), []
    for week in range(WEEKS):
        monday = FIRST + timedelta(weeks=week)
        for at in range(A_WEEK):
            lines.append((f"{week}-{at}", f"{lots.choice(WHAT)}{lots.choice(HOW)}，{lots.choice(WHAT)}{lots.choice(HOW)}", f"u{week}-{at}", "unknown", monday + timedelta(days=at % 7)))
        for at in range(10 if week >= WEEKS - 2 else 0):
            lines.append((f"n{week}-{at}", f"{MUSIC[at % 4]}，{lots.choice(WHAT)}{lots.choice(HOW)}", f"n{week}-{at}", "unknown", monday))
            lines.append((f"o{week}-{at}", "官方福利抽奖送保温杯", f"o{week}-{at}", "official", monday))
    return [",".join(map(str, line)).replace("，", "。") for line in lines]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a store of one forum, not coded; never written to by a test."""
    folder = tmp_path_factory.mktemp("new_topics") / "工作 台"
    shutil.copytree(PROJECT / "data" / "domains", folder / "data" / "domains")
    shutil.copy(PROJECT / "voc.toml", folder)
    put(folder, "forum", posts())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(folder))
        ingest("forum", folder / "exports", "auto")
    return folder


@pytest.fixture
def forum(made, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(made))
    return made


def put(home, channel: str, lines: list[str]) -> None:
    (home / "data" / "domains" / "auto" / "channels" / f"{channel}.yaml").write_text(CONTRACT.format(channel=channel), "utf-8")
    folder = home / "exports" / channel
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "posts.csv").write_text("\n".join(["id,text,who,kind,day", *lines]), "utf-8")


def test_a_topic_is_a_candidate_when_it_begins_and_keeps_its_id(forum):
    last = voc.new_topics("forum", "2026-W21").row(0, named=True)
    assert set(last["name"].split("、")) <= {"唱歌", "麦克风"} and last["people"] == 20 and last["known_code"] is None
    assert last["lift"] > 3 and last["q_value"] <= 0.01 and last["p_value"] <= last["q_value"]
    rows = voc.feedback("forum", ["2026-W20", "2026-W21"])
    assert {one[0] for one in rows.filter(rows["feedback_id"].is_in(last["feedback_ids"]))["source_id"]} == {"n"}
    before = voc.new_topics("forum", "2026-W20")
    assert before["people"].to_list() == [10] and before["candidate"].to_list() == [last["candidate"]]


def test_weeks_in_which_nothing_begins_have_no_candidate_and_the_makers_accounts_are_no_topic(forum):
    for week in ("2026-W15", "2026-W17", "2026-W19"):
        assert voc.new_topics("forum", week).is_empty()
    assert "保温杯" not in str(voc.new_topics("forum", "2026-W21")["terms"].to_list())


def test_of_a_large_past_people_are_drawn_by_lot(forum, monkeypatch):
    whole = voc.new_topics("forum", "2026-W21")
    monkeypatch.setattr(new_topics, "MOST_BASE", 300)
    part = voc.new_topics("forum", "2026-W21")
    assert part["people"].to_list() == whole["people"].to_list() and part["expected"].to_list() != whole["expected"].to_list()
    assert voc.new_topics("forum", "2026-W19").is_empty()


def test_a_short_past_gives_nothing_and_says_why(forum, caplog):
    found = voc.new_topics("forum", "2026-W10")
    assert found.is_empty() and found.columns == list(NEW_TOPICS_SCHEMA) and "只有 7 周有反馈" in caplog.text
    assert "只有 7 周有反馈" in voc.new_topics_note("forum", "2026-W10") and voc.new_topics_note("forum", "2026-W11") == ""
    assert voc.new_topics("forum", "2026-W21", base_weeks=7).is_empty()


def test_a_new_export_is_not_a_new_topic_and_is_named(made, tmp_path, monkeypatch):
    forum, lots = shutil.copytree(made, tmp_path / "副本"), random.Random(3)
    monkeypatch.setenv("VOC_HOME", str(forum))
    put(forum, "radio", [f"r{at},电台主持人说的{lots.choice('甲乙丙丁')}路堵车{lots.choice(HOW)},r{at},unknown,2026-05-20" for at in range(60)])
    ingest("forum", forum / "exports", "auto")
    assert "堵车" not in str(voc.new_topics("forum", "2026-W21")["terms"].to_list()) and "radio" in voc.new_topics_note("forum", "2026-W21")


def test_a_week_that_is_not_there_is_said(forum):
    with pytest.raises(PeriodError, match="没有任何反馈"):
        voc.new_topics("forum", "2027-W01")
    with pytest.raises(PeriodError, match="不是一周"):
        voc.new_topics("forum", "上周")
