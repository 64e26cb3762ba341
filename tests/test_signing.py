"""A week from draft to signed: words in a second, a signature that holds, actions in the ledger, every number back to its rows."""

from __future__ import annotations

import json

import pytest

import voc_lib as voc
from voc_lib import pipeline, publishing
from voc_lib.publishing import RunError
from voc_lib.report.notes import NotesError
from voc_lib.runs import trace
from voc_lib.signing import notes_state, sign

WEEK = "2026-W46"


@pytest.fixture
def desk(draft):
    return draft / "reports"


def page(reports):
    return (reports / WEEK / "index.html").read_text("utf-8")


def manifest(reports):
    return json.loads((reports / WEEK / "manifest.json").read_text("utf-8"))


def write(reports, finding, field, value):
    """Fill one field of the first run's notes, as an editor would."""
    path = reports / WEEK / "notes.yaml"
    head, _, tail = path.read_text("utf-8").partition(f"  {finding}:\n")
    path.write_text(head + f"  {finding}:\n" + "\n".join(f"    {field}: {value}" if line.strip().startswith(f"{field}:") and not done else line
                                                       for done, line in _once(tail.split("\n"), field)), "utf-8")


def _once(lines, field):
    done = False
    for line in lines:
        yield done, line
        done = done or line.strip().startswith(f"{field}:")


def test_a_changed_word_is_on_the_page_without_any_notebook_running_again(desk, monkeypatch):
    first = notes_state(WEEK)["empty"][0]
    write(desk, first, "conclusion", '"她写的 <b>话</b>"')
    before = (desk / WEEK / "notes.yaml").read_bytes()
    run = pipeline.weekly("sample", WEEK)
    assert "2 本沿用上次的结果" in run.said["notebooks"] and run.notes_new is None
    assert "她写的 &lt;b&gt;话&lt;/b&gt;" in page(desk) and '<p class="stamp">草稿</p>' in page(desk)
    assert (desk / WEEK / "notes.yaml").read_bytes() == before and notes_state(WEEK)["written"] == [first]
    once = page(desk)
    pipeline.weekly("sample", WEEK)
    assert page(desk) == once and (desk / WEEK / "notes.yaml").read_bytes() == before


def test_notes_that_cannot_be_read_stop_the_run_before_anything_and_change_nothing(desk, monkeypatch):
    once = page(desk)
    (desk / WEEK / "notes.yaml").write_text("findings: [\n", "utf-8")
    monkeypatch.setattr(pipeline, "_notebooks", lambda run: pytest.fail("a notebook ran"))
    with pytest.raises(NotesError, match="2026-W46/notes.yaml 第 2 行"):
        pipeline.weekly("sample", WEEK)
    assert page(desk) == once and (desk / WEEK / "notes.yaml").read_text("utf-8") == "findings: [\n"


def test_a_note_without_its_finding_is_kept_and_listed_and_a_new_finding_can_be_added(desk):
    path = desk / WEEK / "notes.yaml"
    text = path.read_text("utf-8")
    first = notes_state(WEEK)["empty"][0]
    path.write_text(text.replace(f"  {first}:\n", "  code:旧的-没有-了:\n").replace('    conclusion: ""', "    conclusion: 上周写的", 1), "utf-8")
    state = notes_state(WEEK)
    assert state["gone"] == ["code:旧的-没有-了"] and state["missing"] == [first] and state["added"] == []
    kept = path.read_text("utf-8")
    assert notes_state(WEEK, add=True)["added"] == [first] and path.read_text("utf-8").startswith(kept)
    pipeline.weekly("sample", WEEK)
    assert "这一次没有找到的发现" in page(desk) and "上周写的" in page(desk)


def test_a_chosen_quote_is_the_customers_own_words_from_the_snapshot(desk):
    one = manifest(desk)["findings"][0]["finding"]
    rows = trace(WEEK, one)[2]
    quoted = rows.row(-1, named=True)
    write(desk, one, "quotes", f"[{quoted['feedback_id'][:12]}]")
    write(desk, one, "pinned", "true")
    pipeline.weekly("sample", WEEK)
    section = page(desk).split('<section class="issue">')[1]
    assert "".join(quoted["verbatim"].split())[:10] in "".join(section.split()) and ">置顶<" in page(desk)
    write(desk, one, "quotes", "[ffffffffffff]")
    with pytest.raises(NotesError, match="ffffffffffff"):
        pipeline.weekly("sample", WEEK)


def test_signed_by_name_it_changes_only_by_signing_again(desk):
    first = notes_state(WEEK)["empty"][0]
    write(desk, first, "recommendation", "查支架")
    write(desk, first, "date", "2026-11-20")
    run = sign(WEEK, " 王  芳 ")
    told = manifest(desk)
    assert told["signed"]["by"] == "王 芳" and "定稿 · 王 芳 · " in page(desk) and "草稿" not in page(desk) and run.said["actions"] == "行动台账新添 1 条"
    assert voc.actions("sample").select("week", "finding", "what").row(0) == (WEEK, first, "查支架")
    once = page(desk)
    write(desk, first, "conclusion", "后来写的")
    again = pipeline.weekly("sample", WEEK)
    assert "已由王 芳于" in again.said["pages"] and page(desk) == once and "后来写的" in (desk / WEEK / "notes.yaml").read_text("utf-8")
    with pytest.raises(RunError, match="已由王 芳于.*定稿以后意见文件有改动.*--again"):
        sign(WEEK, "李")
    assert page(desk) == once
    sign(WEEK, "李", again=True)
    assert "后来写的" in page(desk) and "定稿 · 李 · " in page(desk)
    assert [one["by"] for one in manifest(desk)["signed_before"]] == ["王 芳"] and voc.actions().height == 1
    assert "李" in (desk / "index.html").read_text("utf-8")


