"""notes.yaml: written once, read with every slip told by line, never touched again."""

from datetime import date

import pytest

from voc_lib.report.notes import NotesError, add_findings, read_notes, write_first

FOUND = [{"finding": "code:空调-运转-异响", "says": "本周 15 人提到\n上周 11 人。"}, {"finding": 'new:"唱歌": #1', "says": "新"}]
EMPTY = {"conclusion": "", "findings": {}, "digest": "", "files": []}


def write(folder, text, name="notes.yaml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def test_the_first_notes_say_what_the_machine_found_and_nothing_of_the_analyst(tmp_path):
    path = write_first(tmp_path, "2026-W46", "2026年第46周", FOUND)
    text = path.read_text("utf-8")
    assert "# 机器：本周 15 人提到 上周 11 人。" in text and "voc sign 2026-W46 --by 姓名" in text
    found = read_notes(tmp_path)
    assert found["conclusion"] == "" and found["findings"] == {one["finding"]: {"noted": True} for one in FOUND} and len(found["digest"]) == 64


def test_what_is_there_is_never_overwritten(tmp_path):
    write(tmp_path, "conclusion: 我写的\n")
    assert write_first(tmp_path, "2026-W46", "周", FOUND) is None and (tmp_path / "notes.yaml").read_text("utf-8") == "conclusion: 我写的\n"
    only_hers = write(tmp_path / "b", "findings:\n", "notes.wang.yaml")
    assert write_first(only_hers, "2026-W46", "周", FOUND) is None and not (only_hers / "notes.yaml").exists()


def test_what_was_filled_in_is_read_with_its_kind(tmp_path):
    write(tmp_path, """
week: 2026-W46
conclusion: "两周都在涨: 要查"
findings:
  code:空调-运转-异响:
    cause: |
      第一行
      第二行，问 13800138000
    owner: 王芳
    date: 2026-11-20
    pinned: true
    hidden:
    quotes: [3FA9C0D21B7E, 0123456789]
  code:油耗:
""")
    notes = read_notes(tmp_path)
    one = notes["findings"]["code:空调-运转-异响"]
    assert notes["conclusion"] == "两周都在涨: 要查" and notes["findings"]["code:油耗"] == {"noted": True}
    assert one["cause"].startswith("第一行\n第二行") and "13800138000" not in one["cause"] and one["owner"] == "王芳"
    assert one["date"] == date(2026, 11, 20) and one["pinned"] is True and "hidden" not in one and one["quotes"] == ["3fa9c0d21b7e", "0123456789"]


def test_without_notes_and_with_an_empty_file_there_is_nothing(tmp_path):
    assert read_notes(tmp_path / "none") == read_notes(tmp_path) == EMPTY
    assert read_notes(write(tmp_path, "\n# 只有一句\n"))["findings"] == {}


@pytest.mark.parametrize("text, said", [
    ("conclusion: [a\n", "第 1 行"), ("conclusion: a: b\n", "第 1 行.*加双引号"), ("concluson: x\n", "第 1 行：不认识「concluson」。是否想写「conclusion」？"),
    ("findings:\n  code:a:\n    owner: x\n    ownr: y\n", "第 4 行：不认识「ownr」。是否想写「owner」"), ("findings:\n  code:a:\n    date: 下周五\n", "第 3 行：date 要写成年-月-日，如 2026-11-20；写的是「下周五」"),
    ("findings:\n  code:a:\n    pinned: 是\n", "第 3 行：pinned 只能是 true 或 false；写的是「是」"), ("findings:\n  code:a:\n    quotes: [大家都说好]\n", "第 3 行：quotes 里的「大家都说好」不是原声的编号"),
    ("findings:\n  code:a: 一句话\n", "第 2 行：这里要写成「名: 值」"), ("findings:\n  code:a:\n  code:a:\n", "第 3 行：「code:a」写了两遍"), ("- 一\n", "第 1 行：这里要写成「名: 值」"),
    ("conclusion: a\n<<<<<<< 我\nx: 1\n=======\n", "第 2 行：有 git 合并冲突的标记"), ("conclusion: [一, 二]\n", "第 1 行：conclusion 要写成一段文字"), ("conclusion: " + "长" * 2_001, "第 1 行：conclusion 有 2,001 个字，最多 2,000 个"),
    ("a: &x 1\nb: *y\n", "第 2 行"), ("conclusion: !!python/object:os.system x\nfindings: !!x 3\n", "第 2 行：这里要写成「名: 值」"),
])
def test_a_slip_is_told_with_file_and_line_and_the_file_is_left(tmp_path, text, said):
    folder = write(tmp_path / "2026-W46", text)
    with pytest.raises(NotesError, match=f"(?s)2026-W46/notes.yaml {said}"):
        read_notes(folder)
    assert (folder / "notes.yaml").read_text("utf-8") == text


def test_another_encoding_is_told(tmp_path):
    (tmp_path / "notes.yaml").write_bytes("conclusion: 空调".encode("gb18030"))
    with pytest.raises(NotesError, match="不是 UTF-8 编码"):
        read_notes(tmp_path)


def test_two_analysts_each_with_a_file_count_together_and_a_disagreement_is_told(tmp_path):
    write(tmp_path, "findings:\n  code:a:\n    owner: 质量部\n    cause: 支架\n")
    write(tmp_path, "conclusion: 总的\nfindings:\n  code:a:\n    owner: 质量部\n  code:b:\n    hidden: true\n", "notes.wang.yaml")
    notes = read_notes(tmp_path)
    assert notes["conclusion"] == "总的" and notes["findings"] == {"code:a": {"owner": "质量部", "cause": "支架", "noted": True}, "code:b": {"hidden": True, "noted": True}}
    write(tmp_path, "findings:\n  code:a:\n    owner: 研发部\n", "notes.wang.yaml")
    with pytest.raises(NotesError, match="「code:a」的 owner 有两种说法：notes.wang.yaml 第 3 行 和 notes.yaml 第 3 行"):
        read_notes(tmp_path)


def test_new_findings_are_put_at_the_end_and_nothing_else_moves(tmp_path):
    write_first(tmp_path, "2026-W46", "周", FOUND[:1])
    before = (tmp_path / "notes.yaml").read_text("utf-8").rstrip("\n")
    (tmp_path / "notes.yaml").write_text(before, "utf-8")
    assert add_findings(tmp_path, FOUND[1:]) == [FOUND[1]["finding"]] and (tmp_path / "notes.yaml").read_text("utf-8").startswith(before)
    assert list(read_notes(tmp_path)["findings"]) == [one["finding"] for one in FOUND] and add_findings(tmp_path, []) == []
    write(tmp_path, "findings:\n  a:\nconclusion: 后写的\n")
    with pytest.raises(NotesError, match="findings 不是最后一部分"):
        add_findings(tmp_path, FOUND)
