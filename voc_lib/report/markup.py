"""From what a block says to its HTML: one function per kind, used for JupyterLab and for the page alike.

A block travels in a notebook as `application/vnd.voc+json`, a description without any HTML. Whoever wrote it, it is
drawn here and only here, through `element`, which escapes; so a notebook cannot smuggle HTML in by imitating it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import Markup

from voc_lib.report.escape import element
from voc_lib.report.exports import table_link
from voc_lib.report.sparkline import band_line, range_line
from voc_lib.report.theme import SUPPRESSED

MIME = "application/vnd.voc+json"
UNBROKEN = 6  # characters of a cell that stay on one line: a name of two or five characters is not broken
UNBROKEN_NUMBER = 16  # of a cell of numbers: both ends of a range, a number and its unit
TONES = {"worse", "better", "flat", "strong", "soft", "suppressed", "number"}


def block_html(block: dict) -> Markup:
    """The HTML of one block description. Raises ValueError on a kind nobody draws or on a malformed block."""
    kind = block.get("kind")
    if kind not in KINDS:
        raise ValueError(f"不认识的展示内容「{kind}」。可用：{'、'.join(sorted(KINDS))}。")
    try:
        return KINDS[kind](block)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"展示内容「{kind}」的格式不对：{type(error).__name__} {error}。") from error


def source_id(number: str) -> str:
    """The id in the page of what opens behind a number."""
    return "src-" + re.sub(r"[\W_]+", "-", str(number)).strip("-")


def opener(number: str, *children: object) -> Markup:
    """A number that opens its source: the browser's own popover, without a script."""
    return element("button", *children, type="button", class_="opens", popovertarget=source_id(number), title="打开：定义、样本、原声、查询语句")


def _tone(tone: object) -> str | None:
    return str(tone) if tone in TONES else None


def _runs(runs: list) -> list:
    """A sentence as pieces [text, tone]: emphasis is structure, so a `**` in a product name stays a `**`."""
    return [element("b", text, class_=_tone(tone)) if tone else text for text, tone in runs]


def _lead(block: dict) -> Markup:
    return element("p", [[_runs(runs)] for runs in block["sentences"]], class_="lead")


def _sentence(block: dict) -> Markup:
    return element("p", _runs(block["runs"]), class_="sentence")


def _note(block: dict) -> Markup:
    tone = block.get("tone")
    return element("aside", element("p", _runs(block["runs"])), class_=f"note {tone if tone in ('warn', 'alarm') else ''}".strip())


def _status(block: dict) -> Markup:
    items = [element("span", element("i", item["label"]), " ", element("b", item["text"], class_=_tone(item.get("tone"))))
             for item in block["items"]]
    return element("p", items, class_="status")


def _card(item: dict) -> Markup:
    number = [element("b", item["text"]), element("small", item["unit"]) if item.get("unit") else None]
    return element(
        "div",
        element("div", item["name"], class_="name"),
        element("div", opener(item["name"], *number) if item.get("opens") else number, class_="big few" if item["text"] == SUPPRESSED else "big"),
        element("div", item["change"], class_=f"change {_tone(item.get('tone')) or 'flat'}") if item.get("change") else None,
        element("div", item["before"], class_="before") if item.get("before") else None,
        range_line(item["range"]) if item.get("range") else None,
        element("div", item["note"], class_="sub") if item.get("note") else None,
        class_="card")


def _cards(block: dict) -> Markup:
    said = element("p", element("i", "分析师"), block["opinion"], class_="written lead") if block.get("opinion") else Markup("")
    lead = _lead(block) if block.get("sentences") else None
    return Markup("").join([said, lead or Markup(""), element("div", [_card(item) for item in block["items"]], class_="cards")])


def _mover(row: dict) -> Markup:
    tone = _tone(row.get("tone")) or "flat"
    return element(
        "li",
        element("div", element("h3", row["title"], element("small", "置顶", class_="mark") if row.get("pinned") else None), element("p", row["path"], class_="path"), class_="what"),
        element("div", element("p", opener(row["opens"], element("b", row["people"])) if row.get("opens") else element("b", row["people"]),
                               element("span", row["word"], class_=f"word {tone}"), class_="now"),
                element("p", row["before"], class_="before"), element("p", row["rate"], class_="before") if row.get("rate") else None, class_="figures"),
        element("div", band_line(row, tone), class_="spark"),
        element("p", _runs(row["runs"]), class_="says") if row.get("runs") else None)


