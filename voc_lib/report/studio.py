"""分类工作台 in JupyterLab: panels to click that write the edit log; on a page the same thing as a table.

A panel's description is what the page shows. Its widgets are made where somebody can click, which is not in a kernel that
runs a page (`execute` says so); nothing is written but by a click. Whatever strangers wrote reaches a widget through `element`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
from markupsafe import Markup

from voc_lib.enrich.domain import Domain, DomainError, load_domain
from voc_lib.enrich.edits import edit_codes
from voc_lib.enrich.undo import undo_edit
from voc_lib.messages import system_words
from voc_lib.report.blocks import Block, lab_style
from voc_lib.report.escape import element
from voc_lib.report.execute import NOBODY
from voc_lib.report.markup import block_html
from voc_lib.report.studio_tables import ACTION_WORDS, edit_words, few_text, line_words, table_codes, table_edits, table_queue
from voc_lib.settings import settings
from voc_lib.store import Store, StoreError

if TYPE_CHECKING:
    import ipywidgets

VIEW = "application/vnd.jupyter.widget-view+json"
FROM_QUEUE = "未归类队列里的说法"
FIELDS = {"add_synonym": ("wording",), "move": ("wording", "to"), "merge": ("to",), "rename": ("to", "label")}
HINTS = {
    "add_synonym": "给一个编码加一个短语，或“部件 + 现象”的搭配，如 <方向盘> + 抖。", "move": "把一个说法从一个编码移到另一个。",
    "merge": "把一个编码的全部说法并入目标编码，原来的编码不再使用。", "rename": "给编码换一个名字，写成 系统-部件-现象。",
}
STYLE = """
.voc .studio-row{border-bottom:1px solid var(--line);padding:7px 0;overflow:visible}
.voc .studio-row>.widget-hbox{align-items:center;justify-content:space-between}
.voc .widget-html-content,.voc .jupyter-widget-html-content{line-height:1.6;white-space:normal;color:var(--ink)}
.voc .widget-label{color:var(--soft)}
.voc .studio-said p{margin:2px 0}
.voc .widget-html{margin:0 2px;height:auto}
.voc .studio-term b{font-size:16px;margin-right:10px}
.voc .studio-term small{color:var(--soft);font-size:13px;display:block}
.voc .verbatims.one{columns:1;margin:4px 0}
.voc .verbatims.one li{padding:0}
.voc .verbatims.one blockquote{font-size:17px}
"""


class Panel(Block):
    """A block that can be worked with in JupyterLab; `build` makes its widgets when it is first shown there."""

    def __init__(self, shown: Block, build: Callable[[], ipywidgets.Widget]) -> None:
        super().__init__(**shown.description)
        self.widget = cache(build)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict:
        bundle = super()._repr_mimebundle_(include, exclude)
        return bundle if os.environ.get(NOBODY) else bundle | {VIEW: self.widget()._repr_mimebundle_()[VIEW]}


def panel_synonyms(lake: Store, queue: pl.DataFrame, analyst: str = "") -> Block:
    """The unmapped queue, each term with the code it may belong to and a button that adds it there."""
    shown = table_queue(queue)
    return Panel(shown, lambda: _synonyms(lake, queue, analyst)) if queue.height else shown


def panel_codes(lake: Store, analyst: str = "") -> Block:
    """A form to add a wording, move one, merge or rename codes; on a page the taxonomy by system."""
    return Panel(table_codes(lake), lambda: _edit_form(lake, analyst))


def panel_edits(lake: Store, analyst: str = "") -> Block:
    """The last lines of the log, and a button that takes back one's own last step."""
    return Panel(table_edits(lake), lambda: _undo_form(lake, analyst))


def domain_of(lake: Store) -> Domain:
    """The domain as it is now: edits made a moment ago count."""
    return load_domain(settings().domains, lake.about["domain"])


@cache
def who_field(analyst: str) -> ipywidgets.Text:
    """The analyst's name, one field for all panels: what is written in one stands in the others."""
    import ipywidgets

    return ipywidgets.Text(value=analyst, description="您的名字", placeholder="记在每一行里", continuous_update=False, layout={"width": "260px"})


def boxed(*children: ipywidgets.Widget) -> ipywidgets.VBox:
    """A panel in the house's style."""
    import ipywidgets

    box = ipywidgets.VBox([ipywidgets.HTML(f"<style>{lab_style()}{STYLE}</style>", layout={"display": "none"}), *children])
    box.add_class("voc")
    return box


def html(*children: object, width: str = "auto", class_: str = "") -> ipywidgets.HTML:
    """Text for people to read; only what `element` made counts as HTML."""
    import ipywidgets

    made = ipywidgets.HTML(inside(*children), layout={"width": width})
    return made.add_class(class_) if class_ else made


def inside(*children: object) -> str:
    """The value of an `html` widget."""
    return str(element("div", *children))


def code_box(codes: list[str], value: str = "", placeholder: str = "打几个字来找", width: str = "270px", **more: object) -> ipywidgets.Combobox:
    """A field that offers the codes; what is no code is refused when it is written, with the nearest."""
    import ipywidgets

    return ipywidgets.Combobox(options=codes, value=value, placeholder=placeholder, layout={"width": width}, **more)


def attempt(said: ipywidgets.HTML, act: Callable[[], str]) -> bool:
    """Do what a click asked for and say so; what is refused is said in the same place, and False is given."""
    try:
        said.value = inside(element("p", "✓ ", act(), class_="better"))
        return True
    except (DomainError, StoreError) as error:
        why = str(error).removeprefix("（待写入的修改）：")
    except OSError as error:
        cause, remedy = system_words(error)
        why = f"没有写成：{cause}。{remedy}后再点一次。"
    said.value = inside(element("p", "✗ ", why, class_="worse"))
    return False


