"""Taking back lines of the edit log: skipped by every replay, restored by a second undo, refused where later lines build on them."""

import json

import pytest

from voc_lib.enrich.coding import coder_version
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.edits import UNDO, EditError, append_edit, edit_codes, read_edits
from voc_lib.enrich.labels import edit_lines, replay_labels
from voc_lib.enrich.undo import log_lines, undo_edit

SHAKE, NOISE, BRAKE, NEW_NAME = "转向-方向盘-抖动", "转向-方向盘-异响", "制动-刹车-异响", "底盘-方向盘-抖动"
WHO = {"who": "王工", "why": "周会决定"}


@pytest.fixture
def folder(tmp_path):
    for name, more in (("a", ""), ("b", "extends: a\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "domain.yaml").write_text(f"title: {name}\n{more}", "utf-8")
    (tmp_path / "a" / "taxonomy.yaml").write_text(f"codes:\n  {SHAKE}: [打手, 盘抖]\n  {NOISE}: [盘响]\n  {BRAKE}: [刹车响]\n", "utf-8")
    return tmp_path


def words(folder, code=SHAKE, name="a"):
    return load_domain(folder, name).code(code).synonyms


def labelled(folder, codes, at="2026-11-20T08:00:00+00:00", who="甲", feedback_id="1"):
    append_edit(folder / "a" / "edits.jsonl", {"action": "label", "store": "s", "feedback_id": feedback_id, "codes": codes, "who": who, "at": at})


def test_an_undo_is_one_line_more_and_the_edit_counts_no_longer(folder):
    before = coder_version(load_domain(folder, "a"))
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    written = (folder / "a" / "edits.jsonl").read_bytes()
    done, follows = undo_edit(folder, "a", who="李工", line=1)
    assert (done["line"], done["who"], done["edit"]["wording"], follows) == (1, "李工", "直哆嗦", [])
    assert (folder / "a" / "edits.jsonl").read_bytes().startswith(written) and len(read_edits(folder / "a" / "edits.jsonl")) == 2
    assert "直哆嗦" not in words(folder) + words(folder, name="b") and coder_version(load_domain(folder, "a")) == before


def test_an_undo_taken_back_restores_and_so_on(folder):
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    undo_edit(folder, "a", who="王工", line=1)
    undo_edit(folder, "a", who="王工", line=2)
    assert "直哆嗦" in words(folder) and [line["stands"] for line in log_lines(folder, "a")] == [True, False, True]
    undo_edit(folder, "a", who="王工", line=3)
    assert "直哆嗦" not in words(folder)
    with pytest.raises(EditError, match="第 1 行已经撤销过了"):
        undo_edit(folder, "a", who="王工", line=1)
    assert edit_lines(folder, "a")[-1]["stands"] is False


def test_without_a_line_it_is_one_s_own_last_step_and_then_the_one_before(folder):
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    edit_codes(folder, "a", "add_synonym", code=NOISE, wording="盘子叫", **WHO)
    edit_codes(folder, "a", "add_synonym", code=BRAKE, wording="踩了叫", who="李工", why="新说法")
    assert [undo_edit(folder, "a", who="王工")[0]["line"] for _ in range(2)] == [2, 1]
    assert words(folder, BRAKE) == ("刹车响", "踩了叫")
    with pytest.raises(EditError, match="没有 王工 可以撤销的一步"):
        undo_edit(folder, "a", who="王工")
    labelled(folder, [SHAKE], who="李工")
    assert undo_edit(folder, "a", who="李工", store="another")[0]["edit"]["code"] == BRAKE, "labels on another store are left alone"


def test_a_line_that_others_build_on_is_refused_and_the_line_is_named(folder):
    edit_codes(folder, "a", "rename", code=SHAKE, to=NEW_NAME, **WHO)
    edit_codes(folder, "b", "add_synonym", code=NEW_NAME, wording="直哆嗦", **WHO)
    with pytest.raises(EditError) as refused:
        undo_edit(folder, "a", who="王工", line=1)
    assert "撤不了第 1 行" in str(refused.value) and "b/edits.jsonl 第 1 行" in str(refused.value) and "请先撤销那一行" in str(refused.value)
    assert len(read_edits(folder / "a" / "edits.jsonl")) == 1
    undo_edit(folder, "b", who="王工")
    undo_edit(folder, "a", who="王工", line=1)
    assert words(folder) == ("打手", "盘抖")


def test_an_edit_that_no_longer_fits_keeps_its_undo_from_being_undone(folder):
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    undo_edit(folder, "a", who="王工")
    edit_codes(folder, "a", "add_synonym", code=NOISE, wording="直哆嗦", **WHO)
    with pytest.raises(EditError, match="a/edits.jsonl 第 3 行"):
        undo_edit(folder, "a", who="王工", line=2)


def test_a_label_taken_back_leaves_the_one_before_and_labels_that_are_lost_are_listed(folder):
    labelled(folder, [SHAKE])
    labelled(folder, [NOISE])
    undo_edit(folder, "a", who="甲")
    lines = [line for line in edit_lines(folder, "a")[::-1] if line["stands"]]
    assert replay_labels(lines, "s", {SHAKE, NOISE})[0][2] == [SHAKE]
    edit_codes(folder, "a", "rename", code=BRAKE, to="制动-刹车-尖叫", **WHO)
    labelled(folder, ["制动-刹车-尖叫"], "2099-01-01T00:00:00+00:00", feedback_id="2")
    _, follows = undo_edit(folder, "a", who="王工")
    assert follows == ["1 条标注用的编码不再存在，不再计入"]


def test_an_undo_written_by_hand_is_answered_with_its_line(folder):
    log = folder / "a" / "edits.jsonl"
    for line, message in (({"of": "0123456789ab", "who": "甲", "at": "x"}, "第 1 行：要撤销的那一行（0123456789ab）不在它前面"), ({"of": " ", "who": "甲", "at": "x"}, "undo 要写明撤销哪一行")):
        log.write_text(json.dumps({"action": UNDO} | line) + "\n", "utf-8")
        with pytest.raises(EditError, match=message):
            load_domain(folder, "a")
    log.unlink()
    with pytest.raises(EditError, match="请用 voc codes edit undo"):
        edit_codes(folder, "a", UNDO, code=SHAKE, **WHO)
    with pytest.raises(EditError, match="没有第 7 行，共 0 行"):
        undo_edit(folder, "a", who="甲", line=7)
    with pytest.raises(EditError, match="请先写上您的名字"):
        undo_edit(folder, "a", who=" ")