def _movers(block: dict) -> Markup:
    note = element("p", block["note"], class_="sub") if block.get("note") else None
    return element("div", element("p", element("span", class_="key") if block.get("banded") else None, element("span", block["legend"]), class_="legend"),
                   element("ol", [_mover(row) for row in block["rows"][: block.get("most")]], class_="movers"), note)


def voices(items: list[dict], numbered: bool = False) -> Markup:
    """Quotes as a list; `numbered` shows the first figures of their ids, for who wants to choose or find one again."""
    return element("ul", [_voice(item, numbered) for item in items], class_="verbatims")


def _voice(item: dict, numbered: bool) -> Markup:
    where = [*item["where"], *([f"编号\u00a0{item['id']}"] if numbered and item.get("id") else [])]
    return element("li", element("p", item["topic"], class_="topic") if item.get("topic") else None, element("blockquote", item["quote"]),
                   element("p", element("i", "追评"), item["followup"], class_="followup") if item.get("followup") else None,
                   element("p", " · ".join(str(part) for part in where), class_="where"))


def _verbatims(block: dict) -> Markup:
    note = element("p", block["note"], class_="sub") if block.get("note") else None
    return element("div", voices(block["items"]), note)


def _cell(cell: dict, column: dict) -> Markup:
    tones = sorted({_tone(column.get("tone")), _tone(cell.get("tone"))} - {None})
    small = [cell["small"]] if cell.get("small") else []
    if len(str(cell["text"])) <= (UNBROKEN_NUMBER if "number" in tones else UNBROKEN):
        tones.append("short")
        parts = [part for said in small for part in re.split("(?<=，)", said)]
        small = [element("span", part) for part in parts] if all(len(part) <= UNBROKEN_NUMBER for part in parts) else small  # broken behind commas only
    return element("td", element("span", cell["text"]), element("small", *small) if small else None, class_=" ".join(tones) or None, data_label=column["title"])


def _table(block: dict) -> Markup:
    columns = block["columns"]
    head = [element("th", column["title"], scope="col", class_=_tone(column.get("tone"))) for column in columns]
    rows = [element("tr", [_cell(cell, column) for cell, column in zip(row, columns, strict=True)]) for row in block["rows"]]
    caption = element("caption", block["caption"]) if block.get("caption") else None
    note = element("p", block["note"], class_="sub") if block.get("note") else None
    return element("div", element("table", caption, element("thead", element("tr", head)), element("tbody", rows), class_="frame"), note, _take(table_link(block)))


def _take(link: Markup | None) -> Markup | None:
    """A link that saves a file, under what it saves; not printed."""
    return element("p", link, class_="take") if link else None


def _chart(block: dict) -> Markup:
    """The frame of a chart; the page puts the figure's description inside."""
    note = element("p", block["note"], class_="sub") if block.get("note") else None
    caption = element("figcaption", element("b", block["title"]), element("span", block["subtitle"]) if block.get("subtitle") else None)
    return Markup("").join([caption, element("div", class_="plot", style=f"height:{int(block['height'])}px"), note or Markup("")])


def _tally(block: dict) -> Markup:
    """The kernel's count of charts made: for the renderer, nothing to show."""
    return Markup("")


def _brief(kind: str) -> Callable[[dict], Markup]:
    """The blocks of page one are drawn in a file of their own, which builds on this one."""
    def draw(block: dict) -> Markup:
        from voc_lib.report import markup_brief

        return getattr(markup_brief, kind)(block)

    return draw


KINDS: dict[str, Callable[[dict], Markup]] = {
    "lead": _lead, "sentence": _sentence, "note": _note, "status": _status, "headline": _cards, "cards": _cards,
    "movers": _movers, "verbatims": _verbatims, "table": _table, "chart": _chart, "tally": _tally,
    **{kind: _brief(kind) for kind in ("anomaly", "issues", "actions", "sources", "leftover")},
}
