"""Splitting and joining people by hand: replayed on every run, taken back by a line, refused where they cannot be."""

from __future__ import annotations

import json

import pytest

from tests.collect.identity.conftest import calls, people
from voc_lib.collect.identity import link as room
from voc_lib.collect.identity.edits import LOG, EditError, edit_people, in_force, read_log
from voc_lib.collect.identity.report import doubts_now
from voc_lib.collect.ingest import ingest
from voc_lib.store import open_store
from voc_lib.store_write import write_store


def ids(store) -> dict[str, str]:
    return dict(store.sql("SELECT source_id, feedback_id FROM feedback_rows").iter_rows())


def edit(store, action, *names):
    return edit_people("s", {"action": action, "feedback": [ids(store)[name] for name in names]}, "王", "电话核实")


def test_a_split_stays_through_every_later_run(linked, company):
    assert edit(linked, "split", "P1") == (1, 1)
    found = people(open_store("s"))
    assert found["P1"][0] is None and found["P1"][2] == "edit" and found["C1"][0] == "ann"
    calls(company, "2026-11", [("N1", "2026-11-02", "16000000001", None, "又响")])
    ingest("s", company)
    later = people(open_store("s"))
    assert later["P1"] == found["P1"] and later["N1"][0] == "ann"


def test_a_join_takes_all_feedback_of_both_and_undo_gives_it_back(linked):
    before = people(linked)
    line, changed = edit(linked, "join", "P3", "C5", "C2")
    assert changed == 2    # P3 and C5 come to bob, his own stay as they were
    found = people(open_store("s"))
    assert {found[name][0] for name in ("P3", "C5", "C2", "P2")} == {"bob"}
    edit_people("s", {"action": "undo", "of": line}, "王", "弄错了")
    assert {name: who[:2] for name, who in people(open_store("s")).items()} == {name: who[:2] for name, who in before.items()}
    assert [one["action"] for one in read_log(open_store("s").path / LOG)] == ["join", "undo"] and in_force(read_log(open_store("s").path / LOG)) == []


@pytest.mark.parametrize("names", [("C5", "C2"), ("P3", "C5"), ("P3", "C1"), ("C5", "C3")])
def test_news_after_an_edit_gives_what_looking_at_everything_gives(linked, company, monkeypatch, names):
    monkeypatch.setattr(room, "WHOLE", 10.0)
    edit(linked, "join", *names)
    calls(company, "2026-11", [("N1", "2026-11-02", "16009999999", None, "又是那个电话"), ("N2", "2026-11-03", "16000000001", None, "又响")])
    ingest("s", company)
    found = people(open_store("s"))
    assert found["N1"][1] == found["C5"][1] and found["N2"][0] == "ann"
    with write_store("s", "again") as writer:
        assert room.link(writer, everything=True).changed == 0


STEPS = {
    "a split of a customer's call": [("split", "C1")], "a split of half a stranger's": [("split", "C5")], "two without keys": [("join", "P3", "C6")], "a stranger to a customer": [("join", "C5", "C2")],
    "a split, then joined with a stranger": [("split", "C1"), ("join", "C1", "C5")], "two joins that meet, one undone": [("join", "P3", "C5"), ("join", "P3", "C2"), ("undo", 1)],
    "without keys and undone twice": [("join", "P3", "C6"), ("undo", 1), ("undo", 1)], "a split undone": [("split", "P1"), ("undo", 1)],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_an_edit_looks_only_at_what_it_reaches_and_gives_what_looking_at_everything_gives(linked, company, steps, monkeypatch):
    calls(company, "2026-11", [("N1", "2026-11-02", "16009999999", None, "又是那个电话"), ("N2", "2026-11-03", "16000000001", None, "又响")])
    ingest("s", company)
    runs, run = [], room.link
    monkeypatch.setattr(room, "link", lambda *given, **named: runs.append(run(*given, **named)) or runs[-1])
    for action, *names in steps:
        if action == "undo":
            edit_people("s", {"action": "undo", "of": names[0]}, "王", "弄错了")
        else:
            edit(linked, action, *names)
    assert len(runs) == len(steps) and not any(done.whole for done in runs) and max(done.looked_at for done in runs) < 8    # of ten with keys
    doubts = doubts_now(open_store("s")).drop("found_at")
    with write_store("s", "again") as writer:
        assert run(writer, everything=True).changed == 0
    assert doubts.equals(doubts_now(open_store("s")).drop("found_at"))


def test_two_customers_cannot_be_joined_and_nothing_is_written(linked):
    with pytest.raises(EditError, match="2 位客户"):
        edit(linked, "join", "C1", "C2")
    assert not (linked.path / LOG).exists() and people(open_store("s")) == people(linked)


@pytest.mark.parametrize(("line", "says"), [
    ('{"action": "split"', "第 1 行 不是有效的 JSON"),
    ('{"action": "melt", "feedback": ["x"]}', "第 1 行 不是 split、join 或 undo"),
    ('{"action": "join"}', "缺少"),
    (json.dumps({"action": "split", "feedback": ["0" * 32]}), "不在库「s」里"),
    (json.dumps({"action": "undo", "of": 4}), "第 4 行，但那一行不存在"),
])
def test_a_log_that_cannot_be_replayed_is_named_by_its_line(linked, company, line, says):
    (linked.path / LOG).write_text(line + "\n", "utf-8")
    calls(company, "2026-11", [("N1", "2026-11-02", "16000000001", None, "又响")])
    with pytest.raises(EditError, match=says):
        ingest("s", company)
    assert people(open_store("s")) == people(linked)    # the snapshot before stays


def test_an_edit_without_a_reason_is_refused(linked):
    with pytest.raises(EditError, match="--why"):
        edit_people("s", {"action": "split", "feedback": [ids(linked)["P1"]]}, "王", " ")
