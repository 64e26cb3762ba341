"""The edit log: what each action does to a small taxonomy, and what is refused, with line and remedy."""

import json

import polars as pl
import pytest

from voc_lib.enrich.coding import code_keywords, coder_version
from voc_lib.enrich.domain import DomainError, load_domain
from voc_lib.enrich.edits import edit_codes, read_edits

SHAKE, NOISE, BRAKE = "转向-方向盘-抖动", "转向-方向盘-异响", "制动-刹车-异响"
WHO = {"who": "王工", "why": "周会决定"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "domain.yaml").write_text("title: 甲\n", "utf-8")
    (tmp_path / "a" / "taxonomy.yaml").write_text(
        f"groups:\n  盘: [方向盘, 转向盘]\ncodes:\n  {SHAKE}: [打手, 盘抖]\n  {NOISE}: [盘响]\n  {BRAKE}: [刹车响]\n", "utf-8")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "domain.yaml").write_text("title: 乙\nextends: a\n", "utf-8")
    return tmp_path


def found(folder, text, name="a"):
    return code_keywords(pl.DataFrame({"feedback_id": ["1"], "text": [text]}), load_domain(folder, name))["code"].to_list()


def test_a_synonym_counts_at_once_and_in_every_domain_that_extends(folder):
    before = coder_version(load_domain(folder, "a"))
    assert found(folder, "盘子直哆嗦") == ["未归类"]
    written = edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    assert found(folder, "盘子直哆嗦") == found(folder, "盘子直哆嗦", "b") == [SHAKE]
    assert coder_version(load_domain(folder, "a")) != before
    assert written["who"] == "王工" and written["why"] == "周会决定" and written["at"].endswith("+00:00")
    assert [edit for _, edit in read_edits(folder / "a" / "edits.jsonl")] == [written]


def test_a_pattern_may_use_the_groups_of_the_file(folder):
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="<盘> + 颤", **WHO)
    assert load_domain(folder, "a").code(SHAKE).patterns == ((("方向盘", "转向盘"), ("颤",)),)


def test_move_merge_and_rename_by_hand(folder):
    edit_codes(folder, "a", "move", code=SHAKE, wording="盘抖", to=NOISE, **WHO)
    assert load_domain(folder, "a").code(SHAKE).synonyms == ("打手",)
    assert load_domain(folder, "a").code(NOISE).synonyms == ("盘响", "盘抖")
    edit_codes(folder, "a", "merge", code=BRAKE, to=NOISE, **WHO)
    assert [code.code for code in load_domain(folder, "a").taxonomy] == [SHAKE, NOISE]
    assert found(folder, "刹车响") == [NOISE]
    edit_codes(folder, "a", "rename", code=NOISE, to="底盘-方向盘-异响", **WHO)
    assert found(folder, "刹车响") == ["底盘-方向盘-异响"]
    assert load_domain(folder, "a").code("底盘-方向盘-异响").label == "方向盘异响"
    assert len(read_edits(folder / "a" / "edits.jsonl")) == 3


def test_an_edit_of_the_child_leaves_the_base_alone(folder):
    edit_codes(folder, "b", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    assert found(folder, "直哆嗦", "b") == [SHAKE] and found(folder, "直哆嗦", "a") == ["未归类"]


@pytest.mark.parametrize(
    ("action", "given", "message"),
    [
        ("delete", {"code": SHAKE}, "没有修改动作「delete」，可用：add_synonym、move、merge、rename"),
        ("add_synonym", {"code": "转向-方向盘-抖", "wording": "直哆嗦"}, f"没有编码「转向-方向盘-抖」。最接近的：{SHAKE}"),
        ("add_synonym", {"code": SHAKE, "wording": "打手"}, f"「打手」已经是「{SHAKE}」的说法"),
        ("add_synonym", {"code": SHAKE, "wording": "盘响"}, f"「盘响」已经是「{NOISE}」的说法，请用 move"),
        ("add_synonym", {"code": SHAKE, "wording": "抖"}, "只有一个字的说法「抖」会到处命中"),
        ("add_synonym", {"code": SHAKE, "wording": "<轮> + 抖动"}, "没有词组「<轮>」。已有词组：盘"),
        ("add_synonym", {"code": SHAKE, "wording": "好 + | 坏"}, "里有空的说法"),
        ("add_synonym", {"code": SHAKE}, "add_synonym 要写明说法（wording），现在是空的"),
        ("move", {"code": SHAKE, "wording": "直哆嗦", "to": NOISE}, f"「{SHAKE}」没有这个说法。它的短语：打手、盘抖"),
        ("move", {"code": NOISE, "wording": "盘响", "to": SHAKE}, "就没有说法了，请改用 merge"),
        ("merge", {"code": SHAKE, "to": SHAKE}, "两个编码相同"),
        ("rename", {"code": SHAKE, "to": "抖动"}, "应写成 系统-部件-现象 三段"),
        ("rename", {"code": SHAKE, "to": NOISE}, f"已有编码「{NOISE}」，要合在一起请用 merge"),
        ("merge", {"code": SHAKE, "to": NOISE, "wording": "多余"}, "merge 用不上「wording」"),
    ],
)
def test_what_cannot_be_done_is_refused_and_not_written(folder, action, given, message):
    with pytest.raises(DomainError) as refused:
        edit_codes(folder, "a", action, **given, **WHO)
    assert message in str(refused.value)
    assert not (folder / "a" / "edits.jsonl").exists()


def test_nobody_edits_without_a_name_and_a_reason(folder):
    for missing in ({"who": "", "why": "有因"}, {"who": "王工", "why": " "}):
        with pytest.raises(DomainError, match="要写明(修改人|原因)"):
            edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **missing)


def test_a_rename_that_empties_a_scope_is_refused(folder):
    (folder / "b" / "domain.yaml").write_text("title: 乙\nextends: a\nscopes: {hotline: [制动]}\n", "utf-8")
    with pytest.raises(DomainError, match="渠道 hotline 的范围里有编码表没有的系统：制动"):
        edit_codes(folder, "a", "rename", code=BRAKE, to="刹车-刹车-异响", **WHO)
    assert not (folder / "a" / "edits.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{坏", "a/edits.jsonl 第 2 行：不是一行完整的 JSON"),
        ("[1]", "a/edits.jsonl 第 2 行：应写成"),
        (json.dumps({"action": "merge", "code": SHAKE, "to": "无-此-码", "at": "x", "who": "y", "why": "z"}), "a/edits.jsonl 第 2 行：没有编码「无-此-码」"),
        (json.dumps({"action": "merge", "code": SHAKE, "to": NOISE, "at": "x", "who": "y"}), "a/edits.jsonl 第 2 行：merge 要写明原因"),
    ],
)
def test_a_log_written_by_hand_is_answered_with_its_line(folder, line, message):
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    with (folder / "a" / "edits.jsonl").open("a", encoding="utf-8") as log:
        log.write(line + "\n")
    with pytest.raises(DomainError) as refused:
        load_domain(folder, "a")
    assert message in str(refused.value)


def test_a_log_without_a_last_line_end_is_continued_on_a_new_line(folder):
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="直哆嗦", **WHO)
    path = folder / "a" / "edits.jsonl"
    path.write_text(path.read_text("utf-8").rstrip("\n"), "utf-8")
    edit_codes(folder, "a", "add_synonym", code=SHAKE, wording="麻手", **WHO)
    assert len(read_edits(path)) == 2
