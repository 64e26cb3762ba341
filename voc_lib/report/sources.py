"""What opens behind a number: definition, SQL, snapshot, how many, and voices by lot; all inside the page."""

from __future__ import annotations

from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, voice
from voc_lib.report.words import code_name


def list_sources(traced: list[dict], titles: dict[str, str] | None = None) -> Block:
    """The numbers of a page that open, each made by `trace`; the number itself is on a card or in a list and carries the same name."""
    return Block(kind="sources", items=[_source(one, titles) for one in traced])


def _source(one: dict, titles: dict[str, str] | None) -> dict:
    rows = one["people"] is None    # rows that are no feedback: nobody to count, nothing to quote
    few = not rows and 0 < one["people"] < theme.FEWEST
    size = f"{theme.count_text(one['n'])} 行" if rows else theme.SUPPRESSED if few else f"{theme.count_text(one['n'])} 条反馈，{theme.count_text(one['people'])} 人"
    drawn = [voice(row, titles) for row in one["sample"].iter_rows(named=True)]
    told = f"抽签 {len(drawn)} 条，每人至多一条，不挑最激烈的" if drawn else f"{theme.SUPPRESSED}，不列原声" if few else "不是反馈，没有原声" if rows else "没有可引用的原声"
    name = one["number"].removeprefix("code:")
    facts = [["定义", one["definition"]], ["计入", one["base"]], ["样本", size], ["快照", f"库 {one['store']}，{one['snapshot']}"], ["编号", one["number"]]]
    return {"number": one["number"], "title": code_name(name) if name != one["number"] else name, "size": size, "facts": facts, "sql": one["sql"], "told": told, "items": drawn,
            "n": one["n"], "people": one["people"]}


def say_sources(traced: list[dict], report: str = "本页所在文件夹") -> Sentence:
    """How many numbers open, and how to have the rows themselves; `report` is what `voc trace` is to be given."""
    if not traced:
        return Sentence("这一页没有点得开的数字。")
    return Sentence("这一页有 ", (f"{theme.count_text(len(traced))} 个数字", "strong"), "点得开：定义、样本、原声和查询语句。要全部原始行，在命令行里写 ",
                    (f"voc trace {report} 数字的编号", "strong"), "。")
