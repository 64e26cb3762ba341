"""分类工作台: labelling a drawn sample, blind, and accepting what labels suggest; on a page quotes and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.labels import SUGGESTION, label_feedback, labels_given
from voc_lib.enrich.suggestions import suggest_codes
from voc_lib.report import theme
from voc_lib.report.blocks import Block, verbatim_list
from voc_lib.report.escape import element
from voc_lib.report.studio import Panel, attempt, boxed, code_box, domain_of, html, inside, who_field
from voc_lib.report.studio_tables import BY_HAND, cut, table_suggestions
from voc_lib.report.words import channel_title, code_name
from voc_lib.store import Store

if TYPE_CHECKING:
    import ipywidgets

PRINTED = 8  # quotes of the sample on a page
BESIDE = 2  # codes that can stand beside the main one


def panel_labels(lake: Store, drawn: pl.DataFrame, titles: dict[str, str] | None = None, analyst: str = "") -> Block:
    """The drawn feedback one after the other, with fields for its codes; nobody sees the machine's codes or a colleague's."""
    shown = verbatim_list(drawn.head(PRINTED), titles)
    shown.description["note"] = f"抽签抽出 {drawn.height} 条，这里列出 {min(PRINTED, drawn.height)} 条。{BY_HAND}voc codes label。" if drawn.height else "没有可以标注的原话。"
    return Panel(shown, lambda: _labelling(lake, drawn, titles, analyst)) if drawn.height else shown


def panel_suggestions(lake: Store, analyst: str = "", top: int = 15) -> Block:
    """What labels suggest for unmapped feedback, each with a button that writes it as a label; else what is missing."""
    suggested = suggest_codes(lake, top)
    shown = table_suggestions(suggested, labels_given(lake))
    return Panel(shown, lambda: _suggestions(lake, suggested, analyst)) if suggested.height else shown


def _labelling(lake: Store, drawn: pl.DataFrame, titles: dict[str, str] | None, analyst: str) -> ipywidgets.VBox:
    import ipywidgets

    rows = drawn.to_dicts()
    codes = [code.code for code in domain_of(lake).taxonomy]
    who, progress, quote, said = who_field(analyst), html(), html(), html(class_="studio-said")
    main = code_box([*codes, UNMAPPED], description="主要编码", width="420px")
    others = [code_box(codes, description="也提到", placeholder="可以不写", width="420px") for _ in range(BESIDE)]
    save = ipywidgets.Button(description="保存，下一条", icon="check", button_style="primary", layout={"width": "140px"})
    none = ipywidgets.Button(description="都不合适", layout={"width": "110px"}, tooltip="读过了，没有合适的编码")
    back = ipywidgets.Button(description="上一条", icon="arrow-left", layout={"width": "100px"})
    skip = ipywidgets.Button(description="下一条", icon="arrow-right", layout={"width": "100px"})
    at = [0]

    def mine() -> dict[str, list[str]]:
        labels = labels_given(lake).filter(pl.col("who") == who.value.strip())
        return dict(labels.select("feedback_id", "codes").iter_rows())

    def show(place: int, done: dict[str, list[str]] | None = None) -> None:
        """One feedback, with what this analyst gave it before."""
        done = mine() if done is None else done
        at[0] = place % len(rows)
        row = rows[at[0]]
        count = sum(one["feedback_id"] in done for one in rows)
        finished = "全部标完了，谢谢。" if count == len(rows) else ""
        progress.value = inside(element("p", f"第 {at[0] + 1} 条，共 {len(rows)} 条；您已标 {count} 条。{finished}", class_="sub"))
        quote.value = inside(_quote(row, titles))
        given = done.get(row["feedback_id"], [])
        for field, value in zip([main, *others], [*given, "", "", ""], strict=False):
            field.value = value

    def advance(done: dict[str, list[str]]) -> None:
        """The next one that is not labelled, or simply the next."""
        ahead = [*range(at[0] + 1, len(rows)), *range(at[0] + 1)]
        show(next((place for place in ahead if rows[place]["feedback_id"] not in done), at[0] + 1), done)

    def write(given: list[str]) -> None:
        def act() -> str:
            line = label_feedback(lake, rows[at[0]]["feedback_id"], given, who=who.value)
            return f"已记下第 {at[0] + 1} 条：{'、'.join(code_name(code) for code in line['codes'])}。"

        if attempt(said, act):
            advance(mine())

    def begin(_: object = None) -> None:
        """Where this analyst stopped."""
        at[0] = -1
        said.value = ""
        advance(mine())

    save.on_click(lambda _: write([main.value, *(field.value for field in others)] if main.value.strip() else []))
    none.on_click(lambda _: write([UNMAPPED]))
    back.on_click(lambda _: show(at[0] - 1))
    skip.on_click(lambda _: show(at[0] + 1))
    who.observe(begin, "value")
    begin()
    return boxed(who, progress, quote, main, *others, ipywidgets.HBox([save, none, back, skip], layout={"margin": "6px 0 0 88px"}), said)


def _quote(row: dict, titles: dict[str, str] | None) -> object:
    where = [channel_title(row.get("channel"), titles), row.get("product"), theme.day_label(row["local_date"]) if row.get("local_date") else None]
    followup = element("p", element("i", "追评"), row["followup"], class_="followup") if row.get("followup") else None
    return element("ul", element("li", element("blockquote", row["verbatim"]), followup, element("p", " · ".join(str(part) for part in where if part), class_="where")),
                   class_="verbatims one")


def _suggestions(lake: Store, suggested: pl.DataFrame, analyst: str) -> ipywidgets.VBox:
    who = who_field(analyst)
    codes = [code.code for code in domain_of(lake).taxonomy]
    return boxed(who, *[_suggestion_row(lake, row, codes, who) for row in suggested.iter_rows(named=True)])


def _suggestion_row(lake: Store, row: dict, codes: list[str], who: ipywidgets.Text) -> ipywidgets.VBox:
    import ipywidgets

    like = element("small", f"把握 {theme.share_text(row['confidence'])}，相像 {row['nearness']:.2f}；标过的最像它的：{cut(row['nearest'], 40)}")
    words = html(cut(row["text"]), like, width="460px", class_="studio-term")
    code = code_box(codes, row["code"])
    button = ipywidgets.Button(description="接受", icon="check", layout={"width": "90px"}, tooltip="记为您的标注")
    said = html(class_="studio-said")

    def accept(_: object) -> None:
        def act() -> str:
            line = label_feedback(lake, row["feedback_id"], [code.value], who=who.value, source=SUGGESTION)
            return f"已记为您的标注：{code_name(line['codes'][0])}。"

        if attempt(said, act):
            button.disabled = code.disabled = True
            button.description = "已接受"

    button.on_click(accept)
    return ipywidgets.VBox([ipywidgets.HBox([words, code, button]), said]).add_class("studio-row")