def write_edit(lake: Store, action: str, **given: str) -> str:
    """One line in the log, and the sentence that says so."""
    if not given["who"].strip():
        raise DomainError("请先在上面写上您的名字，它会记在这一行里。")
    line = edit_codes(settings().domains, lake.about["domain"], action, **given)
    return f"已记下：{ACTION_WORDS[action]} {edit_words(line)}。下次编码（voc enrich）时生效。"


def undo_last(lake: Store, who: str) -> str:
    """Take back the last step of an analyst in this store's domain, and the sentence that says what it was and what follows."""
    done, follows = undo_edit(settings().domains, lake.about["domain"], who=who, store=lake.name)
    return "；".join([f"已撤销第 {done['line']} 行：{line_words(done['edit'])}", *follows]) + "。下次编码（voc enrich）时生效。"


def _undo_form(lake: Store, analyst: str) -> ipywidgets.VBox:
    """The log as it is after each click, from the newest line down."""
    import ipywidgets

    who, said, lines = who_field(analyst), html(class_="studio-said"), html()
    button = ipywidgets.Button(description="撤销上一步", icon="undo", layout={"width": "130px"}, tooltip="您自己的上一步，在日志里加一行撤销")

    def show() -> None:
        lines.value = block_html(table_edits(lake).description)

    def undo(_: object) -> None:
        if attempt(said, lambda: undo_last(lake, who.value)):
            show()

    button.on_click(undo)
    show()
    return boxed(ipywidgets.HBox([who, button]), said, lines)


def _synonyms(lake: Store, queue: pl.DataFrame, analyst: str) -> ipywidgets.VBox:
    import ipywidgets

    who = who_field(analyst)
    why = ipywidgets.Text(value=FROM_QUEUE, description="原因", layout={"width": "360px"})
    codes = [code.code for code in domain_of(lake).taxonomy]
    rows = [_synonym_row(lake, row, codes, who, why) for row in queue.iter_rows(named=True)]
    hint = html(element("p", "看例句，挑对编码（打几个字来找），再点“加为说法”。说法单独出现就算数：只是部件名的，请到下一节写成“部件 + 现象”。", class_="sub"))
    return boxed(ipywidgets.HBox([who, why]), hint, *rows)


def _synonym_row(lake: Store, row: dict, codes: list[str], who: ipywidgets.Text, why: ipywidgets.Text) -> ipywidgets.VBox:
    import ipywidgets

    few = few_text(row["unmapped"])["text"]
    count = few if few.endswith("条") else f"{few} 条"
    term = html(element("b", row["term"]), f"{count}未归类",
                element("small", f"例：{row['example']}"), width="440px", class_="studio-term")
    code = code_box(codes, row["nearest_code"] or "")
    button = ipywidgets.Button(description="加为说法", icon="plus", layout={"width": "110px"}, tooltip="记一行到编辑日志")
    said = html(class_="studio-said")

    def add(_: object) -> None:
        done = attempt(said, lambda: write_edit(lake, "add_synonym", code=code.value, wording=row["term"], who=who.value, why=why.value))
        if done:
            button.disabled = code.disabled = True
            button.description, button.icon = "已记下", "check"

    button.on_click(add)
    return ipywidgets.VBox([ipywidgets.HBox([term, code, button]), said]).add_class("studio-row")


def _edit_form(lake: Store, analyst: str) -> ipywidgets.VBox:
    import ipywidgets

    who = who_field(analyst)
    wide = {"width": "420px"}
    action = ipywidgets.Dropdown(options=[(ACTION_WORDS[name], name) for name in FIELDS], description="做什么", layout={"width": "260px"})
    hint = html()
    fields = {"code": code_box([], description="编码", width="420px"), "wording": ipywidgets.Combobox(description="说法", layout=dict(wide)),
              "to": code_box([], description="到", width="420px"), "label": ipywidgets.Text(description="显示名", placeholder="可以不写", layout=dict(wide))}
    why = ipywidgets.Text(description="原因", placeholder="为什么改，写给以后看的人", layout=dict(wide))
    button = ipywidgets.Button(description="记下这次修改", icon="pencil", button_style="primary", layout={"width": "150px", "margin": "6px 2px 2px 92px"})
    said = html(class_="studio-said")

    def offer(_: object = None) -> None:
        """The fields the action takes, and what they can be."""
        taxonomy = {code.code: code for code in domain_of(lake).taxonomy}
        for name, field in fields.items():
            field.layout.display = None if name == "code" or name in FIELDS[action.value] else "none"
        fields["code"].options = fields["to"].options = list(taxonomy)
        chosen = taxonomy.get(fields["code"].value)
        fields["wording"].options = list(chosen.synonyms) if chosen and action.value == "move" else []
        fields["to"].description = "新名字" if action.value == "rename" else "目标编码"
        hint.value = inside(element("p", HINTS[action.value], class_="sub"))

    def write(_: object) -> None:
        given = {name: fields[name].value for name in ("code", *FIELDS[action.value])}
        if attempt(said, lambda: write_edit(lake, action.value, **given, who=who.value, why=why.value)):
            for field in (*fields.values(), why):
                field.value = ""
            offer()

    action.observe(offer, "value")
    fields["code"].observe(offer, "value")
    button.on_click(write)
    offer()
    return boxed(ipywidgets.HBox([who, action]), hint, *fields.values(), why, button, said)