def test_a_signed_page_stands_on_its_own_snapshot_however_the_store_has_grown(desk):
    before = manifest(desk)
    from voc_lib.store_write import write_store

    with write_store("sample", "more") as writer:
        rows = writer.sql(f"SELECT * FROM feedback_rows WHERE iso_week = '{WEEK}'")
        writer.append("feedback", rows.with_columns(feedback_id=rows["feedback_id"] + "x", author_key=rows["feedback_id"] + "y"))
    sign(WEEK, "王")
    assert manifest(desk)["snapshot"] == before["snapshot"] and manifest(desk)["headline"] == before["headline"]


@pytest.mark.parametrize("week, by, said", [
    ("2026-W40", "王", "没有已发布的一周「2026-W40」可以定稿。现有：2026-W46"), ("../x", "王", "没有已发布的一周"), (WEEK, "  ", "署名"), (WEEK, "王" * 41, "署名"), (WEEK, "王\n\x00", "署名")])
def test_what_cannot_be_signed_says_why(desk, week, by, said):
    once = page(desk)
    with pytest.raises(RunError, match=said):
        sign(week, by)
    assert page(desk) == once


def test_every_number_of_the_page_resolves_to_its_rows(desk):
    told = manifest(desk)
    names = [item["name"] for item in told["headline"]]
    health = ["库中反馈", "隔离的行", "没有日期"]
    assert {*names, *health, *(one["finding"] for one in told["findings"])} == {one["number"] for one in told["numbers"]}
    for number in told["numbers"]:
        _, one, rows = trace(WEEK, number["number"])
        assert rows.height == one["n"]
        assert one["people"] is None or rows["person"].n_unique() == one["people"] and rows["feedback_id"].n_unique() == rows.height
    heard = trace(WEEK, names[0])[1]
    assert heard["people"] == told["headline"][0]["value"]
    with pytest.raises(RunError, match="没有编号「听到」。是否想写「听到的人」"):
        trace(WEEK, "听到")


def test_rows_that_are_no_longer_all_there_are_not_passed_off_as_the_number(desk):
    told = manifest(desk)
    told["numbers"][0]["n"] += 1
    (desk / WEEK / "manifest.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(RunError, match="请勿引用"):
        trace(WEEK, told["numbers"][0]["number"])


def test_a_damaged_manifest_is_no_signature(desk):
    (desk / WEEK / "manifest.json").write_text("{", "utf-8")
    assert publishing.published(desk / WEEK) == {} and pipeline.weekly("sample", WEEK).page.is_file()


def typed(capsys, monkeypatch, *words) -> tuple[int, str, str]:
    """Exit status, standard output and error of a command as typed."""
    from voc_lib.cli import main

    monkeypatch.setattr("sys.argv", ["voc", *words])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


def test_on_the_command_line(desk, capsys, monkeypatch):
    ended, told, _ = typed(capsys, monkeypatch, "notes", WEEK)
    assert ended == 0 and "还没有写：code:" in told and "写了意见" not in told
    assert "听到的人" in typed(capsys, monkeypatch, "trace", WEEK)[1]
    ended, told, _ = typed(capsys, monkeypatch, "trace", WEEK, "听到的人", "--most", "3")
    assert ended == 0 and "SELECT feedback_id" in told and f"{manifest(desk)['headline'][0]['value']:.0f} 人；库「sample」快照" in told
    rows = json.loads(typed(capsys, monkeypatch, "trace", WEEK, "听到的人", "--json")[1])
    assert len(rows["rows"]) == rows["n"] and rows["snapshot"] == manifest(desk)["snapshot"]
    assert typed(capsys, monkeypatch, "actions", "list")[1].strip() == "台账里还没有行动。"
    write(desk, notes_state(WEEK)["empty"][0], "recommendation", "查支架")
    ended, told, _ = typed(capsys, monkeypatch, "sign", WEEK, "--by", "王")
    assert ended == 0 and "行动：行动台账新添 1 条" in told and told.strip().endswith("index.html")
    ended, told, said = typed(capsys, monkeypatch, "sign", WEEK, "--by", "王")
    assert ended == 1 and "--again" in said
    action = voc.actions()["id"].item()
    assert "已完成" in typed(capsys, monkeypatch, "actions", "close", action, "--result", "换了")[1]
    assert "换了" in typed(capsys, monkeypatch, "actions", "list")[1]
    assert "已由王于" in typed(capsys, monkeypatch, "weekly", "--week", WEEK)[1]
    for words, told in ((("notes", "2020-W01"), "没有已发布的一周"), (("trace", WEEK, "听到人"), "是否想写「听到的人」"), (("actions", "close", "x", "--result", "y"), "没有行动「x」")):
        ended, _, said = typed(capsys, monkeypatch, *words)
        assert ended == 1 and told in said and "Traceback" not in said
